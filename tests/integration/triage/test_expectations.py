"""What peers' lists say is stored in one order, whatever order the lists came in."""

from __future__ import annotations

import datetime as dt
import threading

import psycopg
import pytest

from gateway.adapter import RemoteState
from gateway.store import arrays, work

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
HELD = "SELECT FROM expectation WHERE number_key = $1 FOR UPDATE NOWAIT"
WAITS = "SELECT count(*)::int FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid = $1"


@pytest.fixture
def connect(pg_url):
    made = []

    def one():
        made.append(psycopg.connect(pg_url, autocommit=True, cursor_factory=psycopg.RawCursor))
        arrays.register(made[-1])
        return made[-1]

    yield one
    for connection in made:
        connection.close()


def told(*numbers):
    return [("node", RemoteState(key=number, key_folded=number)) for number in numbers]


@pytest.mark.parametrize(("lists", "met"), [(("B", "A"), ()), (("B",), ("A",)), ((), ("B", "A"))])
def test_two_batches_with_the_same_numbers_do_not_wait_for_each_other(connect, lists, met):
    here, there, look = connect(), connect(), connect()
    work.expect_all(here, told("A", "B"), (), NOW)

    def other():
        with there.transaction():
            work.expect_all(there, told(*lists), met, NOW)

    with here.transaction():
        here.execute(HELD, ("A",))
        thread = threading.Thread(target=other)
        thread.start()
        while not look.execute(WAITS, (there.info.backend_pid,)).fetchone()[0]:
            assert thread.is_alive()
            threading.Event().wait(0.01)
        here.execute(HELD, ("B",))
    thread.join(20)
    assert not thread.is_alive()
    assert here.execute("SELECT count(*)::int FROM expectation").fetchone() == (2,)
