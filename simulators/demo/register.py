"""The register of addresses on the stage: drawn with the places of the seed, loaded, asked."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from simulators.demo.tell import Step
from simulators.gar import delivery, places, region
from simulators.process import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from simulators.demo.ledger import Ledger
    from simulators.demo.script import Script
    from simulators.demo.stage import Stage
    from simulators.demo.tell import Teller

TITLES: Final = {
    "exact": "точно", "street_only": "только улица", "ambiguous": "несколько",
    "not_found": "не найдено",
}  # fmt: skip
PLACES: Final = ROOT / "simulators" / "seed" / "places.toml"
REGIONS: Final = ("02", "22", "36", "71")
"""Codes of the regions that the seed's towns lie in."""
HOUSES: Final = 1_500
"""Houses of each region besides those of the seed's towns."""


def draw(folder: Path, seed: int) -> Path:
    """Write an unpacked delivery of the regions, the seed's towns among their settlements."""
    table = places.read(PLACES)
    for code in REGIONS:
        delivery.full(region.plan(code, HOUSES, seed, table), folder)
    return folder


def load(stage: Stage, teller: Teller, seed: int) -> None:
    """Load the delivery by the command; what was found strange in it is noted."""
    folder = draw(stage.path("gar"), seed)
    told: dict[str, Any] = stage.command("fias", "load", str(folder))
    loaded = told["loaded"]
    houses = sum(each["houses"] for each in loaded)
    teller.say(f"ГАР: регионов {len(loaded)}, домов {houses}", "the register of addresses, made up")


def tell(stage: Stage, teller: Teller, script: Script, ledger: Ledger, number: int) -> None:
    """Say what became of every place that an appeal names; `number` of its step.

    A document of ССТУ names no place of a problem. A letter that came twice goes on as one appeal.
    """
    twice = {appeal.external_id for pair in script.twins for appeal in pair}
    naming = {
        ledger.receipt(appeal)
        for appeal in script.appeals.values()
        if appeal.channel != "sstu" and appeal.external_id not in twice
    }
    rows: list[dict[str, Any]] = stage.command("fias", "outcomes", "--each", "--limit", "10000")
    outcomes = {row["receipt_number"]: row["outcome"] for row in rows}
    teller.step(Step(
        number, "у каждого обращения, назвавшего место, есть ответ справочника адресов",
        "every appeal that names a place has an answer of the register of addresses",
        len(naming), len(naming & outcomes.keys()),
    ))  # fmt: skip
    counted = Counter(outcomes[receipt] for receipt in naming & outcomes.keys())
    teller.note(", ".join(f"{TITLES[name]}: {counted[name]}" for name in TITLES if counted[name]))
