"""Why peers are not sent to, for commands that say so: destinations are built, nothing is sent."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gateway import registry
from gateway.destinations import Builder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.model.peer import Peer
    from gateway.settings import Settings


def builder(settings: Settings, rows: Iterable[Peer]) -> Builder:
    """Return what builds these peers' destinations; only the adapters that they name are loaded."""
    named = {row.adapter for row in rows} & set(settings.adapters)
    return Builder(registry.load(sorted(named)), settings, lambda: datetime.now(UTC))


def of(settings: Settings, rows: Iterable[Peer]) -> dict[str, str]:
    """Return, by code, why peers are not sent to; those that are sent to are left out."""
    found: dict[str, str] = {}
    rows = list(rows)
    with closing(builder(settings, rows)) as made:
        for row in rows:
            if not row.enabled:
                found[row.code] = (
                    "система отключена · the peer is disabled; "
                    f"do: `gateway peer enable {row.code} --commit`"
                )
            elif (error := made.hindrance(row)) is not None:
                found[row.code] = str(error)
    return found
