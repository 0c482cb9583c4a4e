"""Writes RESULTS.md: the last figures, their command and date, and the machine they were taken on.

`python -m bench.results` reads bench/results.jsonl, which is not kept with the code; a figure that
has no line in it stays on the page as it was. A final figure is never replaced by a provisional one
of a later date: a quick run says nothing about the product.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from bench.figures import RESULTS, Figure

if TYPE_CHECKING:
    from collections.abc import Iterable

PAGE: Final = Path(__file__).parent / "RESULTS.md"
_HEAD: Final = """# Last figures

Made by `python -m bench.results` from the lines that the benches print; what each of them compares
is in [README.md](README.md). "Met" is said only when both 90 % bounds of the ratio agree. A figure
marked provisional was taken on a busy machine or in a short run and stands for nothing else than
that the bench works.

| figure | ours | peer | limit | judged ratio (90 % bounds) | target | met | taken |
|---|---|---|---|---|---|---|---|
"""


_ROW: Final = re.compile(r"^\| ([a-z0-9-]+), .*\|\n", re.MULTILINE)
_NOTE: Final = re.compile(r"^- \*\*([a-z0-9-]+)\*\*: .*\n", re.MULTILINE)


def last(lines: Iterable[bytes]) -> dict[str, Figure]:
    """Return the figure to show by name: the last final one, otherwise the last."""
    found: dict[str, Figure] = {}
    for line in lines:
        each = msgspec.json.decode(line, type=Figure)
        before = found.get(each.figure)
        if before is None or before.provisional or not each.provisional:
            found[each.figure] = each
    return found


def page(figures: Iterable[Figure], before: str = "") -> str:
    """Return the page as Markdown. before: the page as it was."""
    rows = {found[1]: found[0] for found in _ROW.finditer(before)}
    notes = {found[1]: found[0] for found in _NOTE.finditer(before)}
    for each in figures:
        told = ", provisional" in rows.get(each.figure, ", provisional")
        if told or not each.provisional:
            rows[each.figure], notes[each.figure] = _row(each), _note(each)
    return f"{_HEAD}{''.join(rows.values())}\n## How they were taken\n\n{''.join(notes.values())}"


def _row(each: Figure) -> str:
    ratio = each.ratio_peer if each.judged == "ratio_peer" else each.ratio_limit
    bounds = f"{ratio} ({each.low}–{each.high})" if each.judged not in {"", "ours"} else ""
    target = f"{'≤' if each.at_most else '≥'} {each.target}"
    met = each.met if isinstance(each.met, str) else ("yes" if each.met else "no")
    taken = each.at + (", provisional" if each.provisional else "")
    return (
        f"| {each.figure}, {each.unit} | {each.ours} | {_cell(each.peer)} | {_cell(each.limit)} "
        f"| {bounds} | {target} | {met} | {taken} |\n"
    )


_COMMANDS: Final = {
    "decode": "channels",
    "sstu": "channels",
    "smev": "trust",
    "policy": "trust",
}
"""Figures whose first word is not that of their command."""


def _note(each: Figure) -> str:
    told = dict(each.detail)
    if each.provisional:
        told["provisional"] = each.provisional
    word = each.figure.partition("-")[0]
    command = _COMMANDS.get(word, word)
    body = msgspec.json.encode(told).decode()
    return f"- **{each.figure}**: `make bench-{command}`, {each.pairs} pairs. `{body}`\n"


def _cell(value: float | None) -> str:
    return "" if value is None else str(value)


if __name__ == "__main__":
    taken = last(RESULTS.read_bytes().splitlines()).values()
    PAGE.write_text(page(taken, PAGE.read_text("utf-8")), encoding="utf-8")
