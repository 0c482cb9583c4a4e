"""`python -m tests.interop`: live SOAP clients against the gateway, a row a client and feature."""

from __future__ import annotations

import argparse
import json
import sys
import time

from tests.interop import report
from tests.interop.rows import PEERS
from tests.interop.run import Outcome, missing, run_all, skipped
from tests.interop.stand import Stand
from tests.survive.say import say


def main() -> int:
    """Run the clients asked for; the last line is JSON, the exit status 0 when nothing failed."""
    parser = argparse.ArgumentParser(prog="tests.interop", description=__doc__)
    names = [peer.name for peer in PEERS]
    parser.add_argument("--only", choices=names, action="append", help="only this client")
    parser.add_argument("--keep", action="store_true", help="keep the gateway's directory")
    parser.add_argument("--write", action="store_true", help="write docs/reference/interop.md")
    args = parser.parse_args()
    begun = time.monotonic()
    asked = [peer for peer in PEERS if not args.only or peer.name in args.only]
    lacking = {peer.name: packages for peer in asked if (packages := missing(peer))}
    there = [peer for peer in asked if peer.name not in lacking]
    with Stand(keep=args.keep) as stand:
        stand.start([peer.name for peer in there])
        for peer in there:
            if peer.seeded:
                stand.seed(peer.name)
        say(f"{stand.http} {stand.https} ({stand.root})")
        outcomes = run_all(stand, there, _told)
        defects = stand.defects()
    outcomes += [skipped(peer, lacking[peer.name]) for peer in asked if peer.name in lacking]
    outcomes.sort(key=lambda outcome: names.index(outcome.peer.name))
    say(report.terminal(outcomes))
    for line in defects:
        say(f"a defect of ours: {line[:500]}")
    found = report.document(outcomes, time.monotonic() - begun)
    wrong = {outcome.peer.name: outcome.wrong for outcome in outcomes if outcome.wrong}
    if not args.only:
        report.save(found)
    if args.write and not args.only and not lacking:
        report.PAGE.write_text(report.page(outcomes), "utf-8")
    told = {"seconds": found["seconds"], "counts": found["counts"], "wrong": wrong}
    say(json.dumps(told | {"defects": len(defects)}, ensure_ascii=False))
    return 1 if wrong or defects else 0


def _told(outcome: Outcome) -> None:
    good = sum(cell.verdict == "ok" for cell in outcome.cells.values())
    say(f"{outcome.version or outcome.peer.title}: {good} ok in {outcome.seconds:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
