"""What a person's choice of a place teaches: names and numbers that mean an object of the register.

Only what the register itself does not know is kept: a name that no object bears where it was meant,
a number that no house has on that street. So no answer changes that the register gives surely.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway import places
from gateway.addresses import keys
from gateway.store import synonyms
from gateway.store.synonyms import Above, New

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection

    from gateway.addresses.found import Place
    from gateway.addresses.parts import Part

SETTLEMENTS: Final = (5, 6)
"""Levels of ГАР: a city, an inhabited place."""


def learned(connection: Connection[Any], parts: Sequence[Part], place: Place) -> tuple[New, ...]:
    """Return what choosing a place for a text teaches; nothing when it would not be safe.

    parts: of the text. A settlement that the text names and that lies elsewhere is a contradiction:
    then nothing is learned.
    """
    line = synonyms.above(connection, place.street_guid or place.guid)
    if not line:
        return ()
    told: list[New] = []
    for part in parts:
        if part.role != "settlement":
            continue
        known = _called(connection, line[0], part, "")
        if known & {one.guid for one in line}:
            continue
        town = next((one for one in line if one.level in SETTLEMENTS), None)
        if known or town is None:
            return ()
        told.append(_new(town, "", keys.name(part.name)))
    street = next((part for part in parts if part.role in {"street", "plan"}), None)
    if street is not None and line[0].level not in SETTLEMENTS and len(line) > 1:
        scope = line[1].guid
        if not _called(connection, line[0], street, scope):
            told.append(_new(line[0], scope, keys.name(street.name)))
    number = places.house_key(parts)
    if place.house_guid and number and not synonyms.has_house(connection, line[0], number):
        told.append(New(place.region, line[0].guid, number, place.house_guid, places.HOUSE))
    return tuple(new for new in told if new.key)


def _called(connection: Connection[Any], at: Above, part: Part, scope: str) -> set[str]:
    return synonyms.called(connection, at.region, keys.name(part.name), scope)


def _new(target: Above, scope: str, key: str) -> New:
    return New(f"{target.region:02d}", scope, key, target.guid, target.level)
