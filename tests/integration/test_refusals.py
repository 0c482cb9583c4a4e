"""Refused calls are written off the request path, and one that cannot be costs no later one."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import psycopg
import pytest

from gateway.access.policy import Refused
from gateway.access.refusals import ADDRESS_CHARS, MINUTE, PER_ADDRESS, RefusalLog
from tests.integration.house import eventually


@pytest.fixture
def refusals(pg_url):
    made = RefusalLog(pg_url, lambda: datetime.now(UTC))
    made.start()
    yield made
    made.stop()


def refused(peer, address="192.0.2.7"):
    return Refused(
        reason="wrong credential", peer=peer, address=address, path="/", correlation="c-1234567"
    )


def test_what_cannot_be_written_is_counted_and_the_next_one_is_written(refusals, pg_url):
    refusals.record(refused("\ud800"))
    eventually(lambda: refusals.dropped == 1)
    refusals.record(refused("portal"))

    def written():
        with psycopg.connect(pg_url) as db:
            return db.execute("SELECT peer, address, reason, correlation FROM refusal").fetchall()

    assert eventually(written) == [("portal", "192.0.2.7", "wrong credential", "c-1234567")]


def test_of_a_flood_from_one_address_only_its_share_of_the_minute_is_written(pg_url):
    instant, counted = [datetime(2026, 2, 1, tzinfo=UTC)], Counter()
    refusals = RefusalLog(
        pg_url, lambda: instant[0], lambda told: counted.update(["told" if told else "not"])
    )
    refusals.start()
    for _ in range(PER_ADDRESS + 500):
        refusals.record(refused("portal"))
    refusals.record(refused("other", address="x" * 5000))
    assert counted == {"told": PER_ADDRESS + 1, "not": 500}
    instant[0] += MINUTE
    refusals.record(refused("portal"))
    refusals.stop()
    with psycopg.connect(pg_url) as db:
        rows = db.execute("SELECT address, count(*) FROM refusal GROUP BY 1").fetchall()
    assert dict(rows) == {"192.0.2.7": PER_ADDRESS + 1, "x" * ADDRESS_CHARS: 1}
