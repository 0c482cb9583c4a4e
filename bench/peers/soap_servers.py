"""The servers and worker counts that the peer of soap-http may choose from, without a database."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from bench.peers import servers
from bench.stand import ROOT, started

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from bench.peers.servers import Server
    from bench.stand import Served

_OURS: Final = {
    "bench.peers.spyne_orm:application": "bench.peers.soap_spyne:application",
    "bench.peers.asgi:application": "bench.peers.soap_asgi:application",
}
"""The application of this peer for each of the other's."""


def run(server: Server, port: int) -> AbstractContextManager[Served]:
    """Run the peer under a server until the end of the block."""
    words = (_OURS.get(word, word).replace("PORT", str(port)) for word in server.arguments)
    environment = {"PYTHONPATH": f"{servers.SITE}:{ROOT}", "PYTHONWARNINGS": "ignore"}
    return started([sys.executable, "-m", *words], environment, port)


ALL: Final = (
    servers.granian(1, 1), servers.granian(2, 1), servers.granian(1, 4), servers.granian(2, 2),
    servers.gunicorn(1, 0), servers.gunicorn(2, 0), servers.gunicorn(2, 4), servers.uvicorn(2),
)  # fmt: skip
QUICK: Final = (servers.granian(1, 1), servers.granian(2, 1), servers.gunicorn(2, 0))
