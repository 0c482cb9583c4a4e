"""Lists read while others write: whatever commits late, and in whatever order, is never missed."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import timedelta
from random import Random

import psycopg
import pytest

from gateway import ingest
from gateway.access.policy import Caller
from gateway.errors import InputError, ValidationError
from gateway.store import arrays
from gateway.store.accept import write_batch
from gateway.store.entries import KEEP, Entry
from gateway.store.pool import Pool
from gateway.wires import contract as c
from gateway.wires.lists import Lists
from tests.integration.accept.conftest import PEER

US = Caller(peer=PEER)


class Reading:
    """One of the two lists, read as a partner does."""

    def __init__(self, pool, operation, since):
        self.lists, self.operation, self.since = Lists(pool, looks=2), operation, since

    def page(self, cursor=None, start=None, **more):
        request = self.operation(cursor=cursor, **{self.since: start}, **more)
        if self.operation is c.FindAppeals:
            return self.lists.appeals(request, US)
        return self.lists.receipts(request, US)

    def rest(self, cursor=None, start=None, **more):
        """Everything from a place to the end of the list, and up to when it is complete."""
        seen = []
        while True:
            page = self.page(cursor, start, **more)
            seen += names(page)
            if page.next_cursor is None:
                return seen, page.complete_until
            cursor = page.next_cursor


@pytest.fixture
def pool(pg_url):
    made = Pool(pg_url)
    made.open()
    yield made
    made.close()


@pytest.fixture(params=[(c.GetReceipts, "from_"), (c.FindAppeals, "changed_from")], ids=str)
def reading(pool, request):
    return Reading(pool, *request.param)


@contextmanager
def writing(store, *entries):
    """A transaction that has written entries and commits at the end of the block."""
    with psycopg.connect(
        store.url, autocommit=True, cursor_factory=psycopg.RawCursor, prepare_threshold=1
    ) as connection:
        arrays.register(connection)
        with connection.transaction():
            write_batch(connection, entries)
            yield connection


def write(store, *entries):
    with writing(store, *entries):
        pass


def names(page):
    return [item.external_id for item in page.items]


def test_a_cursor_waits_for_a_transaction_that_is_still_open(store, reading):
    write(store, store.entry("first"))
    early, late = store.entry("early"), [store.entry(f"late-{n}") for n in (1, 2)]
    with writing(store, early):
        write(store, *late)
        page = reading.page(max=2)
        assert names(page) == ["first"]
        assert page.complete_until is None
        behind = reading.page(page.next_cursor, max=1)
        assert (names(behind), behind.next_cursor) == (["late-1"], None)
    assert reading.rest(page.next_cursor, max=1)[0] == ["early", "late-1", "late-2"]
    assert reading.rest(start=behind.complete_until)[0] == ["early", "late-1", "late-2"]


def test_what_waited_in_the_memory_of_another_node_comes_after_the_cursor(store, reading):
    waiting, written = store.entry("waiting"), [store.entry(f"written-{n}") for n in range(3)]
    write(store, *written)
    page = reading.page(max=2)
    write(store, waiting)
    assert reading.rest(page.next_cursor, max=1)[0] == ["written-2", "waiting"]


def test_a_node_whose_clock_is_wrong_loses_nothing(store, reading):
    behind = store.entry("behind", now=store.now - timedelta(hours=1))
    ahead = store.entry("ahead", now=store.now + timedelta(hours=1))
    write(store, ahead)
    write(store, store.entry("right"))
    seen, until = reading.rest(max=1)
    assert seen == ["ahead", "right"]
    write(store, behind)
    assert reading.rest(start=until)[0] == ["behind"]


def test_the_last_page_shows_what_is_not_final_yet_and_says_how_far_it_is_complete(store, reading):
    with writing(store, store.entry("open")):
        write(store, store.entry("done"))
        seen, until = reading.rest()
        assert seen == ["done"]
    assert reading.rest(start=until)[0] == ["open", "done"]
    assert reading.rest(start=reading.rest()[1])[0] == []


def test_a_long_transaction_that_writes_elsewhere_holds_nobody_up(store, reading):
    with psycopg.connect(store.url) as other:
        other.execute("INSERT INTO organisation (id, full_name) VALUES ('x', 'Образец')")
        other.execute("SELECT count(*) FROM message, appeal")
        write(store, *(store.entry(f"after-{n}") for n in range(4)))
        assert reading.rest(max=1)[0] == [f"after-{n}" for n in range(4)]


def test_a_change_that_commits_late_is_in_the_next_reading(store, pool):
    reading = Reading(pool, c.FindAppeals, "changed_from")
    write(store, store.entry("changed"), store.entry("other"))
    with writing(store) as late:
        late.execute(
            "UPDATE appeal SET state = 'registered', changed_at = clock_timestamp()"
            " WHERE external_id = 'changed'"
        )
        _, until = reading.rest()
        write(store, store.entry("new"))
    again = reading.page(start=until)
    assert [(item.external_id, item.state) for item in again.items] == [
        ("changed", "registered"),
        ("new", "received"),
    ]


def test_nothing_is_missed_while_many_write(store, reading):
    """Writers that keep their transactions open for a while, and a reader that goes on and on."""
    chance = Random(7)
    work = [
        [store.entry(f"crowd-{n}-{turn}-{item}") for item in range(3)]
        for n in range(6)
        for turn in range(8)
    ]
    chance.shuffle(work)
    pauses = [chance.random() / 50 for _ in work]

    def writer(mine):
        for entries, pause in mine:
            with writing(store, *entries):
                threading.Event().wait(pause)

    jobs = list(zip(work, pauses, strict=True))
    threads = [threading.Thread(target=writer, args=(jobs[n::6],)) for n in range(6)]
    seen, until = set(), None
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        found, until = reading.rest(start=until, max=5)
        seen |= set(found)
    for thread in threads:
        thread.join()
    seen |= set(reading.rest(start=until, max=5)[0])
    assert seen == {entry.key for entries in work for entry in entries}


def test_a_cursor_is_good_for_its_own_list_and_peer_only(store, pool, reading):
    write(store, store.entry("one"), store.entry("two"))
    cursor = reading.page(max=1).next_cursor
    for request in (c.GetReceipts(cursor=cursor), c.FindAppeals(cursor=cursor)):
        ask = Lists(pool).receipts if isinstance(request, c.GetReceipts) else Lists(pool).appeals
        with pytest.raises(ValidationError):
            ask(request, Caller(peer="other"))
        if type(request) is not reading.operation:
            with pytest.raises(ValidationError):
                ask(request, US)
    for wrong in ("a" + "0" * 32, "!", cursor[:-1], cursor + "A"):
        with pytest.raises(ValidationError):
            reading.page(wrong)


def test_receipts_are_of_calls_and_not_of_the_file_they_came_in(store, pool):
    file = ingest.kept(store.arrival(), InputError("made up"), "file", store.blobs)
    message = file.message._replace(stage="applied", note=None)
    write(store, Entry(kind=KEEP, key="", revision=0, message=message), store.entry("row"))
    assert Reading(pool, c.GetReceipts, "from_").rest()[0] == ["row"]
