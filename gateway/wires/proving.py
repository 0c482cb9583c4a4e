"""Threads that check what a message proves, and whose turn it is there.

One sender has one thread at a time, so that its dear messages make nobody else wait. What is made
canonical there leaves names in the thread, as parsing does: they are replaced (`parsing`).
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

from gateway import limits
from gateway.errors import BusyError, SecurityError
from gateway.wires.parsing import THREADS, Threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

T = TypeVar("T")
_FRESH: Final = timedelta(seconds=limits.SECURITY_AGE_SECONDS + 2 * limits.SECURITY_SKEW_SECONDS)


class _Turns(asyncio.Lock):
    """Of one sender. many: those that have it or wait for it."""

    many = 0


class Proving:
    """The threads of one process. Used on the event loop only.

    renewed_after: bytes of documents after which they are replaced. waiting: proofs of one sender
    at a time, the one under way among them.
    """

    def __init__(
        self,
        renewed_after: int = limits.PARSED_BYTES,
        waiting: int = limits.PROOFS_OF_SENDER,
    ) -> None:
        self._threads = Threads(THREADS, renewed_after)
        self._waiting = waiting
        self._turns: dict[str, _Turns] = {}
        self._spent: OrderedDict[bytes, datetime] = OrderedDict()
        self._coming: set[bytes] = set()

    async def run(self, sender: str, size: int, work: Callable[..., T], *arguments: Any) -> T:
        """Do the work when it is the sender's turn; raise BusyError when too much of his waits.

        sender: whom it is counted for, proven or not. size: bytes of the document.
        """
        turns = self._turns.setdefault(sender, _Turns())
        if turns.many >= self._waiting:
            raise BusyError("too many proofs of one sender wait", where="Security")
        turns.many += 1
        try:
            async with turns:
                return await self._threads.run(size, work, *arguments)
        finally:
            turns.many -= 1
            if not turns.many:
                del self._turns[sender]

    def turn(self, sender: str, size: int) -> Turn:
        """Return what the proof of one message needs; see `run`."""
        return Turn(self, sender, size)

    def spent(self, seen: bytes, now: datetime) -> None:
        """Remember that the message of this signature was taken, while it would be fresh."""
        self._spent[seen] = now + _FRESH
        while len(self._spent) > limits.SIGNATURES_SPENT or next(iter(self._spent.values())) < now:
            self._spent.popitem(last=False)

    @contextmanager
    def package(self, seen: bytes) -> Iterator[None]:
        """Let one package come in under a signature; raise SecurityError or BusyError.

        Whoever caught a signed envelope could keep all places of its peer with it. That a message
        came before is known here of this process only; `envelope.prove` asks the one memory.
        """
        if seen in self._spent:
            raise SecurityError(
                "the message was sent before",
                "FailedCheck",
                where="/Envelope/Header/Security",
                todo="send a repeat with a new Timestamp, Nonce and signature",
            )
        if seen in self._coming:
            raise BusyError("a package with this signature is being received", where="package")
        self._coming.add(seen)
        try:
            yield
        finally:
            self._coming.discard(seen)

    def close(self) -> None:
        """Let the threads end when they have finished what they were given."""
        self._threads.close()


class Turn:
    """One message of a sender in these threads. size: bytes of its envelope."""

    def __init__(self, proving: Proving, sender: str, size: int) -> None:
        self.size = size
        self.package = proving.package
        self._proving = proving
        self._sender = sender

    async def run(self, work: Callable[..., T], *arguments: Any) -> T:
        """Do the work when it is the sender's turn; raise BusyError when too much of his waits."""
        return await self._proving.run(self._sender, self.size, work, *arguments)
