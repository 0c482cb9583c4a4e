"""Print, per source format, how much of its golden cases is mapped, kept as extra, or lost.

    python -m tests.contract.report [--write]

Of formats that have no adapter; `tests.conformance.report` has those that do. Exit 1 when anything
is lost, differs, or has no canonical.json. `--write` writes the missing canonical.json files for a
person to read and correct; it never touches one that exists.
"""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

from tests.contract.golden import FORMATS, Case, cases, expected, pretty, run

Line = tuple[str, str, int, int, int, int, int]


def main(arguments: list[str]) -> int:
    """Walk every case and print the table; return the exit code."""
    lines = [_fixture(name, write="--write" in arguments) for name in FORMATS]
    table = Table("", "format", "cases", "mapped", "extras", "lost", "differ")
    for line in sorted(lines):
        table.add_row(*map(str, line))
    Console().print(table)
    return 1 if any(lost or differ for *_, lost, differ in lines) else 0


def _fixture(name: str, *, write: bool) -> Line:
    """Return the line of a fixture format; write: add canonical.json where there is none."""
    found = [case for case in cases() if case.format == name]
    outcomes = [run(case) for case in found]
    if write:
        for case, outcome in zip(found, outcomes, strict=True):
            if not case.canonical.exists():
                case.canonical.write_text(pretty(outcome.canonical))
    differ = sum(
        not (outcome.same and _as_expected(case, outcome.canonical))
        for case, outcome in zip(found, outcomes, strict=True)
    )
    return (
        FORMATS[name].letter,
        FORMATS[name].title,
        len(found),
        sum(outcome.mapped for outcome in outcomes),
        sum(outcome.extras for outcome in outcomes),
        sum(outcome.lost + outcome.invented for outcome in outcomes),
        differ,
    )


def _as_expected(case: Case, canonical: bytes) -> bool:
    return case.canonical.exists() and expected(case) == canonical


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
