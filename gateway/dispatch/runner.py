"""The dispatcher of one process: a chain of threads, each with its own connection.

- this one settles what came back and leases lanes that are due: a round, one transaction;
- the preparer reads and encodes what was leased (`preparer`);
- the starter writes the attempts down, one commit for many, and lets them go (`starter`);
- the senders talk, some threads a destination, and know no database (`senders`).

None waits for another's commit: a round serves whatever has come back meanwhile, under load some
dozens (docs/adr/0012).
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import psycopg
import structlog

from gateway.dispatch import owner as owners
from gateway.dispatch.gates import Gates
from gateway.dispatch.hand import Hand
from gateway.dispatch.inbox import Inbox
from gateway.dispatch.pace import Pace
from gateway.dispatch.ports import Observer
from gateway.dispatch.preparer import Batch, Preparer
from gateway.dispatch.senders import Senders, Sent
from gateway.dispatch.session import Session
from gateway.dispatch.starter import TRANSIENT, Starter, Unstarted
from gateway.dispatch.verdict import Tried, Verdict, judge, released
from gateway.errors import BusyError
from gateway.model.ids import uuid7
from gateway.store import lanes
from gateway.store.committer import CHANNEL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from gateway.dispatch.ports import Destination, Snapshots
    from gateway.dispatch.prepare import Failed, Prepared
    from gateway.store.lanes import Claimed, Settled

log = structlog.get_logger(__name__)

GATHER_SECONDS: Final = 0.01
"""How long a result may wait for others to be settled with."""
GATHERED: Final = 2
"""A round is worth its commit when one in so many of the leases of a destination came back."""
AWAY_SECONDS: Final = 1.0
"""How long nothing is leased after the store could not be read."""


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
        self._owner = owner
        self._now = now
        self._pace = Pace(threads)
        self._poll = poll_seconds
        self._observer = observer or Observer()
        self._random = chance or random.Random()  # noqa: S311 - jitter
        self._snapshots = snapshots
        self._session = Session(url)
        self._inbox: Inbox[Sent | Prepared | Unstarted] = Inbox()
        self._destinations: dict[str, Destination] = {}
        self._open: frozenset[str] = frozenset()
        self._gates = Gates(self._observer)
        self._hand = Hand(self._pace)
        self._chain()
        self._settling: list[Settled] = []
        self._back: list[Claimed] = []
        self._swept = float("-inf")
        self._away_until = float("-inf")

    def _chain(self) -> None:
        """Put the threads together; each starts when it gets something."""
        self._senders = Senders(self._now, self._inbox)
        self._starter = Starter(
            Session(self._url),
            self._pace,
            self._senders,
            self._inbox,
            owner=self._owner,
            now=self._now,
        )
        self._preparer = Preparer(
            Session(self._url), self._snapshots, self._starter, self._hand, self._inbox
        )

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
            if self._hand.is_empty:
                return settled
            self._gather(self._poll)

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop, then finish what has begun; the rest is given back."""
        done = threading.Event()
        threading.Thread(target=self._listen, args=(done,), daemon=True, name="listener").start()
        try:
            self._loop(stop)
        finally:
            done.set()
            self.close()

    def _loop(self, stop: threading.Event) -> None:
        pause = 0.0
        while not (stop.is_set() and self._hand.is_empty):
            try:
                if stop.is_set():
                    self._preparer.close()
                    self._starter.close()
                elif time.monotonic() - self._swept >= self._poll:
                    self._sweep()
                self._round(0 if stop.is_set() else None)
                pause = 0.0
                self._gather(0.05 if stop.is_set() else self._poll)
            except TRANSIENT as error:
                log.info("dispatch.retry", reason=type(error).__name__)
            except (psycopg.Error, BusyError) as error:
                log.warning("dispatch.database", reason=type(error).__name__, detail=str(error))
                if not isinstance(error, psycopg.OperationalError | BusyError):
                    self._settling = [_bare(item) for item in self._settling]
                pause = min(max(pause * 2, 0.1), 5.0)
                self._session.close()
                stop.wait(pause)
                if stop.is_set():
                    return

    def close(self) -> None:
        """End the threads and the connections; leases that are left expire."""
        self._preparer.close()
        self._starter.close()
        self._senders.close()
        self._session.close()
        self._chain()

    def _round(self, limit: int | None) -> tuple[int, int]:
        """One transaction: (settled, claimed).

        A pipeline is one (libpq, "Pipeline Mode"), and has few waits for the database: each costs
        a turn of the interpreter lock, which the other threads hold most of the time.
        """
        connection = self._session.connection()
        now, at = self._now(), time.monotonic()
        items, back = self._settling, self._back
        ending = [*(item.claimed for item in items), *back]
        with connection.pipeline():
            lanes.lock(connection, ending)
            lanes.settle(connection, items, self._owner, now)
            lanes.hand_back(connection, back, self._owner)
            answer = self._claim(connection, ending, now, limit)
        claimed = lanes.claimed(answer)
        self._gates.committed(now)
        self._settling, self._back = [], []
        self._hand.end(ending)
        self._hand.lease(claimed)
        self._count(items)
        if claimed:
            self._preparer.put(Batch(claimed, self._destinations, at))
        return len(items), len(claimed)

    def _claim(
        self,
        connection: psycopg.Connection[Any],
        ending: Sequence[Claimed],
        now: datetime,
        limit: int | None,
    ) -> psycopg.Cursor[Any] | None:
        """Lease what is due, as far as the gates and this process have room."""
        rooms: dict[str, int] = {}
        if time.monotonic() >= self._away_until:
            there = {code: self._destinations[code] for code in self._open}
            rooms = self._hand.rooms(there, ending)
        wants = self._gates.open(connection, self._destinations, rooms, now)
        self._random.shuffle(wants)
        answer = lanes.claim(connection, wants, self._owner, now, limit)
        self._gates.close(connection, answer, self._destinations, now)
        return answer

    def _gather(self, longest: float) -> None:
        """Wait until a round is worth its commit, or `longest` while there is nothing to settle."""
        self._inbox.enough = 1
        self._collect()
        if not self._settling and not self._back:
            self._inbox.wait(longest)
            self._collect()
        until = time.monotonic() + GATHER_SECONDS
        while (missing := self._missing()) > 0 and (left := until - time.monotonic()) > 0:
            self._inbox.enough = missing
            self._inbox.wait(left)
            self._collect()

    def _missing(self) -> int:
        """How many more must come back for a round to be worth its commit."""
        ended = Counter(item.claimed.delivery.destination for item in self._settling)
        ended.update(claimed.delivery.destination for claimed in self._back)
        return min(
            (self._hand.leased(code) // GATHERED - count for code, count in ended.items()),
            default=0,
        )

    def _collect(self) -> None:
        """Take what the other threads finished, and judge it."""
        for came in self._inbox.take():
            if isinstance(came, Sent):
                self._hand.release([came.job])
                self._settling.append(self._settled(came))
            elif isinstance(came, Unstarted):
                self._unstarted(came)
            else:
                self._settling += came.ended
                self._settling += [self._unprepared(failed) for failed in came.failures]
                self._back += came.back
                if came.away:
                    self._away_until = time.monotonic() + AWAY_SECONDS

    def _unstarted(self, came: Unstarted) -> None:
        self._hand.release(came.jobs)
        claims = [job.claimed for job in came.jobs]
        if came.failed is not None:
            self._settling.append(self._unprepared(came.failed))
        elif came.lapsed:
            self._hand.end(claims)
        else:
            self._back += claims

    def _unprepared(self, failed: Failed) -> Settled:
        """Judge a delivery of which nothing left."""
        tried = Tried(
            claimed=failed.claimed,
            attempt=uuid7(),
            result=failed.error,
            started_at=self._now(),
            asked=failed.claimed.delivery.state in {"unknown", "sending"},
            on_wire=False,
        )
        return self._judge(tried)

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
        counts = Counter((item.claimed.delivery.destination, item.state) for item in items)
        for (code, state), count in counts.items():
            self._observer.settled(code, state, count)

    def _sweep(self) -> None:
        """Read the destinations again; take back what expired."""
        fresh = dict(self._provider())
        self._open = frozenset(fresh)
        self._destinations = fresh if self._hand.is_empty else {**self._destinations, **fresh}
        connection = self._session.connection()
        after = {code: d.policy.settle_after for code, d in self._destinations.items()}
        lanes.make_gates(connection, sorted(self._destinations))
        gone = [name for name in lanes.owners(connection) if owners.is_gone(name)]
        with connection.transaction():
            leases, late = lanes.sweep(connection, after, gone, self._now())
        self._swept = time.monotonic()
        if leases or late:
            self._observer.swept(leases, late)

    def _listen(self, stop: threading.Event) -> None:
        """Wake the loop when somebody announced work; polling is the net below."""
        while not stop.is_set():
            try:
                with psycopg.connect(self._url, autocommit=True, connect_timeout=5) as connection:
                    connection.execute(f"LISTEN {CHANNEL}".encode())
                    while not stop.is_set():
                        for _ in connection.notifies(timeout=1.0, stop_after=1):
                            self._inbox.ring()
            except psycopg.Error:
                stop.wait(1.0)


def _bare(item: Settled) -> Settled:
    """Without the peer's words, in case it is they that the database refuses."""
    return item._replace(
        error=item.code, reference="", status=0, response=None, detail="not storable"
    )
