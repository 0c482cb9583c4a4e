"""The leader refreshes by schedule, in a process of its own, and says how it ended."""

import json
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from adapters.fias import health, schedule, state
from gateway import doctor_database, settings
from gateway.doctor import examine
from gateway.errors import ConfigurationError
from gateway.jobs import Schedule, Surroundings, joined
from gateway.store import schema
from simulators.faults import Fault
from tests.integration.accept.conftest import eventually

NOW = datetime(2026, 9, 8, 0, 30, tzinfo=UTC)
NOTE = (
    "import sys, datetime, pathlib; from adapters.fias import state;"
    "state.note(pathlib.Path(sys.argv[1]), datetime.datetime.now(datetime.UTC), version=7)"
)
EVERY_HOUR = list(range(24))


@pytest.fixture
def installed(site, tmp_path, pg_url):
    """Settings of an installation whose catalogue is the simulated one, as its environment."""

    def made(**more):
        return {
            "GATEWAY_DATA_DIR": str(tmp_path / "var"),
            "GATEWAY_DATABASE_URL": pg_url,
            "GATEWAY_ADAPTERS": "fias",
            "GATEWAY_ADAPTER_OPTIONS": json.dumps({"fias": site.options(**more)}),
        }

    return made


def around(environ, now=NOW):
    found = settings.load(environ)
    return Surroundings(found, found.database_url, lambda: now, threading.Event())


def folder(environ):
    return Path(environ["GATEWAY_DATA_DIR"]) / "fias"


def load(pg_url, region, version):
    with psycopg.connect(pg_url) as db:
        db.execute(
            "INSERT INTO address_version (region, version, loaded_at, source, objects, houses)"
            " VALUES (%s, %s, now(), '', 0, 0)",
            (region, version),
        )


def test_nothing_is_done_unless_hours_are_named(installed):
    assert schedule.job(around(installed())) is None
    assert schedule.job(around(installed(hours=[3], url=""))) is None
    assert joined(around({**installed(hours=[3]), "GATEWAY_ADAPTERS": "sstu"})) == []
    assert [job.name for job in joined(around(installed(hours=[3])))] == ["fias"]


def test_hours_that_do_not_fit_keep_the_worker_from_starting(installed):
    with pytest.raises(ConfigurationError, match="hours"):
        joined(around(installed(hours=[25])))


def test_the_leader_brings_the_register_up_to_date(installed, site, pg_url, monkeypatch):
    site.release("2026.09.08", size=2_000)
    load(pg_url, 36, 20260908)
    with psycopg.connect(pg_url) as db:  # the process refuses a database of another revision
        db.execute("CREATE TABLE alembic_version (version_num text)")
        db.execute("INSERT INTO alembic_version VALUES (%s)", (schema.head(),))
    environ = installed(hours=EVERY_HOUR)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    made = Schedule(pg_url, joined(around(environ, datetime.now(UTC))))
    made.start(datetime.now(UTC))
    try:
        found = eventually(lambda: state.read(folder(environ)))
    finally:
        made.stop()
    assert (found.version, found.error) == (20260908, "")


def test_outside_its_hours_nothing_runs(installed):
    environ = installed(hours=[5])
    job = schedule.job(around(environ), [sys.executable, "-c", NOTE, str(folder(environ))])
    job.run()
    assert state.read(folder(environ)) is None


def test_in_its_hour_it_runs_once(installed):
    environ = installed(hours=[3])  # 00:30 UTC is 03:30 in Moscow
    job = schedule.job(around(environ), [sys.executable, "-c", NOTE, str(folder(environ))])
    job.run()
    first = state.read(folder(environ))
    job.run()
    assert first.version == 7
    assert state.read(folder(environ)) == first


def test_a_process_that_died_is_noted_with_its_last_words(installed):
    environ = installed(hours=[3])
    broken = [sys.executable, "-c", "import sys; sys.exit('нет памяти')"]
    schedule.job(around(environ), broken).run()
    found = state.read(folder(environ))
    assert (found.error, found.failures, found.at) == ("нет памяти", 1, NOW)


def test_a_worker_that_stops_ends_its_refresh(installed):
    environ = installed(hours=[3])
    surroundings = around(environ)
    surroundings.stop.set()
    schedule.job(surroundings, [sys.executable, "-c", "import time; time.sleep(60)"]).run()
    assert state.read(folder(environ)) is None


def told(environ, pg_url, now=NOW):
    return [
        (finding.level, finding.what)
        for finding in examine(doctor_database.checks(settings.load(environ), pg_url, now))
        if finding.check == "fias"
    ]


def test_doctor_says_how_old_the_register_is_and_who_answers(installed, site, pg_url):
    site.release("2026.09.08", size=2_000)
    environ = installed()
    assert [level for level, _ in told(environ, pg_url)] == ["warn", "ok"]
    load(pg_url, 36, 20260904)
    assert told(environ, pg_url) == [
        ("ok", "регионов · regions: 1, версия · version 20260904"),
        ("ok", "каталог отвечает · the catalogue answers: 20260908"),
    ]
    later = NOW.replace(year=2027)
    assert told(environ, pg_url, later)[0][0] == "warn"


def test_doctor_tells_of_a_refresh_that_failed_and_of_a_silent_catalogue(installed, site, pg_url):
    environ = installed()
    load(pg_url, 36, 20260904)
    state.note(folder(environ), NOW, error="диск полон")
    site.peer.faults.plan(Fault(kind="busy", key="rest", times=0))
    levels = told(environ, pg_url)
    assert [level for level, _ in levels] == ["ok", "warn", "warn"]
    assert "диск полон" in levels[1][1]


def test_doctor_is_silent_where_the_adapter_is_not_switched_on(installed, pg_url):
    environ = {**installed(), "GATEWAY_ADAPTERS": "sstu"}
    assert list(health.check(settings.load(environ), pg_url, NOW)) == []


def test_deliveries_that_are_brought_by_hand_ask_nobody(installed, pg_url):
    load(pg_url, 36, 20260904)
    assert "come by hand" in told(installed(url=""), pg_url)[1][1]
