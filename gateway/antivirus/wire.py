"""A connection to an antivirus, with a deadline for the question as a whole."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from gateway.errors import BusyError
from gateway.limits import KB

if TYPE_CHECKING:
    from collections.abc import Iterator

RETRY_SECONDS = 30
_READ_BYTES = 8 * KB


class Place(NamedTuple):
    """Where an antivirus listens: host and port, or the path of a unix socket."""

    host: str = ""
    port: int = 0
    path: str = ""


class Wire:
    """One connection. deadline: of `time.monotonic`."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline

    def send(self, data: bytes) -> None:
        """Send bytes; raise OSError."""
        self._connection.settimeout(self._left())
        self._connection.sendall(data)

    def receive(self) -> bytes:
        """Return what comes next, b"" at the end; raise OSError."""
        self._connection.settimeout(self._left())
        return self._connection.recv(_READ_BYTES)

    def _left(self) -> float:
        left = self._deadline - monotonic()
        if left <= 0:
            raise TimeoutError
        return left


@contextmanager
def connected(place: Place, seconds: float) -> Iterator[Wire]:
    """Give a connection; raise BusyError when the antivirus cannot be reached or breaks off."""
    deadline = monotonic() + seconds
    try:
        with _connect(place, seconds) as connection:
            yield Wire(connection, deadline)
    except OSError as error:
        raise BusyError(
            "the file cannot be checked for viruses now",
            retry_after=RETRY_SECONDS,
            where=f"antivirus: {type(error).__name__}",
        ) from error


def _connect(place: Place, seconds: float) -> socket.socket:
    if not place.path:
        return socket.create_connection((place.host, place.port), timeout=seconds)
    made = socket.socket(socket.AF_UNIX)
    try:
        made.settimeout(seconds)
        made.connect(place.path)
    except OSError:
        made.close()
        raise
    return made
