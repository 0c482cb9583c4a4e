"""Houses of streets by the beginning of their numbers, for what is being typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.addresses.suggest import HouseFound
from gateway.store.arrays import Int2Array, Int8Array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection

HOUSES: Final = """
SELECT w.region, w.parent, h.key, h.guid::text, h.label, h.oktmo
FROM unnest($1::smallint[], $2::bigint[]) WITH ORDINALITY AS w (region, parent, place)
CROSS JOIN LATERAL (
  SELECT key, guid, label, oktmo FROM address_house
  WHERE region = w.region AND parent = w.parent AND key >= $3 AND key < $4
  ORDER BY length(substring(key FROM '^[0-9]+')), key LIMIT $5
) AS h
ORDER BY w.place
"""
"""A range of the primary key for each street: keys lie in order of their bytes (COLLATE "C").

Of numbers as long as each other that order is the natural one.
"""

_AFTER: Final = "\uffff"


def houses(
    connection: Connection[Any], streets: Sequence[tuple[int, int]], beginning: str, most: int
) -> list[HouseFound]:
    """Return houses of (region, OBJECTID) whose keys begin so, `most` of each in their order."""
    rows = connection.execute(
        HOUSES,
        (
            Int2Array.of([region for region, _ in streets]),
            Int8Array.of([parent for _, parent in streets]),
            beginning,
            beginning + _AFTER,
            most,
        ),
        prepare=True,
    )
    return [HouseFound(*row) for row in rows]
