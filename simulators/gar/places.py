"""Places that must be in a region besides what is drawn: those of the made-up appeals."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any, Final

from simulators.gar.houses import dense

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from simulators.gar.region import Draft
    from simulators.gar.thing import Thing

HOUSES: Final = sum(1 for _ in dense())
PLOTS: Final = 220
_TYPES: Final = {
    "ул.": "ул", "пер.": "пер", "пр-кт": "пр-кт", "б-р": "б-р", "ш.": "ш", "наб.": "наб",
    "пр-д": "проезд", "туп.": "туп", "пл.": "пл", "аллея": "аллея",
}  # fmt: skip


def read(path: Path) -> dict[str, Any]:
    """Read a table of places (the form of simulators/seed/places.toml)."""
    return tomllib.loads(path.read_text())


def add(draft: Draft, table: Mapping[str, Any]) -> None:
    """Add the towns that the table has in this region, each with all streets of the table."""
    towns = [t for t in table.get("town", ()) if t["region"].startswith(_stem(draft))]
    for n, row in enumerate(towns):
        numbers = f"{draft.digits}69{n}"
        area = draft.add(
            2, row["district"], "р-н", draft.root, oktmo=f"{numbers}000",
            postal=f"{row['index']}{n + 1:02d}0", okato=f"{draft.digits}29{n}000000",
        )  # fmt: skip
        over = draft.add(3, row["district"], "м.о.", draft.root, oktmo=f"{numbers}000")
        town = draft.add(5, row["town"], "г", area, over=over, oktmo=f"{numbers}001001", city=True)
        village = draft.add(6, row["village"], "с", area, over=over, oktmo=f"{numbers}004001")
        village.city = False
        for up in (town, village):
            _streets(draft, up, table.get("streets", ()))
        for name in table.get("micro", ()):
            _fill(draft.add(7, name, "мкр", town))
        for name in table.get("gardens", ()):
            garden = draft.add(7, name, "тер. СНТ", area)
            garden.steads = PLOTS
            _fill(garden)


def _streets(draft: Draft, up: Thing, rows: list[list[str]]) -> None:
    for row in rows:
        parts = row[0].split()
        kind = next(part for part in parts if part in _TYPES)
        name = " ".join(part for part in parts if part != kind)
        _fill(draft.street(up, name, _TYPES[kind]))


def _fill(place: Thing) -> None:
    place.houses, place.dense = HOUSES, True


def _stem(draft: Draft) -> str:
    return str({"Респ": "Республика "}.get(draft.kind, "") + draft.name)
