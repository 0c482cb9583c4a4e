"""Completing an address while it is typed: regions, settlements and streets, then houses.

Words may stand in any order and the last one is a beginning; types (`ул`, `пр-кт`) may be left out.
A number at the end is the beginning of a house's: houses are looked up by whoever holds the
database (`gateway.store.suggestions`), everything else is in memory.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

import msgspec

from gateway.addresses import keys, labels
from gateway.addresses.prefixes import FIRST, MANY, Prefixes
from gateway.addresses.words import MARKERS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from gateway.addresses.gazetteer import Gazetteer, Region
    from gateway.addresses.prefixes import Bearers

WORDS: Final = 10
"""Words of a text that are looked at; the last ones."""
HOUSES_OF: Final = 4
"""Streets whose houses are looked up at once."""

_WORD: Final = re.compile(r"[0-9a-zа-яё]+(?:[-/][0-9a-zа-яё]+)*")
_PART: Final = r"(?:к|корп|корпус|с|стр|строение|лит|литера)\.?\s*\d{0,3}[а-я]?"
_TAIL: Final = re.compile(
    rf"(?P<name>.*?[\s,.])(?:(?P<mark>дом|д|влд|зд|№)\.?\s*)?"
    rf"(?P<house>\d{{1,4}}\s?[а-я]?(?:[/-]\d{{0,4}}[а-я]?)?(?:[\s,]*{_PART}){{0,3}})[\s,]*"
)
_NATURAL: Final = re.compile(r"\d+")


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """What a text may become.

    label: to be shown, the full name from the region down. value: to stand in the field when it is
    chosen; it ends in a comma and a space where something may follow. level: of OBJECT_LEVELS (8
    street, 10 house). complete: nothing has to follow.
    """

    label: str
    value: str
    guid: str
    level: int
    region: str
    oktmo: str = ""
    complete: bool = False


class Suggestions(msgspec.Struct, frozen=True, kw_only=True):
    """Suggestions, the likeliest first. version: VersionId of the registry."""

    items: tuple[Suggestion, ...] = ()
    version: str = ""


class HouseFound(NamedTuple):
    """A house of a street. parent: OBJECTID of the street."""

    region: int
    parent: int
    key: str
    guid: str
    label: str
    oktmo: str


class Typed(NamedTuple):
    """A text as it is looked for. types: whole words of the types that it names.

    house: the beginning of a house's key. sure: the number can be nothing but a house's. begins:
    the last word is not finished. only: nothing of another type will do.
    """

    words: tuple[str, ...]
    types: frozenset[str] = frozenset()
    house: str = ""
    sure: bool = False
    begins: bool = True
    only: bool = False


class _Hit(NamedTuple):
    order: tuple[int, int, int]
    region: Region
    at: int


_OTHER_TYPE: Final = 6
_ORDER: Final = itemgetter(0)


Lookup: TypeAlias = "Callable[[Sequence[tuple[int, int]], str, int], Iterable[HouseFound]]"
"""Houses of (region, OBJECTID of a street) whose keys begin so, so many of each in their order."""

_SPELT: Final = {
    first: frozenset(
        keys.fold(kind.whole)
        for spelling in spellings
        if not spelling.rest
        for kind in spelling.named
    )
    for first, spellings in MARKERS.items()
    if any(not spelling.rest for spelling in spellings)
}
"""Types by the words that they are spelt with; none for what stands before a number (`влд`)."""
_WHOLE: Final = frozenset(
    spelt for spelt in _SPELT if any(one.full for one in MARKERS[spelt] if not one.rest)
)
_KNOWN: Final[WeakKeyDictionary[Region, Prefixes]] = WeakKeyDictionary()


def prefixes(region: Region) -> Prefixes:
    """Return the words of a region, which are put in order at the first question about it."""
    found = _KNOWN.get(region)
    if found is None:
        found = _KNOWN[region] = Prefixes(region)
    return found


def suggest(
    gazetteer: Gazetteer,
    text: str,
    regions: Sequence[str] = (),
    limit: int = 10,
    *,
    houses: Lookup | None = None,
) -> Suggestions:
    """Return at most `limit` completions of a text.

    regions: codes (`36`) whose objects come first; others only while there is room. houses: looks
    up the houses of streets by the beginning of their keys; without it none are suggested.
    """
    asked = _order(gazetteer, regions)
    found: list[Suggestion] = []
    for typed in readings(text):
        if not typed.house:
            found += _names(asked, typed, limit)
        elif houses is not None:
            found += _houses(asked, typed, limit, houses)
        if len(found) >= limit or (found and typed.sure):
            break
    once = {one.guid: one for one in reversed(found)}
    items = sorted(once.values(), key=found.index)[:limit]
    return Suggestions(items=tuple(items), version=gazetteer.version)


def readings(text: str) -> Iterator[Typed]:
    """Give the ways in which a text may be meant, the likelier first."""
    given = set()
    for typed in _read(keys.fold(text)):
        if typed.words and typed not in given:
            given.add(typed)
            yield typed


def _read(text: str) -> Iterator[Typed]:
    tail = _TAIL.fullmatch(text)
    if tail is not None:
        house, sure = keys.house(tail["house"]), bool(tail["mark"])
        for names in _typed(tail["name"], begins=False):
            yield names._replace(house=house, sure=sure)
    begins = bool(text) and (text[-1].isalnum() or text[-1] in "-/")
    yield from _typed(text, begins=begins)
    if begins:
        yield from _type_begun(text)


def _typed(text: str, *, begins: bool) -> list[Typed]:
    """Return a text without its types; before it with those that may be names: `ул Набережная`.

    begins: the last word is not finished, and so no type.
    """
    words: list[str] = []
    whole: list[str] = []
    types: set[str] = set()
    pieces = _WORD.findall(text)[-WORDS:]
    for number, piece in enumerate(pieces, 1):
        is_type = piece in _SPELT and ("-" in piece or not begins or number < len(pieces))
        if is_type:
            types.update(_SPELT[piece])
        if not is_type or piece in _WHOLE:
            found = keys.words(piece)
            whole += found
            words += () if is_type else found
    read = [Typed(tuple(dict.fromkeys(each)), frozenset(types), begins=begins)
            for each in (whole, words)]  # fmt: skip
    return read if whole != words else read[:1]


def _type_begun(text: str) -> Iterator[Typed]:
    """Give the readings in which the last word is a type, or the beginning of one: `ленина у`."""
    pieces = list(_WORD.finditer(text))
    begun = _begun(pieces[-1][0]) if len(pieces) > 1 else ()
    if begun:
        (*_, typed) = _typed(text[: pieces[-1].start()], begins=False)
        yield typed._replace(types=frozenset().union(*begun), only=True)
        yield typed


@lru_cache(maxsize=1024)
def _begun(piece: str) -> tuple[frozenset[str], ...]:
    return tuple(kinds for spelt, kinds in _SPELT.items() if spelt.startswith(piece))


def _order(gazetteer: Gazetteer, regions: Sequence[str]) -> list[tuple[bool, list[Region]]]:
    """Return the regions in two groups, as they are asked; of the first the order counts."""
    first = [gazetteer.regions[int(code)] for code in regions if _is_known(gazetteer, code)]
    others = [region for region in gazetteer.regions.values() if region not in first]
    return [(True, first), (False, others)]


def _is_known(gazetteer: Gazetteer, code: str) -> bool:
    return code.isdecimal() and int(code) in gazetteer.regions


def _hits(asked: list[tuple[bool, list[Region]]], typed: Typed, limit: int) -> list[_Hit]:
    """Return the objects that a text may name, the likeliest first."""
    hits: list[_Hit] = []
    for first, group in asked:
        found: list[_Hit] = []
        for place, region in enumerate(group):
            index = prefixes(region)
            exact = _exact(index, typed)
            for at in exact if len(exact) >= limit else _found(index, typed):
                fit, size = _score(index, typed, at, exact=at in exact)
                if not typed.only or fit < _OTHER_TYPE:
                    found.append(_Hit((fit, place if first else 0, size), region, at))
        hits += sorted(found, key=_ORDER)
        if len(hits) >= limit:
            break
    return hits[:limit]


def _score(index: Prefixes, typed: Typed, at: int, *, exact: bool) -> tuple[int, int]:
    """Return how well name and type fit, and the size; the less the better."""
    region = index.region
    name = keys.fold(region.name(at))
    if all(word in typed.words for word in name.split()):
        fit = 0
    else:
        fit = 1 if name.startswith(typed.words) else 2
    if not exact:
        fit += 3
    if typed.types and keys.fold(region.type(at)) not in typed.types:
        fit += _OTHER_TYPE
    return fit, -index.large[at]


def _exact(index: Prefixes, typed: Typed) -> Collection[int]:
    """Return what is found when the last word of several is not a beginning but the whole word."""
    if len(typed.words) == 1 or not typed.begins or typed.words[-1] not in index.region.words:
        return ()
    return _together(index, [index.bearers(word, begins=False) for word in typed.words])


def _found(index: Prefixes, typed: Typed) -> Iterable[int]:
    last = len(typed.words) - 1
    if not last and typed.begins:
        return index.first(typed.words[0])
    terms = [
        index.bearers(word, begins=typed.begins and number == last)
        for number, word in enumerate(typed.words)
    ]
    if last:
        return _together(index, terms)
    own = terms[0].own
    return own if len(own) <= MANY else index.largest(own)


def _together(index: Prefixes, terms: list[Bearers]) -> set[int]:
    """Return what bears one of the words at least, and lies in places that bear the rest."""
    found: set[int] = set()
    if not all(term.own or term.places for term in terms):
        return found
    for number, anchor in enumerate(terms):
        others = terms[:number] + terms[number + 1 :]
        pool = anchor.own if len(anchor.own) <= MANY else _narrowed(index, anchor, others)
        found.update(
            at
            for at in pool
            if at not in found
            and all(
                term.everywhere or term.bears(at) or _lies(index.region, term, at)
                for term in others
            )
        )
    return found


def _narrowed(index: Prefixes, anchor: Bearers, others: list[Bearers]) -> set[int]:
    """Return those of many that bear another word too, or lie in a place that does."""
    region, found = index.region, set[int]()
    for term in others:
        if len(term.own) > MANY:
            found.update(set(anchor.own).intersection(term.own))
        for place in term.places:
            found.update(index.largest(_within(anchor.own, place, region.last[place])))
            if len(found) > 4 * MANY:
                return found
    return found


def _within(own: Sequence[int], first: int, last: int) -> Sequence[int]:
    low = bisect_left(own, first)
    return own[low : bisect_right(own, last, low)]


def _lies(region: Region, term: Bearers, at: int) -> bool:
    return any(place != at and region.holds(place, at) for place in term.places)


def _names(asked: list[tuple[bool, list[Region]]], typed: Typed, limit: int) -> list[Suggestion]:
    return [_suggestion(hit.region, hit.at) for hit in _hits(asked, typed, limit)]


def _suggestion(region: Region, at: int) -> Suggestion:
    label = labels.full(region, at)
    return Suggestion(
        label=label,
        value=f"{label}, ",
        guid=region.guid_of(at),
        level=region.level[at],
        region=f"{region.code:02d}",
        oktmo=region.oktmo(at),
    )


def _houses(
    asked: list[tuple[bool, list[Region]]],
    typed: Typed,
    limit: int,
    houses: Lookup,
) -> list[Suggestion]:
    """Return houses of the likeliest streets: those of the very number first, then in order."""
    hits = [hit for hit in _hits(asked, typed, FIRST) if hit.region.houses[hit.at]]
    streets = {(hit.region.code, hit.region.id[hit.at]): hit for hit in hits[:HOUSES_OF]}
    if not streets:
        return []
    place = {street: number for number, street in enumerate(streets)}
    rows = sorted(
        houses(list(streets), typed.house, limit),
        key=lambda row: (
            row.key != typed.house,
            place[row.region, row.parent],
            natural(row.key),
        ),
    )
    found = []
    for row in rows[:limit]:
        hit = streets[row.region, row.parent]
        label = f"{labels.full(hit.region, hit.at)}, {row.label}"
        found.append(
            Suggestion(
                label=label,
                value=label,
                guid=row.guid,
                level=labels.HOUSE,
                region=f"{row.region:02d}",
                oktmo=row.oktmo or hit.region.oktmo(hit.at),
                complete=True,
            )
        )
    return found


def natural(key: str) -> tuple[int, str]:
    """Return what keys of houses are put in order by: the number, then the rest."""
    number = _NATURAL.match(key)
    return (int(number[0]), key[number.end() :]) if number else (0, key)
