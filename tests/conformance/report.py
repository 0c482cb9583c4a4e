"""Print a row per adapter: its grade, how much of its cases is mapped, kept, lost, what is refused.

    python -m tests.conformance.report

Exit 1 when anything is lost or a case is not what it pins. The leaves are those of the golden cases
that come in; `sourced` and `ours` count the refusals of the adapter's simulator.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from gateway import registry
from gateway.testing.cases import Walked, found, walk
from tests.conformance.kit import CASES, adapters, refusals


class Row(NamedTuple):
    """What is said of one adapter; sourced, ours: None where it has no simulator."""

    name: str
    grade: str
    conformity: str
    cases: int
    wrong: int
    mapped: int
    extras: int
    lost: int
    sourced: int | None
    ours: int | None


def main() -> int:
    """Walk every case of every adapter and print the table; return the exit code."""
    rows = [row_of(name) for name in adapters()]
    table = Table("adapter", "grade", "cases", "mapped", "extras", "lost", "sourced", "ours",
                  "conformity", title="Адаптеры · Adapters")  # fmt: skip
    for row in rows:
        table.add_row(
            row.name, row.grade, f"{row.cases}" + (f", {row.wrong} wrong" if row.wrong else ""),
            str(row.mapped), str(row.extras), str(row.lost), _told(row.sourced), _told(row.ours),
            row.conformity,
        )  # fmt: skip
    console = Console()
    if not console.is_terminal:
        console.width = 160
    console.print(table)
    console.print(
        "sourced, ours: отказы имитатора по источникам и придуманные нами · refusals of the"
        " simulator that are sourced, and our own"
    )
    return 1 if any(row.lost or row.wrong for row in rows) else 0


def row_of(name: str) -> Row:
    """Walk the cases of one adapter."""
    adapter = registry.load([name])[name]
    there = found(CASES, name)
    walked = [walk(case, adapter.make, adapter.manifest.options) for case in there]
    wrong = tuple(text for one in walked for text in one.wrong)
    total = Walked(wrong, *(sum(one[n] for one in walked) for n in (1, 2, 3, 4)))
    told = refusals(name)
    return Row(
        name, adapter.manifest.grade, adapter.manifest.conformity, len(there), len(total.wrong),
        total.mapped, total.extras, total.lost + total.invented,
        len(told[0]) if told else None, len(told[1]) if told else None,
    )  # fmt: skip


def _told(count: int | None) -> str:
    return "–" if count is None else str(count)


if __name__ == "__main__":
    sys.exit(main())
