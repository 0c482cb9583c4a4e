"""How people write the number of a house, and which numbers a text may mean."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from simulators.gar.houses import BLOCK, BUILDING, LETTER

if TYPE_CHECKING:
    from random import Random

    from simulators.gar.houses import House

_SPLIT: Final = re.compile(r"^(\d+)([А-Г]?)(/\d+)?$")
_LETTER_FORMS: Final = (
    "{n}{u}", "{n}{u}", "{n}{l}", "{n} {u}", "{n}-{l}", '{n} "{u}"', "{n} «{u}»", "{n} литера {u}",
    "{n} лит. {u}",
)  # fmt: skip
_LITERA_FORMS: Final = ("{n} литера {u}", "{n} лит {u}", "{n}, лит. {u}", "{n}{u}")
_BLOCK_FORMS: Final = (
    "{n} к {b}", "{n}к{b}", "{n} корп {b}", "{n} корп.{b}", "{n}, корпус {b}", "{n} к.{b}",
    "{n}, к. {b}", "{n}/{b}",
)  # fmt: skip
_BUILDING_FORMS: Final = ("{n} стр {b}", "{n} стр.{b}", "{n}с{b}", "{n}, строение {b}")
_PREFIXES: Final = {
    0: ("д. ", "д ", "дом ", "", "", "д.", "дом № ", "д.№"),
    1: ("влд ", "вл. ", "владение ", "д. "), 3: ("двлд ", "домовладение ", "д. "),
    5: ("зд. ", "здание ", "д. ", "зд "),
}  # fmt: skip


class Number(NamedTuple):
    """The number of a house as written, and every number that it may mean."""

    text: str
    readings: frozenset[str]


def true(house: House) -> str:
    """Return the number of a house in one spelling: `12а`, `12/3`, `12к2с1`, `с5`."""
    text = house.number.lower()
    for number, kind in ((house.first, house.first_kind), (house.second, house.second_kind)):
        if kind == LETTER:
            text += number.lower()
        elif kind:
            text += {BLOCK: "к", BUILDING: "с"}.get(kind, "соор") + number
    return text


def formal(house: House) -> Number:
    """Write a number as a registrar does: `д. 12, корп. 2, стр. 1`."""
    words = {BLOCK: "корп.", BUILDING: "стр.", LETTER: "литера"}
    text = f"д. {house.number}" if house.number else ""
    for number, kind in ((house.first, house.first_kind), (house.second, house.second_kind)):
        if kind:
            text += f"{', ' if text else ''}{words[kind]} {number}"
    return Number(text, frozenset({true(house)}))


def careless(draw: Random, house: House) -> Number:
    """Write a number as people do."""
    if not house.number:
        word = draw.choice(("стр. ", "строение ", "стр "))
        return Number(f"{word}{house.first}", frozenset({true(house)}))
    readings = {true(house)}
    text = house.number
    match = _SPLIT.match(text)
    assert match
    if match[2]:
        form = draw.choice(_LETTER_FORMS)
        text = form.format(n=match[1], u=match[2], l=match[2].lower())
    elif match[3]:
        readings.add(f"{match[1]}к{match[3][1:]}")
    if house.first_kind == LETTER:
        text = draw.choice(_LITERA_FORMS).format(n=text, u=house.first)
    elif house.first_kind == BLOCK:
        form = draw.choice(_BLOCK_FORMS)
        text = form.format(n=text, b=house.first)
        if "/" in form:
            readings.add(true(house).replace("к", "/", 1))
    elif house.first_kind == BUILDING:
        text = draw.choice(_BUILDING_FORMS).format(n=text, b=house.first)
    if house.second_kind == BUILDING:
        text += f" стр {house.second}"
    prefix = draw.choice(_PREFIXES.get(house.kind, _PREFIXES[0]))
    return Number(prefix + text, frozenset(readings))


def with_flat(draw: Random, number: Number, *, hyphen: bool) -> Number:
    """Add the number of a flat; `68-15` is a house and a flat, or a house of two numbers."""
    flat = draw.randint(1, 180)
    if hyphen and re.search(r"(?:^|[ .№])\d+$", number.text):
        (house,) = number.readings if len(number.readings) == 1 else ("",)
        return Number(
            f"{number.text}-{flat}", number.readings | {f"{house}/{flat}", f"{house}к{flat}"}
        )
    form = draw.choice((", кв. {}", " кв {}", ", квартира {}", ", кв.{}", " кв{}"))
    return Number(number.text + form.format(flat), number.readings)
