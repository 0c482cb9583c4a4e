"""Where an appeal stands with one peer, told from its deliveries; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

TAKEN: Final = frozenset({"acknowledged", "sent"})
MOVING: Final = frozenset({"ready", "sending", "retry", "unknown"})
BLOCKED: Final = frozenset({"refused", "dead"})


class Told(NamedTuple):
    """One delivery of an appeal to the peer; sent_at: start of its last send.

    through: the peer's own appeal, when only that ties it to this one.
    """

    appeal_id: UUID
    id: UUID
    lane: str
    event_seq: int | None
    event_type: str
    state: str
    created_at: datetime
    changed_at: datetime
    may_reach_citizen: bool
    test: bool
    error: str
    payload_sha256: bytes | None
    sent_at: datetime | None
    through: UUID | None = None


class Standing(NamedTuple):
    """What the deliveries amount to.

    last: the newest that the peer took. since: start of the first send of the content it took
    last: a peer need not mark a repeat as a change. moving: how many will be sent or settled by
    dispatch. blocked: the first that was refused or given up after `last`. skipped: whether an
    operator skipped one after it.
    """

    last: Told | None
    since: datetime | None
    moving: int
    blocked: Told | None
    skipped: bool

    @property
    def counts(self) -> bool:
        """Whether the peer was told, or is to be told, anything at all."""
        return self.last is not None or self.blocked is not None or self.moving > 0


def standing(rows: Sequence[Told]) -> Standing:
    """Return where an appeal stands; rows in the order they were owed."""
    taken = [n for n, row in enumerate(rows) if row.state in TAKEN]
    last = rows[taken[-1]] if taken else None
    newer = rows[taken[-1] + 1 :] if taken else rows
    moving = sum(row.state in MOVING for row in rows)
    return Standing(
        last=last,
        since=_since([rows[n] for n in taken]),
        moving=moving + (last is not None and last.state == "sent"),
        blocked=next((row for row in newer if row.state in BLOCKED), None),
        skipped=any(row.state == "skipped" for row in newer),
    )


def _since(taken: Sequence[Told]) -> datetime | None:
    if not taken:
        return None
    since, content = taken[-1].sent_at, taken[-1].payload_sha256
    for row in reversed(taken):
        if row.payload_sha256 != content or row.sent_at is None:
            break
        since = row.sent_at
    return since
