"""RabbitMQ as a peer: the codec always, channel and source once the row names a broker."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from adapters.amqp import restore
from adapters.amqp.decode import decode
from adapters.amqp.encode import encode
from adapters.amqp.event import data_of
from adapters.amqp.options import Options
from gateway.adapter import Batch, Health
from gateway.errors import ConfigurationError, PeerDoubtful, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from adapters.amqp.inbox import Inbox
    from adapters.amqp.publisher import Publisher
    from gateway.adapter import (
        Decoded,
        EncodeContext,
        Inbound,
        Receipt,
        RemoteState,
        Verdict,
        Window,
        Wire,
    )
    from gateway.model.appeal import Appeal
    from gateway.model.events import Event
    from gateway.outbound import Outbound


class Amqp:
    """Codec, channel and source of one virtual host. Thread-safe.

    base: not used, the broker stands in `options.broker`. outbound: its timeout is the total time
    of a call; None makes a codec only. pika is loaded at the first call to the broker.
    """

    def __init__(
        self, options: Mapping[str, Any], *, base: str = "", outbound: Outbound | None = None
    ) -> None:
        del base
        self.options = Options.of(options)
        self._table = dict(options)
        self._timeout = outbound.timeout if outbound else None
        self._making = threading.Lock()
        self._publisher: Publisher | None = None
        self._inbox: Inbox | None = None

    def decode(self, wire: Wire) -> Decoded:
        """Return the one item that a message holds."""
        return decode(wire)

    def encode(self, appeal: Appeal, event: Event | None, ctx: EncodeContext) -> Wire:
        """Return the event as a CloudEvent, as much of it as the destination may see."""
        data = data_of(appeal, event, ctx)
        return encode(appeal, event, ctx, data, binary=self.options.mode == "binary")

    def restore(self, item: Inbound) -> Wire:
        """Return the document that a message carried."""
        return restore.restore(item)

    def deliver(self, wire: Wire, key: str) -> Receipt:
        """Publish once and wait for the broker's confirm.

        Raises PeerRefused (no queue is bound, no such exchange, no right), PeerUnavailable (nothing
        was sent), PeerDoubtful (sent, and no confirm came).
        """
        return self._reach().deliver(wire, key)

    def settle(self, wire: Wire, key: str) -> Receipt | None:
        """Raise PeerDoubtful: a broker cannot be asked; a repeat has the same message_id."""
        raise PeerDoubtful(
            "a broker cannot be asked what it holds",
            where=wire.headers.get("amqp-routing-key", ""),
            found=key,
            todo="send again: consumers drop a message_id that they have seen",
        )

    def reconcile(self, window: Window) -> Iterator[RemoteState]:  # noqa: ARG002
        """Raise UnsupportedError: a broker keeps no register."""
        raise UnsupportedError("a broker keeps no register", where="amqp")

    def probe(self) -> Health:
        """Connect, log in, and look whether exchange and inbox are there; nothing is published."""
        todo = "Проверьте broker, user, password_file и allow_private"
        return Health.of(lambda: self._reach().look(), todo)

    def receive(self, cursor: str) -> Batch:
        """Take messages from the inbox and keep them unacknowledged; none where none is named."""
        if not self.options.inbox:
            return Batch(messages=(), cursor=cursor)
        return self._taking().receive(cursor)

    def acknowledge(self, verdicts: tuple[Verdict, ...]) -> None:
        """Acknowledge what was stored; tell the reason of what was refused."""
        if self.options.inbox:
            self._taking().acknowledge(verdicts)

    def close(self) -> None:
        """Close the connections; what was taken and not acknowledged comes again."""
        for part in (self._publisher, self._inbox):
            if part is not None:
                part.close()

    def _reach(self) -> Publisher:
        seconds = self._seconds()
        with self._making:
            if self._publisher is None:
                self._require()
                from adapters.amqp.publisher import Publisher

                self._publisher = Publisher(self.options, self._table, seconds)
            return self._publisher

    def _taking(self) -> Inbox:
        seconds = self._seconds()
        with self._making:
            if self._inbox is None:
                self._require()
                from adapters.amqp.inbox import Inbox

                self._inbox = Inbox(self.options, self._table, seconds)
            return self._inbox

    def _require(self) -> None:
        try:
            from adapters.amqp import client

            client.require()
        except ImportError as error:
            raise ConfigurationError(
                "библиотека pika не установлена · pika is not installed",
                where="adapters.amqp",
                todo="pip install appeals-gateway[amqp]",
            ) from error

    def _seconds(self) -> float:
        if self._timeout is None or self.options.broker is None:
            raise ConfigurationError(
                "у системы нет адреса брокера · this peer has no broker", where="options.broker"
            )
        return self._timeout
