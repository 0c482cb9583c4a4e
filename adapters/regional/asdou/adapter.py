"""АС ДОУ: codec, and channel to its RequestExecutionService."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from adapters.regional.asdou.client import Service
from adapters.regional.asdou.codes import tables
from adapters.regional.asdou.decode import decode
from adapters.regional.asdou.encode import Site, encode
from adapters.regional.asdou.restore import restore
from gateway.adapter import (
    Decoded,
    EncodeContext,
    Health,
    Inbound,
    Receipt,
    RemoteState,
    Window,
    Wire,
)
from gateway.errors import ConfigurationError, GatewayError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.model.appeal import Appeal
    from gateway.model.events import Event
    from gateway.outbound import Outbound


class Asdou:
    """One service. Thread-safe, as its `Outbound` is.

    base: absolute address of the service. outbound None makes a codec only.
    """

    def __init__(
        self, options: Mapping[str, Any], *, base: str = "", outbound: Outbound | None = None
    ) -> None:
        responsible = options.get("responsible", True)
        if not isinstance(responsible, bool):
            raise ConfigurationError(
                "true or false", found=str(responsible), where="options.responsible"
            )
        self.site = Site(
            tables=tables(str(options.get("tables", ""))),
            classifier=str(options.get("classifier", "sstu")),
            author=str(options.get("author", "")),
            responsible=responsible,
            org_name=str(options.get("org_name", "")),
            org_sstu_id=str(options.get("org_sstu_id", "")),
        )
        self._there = outbound is not None
        self._service = Service(base, outbound, self.site.tables.send_result)

    def decode(self, wire: Wire) -> Decoded:
        """Return what a report or a final report holds, bare or in its envelope."""
        return decode(wire, self.site.classifier, self.site.tables)

    def encode(self, appeal: Appeal, event: Event | None, ctx: EncodeContext) -> Wire:
        """Return the envelope of the call that tells of an event."""
        return self._service.message(encode(appeal, event, ctx, self.site), ctx.key)

    def restore(self, item: Inbound) -> Wire:
        """Return an item as the document that it came in."""
        return restore(item)

    def deliver(self, wire: Wire, key: str) -> Receipt:  # noqa: ARG002 - importId is in the envelope
        """Send the report, and the final report after it; a repeat of either is known there."""
        return self._reach().send(wire)

    def settle(self, wire: Wire, key: str) -> Receipt | None:
        """Raise UnsupportedError: send again under the same importId instead."""
        raise UnsupportedError("АС ДОУ cannot be asked", found=f"{wire.media_type} {key}")

    def reconcile(self, window: Window) -> Iterator[RemoteState]:
        """Raise UnsupportedError: the service lists nothing."""
        raise UnsupportedError("АС ДОУ lists nothing", found=window.start.isoformat())

    def probe(self) -> Health:
        """Say whether the address answers when it is asked for its description."""
        started = monotonic()
        try:
            status = self._reach().described()
        except GatewayError as error:
            return Health(
                ok=False,
                seconds=monotonic() - started,
                detail=str(error),
                todo="Проверьте адрес службы, сертификат и список разрешённых адресов",
            )
        return Health(ok=status < 500, seconds=monotonic() - started, detail=f"HTTP {status}")

    def _reach(self) -> Service:
        if not self._there:
            raise ConfigurationError(
                "this peer has no address", where="address", todo="name the service's address"
            )
        return self._service
