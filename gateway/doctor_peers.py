"""What `gateway doctor` looks at in the peers of a database: whom they name, and can they be told.

Nothing is connected to: destinations are built as dispatch builds them. See `gateway.doctor`.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from gateway import registry, routing
from gateway.destinations import Builder
from gateway.doctor import Check, Finding, fail, ok, warn
from gateway.errors import GatewayError
from gateway.options import LOCAL
from gateway.store import organisations, peers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from gateway.errors import ConfigurationError
    from gateway.model.peer import Peer
    from gateway.registry import Adapter
    from gateway.settings import Settings


def checks(settings: Settings, url: str, now: datetime) -> dict[str, Check]:
    """Return the checks by name; for a database with its schema, not for a scratch one."""
    return {
        "destinations": partial(check_destinations, settings, url, now),
        "inboxes": partial(check_senders, settings, url),
        "routing": partial(check_rules, settings, url),
    }


def check_destinations(settings: Settings, url: str, now: datetime) -> Iterator[Finding]:
    """Build what dispatch would send to, and read every option of every peer."""
    with _connected(url) as db:
        every = peers.read_all(db)
    builder = Builder(_adapters(settings), settings, lambda: now)
    built = 0
    for row in every.values():
        if not row.enabled:
            continue
        hindrance = builder.hindrance(row)
        if hindrance is not None:
            yield fail("destinations", _said(row, hindrance), hindrance.todo)
        elif row.adapter not in LOCAL:
            built += 1
        for error in builder.wrong(row):
            if hindrance is None or error.message != hindrance.message:
                yield warn("destinations", _said(row, error), error.todo)
    builder.close()
    yield ok("destinations", f"готовы к отправке · ready to be sent to: {built}")


def check_senders(settings: Settings, url: str) -> Iterator[Finding]:
    """Look for inboxes whose files nobody will take, because of their peer."""
    with _connected(url) as db:
        every = peers.read_all(db)
    for inbox in settings.inboxes:
        peer = every.get(inbox.peer)
        if peer is None:
            yield fail(
                "inboxes",
                f"{inbox.path}: нет такой системы, файлы не берутся"
                f" · no such peer, its files are not taken: {inbox.peer}",
                f"gateway peer list; gateway peer add {inbox.peer}",
            )
        elif not peer.enabled:
            yield warn(
                "inboxes",
                f"{inbox.path}: система отключена, файлы ждут"
                f" · the peer is disabled, its files wait: {inbox.peer}",
                f"gateway peer enable {inbox.peer} --commit",
            )


def check_rules(settings: Settings, url: str) -> Iterator[Finding]:
    """Hold the rules of routing against peers and bodies; without bodies only against peers."""
    if not settings.routing_file:
        return
    path = Path(settings.routing_file)
    try:
        routing.read_rules(path)
    except GatewayError:
        return  # told already, where no database is needed
    with _connected(url) as db:
        every, bodies = peers.read_all(db), organisations.read_all(db)
    routing.read_rules(path, peers=every, organisations=bodies or None)
    yield ok(
        "routing", "системы и органы в правилах есть · peers and bodies of the rules are there"
    )


def _connected(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(
        url, autocommit=True, cursor_factory=psycopg.RawCursor, connect_timeout=5
    )


def _said(row: Peer, error: ConfigurationError) -> str:
    found = f", найдено · found: {error.found}" if error.found else ""
    expected = f", ожидалось · expected: {error.expected}" if error.expected else ""
    place = "" if error.where.startswith("peer ") else f"{error.where}: "
    return f"{row.code}: {place}{error.message}{found}{expected}"


def _adapters(settings: Settings) -> dict[str, Adapter]:
    """Return the adapters that can be loaded; of the others the check of adapters tells."""
    found: dict[str, Adapter] = {}
    for name in settings.adapters:
        try:
            found |= registry.load((name,))
        except GatewayError:
            continue
    return found
