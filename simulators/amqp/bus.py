"""The partner's side of the bus: takes our events, publishes appeals, reads our refusals."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any, Final

import pika
from pika.exceptions import AMQPError

from simulators.amqp import rules
from simulators.faults import STORES
from simulators.peer import clock
from simulators.seed.appeals import Source
from simulators.seed.forms import contract

if TYPE_CHECKING:
    from simulators.faults import Faults
    from simulators.peer import Journal

EXCHANGE: Final = "appeals.events"
EVENTS: Final = "city.events"
INBOX: Final = "city.appeals"
REFUSALS: Final = "city.refusals"
DEAD: Final = f"{EVENTS}.dead"
_QUORUM: Final = {"x-queue-type": "quorum"}
_AWAY: Final = (AMQPError, OSError)


class Bus:
    """Queues of one broker. port: where it listens. Thread-safe; one connection under a lock."""

    def __init__(self, port: int, journal: Journal, faults: Faults) -> None:
        self._parameters = pika.ConnectionParameters(
            "127.0.0.1", port, heartbeat=0, socket_timeout=5, stack_timeout=10
        )
        self._journal = journal
        self._faults = faults
        self._lock = threading.Lock()
        self._connection: Any = None
        self._channel: Any = None
        self._seen: dict[str, dict[str, Any]] = {}
        self._refusals: list[dict[str, Any]] = []
        self._repeats = 0
        self._made = 0

    def follow(self, stop: threading.Event) -> None:
        """Consume until told to stop; a broker that is away is tried again."""
        while not stop.wait(0.1):
            with self._lock:
                try:
                    self._drain()
                except _AWAY:
                    self._drop()
        with self._lock:
            self._drop()

    def prepare(self) -> None:
        """Declare the queues, so that nothing sent to this bus from now on is without one."""
        with self._lock:
            self._open()

    def holds(self) -> list[dict[str, Any]]:
        """Every appeal that events came for, after what waits in the queue was taken."""
        with self._lock:
            try:
                self._drain()
            except _AWAY:
                self._drop()
            found: dict[str, dict[str, Any]] = {}
            for event in self._seen.values():
                row = found.setdefault(
                    event["subject"],
                    {"key": event["subject"], "statuses": [], "answers": 0, "message_ids": []},
                )
                word = event["type"].rpartition(".")[2]
                row["statuses"].append(word)
                row["answers"] += word == "Answered"
                row["message_ids"].append(event["id"])
            return list(found.values())

    def rows(self) -> list[dict[str, Any]]:
        """What the page shows, newest first."""
        with self._lock:
            return [
                {name: event[name] for name in ("subject", "type", "time", "id")}
                for event in reversed(self._seen.values())
            ]

    def emit(self, count: int, seed: int) -> list[str]:
        """Publish made-up appeals to the inbox, with confirms; return their external ids."""
        with self._lock:
            self._made += 1
            source = Source(seed, clock().date())
            keys = []
            for _ in range(count):
                document = contract(source.appeal("bus"))
                document["externalId"] = f"{document['externalId']}-{seed}-{self._made}"
                self._publish(document, "gov.appeals.SubmitAppeal", document["externalId"])
                keys.append(document["externalId"])
            return keys

    def command(self, command: dict[str, Any]) -> dict[str, Any]:
        """Do what the control address asks.

        `{"holds": true}` · `{"emit": n, "seed": s}` · `{"publish": {"body", "type", "message_id",
        "reply_to", "times"}}` · `{"refusals": true}` · `{"repeats": true}` · `{"dead": true}` ·
        `{"redrive": true}` (what lies dead is taken once more) · `{"drain": true}` (what waits is
        taken, as far as the next failure, and how much is left) · `{"waiting": true}`. Raises
        ValueError for anything else, LookupError when the broker is away.
        """
        try:
            return self._commanded(command)
        except _AWAY as error:
            with self._lock:
                self._drop()
            message = f"the broker is away: {type(error).__name__}"
            raise LookupError(message) from error

    def _commanded(self, command: dict[str, Any]) -> dict[str, Any]:
        match command:
            case {"holds": True}:
                return {"items": self.holds()}
            case {"emit": int(count)}:
                return {"keys": self.emit(count, int(command.get("seed", 0)))}
            case {"publish": dict(told)}:
                with self._lock:
                    for _ in range(int(told.get("times", 1))):
                        self._publish(
                            told["body"],
                            str(told.get("type", "")),
                            str(told.get("message_id", "")),
                            str(told.get("reply_to", "")),
                        )
                return {"published": True}
            case {"refusals": True}:
                with self._lock:
                    self._read_refusals()
                    return {"items": list(self._refusals)}
            case {"repeats": True}:
                return {"count": self._repeats}
            case {"drain": True}:
                with self._lock:
                    self._drain()
                return {"left": self._count(EVENTS)}
            case {"dead": True} | {"waiting": True}:
                return {"count": self._count(DEAD if "dead" in command else INBOX)}
            case {"redrive": True}:
                with self._lock:
                    return {"count": self._redrive()}
        raise ValueError("unknown command")

    def _open(self) -> Any:
        """The channel; the lock must be held."""
        if self._channel is None or not self._channel.is_open:
            self._drop()
            self._connection = pika.BlockingConnection(self._parameters)
            channel = self._connection.channel()
            channel.confirm_delivery()
            channel.exchange_declare(EXCHANGE, "topic", durable=True)
            channel.queue_declare(DEAD, durable=True, arguments=_QUORUM)
            arguments = {
                **_QUORUM,
                "x-dead-letter-exchange": "",
                "x-dead-letter-routing-key": DEAD,
            }
            channel.queue_declare(EVENTS, durable=True, arguments=arguments)
            channel.queue_bind(EVENTS, EXCHANGE, "#")
            for name in (INBOX, REFUSALS):
                channel.queue_declare(name, durable=True, arguments=_QUORUM)
            self._channel = channel
        return self._channel

    def _drop(self) -> None:
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None and connection.is_open:
            try:
                connection.close()
            except _AWAY:
                return

    def _publish(self, body: Any, kind: str, message_id: str, reply_to: str = "") -> None:
        raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        properties = pika.BasicProperties(
            content_type="application/json",
            delivery_mode=2,
            type=kind or None,
            message_id=message_id or None,
            reply_to=reply_to or None,
        )
        self._open().basic_publish("", INBOX, raw, properties, mandatory=True)
        self._journal.write(published=message_id, type=kind, bytes=len(raw))

    def _count(self, queue: str) -> int:
        with self._lock:
            return int(self._open().queue_declare(queue, passive=True).method.message_count)

    def _drain(self) -> None:
        channel = self._open()
        while True:
            method, properties, body = channel.basic_get(EVENTS)
            if method is None:
                return
            self._judge(method.delivery_tag, properties, body)
            if not channel.is_open:
                return

    def _judge(self, tag: int, properties: Any, body: bytes) -> None:
        """Keep one message, or refuse it, or fail as planned."""
        message_id = properties.message_id or ""
        try:
            event = rules.event_of(properties.content_type or "", properties.headers or {}, body)
            reasons = rules.refusals(event, message_id, persistent=properties.delivery_mode == 2)
        except (ValueError, TypeError) as error:
            event, reasons = {}, [f"Не читается: {error}"]
        key = str(event.get("subject", ""))
        repeat = message_id in self._seen
        fault = self._faults.take(key)
        kept = not reasons and not repeat and (fault is None or fault.kind in STORES)
        if kept:
            self._seen[message_id] = event
        self._repeats += repeat
        self._journal.write(
            key=key,
            message_id=message_id,
            type=event.get("type"),
            bytes=len(body),
            reasons=reasons,
            repeat=repeat,
            fault=fault.kind if fault else None,
            stored={"message_id": message_id} if kept else None,
        )
        if fault is None:
            if reasons:
                self._channel.basic_reject(tag, requeue=False)
            else:
                self._channel.basic_ack(tag)
            return
        match fault.kind:
            case "refuse":
                self._channel.basic_reject(tag, requeue=False)
            case "error" | "busy":
                self._channel.basic_nack(tag, requeue=True)
            case "hang_before" | "hang_after" | "drip":
                time.sleep(min(fault.seconds, 5.0))
                self._drop()
            case _:
                self._drop()

    def _redrive(self) -> int:
        """Put what lies dead back into the queue, as the consumer's operator does."""
        channel, count = self._open(), 0
        while True:
            method, properties, body = channel.basic_get(DEAD)
            if method is None:
                return count
            channel.basic_publish("", EVENTS, body, properties, mandatory=True)
            channel.basic_ack(method.delivery_tag)
            count += 1

    def _read_refusals(self) -> None:
        channel = self._open()
        while True:
            method, properties, body = channel.basic_get(REFUSALS)
            if method is None:
                return
            told = json.loads(body)
            self._refusals.append({"about": properties.correlation_id, **told})
            self._journal.write(refusal=properties.correlation_id, code=told.get("code"))
            channel.basic_ack(method.delivery_tag)
