"""Two hundred connections that never finish what they began."""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from typing import TYPE_CHECKING

from tests.attack.wire import connect

if TYPE_CHECKING:
    from collections.abc import Sequence

CONNECTIONS = 200
DRIP_SECONDS = 1.0


def beginnings(kind: str, credential: str) -> tuple[bytes, bytes]:
    """Return what every connection begins with, and what it goes on with, byte by byte."""
    if kind == "headers":
        return b"POST /soap/appeals.svc HTTP/1.1\r\nhost: 127.0.0.1\r\n", b"x-slow: y\r\n"
    head = (
        "POST /soap/appeals.svc HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: text/xml\r\n"
        f"{credential}\r\ncontent-length: 1000000\r\n\r\n<s:Envelope"
    )
    return head.encode(), b" "


class Crowd:
    """The connections; `drip` sends a little more on each, `closed` counts those that ended."""

    def __init__(self, address: str, kind: str, credentials: Sequence[str]) -> None:
        self._open: list[tuple[socket.socket, bytes]] = []
        self.opened = 0
        for number in range(CONNECTIONS):
            start, drip = beginnings(kind, credentials[number % len(credentials)])
            made = connect(address)
            made.setblocking(False)
            with contextlib.suppress(OSError):
                made.send(start)
            self._open.append((made, drip))
            self.opened += 1

    @property
    def closed(self) -> int:
        """How many the other side has ended."""
        return self.opened - len(self._open)

    def hold(self, seconds: float) -> None:
        """Go on dripping for so long, or until none is left."""
        until = time.monotonic() + seconds
        while self._open and time.monotonic() < until:
            self._drip()
            time.sleep(min(DRIP_SECONDS, max(0.0, until - time.monotonic())))
        self._look()

    def leave(self) -> None:
        """Close what is still open."""
        for made, _ in self._open:
            made.close()

    def _drip(self) -> None:
        self._look()
        for made, drip in self._open:
            with contextlib.suppress(OSError):
                made.send(drip)

    def _look(self) -> None:
        """Forget those from which the end has come."""
        with selectors.DefaultSelector() as ready:
            for made, _ in self._open:
                ready.register(made, selectors.EVENT_READ)
            ended = set()
            for key, _ in ready.select(0):
                with contextlib.suppress(BlockingIOError):
                    try:
                        if not key.fileobj.recv(65_536):
                            ended.add(key.fileobj)
                    except ConnectionError:
                        ended.add(key.fileobj)
        for made, _ in self._open:
            if made in ended:
                made.close()
        self._open = [each for each in self._open if each[0] not in ended]
