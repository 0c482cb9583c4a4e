"""Writes the generated parts of docs/reference/lifecycle.md from the table.

`python -m gateway.lifecycle.reference docs/reference/lifecycle.md` brings the page up to date; a
test fails when it is not.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.lifecycle.needs import NEEDS
from gateway.lifecycle.table import ALL, OPEN, ROWS
from gateway.model.events import EventType

if TYPE_CHECKING:
    from gateway.lifecycle.table import Row
    from gateway.model.events import State

_HEAD: Final = (
    "| # | Event | From | To | Who | Needs | Should have | Terms | Taken |\n"
    "|---|---|---|---|---|---|---|---|---|\n"
)


def table() -> str:
    """Return the transition table in Markdown."""
    return _HEAD + "".join(_line(row) for row in ROWS)


def _line(row: Row) -> str:
    regimes = ""
    if row.only:
        regimes = f" (only {', '.join(row.only)})"
    elif row.never:
        regimes = f" (never {', '.join(row.never)})"
    cells = (
        str(row.number or "–"),
        f"`{row.event}`{regimes}",
        _states(row.sources),
        row.to.value if row.to else "same",
        ", ".join(row.who),
        _needs(row.needs),
        _needs(row.expects),
        row.terms,
        "later" if row.later else "yes",
    )
    return "| " + " | ".join(cells) + " |\n"


def _states(states: tuple[State, ...]) -> str:
    if not states:
        return "–"
    if states == ALL:
        return "any"
    if states == OPEN:
        return "any open"
    return ", ".join(states)


def _needs(names: tuple[str, ...]) -> str:
    own = {"not_complained_of": "получатель — не обжалуемый орган (8 ч. 6)"}
    return ", ".join(own.get(n) or NEEDS[n].words for n in names)


def diagram() -> str:
    """Return the moves that are taken today as a Mermaid state diagram; withdrawal is left out."""
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> received"]
    moves: dict[tuple[str, str], list[str]] = {}
    for row in ROWS:
        if row.to is None or row.later or row.event is EventType.WITHDRAWN:
            continue
        for source in row.sources:
            moves.setdefault((source.value, row.to.value), []).append(row.event.value)
    lines += [f"    {a} --> {b}: {', '.join(names)}" for (a, b), names in moves.items()]
    return "\n".join([*lines, "    closed --> [*]", "```", ""])


def render(page: str) -> str:
    """Return the page with what stands between its marks written anew."""
    for name, text in (("table", table()), ("diagram", diagram())):
        begin, end = f"<!-- {name}: generated -->\n", f"<!-- {name}: end -->"
        pattern = f"{re.escape(begin)}.*?{re.escape(end)}"
        written = (begin + text + end).replace("\\", r"\\")
        page = re.sub(pattern, written, page, flags=re.DOTALL)
    return page


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(render(path.read_text("utf-8")), "utf-8")
