"""Sends answers to the address that a caller named, as its row allows (WS-Addressing 1.0)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.adapter import Decoded, Health, Receipt, Wire
from gateway.errors import UnsupportedError
from gateway.outbound import check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.adapter import EncodeContext, RemoteState, Window
    from gateway.model.appeal import Appeal
    from gateway.model.events import Event
    from gateway.outbound import Outbound


class ReplyCodec:
    """Nothing is encoded: the answer was sealed when the call was carried out."""

    def decode(self, wire: Wire) -> Decoded:
        """Raise UnsupportedError: answers only go out."""
        raise UnsupportedError("answers only go out", where=wire.media_type)

    def encode(self, appeal: Appeal, event: Event | None, ctx: EncodeContext) -> Wire:
        """Raise UnsupportedError: there is no answer any more to send."""
        raise UnsupportedError(
            "this answer is not kept any more",
            where=ctx.key,
            found=f"{type(appeal).__name__} {event}",
        )


class ReplyChannel:
    """Posts an answer; its MessageID is the same for every attempt, so a repeat is known as one."""

    def __init__(self, outbound: Outbound, *, peer: str) -> None:
        self._outbound = outbound
        self._peer = peer

    def deliver(self, wire: Wire, key: str) -> Receipt:
        """Post once. wire.name: the address."""
        headers = {"Content-Type": wire.media_type, "Gateway-Delivery": key, **wire.headers}
        response = self._outbound.request("POST", wire.name, headers=headers, body=wire.body)
        check(response, self._peer)
        return Receipt(final=True, status=response.status, body=response.body)

    def settle(self, wire: Wire, key: str) -> Receipt | None:
        """Raise UnsupportedError: send the same message again instead."""
        raise UnsupportedError("nobody can be asked about an answer", where=wire.name, found=key)

    def reconcile(self, window: Window) -> Iterator[RemoteState]:
        """Raise UnsupportedError: there is no register of answers."""
        raise UnsupportedError("there is no register of answers", found=window.start.isoformat())

    def probe(self) -> Health:
        """Say nothing: each answer has an address of its own."""
        return Health(ok=True, seconds=0.0)
