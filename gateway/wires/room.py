"""How much of bodies a process holds at a time: one caller with a key must not fill its memory.

A body is counted as it comes, unpacked, and held until the call is answered. Used on the event loop
only, so nothing is locked.
"""

from __future__ import annotations

from collections import Counter
from typing import Self

from gateway import limits
from gateway.errors import BusyError


class Room:
    """Bytes held in all and by peer. in_all, of_one: how many may be."""

    def __init__(
        self, in_all: int = limits.BODIES_BYTES, of_one: int = limits.BODIES_BYTES_OF_PEER
    ) -> None:
        self._in_all = in_all
        self._of_one = of_one
        self._held = 0
        self._by_peer: Counter[str] = Counter()

    @property
    def held(self) -> int:
        """Bytes held now."""
        return self._held

    def body(self, peer: str) -> Body:
        """Return the count of one body; it is to be freed whatever becomes of the call."""
        return Body(self, peer)

    def take(self, peer: str, size: int) -> None:
        """Count bytes in, or raise BusyError: then nothing was counted."""
        if self._held + size > self._in_all or self._by_peer[peer] + size > self._of_one:
            raise BusyError("too much is being received at once", where="body")
        self._held += size
        self._by_peer[peer] += size

    def give(self, peer: str, size: int) -> None:
        """Count bytes out."""
        self._held -= size
        self._by_peer[peer] -= size
        if not self._by_peer[peer]:
            del self._by_peer[peer]


class Body:
    """What is held of one body."""

    __slots__ = ("_peer", "_room", "_size")

    def __init__(self, room: Room, peer: str) -> None:
        self._room = room
        self._peer = peer
        self._size = 0

    def add(self, piece: bytes) -> bytes:
        """Count a piece in and return it; raise BusyError when there is no room for it."""
        self._room.take(self._peer, len(piece))
        self._size += len(piece)
        return piece

    def free(self) -> None:
        """Give everything back; once is enough, twice does no harm."""
        if self._size:
            self._room.give(self._peer, self._size)
            self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_how: object) -> None:
        self.free()
