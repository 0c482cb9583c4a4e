"""Threads that parse what a stranger sent, and what is too large for the event loop.

libxml2 keeps every name that a thread ever met for as long as the thread lives: new names in each
document, and a thread takes three bytes for each one sent, for good (measured: 123 MB in 40
requests). So these threads are replaced when they have read so much, and what they kept goes.

The event loop reads what is small in its own thread, which nobody replaces. So whoever brings new
names there again and again is read in these threads too (`gateway.wires.names`).
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from functools import partial
from random import getrandbits
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from gateway import limits
from gateway.errors import GatewayError
from gateway.wires.names import Names

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
THREADS: Final = 2
_TURN: Final = sys.getswitchinterval()
_SHORT_TURN: Final = 0.0005
_NICE: Final = 10
"""A tenth of the usual share where every core is wanted. The least there is would not do: what
holds the interpreter lock must get on."""
_START_SECONDS: Final = 10.0
_LOOKED_AT: Final = 4
"""Of so many bits all are zero when the names of a small document are looked at: one in 16."""
_MALLOC_TRIM: Final = getattr(ctypes.CDLL(None), "malloc_trim", None)


class ShortTurns:
    """While something long is worked on, threads take turns of half a millisecond, not of five.

    Always, it would cost a tenth of the submissions that are taken: the thread that commits would
    interrupt the event loop. Used on the event loop only.
    """

    _many = 0

    def __enter__(self) -> None:
        if not ShortTurns._many:
            sys.setswitchinterval(_SHORT_TURN)
        ShortTurns._many += 1

    def __exit__(self, *_how: object) -> None:
        ShortTurns._many -= 1
        if not ShortTurns._many:
            sys.setswitchinterval(_TURN)


class Threads:
    """So many threads, replaced after they have read so many bytes. Used on the event loop only.

    Their successors are started in a thread: whoever starts one waits until it runs, and where
    every core is busy that took the event loop 20 ms.
    """

    def __init__(self, many: int, renewed_after: int) -> None:
        self._many = many
        self._renewed_after = renewed_after
        self._left = renewed_after
        self._threads: ThreadPoolExecutor | None = None
        self._next: asyncio.Future[ThreadPoolExecutor] | None = None

    async def run(self, size: int, work: Callable[..., T], *arguments: Any) -> T:
        """Do the work in one of them. size: bytes that it parses."""
        loop = asyncio.get_running_loop()
        if self._threads is None:
            self._threads = _threads(self._many)
        elif self._left <= 0 and self._next is None:
            self._next = loop.run_in_executor(None, _started, self._many)
            self._next.add_done_callback(self._renew)
        self._left -= size
        with ShortTurns() if size > limits.INLINE_DECODE_BYTES else nullcontext():
            tried = partial(_tried, work, arguments)
            done, error = await loop.run_in_executor(self._threads, tried)
        if error is not None:
            try:
                raise error
            finally:
                del error  # else it holds this place, and this place holds it
        return cast("T", done)

    def close(self) -> None:
        """Let them end when they have finished what they were given."""
        if self._threads is not None:
            self._threads.shutdown(wait=False)
            self._threads = None

    def _renew(self, coming: asyncio.Future[ThreadPoolExecutor]) -> None:
        """Put the successors into the place of those that are there, unless they were closed."""
        self._next = None
        if coming.cancelled() or coming.exception() is not None:
            return
        fresh = coming.result()
        if self._threads is None:
            fresh.shutdown(wait=False)
            return
        self.close()
        self._threads, self._left = fresh, self._renewed_after
        fresh.submit(_trim)


class Parsing:
    """The threads of one process. Used on the event loop only.

    renewed_after: bytes after which they are replaced. refused: bytes of documents that a caller
    may have had refused beyond those that were taken, or of names that it may have brought, before
    its small ones are read here too.
    """

    def __init__(
        self,
        renewed_after: int = limits.PARSED_BYTES,
        refused: int = limits.REFUSED_BYTES,
    ) -> None:
        self._most_refused = refused
        self._short = Threads(1, renewed_after)
        self._long = Threads(THREADS, renewed_after)
        self._refused: Counter[str] = Counter()
        self._learned: Counter[str] = Counter()
        self._names: dict[str, Names] = {}

    async def run(self, size: int, work: Callable[..., T], *arguments: Any) -> T:
        """Do the work in one of the threads. size: bytes that it parses.

        Short documents have a thread of their own: none of them waits for a long one.
        """
        threads = self._short if size <= limits.INLINE_DECODE_BYTES else self._long
        return await threads.run(size, work, *arguments)

    def trusts(self, peer: str) -> bool:
        """Whether small documents of this caller may be read on the event loop."""
        return (
            bool(peer)
            and self._refused[peer] <= self._most_refused
            and self._learned[peer] <= self._most_refused
        )

    def judged(self, peer: str, size: int, *, taken: bool) -> None:
        """Remember that a document of a caller was taken or refused: known names, or any."""
        if not taken:
            self._refused[peer] += size
        elif peer in self._refused:
            self._refused[peer] -= size
            if self._refused[peer] <= 0:
                del self._refused[peer]

    def took(self, peer: str, document: bytes) -> None:
        """Remember what names a small document brought that was read on the event loop.

        One in 16 is looked at, nobody knows which, and stands for all of them.
        """
        if getrandbits(_LOOKED_AT) or len(document) > limits.INLINE_DECODE_BYTES or not peer:
            return
        names = self._names.setdefault(peer, Names())
        self._learned[peer] += names.new(document) << _LOOKED_AT

    def close(self) -> None:
        """Let the threads end when they have finished what they were given."""
        self._short.close()
        self._long.close()


def _tried(
    work: Callable[..., T], arguments: tuple[Any, ...]
) -> tuple[T | None, GatewayError | None]:
    """Return what the work returns, or its refusal without the places it came through.

    They hold the document, and an error that passes through a future is in a cycle with it:
    megabytes would wait for the collector of garbage.
    """
    try:
        return work(*arguments), None
    except GatewayError as error:
        before: BaseException | None = error
        while before is not None:
            before.__traceback__ = None
            before = before.__context__
        return None, error


def _started(many: int) -> ThreadPoolExecutor:
    """Return so many threads, all of which run: none is started while another is free."""
    threads = _threads(many)
    running = threading.Barrier(many, timeout=_START_SECONDS)
    for _ in range(many):
        threads.submit(running.wait)
    return threads


def _threads(many: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(many, thread_name_prefix="parse", initializer=_give_way)


def _give_way() -> None:
    """Let the other threads of the machine go first: they answer, this one takes its time.

    Where two of these keep both cores, each of the five hand-overs that a short call takes waited
    for a turn of 3 ms. Linux only: elsewhere a nice value belongs to the whole process.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


def _trim() -> None:
    """Give back to the system what threads that have ended left in their arenas (glibc only).

    Otherwise it stays with the process, in as many arenas as there are threads.
    """
    if _MALLOC_TRIM is not None:
        _MALLOC_TRIM(0)
