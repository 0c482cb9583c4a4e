"""The thread that writes attempts down and lets them start.

No byte leaves before the commit of its attempt (design §2.12). What is prepared waits here until
the threads of its destination run low, so that one commit serves as many as they will soon take,
and no more than those are in doubt after a crash.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import psycopg
import structlog
from psycopg import errors as pg

from gateway.dispatch.inbox import Inbox
from gateway.dispatch.prepare import Failed
from gateway.store import lanes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from gateway.dispatch.pace import Pace
    from gateway.dispatch.prepare import Job
    from gateway.dispatch.senders import Senders
    from gateway.dispatch.session import Session
    from gateway.store.lanes import Begun

log = structlog.get_logger(__name__)

TRANSIENT: Final = (pg.DeadlockDetected, pg.SerializationFailure, pg.LockNotAvailable)
LEASE_MARGIN_SECONDS: Final = 2.0
"""A job is not started when less than its timeout and this is left of its lease."""
IDLE_SECONDS: Final = 60.0


class Unstarted(NamedTuple):
    """Jobs that are not sent now.

    lapsed: their leases are gone, or nobody knows whether their attempts were written down: they
    are left to run out. failed: what is wrong with the only one. Otherwise they are given back.
    """

    jobs: Sequence[Job]
    lapsed: bool = False
    failed: Failed | None = None


class Starter:
    """Takes prepared jobs; its thread starts with the first of them."""

    def __init__(
        self,
        session: Session,
        pace: Pace,
        senders: Senders,
        inbox: Inbox[Any],
        *,
        owner: str,
        now: Callable[[], datetime],
    ) -> None:
        self._session = session
        self._pace = pace
        self._senders = senders
        self._inbox = inbox
        self._owner = owner
        self._now = now
        self._arrived: Inbox[Job] = Inbox()
        self._held: dict[str, deque[Job]] = {}
        self._thread: threading.Thread | None = None
        self._closing = False

    def put(self, jobs: Sequence[Job]) -> None:
        """Take jobs to be started; called by one thread."""
        self._arrived.put_all(jobs)
        if self._closing:
            self._give_back(self._arrived.take())
        elif self._thread is None:
            self._thread = threading.Thread(target=self._work, name="start", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Start nothing more; what waits is given back."""
        self._closing = True
        self._arrived.ring()

    def _work(self) -> None:
        with self._session:
            while not self._closing:
                self._arrived.wait(IDLE_SECONDS)
                for job in self._arrived.take():
                    self._held.setdefault(job.destination.code, deque()).append(job)
                while jobs := self._next():
                    self._start(jobs)
        held = [job for waiting in self._held.values() for job in waiting]
        self._give_back([*held, *self._arrived.take()])

    def _give_back(self, jobs: list[Job]) -> None:
        if jobs:
            self._inbox.put(Unstarted(jobs))

    def _next(self) -> list[Job]:
        """Take out the jobs that would not wait long for a thread."""
        chosen: list[Job] = []
        for code, jobs in self._held.items():
            if not jobs or self._closing:
                continue
            most = self._pace.started(jobs[0].destination)
            free = self._senders.free(code, most, self._arrived.ring)
            chosen += [jobs.popleft() for _ in range(min(len(jobs), free))]
        return chosen

    def _start(self, jobs: list[Job]) -> None:
        """Write down and send; of several that cannot be written, each is tried by itself."""
        try:
            connection = self._session.connection()
        except psycopg.OperationalError as error:
            log.warning("dispatch.not_started", reason=type(error).__name__)
            self._inbox.put(Unstarted(jobs))
            return
        try:
            answer = lanes.begin(
                connection, [_begun(job) for job in jobs], self._owner, self._now()
            )
            may_start = lanes.begun(answer)
        except TRANSIENT as error:
            log.info("dispatch.retry", reason=type(error).__name__)
            for job in reversed(jobs):
                self._held[job.destination.code].appendleft(job)
        except psycopg.OperationalError as error:
            log.warning("dispatch.not_started", reason=type(error).__name__)
            self._session.close()
            self._inbox.put(Unstarted(jobs, lapsed=True))
        except Exception as error:  # noqa: BLE001 - judged by its class, shown to a person
            if len(jobs) == 1:
                self._inbox.put(Unstarted(jobs, failed=Failed(jobs[0].claimed, error)))
                return
            for job in jobs:
                self._start([job])
        else:
            self._send([job for job in jobs if job.attempt in may_start])
            if lapsed := [job for job in jobs if job.attempt not in may_start]:
                self._inbox.put(Unstarted(lapsed, lapsed=True))

    def _send(self, jobs: Sequence[Job]) -> None:
        batches: dict[str, list[tuple[Job, float]]] = {}
        for job in jobs:
            policy = job.destination.policy
            until = job.leased_at + policy.lease - policy.timeout - LEASE_MARGIN_SECONDS
            batches.setdefault(job.destination.code, []).append((job, until))
        for batch in batches.values():
            self._senders.put(batch, self._pace.threads(batch[0][0].destination))


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
