"""Addresses out of the tables that a load has made: names kept in memory, houses looked up.

What works all day keeps streets and settlements (`Kept`) and reads a region anew only after it has
changed. Houses of a whole batch are one statement.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from gateway.addresses.gazetteer import Gazetteer, NameRow, ObjectRow, Region, Synonym
from gateway.addresses.houses import FlatRow, HouseRow
from gateway.addresses.resolve import Resolver
from gateway.store.arrays import Int2Array, Int8Array, TextArray

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from psycopg import Connection

    from gateway.addresses.found import Question, Resolved
    from gateway.addresses.resolve import HouseKey

REVISION: Final = "SELECT value FROM address_revision"

VERSIONS: Final = "SELECT region, version, loaded_at, flats FROM address_version ORDER BY region"

OBJECTS: Final = """
SELECT id, guid, level, type, type_name, name, parent, parent_mun, oktmo, okato, postal_code, houses
FROM address_object WHERE region = $1 ORDER BY id
"""

NAMES: Final = "SELECT key, object, type, kind FROM address_name WHERE region = $1"

HOUSES: Final = """
SELECT h.region, h.parent, h.key, h.id, h.guid::text, h.kind, h.label, h.parent_mun,
       h.postal_code, h.oktmo, h.okato, h.cadastral, h.mkd, p.lat, p.lon
FROM unnest($1::smallint[], $2::bigint[], $3::text[]) AS u (region, parent, key)
CROSS JOIN LATERAL (
  SELECT * FROM address_house AS a
  WHERE a.region = u.region AND a.parent = u.parent AND a.key = u.key OFFSET 0
) AS h
LEFT JOIN LATERAL (
  SELECT lat, lon FROM house_point AS b WHERE b.house_guid = h.guid OFFSET 0
) AS p ON true
"""
"""OFFSET keeps the look-up by the primary key a loop, whatever the size of the batch: as a join it
becomes a reading of whole partitions at some thousand keys."""

FLATS: Final = """
SELECT f.region, f.house, f.key, f.id, f.guid::text, f.level, f.label, f.cadastral
FROM unnest($1::smallint[], $2::bigint[], $3::text[]) AS u (region, house, key)
CROSS JOIN LATERAL (
  SELECT * FROM address_flat AS a
  WHERE a.region = u.region AND a.house = u.house AND a.key = u.key OFFSET 0
) AS f
"""


class Kept:
    """Names kept in memory by somebody who resolves all day; threads may ask at once.

    synonyms: reads what people have chosen; they must bump address_revision when it changes.
    regions: the only ones to keep, all that are loaded when empty.
    """

    def __init__(
        self,
        synonyms: Callable[[Connection[Any]], Iterable[Synonym]] | None = None,
        regions: Sequence[int] = (),
    ) -> None:
        self._kept: tuple[int, Gazetteer] | None = None
        self._regions: dict[int, tuple[object, Region]] = {}
        self._only = frozenset(regions)
        self._synonyms = synonyms
        self._lock = Lock()

    def read(self, connection: Connection[Any]) -> Gazetteer:
        """Return the names as they stand; read anew only after a change."""
        return self.dated(connection)[1]

    def dated(self, connection: Connection[Any]) -> tuple[int, Gazetteer]:
        """Return the names with their revision.

        One thread reads anew, the others wait: two readers at once would need twice the memory.
        """
        now = revision(connection)
        kept = self._kept
        if kept is None or kept[0] != now:
            with self._lock:
                kept = self._kept
                if kept is None or kept[0] != now:
                    self._kept = kept = (now, self._anew(connection))
        return kept

    def _anew(self, connection: Connection[Any]) -> Gazetteer:
        found = {}
        for code, version, at, flats in connection.execute(VERSIONS).fetchall():
            if self._only and code not in self._only:
                continue
            had = self._regions.get(code)
            if had is not None and had[0] == (version, at, flats):
                found[code] = had
            else:
                region = read_region(connection, code, str(version))
                region.flats = flats > 0
                found[code] = ((version, at, flats), region)
        self._regions = found
        synonyms = self._synonyms(connection) if self._synonyms else ()
        return Gazetteer([region for _, region in found.values()], synonyms)


def revision(connection: Connection[Any]) -> int:
    """Return a number that grows with every change; 0 when nothing was ever loaded."""
    row = connection.execute(REVISION).fetchone()
    return int(row[0]) if row else 0


def changed(connection: Connection[Any]) -> None:
    """Say that what is searched has changed; in the transaction of the change."""
    connection.execute(
        "INSERT INTO address_revision (value) VALUES (1) "
        "ON CONFLICT (one) DO UPDATE SET value = address_revision.value + 1"
    )


def read_region(connection: Connection[Any], code: int, version: str = "") -> Region:
    """Return the names of one region."""
    with connection.transaction():
        objects = (ObjectRow(*row) for row in connection.execute(OBJECTS, (code,)))
        names = (NameRow(*row) for row in connection.execute(NAMES, (code,)))
        return Region(code, objects, names, version)


def houses(connection: Connection[Any], asks: Iterable[HouseKey]) -> dict[HouseKey, list[HouseRow]]:
    """Return the houses of (region, OBJECTID above, key), in one statement."""
    found: dict[HouseKey, list[HouseRow]] = {}
    arrays = _arrays(asks)
    if arrays is None:
        return found
    for row in connection.execute(HOUSES, arrays, prepare=True).fetchall():
        found.setdefault((row[0], row[1], row[2]), []).append(HouseRow(*row))
    return found


def flats(connection: Connection[Any], asks: Iterable[HouseKey]) -> dict[HouseKey, list[FlatRow]]:
    """Return apartments of (region, OBJECTID of the house, key), in one statement."""
    found: dict[HouseKey, list[FlatRow]] = {}
    arrays = _arrays(asks)
    if arrays is None:
        return found
    for row in connection.execute(FLATS, arrays, prepare=True).fetchall():
        found.setdefault((row[0], row[1], row[2]), []).append(FlatRow(*row))
    return found


def resolve(
    connection: Connection[Any], kept: Kept, questions: Sequence[Question]
) -> list[Resolved]:
    """Return the answers to questions, in their order; a batch costs one statement, or two.

    Raises:
        ValidationError: a text is longer than an address can be.
    """
    plan = Resolver(kept.read(connection)).plan(questions)
    return plan.answer(houses(connection, plan.asks), lambda asks: flats(connection, asks))


def _arrays(asks: Iterable[HouseKey]) -> tuple[Int2Array, Int8Array, TextArray] | None:
    """Return the columns of a batch in order of the key, so that the index is walked once."""
    rows = sorted(asks)
    if not rows:
        return None
    regions, parents, spelt = zip(*rows, strict=True)
    return Int2Array.of(regions), Int8Array.of(parents), TextArray.of(spelt)
