"""What Prometheus sees of one process, and of the shared queues.

Counters and histograms are per process; gauges about queues (oldest waiting age, in doubt, dead)
are read from the database when asked, so that any process tells the truth about all of them.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from psycopg import Connection

QUEUES = """
SELECT 'triage', '', count(*), (
  SELECT extract(epoch FROM now() - coalesce(m.stored_at, m.recorded_at))
  FROM work o JOIN message m ON m.id = o.message_id WHERE NOT o.parked
  ORDER BY o.message_id LIMIT 1)
FROM work WHERE NOT parked
UNION ALL
SELECT 'parked', '', count(*), (
  SELECT extract(epoch FROM now() - coalesce(m.stored_at, m.recorded_at))
  FROM work o JOIN message m ON m.id = o.message_id WHERE o.parked
  ORDER BY o.message_id LIMIT 1)
FROM work WHERE parked
UNION ALL
SELECT 'delivery', destination || '|' || state, count(*),
       extract(epoch FROM now() - min(created_at))
FROM delivery WHERE state NOT IN ('acknowledged', 'skipped') GROUP BY destination, state
UNION ALL
SELECT 'conflict', '|contradiction', count(*), extract(epoch FROM now() - min(recorded_at))
FROM conflict WHERE settled_at IS NULL
UNION ALL
SELECT 'conflict', '|key', count(*), extract(epoch FROM now() - min(m.recorded_at))
FROM message m
WHERE m.stage = 'conflict' AND NOT EXISTS (SELECT FROM conflict c WHERE c.message_id = m.id)
UNION ALL
SELECT 'twin', '', count(*), extract(epoch FROM now() - min(noted_at)) FROM twin
UNION ALL
SELECT 'source', s.peer || '|' || CASE WHEN s.failures > 0 THEN 'failing' ELSE 'asked' END,
       s.failures, extract(epoch FROM now() - coalesce(s.asked_at, s.due_at))
FROM source s JOIN peer p ON p.code = s.peer AND p.enabled
"""
"""Queue, destination and state, how many, age of the oldest in seconds: of what was put in first,
whenever it is due. A conflict is a contradiction that a person has to settle, or a call that was
answered with 409 because its key was taken (`gateway messages --stage conflict` shows both). Of a
peer that is asked for what it has: how often that failed in a row, and since when it was not; one
that is disabled is not asked, and is left out."""

NOTHING: Final[Mapping[str, Path]] = MappingProxyType({})
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The metrics of one process. directories: whose free disk space is told, by what they are."""

    def __init__(self, directories: Mapping[str, Path] = NOTHING) -> None:
        self.registry = CollectorRegistry()
        self._directories = directories
        self.calls = Counter(
            "gateway_calls_total", "Calls by wire, operation and result code",
            ["wire", "operation", "code"], registry=self.registry,
        )  # fmt: skip
        self.batch_items = Histogram(
            "gateway_commit_items", "Entries in one accept transaction",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256), registry=self.registry,
        )  # fmt: skip
        self.stage_seconds = Histogram(
            "gateway_stage_seconds", "Time of one stage", ["stage"], buckets=SECONDS,
            registry=self.registry,
        )  # fmt: skip
        self.deliveries = Counter(
            "gateway_deliveries_total", "Attempts by destination and outcome",
            ["destination", "outcome"], registry=self.registry,
        )  # fmt: skip
        self.refusals = Counter(
            "gateway_refusals_total", "Calls without access, by whether each is logged and written",
            ["told"], registry=self.registry,
        )  # fmt: skip
        self.events = Counter(
            "gateway_syslog_events_total", "Security events for the syslog, by whether sent",
            ["sent"], registry=self.registry,
        )  # fmt: skip
        self._oldest = Gauge(
            "gateway_oldest_waiting_seconds", "Age of the oldest item that waits",
            ["queue", "destination", "state"], registry=self.registry,
        )  # fmt: skip
        self._waiting = Gauge(
            "gateway_waiting", "Items that wait", ["queue", "destination", "state"],
            registry=self.registry,
        )  # fmt: skip
        self._disk = Gauge(
            "gateway_disk_free_bytes", "Free disk space where data and blobs lie", ["directory"],
            registry=self.registry,
        )  # fmt: skip
        self._commit = self.stage_seconds.labels("commit")
        self._call: dict[tuple[str, str, str], Counter] = {}

    def committed(self, items: int, seconds: float) -> None:
        """Count one accept transaction."""
        self.batch_items.observe(items)
        self._commit.observe(seconds)

    def call(self, wire: str, operation: str, code: str) -> None:
        """Count one call; code is empty for success."""
        labels = (wire, operation, code or "ok")
        counter = self._call.get(labels)
        if counter is None:
            counter = self._call[labels] = self.calls.labels(*labels)
        counter.inc()

    def refused(self, told: bool) -> None:  # noqa: FBT001 - the one thing there is to say
        """Count one call without access."""
        self.refusals.labels("yes" if told else "no").inc()

    def told_syslog(self, sent: bool) -> None:  # noqa: FBT001 - the one thing there is to say
        """Count one security event for the syslog."""
        self.events.labels("yes" if sent else "no").inc()

    def render(self, connection: Connection[Any] | None = None) -> bytes:
        """Return the exposition text, with the queues when a connection is given."""
        if connection is not None:
            self._waiting.clear()
            self._oldest.clear()
            for queue, place, count, age in connection.execute(QUEUES):
                destination, _, state = place.partition("|")
                self._waiting.labels(queue, destination, state).set(count)
                # Another node's clock may be ahead of the database's.
                self._oldest.labels(queue, destination, state).set(max(0.0, float(age or 0)))
        self._disk.clear()
        for name, directory in self._directories.items():
            # The blob directory is made with the first blob; until then it will be on this disk.
            there = next((p for p in (directory, *directory.parents) if p.exists()), directory)
            with suppress(OSError):
                free = shutil.disk_usage(there).free
                self._disk.labels(name).set(free)
        return generate_latest(self.registry)
