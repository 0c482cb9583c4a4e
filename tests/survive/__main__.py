"""`python -m tests.survive`: everything the gateway must survive, with printed counts."""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

from tests.survive import crowd, kills, troubles
from tests.survive.say import say

PARTS = ("crowd", "troubles", "kills")


def main() -> int:
    """Run the parts asked for; the last line is JSON, the exit status 0 when nothing is wrong."""
    parser = argparse.ArgumentParser(prog="tests.survive", description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="how many; 5 is the short form")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=PARTS, action="append", help="only this part")
    parser.add_argument("--keep", action="store_true", help="keep the directory for a look")
    args = parser.parse_args()
    begun = time.monotonic()
    figures: dict[str, Any] = {}
    for part in args.only or PARTS:
        say(f"== {part}")
        if part == "crowd":
            figures[part] = crowd.run(keep=args.keep)
        elif part == "troubles":
            figures[part] = troubles.run(keep=args.keep)
        else:
            figures[part] = kills.run(args.kills, args.seed, keep=args.keep)
        say(json.dumps({part: figures[part]}, ensure_ascii=False))
    wrong = {part: found["wrong"] for part, found in figures.items() if found["wrong"]}
    figures |= {"wrong": wrong, "seconds": round(time.monotonic() - begun)}
    say(json.dumps(figures, ensure_ascii=False))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
