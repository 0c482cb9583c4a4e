"""The registry of who serves houses and which bodies territories belong to, as it is stored.

Territories are few and are kept in memory by whoever asks for every batch (`Kept`); keepers of
houses are millions and are looked up for the houses of a batch (`for_houses`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

from gateway.keepers import Keeper, Point, Territory, keepers_of
from gateway.store.arrays import TextArray, UuidArray

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Sequence

    from psycopg import Connection

OF_HOUSES: Final = """
SELECT house_guid, service, organisation, valid_from, valid_to, ground, source, noted_at, by,
       withdrawn_at
FROM house_keeper
WHERE house_guid = ANY($1::uuid[]) AND withdrawn_at IS NULL
"""

HISTORY: Final = """
SELECT house_guid, service, organisation, valid_from, valid_to, ground, source, noted_at, by,
       withdrawn_at
FROM house_keeper WHERE house_guid = $1
ORDER BY service, valid_from NULLS FIRST, noted_at, id
"""

OF_ORGANISATION: Final = """
SELECT house_guid, service, organisation, valid_from, valid_to, ground, source, noted_at, by,
       withdrawn_at
FROM house_keeper
WHERE organisation = $1 AND withdrawn_at IS NULL AND ($2 = '' OR service = $2)
ORDER BY house_guid, service, valid_from NULLS FIRST LIMIT $3
"""

COUNTS: Final = """
SELECT service, organisation, count(*), count(DISTINCT house_guid) FROM house_keeper
WHERE withdrawn_at IS NULL AND coalesce(valid_from <= $1, true) AND coalesce(valid_to >= $1, true)
GROUP BY service, organisation ORDER BY service, count(*) DESC, organisation
"""

GAPS: Final = """
SELECT p.house_guid::text, count(*), max(p.oktmo), max(p.at) FROM place p
WHERE p.house_guid IS NOT NULL AND NOT EXISTS (
  SELECT FROM house_keeper k
  WHERE k.house_guid = p.house_guid AND k.service = $1 AND k.withdrawn_at IS NULL
    AND coalesce(k.valid_from <= $2, true) AND coalesce(k.valid_to >= $2, true)
)
GROUP BY p.house_guid ORDER BY count(*) DESC, p.house_guid LIMIT $3
"""
"""Houses that appeals are about and nobody has for a kind of service, the most frequent first."""

TERRITORIES: Final = """
SELECT oktmo, service, organisation, valid_from, valid_to, ground, source, noted_at, by,
       withdrawn_at
FROM territory_body WHERE $1 OR withdrawn_at IS NULL
ORDER BY oktmo, service, valid_from NULLS FIRST, noted_at, id
"""

POINTS: Final = "SELECT house_guid, lat, lon, source FROM house_point WHERE house_guid = ANY($1)"

PUT_POINT: Final = """
INSERT INTO house_point (house_guid, lat, lon, source, noted_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (house_guid) DO UPDATE
SET lat = excluded.lat, lon = excluded.lon, source = excluded.source, noted_at = excluded.noted_at
"""

REVISION: Final = "SELECT value FROM keeper_revision"

CHANGED: Final = """
INSERT INTO keeper_revision (value) VALUES (1)
ON CONFLICT (one) DO UPDATE SET value = keeper_revision.value + 1
"""

ALONE: Final = "LOCK TABLE house_keeper, territory_body IN SHARE ROW EXCLUSIVE MODE"
"""Readers go on; a second import waits, since what it may write depends on what is there."""

WITHDRAW_KEEPERS: Final = """
UPDATE house_keeper k SET withdrawn_at = $5
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS u (house, service, organisation, day)
WHERE k.house_guid = u.house AND k.service = u.service AND k.organisation = u.organisation
  AND k.valid_from IS NOT DISTINCT FROM nullif(u.day, '')::date AND k.withdrawn_at IS NULL
"""

WITHDRAW_BODIES: Final = """
UPDATE territory_body t SET withdrawn_at = $5
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS u (oktmo, service, organisation, day)
WHERE t.oktmo = u.oktmo AND t.service = u.service AND t.organisation = u.organisation
  AND t.valid_from IS NOT DISTINCT FROM nullif(u.day, '')::date AND t.withdrawn_at IS NULL
"""

_NEW: Final = "(%s, service, organisation, valid_from, valid_to, ground, source, noted_at, by)"
COPY_KEEPERS: Final = f"COPY house_keeper {_NEW % 'house_guid'} FROM STDIN"
COPY_BODIES: Final = f"COPY territory_body {_NEW % 'oktmo'} FROM STDIN"

IN_REGISTER: Final = """
SELECT guid, label, oktmo FROM address_house WHERE guid = ANY($1::uuid[])
"""
ANY_REGISTER: Final = "SELECT EXISTS (SELECT FROM address_version)"

CHUNK: Final = 10_000
"""Houses that are looked up by one statement."""


class Count(NamedTuple):
    """How much of a kind of service an organisation has on a day."""

    service: str
    organisation: str
    rows: int
    houses: int


class Gap(NamedTuple):
    """A house of appeals without a keeper. last: when an appeal was last placed there."""

    house_guid: str
    appeals: int
    oktmo: str
    last: dt.datetime


class Registered(NamedTuple):
    """A house as the register of addresses has it. label: its own part, `д. 68, к. 2`."""

    label: str
    oktmo: str


class Kept:
    """Territories kept in memory by somebody who asks for every batch."""

    def __init__(self) -> None:
        self._kept: tuple[int, tuple[Territory, ...]] | None = None

    def read(self, connection: Connection[Any]) -> tuple[Territory, ...]:
        """Return the territories as they stand; read anew only after a change.

        Threads may call it at once.
        """
        now = revision(connection)
        kept = self._kept
        if kept is None or kept[0] != now:
            self._kept = kept = (now, territories(connection))
        return kept[1]


def revision(connection: Connection[Any]) -> int:
    """Return a number that grows with every change; 0 when nothing was ever taken."""
    row = connection.execute(REVISION).fetchone()
    return int(row[0]) if row else 0


def for_houses(
    connection: Connection[Any], guids: Iterable[str], day: dt.date
) -> dict[str, tuple[Keeper, ...]]:
    """Return who serves each house on a day, in one statement; a house of nobody's is left out."""
    rows: dict[str, list[Keeper]] = {}
    for row in of_houses(connection, guids):
        rows.setdefault(row.house_guid, []).append(row)
    found = {guid: keepers_of(given, guid, day) for guid, given in rows.items()}
    return {guid: kept for guid, kept in found.items() if kept}


def of_houses(connection: Connection[Any], guids: Iterable[str]) -> list[Keeper]:
    """Return what counts of some houses, of all days."""
    return [
        _keeper(row)
        for part in _parts(guids)
        for row in connection.execute(OF_HOUSES, (UuidArray.of(part),))
    ]


def history(connection: Connection[Any], guid: str) -> list[Keeper]:
    """Return everything ever noted of a house, what was withdrawn too."""
    return [_keeper(row) for row in connection.execute(HISTORY, (UUID(guid),))]


def houses_of(
    connection: Connection[Any], organisation: str, service: str = "", limit: int = 1_000_000
) -> list[Keeper]:
    """Return the houses of an organisation, of all days, in order of their GUIDs."""
    return [_keeper(r) for r in connection.execute(OF_ORGANISATION, (organisation, service, limit))]


def counts(connection: Connection[Any], day: dt.date) -> list[Count]:
    """Return how many houses each organisation serves on a day, by service."""
    return [Count(*row) for row in connection.execute(COUNTS, (day,))]


def gaps(connection: Connection[Any], service: str, day: dt.date, limit: int) -> list[Gap]:
    """Return the houses that appeals are about and that nobody has for a service on a day."""
    return [Gap(*row) for row in connection.execute(GAPS, (service, day, limit))]


def territories(connection: Connection[Any], *, withdrawn: bool = False) -> tuple[Territory, ...]:
    """Return the territories with their bodies; withdrawn: also what counts no more."""
    return tuple(
        Territory(
            oktmo=r[0], service=r[1], organisation=r[2], valid_from=r[3], valid_to=r[4],
            ground=r[5], source=r[6], noted_at=r[7], by=r[8], withdrawn_at=r[9],
        )
        for r in connection.execute(TERRITORIES, (withdrawn,))
    )  # fmt: skip


def points(connection: Connection[Any], guids: Iterable[str]) -> dict[str, Point]:
    """Return where houses stand, of those where it is known."""
    return {
        str(row[0]): Point(house_guid=str(row[0]), lat=row[1], lon=row[2], source=row[3])
        for part in _parts(guids)
        for row in connection.execute(POINTS, (UuidArray.of(part),))
    }


def not_in_register(connection: Connection[Any], guids: Iterable[str]) -> list[str]:
    """Return the houses that the loaded register of addresses does not have, sorted.

    Nothing while no region is loaded: a registry of keepers may come before it.
    """
    row = connection.execute(ANY_REGISTER).fetchone()
    if row is None or not row[0]:
        return []
    wanted = set(guids)
    return sorted(wanted - in_register(connection, wanted).keys())


def in_register(connection: Connection[Any], guids: Iterable[str]) -> dict[str, Registered]:
    """Return what the register of addresses has of some houses, of those it knows."""
    return {
        str(row[0]): Registered(row[1], row[2])
        for part in _parts(guids)
        for row in connection.execute(IN_REGISTER, (UuidArray.of(part),))
    }


def hold(connection: Connection[Any]) -> None:
    """Keep other imports waiting until the transaction ends."""
    connection.execute(ALONE)


def write(
    connection: Connection[Any],
    withdrawn: Sequence[Keeper],
    taken: Sequence[Keeper],
    placed: Sequence[Point],
    now: dt.datetime,
) -> None:
    """Withdraw rows, put others in their place, and say where houses stand."""
    if withdrawn:
        given = UuidArray.of([UUID(row.house_guid) for row in withdrawn])
        connection.execute(WITHDRAW_KEEPERS, (given, *_keys(withdrawn), now))
    with connection.cursor() as cursor, cursor.copy(COPY_KEEPERS) as copy:
        for row in taken:
            copy.write_row((row.house_guid, *_facts(row, now)))
    with connection.cursor() as cursor:
        cursor.executemany(
            PUT_POINT, [(UUID(p.house_guid), p.lat, p.lon, p.source, now) for p in placed]
        )
    connection.execute(CHANGED)


def write_territories(
    connection: Connection[Any],
    withdrawn: Sequence[Territory],
    taken: Sequence[Territory],
    now: dt.datetime,
) -> None:
    """Withdraw rows of territories and put others in their place."""
    if withdrawn:
        given = TextArray.of([row.oktmo for row in withdrawn])
        connection.execute(WITHDRAW_BODIES, (given, *_keys(withdrawn), now))
    with connection.cursor() as cursor, cursor.copy(COPY_BODIES) as copy:
        for row in taken:
            copy.write_row((row.oktmo, *_facts(row, now)))
    connection.execute(CHANGED)


def _keys(rows: Sequence[Keeper | Territory]) -> tuple[TextArray, TextArray, TextArray]:
    return (
        TextArray.of([row.service for row in rows]),
        TextArray.of([row.organisation for row in rows]),
        TextArray.of([row.valid_from.isoformat() if row.valid_from else "" for row in rows]),
    )


def _facts(row: Keeper | Territory, now: dt.datetime) -> tuple[object, ...]:
    return (
        row.service, row.organisation, row.valid_from, row.valid_to, row.ground, row.source, now,
        row.by,
    )  # fmt: skip


def _keeper(row: tuple[Any, ...]) -> Keeper:
    return Keeper(
        house_guid=str(row[0]), service=row[1], organisation=row[2], valid_from=row[3],
        valid_to=row[4], ground=row[5], source=row[6], noted_at=row[7], by=row[8],
        withdrawn_at=row[9],
    )  # fmt: skip


def _parts(guids: Iterable[str]) -> Iterator[list[UUID]]:
    listed = sorted(set(guids))
    for start in range(0, len(listed), CHUNK):
        yield [UUID(guid) for guid in listed[start : start + CHUNK]]
