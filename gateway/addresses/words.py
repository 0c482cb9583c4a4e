"""The words of addresses: types with their abbreviations, and words that decide their neighbours.

The table `data/types.csv` holds one type a row: the whole word, the role of what it names, levels
of ГАР (OBJECT_LEVELS), abbreviations, other cases of the word, flags. Spellings are compared
without dots and case, ё as е. A spelling may belong to several types: the order of rows is the
order in which they are thought of.
"""

from __future__ import annotations

import csv
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.addresses.split import MARK, WORD, split

if TYPE_CHECKING:
    from gateway.addresses.parts import Role
    from gateway.addresses.split import Word

_DATA: Final = Path(__file__).parent / "data"

NUMERIC: Final = frozenset(
    {"house", "block", "building", "letter", "stead", "apartment", "room", "other"}
)
"""Roles whose name is a number."""


class Kind(NamedTuple):
    """A type: the whole word, the role of what it names, levels of ГАР.

    numbered: its name may be a plain number (`мкр 4`). main: a type of street that often stands
    after its name. flags: as in the table, see `data/types.csv`: d within a city it is a district;
    l a lower division, passed over where a higher one is named; q its name is often quoted; w a
    place on a railway; g also something smaller than a house.
    """

    whole: str
    role: Role
    levels: tuple[int, ...]
    numbered: bool
    main: bool
    flags: str


class Spelling(NamedTuple):
    """One spelling of one or several types.

    rest: keys of the words after the first. dotted: needs its dots (`г.о.`, and not `г о`).
    numeric: the readings whose name is a number; named: the others. full: a whole word, of one type
    or put together of two (`жилмассив`).
    """

    rest: tuple[str, ...]
    dotted: bool
    numeric: tuple[Kind, ...]
    named: tuple[Kind, ...]
    full: bool


def _kind(row: dict[str, str]) -> Kind:
    """Return the type of a row of the table."""
    flags = row["flags"]
    return Kind(
        whole=row["whole"],
        role=row["role"],  # type: ignore[arg-type]
        levels=tuple(int(level) for level in row["levels"].split("|") if level),
        numbered="n" in flags,
        main="m" in flags,
        flags=flags,
    )


def _keys(spelling: str) -> tuple[str, ...]:
    """Return the keys of the words of a spelling."""
    return tuple(word.key for word in split(spelling) if word.kind == WORD)


def _markers() -> dict[str, list[Spelling]]:
    """Return every spelling by its first word, the longest first."""
    kinds: dict[tuple[str, ...], list[Kind]] = {}
    full: set[tuple[str, ...]] = set()
    dotted: set[tuple[str, ...]] = set()
    with (_DATA / "types.csv").open(encoding="utf-8", newline="") as source:
        for row in csv.DictReader(source, delimiter=";"):
            kind = _kind(row)
            whole = [row["whole"], *row["cases"].split("|")]
            for spelling in [*whole, *row["short"].split("|")]:
                keys = _keys(spelling)
                if not keys:
                    continue
                listed = kinds.setdefault(keys, [])
                if kind not in listed:
                    listed.append(kind)
                if spelling in whole or (len(keys) == 1 and len(keys[0]) > 7):
                    full.add(keys)
                if spelling.endswith(".") and (len(keys[0]) == 1 or len(keys) == 1):
                    dotted.add(keys)
    made: dict[str, list[Spelling]] = {}
    for keys, listed in kinds.items():
        numeric = tuple(kind for kind in listed if kind.role in NUMERIC)
        named = tuple(kind for kind in listed if kind.role not in NUMERIC)
        made.setdefault(keys[0], []).append(
            Spelling(keys[1:], keys in dotted, numeric, named, keys in full)
        )
    for spellings in made.values():
        spellings.sort(key=lambda spelling: -len(spelling.rest))
    return made


MARKERS: Final = _markers()
KINDS: Final = {
    kind.whole: kind
    for spellings in MARKERS.values()
    for spelling in spellings
    for kind in (*spelling.numeric, *spelling.named)
}
"""Types by their whole word."""


def match(words: list[Word], at: int) -> tuple[Spelling, int] | None:
    """Return the longest spelling of a type that begins here, and the place after it."""
    spellings = MARKERS.get(words[at].key)
    if spellings is None:
        return None
    for spelling in spellings:
        rest = spelling.rest
        if not rest:
            if spelling.dotted and not words[at].dot:
                continue
            return spelling, at + 1
        end = _tail(words, at, spelling)
        if end:
            return spelling, end
    return None


def _tail(words: list[Word], at: int, spelling: Spelling) -> int:
    """Return the place after a spelling of several words, 0 when it does not stand here."""
    if spelling.dotted and not words[at].dot:
        return 0
    place = at + 1
    count = len(words)
    for key in spelling.rest:
        while place < count and words[place].kind == MARK and words[place].text in "-_":
            place += 1
        if place >= count or words[place].key != key or words[place].kind != WORD:
            return 0
        place += 1
    return place


_LISTS: Final = tomllib.loads((_DATA / "lists.toml").read_text("utf-8"))
AFTER_NUMBER: Final = frozenset(_LISTS["after_number"].split())
SPEECH: Final = frozenset(_LISTS["speech"].split())
BEGINS_NAME: Final = frozenset(_LISTS["begins_name"].split())
DISTRICTS: Final = frozenset(_LISTS["districts"].split())
COUNTRY: Final = tuple(tuple(name.split()) for name in _LISTS["country"])


def _cities() -> dict[str, list[tuple[str, ...]]]:
    """Return the keys of well-known cities by the first word, the longest first."""
    made: dict[str, list[tuple[str, ...]]] = {}
    for name in (_DATA / "cities.txt").read_text("utf-8").strip().split("|"):
        keys = _keys(name)
        made.setdefault(keys[0], []).append(keys)
    for names in made.values():
        names.sort(key=len, reverse=True)
    return made


CITIES: Final = _cities()


def city(words: list[Word], at: int) -> int:
    """Return the place after a well-known city's name that begins here, 0 when none does."""
    for keys in CITIES.get(words[at].key, ()):
        end = at + len(keys)
        if end <= len(words) and all(
            words[at + step].key == key for step, key in enumerate(keys) if step
        ):
            return end
    return 0


_ADJECTIVE: Final = (
    "ский", "ская", "ское", "ской", "ского", "ском", "скую", "ские", "ских", "цкий", "цкая", "цкое",
    "цкой", "цкого", "ный", "ная", "ное", "ной", "ного", "ый", "ий", "ая", "яя", "ое", "ее",
)  # fmt: skip


def adjective(key: str) -> bool:
    """Tell whether a word looks like an adjective: it is a part of a name that a type follows."""
    return key.endswith(_ADJECTIVE)
