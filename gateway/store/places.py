"""What addresses of appeals were found to be, as it is stored: `place`, and the objects they name.

A row of `place` follows from the last `AddressResolved` of its role and from the content which that
event names, so that `gateway verify --rebuild` can make it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

from gateway import places
from gateway.addresses import labels
from gateway.addresses.gazetteer import NONE
from gateway.addresses.houses import FlatRow, HouseRow
from gateway.model.facts import AddressFacts
from gateway.store.arrays import (
    BoolArray,
    InstantArray,
    Int4Array,
    TextArray,
    UuidArray,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from psycopg import Connection

    from gateway.addresses.found import Place
    from gateway.addresses.gazetteer import Gazetteer
    from gateway.model.events import Event

LOADED: Final = "SELECT EXISTS (SELECT FROM address_version)"

GONE: Final = """
DELETE FROM place p USING unnest($1::uuid[], $2::text[]) AS u (appeal_id, role)
WHERE p.appeal_id = u.appeal_id AND p.role = u.role
"""

PUT: Final = """
INSERT INTO place (appeal_id, role, seq, outcome, confidence, guid, house_guid, level, region,
                   oktmo, gar_version, by, decided_by, at, doubt)
SELECT a, b, c, d, e::float8, f, g, h::int2, i, j, k, l, m, n, o
FROM unnest($1::uuid[], $2::text[], $3::int4[], $4::text[], $5::text[], $6::uuid[], $7::uuid[],
            $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[],
            $14::timestamptz[], $15::bool[]) AS u (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o)
ON CONFLICT (appeal_id, role) DO UPDATE
SET seq = excluded.seq, outcome = excluded.outcome, confidence = excluded.confidence,
    guid = excluded.guid, house_guid = excluded.house_guid, level = excluded.level,
    region = excluded.region, oktmo = excluded.oktmo, gar_version = excluded.gar_version,
    by = excluded.by, decided_by = excluded.decided_by, at = excluded.at, doubt = excluded.doubt
"""

DOUBTS: Final = """
SELECT a.id, a.receipt_number, a.peer, a.external_id, a.state, p.outcome, p.confidence, p.at,
       a.route_rule, a.executor
FROM place p JOIN appeal a ON a.id = p.appeal_id
WHERE p.doubt AND a.merged_into IS NULL
  AND a.state NOT IN ('answered', 'transferred', 'declined', 'closed')
ORDER BY p.at, p.appeal_id LIMIT $1
"""
"""Of what has ended, or goes on as another appeal, nobody needs the house any more."""

UNASKED: Final = """
SELECT a.id FROM appeal a
WHERE a.id > $1 AND a.merged_into IS NULL AND NOT a.historical
  AND a.state NOT IN ('answered', 'transferred', 'declined', 'closed')
  AND NOT EXISTS (SELECT FROM place p WHERE p.appeal_id = a.id
                  AND (NOT p.doubt OR p.decided_by <> '' OR NOT $2))
ORDER BY a.id LIMIT $3
"""
"""Open appeals that have no outcome, and with $2 also those in doubt that no person has decided."""

OF_HOUSE: Final = """
SELECT a.id, a.receipt_number, a.peer, a.external_id, a.state, p.outcome, p.confidence, p.at,
       a.route_rule, a.executor
FROM place p JOIN appeal a ON a.id = p.appeal_id
WHERE p.house_guid = $1 ORDER BY p.at DESC, p.appeal_id LIMIT $2
"""

EACH: Final = """
SELECT a.id, a.receipt_number, a.peer, a.external_id, a.state, p.outcome, p.confidence, p.at,
       a.route_rule, a.executor
FROM place p JOIN appeal a ON a.id = p.appeal_id
ORDER BY p.at DESC, p.appeal_id LIMIT $1
"""

OUTCOMES: Final = """
SELECT p.outcome, count(*), count(*) FILTER (WHERE p.by = 'person'), count(*) FILTER (WHERE p.doubt)
FROM place p GROUP BY p.outcome ORDER BY count(*) DESC, p.outcome
"""

CONTENT: Final = "SELECT bytes FROM content WHERE appeal_id = $1 AND digest = $2"

HOUSES: Final = """
SELECT h.region, h.parent, h.key, h.id, h.guid::text, h.kind, h.label, h.parent_mun, h.postal_code,
       h.oktmo, h.okato, h.cadastral, h.mkd, p.lat, p.lon
FROM address_house h LEFT JOIN house_point p ON p.house_guid = h.guid
WHERE h.guid = ANY($1::uuid[])
"""

FLATS: Final = """
SELECT h.region, h.parent, h.key, h.id, h.guid::text, h.kind, h.label, h.parent_mun, h.postal_code,
       h.oktmo, h.okato, h.cadastral, h.mkd, p.lat, p.lon,
       f.region, f.house, f.key, f.id, f.guid::text, f.level, f.label, f.cadastral
FROM address_flat f JOIN address_house h ON h.region = f.region AND h.id = f.house
LEFT JOIN house_point p ON p.house_guid = h.guid
WHERE f.guid = ANY($1::uuid[])
"""
"""By `address_flat_guid`; a house has no index by its id, so this is asked of few GUIDs only."""

_HOUSE_COLUMNS: Final = 15


class _Told:
    """Numbers that may be missing, as texts."""

    @staticmethod
    def of(values: Sequence[float | None]) -> TextArray:
        return TextArray.of([None if value is None else repr(value) for value in values])


class Row(NamedTuple):
    """A row of `place`. by: `register`, `rule` or `person`; decided_by: that person."""

    role: str
    seq: int
    outcome: str
    confidence: float | None
    guid: UUID | None
    house_guid: UUID | None
    level: int | None
    region: str
    oktmo: str
    gar_version: str
    by: str
    decided_by: str
    at: dt.datetime
    doubt: bool


class Listed(NamedTuple):
    """An appeal with how surely its place is known, without personal data."""

    id: UUID
    receipt_number: str
    peer: str
    external_id: str
    state: str
    outcome: str
    confidence: float | None
    at: dt.datetime
    rule: str
    executor: str


class Outcome(NamedTuple):
    """How many addresses ended so; by_people: settled by a person; doubts: waiting for one."""

    outcome: str
    addresses: int
    by_people: int
    doubts: int


def loaded(connection: Connection[Any]) -> bool:
    """Whether any region of the register of addresses is loaded."""
    row = connection.execute(LOADED).fetchone()
    return bool(row and row[0])


def rows_of(events: Iterable[Event], contents: Mapping[bytes, bytes]) -> dict[str, Row | None]:
    """Return the row of each role that events tell of; None when it has none any more.

    contents: digest → bytes. An erased one leaves the outcome without the object.
    """
    found: dict[str, Row | None] = {}
    for event in events:
        told = event.payload
        if not isinstance(told, AddressFacts):
            continue
        data = contents.get(bytes.fromhex(event.content)) if event.content else None
        what = places.decoded(data)
        best = what.best if what is not None and told.outcome in places.SURE else None
        found[told.role] = None if told.outcome == places.NONE else Row(
            role=told.role, seq=event.seq, outcome=told.outcome, confidence=told.confidence,
            guid=UUID(best.guid) if best else None,
            house_guid=UUID(best.house_guid) if best and best.house_guid else None,
            level=told.level, region=best.region if best else "", oktmo=best.oktmo if best else "",
            gar_version=told.gar_version, by=told.by,
            decided_by=event.actor.id if event.actor.kind == "person" else "",
            at=event.recorded_at, doubt=told.doubt,
        )  # fmt: skip
    return found


def write(
    connection: Connection[Any], rows: Iterable[tuple[UUID, Mapping[str, Row | None]]]
) -> None:
    """Write the rows of appeals whose heads are locked; the last of a role counts."""
    latest: dict[tuple[UUID, str], Row | None] = {}
    for appeal_id, found in rows:
        latest |= {(appeal_id, role): row for role, row in found.items()}
    gone = [key for key, row in latest.items() if row is None]
    if gone:
        ids, roles = zip(*gone, strict=True)
        connection.execute(GONE, (UuidArray.of(ids), TextArray.of(roles)))
    put = sorted((key, row) for key, row in latest.items() if row is not None)
    if not put:
        return
    kinds: tuple[Any, ...] = (
        TextArray, Int4Array, TextArray, _Told, UuidArray, UuidArray, _Told, TextArray,
        TextArray, TextArray, TextArray, TextArray, InstantArray, BoolArray,
    )  # fmt: skip
    columns = zip(kinds, zip(*(row for _, row in put), strict=True), strict=True)
    values = [kind.of(column) for kind, column in columns]
    connection.execute(PUT, (UuidArray.of([key[0] for key, _ in put]), *values))


def doubts(connection: Connection[Any], limit: int) -> list[Listed]:
    """Return the appeals whose place waits for a person, the longest waiting first."""
    return [Listed(*row) for row in connection.execute(DOUBTS, (limit,))]


def outcomes(connection: Connection[Any]) -> list[Outcome]:
    """Return what became of the addresses of all appeals, the most frequent first."""
    return [Outcome(*row) for row in connection.execute(OUTCOMES)]


def each(connection: Connection[Any], limit: int) -> list[Listed]:
    """Return appeals with what became of their addresses, the newest first."""
    return [Listed(*row) for row in connection.execute(EACH, (limit,))]


def unasked(connection: Connection[Any], after: UUID, limit: int, *, doubts: bool) -> list[UUID]:
    """Return open appeals without an outcome, by id; doubts: and those that are in doubt."""
    return [row[0] for row in connection.execute(UNASKED, (after, doubts, limit))]


def of_house(connection: Connection[Any], guid: UUID, limit: int) -> list[Listed]:
    """Return the appeals about a house, the newest first."""
    return [Listed(*row) for row in connection.execute(OF_HOUSE, (guid, limit))]


def found(connection: Connection[Any], event: Event) -> places.Found | None:
    """Return what the content of an event holds; None when it was erased."""
    if not event.content:
        return None
    digest = bytes.fromhex(event.content)
    row = connection.execute(CONTENT, (event.appeal_id, digest)).fetchone()
    return places.decoded(bytes(row[0])) if row and row[0] is not None else None


def by_guid(
    connection: Connection[Any],
    gazetteer: Gazetteer,
    guids: Iterable[str],
    *,
    flats: bool = True,
) -> dict[str, Place]:
    """Return the objects of the register that have these GUIDs.

    flats: apartments too, which takes a walk over the houses of their regions.
    """
    wanted = {guid.lower() for guid in guids if is_guid(guid)}
    result: dict[str, Place] = {}
    if not wanted:
        return result
    asked = UuidArray.of([UUID(guid) for guid in wanted])
    for row in connection.execute(HOUSES, (asked,)).fetchall():
        _put(result, gazetteer, HouseRow(*row), None)
    for guid in wanted - result.keys():
        for region in gazetteer.regions.values():
            at = region.by_guid(guid)
            if at != NONE:
                result[guid] = labels.place(region, at, 1.0)
    left = wanted - result.keys()
    if left and flats:
        asked = UuidArray.of([UUID(guid) for guid in left])
        for row in connection.execute(FLATS, (asked,)).fetchall():
            house, flat = row[:_HOUSE_COLUMNS], row[_HOUSE_COLUMNS:]
            _put(result, gazetteer, HouseRow(*house), FlatRow(*flat))
    return result


def _put(
    result: dict[str, Place], gazetteer: Gazetteer, house: HouseRow, flat: FlatRow | None
) -> None:
    region = gazetteer.regions.get(house.region)
    at = region.place(house.parent) if region is not None else NONE
    if region is not None and at != NONE:
        place = labels.place(region, at, 1.0, house=house, flat=flat)
        result[place.guid] = place


def is_guid(text: str) -> bool:
    """Whether a text is spelled as a GUID."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True
