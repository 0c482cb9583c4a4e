"""Takes away what the house noted about itself and nobody asks for any more.

Calls refused, differences found by reconciliation, processes that shared the database: rows outside
of the appeals' months (docs/adr/0018), which would grow for ever. Nothing of an appeal goes here.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

from gateway.errors import BusyError, StateError
from gateway.store import deliveries
from gateway.store.partitions import lower_bound

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection

CLOCKS: Final = timedelta(minutes=10)
"""How far the clocks of two nodes may be apart: a nonce is kept for so long past its end."""
AT_ONCE: Final = 1_000
"""Rows of one transaction: a flood of refusals is taken away without holding up anybody."""

OLD_REFUSALS: Final = """
DELETE FROM refusal WHERE id IN (SELECT id FROM refusal WHERE id < $1 ORDER BY id LIMIT $2)
"""
OLD_FINDINGS: Final = """
DELETE FROM finding WHERE id IN (SELECT id FROM finding WHERE id < $1 ORDER BY id LIMIT $2)
"""
"""By the primary key, whose first 48 bits are the time: `at` and `found_at` have no index."""
OLD_NONCES: Final = """
DELETE FROM nonce WHERE key IN (
    SELECT key FROM nonce WHERE expires_at < $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
"""


OLD_VERDICTS: Final = """
DELETE FROM verdict WHERE sha256 IN (
    SELECT v.sha256 FROM verdict v
    WHERE v.scanned_at < $1 AND NOT EXISTS (SELECT FROM blob b WHERE b.sha256 = v.sha256) LIMIT $2
)
"""
SENT_REPLIES: Final = """
DELETE FROM reply WHERE delivery_id IN (
    SELECT r.delivery_id FROM reply r JOIN delivery d ON d.id = r.delivery_id
    WHERE r.created_at < $1 AND d.state IN ('acknowledged', 'skipped') LIMIT $2
)
"""
"""What was delivered lies in its attempt, as that of any delivery; the answer's own copy goes."""
SETTLED: Final = timedelta(days=1)
UNDELIVERED: Final = timedelta(days=7)
"""After so long nobody waits for the answer to a call."""
NOT_DELIVERED: Final = "nobody took this answer in a week"
OLD_REPLIES: Final = """
SELECT r.delivery_id FROM reply r JOIN delivery d ON d.id = r.delivery_id
WHERE r.created_at < $1 AND r.delivery_id > $2 AND d.state NOT IN ('acknowledged', 'skipped')
ORDER BY r.delivery_id LIMIT $3
"""
LOST_REPLIES: Final = """
DELETE FROM reply WHERE delivery_id IN (
    SELECT r.delivery_id FROM reply r
    WHERE r.created_at < $1 AND NOT EXISTS (SELECT FROM delivery d WHERE d.id = r.delivery_id)
    LIMIT $2
)
"""
"""Of deliveries that went with their month."""
EMPTY_LANES: Final = """
DELETE FROM lane WHERE (destination, key) IN (
    SELECT l.destination, l.key FROM peer p JOIN lane l ON l.destination = p.code || ':replies'
    WHERE l.waiting = 0 AND l.owner = '' AND l.key < $1
      AND NOT EXISTS (SELECT FROM delivery d JOIN reply r ON r.delivery_id = d.id
                      WHERE d.destination = l.destination AND d.lane = l.key)
    LIMIT $2 FOR UPDATE OF l SKIP LOCKED
)
"""
"""Lanes whose one answer is gone. Their keys are made like ids, so they are as old as they say. By
peer, because lanes of appeals are many and an index finds those of a destination."""


class Days(NamedTuple):
    """How many days each kind is kept; 0 keeps it for ever."""

    refusals: int
    findings: int


class Gone(NamedTuple):
    """How many rows of each kind a pass took away."""

    refusals: int
    findings: int


def discard(connection: Connection[Any], keep: Days, now: datetime) -> Gone:
    """Delete what is older than it is kept, some rows at a time.

    connection: of this house, in autocommit.
    """

    def delete(statement: str, days: int) -> int:
        if not days:
            return 0
        values = (lower_bound(now - timedelta(days=days)), AT_ONCE)
        count = 0
        while (deleted := connection.execute(statement, values).rowcount) > 0:  # type: ignore[call-overload,unused-ignore]
            count += deleted
        return count

    return Gone(delete(OLD_REFUSALS, keep.refusals), delete(OLD_FINDINGS, keep.findings))


def forget_settled(connection: Connection[Any], now: datetime) -> int:
    """Forget answers that were delivered and verdicts on files that are gone; return how many.

    Answers that nobody took in `UNDELIVERED` are skipped first. connection: of this house, in
    autocommit.
    """
    _give_up(connection, now)
    count = 0
    for statement, before in (
        (SENT_REPLIES, now - SETTLED),
        (LOST_REPLIES, now - UNDELIVERED),
        (EMPTY_LANES, str(lower_bound(now - SETTLED))),
        (OLD_VERDICTS, now - SETTLED),
    ):
        while (deleted := connection.execute(statement, (before, AT_ONCE)).rowcount) > 0:
            count += deleted
    return count


def _give_up(connection: Connection[Any], now: datetime) -> None:
    """Skip the deliveries of old answers; one that a worker has in hand waits for the next pass."""
    after = UUID(int=0)
    while True:
        values = (now - UNDELIVERED, after, AT_ONCE)
        ids = [row[0] for row in connection.execute(OLD_REPLIES, values, binary=True)]
        for id_ in ids:
            with suppress(BusyError, StateError), connection.transaction():
                deliveries.skip(connection, id_, now, NOT_DELIVERED)
        if not ids:
            return
        after = ids[-1]


def forget_nonces(connection: Connection[Any], now: datetime) -> int:
    """Forget what came once in a proof that nobody would take any more; return how many.

    connection: of this house, in autocommit.
    """
    count = 0
    while (deleted := connection.execute(OLD_NONCES, (now - CLOCKS, AT_ONCE)).rowcount) > 0:
        count += deleted
    return count
