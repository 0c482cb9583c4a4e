"""Jobs tick at start and in one process only; partitions are made whatever stands in the way."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from gateway.jobs import DAY, Job, Schedule, partitions_job
from gateway.store import schema
from gateway.store.partitions import Month
from tests.integration.accept.conftest import eventually

NOW = datetime(2031, 5, 17, tzinfo=UTC)
MADE = "SELECT count(*) FROM pg_class WHERE relname LIKE %s"


def made(url: str, month: Month) -> int:
    with psycopg.connect(url) as db:
        return db.execute(MADE, (f"%_{month.label}",)).fetchone()[0]


def test_a_daily_job_is_done_at_start(pg_url):
    schedule = Schedule(pg_url, [partitions_job(pg_url, lambda: NOW)])
    schedule.start(datetime.now(UTC))
    try:
        eventually(lambda: made(pg_url, Month(2031, 8)) >= 7)
    finally:
        schedule.stop()


def test_two_jobs_that_start_together_are_both_done_by_one_process(pg_url):
    done = [threading.Event(), threading.Event(), threading.Event(), threading.Event()]
    schedules = [
        Schedule(pg_url, [Job(f"job-{n}", DAY, event.set) for n, event in enumerate(pair)])
        for pair in (done[:2], done[2:])
    ]
    for schedule in schedules:
        schedule.start(datetime.now(UTC))
        eventually(lambda: all(event.is_set() for event in done[:2]))
    for schedule in reversed(schedules):
        schedule.stop()
    assert not any(event.is_set() for event in done[2:]), "the other process does not lead"


def test_a_partition_that_cannot_be_made_keeps_no_other_from_being_made(pg_url):
    schema.make_partitions(pg_url, NOW - timedelta(days=400))
    with psycopg.connect(pg_url) as db:
        db.execute(
            "INSERT INTO question (appeal_id, ordinal, id, state)"
            " VALUES (%s, 1, gen_random_uuid(), 'received')",
            (schema.partitions.lower_bound(NOW),),
        )
    with pytest.raises(psycopg.Error):
        schema.make_partitions(pg_url, NOW)
    assert made(pg_url, Month(2031, 5)) >= 6
    assert made(pg_url, Month(2031, 8)) >= 7
