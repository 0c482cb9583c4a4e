"""The servers and worker counts that the peer may choose from; the best of them is the peer.

On a fast disk few threads are best, because the interpreter lock is what they wait for; on a slow
one many, because they wait for the disk.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final, NamedTuple

from bench.figures import Void
from bench.stand import ROOT, started

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from bench.stand import Database, Served

SITE: Final = ROOT / "build" / "bench-peers"
"""Where `make` put granian, gunicorn and a2wsgi (bench/requirements.txt)."""
_APPLICATION: Final = "bench.peers.spyne_orm:application"


class Server(NamedTuple):
    """One way to run the peer: its name, and the arguments after `python -m`."""

    name: str
    arguments: tuple[str, ...]

    def run(self, database: Database, port: int) -> AbstractContextManager[Served]:
        """Run it on a port until the end of the block."""
        command = [sys.executable, "-m", *(a.replace("PORT", str(port)) for a in self.arguments)]
        environment = {
            "PYTHONPATH": f"{SITE}:{ROOT}",
            "PYTHONWARNINGS": "ignore",
            "BENCH_DATABASE_URL": database.url,
        }
        return started(command, environment, port)


def require() -> None:
    """Raise Void unless the peer's servers are installed."""
    if not (SITE / "granian").is_dir():
        raise Void("the peer's servers are not installed: make bench-accept installs them")


def granian(workers: int, threads: int) -> Server:
    """Return granian with so many workers and threads in each."""
    return Server(
        f"granian {workers}x{threads}",
        (
            "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", "PORT",
            "--workers", str(workers), "--blocking-threads", str(threads), "--no-ws",
            "--log-level", "error", "--backlog", "2048", _APPLICATION,
        ),
    )  # fmt: skip


def gunicorn(workers: int, threads: int) -> Server:
    """Return gunicorn; without threads its workers take one call at a time."""
    kind = ("--worker-class", "gthread", "--threads", str(threads)) if threads else ()
    return Server(
        f"gunicorn {workers}x{threads or 'sync'}",
        (
            "gunicorn", "--bind", "127.0.0.1:PORT", "--workers", str(workers), *kind,
            "--log-level", "error", "--backlog", "2048", "--no-control-socket", _APPLICATION,
        ),
    )  # fmt: skip


def uvicorn(workers: int) -> Server:
    """Return uvicorn with the application in threads."""
    return Server(
        f"uvicorn {workers} a2wsgi",
        (
            "uvicorn", "--host", "127.0.0.1", "--port", "PORT", "--workers", str(workers),
            "--log-level", "error", "--no-access-log", "bench.peers.asgi:application",
        ),
    )  # fmt: skip


FAST_DISK: Final = (
    granian(1, 1), granian(2, 1), granian(2, 2), granian(3, 1), granian(4, 1), gunicorn(2, 0),
    gunicorn(4, 0), gunicorn(2, 4), uvicorn(2),
)  # fmt: skip
SLOW_DISK: Final = (
    granian(2, 1), granian(2, 8), granian(2, 32), granian(4, 8), gunicorn(8, 0),
    gunicorn(16, 0), gunicorn(2, 16), gunicorn(2, 32), gunicorn(4, 16), uvicorn(2),
)  # fmt: skip
QUICK: Final = (granian(2, 1), gunicorn(2, 0), gunicorn(2, 16))
