"""The threads that talk: each takes a job, sends or asks, and hands back what happened.

They know no database. A job whose lease has run too low when its turn comes is handed back unsent.
"""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from gateway.adapter import SENT_AT
from gateway.dispatch.verdict import Tried

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gateway.adapter import Wire
    from gateway.dispatch.prepare import Job


class Sent(NamedTuple):
    """A job that ended; late: it was not tried, because its lease had run low."""

    job: Job
    tried: Tried
    late: bool = False


class _Line:
    """The queue and the threads of one destination."""

    def __init__(self) -> None:
        self.jobs: queue.SimpleQueue[tuple[Job, float] | None] = queue.SimpleQueue()
        self.threads = 0


class Senders:
    """Threads by destination, so that a slow peer holds up its own deliveries only.

    Results come out of `take`, which also ends on `wake`.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lines: dict[str, _Line] = {}
        self._done: queue.SimpleQueue[Sent | None] = queue.SimpleQueue()

    def put(self, job: Job, send_before: float, threads: int) -> None:
        """Queue a job; send_before: monotonic seconds after which it must not start.

        threads: how many the destination may have; one is started with each job up to there.
        """
        line = self._lines.setdefault(job.destination.code, _Line())
        line.jobs.put((job, send_before))
        if line.threads < threads:
            line.threads += 1
            name = f"send {job.destination.code} {line.threads}"
            threading.Thread(target=self._work, args=(line,), name=name, daemon=True).start()

    def take(self, timeout: float) -> list[Sent]:
        """Return everything that ended, waiting up to `timeout` seconds for the first."""
        found: list[Sent] = []
        try:
            first = self._done.get(timeout=timeout) if timeout > 0 else self._done.get_nowait()
            while True:
                if first is not None:
                    found.append(first)
                first = self._done.get_nowait()
        except queue.Empty:
            return found

    def wake(self) -> None:
        """End a `take` that waits."""
        self._done.put(None)

    def close(self) -> None:
        """Let the threads end after the jobs that are queued."""
        for line in self._lines.values():
            for _ in range(line.threads):
                line.jobs.put(None)
        self._lines = {}

    def _work(self, line: _Line) -> None:
        while (item := line.jobs.get()) is not None:
            job, send_before = item
            self._done.put(self._try(job, send_before))

    def _try(self, job: Job, send_before: float) -> Sent:
        started_at, begun = self._now(), time.monotonic()
        tried = Tried(
            claimed=job.claimed,
            attempt=job.attempt,
            result=None,
            started_at=started_at,
            asked=job.ask,
            doubted_at=job.doubted_at,
        )
        if begun > send_before:
            return Sent(job, tried, late=True)
        channel = job.destination.channel
        try:
            if job.ask:
                result = channel.settle(_since(job), job.key)
            else:
                result = channel.deliver(job.wire, job.key)
        except Exception as error:  # noqa: BLE001 - judged by its class, nothing is swallowed
            return Sent(job, tried._replace(result=error, seconds=time.monotonic() - begun))
        return Sent(job, tried._replace(result=result, seconds=time.monotonic() - begun))


def _since(job: Job) -> Wire:
    """The wire in doubt, with the instant its send began.

    A peer that has no key but a time of its last change (ССТУ) can then tell the version in doubt
    from an older one.
    """
    if job.doubted_at is None:
        return job.wire
    headers = {**job.wire.headers, SENT_AT: job.doubted_at.isoformat()}
    return msgspec.structs.replace(job.wire, headers=headers)
