"""`make bench-fias`: loading, resolving, completing and parsing of addresses.

`--short` (the same as `--quick`): 20,000 houses, 500 questions, three pairs. `--misses`: print
every question that was not answered as it should be, every real address parsed otherwise.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import Final

from bench import fias_load, fias_parse, fias_resolve, fias_suggest, machine
from bench.command import Plan, command, say
from bench.fias_ground import ground
from bench.figures import Figure, figure

PARSED: Final = 0.96
STREETS: Final = 0.99
SHARED: Final = Path(os.environ.get("GATEWAY_SHARED", fias_parse.DEFAULT.parents[2]))


def main() -> int:
    """Measure everything; return the exit code."""
    words = sys.argv[1:]
    misses = "--misses" in words
    sys.argv[1:] = ["--quick" if w == "--short" else w for w in words if w != "--misses"]
    return command(
        [
            ("fias-parse", "share", PARSED, partial(parsing, misses=misses)),
            ("fias-region", "", 0.0, partial(region, misses=misses)),
        ]
    )


def region(plan: Plan, *, misses: bool) -> list[Figure]:
    """Measure what needs a loaded region."""
    with ground(short=plan.quick) as made:
        found = [
            *fias_load.measure(made, plan),
            *fias_resolve.measure(made, plan, misses=misses),
            *fias_suggest.measure(made, plan),
        ]
        found[0].detail["machine"] = machine.shape(made.directory, made.database.url)
    return found


def parsing(plan: Plan, *, misses: bool) -> list[Figure]:
    """Measure the parser on real addresses, where they are there; nothing otherwise."""
    path = SHARED / "data/addresses/geonorm_lvl6.csv"
    if not path.exists():
        say(f"{path} is not there: parsing of real addresses is not measured")
        return []
    rows = fias_parse.rows_of(path)
    measured = fias_parse.measure(rows)
    if misses:
        print("\n".join(measured.misses))
    shares = {field: right / measured.lines for field, right in measured.right.items()}
    speed = fias_parse.speed(rows[:500])
    detail: dict[str, object] = {
        "lines": measured.lines, "shares": {k: round(v, 4) for k, v in shares.items()},
        "ms_an_address": round(speed, 4),
    }  # fmt: skip
    return [
        figure(
            name, "share of real addresses", [(shares[field], None, 1.0)] * 2, judged="limit",
            target=target, run=plan.run, detail=detail,
        )
        for name, field, target in (
            ("fias-parse", "all", PARSED), ("fias-parse-street", "street", STREETS),
        )
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
