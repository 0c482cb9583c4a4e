"""The houses of a street, drawn whenever they are wanted and always the same ones."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulators.gar.thing import Thing

BLOCK: Final = 1
BUILDING: Final = 2
CONSTRUCTION: Final = 3
LETTER: Final = 4
"""Kinds of an additional number (ADDHOUSE_TYPES): корпус, строение, сооружение, литера."""
_LETTERS: Final = "АБВГ"
_DUPLICATES: Final = 1 / 20_000
_CLOSED: Final = 0.01


class House(NamedTuple):
    """One house as ГАР has it.

    kind: HOUSETYPE (1 владение, 2 дом, 5 здание), 0 when it is not given; number may be empty, then
    the house lives in its additional number. closed: no longer in force. flats: apartments in it,
    0 when it is a private house. dangling: no row of a hierarchy leads to it. twin: another object
    with the same number, a mistake of the registry.
    """

    id: int
    number: str
    first: str = ""
    first_kind: int = 0
    second: str = ""
    second_kind: int = 0
    kind: int = 2
    closed: bool = False
    flats: int = 0
    dangling: bool = False
    twin: bool = False


Numbers = tuple[str, str, int, str, int, int]


def of(place: Thing, seed: int) -> list[House]:
    """Return the houses that stand directly in a street or place."""
    draw = Random(seed * 1_000_003 + place.id)
    found: list[House] = []
    forced = len(place.forced)
    numbers = dense() if place.dense else _numbers(draw, place)
    once = draw.random
    for n in range(place.houses):
        number, first, first_kind, second, second_kind, kind = next(numbers)
        chance = once()
        twin = chance < _DUPLICATES and bool(found)
        if twin:
            number, first, first_kind, second, second_kind, kind = found[-1][1:7]
        flats = _flats(draw, first_kind) if place.city else 0
        if n < forced:
            chance, flats, twin = 0.5, max(flats, 60), False
        found.append(
            House(
                place.first + n, number, first, first_kind, second, second_kind, kind,
                1 - chance < _CLOSED, flats, _DUPLICATES < chance < 2 * _DUPLICATES, twin,
            )
        )  # fmt: skip
    return found


def _flats(draw: Random, kind: int) -> int:
    chance = draw.random()
    return int(8 + chance * 300) if chance < (0.9 if kind == BLOCK else 0.3) else 0


def _numbers(draw: Random, place: Thing) -> Iterator[Numbers]:
    """Yield the numbers along a street, each once; forced ones first, for ever."""
    for number, block in place.forced:
        yield str(number), str(block), BLOCK, "", 0, 2
    taken = {number for number, _ in place.forced}
    number = 0
    once = draw.random
    while True:
        number += 1 if once() < 0.93 else 2
        if number in taken:
            continue
        chance = once()
        text = str(number)
        if chance < 0.74:
            yield text, "", 0, "", 0, 2
        else:
            yield from _special(draw, text, chance, city=place.city)


def dense() -> Iterator[Numbers]:
    """Yield every number up to 140, and every few numbers a letter, a fraction, a block."""
    for number in range(1, 141):
        text = str(number)
        yield text, "", 0, "", 0, 2
        for every, ending in ((2, "А"), (3, "/2"), (4, "Б")):
            if number % every == 0:
                yield text + ending, "", 0, "", 0, 2
        if number % 3 == 1:
            for block in ("1", "2"):
                yield text, block, BLOCK, "", 0, 2


def _special(draw: Random, text: str, chance: float, *, city: bool) -> Iterator[Numbers]:
    """Yield what stands at a number that is not just a house."""
    if chance < 0.84:
        yield text, "", 0, "", 0, 2
        for letter in _LETTERS[: 1 + (chance > 0.81)]:
            yield text + letter, "", 0, "", 0, 2
    elif chance < 0.89:
        yield f"{text}/{draw.randint(1, 60)}", "", 0, "", 0, 2
    elif chance < 0.94:
        if not city:
            yield text, "", 0, "", 0, 1
            return
        if chance < 0.91:
            yield text, "", 0, "", 0, 2
        for block in range(1, draw.randint(2, 4)):
            yield text, str(block), BLOCK, "", 0, 2
    elif chance < 0.965:
        yield text, "", 0, "", 0, 2
        yield text, "1", BUILDING, "", 0, 2
        if city and chance < 0.95:
            yield text, "2", BLOCK, "1", BUILDING, 2
    elif chance < 0.98:
        yield text, draw.choice(_LETTERS), LETTER, "", 0, 2
    elif chance < 0.99:
        yield "", text, BUILDING, "", 0, 0
    else:
        yield text, "", 0, "", 0, draw.choice((1, 3, 5))
