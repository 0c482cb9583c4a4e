"""Threads that parse what a stranger sent, and what is too large for the event loop.

libxml2 keeps every name that a thread ever met for as long as the thread lives: new names in each
document, and a thread takes three bytes for each one sent, for good (measured: 123 MB in 40
requests). So these threads are replaced when they have read so much, and what they kept goes.
"""

from __future__ import annotations

import asyncio
import ctypes
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from gateway import limits
from gateway.errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
THREADS: Final = 2
_MALLOC_TRIM: Final = getattr(ctypes.CDLL(None), "malloc_trim", None)


class Parsing:
    """The threads of one process. Used on the event loop only.

    renewed_after: bytes after which they are replaced. refused: bytes of documents that a caller
    may have had refused beyond those that were taken, before its small ones are read here too.
    """

    def __init__(
        self,
        renewed_after: int = limits.PARSED_BYTES,
        refused: int = limits.REFUSED_BYTES,
    ) -> None:
        self._renewed_after = renewed_after
        self._most_refused = refused
        self._left = 0
        self._threads: ThreadPoolExecutor | None = None
        self._refused: Counter[str] = Counter()

    async def run(self, size: int, work: Callable[..., T], *arguments: Any) -> T:
        """Do the work in one of the threads. size: bytes that it parses."""
        if self._threads is None or self._left <= 0:
            self._renew()
        self._left -= size
        loop = asyncio.get_running_loop()
        done, error = await loop.run_in_executor(self._threads, partial(_tried, work, arguments))
        if error is not None:
            try:
                raise error
            finally:
                del error  # else it holds this place, and this place holds it
        return cast("T", done)

    def trusts(self, peer: str) -> bool:
        """Whether small documents of this caller may be read on the event loop."""
        return bool(peer) and self._refused[peer] <= self._most_refused

    def judged(self, peer: str, size: int, *, taken: bool) -> None:
        """Remember that a document of a caller was taken or refused: known names, or any."""
        if not taken:
            self._refused[peer] += size
        elif peer in self._refused:
            self._refused[peer] -= size
            if self._refused[peer] <= 0:
                del self._refused[peer]

    def close(self) -> None:
        """Let the threads end when they have finished what they were given."""
        if self._threads is not None:
            self._threads.shutdown(wait=False)
            self._threads = None

    def _renew(self) -> None:
        self.close()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="parse")
        self._threads.submit(_trim)
        self._left = self._renewed_after


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


def _trim() -> None:
    """Give back to the system what threads that have ended left in their arenas (glibc only).

    Otherwise it stays with the process, in as many arenas as there are threads.
    """
    if _MALLOC_TRIM is not None:
        _MALLOC_TRIM(0)
