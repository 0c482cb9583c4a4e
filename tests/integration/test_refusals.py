"""Refused calls are written off the request path, and one that cannot be costs no later one."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest

from gateway.access.policy import Refused
from gateway.access.refusals import RefusalLog
from tests.integration.house import eventually


@pytest.fixture
def refusals(pg_url):
    made = RefusalLog(pg_url, lambda: datetime.now(UTC))
    made.start()
    yield made
    made.stop()


def refused(peer):
    return Refused(
        reason="wrong credential", peer=peer, address="192.0.2.7", path="/", correlation="c-1234567"
    )


def test_what_cannot_be_written_is_counted_and_the_next_one_is_written(refusals, pg_url):
    refusals.record(refused("\ud800"))
    eventually(lambda: refusals.dropped == 1)
    refusals.record(refused("portal"))

    def written():
        with psycopg.connect(pg_url) as db:
            return db.execute("SELECT peer, address, reason, correlation FROM refusal").fetchall()

    assert eventually(written) == [("portal", "192.0.2.7", "wrong credential", "c-1234567")]
