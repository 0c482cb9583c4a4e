"""The schedule: jobs that tick, run by one process of all (the only module with APScheduler).

APScheduler only ticks; which process leads is a PostgreSQL advisory lock on a connection of its
own. When the leader dies the lock is free at once and another process takes the next tick.

Jobs from outside join by entry points of the group `gateway.jobs`: a function of `Surroundings`
that returns a `Job`, or None where nothing is configured for it. What they want `gateway doctor` to
look at joins by `gateway.checks`: a function (settings, url of the database, now) that yields
`Told`, nothing where it is not configured.
"""

from __future__ import annotations

import threading
from datetime import UTC
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

import psycopg
import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from gateway import erasure, sealing
from gateway.store import blob_collector, readings, retention, schema

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gateway.settings import Settings
    from gateway.store.blobs import BlobDirectory
    from gateway.store.pool import Pool

log = structlog.get_logger(__name__)

GROUP: Final = "gateway.jobs"
CHECKS: Final = "gateway.checks"
Told = tuple[Literal["ok", "warn", "fail"], str, str]
"""A finding of a check from outside: its level, what was found, what to do about it."""
LEADER_LOCK = 0x67617465 + 1
DAY = 86_400
NONCES_EVERY = 300
SEALS_EVERY = 600


class Job(NamedTuple):
    """Something to do every so many seconds, on the leading process only."""

    name: str
    seconds: float
    run: Callable[[], None]


class Surroundings(NamedTuple):
    """What a job from outside is made of. stop: is set when the process ends; a long job looks."""

    settings: Settings
    url: str
    now: Callable[[], datetime]
    stop: threading.Event


def joined(around: Surroundings) -> list[Job]:
    """Return the jobs from outside; raise ConfigurationError for settings that do not fit one."""
    points = sorted(entry_points(group=GROUP), key=lambda point: point.name)
    made: list[Job | None] = [point.load()(around) for point in points]
    return [job for job in made if job is not None]


class Schedule:
    """Ticks while this process leads; others wait for its end."""

    def __init__(self, url: str, jobs: list[Job]) -> None:
        self._url = url
        self._jobs = jobs
        self._connection: psycopg.Connection[Any] | None = None
        self._leading = threading.Lock()
        self._scheduler = BackgroundScheduler(
            timezone=UTC, executors={"default": ThreadPoolExecutor(2)}
        )

    def start(self, now: datetime) -> None:
        """Start ticking; the first tick is now, since a process may not live to its second."""
        for job in self._jobs:
            self._scheduler.add_job(
                self._tick,
                "interval",
                args=(job,),
                seconds=job.seconds,
                next_run_time=now,
                id=job.name,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=60,
            )
        self._scheduler.start()

    def stop(self) -> None:
        """Let the running jobs end, then give the lead away."""
        self._scheduler.shutdown(wait=True)
        if self._connection is not None:
            self._connection.close()

    def _tick(self, job: Job) -> None:
        try:
            with self._leading:
                leads = self._leads()
            if leads:
                job.run()
        except Exception:
            log.exception("jobs.failed", job=job.name)

    def _leads(self) -> bool:
        """Whether this process holds the lock, or gets it now."""
        try:
            if self._connection is None or self._connection.closed:
                self._connection = psycopg.connect(
                    self._url,
                    autocommit=True,
                    application_name="gateway schedule",
                    connect_timeout=3,
                )
            row = self._connection.execute(
                "SELECT count(*) FROM pg_locks"
                " WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted"
            ).fetchone()
            if row and row[0]:
                return True
            row = self._connection.execute(
                "SELECT pg_try_advisory_lock(%s)", (LEADER_LOCK,)
            ).fetchone()
            return bool(row and row[0])
        except psycopg.OperationalError:
            self._connection = None
            return False


def partitions_job(url: str, now: Callable[[], Any]) -> Job:
    """Make the partitions of the coming months, once a day and at start."""
    return Job("partitions", DAY, lambda: schema.make_partitions(url, now()))


def retention_job(pool: Pool, keep: retention.Days, now: Callable[[], datetime]) -> Job:
    """Take away old refusals, findings and processes, once a day and at start."""

    def run() -> None:
        with pool.connection() as connection:
            gone = retention.discard(connection, keep, now())
            retention.forget_settled(connection, now())
        if any(gone):
            log.info("jobs.retention", **gone._asdict())

    return Job("retention", DAY, run)


def nonces_job(pool: Pool, now: Callable[[], datetime]) -> Job:
    """Forget the nonces that have expired, every five minutes: each signed message brings one."""

    def run() -> None:
        with pool.connection() as connection:
            gone = retention.forget_nonces(connection, now())
        if gone:
            log.info("jobs.nonces", gone=gone)

    return Job("nonces", NONCES_EVERY, run)


def blobs_job(pool: Pool, blobs: BlobDirectory, now: Callable[[], datetime]) -> Job:
    """Take away blobs that nothing names, once a day and at start."""

    def run() -> None:
        with pool.connection() as connection:
            gone = blob_collector.collect(connection, blobs, now())
        if any(gone):
            log.info("jobs.blobs_collected", **gone._asdict())

    return Job("blobs", DAY, run)


def seals_job(settings: Settings, pool: Pool, now: Callable[[], datetime]) -> Job | None:
    """Seal the days that are over, every ten minutes; None where no key of seals is named."""
    if not settings.seal_with:
        return None

    def run() -> None:
        with pool.connection() as connection:
            for _ in sealing.seal_days(connection, settings, ZoneInfo(settings.zone), now()):
                pass

    return Job("seals", SEALS_EVERY, run)


def erasure_job(
    pool: Pool, blobs: BlobDirectory, settings: Settings, now: Callable[[], datetime]
) -> Job:
    """Erase content, and forget readings, that were kept long enough; once a day and at start."""

    def run() -> None:
        with pool.connection() as connection:
            gone = sum(1 for _ in erasure.due(connection, blobs, settings, now(), commit=True))
            forgotten = readings.forget(connection, settings.keep_readings_days, now())
        if gone or forgotten:
            log.info("jobs.erasure", appeals=gone, readings=forgotten)

    return Job("erasure", DAY, run)
