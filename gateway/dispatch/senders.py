"""The threads that talk: each takes a job, sends or asks, and hands back what happened.

They know no database. A job whose lease has run too low when its turn comes is handed back unsent.
"""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from gateway.adapter import SENT_AT
from gateway.dispatch.verdict import Tried

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from gateway.adapter import Receipt, Wire
    from gateway.dispatch.inbox import Inbox
    from gateway.dispatch.prepare import Job


class Sent(NamedTuple):
    """A job that ended; late: it was not tried, because its lease had run low."""

    job: Job
    tried: Tried
    late: bool = False


class _Line:
    """The queue and the threads of one destination.

    load: jobs that have not ended. low: length of the queue at which its starter wants to be told.
    """

    def __init__(self) -> None:
        self.jobs: queue.SimpleQueue[tuple[Job, float] | None] = queue.SimpleQueue()
        self.threads = 0
        self.load = 0
        self.low = 0
        self.tell: Callable[[], None] | None = None
        self.lock = threading.Lock()

    def ended(self) -> None:
        """Count one job less."""
        with self.lock:
            self.load -= 1
            tell = self.tell if self.jobs.qsize() <= self.low else None
            if tell is not None:
                self.tell = None
        if tell is not None:
            tell()


class Senders:
    """Threads by destination, so that a slow peer holds up its own deliveries only.

    What ended is put into the inbox.
    """

    def __init__(self, now: Callable[[], datetime], inbox: Inbox[Any]) -> None:
        self._now = now
        self._inbox = inbox
        self._lines: dict[str, _Line] = {}

    def put(self, jobs: Sequence[tuple[Job, float]], threads: int) -> None:
        """Queue jobs of one destination, each with the monotonic second it must start before.

        threads: how many the destination may have; one is started with each job up to there.
        """
        code = jobs[0][0].destination.code
        line = self._lines.setdefault(code, _Line())
        with line.lock:
            line.load += len(jobs)
        for item in jobs:
            line.jobs.put(item)
        line.low = line.jobs.qsize() // 2
        for _ in range(min(len(jobs), threads - line.threads)):
            line.threads += 1
            name = f"send {code} {line.threads}"
            threading.Thread(target=self._work, args=(line,), name=name, daemon=True).start()

    def free(self, code: str, most: int, tell: Callable[[], None]) -> int:
        """How many jobs a destination may be given, up to `most`, once half its queue is done.

        While it may be given none, `tell` is called when that has changed.
        """
        line = self._lines.get(code)
        if line is None:
            return most
        with line.lock:
            free = most - line.load if line.jobs.qsize() <= line.low else 0
            line.tell = tell if free <= 0 else None
        return max(0, free)

    def close(self) -> None:
        """Let the threads end after the jobs that are queued."""
        lines, self._lines = self._lines, {}
        for line in lines.values():
            for _ in range(line.threads):
                line.jobs.put(None)

    def _work(self, line: _Line) -> None:
        while (item := line.jobs.get()) is not None:
            sent = self._try(*item)
            line.ended()
            self._inbox.put(sent)

    def _try(self, job: Job, send_before: float) -> Sent:
        started_at, begun = self._now(), time.monotonic()
        late = begun > send_before
        channel = job.destination.channel
        result: Receipt | BaseException | None = None
        try:
            if late:
                pass
            elif job.ask:
                result = channel.settle(_since(job), job.key)
            else:
                result = channel.deliver(job.wire, job.key)
        except Exception as error:  # noqa: BLE001 - judged by its class, nothing is swallowed
            result = error
        tried = Tried(
            claimed=job.claimed,
            attempt=job.attempt,
            result=result,
            started_at=started_at,
            asked=job.ask,
            doubted_at=job.doubted_at,
            seconds=time.monotonic() - begun,
        )
        return Sent(job, tried, late)


def _since(job: Job) -> Wire:
    """The wire in doubt, with the instant its send began.

    A peer that has no key but a time of its last change (ССТУ) can then tell the version in doubt
    from an older one.
    """
    if job.doubted_at is None:
        return job.wire
    headers = {**job.wire.headers, SENT_AT: job.doubted_at.isoformat()}
    return msgspec.structs.replace(job.wire, headers=headers)
