"""How much of bodies a process holds at a time: one caller with a key must not fill its memory.

A body is counted as it comes, unpacked, and held until the call is answered; a stranger's packed
one as what came, until it is whole. Used on the event loop only, so nothing is locked.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Self

from gateway import limits
from gateway.access.strangers import networks
from gateway.errors import BusyError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    Receive = Callable[[], Awaitable[dict[str, Any]]]


class Room:
    """Bytes held in all and by peer. in_all, of_one: how many may be."""

    def __init__(
        self, in_all: int = limits.BODIES_BYTES, of_one: int = limits.BODIES_BYTES_OF_PEER
    ) -> None:
        self._in_all = in_all
        self._of_one = of_one
        self._held = 0
        self._by_peer: Counter[str] = Counter()
        self._packages: Counter[str] = Counter()

    @property
    def held(self) -> int:
        """Bytes held now."""
        return self._held

    @cached_property
    def strangers(self) -> Strangers:
        """The room of those who have proven nothing yet; its peers are addresses."""
        return Strangers(limits.STRANGERS_BODIES_BYTES, limits.STRANGER_BODIES_BYTES)

    def body(self, peer: str) -> Body:
        """Return the count of one body; it is to be freed whatever becomes of the call."""
        return Body(self, peer)

    @contextmanager
    def package(self, peer: str) -> Iterator[None]:
        """Count a package while it comes in, or raise BusyError.

        Its parts are not in memory, but each takes space on the disk and a thread now and then.
        """
        if (
            self._packages[peer] >= limits.PACKAGES_OF_PEER
            or self._packages.total() >= limits.PACKAGES_AT_ONCE
        ):
            raise BusyError("too many packages are being received at once", where="package")
        self._packages[peer] += 1
        try:
            yield
        finally:
            self._packages[peer] -= 1
            if not self._packages[peer]:
                del self._packages[peer]

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


class Strangers(Room):
    """The room of callers who have proven nothing yet, by address; it is not that of the others.

    Of IPv6 the network of a customer and that of a site count, as `gateway.access.strangers` has
    it. What an address may hold falls with the square of what is free: few of them cannot fill the
    room, and what many leave is enough for short messages of those that come later.
    """

    @contextmanager
    def package(self, peer: str) -> Iterator[None]:
        """Count a package of an address, or raise BusyError."""
        with super().package(networks(peer)[-1]):
            yield

    def take(self, peer: str, size: int) -> None:
        """Count bytes in, or raise BusyError: then nothing was counted."""
        free = (self._in_all - self._held) / self._in_all
        share = self._of_one * free * free
        site, own = networks(peer)[:-1], networks(peer)[-1]
        if self._by_peer[own] + size > share or any(
            self._by_peer[name] + size > limits.STRANGER_SITE * share for name in site
        ):
            raise BusyError("too much is being received at once", where="body")
        self._held += size
        for name in (*site, own):
            self._by_peer[name] += size

    def give(self, peer: str, size: int) -> None:
        """Count bytes out."""
        self._held -= size
        for name in networks(peer):
            self._by_peer[name] -= size
            if not self._by_peer[name]:
                del self._by_peer[name]


class Body:
    """What is held of one body."""

    __slots__ = ("_size", "peer", "room")

    def __init__(self, room: Room, peer: str) -> None:
        self.room = room
        self.peer = peer
        self._size = 0

    def claim(self, peer: str, size: int) -> None:
        """Count so many bytes in for a peer that is known only now; raise BusyError."""
        self.free()
        self.peer = peer
        self.room.take(peer, size)
        self._size = size

    def add(self, piece: bytes) -> bytes:
        """Count a piece in and return it; raise BusyError when there is no room for it."""
        if not piece:  # else its sender's name would stay, which nothing is given back for
            return piece
        self.room.take(self.peer, len(piece))
        self._size += len(piece)
        return piece

    def free(self) -> None:
        """Give everything back; once is enough, twice does no harm."""
        if self._size:
            self.room.give(self.peer, self._size)
            self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_how: object) -> None:
        self.free()


def as_it_came(receive: Receive, headers: Mapping[str, str], held: Body, most: int) -> Receive:
    """Return a receive that gives a packed body when it is whole; anything else as it comes.

    A stranger's then holds what it sent until there is something to be read, not a hundred times as
    much. most: bytes that it is waited for; a package, whose files come later, for fewer.
    """
    if headers.get("content-encoding", "").strip().lower() in ("", "identity"):
        return receive
    if headers.get("content-type", "").lower().startswith("multipart/"):
        most = min(most, limits.STRANGER_PACKED_BYTES)
    begun = False

    async def received() -> dict[str, Any]:
        nonlocal begun
        message = await receive()
        if begun:
            return message
        come = bytearray()
        while message.get("more_body") and len(come) < most:
            come += held.add(message.get("body", b""))
            message = await receive()
        begun = True
        held.free()
        return {**message, "body": bytes(come) + message.get("body", b"")}

    return received


ANSWER: Final[ContextVar[Body | None]] = ContextVar("ANSWER", default=None)
"""What the answer of this call holds until it was read; set by `gateway.app`, freed by it."""
