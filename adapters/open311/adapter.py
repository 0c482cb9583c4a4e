"""Open311 GeoReport v2: the codec, and the face that city apps call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from adapters.open311 import options as table
from adapters.open311 import services
from adapters.open311.decode import decode
from adapters.open311.encode import encode
from adapters.open311.restore import restore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from gateway.adapter import Decoded, EncodeContext, Inbound, Wire
    from gateway.model.appeal import Appeal
    from gateway.model.events import Event
    from gateway.outbound import Outbound

PREFIX: Final = "/open311/v2/"


class Open311:
    """Codec and face. Nothing is sent to anybody, so `base` and `outbound` are not used."""

    prefix = PREFIX

    def __init__(
        self,
        options: Mapping[str, Any],
        *,
        base: str = "",  # noqa: ARG002 - what every adapter is given
        outbound: Outbound | None = None,  # noqa: ARG002
    ) -> None:
        self.options = table.read(options)
        self.services = services.read(options)

    def decode(self, wire: Wire) -> Decoded:
        """Return what a posted form, or a list of requests in XML or JSON, holds."""
        return decode(wire, self.services, self.options)

    def encode(self, appeal: Appeal, event: Event | None, ctx: EncodeContext) -> Wire:
        """Return a list of one request: where the appeal stands, whatever the event."""
        return encode(appeal, event, ctx, self.services, self.options)

    def restore(self, item: Inbound) -> Wire:
        """Return an item back in the format it came in."""
        return restore(item)

    def application(self, edge: Any) -> Callable[[Any, Any, Any], Awaitable[None]]:
        """Return the ASGI application of every path below `prefix`."""
        from adapters.open311.server import Face

        return Face(edge, self.services, self.options, self.prefix)
