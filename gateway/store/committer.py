"""Group commit: one thread a process writes what is waiting, in one transaction, then wakes all.

No timer: the batch is whatever queued while the last one was being written, so a lone caller waits
for nobody and a crowd shares one fsync. What the event loop brings is gathered until its turns
bring no more, and handed over together: a thread woken in the middle would take the interpreter
lock from the loop for a batch of a few, and a batch costs nearly the same whatever its size. A lone
caller waits for three empty turns, some microseconds. Batches are sorted by key: unsorted ones
deadlock between nodes. An acknowledgement is given only after COMMIT returned (docs/adr/0002).

Failure classes: connection lost → every waiter gets `BusyError` at once and the batch is dropped
(a repeat finds what was committed, if it was); data error → the batch is halved until the poisoned
entry stands alone; serialization → the same batch again.

Entries with long bodies have a thread and a connection of their own, and shorter transactions: a
package of 9 MB takes the database a third of a second, and who sends an appeal of 2 KB meanwhile
would wait for all of it.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

import psycopg
import structlog
from psycopg import errors as pg

from gateway import limits
from gateway.errors import BusyError, GatewayError, InternalError
from gateway.store import arrays
from gateway.store.accept import write_batch
from gateway.store.entries import AMEND

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from gateway.store.entries import Accepted, Entry

log = structlog.get_logger(__name__)

RETRIES = 5
EMPTY_TURNS = 3
"""Turns of the loop that bring nothing before a batch is handed over: a call takes as many from its
bytes to its entry, so those that were read together are written together."""
GATHER_SECONDS = 0.005
"""How long entries are gathered at most: a package brings one more with every turn."""
NOTIFY_SECONDS = 0.02
CHANNEL = "gateway_work"
TRANSIENT = (pg.DeadlockDetected, pg.SerializationFailure, pg.LockNotAvailable)
RESOURCE = (pg.InsufficientResources, pg.DiskFull, pg.OutOfMemory, pg.ReadOnlySqlTransaction)


class Committer:
    """The only writer of the accept path; start it once a process, stop it last.

    queue_items, queue_bytes: how much may wait, of short entries and again of long ones. observe:
    told the entries and the seconds of each batch.
    """

    def __init__(
        self,
        url: str,
        *,
        queue_items: int = limits.COMMIT_QUEUE_ITEMS,
        queue_bytes: int = limits.COMMIT_QUEUE_BYTES,
        observe: Callable[[int, float], None] | None = None,
    ) -> None:
        most = (queue_items, queue_bytes)
        self._short = _Line(url, "committer", most, limits.COMMIT_BATCH_BYTES, observe)
        self._long = _Line(url, "committer-long", most, limits.COMMIT_LONG_BATCH_BYTES, observe)

    def start(self) -> None:
        """Start the threads; the database may come later."""
        self._short.start()
        self._long.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Write what waits, then end; harmless when it never began."""
        self._long.stop(timeout)
        self._short.stop(timeout)

    @property
    def depth(self) -> int:
        """How many entries wait, for the metric and the bound."""
        return self._short.depth + self._long.depth

    def submit(self, entry: Entry) -> Coroutine[Any, Any, Accepted]:
        """Queue an entry and return when it is durable; raise what the store found.

        A caller that goes away leaves its entry to be stored: it was taken, and the peer's repeat
        will get its receipt.
        """
        return self._line(entry).submit(entry)

    def submit_sync(self, entry: Entry, timeout: float = 60.0) -> Accepted:
        """Do the same from a thread that has no event loop."""
        return self._line(entry).submit_sync(entry, timeout)

    def _line(self, entry: Entry) -> _Line:
        return self._long if entry.size > limits.COMMIT_LONG_BYTES else self._short


class _Line:
    """One thread, its connection and what waits for it. most: entries and bytes that may wait."""

    def __init__(
        self,
        url: str,
        name: str,
        most: tuple[int, int],
        batch_bytes: int,
        observe: Callable[[int, float], None] | None,
    ) -> None:
        self._url = url
        self._name: Final = name
        self._items, self._bytes = most
        self._batch_bytes = batch_bytes
        self._observe = observe
        self._waiting: deque[Entry] = deque()
        self._gathered: dict[asyncio.AbstractEventLoop, list[Entry]] = {}
        self._waiting_items = 0
        self._waiting_bytes = 0
        self._wake = threading.Condition()
        self._stopping = False
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None
        self._pause = 0.0
        self._away_until = 0.0
        self._notified = 0.0
        self._owed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float) -> None:
        with self._wake:
            self._stopping = True
            for loop in list(self._gathered):
                self._waiting.extend(self._gathered.pop(loop))
            self._wake.notify()
        if self._thread.ident is not None:
            self._thread.join(timeout)

    @property
    def depth(self) -> int:
        return self._waiting_items

    async def submit(self, entry: Entry) -> Accepted:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Accepted] = loop.create_future()
        entry.resolve = _Waiter(loop, future)
        self._gather(loop, entry)
        return await future

    def submit_sync(self, entry: Entry, timeout: float) -> Accepted:
        done = threading.Event()
        entry.resolve = lambda _entry: done.set()
        with self._wake:
            self._admit(entry)
            self._waiting.append(entry)
            self._wake.notify()
        if not done.wait(timeout):
            raise BusyError("the store did not answer in time", where="committer")
        if entry.error is not None:
            raise entry.error
        assert entry.outcome is not None
        return entry.outcome

    def _gather(self, loop: asyncio.AbstractEventLoop, entry: Entry) -> None:
        """Keep an entry until the end of this turn of its loop."""
        with self._wake:
            self._admit(entry)
            gathered = self._gathered.get(loop)
            if gathered is not None:
                gathered.append(entry)
                return
            self._gathered[loop] = [entry]
        loop.call_soon(self._hand_over, loop, 1, 0, loop.time() + GATHER_SECONDS)

    def _hand_over(
        self, loop: asyncio.AbstractEventLoop, seen: int, empty: int, until: float
    ) -> None:
        """Hand over what was gathered once a few turns in a row have brought nothing more."""
        with self._wake:
            gathered = self._gathered.get(loop, ())
            empty = 0 if len(gathered) > seen else empty + 1
            full = len(gathered) >= limits.COMMIT_BATCH_ITEMS or self._stopping
            if empty < EMPTY_TURNS and not full and loop.time() < until:
                loop.call_soon(self._hand_over, loop, len(gathered), empty, until)
                return
            self._waiting.extend(self._gathered.pop(loop, ()))
            self._wake.notify()

    def _admit(self, entry: Entry) -> None:
        """Count an entry in, or refuse it; under the lock."""
        if time.monotonic() < self._away_until:
            raise _away()
        if (
            self._stopping
            or self._waiting_items >= self._items
            or self._waiting_bytes + entry.size > self._bytes
        ):
            raise BusyError("too many submissions wait for the store", where="committer")
        self._waiting_items += 1
        self._waiting_bytes += entry.size

    def _take(self) -> list[Entry]:
        with self._wake:
            while not self._waiting and not self._stopping:
                if not self._wake.wait(NOTIFY_SECONDS if self._owed else None):
                    return []
            batch: list[Entry] = []
            size = 0
            while self._waiting and len(batch) < limits.COMMIT_BATCH_ITEMS:
                if batch and size + self._waiting[0].size > self._batch_bytes:
                    break
                entry = self._waiting.popleft()
                size += entry.size
                batch.append(entry)
            self._waiting_items -= len(batch)
            self._waiting_bytes -= size
            return batch

    def _run(self) -> None:
        while True:
            batch = self._take()
            if batch:
                begun = time.perf_counter()
                self._commit(batch)
                _wake_all(batch)
                if self._observe:
                    self._observe(len(batch), time.perf_counter() - begun)
            elif self._stopping:
                break
            self._announce()
        self._drop_connection()

    def _commit(self, batch: list[Entry]) -> None:
        for _ in range(RETRIES):
            try:
                self._write(batch)
            except TRANSIENT as error:
                log.info("commit.retry", reason=type(error).__name__, items=len(batch))
                continue
            except RESOURCE as error:
                self._fail(batch, BusyError("the store has no room", where=type(error).__name__))
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                self._lost(batch, error)
            except psycopg.Error as error:
                self._isolate(batch, error)
            except Exception as error:  # a defect: no waiter may hang because of it
                log.exception("commit.defect", items=len(batch))
                self._drop_connection()
                self._fail(batch, InternalError(f"commit failed: {type(error).__name__}"))
            return
        self._fail(batch, BusyError("the store is contended", where="committer"))

    def _write(self, batch: list[Entry]) -> None:
        connection = self._connect()
        # A pipeline sends BEGIN with the first statement and COMMIT with the last: each wait for
        # the database costs a turn of the interpreter lock, which the event loop holds.
        with connection.pipeline(), connection.transaction():
            outcomes = write_batch(connection, batch)
        self._pause = 0.0
        for written, outcome in outcomes:
            entry = written.origin or written
            entry.amended = written.kind == AMEND
            if isinstance(outcome, Exception):
                entry.error = outcome
            else:
                entry.outcome = outcome
        self._owed = True

    def _isolate(self, batch: list[Entry], error: psycopg.Error) -> None:
        """Halve the batch until the entry that the database refuses stands alone."""
        if len(batch) > 1:
            middle = len(batch) // 2
            self._commit(batch[:middle])
            self._commit(batch[middle:])
            return
        log.error("commit.poisoned", sqlstate=error.sqlstate, operation=batch[0].message.operation)
        self._fail(
            batch, InternalError("the store refused this message", where=error.sqlstate or "")
        )

    def _lost(self, batch: list[Entry], error: Exception) -> None:
        """Tell every waiter at once; newcomers too, until it is worth trying again."""
        log.warning("commit.database_away", reason=type(error).__name__)
        self._drop_connection()
        self._pause = min(max(self._pause * 2, 0.05), 1.0)
        with self._wake:
            told = [*batch, *self._waiting]
            self._waiting_items -= len(self._waiting)
            self._waiting_bytes -= sum(entry.size for entry in self._waiting)
            self._waiting.clear()
            self._away_until = time.monotonic() + self._pause
        self._fail(told, _away())
        _wake_all(told)

    @staticmethod
    def _fail(batch: list[Entry], error: GatewayError) -> None:
        for entry in batch:
            entry.error = error

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        if self._connection is None or self._connection.closed:
            connection = psycopg.connect(
                self._url,
                autocommit=True,
                cursor_factory=psycopg.RawCursor,
                application_name=f"gateway {self._name}",
                connect_timeout=5,
                prepare_threshold=1,
            )
            arrays.register(connection)
            connection.execute("SET lock_timeout = '10s'; SET statement_timeout = '60s'")
            self._connection = connection
        return self._connection

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _announce(self) -> None:
        """Wake the workers, at most once in 20 ms and never inside the accept transaction."""
        if not self._owed or (
            not self._stopping and time.monotonic() - self._notified < NOTIFY_SECONDS
        ):
            return
        self._owed = False
        self._notified = time.monotonic()
        try:
            self._connect().execute(f"NOTIFY {CHANNEL}")
        except psycopg.Error:
            self._drop_connection()


def _away() -> BusyError:
    return BusyError("the store is away", retry_after=2, where="database")


class _Waiter:
    """Hands an outcome to a coroutine that may have gone away."""

    __slots__ = ("future", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop, future: asyncio.Future[Accepted]) -> None:
        self.loop = loop
        self.future = future

    def __call__(self, entry: Entry) -> None:
        if self.future.done():
            return
        if entry.error is not None:
            self.future.set_exception(entry.error)
        elif entry.outcome is not None:
            self.future.set_result(entry.outcome)


def _wake_all(batch: list[Entry]) -> None:
    """Wake the waiters with one call per event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Entry]] = {}
    for entry in batch:
        if isinstance(entry.resolve, _Waiter):
            by_loop.setdefault(entry.resolve.loop, []).append(entry)
        elif entry.resolve is not None:
            entry.resolve(entry)
    for loop, entries in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve, entries)
        except RuntimeError:  # the loop is closed: its waiters are gone
            log.debug("commit.loop_closed", items=len(entries))


def _resolve(entries: list[Entry]) -> None:
    for entry in entries:
        if entry.resolve is not None:
            entry.resolve(entry)
