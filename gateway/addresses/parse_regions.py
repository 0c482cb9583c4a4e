"""Reading the country and the region, with a type before the name, after it, or without one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.addresses import numbers
from gateway.addresses.parse_ahead import boundary, typed
from gateway.addresses.parse_item import Item
from gateway.addresses.split import MARK, WORD
from gateway.addresses.words import COUNTRY, KINDS, match
from gateway.addresses.words_regions import called

if TYPE_CHECKING:
    from gateway.addresses.parse_scan import Scan
    from gateway.addresses.split import Word
    from gateway.addresses.words import Kind
    from gateway.addresses.words_regions import Called

CITY: Final = KINDS["город"]
FEDERAL: Final = KINDS["город федерального значения"]
COUNTRY_WORDS: Final = frozenset(name[0] for name in COUNTRY)
_STREETS: Final = ("street", "plan", "municipality")


def country(scan: Scan, at: int) -> int:
    """Read the country's name; return the place after it, 0 when it is not here."""
    for name in COUNTRY:
        end = at + len(name)
        if tuple(word.key for word in scan.words[at:end]) == name:
            item = Item("country", None, scan.segment)
            item.first, item.last = at, end - 1
            scan.keep(item)
            return end
    return 0


def region(scan: Scan, at: int) -> int:
    """Read a region's name with its type; return the place after it, 0 when it is not one."""
    words = scan.words
    opened = scan.open
    before = opened.kind if opened is not None else None
    if "region" in scan.seen or (before and before.role != "region" and before is not CITY):
        return 0
    found = called(words, at)
    if found is None:
        return 0
    calls, end = found
    if end < len(words) and words[end].kind == MARK and words[end].text in "/)":
        end += 1
    after, marks = (None, range(0)) if before is CITY else _type_after(words, end, before)
    chosen = _chosen(calls, before, after)
    if chosen is None:
        return 0
    if before is None and after is None and typed(words, end, _STREETS):
        return 0
    item = Item("region", before or after, scan.segment)
    item.region = chosen.region
    item.first, item.last = at, end - 1
    item.marks = (*(opened.marks if opened is not None else ()), *marks)
    if not chosen.own:
        item.name = chosen.region.name
    scan.open = item
    scan.close()
    return _tails(words, item, marks[-1] + 1 if marks else end)


def _type_after(words: list[Word], at: int, before: Kind | None) -> tuple[Kind | None, range]:
    """Return the region's type that stands after its name, and its words."""
    place = numbers.skip(words, at)
    found = match(words, place) if place < len(words) and words[place].kind == WORD else None
    if found is None:
        return None, range(0)
    for kind in found[0].named:
        if kind.role == "region" or (kind is CITY and before is None and boundary(words, found[1])):
            return kind, range(place, found[1])
    return None, range(0)


def _chosen(calls: list[Called], before: Kind | None, after: Kind | None) -> Called | None:
    """Return the region that is meant: the one of this type, or one that needs none."""
    for kind in (before, after):
        if kind is None:
            continue
        for one in calls:
            if one.region.type == kind.whole or (kind is FEDERAL and one.region.type == "город"):
                return one
    if before is CITY or after is CITY:
        return None
    noun = next((one for one in calls if one.noun), None)
    return noun or (calls[0] if before is not None or after is not None else None)


def _tails(words: list[Word], item: Item, at: int) -> int:
    """Pass over the tail of an official name (`… - Югра`); return the place after it."""
    place = numbers.skip(words, at)
    while place < len(words) and words[place].kind == MARK and words[place].text in "(/":
        place += 1
    if item.region and place < len(words) and words[place].key in item.region.tails:
        item.marks = (*item.marks, place)
        return place + 1
    return at
