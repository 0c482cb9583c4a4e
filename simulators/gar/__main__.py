"""Write a synthetic delivery: `python -m simulators.gar OUT.zip --region 36 --houses 20000`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from simulators.gar import delivery, places, questions, region


def main() -> int:
    """Read the arguments, write what they ask for, say what was written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="a file that ends in .zip, or a folder")
    parser.add_argument("--region", default="36", help="code of the region, two digits")
    parser.add_argument("--houses", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--apartments", type=float, default=0.0,
        help="share of the apartment buildings whose flats are written, 0…1",
    )  # fmt: skip
    parser.add_argument("--version", type=int, default=delivery.VERSION, help="VersionId")
    parser.add_argument(
        "--delta-of", type=int, metavar="VERSION",
        help="write the delta that follows this version of the region drawn by the same options",
    )  # fmt: skip
    parser.add_argument(
        "--places", type=Path, help="places that must be there: simulators/seed/places.toml"
    )
    parser.add_argument("--questions", type=Path, help="write labelled questions here, JSON lines")
    parser.add_argument("--count", type=int, default=5_000, help="how many questions")
    parser.add_argument("--setting", choices=("easy", "hard"), default="hard")
    given = parser.parse_args()
    extra = places.read(given.places) if given.places else None
    drawn = region.plan(given.region, given.houses, given.seed, extra)
    if given.delta_of:
        delivery.after(drawn, given.out, since=given.delta_of)
    else:
        delivery.full(drawn, given.out, apartments=given.apartments, version=given.version)
    if given.questions:
        with given.questions.open("w") as file:
            for each in questions.ask(drawn, given.count, given.seed, hard=given.setting == "hard"):
                file.write(json.dumps(each._asdict(), ensure_ascii=False) + "\n")
    named = len(drawn.things)
    print(
        json.dumps(
            {
                "out": str(given.out),
                "objects": named,
                "houses": drawn.next_house - region.FIRST_HOUSE,
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
