"""The group commit: one batch for many, and each entry's trouble is its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from gateway import ingest
from gateway.adapter import Inbound
from gateway.errors import BusyError, ConflictError, InternalError, NotFoundError
from gateway.limits import BODY_IN_ROW_BYTES, COMMIT_LONG_BYTES
from gateway.model.appeal import Appeal
from gateway.store import arrays
from gateway.store.accept import write_batch
from tests.integration.accept.conftest import eventually

CROWD = Path(__file__).with_name("crowd.py")


def poisoned(entry):
    """An entry with what decoding never lets through and PostgreSQL refuses."""
    entry.message = entry.message._replace(media_type="text/\0")
    return entry


def together(committer, *entries):
    """Put entries into one batch: they wait before the thread starts. Return their outcomes."""

    async def all_of_them():
        submitted = [asyncio.ensure_future(committer.submit(entry)) for entry in entries]
        await asyncio.sleep(0)
        committer.start()
        return await asyncio.gather(*submitted, return_exceptions=True)

    return asyncio.run(all_of_them())


def come_again(committer, entry):
    """Submit as a peer does that was told to come again; None when it is too early."""
    try:
        return committer.submit_sync(entry)
    except BusyError:
        return None


@contextlib.contextmanager
def standing_still(store):
    """Nobody can claim a key meanwhile."""
    with psycopg.connect(store.url) as db, db.transaction():
        db.execute("LOCK TABLE ledger IN EXCLUSIVE MODE")
        yield db


def test_a_poisoned_entry_harms_itself_only(store):
    entries = [store.entry(f"a-{n}") for n in range(20)]
    poisoned(entries[7])
    outcomes = together(store.committer(start=False), *entries)
    assert [n for n, o in enumerate(outcomes) if isinstance(o, Exception)] == [7]
    assert isinstance(outcomes[7], InternalError)
    assert store.count("appeal") == store.count("message") == store.count("ledger") == 19


def test_an_amendment_is_not_acknowledged_on_an_appeal_that_was_not_stored(store):
    first, second = poisoned(store.entry("a", 1)), store.entry("a", 2, text="Вторая редакция")
    lost, kept = together(store.committer(start=False), first, second)
    assert isinstance(lost, InternalError)
    assert store.rows("SELECT receipt_number, revision FROM appeal") == [(kept.receipt_number, 2)]


def test_revisions_in_one_batch_are_one_appeal(store):
    entries = [store.entry("a", n, text=f"Редакция {n}") for n in (2, 1, 3, 2)]
    outcomes = together(store.committer(start=False), *entries)
    assert len({o.receipt_number for o in outcomes}) == 1
    assert [o.repeat for o in outcomes] == [False, False, False, True]
    assert store.rows("SELECT revision FROM appeal") == [(2,)]
    assert store.rows("SELECT operation, revision FROM message ORDER BY revision") == [
        ("amend", 1),
        ("submit", 2),
        ("amend", 3),
    ]


def test_the_same_key_twice_in_one_batch_is_a_repeat_or_a_conflict(store):
    entries = [store.entry("a"), store.entry("a"), store.entry("a", text="Другое")]
    first, again, other = together(store.committer(start=False), *entries)
    assert again._replace(repeat=False) == first
    assert isinstance(other, ConflictError)
    assert other.receipt_number == first.receipt_number
    assert store.count("appeal") == 1


def test_past_the_bound_callers_are_told_to_come_again_and_nothing_is_lost(store):
    committer = store.committer(start=False, queue_items=3)
    entries = [store.entry(f"a-{n}") for n in range(5)]
    outcomes = together(committer, *entries)
    assert [isinstance(o, BusyError) for o in outcomes] == [False, False, False, True, True]
    assert store.count("appeal") == 3
    assert committer.submit_sync(entries[4]).external_id == "a-4", "there is room again"


def test_past_the_bound_of_bytes_too(store):
    committer = store.committer(start=False, queue_bytes=10_000)
    entries = [store.entry(f"a-{n}", text="я" * 2_000) for n in range(3)]
    outcomes = together(committer, *entries)
    assert [isinstance(o, BusyError) for o in outcomes] == [False, True, True]


@pytest.mark.parametrize("wire", ["rest-json", "soap11"])
def test_past_the_bound_the_wire_says_when_to_come_again(make_house, store, wire):
    house = make_house(GATEWAY_QUEUE_ITEMS="2")
    answers = {}

    def submit(n):
        answers[n] = house.submit(wire, f"a-{n}")

    threads = [threading.Thread(target=submit, args=(n,)) for n in range(8)]
    with standing_still(store):
        for thread in threads:
            thread.start()
        busy = eventually(lambda: [a for a in answers.values() if a.status >= 500][:5])
    for thread in threads:
        thread.join(30)
    for answer in busy:
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.status == (503 if wire == "rest-json" else 500)
    good = [n for n, a in answers.items() if a.status < 300]
    stored = store.rows("SELECT external_id, receipt_number FROM appeal")
    assert sorted(stored) == sorted((f"a-{n}", answers[n].receipt.number) for n in good)


def test_a_database_that_goes_in_the_middle_is_a_clear_busy_and_comes_back_by_itself(store):
    committer = store.committer()
    committer.submit_sync(store.entry("before"))
    failed: list[BaseException] = []

    def submit():
        try:
            committer.submit_sync(store.entry("during"))
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test shows it
            failed.append(error)

    thread = threading.Thread(target=submit)
    with standing_still(store) as db:
        thread.start()
        eventually(lambda: db.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone())
        db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'gateway committer' AND datname = current_database()"
        )
        thread.join(30)
    [error] = failed
    assert isinstance(error, BusyError)
    assert store.rows("SELECT external_id FROM appeal") == [("before",)]
    accepted = eventually(lambda: come_again(committer, store.entry("during")))
    assert accepted.repeat is False


def test_everybody_who_waits_is_told_at_once_when_the_database_is_away(tmp_path, store):
    store.url = "postgresql://nobody@/nowhere?host=" + str(tmp_path)
    entries = [store.entry(f"a-{n}") for n in range(600)]
    outcomes = together(store.committer(start=False), *entries)
    assert all(isinstance(o, BusyError) and o.where == "database" for o in outcomes)


def test_newcomers_are_told_without_waiting_for_a_connection(tmp_path, store):
    store.url = "postgresql://nobody@/nowhere?host=" + str(tmp_path)
    committer = store.committer()
    for n in range(200):
        with pytest.raises(BusyError) as told:
            committer.submit_sync(store.entry(f"a-{n}"))
        assert told.value.where == "database"
    assert committer.depth == 0


@contextlib.contextmanager
def no_file_larger_than(size):
    """The operating system refuses to write more: as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_no_room_for_a_large_message_is_a_clear_busy_and_leaves_nothing_behind(store):
    body = b"{" + b" " * BODY_IN_ROW_BYTES + b"}"
    with no_file_larger_than(100_000), pytest.raises(BusyError) as told:
        store.blobs.put(body)
    assert told.value.where == "EFBIG"
    assert [p for p in (store.root / "blobs").rglob("*") if p.is_file()] == []
    assert store.blobs.get(store.blobs.put(body)) == body, "with room again it is taken"


def test_three_processes_submit_the_same_appeals_at_once(store, tmp_path):
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    before = store.rows(deadlocks)
    processes = [
        subprocess.Popen(
            [sys.executable, str(CROWD), store.url, str(tmp_path / "blobs"), seed, count, "300"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=CROWD.parents[3],
        )
        for seed, count in (("1", "667"), ("2", "667"), ("3", "666"))
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    given: dict[str, set[str]] = {}
    answers = 0
    for process in processes:
        out, _ = process.communicate(timeout=120)
        for name, numbers in json.loads(out).items():
            answers += len(numbers)
            given.setdefault(name, set()).update(numbers)
    assert answers == 2_000
    assert {
        name: {number}
        for name, number in store.rows("SELECT external_id, receipt_number FROM appeal")
    } == given
    assert len(given) == store.count("appeal") == store.count("message") == 300
    assert store.rows(deadlocks) == before


def test_a_clock_set_back_loses_and_doubles_nothing(store):
    committer = store.committer()
    first = committer.submit_sync(store.entry("a"))
    back = store.now - timedelta(days=400)
    again = committer.submit_sync(store.entry("a", now=back))
    assert again.accepted_at == first.accepted_at == store.now
    assert again.receipt_number == first.receipt_number
    amended = committer.submit_sync(store.entry("a", 2, text="Вторая редакция", now=back))
    other = committer.submit_sync(store.entry("b", now=back))
    assert amended.receipt_number == first.receipt_number
    assert (amended.accepted_at, other.accepted_at) == (back, back)
    assert store.count("appeal") == 2


@pytest.mark.parametrize("year", [2019, 2039])
def test_ids_of_a_clock_years_off_still_find_a_partition(store, year, monkeypatch):
    from gateway.model import ids

    wrong = store.now.replace(year=year)
    monkeypatch.setattr(ids, "_wall", ids._Clock())
    monkeypatch.setattr(ids.time, "time_ns", lambda: int(wrong.timestamp()) * 10**9)
    accepted = store.committer().submit_sync(store.entry("a", now=wrong))
    assert accepted.receipt_number
    assert store.rows("SELECT tableoid::regclass::text FROM appeal") == [("appeal_default",)]
    assert store.rows("SELECT tableoid::regclass::text FROM message") == [("message_default",)]


def test_what_was_taken_is_stored_although_its_caller_went_away(store):
    committer = store.committer(start=False)

    async def impatient():
        task = asyncio.ensure_future(committer.submit(store.entry("a")))
        await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(impatient())
    committer.start()
    again = committer.submit_sync(store.entry("a"))
    assert again.repeat
    assert store.count("appeal") == 1


def test_an_amendment_in_the_batch_of_its_appeal_finds_it(store):
    appeal = Appeal(text="Вторая редакция")
    inbound = Inbound(operation="amend", external_id="a", revision=2, appeal=appeal)
    amendment = ingest.entry(store.arrival(b"second"), inbound, store.blobs)
    first, second = together(store.committer(start=False), store.entry("a"), amendment)
    assert second.receipt_number == first.receipt_number
    assert store.rows("SELECT kind FROM ledger ORDER BY kind") == [("amend",), ("appeal",)]


def test_a_call_about_an_appeal_that_its_batch_could_not_store_is_not_acknowledged(store):
    appeal = Appeal(text="Вторая редакция")
    inbound = Inbound(operation="amend", external_id="a", revision=2, appeal=appeal)
    amendment = ingest.entry(store.arrival(b"second"), inbound, store.blobs)
    first, second = together(store.committer(start=False), poisoned(store.entry("a")), amendment)
    assert isinstance(first, InternalError)
    assert isinstance(second, NotFoundError)
    assert store.count("ledger") == 0


def test_who_sends_little_does_not_wait_for_who_sends_much(store):
    """The long one waits for a transaction of somebody else, and the short one is stored."""
    long = store.entry("long", text="д" * 90_000)
    assert long.size > COMMIT_LONG_BYTES
    committer = store.committer()

    async def both(elsewhere):
        waiting = asyncio.ensure_future(committer.submit(long))
        await asyncio.wait_for(committer.submit(store.entry("short")), 10)
        waited = not waiting.done()
        elsewhere.rollback()
        return waited, await waiting

    with psycopg.connect(store.url, cursor_factory=psycopg.RawCursor) as elsewhere:
        arrays.register(elsewhere)
        write_batch(elsewhere, [store.entry("long", text="д" * 90_000)])
        waited, accepted = asyncio.run(both(elsewhere))
    assert waited
    assert accepted.receipt_number == long.outcome.receipt_number
    assert store.count("appeal") == 2
