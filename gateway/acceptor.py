"""Accepts connections one at a time, so that processes that share a socket share the callers.

libuv takes everything that waits on a listening socket at once. Whichever process of a machine woke
first then had most of the callers for as long as their connections lasted: of 64 as many as 61,
while the other processor was idle. One connection a turn of the loop lets the process that has less
to do take more (docs/adr/0005).
"""

from __future__ import annotations

import errno
import socket
from collections import Counter
from typing import TYPE_CHECKING, Final

import structlog

from gateway import limits
from gateway.exchange import leave

if TYPE_CHECKING:
    import asyncio
    import ssl
    from collections.abc import Callable

log = structlog.get_logger(__name__)

PAUSE_SECONDS: Final = 1.0
"""How long nothing is accepted after the system had no descriptor or memory for a connection."""
_NO_ROOM: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Acceptor:
    """One listening socket of a process; closed as asyncio's servers are.

    bound: listening and not blocking. protocol: makes what answers a connection. tls: context of
    the server, None over plain HTTP. crowded: says of an address and the number of its handshakes
    under way whether they are too many; of connections the protocol says it itself.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        bound: socket.socket,
        protocol: Callable[[], asyncio.Protocol],
        tls: ssl.SSLContext | None,
        crowded: Callable[[str, int], bool],
    ) -> None:
        self._loop = loop
        self._bound = bound
        self._protocol = protocol
        self._tls = tls
        self._crowded = crowded
        self._opening: set[asyncio.Task[None]] = set()
        self._shaking: Counter[str] = Counter()
        self._closed = False

    def start(self) -> None:
        """Begin to accept."""
        if not self._closed:
            self._loop.add_reader(self._bound.fileno(), self._accept)

    def close(self) -> None:
        """Accept nothing more; what was accepted goes on."""
        if not self._closed:
            self._closed = True
            self._loop.remove_reader(self._bound.fileno())

    async def wait_closed(self) -> None:
        """Return at once: `close` has done everything."""

    def _accept(self) -> None:
        """Take one of those who wait; another process may have been quicker."""
        try:
            taken, caller = self._bound.accept()
        except OSError as error:
            if error.errno in _NO_ROOM:
                log.warning("server.no_room", reason=errno.errorcode[error.errno or 0])
                self._loop.remove_reader(self._bound.fileno())
                self._loop.call_later(PAUSE_SECONDS, self.start)
            return  # it was taken by another process, or its caller has gone
        taken.setblocking(False)
        if taken.family in (socket.AF_INET, socket.AF_INET6):
            taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        address = caller[0] if isinstance(caller, tuple) else ""
        if self._tls is not None and self._crowded(address, self._shaking[address]):
            taken.close()
            return
        opening = self._loop.create_task(self._open(taken, address))
        self._opening.add(opening)
        opening.add_done_callback(self._opening.discard)

    async def _open(self, taken: socket.socket, address: str) -> None:
        handshake = None if self._tls is None else limits.HEADER_SECONDS
        self._shaking[address] += 1
        try:
            await self._loop.connect_accepted_socket(
                self._protocol, taken, ssl=self._tls, ssl_handshake_timeout=handshake
            )
        except OSError as error:  # a handshake that failed, or a caller that left within it
            log.debug("server.not_opened", reason=type(error).__name__)
            taken.close()
        finally:
            leave(self._shaking, address)
