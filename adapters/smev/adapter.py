"""Codec, channel and source of one system of ours behind СМЭВ 3."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from adapters.smev import decode as incoming
from adapters.smev import handed, ids, owners, telling
from adapters.smev import restore as back
from adapters.smev.inbox import Inbox
from adapters.smev.line import Line, refuse
from adapters.smev.messages import types as t
from adapters.smev.messages import write
from adapters.smev.options import Options
from adapters.smev.outbox import Outbox, Room
from adapters.smev.proof import Proof
from adapters.smev.storage import Storage
from gateway.adapter import Health
from gateway.errors import ConfigurationError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.adapter import (
        Batch,
        Decoded,
        EncodeContext,
        Inbound,
        Receipt,
        RemoteState,
        Verdict,
        Window,
        Wire,
    )
    from gateway.lent import Lent
    from gateway.model.appeal import Appeal
    from gateway.model.events import Event
    from gateway.outbound import Outbound

_STEP_SECONDS = 20.0
"""Of the dialogue with the file storage."""


class Smev:
    """Codec, channel and source. Thread-safe: what it has to know again lies in its memory."""

    def __init__(
        self,
        options: Mapping[str, Any],
        *,
        base: str = "",
        outbound: Outbound | None = None,
        lent: Lent | None = None,
    ) -> None:
        self.options = Options.of(options, base)
        self._pinned = self.options.certificates
        self._outbound = outbound
        self._lent = lent

    def decode(self, wire: Wire) -> Decoded:
        """Return what a message says; one that is not believed is refused, and kept as it came."""
        if (error := handed.refusal(wire)) is not None:
            raise error
        found = incoming.decode(wire)
        if self._lent is not None:
            for item in found.items:
                owners.check(self._lent.memory, item, wire)
        return found

    def encode(self, appeal: Appeal, event: Event | None, ctx: EncodeContext) -> Wire:
        """Return what СМЭВ is to carry of an event."""
        return telling.encode(appeal, event, ctx)

    def restore(self, item: Inbound) -> Wire:
        """Return the message that an item came in."""
        return back.restore(item)

    def deliver(self, wire: Wire, key: str) -> Receipt:
        """Send under a number that is written down first."""
        outbox, _, lent = self._open
        return outbox.send(wire, key, lent.now())

    def settle(self, wire: Wire, key: str) -> Receipt | None:
        """Say what became of a message; None: it may be sent again, under the same number."""
        del wire
        return self._open[0].settle(key)

    def receive(self, cursor: str) -> Batch:
        """Return what waits in the queues of requests, of answers and of statuses."""
        _, box, lent = self._open
        found = box.receive(lent.now())
        return type(found)(messages=found.messages, cursor=cursor, more=found.more)

    def acknowledge(self, verdicts: tuple[Verdict, ...]) -> None:
        """Answer what no event answers, and acknowledge what is stored."""
        _, box, lent = self._open
        box.acknowledge(verdicts, lent.now())

    def reconcile(self, window: Window) -> Iterator[RemoteState]:
        """Raise UnsupportedError: СМЭВ lists nothing that it carried."""
        del window
        raise UnsupportedError("СМЭВ gives no list of what it carried", where="smev")

    def probe(self) -> Health:
        """Ask in a way that changes nothing: the statistics, or an Ack of what was never there."""
        todo = "Проверьте url, version, key, доверенные центры и регистрацию сертификата в СМЭВ"
        return Health.of(self._asked, todo)

    def _asked(self) -> str:
        self._open  # noqa: B018 - says what is missing before anything is sent
        room, now = self._room, self._need.now()
        sign = room.proof.signer(self.options.key, now)
        version = self.options.version
        if version == "1.3":
            replied = room.line.call("Ack", write.ack(version, ids.new(), sign), safe=True)
            fault = replied.answer
            if isinstance(fault, t.Fault) and fault.name != "TargetMessageIsNotFound":
                raise refuse(fault, "Ack", replied.response)
            return f"СМЭВ {version}"
        envelope = write.statistics(version, now, sign, self.options.node_id)
        replied = room.line.call("GetIncomingQueueStatistics", envelope, safe=True)
        if isinstance(replied.answer, t.Fault):
            raise refuse(replied.answer, "GetIncomingQueueStatistics", replied.response)
        queues = getattr(replied.answer, "queues", ())
        return f"СМЭВ {version}: " + ", ".join(f"{name} {count}" for name, count in queues)

    @property
    def _need(self) -> Lent:
        if self._lent is None:
            raise ConfigurationError("СМЭВ needs the memory and the keys of the gateway")
        return self._lent

    @cached_property
    def _room(self) -> Room:
        if self._outbound is None:
            raise ConfigurationError("СМЭВ needs a way out", where="options.url")
        return Room(
            self.options,
            self._need.memory,
            Line(self._outbound, self.options.url),
            Proof(self._need.signing(), self._pinned),
            Storage(self.options, _STEP_SECONDS),
        )

    @cached_property
    def _open(self) -> tuple[Outbox, Inbox, Lent]:
        outbox = Outbox(self._room)
        return outbox, Inbox(self._room, outbox), self._need
