"""Runs the programs of the clients, two at a time, and reads the lines they print."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.interop.rows import FEATURES, PENDING, Peer
from tests.interop.stand import BARRED, CHECKOUT, DIGEST, SIGNER, TLS, Stand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

HERE: Final = Path(__file__).parent
BUILD: Final = CHECKOUT / "build/interop"
AT_ONCE: Final = 2
SECONDS: Final = 400
"""What one client may take, its compilation included; on a quiet machine the slowest takes 45."""
DETAIL_CHARS: Final = 300
TEXT: Final = 'Во дворе дома № 5 «Ёлочка» — темно: <фонарь> & "лампа"'
"""Letters, quotes and dashes that windows-1251 has too, and what XML has to escape."""


class Cell(NamedTuple):
    """What became of one feature with one client."""

    verdict: str
    """ok, fail, missing, cannot or pending; skipped for a client that is not installed."""
    detail: str = ""


class Outcome(NamedTuple):
    """What became of one client."""

    peer: Peer
    version: str
    cells: dict[str, Cell]
    seconds: float = 0.0

    @property
    def wrong(self) -> list[str]:
        """Features that fail the run."""
        return [name for name, cell in self.cells.items() if cell.verdict in ("fail", "missing")]


def missing(peer: Peer) -> list[str]:
    """The Debian packages that a client needs and this machine lacks."""
    lacking = []
    for needed, package in peer.needs.items():
        there = list(Path("/").glob(needed[1:])) if needed[0] == "/" else shutil.which(needed)
        if not there:
            lacking.append(package)
    return lacking


def skipped(peer: Peer, packages: list[str]) -> Outcome:
    """The outcome of a client that is not installed; in CI that is a failure."""
    why = f"install {' '.join(packages)}"
    verdict = "missing" if os.environ.get("CI") == "true" else "skipped"
    return Outcome(peer, "", dict.fromkeys(peer.expected, Cell(verdict, why)))


def run_all(stand: Stand, peers: Iterable[Peer], told: Callable[[Outcome], None]) -> list[Outcome]:
    """Run the clients; tell each outcome as it comes."""

    def one(peer: Peer) -> Outcome:
        outcome = run(stand, peer)
        told(outcome)
        return outcome

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, sorted(peers, key=lambda peer: -peer.slow)))


def run(stand: Stand, peer: Peer) -> Outcome:
    """Compile and run one client from the served description."""
    build = BUILD / peer.name
    build.mkdir(parents=True, exist_ok=True)
    log = build / "peer.log"
    begun = os.times().elapsed
    with log.open("wb") as sink:
        process = subprocess.Popen(
            ["bash", str(HERE / peer.name / "peer.sh")],
            cwd=build, env=_environment(stand, peer, build), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=sink, start_new_session=True,
        )  # fmt: skip
        try:
            printed, _ = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            printed, _ = process.communicate()
    (build / "peer.out").write_bytes(printed)
    version, cells = read(peer, printed.decode("utf-8", "replace"), str(log.relative_to(CHECKOUT)))
    return Outcome(peer, version, cells, os.times().elapsed - begun)


def read(peer: Peer, printed: str, log: str) -> tuple[str, dict[str, Cell]]:
    """Return the version and a cell for every row that is expected, and for any other printed."""
    said: dict[str, Cell] = {}
    for line in printed.splitlines():
        name, _, rest = line.partition("\t")
        verdict, _, detail = rest.partition("\t")
        if name in {*FEATURES, "version"} and verdict in ("ok", "fail", "cannot"):
            said[name] = Cell(verdict, detail[:DETAIL_CHARS])
    version = said.pop("version", Cell("missing")).detail
    cells = {name: Cell("cannot", why) for name, why in peer.cannot.items()}
    for name in (*peer.expected, *said):
        cell = said.get(name, Cell("missing", f"the program printed no such row; see {log}"))
        cells[name] = _judged(peer, name, cell)
    return version, {name: cells[name] for name in FEATURES if name in cells}


def pending(peer: Peer, name: str) -> str:
    """Why the gateway cannot show this yet, empty when it can."""
    return PENDING.get(f"{peer.name} {name}") or PENDING.get(name, "")


def _judged(peer: Peer, name: str, cell: Cell) -> Cell:
    """What a printed row means: pending ones do not fail; in CI nothing may be left out."""
    waits = pending(peer, name)
    if cell.verdict == "ok":
        note = "no longer pending: take it out of PENDING" if waits else ""
        return cell._replace(detail=" · ".join(filter(None, (cell.detail, note))))
    if waits and cell.verdict == "fail":
        return Cell("pending", f"{waits} ({cell.detail})")
    if cell.verdict == "cannot" and os.environ.get("CI") == "true":
        return Cell("fail", cell.detail)
    return cell


def _environment(stand: Stand, peer: Peer, build: Path) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GATEWAY_", "INTEROP_")) and not name.lower().endswith("_proxy")
    }
    given = {
        "HTTP": stand.http,
        "HTTPS": stand.https,
        "BUSY": stand.busy,
        "PEER": peer.name,
        "KEY": stand.keys[peer.name],
        "DIGEST": peer.name + DIGEST,
        "SECRET": stand.secrets[peer.name],
        "SIGNER": peer.name + SIGNER,
        "TLS": peer.name + TLS,
        "BARRED": BARRED,
        "BARRED_KEY": stand.keys[BARRED],
        "CA": str(stand.authority.path),
        "ANSWERS_CERT": str(stand.authority.paths("answers")[0]),
        "TEXT": TEXT,
        "PYTHON": sys.executable,
        "HERE": str(HERE / peer.name),
        "BUILD": str(build),
    }
    for end in (SIGNER, TLS):
        certificate, key = stand.authority.paths(peer.name + end)
        name = end[1:].upper()
        given |= {f"{name}_CERT": str(certificate), f"{name}_KEY": str(key)}
    named = {f"INTEROP_{name}": value for name, value in given.items()}
    return kept | {"LC_ALL": "C.UTF-8", "TZ": "Europe/Moscow"} | named
