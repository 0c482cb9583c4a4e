"""`gateway work`: triage, dispatch, the file drop and the schedule, in threads of one process."""

from __future__ import annotations

import gc
import os
import threading
import time
from typing import TYPE_CHECKING, Any

import psycopg
import structlog

from gateway import policies, registry
from gateway.access.refusals import RefusalLog
from gateway.app import now, verdicts_of
from gateway.destinations import Destinations
from gateway.dispatch import Dispatcher, owner
from gateway.jobs import (
    Schedule,
    Surroundings,
    blobs_job,
    erasure_job,
    joined,
    nonces_job,
    partitions_job,
    retention_job,
    seals_job,
)
from gateway.polling import Polling
from gateway.snapshots import StoredSnapshots
from gateway.store.blobs import BlobDirectory
from gateway.store.committer import CHANNEL, Committer
from gateway.store.pool import Pool
from gateway.store.retention import Days
from gateway.syslog import SecurityEvent, Syslog
from gateway.triage import Triage
from import_export.filedrop import FileDrop

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gateway.access.policy import Refused
    from gateway.settings import Settings

log = structlog.get_logger(__name__)

STOP_SECONDS = 20.0
"""How long a stop waits for what is being sent; the rest becomes a doubt and is asked about."""


class Worker:
    """One worker process; any number may run on one database."""

    def __init__(self, settings: Settings, url: str) -> None:
        self._settings = settings
        self._url = url
        self._pool = Pool(url, size=6)
        self._rules = policies.rules(settings)
        self._adapters = registry.load(settings.adapters)
        self._blobs = BlobDirectory(settings.blobs)
        self._committer = Committer(url, queue_items=settings.queue_items)
        self._syslog = Syslog(settings.syslog)
        self._refusals = RefusalLog(url, now, tell=self._tell_refusal)

    def _tell_refusal(self, refused: Refused, at: datetime) -> None:
        event = SecurityEvent(
            kind="trust_refused", at=at, who=refused.peer, address=refused.address,
            reason=refused.reason, path=refused.path, correlation=refused.correlation,
        )  # fmt: skip
        self._syslog.tell(event)

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; then finish what was begun."""
        self._pool.open()
        self._committer.start()
        self._syslog.start()
        self._refusals.start()
        jobs = [
            partitions_job(self._url, now),
            blobs_job(self._pool, self._blobs, now),
            retention_job(self._pool, self.kept, now),
            nonces_job(self._pool, now),
            erasure_job(self._pool, self._blobs, self._settings, now),
            *filter(None, [seals_job(self._settings, self._pool, now)]),
            *joined(Surroundings(self._settings, self._url, now, stop)),
        ]
        schedule = Schedule(self._url, jobs)
        schedule.start(now())
        bell = _Bell(self._url, stop)
        threads = [
            threading.Thread(
                target=self._guarded, args=(name, target, stop), name=name, daemon=True
            )
            for name, target in self._parts(stop, bell)
        ]
        gc.collect()
        gc.freeze()  # what is there now stays; no collection need look at it again
        for thread in (bell, *threads):
            thread.start()
        log.info("work.started", pid=os.getpid(), threads=[thread.name for thread in threads])
        stop.wait()
        bell.ring()
        deadline = time.monotonic() + STOP_SECONDS
        for thread in threads:
            thread.join(max(0.1, deadline - time.monotonic()))
        schedule.stop()
        self._committer.stop()
        self._refusals.stop()
        self._syslog.stop()
        self._pool.close()

    @property
    def kept(self) -> Days:
        """How long what the house notes about itself is kept."""
        settings = self._settings
        return Days(refusals=settings.keep_refusals_days, findings=settings.keep_findings_days)

    def _parts(self, stop: threading.Event, bell: _Bell) -> list[tuple[str, Callable[[], None]]]:
        destinations = Destinations(self._pool, self._adapters, self._settings, now)
        verdicts = verdicts_of(self._settings, self._pool)
        snapshots = StoredSnapshots(self._pool, self._blobs, destinations.options, now, verdicts)
        dispatcher = Dispatcher(
            self._url,
            destinations,
            snapshots,
            owner=owner.name(),
            now=now,
            threads=self._settings.dispatch_workers,
            poll_seconds=self._settings.poll_seconds,
        )
        parts: list[tuple[str, Callable[[], None]]] = [
            (f"triage-{n}", lambda: self._triage(stop, bell))
            for n in range(1, self._settings.triage_workers + 1)
        ]
        parts.append(("dispatch", lambda: dispatcher.run(stop)))
        if any("source" in adapter.manifest.kinds for adapter in self._adapters.values()):
            polling = self._polling(destinations)
            parts.append(("polling", lambda: polling.run(stop)))
        if self._settings.inboxes:
            drop = FileDrop(
                self._settings.inboxes,
                self._committer,
                self._blobs,
                url=self._url,
                clock=now,
                poll_seconds=self._settings.poll_seconds,
                codecs={
                    name: adapter.make(registry.options(adapter, self._settings.adapter_options))
                    for name, adapter in self._adapters.items()
                    if "codec" in adapter.manifest.kinds
                },
            )
            parts.append(("filedrop", lambda: drop.run(stop)))
        return parts

    def _polling(self, destinations: Destinations) -> Polling:
        """Return what asks the sources, through the channels that dispatch sends by."""
        return Polling(
            self._pool,
            self._committer,
            self._blobs,
            destinations.asked,
            owner=owner.name(),
            now=now,
            refused=self._refusals.record,
        )

    def _triage(self, stop: threading.Event, bell: _Bell) -> None:
        triage = Triage(self._url, self._rules, now)
        try:
            while not stop.is_set():
                heard = bell.rung
                if triage.run_once().items == 0:
                    bell.wait(heard, self._settings.poll_seconds)
        finally:
            triage.close()

    @staticmethod
    def _guarded(name: str, target: Callable[[], None], stop: threading.Event) -> None:
        """Start a part again after a trouble; nothing a part does may end the process."""
        pause = 0.5
        while not stop.is_set():
            try:
                target()
            except psycopg.OperationalError as error:
                log.warning("work.database_away", part=name, reason=type(error).__name__)
            except Exception:
                log.exception("work.defect", part=name)
            else:
                return
            stop.wait(pause)
            pause = min(pause * 2, 5.0)


class _Bell(threading.Thread):
    """Rings when somebody committed work, so that an idle worker need not poll fast."""

    def __init__(self, url: str, stop: threading.Event) -> None:
        super().__init__(name="bell", daemon=True)
        self._url = url
        self._stopping = stop
        self._condition = threading.Condition()
        self.rung = 0

    def ring(self) -> None:
        """Wake whoever waits."""
        with self._condition:
            self.rung += 1
            self._condition.notify_all()

    def wait(self, heard: int, seconds: float) -> None:
        """Wait for a ring after the one that was heard last, at most so long."""
        with self._condition:
            self._condition.wait_for(lambda: self.rung != heard, seconds)

    def run(self) -> None:
        """Listen until told to stop; the poll is the net while the connection is away."""
        while not self._stopping.is_set():
            try:
                self._listen()
            except psycopg.Error as error:
                log.info("work.bell_lost", reason=type(error).__name__)
                self._stopping.wait(1.0)

    def _listen(self) -> None:
        connection: psycopg.Connection[Any]
        with psycopg.connect(
            self._url, autocommit=True, application_name="gateway bell"
        ) as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            while not self._stopping.is_set():
                for _ in connection.notifies(timeout=5.0, stop_after=1):
                    self.ring()
