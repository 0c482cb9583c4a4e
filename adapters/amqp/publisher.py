"""Publishes events for several threads at once, each on a connection of its own."""

from __future__ import annotations

import threading
from time import monotonic
from typing import TYPE_CHECKING, Any

from adapters.amqp.client import Door, Message, Session
from adapters.amqp.codes import BINDING, KEY, TYPE, WRITTEN
from gateway.adapter import Receipt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.amqp.options import Options
    from gateway.adapter import Wire


class Publisher:
    """Publishes for several threads, each with a session of its own while it does."""

    def __init__(self, options: Options, table: Mapping[str, Any], seconds: float) -> None:
        self._options = options
        self._door = Door(options, table)
        self._seconds = seconds
        self._idle: list[Session] = []
        self._lock = threading.Lock()

    def deliver(self, wire: Wire, key: str) -> Receipt:
        """Publish once under the key; see `Amqp.deliver`."""
        deadline = monotonic() + self._seconds
        session = self._take(deadline)
        try:
            session.publish(self._message(wire, key), deadline)
        except BaseException:
            session.close()
            raise
        self._give_back(session)
        return Receipt(final=True, reference=key)

    def look(self) -> str:
        """Connect, log in and say what is there; raise DeliveryError."""
        deadline = monotonic() + self._seconds
        session = self._door.open(deadline)
        try:
            return session.look(self._options, deadline)
        finally:
            session.close()

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for session in idle:
            session.close()

    def _message(self, wire: Wire, key: str) -> Message:
        return Message(
            exchange=self._options.exchange,
            routing_key=wire.headers.get(KEY, self._options.routing_prefix),
            body=wire.body,
            content_type=wire.media_type,
            message_id=key,
            type=wire.headers.get(TYPE, ""),
            headers={
                f"{WRITTEN}{name.removeprefix(BINDING[0])}": value
                for name, value in wire.headers.items()
                if name.startswith(BINDING[0])
            },
        )

    def _take(self, deadline: float) -> Session:
        """A session that still lives, or a new one; half a heartbeat of silence is too much."""
        while True:
            with self._lock:
                session = self._idle.pop() if self._idle else None
            if session is None:
                break
            fresh = monotonic() - session.idle_since < self._options.heartbeat / 2
            if fresh and session.is_alive(deadline):
                return session
            session.close()
        session = self._door.open(deadline)
        try:
            if self._options.declare:
                session.declare_events(self._options, deadline)
        except BaseException:
            session.close()
            raise
        return session

    def _give_back(self, session: Session) -> None:
        session.idle_since = monotonic()
        with self._lock:
            self._idle.append(session)
