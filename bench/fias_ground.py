"""What the benches of addresses stand on: a synthetic region, written and loaded once a run."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bench.command import say
from bench.figures import Void
from bench.stand import ROOT, stand
from simulators.gar import delivery, questions, region

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.stand import Database
    from simulators.gar.questions import Question

REGION: Final = 36
SEED: Final = 7
HOUSES: Final = 1_000_000
ASKED: Final = 5_000
OTHER_SEEDS: Final = (11, 12)
"""More questions of the same kind, which nobody has looked at while the resolver was made."""
SHORT_HOUSES: Final = 20_000
SHORT_ASKED: Final = 500
SETTINGS: Final = {"shared_buffers": "512MB", "max_wal_size": "8GB"}


class Ground(NamedTuple):
    """A loaded region: its delivery, its database, what is asked of it, and how loading went.

    loaded: seconds, rows and bytes of staging; seconds of what makes it searchable; peak memory.
    """

    directory: Path
    archive: Path
    database: Database
    asked: list[Question]
    others: dict[int, list[Question]]
    houses: int
    loaded: dict[str, Any]


@contextmanager
def ground(*, short: bool) -> Iterator[Ground]:
    """Write the delivery, load it in a process of its own, lend it until the end of the block."""
    houses, count = (SHORT_HOUSES, SHORT_ASKED) if short else (HOUSES, ASKED)
    with stand(SETTINGS) as made:
        drawn = region.plan(f"{REGION:02d}", houses, SEED)
        archive = made.directory / "gar_xml.zip"
        delivery.full(drawn, archive)
        asked = questions.ask(drawn, count, SEED, hard=True)
        others = {
            other: questions.ask(drawn, count, other, hard=True)
            for other in (() if short else OTHER_SEEDS)
        }
        del drawn
        say(f"a region of {houses} houses, {archive.stat().st_size / 1e6:.0f} MB packed")
        database = made.database("fias")
        loaded = child("load", database.url, str(archive), f"{REGION:02d}")
        say(
            f"staged in {loaded['staging']:.1f} s, searchable after"
            f" {loaded['searchable']:.1f} s more, peak {loaded['peak_mb']:.0f} MB"
        )
        yield Ground(made.directory, archive, database, asked, others, houses, loaded)


def child(*words: str) -> dict[str, Any]:
    """Run a part of a bench in a process of its own, and return what it found."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.fias_child", *words],
        cwd=ROOT, stdout=subprocess.PIPE, check=False,
    )  # fmt: skip
    if done.returncode:
        raise Void(f"{words[0]} ended with {done.returncode}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def packed(archive: Path, beginning: str) -> str:
    """Return the name of the member that begins so: `36/AS_HOUSES_2`."""
    with zipfile.ZipFile(archive) as opened:
        return next(name for name in opened.namelist() if name.startswith(beginning))
