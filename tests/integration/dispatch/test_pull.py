"""What a peer pulls: in order, nothing passed over, again until acknowledged."""

from __future__ import annotations

import threading

import psycopg
import pytest

from gateway.access.policy import Caller
from gateway.errors import ValidationError
from gateway.model.ids import uuid7
from gateway.store import arrays, lanes, pull
from gateway.store.pool import Pool
from gateway.wires import contract as c
from gateway.wires.channels.pull import PullChanges

PORTAL = Caller(peer="portal")


@pytest.fixture
def changes(stand):
    pool = Pool(stand.url)
    pool.open()
    yield PullChanges(pool, stand.appeals, stand.clock)
    pool.close()


def owe(stand, count=1, peer="portal"):
    return stand.owe(*([""] * count), destination=peer, kind="pull")


def positions(response) -> list[int]:
    return [change.sequence for change in response.items]


def test_changes_come_again_until_they_are_acknowledged(stand, changes):
    owe(stand, 3)
    first = changes.get(c.GetChanges(max=2), PORTAL)
    assert (positions(first), first.more) == ([1, 2], True)
    assert positions(changes.get(c.GetChanges(max=2), PORTAL)) == [1, 2]
    rest = changes.get(c.GetChanges(cursor=first.next_cursor), PORTAL)
    assert (positions(rest), rest.more) == ([3], False)
    changes.acknowledge(c.AckChanges(cursor=first.next_cursor), PORTAL)
    changes.acknowledge(c.AckChanges(cursor=first.next_cursor), PORTAL)
    assert positions(changes.get(c.GetChanges(), PORTAL)) == [3]
    assert stand.states() == ["acknowledged", "acknowledged", "ready"]
    assert stand.rows("SELECT waiting FROM lane") == [(1,)]
    changes.acknowledge(c.AckChanges(cursor=rest.next_cursor), PORTAL)
    empty = changes.get(c.GetChanges(), PORTAL)
    assert (empty.items, empty.next_cursor, empty.more) == ((), None, False)


def test_a_row_that_commits_late_is_not_passed_over(stand, changes, in_thread):
    """The second writer cannot overtake the first: it gets its position after the first commits."""
    owe(stand)
    seen = positions(changes.get(c.GetChanges(), PORTAL))
    cursor = changes.get(c.GetChanges(), PORTAL).next_cursor
    rows = [lanes.NewDelivery("portal", "", uuid7(), 1, "Registered", kind="pull")]
    entered = threading.Event()

    def second() -> None:
        with psycopg.connect(stand.url, cursor_factory=psycopg.RawCursor) as late:
            arrays.register(late)
            entered.set()
            lanes.enqueue(late, rows, stand.clock())

    with psycopg.connect(stand.url, cursor_factory=psycopg.RawCursor) as early:
        arrays.register(early)
        lanes.enqueue(early, rows, stand.clock())
        thread = in_thread(second)
        entered.wait(10)
        while not stand.rows("SELECT 1 FROM pg_locks WHERE NOT granted"):
            assert thread.is_alive()
            threading.Event().wait(0.01)
        assert positions(changes.get(c.GetChanges(cursor=cursor), PORTAL)) == []
        early.commit()
    thread.join(10)
    seen += positions(changes.get(c.GetChanges(cursor=cursor), PORTAL))
    assert seen == [1, 2, 3]


def test_a_cursor_belongs_to_one_peer_and_typing_errors_are_told(stand, changes):
    owe(stand, 2)
    owe(stand, 2, peer="other")
    cursor = changes.get(c.GetChanges(), PORTAL).next_cursor
    for peer, text in (("other", cursor), ("portal", cursor[:-1] + "A"), ("portal", "нет")):
        with pytest.raises(ValidationError):
            changes.get(c.GetChanges(cursor=text), Caller(peer=peer))
    with pytest.raises(ValidationError):
        changes.acknowledge(c.AckChanges(cursor=pull.cursor("portal", 99)), PORTAL)


def test_an_answer_stays_under_the_size_asked_for_but_always_advances(stand, changes):
    owe(stand, 60)
    got = []
    cursor = None
    while True:
        page = changes.get(c.GetChanges(cursor=cursor, max_bytes=4096), PORTAL)
        assert page.items
        got += positions(page)
        cursor = page.next_cursor
        if not page.more:
            break
    assert got == list(range(1, 61))


def test_what_is_pulled_is_never_pushed(stand):
    stand.destination("portal")
    owe(stand)
    assert stand.dispatcher().run_once() == 0
    assert stand.states() == ["ready"]
