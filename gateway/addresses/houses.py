"""How a house that stands in a text may be written in the registry."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.addresses import keys

if TYPE_CHECKING:
    from gateway.addresses.parts import Parsed

_BUILDINGS: Final = frozenset({"строение", "сооружение"})
SURE: Final = 1.0
CLOSE: Final = 0.95
FAR: Final = 0.9
_SHAPE: Final = re.compile(
    r"(?P<number>\d+)(?P<letter>[а-я]?)"
    r"(?:/(?P<half>\d+[а-я]?|[а-я]))?(?:к(?P<block>\d+[а-я]?|[а-я]))?(?:с(?P<building>\d+[а-я]?|[а-я]))?"
)


class HouseRow(NamedTuple):
    """A row of address_house; lat, lon: of house_point, where it is known."""

    region: int
    parent: int
    key: str
    id: int
    guid: str
    kind: int
    label: str
    parent_mun: int
    postal_code: str
    oktmo: str
    okato: str
    cadastral: str
    mkd: bool | None
    lat: float | None = None
    lon: float | None = None


class FlatRow(NamedTuple):
    """A row of address_flat."""

    region: int
    house: int
    key: str
    id: int
    guid: str
    level: int
    label: str
    cadastral: str


def house_variants(parsed: Parsed) -> tuple[tuple[str, float], ...]:
    """Return the keys of the house that a text names with how sure each is, the surest first.

    Empty when it names none. `12/3` may be `12к3` in the registry, `12 литера А` is `12а`, a plot
    may be kept as a house.
    """
    house, block = parsed.first("house"), parsed.first("block")
    building, letter = parsed.first("building"), parsed.first("letter")
    stead = parsed.first("stead")
    if house or block or building:
        key = keys.house(
            house.name if house else "",
            block.name if block else "",
            building.name if building else "",
            letter.name if letter else "",
        )
        if house and house.type in _BUILDINGS:
            return variants(keys.house("", building=house.name))
        return variants(key) if key else ()
    if stead:
        key = keys.stead(stead.name)
        return ((key, SURE), (key.removeprefix("уч"), FAR)) if key != "уч" else ()
    return ()


def variants(key: str) -> tuple[tuple[str, float], ...]:
    """Return a key of a house and those that the registry may have for it."""
    found = {key: SURE}
    if key.startswith("уч"):
        found[key[2:]] = FAR
        return tuple(found.items())
    for other in _others(key):
        found.setdefault(*other)
    if key.isdigit():
        found.setdefault("уч" + key, FAR)
    return tuple(found.items())


def _others(key: str) -> list[tuple[str, float]]:
    match = _SHAPE.fullmatch(key)
    if match is None:
        return []
    number, letter, half, block, building = match.groups(default="")
    own = number + letter
    shape = "".join(c for c, part in zip("/кс", (half, block, building), strict=True) if part)
    if shape == "/кс":
        return []
    last = half or block or building
    grown = [(own + last, CLOSE)] if len(shape) == 1 and last.isalpha() and not letter else []
    return grown + {
        "": [(f"{number}к{letter}", CLOSE), (f"{number}/{letter}", CLOSE),
             (f"{number}с{letter}", FAR)] if letter else [],
        "/": [(f"{own}к{half}", CLOSE), (f"{own}с{half}", FAR)],
        "к": [(f"{own}/{block}", CLOSE), (f"{own}с{block}", FAR)],
        "с": [(f"{own}/{building}", FAR), (f"{own}к{building}", FAR)],
        "/к": [(f"{own}/{half}с{block}", FAR)],
        "/с": [(f"{own}к{half}с{building}", CLOSE)],
        "кс": [(f"{own}/{block}с{building}", CLOSE)],
    }[shape]  # fmt: skip
