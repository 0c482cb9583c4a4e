"""Codec, channel and source of one СЭД: a directory of folders, no network."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from adapters.sed import decode as incoming
from adapters.sed import edc, sev
from adapters.sed import encode as outward
from adapters.sed import restore as back
from adapters.sed.client import Exchange
from adapters.sed.codes import reasons
from adapters.sed.folder import pack
from adapters.sed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.adapter import (
        Batch,
        Decoded,
        EncodeContext,
        Health,
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


class Sed:
    """Codec, channel and source. Thread-safe: it keeps nothing but its directory."""

    def __init__(
        self, options: Mapping[str, Any], *, base: str = "", outbound: Outbound | None = None
    ) -> None:
        del base, outbound  # a directory has no address, and nothing is asked over a network
        self.settings = Settings.of(options)
        self._table = dict(options)
        self._reasons = reasons(self.settings.tables)
        self._exchange = Exchange(self.settings, self._reasons)

    def decode(self, wire: Wire) -> Decoded:
        """Return what a message says, of whatever profile."""
        return incoming.decode(wire, self.settings.zone, self._reasons, self._table)

    def encode(self, appeal: Appeal, event: Event | None, ctx: EncodeContext) -> Wire:
        """Return the folder that tells the event; without a PDF as `without_pdf` says.

        It is said to be made when the event was recorded: a repeat under the same uid that differed
        in its instant would be refused.
        """
        if event is not None:
            ctx = msgspec.structs.replace(ctx, now=event.recorded_at)
        if self.settings.profile == "sev":
            files = sev.encode(appeal, event, ctx)
            return pack(incoming.named(files), files)
        boxed = self.settings.profile in {"2.7", "2.7.1"}
        if boxed and outward.is_document(appeal, event, ctx, self.settings):
            if self.settings.without_pdf == "refuse" or edc.can_carry(appeal, event, ctx):
                files = edc.encode(appeal, event, ctx)
                return pack(incoming.named(files), files)
            plain = replace(self.settings, profile="2.6")
            return outward.encode(appeal, event, ctx, plain, self._reasons)
        return outward.encode(appeal, event, ctx, self.settings, self._reasons)

    def restore(self, item: Inbound) -> Wire:
        """Return the message an item came in."""
        if edc.is_item(item):
            return pack("restored", edc.restore(item))
        if sev.is_item(item):
            return pack("restored", sev.restore(item))
        return back.restore(item, self.settings.zone, self._reasons)

    def receive(self, cursor: str) -> Batch:
        """Return the folders that lie in `in/` and are whole."""
        return self._exchange.receive(cursor)

    def acknowledge(self, verdicts: tuple[Verdict, ...]) -> None:
        """Write receipts and refusals, and move the folders to `done/` or `error/`."""
        self._exchange.acknowledge(verdicts)

    def deliver(self, wire: Wire, key: str) -> Receipt:
        """Let the folder appear in `out/`; a receipt of the partner settles it (`ack`)."""
        return self._exchange.deliver(wire, key)

    def settle(self, wire: Wire, key: str) -> Receipt | None:
        """Say what became of a folder: by the partner's receipt, which `receive` kept."""
        return self._exchange.settle(wire, key)

    def reconcile(self, window: Window) -> Iterator[RemoteState]:
        """List the newest notification of each document."""
        return self._exchange.reconcile(window)

    def probe(self) -> Health:
        """Say whether the directory can be used and has room."""
        return self._exchange.probe()
