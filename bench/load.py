"""The load: wrk with 64 connections that send unique submissions, and what it saw."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

import msgspec

from bench.figures import Void

CONNECTIONS: Final = 64
BODY: Final = Path(__file__).parents[1] / "tests" / "data" / "submit_appeal_2k.xml"
SCRIPT: Final = Path(__file__).parent / "submit.lua"
DRAIN_SECONDS: Final = 60
"""What is on its way when the sending ends is waited for, at most so long."""


class Seen(msgspec.Struct, frozen=True):
    """What wrk saw; times are microseconds, `refused` are answers that were no success."""

    answers: int
    refused: int
    connect: int
    read: int
    write: int
    timeout: int
    p50: float
    p90: float
    p99: float
    worst: float
    seconds: float = 0.0
    """From the first request to the last answer."""

    @property
    def rate(self) -> float:
        """Successes a second."""
        return (self.answers - self.refused) / self.seconds


def require_wrk() -> str:
    """Return the path of wrk; raise Void that names the package."""
    found = shutil.which("wrk")
    if found is None:
        raise Void("wrk is not installed: apt-get install wrk")
    return found


def drive(port: int, *, key: str, prefix: str, seconds: float) -> Seen:
    """Send submissions for so many seconds, wait for the last answers, and return what was seen.

    prefix: begins the external ids of this drive; must be used once a database. Raises Void when
    an answer was no success or a connection broke.
    """
    window = int(seconds) + DRAIN_SECONDS
    command = [
        require_wrk(), "-t1", f"-c{CONNECTIONS}", f"-d{window}s", "--timeout", "30s",
        "-s", str(SCRIPT), f"http://127.0.0.1:{port}", "--", str(BODY), prefix, key, str(seconds),
        str(CONNECTIONS),
    ]  # fmt: skip
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    lines = ended.stdout.strip().splitlines()
    spans = [line.partition(" ")[2] for line in lines if line.startswith("span ")]
    if ended.returncode != 0 or not lines or not lines[-1].startswith("{"):
        raise Void(f"wrk failed: {ended.stdout[-400:]} {ended.stderr[-400:]}")
    if not spans:
        raise Void(f"some calls had no answer after {DRAIN_SECONDS} s: {lines[-1]}")
    seen = msgspec.json.decode(lines[-1], type=Seen)
    seen = msgspec.structs.replace(seen, seconds=float(spans[0]))
    if seen.refused or seen.connect or seen.write or seen.timeout or not seen.answers:
        raise Void(f"not every call was a success: {seen}")
    return seen
