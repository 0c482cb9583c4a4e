"""Takes away what identifies the applicant of an appeal, everywhere it lies; the facts stay.

| where | what goes | what stays |
|---|---|---|
| content | bytes and salt | digest, `erased_at` |
| message | body, blob, decoded, note | sender, time, key, digest of the body |
| file, package it came in | the same, with all that others had in it | the others' own messages |
| attempt | request, reply, headers, error | time, outcome, status, digest of the request |
| reply | the row | its delivery, skipped when nobody took it |
| delivery | error; what is not sent is skipped | what was told to whom, and when |
| blob_ref, blob | names; bytes that nothing else names | digests in events |
| letter | senders | number and date |
| place | object, house, region, point | outcome |
| finding, expectation | both sides | class, key, time |
| work | the row of a parked message | stage of the message |
| citizen_appeal | whose it is | |

The events hold no personal data, so the chain and the seals still verify.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

from psycopg.types.json import Jsonb

from gateway.errors import BusyError, ConflictError, NotFoundError, StateError
from gateway.model.events import State
from gateway.model.ids import uuid7, uuid7_ms
from gateway.store import deliveries
from gateway.store.arrays import ByteaArray, UuidArray
from gateway.store.blob_collector import UNNAMED, take

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from psycopg import Connection

    from gateway.store.blobs import BlobDirectory

SPARED: Final = timedelta(hours=1)
"""A file that was stored or used again so lately is left to the collector: somebody may be about
to name it."""
AROUND_MS: Final = 3_600_000
"""A package is stored within this time of its items."""
BATCH: Final = 200
NOTHING: Final = "erased"
SKIPPED: Final = ("ready", "retry", "unknown", "refused", "dead")
"""What a peer pulls stays: it holds facts. What was sent waits for its acknowledgement."""

HEAD: Final = """
SELECT id, peer, external_id, receipt_number, state FROM appeal WHERE id = $1 FOR UPDATE
"""
HOLD: Final = "SELECT ground FROM hold WHERE appeal_id = $1"
WAITING: Final = """
SELECT count(*) FROM work w JOIN message m ON m.id = w.message_id
WHERE (w.appeal_id = $1 OR m.appeal_id = $1) AND NOT w.parked
"""
MESSAGES: Final = """
SELECT id FROM message WHERE appeal_id = $1
UNION
SELECT id FROM message
WHERE stage NOT IN ('applied', 'accepted') AND peer = $2 AND key = $3 AND key <> ''
"""
"""With what its sender sent under the same number and was refused."""
FILE: Final = """
SELECT f.id FROM message m JOIN message f
  ON f.id = CASE WHEN m.wire = 'file' THEN m.correlation::uuid END AND f.operation = 'file'
WHERE m.id = ANY($1::uuid[])
"""
"""The files whose rows these are; a row is correlated by the id of its file's message."""
PACKAGE: Final = """
SELECT p.id
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS b (id, since, until)
JOIN message m ON m.id = b.id AND m.wire <> 'file' AND m.correlation <> ''
JOIN message p ON p.peer = m.peer AND p.id >= b.since AND p.id < b.until
             AND p.operation = 'package' AND p.correlation = m.correlation
"""
"""Messages of several items, of which these are some; kept in the same call."""
DELIVERIES: Final = """
SELECT id, state, kind FROM delivery WHERE appeal_id = $1 OR through = $1
UNION
SELECT d.id, d.state, d.kind FROM reply r JOIN delivery d ON d.id = r.delivery_id
WHERE position(convert_to($2, 'UTF8') IN r.body) > 0
"""
REFERENCED: Final = """
SELECT sha256 FROM blob_ref WHERE owner = ANY($1::uuid[])
UNION
SELECT blob FROM message WHERE id = ANY($1::uuid[]) AND blob IS NOT NULL
"""
STEPS: Final[tuple[tuple[str, str], ...]] = (
    (
        "contents",
        ("UPDATE content SET bytes = NULL, salt = NULL, erased_at = $2"
        " WHERE appeal_id = ($1::uuid[])[1] AND erased_at IS NULL"),
    ),
    (
        "messages",
        ("UPDATE message SET body = NULL, blob = NULL, decoded = NULL,"
        " note = jsonb_build_object('erased', $2::timestamptz)"
        " WHERE id = ANY($1::uuid[])"
        " AND (body IS NOT NULL OR blob IS NOT NULL OR decoded IS NOT NULL)"),
    ),
    ("file names", "DELETE FROM blob_ref WHERE owner = ANY($1::uuid[])"),
    ("parked", "DELETE FROM work WHERE message_id = ANY($1::uuid[])"),
    (
        "letters",
        "UPDATE letter SET senders = '{}' WHERE appeal_id = ($1::uuid[])[1] AND senders <> '{}'",
    ),
    (
        "places",
        ("UPDATE place SET guid = NULL, house_guid = NULL, region = '', oktmo = '', level = NULL"
        " WHERE appeal_id = ($1::uuid[])[1]"),
    ),
    (
        "findings",
        ("UPDATE finding SET ours = '{}', theirs = '{}', cause = '' "
        "WHERE appeal_id = ($1::uuid[])[1]"),
    ),
    (
        "expectations",
        "UPDATE expectation SET remote = '{}' WHERE appeal_id = ($1::uuid[])[1]",
    ),
)  # fmt: skip
"""What is done with the appeal (first of $1) and its messages; the order decides nothing."""
SENT_STEPS: Final[tuple[tuple[str, str], ...]] = (
    (
        "attempts",
        (
            "UPDATE attempt SET request = NULL, response = NULL, head = '{}', error = ''"
            " WHERE delivery_id = ANY($1::uuid[])"
        ),
    ),
    ("replies", "DELETE FROM reply WHERE delivery_id = ANY($1::uuid[])"),
    (
        "deliveries",
        "UPDATE delivery SET error = '' WHERE id = ANY($1::uuid[]) AND error <> ''",
    ),
)
TIE: Final = "DELETE FROM citizen_appeal WHERE external_id = $1 AND $2 = 'cabinet'"
"""Who submitted an appeal in the cabinet; another peer's own id may look the same."""
RECORD: Final = """
INSERT INTO erasure (id, appeal_id, at, who, why, ground, counts) VALUES ($1,$2,$3,$4,$5,$6,$7)
"""
FORGET_BLOB: Final = """
DELETE FROM blob b WHERE b.sha256 = $1 AND b.created_at < $2
  AND NOT EXISTS (SELECT FROM blob_ref r WHERE r.sha256 = b.sha256)
  AND NOT EXISTS (SELECT FROM message m WHERE m.blob = b.sha256)
RETURNING sha256
"""
"""A small blob, which lies in its row."""
HOLDERS: Final = """
SELECT destination, count(*) FILTER (WHERE state IN ('sent', 'acknowledged', 'unknown'))
FROM delivery WHERE appeal_id = $1 OR through = $1 GROUP BY destination ORDER BY destination
"""
DUE: Final = """
SELECT a.id FROM appeal a
WHERE a.id > $1 AND a.state = ANY($2::text[]) AND NOT EXISTS
        (SELECT FROM hold h WHERE h.appeal_id = a.id)
  AND (SELECT bool_and(coalesce(
         a.changed_at < $3 - make_interval(days => nullif(
           coalesce(($4::jsonb ->> c.retention)::int, ($4::jsonb ->> a.regime)::int), 0)), false))
       FROM content c WHERE c.appeal_id = a.id AND c.erased_at IS NULL)
ORDER BY a.id LIMIT $5
"""
"""Appeals that have ended, changed last before the days that their contents are kept; the kind
named for a content itself counts before that of the appeal. 0 days, or none named: for ever."""
ENDED: Final = tuple(state.value for state in State if not state.is_open)


class Planned(NamedTuple):
    """What an erasure takes, or took, away. holders: peers that were told, and how often.

    blobs: files and bodies that nothing else names. left: of them, those that the collector takes
    in a day because they were used lately.
    """

    appeal_id: UUID
    receipt_number: str
    counts: dict[str, int]
    holders: dict[str, int]
    blobs: int
    left: int


class Why(NamedTuple):
    """On whose word and by what it is erased. why: `request` or `retention`."""

    who: str
    why: str
    ground: str


class Dry(Exception):
    """Undoes what was only to be counted."""


def erase(
    connection: Connection[Any],
    blobs: BlobDirectory,
    appeal_id: UUID,
    why: Why,
    now: datetime,
    *,
    commit: bool,
) -> Planned:
    """Erase one appeal in one transaction, or only count what would be; the facts stay.

    Raise NotFoundError; ConflictError for one on hold; StateError while its messages still wait for
    triage; BusyError while a delivery of it is being sent.
    """
    digests: list[bytes] = []
    planned: Planned | None = None
    try:
        with connection.transaction():
            planned, digests = _erase(connection, appeal_id, why, now)
            if not commit:
                raise Dry
    except Dry:
        assert planned is not None
        return planned
    left = sum(not _drop(connection, blobs, digest, now - SPARED) for digest in digests)
    return planned._replace(left=left)


def _erase(
    connection: Connection[Any], appeal_id: UUID, why: Why, now: datetime
) -> tuple[Planned, list[bytes]]:
    head = connection.execute(HEAD, (appeal_id,)).fetchone()
    if head is None:
        raise NotFoundError("no such appeal", found=str(appeal_id))
    _require_free(connection, appeal_id)
    messages = [row[0] for row in connection.execute(MESSAGES, (appeal_id, head[1], head[2]))]
    owed = connection.execute(DELIVERIES, (appeal_id, head[3])).fetchall()
    counts = {"skipped": _skip(connection, owed, now)}
    messages += _around(connection, messages)
    owners = UuidArray.of([appeal_id, *messages])
    digests = [bytes(row[0]) for row in connection.execute(REFERENCED, (owners,))]
    for name, statement in STEPS:
        values = (owners, now) if "$2" in statement else (owners,)
        counts[name] = connection.execute(statement.encode(), values).rowcount
    sent = UuidArray.of([row[0] for row in owed])
    for name, statement in SENT_STEPS:
        counts[name] = connection.execute(statement.encode(), (sent,)).rowcount
    counts["ties"] = connection.execute(TIE, (head[2], head[1])).rowcount
    unnamed = _unnamed(connection, digests)
    counts = {name: count for name, count in counts.items() if count}
    told = (uuid7(), appeal_id, now, *why, Jsonb({**counts, "blobs": len(unnamed)}))
    connection.execute(RECORD, told)
    holders = {row[0]: row[1] for row in connection.execute(HOLDERS, (appeal_id,)) if row[1]}
    planned = Planned(appeal_id, head[3], counts, {head[1]: 1, **holders}, len(unnamed), 0)
    return planned, unnamed


def _around(connection: Connection[Any], messages: Sequence[UUID]) -> list[UUID]:
    """Return the messages that hold these and others besides: files, packages; each goes whole.

    What else was in them is kept apart, item by item, and stays.
    """
    own = UuidArray.of(list(messages))
    bounds = [
        UuidArray.of([UUID(int=(uuid7_ms(one) + step) << 80) for one in messages])
        for step in (-AROUND_MS, AROUND_MS)
    ]
    found = connection.execute(FILE, (own,)).fetchall()
    found += connection.execute(PACKAGE, (own, *bounds)).fetchall()
    return [row[0] for row in found]


def _require_free(connection: Connection[Any], appeal_id: UUID) -> None:
    held = connection.execute(HOLD, (appeal_id,)).fetchone()
    if held is not None:
        raise ConflictError(
            f"обращение удержано от стирания · the appeal is on hold: {held[0]}",
        )
    waiting = connection.execute(WAITING, (appeal_id,)).fetchone()
    if waiting is not None and waiting[0]:
        raise StateError(
            "сообщения обращения ещё разбираются · messages of the appeal still wait for triage",
            todo="повторите, когда очередь пройдёт · again when they are through",
        )


def _skip(connection: Connection[Any], owed: Sequence[tuple[Any, ...]], now: datetime) -> int:
    """Skip what was not sent yet: what it would be made of is about to go."""
    count = 0
    for id_, state, kind in owed:
        if state == "sending":
            raise BusyError("доставка обращения отправляется · a delivery is being sent")
        if kind != "pull" and state in SKIPPED:
            deliveries.skip(connection, id_, now, NOTHING)
            count += 1
    return count


def _unnamed(connection: Connection[Any], digests: Sequence[bytes]) -> list[bytes]:
    wanted = (ByteaArray.of(list(digests)),)
    return [bytes(row[0]) for row in connection.execute(UNNAMED, wanted)]


def _drop(
    connection: Connection[Any], blobs: BlobDirectory, digest: bytes, before: datetime
) -> bool:
    """Remove a blob that nothing names, unless it was used lately; return whether it went."""
    path = blobs.path(digest)
    if path.exists():
        return take(connection, path, digest, before)
    return connection.execute(FORGET_BLOB, (digest, before)).fetchone() is not None


def due(
    connection: Connection[Any], keep: Mapping[str, int], now: datetime, after: UUID
) -> list[UUID]:
    """Return the next appeals whose content has been kept long enough, in order of id."""
    values = (after, list(ENDED), now, Jsonb(dict(keep)), BATCH)
    return [row[0] for row in connection.execute(DUE, values)]


def hold(connection: Connection[Any], appeal_id: UUID, who: str, ground: str, at: datetime) -> None:
    """Keep an appeal from being erased; a second ground stands beside the first."""
    connection.execute(
        "INSERT INTO hold AS h (appeal_id, at, who, ground) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (appeal_id) DO UPDATE SET ground = h.ground || '; ' || excluded.ground",
        (appeal_id, at, who, ground),
    )


def release(connection: Connection[Any], appeal_id: UUID) -> bool:
    """Let a held appeal be erased again; return whether it was held."""
    return connection.execute("DELETE FROM hold WHERE appeal_id = $1", (appeal_id,)).rowcount > 0


def held(connection: Connection[Any]) -> list[tuple[UUID, str, datetime, str, str]]:
    """Return the holds: appeal, receipt number, since when, by whom, why."""
    return connection.execute(
        "SELECT h.appeal_id, coalesce(a.receipt_number, ''), h.at, h.who, h.ground"
        " FROM hold h LEFT JOIN appeal a ON a.id = h.appeal_id ORDER BY h.at"
    ).fetchall()
