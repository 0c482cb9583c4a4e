"""Names of streets and settlements, put together of typical words."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from random import Random

CITY_TYPES: Final = (
    ("ул", 60), ("пер", 18), ("проезд", 7), ("пр-кт", 4), ("ш", 2), ("б-р", 3), ("туп", 2),
    ("пл", 1), ("наб", 1), ("аллея", 2),
)  # fmt: skip
RURAL_TYPES: Final = (("ул", 85), ("пер", 12), ("проезд", 2), ("туп", 1))
_MASCULINE: Final = frozenset({"пер", "проезд", "пр-кт", "б-р", "туп", "тракт"})
_NEUTER: Final = frozenset({"ш"})
_HARD_ENDINGS: Final = {
    "ая": ("ый", "ое"), "яя": ("ий", "ее"), "ья": ("ий", "ье"),
}  # fmt: skip
_STRESSED: Final = {"Лесная", "Речная", "Полевая", "Луговая", "Мостовая", "Золотая",
                          "Голубая", "Морская", "Донская", "Тверская"}  # fmt: skip


@cache
def words() -> dict[str, Any]:
    """Return the vocabulary; texts of many words as tuples."""
    raw = tomllib.loads((Path(__file__).parent / "words.toml").read_text())
    return {
        key: tuple(dict.fromkeys(value.split())) if isinstance(value, str) else value
        for key, value in raw.items()
    }


def agreed(adjective: str, kind: str) -> str:
    """Return a feminine adjective in the gender of a type: `Садовая`, `пер` → `Садовый`."""
    stem, ending = adjective[:-2], adjective[-2:]
    if kind in _MASCULINE:
        if adjective in _STRESSED:
            return stem + "ой"
        if ending == "ая" and stem[-1] in "кгхшжщч":
            return stem + "ий"
        return stem + _HARD_ENDINGS[ending][0]
    if kind in _NEUTER:
        return stem + _HARD_ENDINGS[ending][1]
    return adjective


def ordinal(number: int, kind: str) -> str:
    """Return an ordinal as ГАР writes it: `3-я`, `3-й`, `3-е`."""
    if kind in _MASCULINE:
        return f"{number}-й"
    return f"{number}-е" if kind in _NEUTER else f"{number}-я"


def street(draw: Random, *, city: bool) -> tuple[str, str]:
    """Return the name and the short type of a street."""
    types = CITY_TYPES if city else RURAL_TYPES
    kind = draw.choices([t for t, _ in types], [w for _, w in types])[0]
    return name_of(draw, kind, city=city), kind


def name_of(draw: Random, kind: str, *, city: bool) -> str:
    """Return a name that a street of this type may have."""
    given = words()
    what = draw.random()
    if what >= 0.90:
        return _rare(draw, what, city=city)
    if what < 0.50:
        return agreed(_one(draw, given["adjectives"], city=city), kind)
    if what < 0.80:
        return _one(draw, given["persons"], city=city)
    if city or what < 0.83:
        number = draw.randint(1, 12) if city else draw.randint(1, 3)
        return f"{ordinal(number, kind)} {agreed(draw.choice(given['adjectives']), kind)}"
    return str(draw.choice(given["dates"]))


def _one(draw: Random, names: tuple[str, ...], *, city: bool) -> str:
    """Return a name; in a village rather one of the first, which are those of every village."""
    return names[int(len(names) * draw.random() ** (1.0 if city else 2.5))]


def _rare(draw: Random, what: float, *, city: bool) -> str:
    """Return dates, anniversaries, armies, names of two words, names with initials."""
    given = words()
    if what < 0.92:
        return str(draw.choice(given["dates"]))
    if what < 0.94:
        return f"{draw.choice((30, 40, 50, 60, 70))} лет {draw.choice(given['anniversaries'])}"
    if what < 0.95 and city:
        return f"{draw.randint(2, 320)}-й {draw.choice(given['armies'])}"
    if what < 0.97:
        return str(draw.choice(given["twofold"]))
    if what < 0.985:
        return f"{draw.choice(given['initials'])}{draw.choice(given['persons'][:90])}"
    return f"им. {draw.choice(given['heroes'])}"


def settlement(draw: Random) -> str:
    """Return the name of a village."""
    given = words()
    what = draw.random()
    feminine = draw.choice(given["settlement_feminine"])
    if what < 0.40:
        return str(feminine)
    if what < 0.55:
        return str(draw.choice(given["settlement_neuter"]))
    if what < 0.65:
        return str(draw.choice(given["settlement_masculine"]))
    if what < 0.85:
        return f"{draw.choice(given['settlement_fore'])}{feminine.lower()}"
    if what < 0.97:
        return f"{draw.choice(given['settlement_adjectives'])} {feminine}"
    return f"{feminine} {draw.choice(('1-я', '2-я', '3-я'))}"


def council(village: str) -> str:
    """Return the name of the municipality around a village: `Берёзовка` → `Берёзовское`."""
    stem = village.split(maxsplit=1)[0] if village[-1] == "я" else village
    stem = stem.removesuffix("ка").rstrip("аояе")
    return f"{stem}ское"
