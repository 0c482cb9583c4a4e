"""Makes the seal of each day, and holds what is stored against those that were made."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

import psycopg
from psycopg.rows import namedtuple_row

from gateway.errors import GatewayError
from gateway.model.events import event_hash
from gateway.model.ids import uuid7_ms
from gateway.store import horizon, sealed
from gateway.store.partitions import Month, lower_bound
from gateway.store.sealed import EVENT, MESSAGE, Body, Leaf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from zoneinfo import ZoneInfo

    from psycopg import Connection

LOCK: Final = "SELECT pg_advisory_xact_lock(1734440043)"
LAST: Final = "SELECT day, body, sha256 FROM seal ORDER BY day DESC LIMIT 1"
FIRST: Final = "SELECT id FROM message ORDER BY id LIMIT 1"
MESSAGES: Final = """
SELECT id, peer, wire, operation, key, revision, recorded_at, media_type, body_sha256,
       body IS NULL OR sha256(body) = body_sha256 AS whole
FROM message WHERE id >= $1 AND id < $2 AND recorded_at >= $3 AND recorded_at < $4 ORDER BY id
"""
"""A message's id is made with it: the key's range, with a day to spare, spares the other months."""
EVENTS: Final = """
SELECT appeal_id, seq, type, body, prev, hash FROM event
WHERE recorded_at >= $1 AND recorded_at < $2 ORDER BY appeal_id, seq
"""
SPARE: Final = timedelta(days=1)
ADD: Final = """
INSERT INTO seal (day, sealed_at, messages, events, body, sha256, cms)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
ADD_PART: Final = "INSERT INTO seal_part (day, ordinal, kind, leaves) VALUES ($1, $2, $3, $4)"
PARTS: Final = "SELECT kind, leaves FROM seal_part WHERE day = $1 ORDER BY ordinal"
LIST: Final = "SELECT day, sealed_at, messages, events, body, sha256, cms FROM seal ORDER BY day"
OLDEST: Final = r"""
SELECT min(substring(c.relname FROM '_(\d{4}_\d{2})$'))
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = $1::text::regclass
"""


class Seal(NamedTuple):
    """One seal as it is stored."""

    day: date
    sealed_at: datetime
    messages: int
    events: int
    body: bytes
    sha256: bytes
    cms: bytes


class Fault(NamedTuple):
    """What does not agree with a seal. kind: seal, message or event; subject: which one."""

    day: date
    kind: str
    subject: str
    detail: str


class Checked(NamedTuple):
    """One seal held against what is stored. gone: rows that went with their month."""

    day: date
    rows: int
    gone: int
    faults: tuple[Fault, ...]


def listed(connection: Connection[Any]) -> list[Seal]:
    """Return all seals, the oldest first."""
    return [
        Seal(row[0], row[1], row[2], row[3], *(bytes(value) for value in row[4:]))
        for row in connection.execute(LIST)
    ]


def make(
    connection: Connection[Any], sign: Callable[[bytes], bytes], zone: ZoneInfo, now: datetime
) -> Seal | None:
    """Seal the oldest day that is over, settled and not sealed; None when there is none.

    sign: returns a detached CMS. connection: of this house, in autocommit. One transaction: a day
    is sealed whole or not at all, by whichever process comes first.
    """
    final = min(horizon.of(connection, MESSAGE), horizon.of(connection, EVENT))
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        connection.execute(LOCK)
        found = _next(connection, zone)
        if found is None:
            return None
        day, since, previous = found
        until = sealed.day_end(day, zone)
        if until + sealed.SETTLES > now or until > final:
            return None
        counts, roots = _parts(connection, day, since, until)
        body = Body(
            day=day, zone=zone.key, since=since, until=until, messages=counts[MESSAGE],
            events=counts[EVENT], root=sealed.root(roots).hex(), previous=previous,
        )  # fmt: skip
        data = sealed.encode(body)
        made = Seal(day, now, body.messages, body.events, data, sha256(data).digest(), sign(data))
        connection.execute(ADD, made)
    return made


def _next(connection: Connection[Any], zone: ZoneInfo) -> tuple[date, datetime, str] | None:
    last = connection.execute(LAST).fetchone()
    if last is not None:
        body = sealed.decode(bytes(last[1]))
        return last[0] + timedelta(days=1), body.until, bytes(last[2]).hex()
    first = connection.execute(FIRST).fetchone()
    if first is None:
        return None
    day = datetime.fromtimestamp(uuid7_ms(first[0]) / 1000, UTC).astimezone(zone).date()
    return day, sealed.day_end(day - timedelta(days=1), zone), ""


def _parts(
    connection: Connection[Any], day: date, since: datetime, until: datetime
) -> tuple[dict[str, int], list[bytes]]:
    """Write the leaves of a day; return how many of each kind, and the roots of the parts."""
    counts = {MESSAGE: 0, EVENT: 0}
    roots: list[bytes] = []
    for kind, leaves in (
        (MESSAGE, _messages(connection, since, until)),
        (EVENT, _events(connection, since, until)),
    ):
        while page := list(islice(leaves, sealed.PART)):
            packed = b"".join(leaf.record for leaf in page)
            connection.execute(ADD_PART, (day, len(roots), kind, packed))
            roots.append(sealed.part_root(packed))
            counts[kind] += len(page)
    return counts, roots


def _messages(connection: Connection[Any], since: datetime, until: datetime) -> Iterator[Leaf]:
    ids = lower_bound(since - SPARE), lower_bound(until + SPARE)
    for row in _streamed(connection, MESSAGES, (*ids, since, until)):
        leaf = sealed.message_leaf(row)
        yield leaf if row.whole else Leaf(leaf.key, b"\0" * 32)


def _events(connection: Connection[Any], since: datetime, until: datetime) -> Iterator[Leaf]:
    for row in _streamed(connection, EVENTS, (since, until)):
        digest = event_hash(bytes(row.prev), row.seq, row.type, bytes(row.body))
        yield sealed.event_leaf(row.appeal_id, row.seq, digest)


def _streamed(connection: Connection[Any], query: str, values: tuple[Any, ...]) -> Iterator[Any]:
    with psycopg.RawServerCursor(connection, "seal_rows", row_factory=namedtuple_row) as cursor:
        cursor.itersize = sealed.PART
        yield from cursor.execute(query.encode(), values)


def verify(connection: Connection[Any], believe: Callable[[Seal], str]) -> Iterator[Checked]:
    """Hold every seal against what is stored, oldest first.

    believe: says what is wrong with the signature of a seal, empty for nothing.
    """
    previous, until = "", None
    for seal in listed(connection):
        with connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            checked = _check(connection, seal)
        faults = list(checked.faults)
        try:
            body = sealed.decode(seal.body)
        except GatewayError:
            previous, until = sha256(seal.body).hexdigest(), None
        else:
            if body.previous != previous:
                faults.append(_of(seal, "it does not follow the seal before it"))
            if until is not None and body.since != until:
                faults.append(_of(seal, "it does not begin where the day before ended"))
            previous, until = sha256(seal.body).hexdigest(), body.until
        if wrong := believe(seal):
            faults.append(_of(seal, wrong))
        yield checked._replace(faults=tuple(faults))


def _of(seal: Seal, detail: str) -> Fault:
    return Fault(seal.day, "seal", str(seal.day), detail)


def _check(connection: Connection[Any], seal: Seal) -> Checked:
    if sha256(seal.body).digest() != seal.sha256:
        return Checked(seal.day, 0, 0, (_of(seal, "the seal itself was changed"),))
    try:
        body = sealed.decode(seal.body)
    except GatewayError as error:
        return Checked(seal.day, 0, 0, (_of(seal, str(error)),))
    parts = [(kind, bytes(leaves)) for kind, leaves in connection.execute(PARTS, (seal.day,))]
    faults: list[Fault] = []
    if sealed.root([sealed.part_root(leaves) for _, leaves in parts]).hex() != body.root:
        faults.append(_of(seal, "the list of its rows was changed"))
    rows = gone = 0
    for kind, stored in (
        (MESSAGE, _messages(connection, body.since, body.until)),
        (EVENT, _events(connection, body.since, body.until)),
    ):
        known = {
            leaf.key: leaf.digest
            for name, leaves in parts
            if name == kind
            for leaf in sealed.records(leaves)
        }
        rows += len(known)
        for leaf in stored:
            was = known.pop(leaf.key, None)
            if was != leaf.digest:
                told = "was added after the seal" if was is None else "was changed after the seal"
                faults.append(Fault(seal.day, kind, _named(kind, leaf.key), told))
        oldest = _oldest(connection, kind)
        for key in known:
            if key[:16] < oldest:
                gone += 1
            else:
                faults.append(
                    Fault(seal.day, kind, _named(kind, key), "was removed after the seal")
                )
    return Checked(seal.day, rows, gone, tuple(faults))


def _oldest(connection: Connection[Any], table: str) -> bytes:
    """Return the first key of the oldest month that is there; older rows went with theirs."""
    row = connection.execute(OLDEST, (table,)).fetchone()
    if row is None or not row[0]:
        return bytes(16)
    year, month = map(int, row[0].split("_"))
    return lower_bound(Month(year, month).start).bytes


def _named(kind: str, key: bytes) -> str:
    id_ = UUID(bytes=key[:16])
    return str(id_) if kind == MESSAGE else f"{id_} {int.from_bytes(key[16:], 'big')}"


class Proof(NamedTuple):
    """That a row is in a seal. key: of its leaf, in hex; steps: `gateway.store.sealed.path`."""

    day: date
    kind: str
    key: str
    steps: list[tuple[str, str]]


def proofs(connection: Connection[Any], day: date, wanted: set[bytes]) -> list[Proof]:
    """Return what proves those of the keys that a day's seal has."""
    parts = [(kind, bytes(leaves)) for kind, leaves in connection.execute(PARTS, (day,))]
    roots = [sealed.part_root(leaves) for _, leaves in parts]
    found: list[Proof] = []
    for number, (kind, packed) in enumerate(parts):
        leaves = list(sealed.records(packed))
        digests = [leaf.digest for leaf in leaves]
        for index, leaf in enumerate(leaves):
            if leaf.key in wanted:
                steps = sealed.path(digests, index) + sealed.path(roots, number)
                found.append(Proof(day, kind, leaf.key.hex(), steps))
    return found
