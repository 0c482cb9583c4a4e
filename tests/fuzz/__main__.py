"""`python -m tests.fuzz`: mutated envelopes in process; every answer is a fault or a result.

A case is made from seed and index alone: `--seed 1 --only 4711` sends it again and prints the
answer. The last line is JSON; the exit status is 1 when any answer was wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from queue import Empty

from tests.fuzz import run
from tests.survive.say import say

KEPT = Path(__file__).resolve().parents[2] / "build" / "fuzz"
SAY_SECONDS = 10.0


def main() -> int:
    """Run the cases in so many processes and add up what they saw."""
    parser = argparse.ArgumentParser(prog="tests.fuzz", description=__doc__)
    parser.add_argument("-n", "--cases", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", type=int, help="one case, and its answer printed")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gateway-fuzz-") as blobs:
        if args.only is not None:
            return _one(args.seed, args.only, Path(blobs))
        return _all(args, Path(blobs))


def _all(args: argparse.Namespace, blobs: Path) -> int:
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    begun = time.monotonic()
    children = []
    for number in range(args.processes):
        indexes = range(number, args.cases, args.processes)
        given = (args.seed, indexes, blobs / str(number), KEPT, queue, number)
        children.append(context.Process(target=run.child, args=given))
    for child in children:
        child.start()
    done: Counter[int] = Counter()
    found: list[run.Found] = []
    said = begun
    while len(found) < len(children):
        try:
            number, what = queue.get(timeout=SAY_SECONDS)
        except Empty:
            if all(child.is_alive() for child in children):
                continue
            raise SystemExit("a process ended before its time") from None
        if isinstance(what, run.Found):
            found.append(what)
        else:
            done[number] = what
        if time.monotonic() - said > SAY_SECONDS:
            said = time.monotonic()
            say(f"{done.total()} of {args.cases}, {done.total() / (said - begun):.0f}/s")
    for child in children:
        child.join()
    return _tell(args, found, time.monotonic() - begun)


def _tell(args: argparse.Namespace, found: list[run.Found], seconds: float) -> int:
    kinds: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for each in found:
        kinds.update(each.kinds)
        wrong.update(each.wrong)
    cases = sum(each.cases for each in found)
    for kind, count in kinds.most_common():
        say(f"{count:8d}  {kind}")
    for reason, count in wrong.most_common():
        say(f"WRONG {count} times: {reason}")
    slowest = max(each.slowest for each in found)
    say(
        json.dumps(
            {
                "cases": cases,
                "seed": args.seed,
                "seconds": round(seconds, 1),
                "per_second": round(cases / seconds),
                "slowest_seconds": slowest[0],
                "slowest_index": slowest[1],
                "answers": dict(kinds.most_common()),
                "wrong": wrong.total(),
                "kept": "build/fuzz" if wrong else "",
            },
            ensure_ascii=False,
        )
    )
    return 1 if wrong or cases != args.cases else 0


def _one(seed: int, index: int, blobs: Path) -> int:
    case = run.made(seed, index)
    say(repr(case))
    answer = asyncio.run(run.ask(run.house(blobs), case))
    say(f"{answer.status} {answer.headers}\n{answer.body.decode(errors='replace')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
