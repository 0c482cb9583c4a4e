"""What a person's choice of a place teaches: names and numbers that mean an object of the register.

Only what the register itself does not know is kept: a name that no object bears where it was meant,
a number that no house has on that street. So no answer changes that the register gives surely.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway import places
from gateway.addresses import keys
from gateway.errors import ConflictError, NotFoundError, ValidationError
from gateway.store import synonyms
from gateway.store.synonyms import Above, New

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection

    from gateway.addresses.found import Place
    from gateway.addresses.parts import Part

NOT_THERE: Final = "в справочнике нет такого объекта · the register has no such object"
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


def said(connection: Connection[Any], text: str, target: str, within: str = "") -> New:
    """Return the synonym that a person spells out: a name, or a number of a house on its street.

    within: GUID of the street or settlement where it means so; empty: the settlement of a street,
    all the region for a settlement, the street of a house. Raises NotFoundError for an object that
    the register does not have, ValidationError for a spelling of nothing, ConflictError for one
    that the register knows there: an answer that it gives surely is never changed.
    """
    line = synonyms.above(connection, target)
    if not line:
        return _number(connection, text, target)
    key, town = keys.name(text), line[0].level in SETTLEMENTS
    scope = within or ("" if town or len(line) < 2 else line[1].guid)
    if within and not synonyms.above(connection, within):
        raise NotFoundError(NOT_THERE, found=within, where="--within")
    known = synonyms.called(connection, line[0].region, key, scope) if key else set()
    return _checked(_new(line[0], scope, key), text, taken=bool(known))


def _number(connection: Connection[Any], text: str, target: str) -> New:
    street = synonyms.street_of(connection, target)
    if street is None:
        raise NotFoundError(NOT_THERE, found=target)
    key = keys.house(text)
    taken = bool(key) and synonyms.has_house(connection, street, key)
    new = New(f"{street.region:02d}", street.guid, key, target, places.HOUSE)
    return _checked(new, text, taken=taken)


def _checked(new: New, text: str, *, taken: bool) -> New:
    if not new.key:
        raise ValidationError(f"в написании нет ни слова, ни числа · it spells nothing: {text!r}")
    if taken:
        raise ConflictError(
            f"справочник знает это написание · the register knows this spelling there: {new.key}",
            todo="сузьте место: --within ГУИД · name a narrower place",
        )
    return new
