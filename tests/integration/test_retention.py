"""What the house noted about itself goes after the days that the operator set, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.errors import ConfigurationError
from gateway.jobs import Schedule, retention_job
from gateway.settings import Settings, load
from gateway.store import retention
from gateway.store.partitions import lower_bound
from gateway.store.pool import Pool
from gateway.worker import Worker
from tests.integration.house import eventually

NOW = datetime(2031, 5, 17, 3, tzinfo=UTC)
KINDS = ("refusal", "finding")


@pytest.fixture
def pool(pg_url):
    made = Pool(pg_url)
    made.open()
    yield made
    made.close()


def put(pool, age: timedelta) -> None:
    """One row of each kind, so old."""
    at = NOW - age
    id_ = lower_bound(at)
    with pool.connection() as db:
        db.execute(
            "INSERT INTO refusal (id, at, code, reason) VALUES ($1, $2, 'access', 'test')",
            (id_, at),
        )
        db.execute(
            "INSERT INTO finding (id, run, peer, class, key, found_at, cause, repair)"
            " VALUES ($1, $1, 'sstu', 'missing_there', '1', $2, 'dead', 'resend')",
            (id_, at),
        )


def counts(pool):
    with pool.connection() as db:
        return [db.execute(f"SELECT count(*) FROM {kind}").fetchone()[0] for kind in KINDS]


def test_each_kind_goes_after_its_own_days(pool):
    for days in (1, 29, 31, 179, 181, 364, 366):
        put(pool, timedelta(days=days))
    with pool.connection() as db:
        gone = retention.discard(db, retention.Days(180, 365), NOW)
        again = retention.discard(db, retention.Days(180, 365), NOW)
    assert counts(pool) == [4, 6]
    assert gone == (3, 1)
    assert again == (0, 0)


def test_zero_days_keep_for_ever(pool):
    put(pool, timedelta(days=20_000))
    with pool.connection() as db:
        assert retention.discard(db, retention.Days(0, 0), NOW) == (0, 0)
    assert counts(pool) == [1, 1]


def test_more_than_one_portion_goes_in_one_pass(pool, monkeypatch):
    monkeypatch.setattr(retention, "AT_ONCE", 3)
    for days in range(400, 410):
        put(pool, timedelta(days=days))
    with pool.connection() as db:
        assert retention.discard(db, retention.Days(180, 365), NOW) == (10, 10)


def test_it_is_a_job_of_the_schedule_with_the_days_of_the_settings(pool, pg_url, tmp_path):
    for days in (2, 4, 6):
        put(pool, timedelta(days=days))
    settings = Settings(data_dir=tmp_path, keep_refusals_days=5, keep_findings_days=3)
    keep = Worker(settings, pg_url).kept
    schedule = Schedule(pg_url, [retention_job(pool, keep, lambda: NOW)])
    schedule.start(datetime.now(UTC))
    try:
        eventually(lambda: counts(pool) == [2, 1])
    finally:
        schedule.stop()


def test_a_number_of_days_that_would_take_everything_is_refused():
    for wrong in ("-1", "soon"):
        with pytest.raises(ConfigurationError):
            load({"GATEWAY_KEEP_REFUSALS_DAYS": wrong})
    assert load({"GATEWAY_KEEP_FINDINGS_DAYS": "0"}).keep_findings_days == 0
    assert Settings().keep_refusals_days == 180
