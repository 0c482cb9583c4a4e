"""The dispatcher of one process: one thread that writes, a pool of threads that send.

A round is one transaction: settle what came back, write down the attempts about to start, lease
lanes that are due. After its commit the attempts leave, and what was leased is read and encoded for
the next round. So a delivery takes three rounds, and a round serves as many as there are: under
load one commit carries dozens (docs/adr/0012).
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import psycopg
import structlog
from psycopg import errors as pg

from gateway.dispatch.gates import Gates
from gateway.dispatch.pace import Pace
from gateway.dispatch.ports import Observer
from gateway.dispatch.prepare import Failed, Job, prepare
from gateway.dispatch.senders import Senders, Sent
from gateway.dispatch.verdict import Tried, Verdict, judge, released
from gateway.model.ids import uuid7
from gateway.store import arrays, lanes
from gateway.store.committer import CHANNEL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from gateway.dispatch.ports import Destination, Snapshots
    from gateway.store.lanes import Begun, Claimed, Settled

log = structlog.get_logger(__name__)

TRANSIENT: Final = (pg.DeadlockDetected, pg.SerializationFailure, pg.LockNotAvailable)
SESSION: Final = """
SET lock_timeout = '10s'; SET statement_timeout = '60s'; SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off
"""
"""Every statement of a round looks rows up by key, dozens at a time. A plan made while a month's
partition was new and empty would read it whole for hours after it has filled."""
LEASE_MARGIN_SECONDS: Final = 2.0
"""A job is not started when less than its timeout and this is left of its lease."""


class Dispatcher:
    """Sends what is owed. One a process; any number of processes may share a database.

    destinations: called now and then, so that a changed row of a peer takes effect. owner: names
    this process in leases and attempts, unique among all. now: the clock of due times. threads:
    sends at once to one destination. Not thread-safe: one thread calls `run_once` or `run`.
    """

    def __init__(
        self,
        url: str,
        destinations: Callable[[], Mapping[str, Destination]],
        snapshots: Snapshots,
        *,
        owner: str,
        now: Callable[[], datetime],
        threads: int = 4,
        poll_seconds: float = 1.0,
        observer: Observer | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self._url = url
        self._provider = destinations
        self._snapshots = snapshots
        self._owner = owner
        self._now = now
        self._pace = Pace(threads)
        self._poll = poll_seconds
        self._observer = observer or Observer()
        self._random = chance or random.Random()  # noqa: S311 - jitter
        self._connection: psycopg.Connection[Any] | None = None
        self._senders = Senders(now)
        self._destinations: dict[str, Destination] = {}
        self._gates = Gates(self._observer)
        self._jobs: list[Job] = []
        self._settling: list[Settled] = []
        self._in_hand: Counter[str] = Counter()
        self._sending: Counter[str] = Counter()
        self._swept = float("-inf")

    def run_once(self, limit: int | None = None) -> int:
        """Handle what is due now, at most `limit` deliveries; return how many were settled.

        Returns when everything it took is settled. Raises psycopg.Error when the database is away.
        """
        self._sweep()
        settled, taken = 0, 0
        while True:
            done, claimed = self._round(None if limit is None else limit - taken)
            settled += done
            taken += claimed
            if not self._busy:
                return settled
            if not claimed and not self._ready:
                self._collect(self._poll)

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop, then finish what was leased; nothing new is taken."""
        done = threading.Event()
        threading.Thread(target=self._listen, args=(done,), daemon=True, name="listener").start()
        try:
            self._loop(stop)
        finally:
            done.set()
            self.close()

    def _loop(self, stop: threading.Event) -> None:
        pause = 0.0
        while not (stop.is_set() and not self._busy):
            try:
                if time.monotonic() - self._swept >= self._poll:
                    self._sweep()
                _, claimed = self._round(0 if stop.is_set() else None)
                pause = 0.0
                if not claimed and not self._ready:
                    self._collect(0.05 if stop.is_set() else self._poll)
            except TRANSIENT as error:
                log.info("dispatch.retry", reason=type(error).__name__)
            except psycopg.Error as error:
                log.warning("dispatch.database", reason=type(error).__name__, detail=str(error))
                if not isinstance(error, psycopg.OperationalError):
                    self._settling = [_bare(item) for item in self._settling]
                pause = min(max(pause * 2, 0.1), 5.0)
                self._lost()
                stop.wait(pause)
                if stop.is_set():
                    return

    def close(self) -> None:
        """End the threads and the connection; leases that are left expire."""
        self._senders.close()
        if self._connection:
            self._connection.close()
            self._connection = None

    @property
    def _busy(self) -> bool:
        """Whether anything is leased and not yet settled."""
        return any(self._in_hand.values())

    @property
    def _ready(self) -> bool:
        """Whether another round has something to write without waiting for a sender."""
        return bool(self._settling or self._next_jobs())

    def _round(self, limit: int | None) -> tuple[int, int]:
        """One transaction and what follows from it: (settled, claimed).

        Statements go out in a pipeline: each wait for the database costs a turn of the interpreter
        lock, which the sending threads hold most of the time.
        """
        self._collect(0)
        now = self._now()
        connection = self._connect()
        starting, items = self._next_jobs(), self._settling
        at = time.monotonic()
        with connection.pipeline():
            with connection.transaction():
                begun = self._write(connection, items, starting, now)
                wants = self._gates.open(connection, self._destinations, self._rooms(items), now)
                self._random.shuffle(wants)
                answer = lanes.claim(connection, wants, self._owner, now, limit)
                self._gates.close(connection, answer, self._destinations, now)
            claimed = lanes.claimed(answer)
            may_start = lanes.begun(begun)
        self._gates.committed(now)
        self._settling = []
        taken = set(map(id, starting))
        self._jobs = [job for job in self._jobs if id(job) not in taken]
        self._in_hand.update(c.delivery.destination for c in claimed)
        self._in_hand.subtract(i.claimed.delivery.destination for i in items)
        self._in_hand.subtract(
            job.destination.code for job in starting if job.attempt not in may_start
        )
        self._count(items)
        self._send([job for job in starting if job.attempt in may_start])
        try:
            self._prepare(connection, claimed, at)
        except BaseException:  # their leases expire
            self._in_hand.subtract(c.delivery.destination for c in claimed)
            raise
        return len(items), len(claimed)

    def _write(
        self,
        connection: psycopg.Connection[Any],
        items: Sequence[Settled],
        starting: Sequence[Job],
        now: datetime,
    ) -> psycopg.Cursor[Any] | None:
        """Settle under the lanes' locks, and write down what is about to start."""
        lanes.lock(connection, [item.claimed for item in items])
        lanes.record(connection, items, self._owner, now)
        lanes.settle(connection, items, self._owner, now)
        return lanes.begin(connection, [_begun(job) for job in starting], self._owner, now)

    def _rooms(self, settling: Sequence[Settled]) -> dict[str, int]:
        """How many more lanes of each destination this process can keep moving."""
        back = Counter(i.claimed.delivery.destination for i in settling)
        return {
            code: self._pace.leased(target) - self._in_hand[code] + back[code]
            for code, target in self._destinations.items()
        }

    def _next_jobs(self) -> list[Job]:
        """The prepared jobs that will not wait long for a thread."""
        free: dict[str, int] = {}
        chosen = []
        for job in self._jobs:
            code = job.destination.code
            if code not in free:
                free[code] = self._pace.started(job.destination) - self._sending[code]
            if free[code] > 0:
                free[code] -= 1
                chosen.append(job)
        return chosen

    def _send(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            policy = job.destination.policy
            until = job.leased_at + policy.lease - policy.timeout - LEASE_MARGIN_SECONDS
            self._sending[job.destination.code] += 1
            self._senders.put(job, until, self._pace.threads(job.destination))

    def _prepare(
        self, connection: psycopg.Connection[Any], claimed: Sequence[Claimed], at: float
    ) -> None:
        doubtful = [c.delivery.id for c in claimed if c.delivery.state in {"unknown", "sending"}]
        again = [c.delivery.id for c in claimed if self._is_sent_again(c)]
        last = lanes.last_sent(connection, doubtful) | lanes.open_doubts(connection, again)
        ready = prepare(claimed, self._destinations, self._snapshots, last)
        self._jobs.extend(job._replace(leased_at=at) for job in ready.jobs)
        self._settling.extend(ready.ended)
        for failed in ready.failures:
            self._settling.append(self._judge(_unprepared(failed, self._now())))

    def _is_sent_again(self, claimed: Claimed) -> bool:
        """Whether it goes once more to a peer that may know its key from an earlier send."""
        delivery = claimed.delivery
        known = self._destinations[delivery.destination].policy.idempotent
        return known and delivery.state == "retry"

    def _collect(self, timeout: float) -> None:
        """Take what the senders finished and judge it."""
        for sent in self._senders.take(timeout):
            self._sending[sent.job.destination.code] -= 1
            self._settling.append(self._settled(sent))

    def _settled(self, sent: Sent) -> Settled:
        if sent.late:
            return released(sent.tried, self._now())
        self._pace.saw(sent.job.destination.code, sent.tried.seconds)
        settled = self._judge(sent.tried)
        self._observer.attempted(sent.job.destination.code, settled.outcome, sent.tried.seconds)
        return settled

    def _judge(self, tried: Tried) -> Settled:
        code = tried.claimed.delivery.destination
        policy = self._destinations[code].policy
        verdict: Verdict = judge(
            tried,
            policy,
            self._now(),
            chance=self._random.random(),
            outage=self._gates.is_out(code),
        )
        self._gates.note(code, verdict.health, verdict.trouble)
        if verdict.settled.code == "internal" and isinstance(tried.result, BaseException):
            log.error("dispatch.defect", destination=code, exc_info=tried.result)
        return verdict.settled

    def _count(self, items: Sequence[Settled]) -> None:
        counts: dict[tuple[str, str], int] = {}
        for item in items:
            key = (item.claimed.delivery.destination, item.state)
            counts[key] = counts.get(key, 0) + 1
        for (code, state), count in counts.items():
            self._observer.settled(code, state, count)

    def _sweep(self) -> None:
        """Read the destinations again; take back what expired."""
        self._destinations.update(fresh := dict(self._provider()))
        if not self._busy:
            self._destinations = fresh
        connection = self._connect()
        after = {code: d.policy.settle_after for code, d in self._destinations.items()}
        lanes.make_gates(connection, sorted(self._destinations))
        with connection.transaction():
            leases, late = lanes.sweep(connection, after, self._now())
        self._swept = time.monotonic()
        if leases or late:
            self._observer.swept(leases, late)

    def _connect(self) -> psycopg.Connection[Any]:
        if self._connection is None or self._connection.closed:
            connection = psycopg.connect(
                self._url,
                autocommit=True,
                cursor_factory=psycopg.RawCursor,
                application_name="gateway dispatch",
                connect_timeout=5,
                prepare_threshold=1,
            )
            arrays.register(connection)
            connection.execute(SESSION)
            self._connection = connection
        return self._connection

    def _lost(self) -> None:
        """The database went away, perhaps in a commit: attempts of that round must not leave.

        Whether they were written down is not known. Their leases expire: what was written down
        becomes a doubt and is asked about. What the senders still bring is settled as usual.
        """
        if self._connection:
            self._connection.close()
            self._connection = None
        self._in_hand.subtract(job.destination.code for job in self._jobs)
        self._jobs = []

    def _listen(self, stop: threading.Event) -> None:
        """Wake the loop when somebody announced work; polling is the net below."""
        while not stop.is_set():
            try:
                with psycopg.connect(self._url, autocommit=True, connect_timeout=5) as connection:
                    connection.execute(f"LISTEN {CHANNEL}".encode())
                    while not stop.is_set():
                        for _ in connection.notifies(timeout=1.0, stop_after=1):
                            self._senders.wake()
            except psycopg.Error:
                stop.wait(1.0)


def _bare(item: Settled) -> Settled:
    """Without the peer's words, in case it is they that the database refuses."""
    return item._replace(
        error=item.code, reference="", status=0, response=None, detail="not storable"
    )


def _begun(job: Job) -> Begun:
    return lanes.Begun(
        attempt=job.attempt,
        claimed=job.claimed,
        n=job.claimed.delivery.attempts + 1,
        sha256=job.sha256,
        request=job.kept,
        head=job.head,
        needed=job.destination.policy.timeout + LEASE_MARGIN_SECONDS,
        ask=job.ask,
    )


def _unprepared(failed: Failed, now: datetime) -> Tried:
    delivery = failed.claimed.delivery
    return Tried(
        claimed=failed.claimed,
        attempt=uuid7(),
        result=failed.error,
        started_at=now,
        asked=delivery.state in {"unknown", "sending"},
        on_wire=False,
    )
