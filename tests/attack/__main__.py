"""`python -m tests.attack`: attacks on a whole gateway, and what honest callers notice of them.

First each hostile message is sent by itself, and its processor time and memory are measured; then
attackers send them all while honest callers submit. The table is printed, a line of JSON for each
row goes to build/attack.jsonl; the exit status is 1 when anything missed its bound. `--short` sends
fewer, of the same rows: too few calls are honest in a row then to judge its 99th percentile, so
that of all rows together is judged, and times loosely: it runs in CI, on a machine that others
share.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.attack import cost, load
from tests.attack.honest import Honest, Stretch
from tests.attack.meter import Meter
from tests.attack.rows import ROWS
from tests.attack.slow import Crowd
from tests.attack.stand import target
from tests.survive.say import say

if TYPE_CHECKING:
    from tests.attack.rows import Row
    from tests.attack.stand import Target

RESULTS = Path(__file__).resolve().parents[2] / "build" / "attack.jsonl"
TIMES_QUIET = 3.0
SHORT_P99_MS = 5_000.0
"""What honest callers may wait for in a short run; an attack that stops the gateway takes more."""
SLOW = ("headers", "bodies")


class Plan(NamedTuple):
    """How long and how often. hold: seconds that slow connections are kept, by their kind."""

    quiet: float
    each: float
    times: int
    hold: dict[str, float]
    closing: bool
    """Whether slow connections are held until the gateway has had to end them."""
    slack: float = 1.0
    """How many times its bound of time something may take: a short run on a machine that others
    share finds what takes seconds, and says nothing of the rest."""


FULL = Plan(quiet=20.0, each=8.0, times=3, hold={"headers": 14.0, "bodies": 65.0}, closing=True)
SHORT = Plan(
    quiet=4.0, each=1.0, times=1, hold={"headers": 2.0, "bodies": 2.0}, closing=False, slack=6.0
)


def main() -> int:
    """Run, print the table, and say whether everything held."""
    parser = argparse.ArgumentParser(prog="tests.attack", description=__doc__)
    parser.add_argument("--short", action="store_true", help="fewer messages of the same rows")
    parser.add_argument("--only", default="", help="rows whose name begins like this")
    args = parser.parse_args()
    plan = SHORT if args.short else FULL
    rows = [row for row in ROWS if row.name.startswith(args.only)]
    with target() as made:
        found = _run(plan, rows, made, slow=not args.only)
        defects = [line for line in made.log.read_text().splitlines() if ".defect" in line]
    found["wrong"] += [f"in the log: {line[:300]}" for line in defects[:5]]
    for line in found["wrong"]:
        say(f"MISS {line}")
    say(json.dumps(found, ensure_ascii=False))
    return 1 if found["wrong"] else 0


def _run(plan: Plan, rows: list[Row], made: Target, *, slow: bool) -> dict[str, Any]:
    honest, meter = Honest(made.address, made.honest), Meter(made.pids)
    try:
        _stretch(honest, 3.0)
        resting = meter.resident_mb()
        costs = {row.name: cost.measure(row, made, meter, plan.times) for row in rows}
        quiet = _stretch(honest, plan.quiet)
        say(f"quiet: {len(quiet.milliseconds)} calls, p99 {quiet.p99:.1f} ms")
        lines = [_under(plan, row, costs[row.name], quiet, made, honest) for row in rows]
        if slow:
            lines += [_slow(plan, kind, quiet, made, honest, meter) for kind in SLOW]
    finally:
        honest.end()
    wrong = list(chain.from_iterable(line["wrong"] for line in lines))
    all_times = tuple(chain.from_iterable(line.pop("milliseconds") for line in lines))
    together = Stretch(all_times, {})
    most = max(plan.slack * TIMES_QUIET * quiet.p99, SHORT_P99_MS)
    if not plan.closing and together.p99 > most:
        wrong.append(f"p99 of all rows is {together.p99:.1f} ms, quiet {quiet.p99:.1f} ms")
    if quiet.failures:
        wrong.append(f"quiet, and yet: {quiet.failures}")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    return {
        "rows": len(lines),
        "quiet_p99_ms": quiet.p99,
        "p99_ms": together.p99,
        "dearest_ms": max((line["cpu_ms"] for line in lines), default=0),
        "largest_mb": max((line["growth_mb"] for line in lines), default=0),
        "resident_mb": [round(resting), round(meter.resident_mb())],
        "wrong": wrong,
    }


def _stretch(honest: Honest, seconds: float) -> Stretch:
    honest.go()
    time.sleep(seconds)
    return honest.stop()


def _under(
    plan: Plan, row: Row, costs: list[cost.Cost], quiet: Stretch, made: Target, honest: Honest
) -> dict[str, Any]:
    seen, came = load.under(row, made, honest, plan.each)
    wrong = [f"{row.name}: {miss}" for each in costs for miss in each.misses(plan.slack)]
    allowed = {"busy"}.union(*(
        expect for shot in row.shots for _, _, expect in cost.callers(shot, made.key)
    ))  # fmt: skip
    wrong += [f"{row.name}: {what} came" for what in sorted(set(came) - allowed)]
    line = {
        "attack": row.name,
        "messages": sorted({each.shot for each in costs}),
        "came": sorted({each.came for each in costs} | set(came)),
        "sent": came.total(),
        "cpu_ms": round(max(each.cpu_ms for each in costs), 1),
        "dearest": max(costs, key=lambda each: each.cpu_ms).shot,
        "growth_mb": round(max(each.growth_mb for each in costs), 1),
        "largest": max(costs, key=lambda each: each.growth_mb).shot,
    }
    return _told(plan, line, seen, quiet, wrong)


def _slow(
    plan: Plan, kind: str, quiet: Stretch, made: Target, honest: Honest, meter: Meter
) -> dict[str, Any]:
    meter.forget_peak()
    before = meter.cpu()
    crowd = Crowd(made.address, kind, (f"x-api-key: {made.key}", "x-none: x"))
    try:
        honest.go()
        crowd.hold(plan.hold[kind])
        seen = honest.stop()
    finally:
        crowd.leave()
    wrong = []
    if plan.closing and crowd.closed < crowd.opened:
        wrong.append(f"slow {kind}: {crowd.opened - crowd.closed} connections are still open")
    line = {
        "attack": f"slow {kind}",
        "messages": [f"{crowd.opened} connections for {plan.hold[kind]:.0f} s"],
        "came": [f"{crowd.closed} closed"],
        "sent": crowd.opened,
        "cpu_ms": round((meter.cpu() - before) * 1e3 / crowd.opened, 1),
        "dearest": "with the honest calls of that time",
        "growth_mb": round(meter.growth_mb(), 1),
        "largest": "all connections",
    }
    return _told(plan, line, seen, quiet, wrong)


def _told(
    plan: Plan, line: dict[str, Any], seen: Stretch, quiet: Stretch, wrong: list[str]
) -> dict[str, Any]:
    """Judge what honest callers saw, and print the row."""
    ratio = seen.p99 / quiet.p99
    name = line["attack"]
    if seen.failures:
        wrong.append(f"{name}: honest callers got {seen.failures}")
    if plan.closing and ratio > TIMES_QUIET:
        wrong.append(f"{name}: p99 {seen.p99:.1f} ms is {ratio:.1f} times the quiet one")
    say(
        f"{'MISS' if wrong else 'ok  '} {name:26} {line['sent']:4} sent, honest "
        f"{len(seen.milliseconds):4} calls p99 {seen.p99:6.1f} ms = {ratio:4.1f}x, dearest "
        f"{line['cpu_ms']:6.1f} ms, {line['growth_mb']:5.1f} MB; {', '.join(line['came'])}"
    )
    return {
        **line,
        "honest_calls": len(seen.milliseconds),
        "p99_ms": seen.p99,
        "ratio": round(ratio, 2),
        "wrong": wrong,
        "milliseconds": seen.milliseconds,
    }


if __name__ == "__main__":
    sys.exit(main())
