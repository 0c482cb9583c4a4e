"""uvicorn with what it lacks (design §2.5); `gateway.connection` is what one connection may do."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn

from gateway.acceptor import Acceptor
from gateway.connection import GuardedProtocol
from gateway.gost.certificates import require_for_tls

if TYPE_CHECKING:
    from collections.abc import Callable


def listen(host: str, port: int) -> socket.socket:
    """Bind and listen; processes that share a port inherit this socket."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((host, port))
    bound.listen(2048)
    bound.setblocking(False)
    return bound


def tls_options(certificate: str, key: str, client_ca: str) -> dict[str, Any] | None:
    """Return what `run` takes as tls: paths of PEM files; None without a certificate.

    With client_ca a client certificate is asked for and put into the scope; one of another
    authority, or out of its validity, ends the handshake. Who has none may call: what a caller must
    prove belongs to the peer, and many prove it by a key (docs/adr/0016).
    """
    if not certificate:
        return None
    require_for_tls(Path(certificate), "tls_cert")
    options: dict[str, Any] = {"ssl_certfile": certificate, "ssl_keyfile": key or None}
    if client_ca:
        options |= {"ssl_ca_certs": client_ca, "ssl_cert_reqs": ssl.CERT_OPTIONAL}
    return options


def run(
    app: Any,
    bound: socket.socket,
    *,
    tls: dict[str, Any] | None = None,
    ready: Callable[[], None] | None = None,
) -> None:
    """Serve an ASGI application on a listening socket until SIGTERM or SIGINT.

    Garbage: what was loaded at start is frozen and the first threshold raised, which took a third
    off the 99th percentile (docs/adr/0002).
    """
    config = uvicorn.Config(
        app,
        http=GuardedProtocol,
        loop="uvloop",
        lifespan="on",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        proxy_headers=False,  # it believes any process of this machine; see access/proxies.py
        timeout_keep_alive=75,
        timeout_graceful_shutdown=20,
        backlog=2048,
        **(tls or {}),
    )
    server = _Server(config, ready)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    server.run(sockets=[bound])


class _Server(uvicorn.Server):
    """Says when it answers."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, accept with an acceptor of our own, then tell."""
        await super().startup(sockets=[])
        loop = asyncio.get_running_loop()
        for bound in sockets or ():
            acceptor = Acceptor(
                loop, bound, self._protocol, self.config.ssl, GuardedProtocol.crowded
            )
            acceptor.start()
            self.servers.append(acceptor)  # type: ignore[arg-type]
        if self._ready and self.started:
            self._ready()

    def _protocol(self) -> GuardedProtocol:
        return GuardedProtocol(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
