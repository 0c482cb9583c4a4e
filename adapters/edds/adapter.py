"""ЕДДС as a peer: cards out by a template, call-backs in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters.edds import tables
from adapters.edds.client import Desk
from adapters.edds.codes import CARD_ON
from adapters.edds.decode import decode
from adapters.edds.encode import encode
from adapters.edds.replies import reply
from adapters.edds.restore import restore
from gateway.adapter import Health
from gateway.errors import (
    ConfigurationError,
    DeliveryError,
    PeerDoubtful,
    UnsupportedError,
)
from gateway.model.events import EventType
from gateway.options_read import zone

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.adapter import (
        Decoded,
        EncodeContext,
        Inbound,
        Receipt,
        RemoteState,
        Reply,
        Verdict,
        Window,
        Wire,
    )
    from gateway.model.appeal import Appeal
    from gateway.model.events import Event
    from gateway.outbound import Outbound


class Edds:
    """Codec, channel and answers of one dispatcher. Thread-safe, as its `Outbound` is.

    base: absolute address of the interface. outbound None makes a codec only. Raises
    ConfigurationError for a template that cannot work.
    """

    def __init__(
        self, options: Mapping[str, Any], *, base: str = "", outbound: Outbound | None = None
    ) -> None:
        self.template = tables.of(options)
        self._card_on = _card_on(str(options.get("card_on") or EventType.REGISTERED))
        self._classifier = str(options.get("classifier") or "")
        self._zone = zone(options)
        self._desk = Desk(outbound, base, self.template, dict(options)) if outbound else None
        self._base = base

    def decode(self, wire: Wire) -> Decoded:
        """Return the report of a call-back."""
        return decode(self.template, self._zone, wire)

    def encode(self, appeal: Appeal, event: Event | None, ctx: EncodeContext) -> Wire:
        """Return the card, its correction or its withdrawal."""
        return encode(self.template, self._card_on, appeal, event, ctx, classifier=self._classifier)

    def restore(self, item: Inbound) -> Wire:
        """Return a call-back as it came."""
        return restore(self.template, item)

    def reply(self, verdict: Verdict) -> Reply:
        """Return the answer to a call-back, in the template's own form."""
        return reply(self.template, verdict)

    def deliver(self, wire: Wire, key: str) -> Receipt:  # noqa: ARG002 - it stands in the wire
        """Send once; raise PeerRefused, PeerUnavailable or PeerDoubtful."""
        return self._reach().send(wire)

    def settle(self, wire: Wire, key: str) -> Receipt | None:
        """Ask by the delivery's key; raise PeerDoubtful when the dispatcher cannot tell."""
        try:
            return self._reach().ask(wire, key)
        except PeerDoubtful:
            raise
        except DeliveryError as error:
            raise PeerDoubtful(
                f"the dispatcher cannot be asked: {error.message}",
                found=error.found,
                todo=error.todo,
            ) from error

    def reconcile(self, window: Window) -> Iterator[RemoteState]:  # noqa: ARG002
        """Raise UnsupportedError: no list of cards is known."""
        raise UnsupportedError("a dispatcher gives no list of its cards", where="edds")

    def probe(self) -> Health:
        """Ask the template's [probe], which changes nothing."""
        todo = "Проверьте url, шаблон, имя и пароль и список разрешённых адресов"
        return Health.of(lambda: self._reach().probe(), todo)

    def _reach(self) -> Desk:
        if self._desk is None or not self._base:
            raise ConfigurationError(
                "this peer has no address", where="options.url", todo="name the address"
            )
        return self._desk


def _card_on(word: str) -> EventType:
    if word not in CARD_ON:
        raise ConfigurationError(
            "карточка заводится не по этому событию · this event makes no card",
            found=word,
            expected=", ".join(CARD_ON),
            where="options.card_on",
        )
    return EventType(word)
