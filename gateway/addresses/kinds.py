"""Types of places and streets as whole words: which a person may well have taken for which."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from gateway.addresses.keys import fold

if TYPE_CHECKING:
    from gateway.addresses.parts import Part, Role

SAME, KIN, NONE, OTHER = "same", "kin", "none", "other"
"""How a type in a text stands to that of the registry; none: the text names no type."""

_KIN: Final = (
    {"поселок", "поселок городского типа", "рабочий поселок", "городской поселок", "пгт",
     "поселок сельского типа", "поселение", "населенный пункт", "курортный поселок"},
    {"село", "деревня", "поселок", "хутор", "населенный пункт", "сельцо"},
    {"станица", "хутор", "слобода"},
    {"микрорайон", "жилой район", "квартал", "жилой массив", "район", "территория", "городок"},
    {"садовое товарищество", "садоводческое некоммерческое товарищество", "снт", "днт", "снп",
     "дачное некоммерческое товарищество", "садовое некоммерческое товарищество", "территория",
     "территория снт", "территория днт", "товарищество", "дачный поселок", "территория тсн",
     "огородническое некоммерческое товарищество", "некоммерческое партнерство",
     "товарищество собственников недвижимости", "территория сдт", "дачное товарищество"},
    {"гаражно-строительный кооператив", "гск", "территория гск", "гаражный кооператив"},
    {"проезд", "проулок", "переулок"},
    {"набережная", "улица"},
    {"шоссе", "тракт", "дорога", "автодорога"},
)  # fmt: skip
_DIVISIONS: Final = {"municipality", "district", "region"}
_FACTOR: Final = {
    "street": {SAME: 1.0, KIN: 0.8, NONE: 0.99, OTHER: 0.7},
    "plan": {SAME: 1.0, KIN: 0.98, NONE: 0.99, OTHER: 0.9},
    "settlement": {SAME: 1.0, KIN: 0.93, NONE: 0.98, OTHER: 0.86},
}
_ANY: Final = {SAME: 1.0, KIN: 1.0, NONE: 1.0, OTHER: 0.98}
_STREET_BY_HABIT: Final = 0.76
"""People write `ул.` before anything that houses stand in; a likely doubt, but a doubt."""


def relation(part: Part, kind: str) -> str:
    """Return how the type of a part stands to a type of the registry."""
    return _relation(part.type, part.types, kind) if part.type or part.types else NONE


@lru_cache(maxsize=4096)
def _relation(own: str, others: tuple[str, ...], kind: str) -> str:
    named = [fold(text) for text in (own, *others) if text]
    kind = fold(kind)
    if kind in named:
        return SAME
    if any(kind in group and text in group for group in _KIN for text in named):
        return KIN
    if any(kind.startswith(text) or text.startswith(kind) for text in named if kind):
        return KIN
    return OTHER


def factor(role: Role, part: Part, kind: str) -> tuple[float, str]:
    """Return by how much a type makes an object less likely, and how it stands to it."""
    how = relation(part, kind)
    if role == "street" and how == OTHER and fold(part.type) == "улица":
        return _STREET_BY_HABIT, how
    return _FACTOR.get(role, _ANY)[how], how
