"""Run the W3C SOAP 1.2 test collection and print what is not as the table states.

    python -m tests.w3c [--write]

`--write` writes docs/reference/w3c-soap12.md. Exit 1 when an answer is not as the table states.
"""

from __future__ import annotations

import sys

from tests.w3c import page
from tests.w3c.run import Outcome, run


def main(arguments: list[str]) -> int:
    """Run, tell, and write the page when asked."""
    outcomes = run()
    bad = [outcome for outcome in outcomes if not outcome.as_stated or outcome.broken]
    for outcome in bad:
        _tell(outcome)
    if "--write" in arguments:
        page.write(outcomes)
    print(f"{len(outcomes)} tests, {len(bad)} unexplained")  # noqa: T201 - a command
    return 1 if bad else 0


def _tell(outcome: Outcome) -> None:
    case = outcome.case
    print(f"{case.id}: {case.sends}", *outcome.broken, sep="\n  ")  # noqa: T201 - a command
    for expected, got in zip(case.expected, outcome.got, strict=True):
        print(f"  expected {expected.text(expected)}\n  got      {got.text(got)}")  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
