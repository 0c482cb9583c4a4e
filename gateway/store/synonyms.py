"""What people have said that names and numbers mean: local synonyms of the register of addresses.

Whoever keeps streets in memory asks `address_revision`, so every change here raises it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

from gateway.addresses.gazetteer import Synonym
from gateway.errors import ConflictError, NotFoundError
from gateway.places import STEAD
from gateway.store import addresses
from gateway.store.arrays import Int8Array

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from psycopg import Connection

ACTIVE: Final = """
SELECT id, region, coalesce(scope::text, ''), key, target::text, level, author, noted_at,
       revoked_at, revoked_by, uses
FROM address_synonym WHERE revoked_at IS NULL ORDER BY id
"""

ALL: Final = """
SELECT id, region, coalesce(scope::text, ''), key, target::text, level, author, noted_at,
       revoked_at, revoked_by, uses
FROM address_synonym ORDER BY id DESC LIMIT $1
"""

SAME: Final = """
SELECT id, target::text FROM address_synonym
WHERE region = $1 AND scope IS NOT DISTINCT FROM $2::uuid AND key = $3 AND revoked_at IS NULL
FOR UPDATE
"""

ADD: Final = """
INSERT INTO address_synonym (region, scope, key, target, level, author, noted_at)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id
"""

REVOKE: Final = """
UPDATE address_synonym SET revoked_at = $2, revoked_by = $3
WHERE id = $1 AND revoked_at IS NULL RETURNING id
"""

USED: Final = """
UPDATE address_synonym s SET uses = s.uses + u.count
FROM (SELECT id, count(*) FROM unnest($1::int8[]) AS t (id) GROUP BY id ORDER BY id) AS u
WHERE s.id = u.id
"""

CALLED: Final = """
WITH RECURSIVE named AS (
  SELECT o.region, o.id, o.guid, o.level, o.parent, o.parent_mun, o.guid AS object
  FROM address_name n JOIN address_object o ON o.region = n.region AND o.id = n.object
  WHERE n.region = $1 AND n.key = $2
  UNION
  SELECT o.region, o.id, o.guid, o.level, o.parent, o.parent_mun, c.object
  FROM named c JOIN address_object o
    ON o.region = c.region AND o.id IN (c.parent, c.parent_mun) AND o.id <> c.id
)
SELECT DISTINCT object::text FROM named WHERE $3::uuid IS NULL OR guid = $3::uuid
"""
"""Objects that bear a name within a place, of either division."""

ABOVE: Final = """
WITH RECURSIVE line AS (
  SELECT region, id, guid, level, parent, 0 AS depth FROM address_object WHERE guid = $1
  UNION ALL
  SELECT o.region, o.id, o.guid, o.level, o.parent, depth + 1
  FROM line l JOIN address_object o ON o.region = l.region AND o.id = l.parent
  WHERE depth < 16 AND o.id <> l.id
)
SELECT region, id, guid::text, level FROM line ORDER BY depth
"""

HAS_HOUSE: Final = """
SELECT EXISTS (SELECT FROM address_house WHERE region = $1 AND parent = $2 AND key = $3)
"""

STREET: Final = """
SELECT o.region, o.id, o.guid::text, o.level FROM address_house h
JOIN address_object o ON o.region = h.region AND o.id = h.parent WHERE h.guid = $1
"""

REGION: Final = """
SELECT region FROM address_object WHERE guid = $1
UNION ALL SELECT region FROM address_house WHERE guid = $1
UNION ALL SELECT region FROM address_flat WHERE guid = $1 LIMIT 1
"""


class Row(NamedTuple):
    """A row of `address_synonym`; scope is empty where the name means so in all the region."""

    id: int
    region: str
    scope: str
    key: str
    target: str
    level: int
    author: str
    noted_at: dt.datetime
    revoked_at: dt.datetime | None
    revoked_by: str
    uses: int


class New(NamedTuple):
    """A synonym that is to be kept. scope: GUID, empty for all the region. level: of the target."""

    region: str
    scope: str
    key: str
    target: str
    level: int


class Above(NamedTuple):
    """An object and what it lies in, by numbers and GUIDs of the register."""

    region: int
    id: int
    guid: str
    level: int


def active(connection: Connection[Any]) -> list[Row]:
    """Return what people have said and not taken back."""
    return [Row(*row) for row in connection.execute(ACTIVE)]


def names(connection: Connection[Any]) -> list[Synonym]:
    """Return what a gazetteer takes: names of streets and settlements, no numbers of houses."""
    return names_of(active(connection))


def names_of(rows: Iterable[Row]) -> list[Synonym]:
    """Return those of rows that are names of streets and settlements."""
    return [Synonym(r.region, r.scope, r.key, r.target) for r in rows if not is_house(r.level)]


def is_house(level: int) -> bool:
    """Whether a level of ГАР is of a house, a plot of land or what is inside one."""
    return level >= STEAD


def every(connection: Connection[Any], limit: int) -> list[Row]:
    """Return synonyms, the newest first, those that were taken back too."""
    return [Row(*row) for row in connection.execute(ALL, (limit,))]


def add(connection: Connection[Any], new: New, author: str, now: dt.datetime) -> int:
    """Keep a synonym in the caller's transaction; return its id, that of the same one if it is.

    Raises ConflictError when the name means another object there.
    """
    scope, target = UUID(new.scope) if new.scope else None, UUID(new.target)
    same = connection.execute(SAME, (new.region, scope, new.key)).fetchone()
    if same is not None and same[1] == str(target):
        return int(same[0])
    if same is not None:
        raise ConflictError(
            "это написание уже означает другой объект · this spelling means another object: "
            + same[1],
            todo=f"gateway fias synonyms revoke {same[0]}",
        )
    row = connection.execute(
        ADD, (new.region, scope, new.key, target, new.level, author, now)
    ).fetchone()
    addresses.changed(connection)
    assert row is not None
    return int(row[0])


def revoke(connection: Connection[Any], number: int, by: str, now: dt.datetime) -> None:
    """Take a synonym back; NotFoundError when there is none, or it was taken back before."""
    if connection.execute(REVOKE, (number, now, by)).fetchone() is None:
        raise NotFoundError(
            "нет такого действующего синонима · no such synonym in force", found=str(number),
            todo="gateway fias synonyms list",
        )  # fmt: skip
    addresses.changed(connection)


def used(connection: Connection[Any], numbers: Iterable[int]) -> None:
    """Count appeals that synonyms helped to place."""
    listed = sorted(numbers)
    if listed:
        connection.execute(USED, (Int8Array.of(listed),))


def called(connection: Connection[Any], region: int, key: str, scope: str) -> set[str]:
    """Return the objects of the register that bear a name within a place."""
    within = UUID(scope) if scope else None
    return {row[0] for row in connection.execute(CALLED, (region, key, within))}


def above(connection: Connection[Any], guid: str) -> list[Above]:
    """Return a named object and what it lies in, from itself up; nothing when it is not there."""
    return [Above(*row) for row in connection.execute(ABOVE, (UUID(guid),))]


def street_of(connection: Connection[Any], house: str) -> Above | None:
    """Return what a house stands in, None when the register has no such house."""
    row = connection.execute(STREET, (UUID(house),)).fetchone()
    return Above(*row) if row else None


def has_house(connection: Connection[Any], street: Above, key: str) -> bool:
    """Whether a house of this number stands on a street."""
    row = connection.execute(HAS_HOUSE, (street.region, street.id, key)).fetchone()
    return bool(row and row[0])


def region_of(connection: Connection[Any], guid: str) -> int | None:
    """Return the region in which an object lies, None when the register has none such."""
    row = connection.execute(REGION, (UUID(guid),)).fetchone()
    return int(row[0]) if row else None
