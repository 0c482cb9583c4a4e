"""Play a whole round: `python -m simulators.channels [--count 80] [--fail 0.05] [--only pos]`."""

from __future__ import annotations

import argparse
import sys

from simulators.channels import crew
from simulators.channels.round import Round
from simulators.demo import cast
from simulators.demo.stage import Stage
from simulators.demo.tell import Teller


def main() -> int:
    """Return 0 when every appeal has its number and its answer where it came from."""
    parser = argparse.ArgumentParser(prog="simulators.channels", description=__doc__)
    parser.add_argument("--count", type=int, default=80, help="appeals in all")
    parser.add_argument("--fail", type=float, default=0.05, help="0..1 of all calls fail")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--only", default="", help="channels, by comma")
    parser.add_argument("--keep", action="store_true", help="leave the directory with all logs")
    args = parser.parse_args()
    names = [n for n in crew.present() if not args.only or n in args.only.split(",")]
    teller = Teller()
    with Stage(keep=args.keep) as stage:
        teller.say(f"Каталог: {stage.root}", "directory")
        running = crew.raise_curtain(stage, args.seed, names, args.fail)
        cast.configure(stage, adapters=tuple(names))
        stage.start_gateway()
        stage.command("org", "import", str(stage.path("bodies.csv")), "--commit")
        begun = teller.seconds
        played = Round(stage, teller, running, args.seed)
        account = played.play(args.count)
        played.reconcile()
        for name, counted in account.items():
            teller.say(
                f"{name}: {counted.given} → {counted.back}; вызовов {counted.calls}, сбоев "
                f"{counted.failed}", f"missing {list(counted.missing)[:5]}",
            )  # fmt: skip
        teller.say(f"Обращений в секунду: {args.count / (teller.seconds - begun):.0f}", "a second")
        stage.failed = any(counted.missing for counted in account.values())
        return 1 if stage.failed or teller.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
