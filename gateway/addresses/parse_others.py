"""Second readings of a text, where one word may mean two things and the registry can decide."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from gateway.addresses.parse_write import write
from gateway.addresses.words import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.addresses.parse_item import Item
    from gateway.addresses.parts import Parsed
    from gateway.addresses.split import Word

MOST = 3
_LINED = frozenset({"street", "plan"})


def others(text: str, words: list[Word], items: list[Item]) -> tuple[Parsed, ...]:
    """Return other readings, likelier first, at most three."""
    made: list[Parsed] = []
    for changed in _changes(items):
        made.append(write(text, words, changed))
        if len(made) == MOST:
            break
    return tuple(made)


def _with(items: list[Item], item: Item, role: str, whole: str = "") -> list[Item]:
    """Return the items with one of them in another role."""
    other = copy(item)
    other.role = role
    if whole:
        other.kind = KINDS[whole]
        other.kinds = ()
    return [other if one is item else one for one in items]


def _changes(items: list[Item]) -> Iterator[list[Item]]:
    """Yield the items of every other reading."""
    roles = [item.role for item in items]
    for place, item in enumerate(items):
        role, kind = item.role, item.kind
        if role == "street" and kind is None and "settlement" not in roles:
            yield _with(items, item, "settlement")
        elif role == "street" and kind is not None and kind.numbered and _ordinal(item):
            yield _whole(items, item)
        elif role == "settlement" and kind is None and not (_LINED & set(roles)):
            yield _with(items, item, "street")
        elif role == "plan" and kind is not None:
            if kind.whole == "квартал" and "street" not in roles and "house" not in roles:
                yield _with(items, item, "apartment", "квартира")
            if kind.whole == "микрорайон" and "street" in roles:
                yield _with(items, item, "settlement")
        elif role == "district" and kind is not None and "d" in kind.flags:
            yield _with(items, item, "municipality")
        elif role == "block" and kind is not None and kind.whole == "корпус":
            if "apartment" not in roles and len(item.marks) == 1 and "room" not in roles:
                yield _with(items, item, "room", "комната")
        elif role == "apartment" and kind is None and items[place - 1].role == "house":
            yield _joined(items, items[place - 1], item)


def _ordinal(item: Item) -> bool:
    """Tell whether a street is a number and a type after it (`3-я Линия`)."""
    return bool(item.marks) and item.count == 1 and item.marks == (item.last + 1,)


def _whole(items: list[Item], item: Item) -> list[Item]:
    """Return the items with the type of a street as a part of its name (улица `3-я Линия`)."""
    other = copy(item)
    other.last, other.marks, other.kind, other.kinds = item.marks[-1], (), None, ()
    return [other if one is item else one for one in items]


def _joined(items: list[Item], house: Item, flat: Item) -> list[Item]:
    """Return the items with the number after a house's in it (`5-12`), or as its block."""
    if flat.segment != house.segment:
        return _with(items, flat, "block", "корпус")
    whole = copy(house)
    whole.name = f"{house.name}-{flat.name}"
    whole.last = flat.last
    return [whole if one is house else one for one in items if one is not flat]
