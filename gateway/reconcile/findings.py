"""Findings in the store: written as they are found, marked when repaired."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg.types.json import Jsonb

from gateway.model.ids import uuid7

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from uuid import UUID

    from psycopg import Connection

    from gateway.reconcile.compare import Finding

WRITTEN = """
INSERT INTO finding (id, run, peer, class, key, appeal_id, found_at, ours, theirs, cause, repair)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""

READ = """
SELECT id, class, key, appeal_id, ours, theirs, cause, repair, repaired_at FROM finding
WHERE run = $1 AND id > $2 ORDER BY id LIMIT $3
"""

REPAIRED = "UPDATE finding SET repaired_at = $2 WHERE id = $1"

_FIRST = "00000000-0000-0000-0000-000000000000"


class Stored(NamedTuple):
    """A finding as it lies in the store."""

    id: UUID
    class_: str
    key: str
    appeal_id: UUID | None
    ours: dict[str, Any]
    theirs: dict[str, Any]
    cause: str
    repair: str
    repaired_at: datetime | None


def write(
    connection: Connection[Any], run: UUID, peer: str, found: Sequence[Finding], now: datetime
) -> None:
    """Keep findings of a run."""
    if found:
        connection.cursor().executemany(
            WRITTEN,
            [
                (
                    uuid7(), run, peer, f.class_, f.key, f.appeal, now, Jsonb(f.ours),
                    Jsonb(f.theirs), f.cause, f.repair,
                )
                for f in found
            ],
        )  # fmt: skip


def read(connection: Connection[Any], run: UUID, at_once: int = 200) -> Iterator[Stored]:
    """Yield the findings of a run in the order they were found."""
    after: Any = _FIRST
    while rows := connection.execute(READ, (run, after, at_once)).fetchall():
        for row in rows:
            yield Stored(*row)
        after = rows[-1][0]


def repaired(connection: Connection[Any], id_: UUID, now: datetime) -> None:
    """Note that a repair was made."""
    connection.execute(REPAIRED, (id_, now))
