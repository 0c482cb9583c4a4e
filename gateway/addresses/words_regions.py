"""The 89 subjects of the federation: code, name, and how they are called in speech.

`data/regions.csv`: code of the region in ГАР (РЕГИОН, two digits), name without its type, type, the
nouns by which it is called without any type, tails of the official name (`… - Югра`).
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.addresses.split import COMMA, MARK, NUM, QUOTE, WORD, split

if TYPE_CHECKING:
    from gateway.addresses.split import Word


class Region(NamedTuple):
    """A subject of the federation: name without its type, type as a whole word."""

    code: str
    name: str
    type: str
    tails: frozenset[str]


class Called(NamedTuple):
    """One way to call a region.

    rest: keys of the words after the first. noun: needs no type beside it. own: the official name
    stands in the text, so it is kept as written.
    """

    rest: tuple[str, ...]
    region: Region
    noun: bool
    own: bool


def _keys(text: str) -> tuple[str, ...]:
    """Return the keys of the words of a name."""
    return tuple(word.key for word in split(text) if word.kind == WORD)


def _forms(name: str) -> list[str]:
    """Return a name and its oblique cases, where it is an adjective."""
    for ending, others in (("ая", ("ой", "ую")), ("кий", ("кого", "ком", "кому"))):
        if name.endswith(ending):
            return [name, *(name[: -len(ending)] + other for other in others)]
    return [name]


def _read() -> tuple[tuple[Region, ...], dict[str, list[Called]]]:
    """Return the regions, and every way to call one by its first word, the longest first."""
    regions: list[Region] = []
    calls: dict[str, list[Called]] = {}

    def call(text: str, region: Region, *, noun: bool, own: bool) -> None:
        keys = _keys(text)
        known = calls.setdefault(keys[0], [])
        if not any(called.rest == keys[1:] for called in known):
            known.append(Called(keys[1:], region, noun, own))

    path = Path(__file__).parent / "data" / "regions.csv"
    with path.open(encoding="utf-8", newline="") as source:
        rows = list(csv.DictReader(source, delimiter=";"))
    for row in rows:
        tails = frozenset(tail.lower() for tail in row["tails"].split("|") if tail)
        region = Region(row["code"], row["name"], row["type"], tails)
        regions.append(region)
        nouns = [noun for noun in row["nouns"].split("|") if noun]
        for noun in nouns:
            call(noun, region, noun=True, own=_keys(noun) == _keys(region.name))
        for form in _forms(region.name):
            call(form, region, noun=False, own=form == region.name)
    for known in calls.values():
        known.sort(key=lambda called: -len(called.rest))
    return tuple(regions), calls


REGIONS, CALLS = _read()
BY_CODE: Final = {region.code: region for region in REGIONS}


def called(words: list[Word], at: int) -> tuple[list[Called], int] | None:
    """Return what regions are called by the longest name that begins here, and the place after."""
    known = CALLS.get(words[at].key)
    if known is None:
        return None
    for one in known:
        end = _end(words, at, one.rest)
        if end:
            return [other for other in known if other.rest == one.rest], end
    return None


def _end(words: list[Word], at: int, rest: tuple[str, ...]) -> int:
    """Return the place after a name, 0 when it does not stand here; marks between do not count."""
    place = at + 1
    for key in rest:
        while place < len(words) and words[place].kind in (MARK, QUOTE):
            place += 1
        if place >= len(words) or words[place].kind in (COMMA, NUM) or words[place].key != key:
            return 0
        place += 1
    return place


def region(name: str) -> Region | None:
    """Return the region of a name as parsed: `Воронежская`, `Татарстан`, `ХМАО`, `СПб`.

    `Алтай` is the republic; `Алтайский` the край.
    """
    words = [word for word in split(name) if word.kind == WORD]
    found = called(words, 0) if words else None
    return found[0][0].region if found and found[1] == len(words) else None
