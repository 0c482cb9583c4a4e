"""Putting an address together: what is said, in which order, with which signs between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from simulators.gar import spelling
from simulators.gar.spelling import Written
from simulators.gar.truth import Claim
from simulators.gar.vocabulary import words

if TYPE_CHECKING:
    from random import Random

    from simulators.gar.numbering import Number
    from simulators.gar.region import Region
    from simulators.gar.thing import Thing

_ORDERS: Final = (
    ("region", "area", "town", "part", "street", "house"),
    ("street", "house", "part", "town", "area", "region"),
    ("town", "part", "street", "house", "area", "region"),
)
_ORDER_WEIGHTS: Final = (86, 9, 5)


class Phrase(NamedTuple):
    """A text, what it says, and how it differs from the registry's own words."""

    text: str
    claim: Claim
    noise: list[str]


def formal(region: Region, place: Thing, number: Number) -> Phrase:
    """Write an address as a registrar does: everything, in order, with commas."""
    area, town, part = _above(region, place)
    street = place if place.level == 8 else None
    said = [f"{_first(region.root.kind)} {region.root.name}"]
    written = {}
    for role, thing in (("area", area), ("town", town), ("part", part), ("street", street)):
        if thing:
            form = _first(thing.kind)
            said.append(f"{form} {thing.name}")
            written[role] = Written(said[-1], thing.name, frozenset({thing.kind}))
    claim = Claim(
        area, written.get("town"), written.get("part"), written.get("street"), number.readings
    )
    return Phrase(", ".join([*said, number.text]), claim, [])


def _first(kind: str) -> str:
    return str(words()["spelled"][kind][0])


def _above(region: Region, place: Thing) -> tuple[Thing | None, Thing | None, Thing | None]:
    """Return the district, the settlement and the microdistrict of a place (itself may be one)."""
    line = [place, *place.above]
    area = next((thing for thing in line if thing.level == 2), None)
    part = next((thing for thing in line if thing.level == 7), None)
    return area, place.town if place is not region.root else None, part


def careless(
    region: Region, place: Thing, number: Number, draw: Random, *,
    typos: tuple[bool, bool], former: bool, town: bool = True,
) -> Phrase:  # fmt: skip
    """Write an address as people do.

    typos: misspell the street, the settlement. former: by the name that the street had. town: False
    to leave the settlement out and keep the district.
    """
    noise: list[str] = []
    area, settlement, part = _above(region, place)
    said: dict[str, str] = {}
    if draw.random() < 0.6:
        said["region"] = spelling.above(draw, region.root)
    else:
        noise.append("no region")
    area = _say_area(draw, region, place, area, said, noise, sure=not town or settlement is None)
    named = {}
    if settlement and town:
        named["town"] = _say_town(draw, settlement, said, noise, misspell=typos[1])
    if part and (place.level == 7 or draw.random() < 0.75 or settlement is None):
        named["part"] = _say_part(draw, part, said)
    if place.level == 8:
        named["street"] = _say_street(draw, place, said, noise, misspell=typos[0], former=former)
    said["house"] = number.text
    claim = Claim(area, named.get("town"), named.get("part"), named.get("street"), number.readings)
    text = _join(draw, said, noise)
    return Phrase(_postal(draw, place, text, noise), claim, noise)


def _say_area(
    draw: Random, region: Region, place: Thing, area: Thing | None, said: dict[str, str],
    noise: list[str], *, sure: bool,
) -> Thing | None:  # fmt: skip
    """Name the district, or the urban district, or an inner one; return what narrows the search."""
    if area is None:
        chance = draw.random()
        city = place.town.over if place.town else None
        if chance < 0.07 and city and city.kind == "г.о.":
            said["area"] = spelling.above(draw, city)
            noise.append("urban district")
        elif chance < 0.12 and place.inner:
            said["area"] = f"{place.inner.name} {draw.choice(('район', 'р-н'))}"
            noise.append("inner district")
        return None
    if not sure and draw.random() < 0.3:
        noise.append("no district")
        return None
    over = next((t for t in region.things if t.level == 3 and t.name == area.name), None)
    if over and draw.random() < 0.12:
        said["area"] = spelling.above(draw, area, over.kind)
        noise.append("municipal district")
    else:
        said["area"] = spelling.above(draw, area)
    return area


def _say_town(
    draw: Random, town: Thing, said: dict[str, str], noise: list[str], *, misspell: bool
) -> Written:
    name = town.name
    if misspell:
        name = spelling.typo(draw, name)
        noise.append("settlement typo")
    missing = 0.18 if town.level == 5 else 0.05
    written = spelling.typed(draw, town, name, missing=missing)
    if written.kinds is None:
        noise.append("no settlement type")
    said["town"] = written.text
    if town.up and town.up.level == 5 and draw.random() < 0.7:
        said["town"] = f"{_first('г')} {town.up.name}, {written.text}"
    return written


def _say_part(draw: Random, part: Thing, said: dict[str, str]) -> Written:
    after = 0.5 if part.kind in ("кв-л", "мкр") else 0.0
    written = spelling.typed(draw, part, part.name, missing=0.0, after=after)
    if part.kind.startswith("тер.") and draw.random() < 0.5:
        written = written._replace(text=written.text.replace(part.name, f"«{part.name}»"))
    said["part"] = written.text
    return written


def _say_street(
    draw: Random, place: Thing, said: dict[str, str], noise: list[str], *,
    misspell: bool, former: bool,
) -> Written:  # fmt: skip
    name = place.name
    old = [before.name for before in place.before] + [closed.name for closed in place.origin]
    if former and old:
        name = draw.choice(old)
        noise.append("former name")
    ways = spelling.spellings(name)
    if len(ways) > 1 and draw.random() < 0.5:
        name = draw.choice(ways[1:])
        noise.append("spelled otherwise")
    if misspell:
        name = spelling.typo(draw, name)
        noise.append("street typo")
    written = spelling.typed(draw, place, name, missing=0.12, after=0.12)
    if written.kinds is None:
        noise.append("no street type")
    elif len(written.kinds) > 1:
        noise.append("ambiguous street type")
    said["street"] = written.text
    return written


def _join(draw: Random, said: dict[str, str], noise: list[str]) -> str:
    order = draw.choices(_ORDERS, _ORDER_WEIGHTS)[0]
    if order is not _ORDERS[0]:
        noise.append("order")
        number = said["house"]
        if number and number[0].isdigit():
            said["house"] = f"д. {number}"
    parts = [said[role] for role in order if said.get(role)]
    chance = draw.random()
    if chance < 0.12:
        noise.append("no commas")
        text = " ".join(parts).replace(",", "")
    elif chance < 0.22:
        noise.append("glued")
        text = ",".join(parts).replace(", ", ",").replace(". ", ".")
    else:
        text = ", ".join(parts)
        if chance < 0.45 and "street" in said:
            text = text.replace(f"{said['street']}, {said['house']}",
                                f"{said['street']} {said['house']}")  # fmt: skip
    if "ё" in text and draw.random() < 0.6:
        noise.append("е for ё")
        text = text.replace("ё", "е").replace("Ё", "Е")
    chance = draw.random()
    if chance < 0.07:
        noise.append("capitals")
        return text.upper()
    if chance < 0.17:
        noise.append("small letters")
        return text.lower()
    return text


def _postal(draw: Random, place: Thing, text: str, noise: list[str]) -> str:
    chance = draw.random()
    if not place.postal or chance < 0.55:
        return text
    noise.append("postal code")
    return f"{place.postal}, {text}" if chance < 0.88 else f"{text}, {place.postal}"
