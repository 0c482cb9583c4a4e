"""From a peer's row to what dispatch sends to."""

from datetime import UTC, datetime

import psycopg
import pytest
from structlog.testing import capture_logs

from gateway.destinations import Destinations
from gateway.model.peer import Peer
from gateway.registry import load
from gateway.settings import Settings
from gateway.store import peers
from gateway.store.pool import Pool

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def destinations(pg_url):
    pool = Pool(pg_url)
    pool.open()
    yield Destinations(pool, load(["sstu"]), Settings(), lambda: NOW)
    pool.close()


def add(url, **given):
    with psycopg.connect(url, autocommit=True, cursor_factory=psycopg.RawCursor) as connection:
        peers.add(connection, Peer(**given), NOW)


def test_each_channel_of_the_house_is_built(pg_url, destinations, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("0123456789abcdef0123456789abcdef")
    address = "http://127.0.0.1:9/"
    add(
        pg_url, code="hook", adapter="webhook", options={"url": address, "secret_file": str(secret)}
    )
    add(pg_url, code="files", adapter="file", options={"directory": str(tmp_path / "out")})
    add(
        pg_url,
        code="back",
        adapter="soap",
        options={"url": address, "maintenance": ["sun 02:00-04:00"]},
    )
    add(pg_url, code="node", adapter="sstu", options={"url": address})
    add(pg_url, code="portal")

    built = destinations()

    assert sorted(built) == ["back", "files", "hook", "node"]
    assert len(built["back"].policy.maintenance) == 1
    assert built["node"].policy.can_ask
    assert not built["node"].policy.idempotent
    assert built["node"].policy.level == "full", "the manifest records the ground"


def test_a_row_that_cannot_be_spoken_to_harms_only_itself(pg_url, destinations):
    add(pg_url, code="broken", adapter="webhook", options={"url": "http://127.0.0.1:9/"})
    add(pg_url, code="nobody", adapter="no-such-adapter")
    add(pg_url, code="node", adapter="sstu", options={"url": "http://127.0.0.1:9/"})

    assert sorted(destinations()) == ["node"]


def test_why_a_row_cannot_be_spoken_to_is_logged_once_with_the_name_of_the_option(
    pg_url, destinations, monkeypatch
):
    monkeypatch.setattr("gateway.destinations.FRESH_SECONDS", -1.0)
    add(pg_url, code="files", adapter="file", options={"directory": "out", "max_in_flight": "abc"})

    with capture_logs() as said:
        for _ in range(3):
            assert destinations() == {}
        change(pg_url, "UPDATE peer SET options = options || '{\"max_in_flight\": 0}'")
        for _ in range(3):
            assert destinations() == {}
        change(pg_url, 'UPDATE peer SET options = options || \'{"max_in_flight": "4"}\'')
        assert destinations()["files"].policy.max_in_flight == 4, "rows of before may say it so"

    assert [(line["event"], line["peer"]) for line in said] == [
        ("destinations.refused", "files"),
        ("destinations.refused", "files"),
    ]
    assert "max_in_flight: значение не подходит" in said[0]["reason"]
    assert 'found: "abc"' in said[0]["reason"]


def test_a_secret_that_comes_later_is_enough(pg_url, destinations, tmp_path, monkeypatch):
    monkeypatch.setattr("gateway.destinations.FRESH_SECONDS", -1.0)
    secret = tmp_path / "secret"
    options = {"url": "http://127.0.0.1:9/", "secret_file": str(secret)}
    add(pg_url, code="hook", adapter="webhook", options=options)

    assert destinations() == {}
    secret.write_text("0123456789abcdef")
    assert list(destinations()) == ["hook"]


def change(url, statement):
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def test_a_host_for_answers_takes_nothing_from_the_address_that_is_pushed_to(pg_url, destinations):
    add(
        pg_url,
        code="both",
        adapter="soap",
        callback_hosts=["answers.example"],
        options={"url": "http://127.0.0.1:9/", "allow_private": ["127.0.0.1"]},
    )
    built = destinations()
    assert sorted(built) == ["both", "both:replies"]
    health = built["both"].channel.probe()
    assert "allow" not in health.detail, "the address is reached for, though nobody listens there"


def test_answers_that_cannot_be_sent_harm_nobody_else(pg_url, destinations, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("0123456789abcdef0123456789abcdef")
    options = {"url": "http://127.0.0.1:9/", "secret_file": str(secret)}
    add(pg_url, code="hook", adapter="webhook", options=options)
    add(
        pg_url,
        code="broken",
        callback_hosts=["answers.example"],
        options={"client_cert": str(tmp_path / "is-not-there.pem")},
    )
    with capture_logs() as logs:
        assert sorted(destinations()) == ["hook"]
    assert [line["peer"] for line in logs] == ["broken:replies"]
