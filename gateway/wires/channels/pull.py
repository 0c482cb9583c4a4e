"""GetChanges and AckChanges: a peer that cannot be called reads its lane and acknowledges.

Disclosure is the same as for what is sent, and goes through the same function: the sender of an
appeal reads what happened to its own in full (as with GetAppeal, it holds the content already),
others what their level allows; also of what another's appeal tells, into which its own was merged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.dispatch.ports import Policy
from gateway.dispatch.prepare import visible
from gateway.errors import InternalError
from gateway.store import pull
from gateway.wires import contract as c
from gateway.wires.channels.change import change
from gateway.wires.lists import fitting
from gateway.xml import UTF8

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gateway.access.policy import Caller
    from gateway.dispatch.ports import Snapshots
    from gateway.store.pool import Pool

DEFAULT_PAGE: Final = 100
OWN_GROUND: Final = "the peer sent this appeal itself"
ROW_GROUND: Final = "recorded in the peer's row"


class PullChanges:
    """The pull channel; the port `gateway.wires.reader.Changes`."""

    def __init__(self, pool: Pool, snapshots: Snapshots, now: Callable[[], datetime]) -> None:
        self._pool = pool
        self._snapshots = snapshots
        self._now = now

    def get(
        self, request: c.GetChanges, caller: Caller, encoding: str = UTF8
    ) -> c.GetChangesResponse:
        """Return what follows the cursor, whole changes up to MaxBytes, at least one."""
        after = pull.position(caller.peer, request.cursor) if request.cursor else None
        with self._pool.connection() as connection:
            page = pull.page(connection, caller.peer, after, request.max or DEFAULT_PAGE)
        changes = self._changes(page, caller)
        shown = fitting(changes, request.max_bytes, encoding)
        return c.GetChangesResponse(
            items=shown,
            next_cursor=pull.cursor(caller.peer, shown[-1].sequence) if shown else None,
            more=page.more or len(shown) < len(page.items),
        )

    def acknowledge(self, request: c.AckChanges, caller: Caller) -> c.AckChangesResponse:
        """Settle everything up to the cursor."""
        upto = pull.position(caller.peer, request.cursor)
        with self._pool.connection() as connection, connection.transaction():
            pull.acknowledge(connection, caller.peer, upto, self._now())
        return c.AckChangesResponse()

    def _changes(self, page: pull.Page, caller: Caller) -> list[c.Change]:
        """Render; a change that cannot be read ends the page before it, it is never passed over."""
        snapshots = self._snapshots.load([item.delivery for item in page.items])
        changes: list[c.Change] = []
        for item in page.items:
            snapshot = snapshots.get(item.delivery.id)
            if snapshot is None and changes:
                break
            if snapshot is None:
                raise InternalError(
                    "a change cannot be read",
                    where=str(item.delivery.id),
                    todo="skip it, or mend it",
                )
            shown = visible(snapshot, _policy(item, caller), caller.peer)
            changes.append(change(item, shown))
        return changes


def _policy(item: pull.Item, caller: Caller) -> Policy:
    if item.source == caller.peer and item.delivery.through is None:
        return Policy(disclosure="full", disclosure_ground=OWN_GROUND)
    return Policy(
        disclosure=caller.disclosure,
        disclosure_ground=ROW_GROUND,
        text_is_redacted=bool(caller.options.get("text_is_redacted", False)),
    )
