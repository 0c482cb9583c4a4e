"""python -m bench.fias_parse: the parser against real addresses that people took apart.

The set is the public one of geonorm (Apache-2.0), a table with `;`: address, region, municipality,
settlement, street, location, house and their types; it is not in the repository. An address is
right when region, settlement, street and house all are; municipality is counted beside them.

Names are equal when they are in small letters with ё as е, without quotes, dots, hyphens and
brackets, `имени` as `им`, ordinals without endings (`4-я` is `4`). A region is also right when the
label is the beginning of it (`Северная Осетия` of `Северная Осетия - Алания`: the table writes
both). A house is equal when house with its letter (литера), block (корпус) and building (строение)
are; `дом 33 корпус 2` of the table is taken apart by its words. Case of letters does not count,
nor do types anywhere (дом or здание).

Some rows of the table have several houses in one field, marks (`wierd`, `is_dead`), or labels
that contradict other rows of it (a square that is no street, a territory that is nothing). They
are measured as all others, and what differs is counted as a miss.
"""

from __future__ import annotations

import argparse
import csv
import random
import re
import time
from pathlib import Path
from typing import Final, NamedTuple

from gateway.addresses.flat import flat
from gateway.addresses.parse import parse

DEFAULT: Final = Path("../shared/data/addresses/geonorm_lvl6.csv")
FIELDS: Final = ("region", "municipality", "settlement", "street", "house")
ALL: Final = ("region", "settlement", "street", "house")
ROUNDS: Final = 5

_PIECE: Final = re.compile(r"\d+|[а-яa-z]+")
_ENDING: Final = re.compile(r"(\d+)-?(?:ый|ий|ой|ая|яя|ое|ее|го|й|я|е)\b")
_HOUSE: Final = re.compile(
    r"(дом|здание|корпус|строение|литера)?\s*(.*?)(?=корпус|строение|литера|$)"
)


class Measured(NamedTuple):
    """What a run saw. right: addresses right by field, and `all` for all four together."""

    lines: int
    right: dict[str, int]
    misses: list[str]


def fold(text: str) -> str:
    """Return text in small letters, ё as е."""
    return text.lower().replace("ё", "е").strip()


def name(text: str) -> str:
    """Return a name as it is compared."""
    text = _ENDING.sub(r"\1 ", fold(text))
    words = ["им" if word == "имени" else word for word in _PIECE.findall(text)]
    return " ".join(words)


def plain(text: str) -> str:
    """Return a number as it is compared: letters and digits, fraction, range, list."""
    return re.sub(r"[^0-9a-zа-я/_,()]", "", fold(text))


def label_house(text: str) -> tuple[str, str, str]:
    """Return house with letter, block and building of a label."""
    kept = {"дом": "", "корпус": "", "строение": "", "литера": ""}
    for kind, value in _HOUSE.findall(fold(text)):
        kept["дом" if kind in ("", "здание") else kind] += plain(value)
    return kept["дом"] + kept["литера"], kept["корпус"], kept["строение"]


def same(field: str, row: dict[str, str], ours: dict[str, str]) -> bool:
    """Tell whether a field of ours is what the label says."""
    if field == "house":
        found = (plain(ours["house"]), plain(ours["block"]), plain(ours["building"]))
        return found == label_house(row["house"])
    wanted, found_name = name(row[field]), name(ours[field])
    if field == "region" and wanted and found_name.startswith(f"{wanted} "):
        return True
    return wanted == found_name


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of the table."""
    with path.open(encoding="utf-8-sig", newline="") as source:
        return list(csv.DictReader(source, delimiter=";"))


def measure(rows: list[dict[str, str]]) -> Measured:
    """Return how many rows are right, and every miss as a line."""
    right = dict.fromkeys((*FIELDS, "all"), 0)
    misses: list[str] = []
    for row in rows:
        ours = flat(parse(row["address"]))
        good = {field: same(field, row, ours) for field in FIELDS}
        for field in FIELDS:
            right[field] += good[field]
        right["all"] += all(good[field] for field in ALL)
        wrong = [field for field in FIELDS if not good[field]]
        if wrong:
            detail = "; ".join(
                f"{field}: {row[field]!r} ≠ {said(field, ours)!r}" for field in wrong
            )
            misses.append(f"{row['address']}\n    {detail}")
    return Measured(len(rows), right, misses)


def said(field: str, ours: dict[str, str]) -> str:
    """Return our value of a field for people to read."""
    if field != "house":
        return ours[field]
    words = (("", "house"), ("корпус ", "block"), ("строение ", "building"))
    return " ".join(f"{word}{ours[key]}" for word, key in words if ours[key])


def speed(rows: list[dict[str, str]]) -> float:
    """Return the milliseconds that one address takes, the best of ROUNDS."""
    texts = [row["address"] for row in rows]
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for text in texts:
            parse(text)
        best = min(best, time.perf_counter() - begun)
    return best / len(texts) * 1000


def main() -> None:
    """Print the shares, the misses and the speed."""
    options = argparse.ArgumentParser(description="share of real addresses that are parsed right")
    options.add_argument("path", nargs="?", type=Path, default=DEFAULT)
    options.add_argument("--misses", action="store_true", help="print every miss")
    options.add_argument(
        "--part", choices=("all", "tune", "hold"), default="all", help="60 %% / 40 %% of the rows"
    )
    given = options.parse_args()
    rows = rows_of(given.path)
    if given.part != "all":
        random.Random(7).shuffle(rows)
        cut = int(0.6 * len(rows))
        rows = rows[:cut] if given.part == "tune" else rows[cut:]
    measured = measure(rows)
    for field in (*FIELDS, "all"):
        share = measured.right[field] / measured.lines
        print(f"{field:13} {share:7.2%}  {measured.right[field]} of {measured.lines}")
    one = speed(rows)
    print(f"{'speed':13} {one:.4f} ms per address, {1000 / one:,.0f} lines per second")
    if given.misses:
        for miss in measured.misses:
            print(miss)
    else:
        print(f"{len(measured.misses)} rows differ somewhere; --misses prints them")


if __name__ == "__main__":
    main()
