"""Why peers are not sent to, for commands that say so: destinations are built, nothing is sent."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gateway import readiness, registry
from gateway.destinations import Builder
from gateway.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.errors import GatewayError
    from gateway.model.peer import Peer
    from gateway.registry import Adapter
    from gateway.settings import Settings


def builder(settings: Settings, rows: Iterable[Peer]) -> Builder:
    """Return what builds these peers' destinations; only the adapters that they name are loaded."""
    return Builder(_adapters(settings, rows), settings, lambda: datetime.now(UTC))


def of(settings: Settings, rows: Iterable[Peer]) -> dict[str, GatewayError]:
    """Return, by code, why peers are not sent to; those that are sent to are left out."""
    rows = list(rows)
    adapters = _adapters(settings, rows)
    with closing(Builder(adapters, settings, lambda: datetime.now(UTC))) as made:
        found = {
            row.code: _disabled(row) or readiness.hindrance(made, adapters, row) for row in rows
        }
    return {code: error for code, error in found.items() if error is not None}


def only_takes(settings: Settings, row: Peer) -> bool:
    """Whether a row is for what its peer pushes or brings as files, and no more."""
    return readiness.only_takes(_adapters(settings, [row]), row)


def told(error: GatewayError | None) -> str:
    """Say on one line what hinders, what was found and what to do; empty when nothing does."""
    if error is None:
        return ""
    parts = (error.message, error.found, error.expected, error.todo)
    return "; ".join(part for part in parts if part)


def _disabled(row: Peer) -> StateError | None:
    if row.enabled:
        return None
    return StateError(
        "система отключена · the peer is disabled",
        current_state=row.code,
        todo=f"`gateway peer enable {row.code} --commit`",
    )


def _adapters(settings: Settings, rows: Iterable[Peer]) -> dict[str, Adapter]:
    return registry.load(sorted({row.adapter for row in rows} & set(settings.adapters)))
