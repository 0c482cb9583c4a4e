"""What every bench command does: read the arguments, note the machine's state, publish, exit."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from bench import machine
from bench.figures import PAIRS, Run, Void, publish, void

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.figures import Figure


class Plan(NamedTuple):
    """How much is measured. quick: short and few, for work on the benches; never final."""

    quick: bool
    run: Run
    pairs: int = PAIRS

    def seconds(self, full: float, quick: float) -> float:
        """Return how long one measurement takes."""
        return quick if self.quick else full


def command(
    parts: Sequence[tuple[str, str, float, Callable[[Plan], list[Figure]]]],
) -> int:
    """Run the parts of a bench and return its exit code.

    A part is (figure, unit, target, measure); the first three are for its line when it is void.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--quick", action="store_true", help="a short run; its figures are not final"
    )
    parser.add_argument("--only", default="", help="run only the parts whose name begins like this")
    parser.add_argument(
        "--pairs",
        type=int,
        default=PAIRS,
        help=f"pairs that count, at least {PAIRS}; more narrow"
        " the bounds on a machine that others share",
    )
    arguments = parser.parse_args()
    pairs = 3 if arguments.quick else max(arguments.pairs, PAIRS)
    codes = []
    for name, unit, target, measure in parts:
        if not name.startswith(arguments.only):
            continue
        if codes and not arguments.quick:
            machine.settle()
        provisional = "; ".join(filter(None, ("quick" * arguments.quick, machine.busy())))
        run = Run(f"{datetime.now(UTC):%Y-%m-%dT%H:%MZ}", provisional)
        plan = Plan(arguments.quick, run, pairs)
        try:
            figures = measure(plan)
        except Void as reason:
            figures = [void(name, unit, target, str(reason), plan.run)]
        codes.append(publish(figures))
    return 1 if 1 in codes else max(codes, default=1)


def say(text: str) -> None:
    """Tell how far a bench is; figures are the lines that are JSON."""
    print(f"# {text}", flush=True)
