"""Roles for the names that no type explains, by their place among the others.

The name next to the house is the street, the one before it the settlement, an adjective before that
the district or the region. Names in brackets and names after everything is known explain nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gateway.addresses.parse_item import Item
from gateway.addresses.split import WORD
from gateway.addresses.words import BEGINS_NAME, DISTRICTS, adjective
from gateway.addresses.words_regions import called

if TYPE_CHECKING:
    from gateway.addresses.split import Word

_RUSSIAN = re.compile("[а-я]")
_CAPITALISED = frozenset({"street", "settlement", "plan", "municipality", "region"})
_AGREES = (
    (("ое", "ее"), ("ое", "ее", "ье")),
    (("ая", "яя"), ("ая", "яя", "ья")),
    (("ский", "цкий", "ный", "вый"), ("ий", "ый", "ой")),
)
"""Endings of a first adjective, and of the second one in the same name."""
_NOMINATIVE = ("ая", "яя", "ое", "ее", "ий", "ый", "ые", "ие")
_GENITIVE = (
    "а",
    "ы",
    "ой",
    "ей",
    "ого",
    "его",
    "я",
    "ых",
    "их",
    "ая",
    "яя",
    "ов",
    "ев",
    "ный",
    "ский",
)


def assign(items: list[Item], words: list[Word]) -> list[Item]:
    """Give a role to every item that has none, where its place says it; return all items."""
    bare = [item for item in items if not item.role]
    roles = {item.role for item in items}
    if bare:
        bare = [item for item in bare if _spoken(item, words)]
        if "settlement" not in roles:
            _bracketed(bare, words)
        bare = [item for item in bare if not item.aside and not item.role]
        if "region" not in roles:
            bare = _region(bare, words)
        if "street" not in roles:
            items, bare = _street(items, bare, words)
        _places(items, bare, words)
    elif "street" not in roles and "house" in roles:
        items = _swallowed(items, words)
    return items


def _bracketed(bare: list[Item], words: list[Word]) -> None:
    """Take a name in brackets for the settlement that is not named else (`ул. Мира (Степное)`)."""
    for item in bare:
        word = words[item.first]
        opened = item.first > 0 and words[item.first - 1].text == "("
        if opened and item.count == 1 and word.text.istitle() and not adjective(word.key):
            item.role = "settlement"
            return


def _spoken(item: Item, words: list[Word]) -> bool:
    """Tell whether an item may be a name: it has a Russian word of two letters and more."""
    return any(
        word.kind == WORD and len(word.key) > 1 and _RUSSIAN.search(word.key)
        for word in words[item.first : item.last + 1]
    )


def _region(bare: list[Item], words: list[Word]) -> list[Item]:
    """Take the first name for a region when it is one's adjective (`Московская, г. Королёв`)."""
    if len(bare) < 2:
        return bare
    first = bare[0]
    found = called(words, first.first)
    if not found or found[1] != first.last + 1 or not adjective(words[first.last].key):
        return bare
    chosen = found[0][0].region
    ending = "ий" if chosen.type in ("край", "автономный округ") else "ая"
    if words[first.last].key.endswith(ending):
        first.role, first.region = "region", chosen
        return bare[1:]
    return bare


def _street(
    items: list[Item], bare: list[Item], words: list[Word]
) -> tuple[list[Item], list[Item]]:
    """Take the name next to the house for a street; return all items, and the bare ones left."""
    house = next((place for place, item in enumerate(items) if item.role == "house"), len(items))
    before = [item for item in bare if items.index(item) < house]
    if not before:
        return items, bare
    chosen = before[-1]
    roles = {item.role for item in items}
    if "plan" in roles and "settlement" not in roles and len(before) == 1:
        plan = next(place for place, item in enumerate(items) if item.role == "plan")
        if items.index(chosen) < plan:
            return items, bare
        chosen.role = "street"
        return items, []
    later = items[items.index(chosen) + 1 : house]
    if house == len(items) and any(item.role in ("settlement", "municipality") for item in later):
        return items, bare
    if any(item.role == "settlement" for item in later):
        return items, bare
    if "settlement" not in roles and len(before) == 1:
        cut = _two(chosen, words)
        if cut:
            head = Item("settlement", None, chosen.segment)
            head.first, head.last = chosen.first, cut - 1
            chosen.first = cut
            items = items.copy()
            items.insert(items.index(chosen), head)
        elif house == len(items) and _settles(items, chosen):
            chosen.role = "settlement"
            return items, [item for item in bare if item is not chosen]
    chosen.role = "street"
    return items, [item for item in bare if item is not chosen]


def _settles(items: list[Item], chosen: Item) -> bool:
    """Tell whether the only name of a text without a house is of a settlement."""
    place = items.index(chosen)
    return place == 0 or items[place - 1].role in (
        "region",
        "municipality",
        "postal_code",
        "country",
    )


def _two(item: Item, words: list[Word]) -> int:
    """Return where the street begins in `Семилуки Ленина`, 0 when the words are one name."""
    if item.count < 2:
        return 0
    for at in range(item.first + 1, item.last):
        # `Придонской И. В. Петрова`
        if len(words[at].key) == 1 and words[at].dot and len(words[at - 1].key) > 1:
            return at
    head, following = words[item.first], words[item.first + 1]
    if item.count == 3 and head.key.endswith(_NOMINATIVE) and following.kind == WORD:
        # `Новая Усмань Ленина`
        noun = not adjective(following.key) and words[item.last].key.endswith(_GENITIVE)
        return item.last if noun else 0
    if item.count == 2 and _disagree(head.key, following.key):
        return item.last
    if head.kind != WORD or len(head.key) < 3 or adjective(head.key) or head.key in BEGINS_NAME:
        return 0
    if head.key[0].isdigit():
        return 0
    if (
        head.dot
        or following.kind != WORD
        or following.key == "и"
        or head.key.endswith(("ых", "их", "ой", "ого", "ие", "ые"))
    ):
        return 0
    return item.first + 1 if words[item.last].key.endswith(_GENITIVE) else 0


def _disagree(head: str, last: str) -> bool:
    """Tell whether two adjectives cannot be one name (`Бобровское Озёрная`)."""
    if head.endswith(_NOMINATIVE) and last.endswith(("ого", "его")):
        return True
    if head.endswith(("ое", "ая")) and last.endswith("ой"):
        return True
    if not adjective(last):
        return False
    return any(head.endswith(ending) and not last.endswith(others) for ending, others in _AGREES)


def _swallowed(items: list[Item], words: list[Word]) -> list[Item]:
    """Part a street from the settlement before it, where no comma does (`г Россошь Ленина 5`)."""
    for place, item in enumerate(items[:-1]):
        following = items[place + 1]
        if item.role not in ("settlement", "plan") or item.kind is None or item.count < 2:
            continue
        if following.role != "house" or following.segment != item.segment:
            continue
        cut = _two(item, words) if item.role == "settlement" else _plan(item, words)
        if not cut:
            continue
        street = Item("street", None, item.segment)
        street.first, street.last = cut, item.last
        item.last = cut - 1
        return [*items[: place + 1], street, *items[place + 1 :]]
    return items


def _plan(item: Item, words: list[Word]) -> int:
    """Return where the street begins in `мкр Южный Авангарда`, 0 when the words are one name."""
    masculine = words[item.first].key.endswith(("ый", "ий", "ой"))
    genitive = words[item.last].key.endswith(_GENITIVE) and not words[item.last].key.endswith("ый")
    return item.first + 1 if masculine and genitive else 0


def _between(items: list[Item], place: int) -> bool:
    """Tell whether a name stands after a settlement and before a street or a house."""
    before = any(item.role == "settlement" for item in items[:place])
    return before and any(item.role in ("street", "house") for item in items[place + 1 :])


def _places(items: list[Item], bare: list[Item], words: list[Word]) -> None:
    """Give the names left over to settlement and district, the nearest to the street first.

    A name in small letters is no place where others have capitals: there an appeal tells its story.
    """
    roles = {item.role for item in items}
    capitals = any(
        words[item.first].text[0].isupper() for item in items if item.role in _CAPITALISED
    )
    for item in reversed(bare):
        place = items.index(item)
        if capitals and not words[item.first].text[0].isupper():
            continue
        if item.count == 1 and words[item.first].key in DISTRICTS:
            item.role = "district"
        elif "settlement" not in roles:
            item.role = "settlement"
        elif "municipality" not in roles and any(
            one.role == "settlement" for one in items[place + 1 :]
        ):
            item.role = "municipality"
        elif "district" not in roles and _between(items, place):
            item.role = "district"
        else:
            continue
        roles.add(item.role)
