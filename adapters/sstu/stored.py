"""What the commands read of the store: appeals of a month, what a node was told, what it awaits.

Statements run on a connection of the house (`$1` placeholders); everything comes in pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from adapters.sstu.month import ELSEWHERE, Known
from gateway.model.appeal import Regime
from gateway.reconcile.read import told
from gateway.reconcile.standing import standing
from gateway.store.arrays import TextArray, UuidArray

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime
    from uuid import UUID

    from psycopg import Connection

    from gateway.reconcile.standing import Told

PAGE: Final = 500

MONTH: Final = """
SELECT a.id, a.receipt_number, d.day, a.regime, a.test, a.historical, a.merged_into IS NOT NULL
FROM appeal a
CROSS JOIN LATERAL (
  SELECT coalesce(
    (SELECT min(r.date) FROM registration r WHERE r.appeal_id = a.id AND r.annulled_at IS NULL),
    (SELECT l.date FROM letter l WHERE l.appeal_id = a.id),
    (a.recorded_at AT TIME ZONE $3)::date) AS day
) d
WHERE ($4::uuid IS NULL OR a.id > $4) AND d.day >= $1 AND d.day < $2
ORDER BY a.id LIMIT $5
"""
"""Appeals of a month: by the day of registration, else of the covering letter, else of coming in,
in the zone given. One walk along the key of `appeal`: a month is asked for once a month."""

NUMBERS: Final = """
SELECT n.appeal_id, n.number, n.number_key FROM (
  SELECT x.appeal_id, x.value AS number, x.value_key AS number_key, 0 AS rank
  FROM external_ref x WHERE x.kind IN ('letter', 'urog_number')
  UNION ALL
  SELECT r.appeal_id, r.number, r.number_key, 2 - r.is_ours::int
  FROM registration r WHERE r.annulled_at IS NULL
  UNION ALL
  SELECT x.appeal_id, x.value, x.value_key, 3 FROM external_ref x WHERE x.kind = 'registration'
) n
WHERE n.appeal_id = ANY($1::uuid[]) ORDER BY n.appeal_id, n.rank, n.number
"""
"""The covering letter's number stands first: an appeal sent on is reported under it."""

LETTERS: Final = """
SELECT l.appeal_id FROM letter l
WHERE l.date >= $1 AND l.date < $2 AND ($3::uuid IS NULL OR l.appeal_id > $3)
ORDER BY l.appeal_id LIMIT $4
"""

EXPECTED: Final = """
SELECT e.organisation, e.number, e.first_seen, e.last_seen, e.remote
FROM expectation e WHERE e.peer = $1 AND e.appeal_id IS NULL
  AND NOT EXISTS (
    SELECT FROM registration r WHERE r.number_key = e.number_key AND r.annulled_at IS NULL)
ORDER BY e.first_seen, e.organisation, e.number_key
"""
"""What no appeal of ours has met. An expectation meets numbers that came with an appeal; one under
which we registered it ourselves is ours all the same."""

HERE: Final = """
SELECT number_key FROM registration WHERE number_key = ANY($1::text[]) AND annulled_at IS NULL
UNION
SELECT value_key FROM external_ref
WHERE value_key = ANY($1::text[]) AND kind IN ('registration', 'letter', 'urog_number')
"""
"""Which of these numbers are of appeals that we have."""

AWAITING: Final = """
SELECT d.appeal_id FROM delivery d
WHERE d.destination = $1 AND d.kind = 'push'
  AND d.state IN ('sent', 'unknown', 'ready', 'retry', 'refused', 'dead')
  AND d.appeal_id IS NOT NULL AND ($2::uuid IS NULL OR d.appeal_id > $2)
GROUP BY d.appeal_id ORDER BY d.appeal_id LIMIT $3
"""
"""Appeals that `pack` takes: the node has not said that it took the newest of them."""

CLOSE: Final = """
UPDATE lane l SET closed_by = d.id::text FROM delivery d
WHERE d.id = $1 AND l.destination = d.destination AND l.key = d.lane AND l.closed_by = ''
"""
"""A refused delivery closes its own lane, as one does that was refused while it was sent."""


class Found(NamedTuple):
    """One appeal of the month. rows: what the node was told of it, in order."""

    appeal: UUID
    known: Known
    rows: list[Told]


class Expected(NamedTuple):
    """A row of the node's list that no appeal of ours has met."""

    organisation: str
    number: str
    first_seen: datetime
    last_seen: datetime
    remote: dict[str, Any]


def of_month(
    db: Connection[Any], peer: str, month: tuple[date, date], zone: str
) -> Iterator[Found]:
    """Yield the appeals of a month (first day, day after the last), with what became of them."""
    after: UUID | None = None
    while page := db.execute(MONTH, (*month, zone, after, PAGE)).fetchall():
        ids = [row[0] for row in page]
        numbers = _numbers(db, ids)
        deliveries = told(db, peer, ids)
        for id_, receipt, day, regime, *marks in page:
            rows = deliveries.get(id_, [])
            number, keys = numbers.get(id_, ("", ()))
            yield Found(id_, _known(receipt, number, keys, day, _aside(regime, marks), rows), rows)
        after = ids[-1]


def _known(
    receipt: str, number: str, keys: tuple[str, ...], day: date, aside: str, rows: Sequence[Told]
) -> Known:
    told = standing(rows).blocked or next(iter(rows[-1:]), None)
    return Known(
        receipt=receipt,
        number=number,
        keys=keys,
        on=day,
        aside=aside,
        state=told.state if told else "",
        error=told.error if told else "",
        taken=any(row.state == "acknowledged" for row in rows),
    )


def _aside(regime: str, marks: Sequence[bool]) -> str:
    """Why nothing is reported of an appeal as such; empty when it is."""
    if regime == Regime.NOT_AN_APPEAL:
        return "not_an_appeal"
    if regime in {Regime.MESSAGE, Regime.INCIDENT}:
        return ELSEWHERE
    names = ("test", "historical", "merged")
    return next((name for name, mark in zip(names, marks, strict=True) if mark), "")


def _numbers(db: Connection[Any], ids: list[UUID]) -> dict[UUID, tuple[str, tuple[str, ...]]]:
    """The number to show and every key, by appeal."""
    out: dict[UUID, tuple[str, tuple[str, ...]]] = {}
    for id_, number, key in db.execute(NUMBERS, (UuidArray.of(ids),)):
        first, keys = out.get(id_, (number, ()))
        out[id_] = (first, (*keys, key) if key and key not in keys else keys)
    return out


def with_letters(db: Connection[Any], month: tuple[date, date]) -> Iterator[list[UUID]]:
    """Yield, page by page, appeals whose covering letter is of a month."""
    after: UUID | None = None
    while page := [row[0] for row in db.execute(LETTERS, (*month, after, PAGE))]:
        yield page
        after = page[-1]


def open_of(rows: Sequence[Told]) -> bool:
    """Whether the node has still to be told something of an appeal, or to say that it took it."""
    stands = standing(rows)
    return stands.moving > 0 or stands.blocked is not None


def expected(db: Connection[Any], peer: str) -> Iterator[Expected]:
    """Yield what the node's list shows and we have not received, the oldest first."""
    for row in db.execute(EXPECTED, (peer,)):
        yield Expected(*row)


def here(db: Connection[Any], keys: Sequence[str]) -> set[str]:
    """Return those folded numbers that appeals of ours have."""
    return {row[0] for row in db.execute(HERE, (TextArray.of(list(keys)),))}


def awaiting(db: Connection[Any], peer: str) -> Iterator[dict[UUID, list[Told]]]:
    """Yield, page by page, what the node was told of appeals that it has not acknowledged whole."""
    after: UUID | None = None
    while page := db.execute(AWAITING, (peer, after, PAGE)).fetchall():
        ids = [row[0] for row in page]
        yield told(db, peer, ids)
        after = ids[-1]
