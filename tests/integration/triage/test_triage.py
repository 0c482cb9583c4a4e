"""Accepted messages become facts: once, in order, without gaps, and one's trouble is its own."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import psycopg
import pytest

from gateway.limits import TRIAGE_ATTEMPTS
from gateway.model.appeal import Appeal
from gateway.model.base import ExternalRef
from gateway.model.registration import ReferralIn
from tests.integration.accept.conftest import eventually

NUMBERS = "SELECT number FROM registration WHERE is_ours ORDER BY number"
WAITING = "SELECT key, attempts, parked FROM work JOIN message ON id = message_id"
REFUSE = (
    (
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '23514'; END$$"
    ),
    (
        "CREATE TRIGGER refuse BEFORE UPDATE ON appeal FOR EACH ROW"
        " WHEN (new.external_id = 'a-2') EXECUTE FUNCTION refuse()"
    ),
)


def numbers(room) -> list[int]:
    return [int(number.split("-")[1].split("/")[0]) for (number,) in room.rows(NUMBERS)]


def execute(room, *statements) -> None:
    with psycopg.connect(room.url, autocommit=True) as db:
        for statement in statements:
            db.execute(statement)


def spoil(room, external_id: str) -> None:
    """Change what stands in the store, as a defect of ours or a disk might."""
    [(appeal_id,)] = room.rows("SELECT id FROM appeal WHERE external_id = %s", external_id)
    execute(room, f"UPDATE content SET bytes = '{{' WHERE appeal_id = '{appeal_id}'")


def test_an_appeal_is_registered_routed_and_owed_to_everybody_concerned(room):
    room.submit("a")
    assert room.work_off() == 1
    assert numbers(room) == [1]
    assert room.rows("SELECT executor, route_rule FROM appeal") == [("gzhi", "all")]
    owed = room.rows("SELECT DISTINCT destination, kind FROM delivery ORDER BY 1")
    assert owed == [("archive", "push"), ("hook", "push"), ("portal", "pull")]
    assert room.rows("SELECT stage FROM message") == [("applied",)]
    assert room.count("work") == 0
    assert room.verified().faults == ()


def test_four_workers_number_without_gaps_and_repetition(room):
    for n in range(200):
        room.submit(f"a-{n}")
    assert room.work_off(workers=4, batch=7) == 200
    assert numbers(room) == list(range(1, 201))
    assert room.verified().faults == ()
    assert room.deadlocks() == 0


def test_a_number_is_not_lost_with_the_transaction_that_took_it(room):
    room.submit("a")
    triage = room.triage()

    def fails() -> None:
        with pytest.raises(psycopg.OperationalError):
            triage.run_once()

    thread = threading.Thread(target=fails)
    with psycopg.connect(room.url) as blocker:
        blocker.execute("LOCK TABLE registration IN ACCESS EXCLUSIVE MODE")
        thread.start()
        eventually(lambda: blocker.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone())
        blocker.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'gateway triage' AND datname = current_database()"
        )
        thread.join()
    room.submit("b")
    assert room.work_off() == 2
    assert numbers(room) == [1, 2]


def test_workers_on_one_appeal_keep_its_chain(room):
    room.submit("a")
    room.work_off()
    for n in range(2, 42):
        room.submit("a", n, text=f"Редакция {n}")
        room.report("a", f"status-{n}")
    assert room.work_off(workers=4, batch=1) == 80
    assert room.verified().faults == ()
    [(revision, head)] = room.rows("SELECT revision, head_seq FROM appeal")
    assert revision == 41
    assert room.rows("SELECT min(seq), max(seq), count(*) FROM event") == [(1, head, head)]
    assert room.rows(WAITING) == []


def test_workers_whose_appeals_share_letters_numbers_and_lanes_do_not_deadlock(room):
    for n in range(120):
        letters = tuple(
            ReferralIn(number=f"А26-01-{k:06d}", date=date(2026, 1, 10))
            for k in (n % 10, (n * 7) % 10)
        )
        refs = tuple(
            ExternalRef(peer="sed", kind="number", value=f"СЭД-{k:06d}")
            for k in ((n * 3) % 11, (n * 5) % 11)
        )
        room.submit_appeal(f"a-{n}", Appeal(text="Нет света", referrals=letters, refs=refs))
    assert room.work_off(workers=4, batch=11) == 120
    assert room.deadlocks() == 0
    assert room.verified().faults == ()
    [(merged,)] = room.rows("SELECT count(*) FROM appeal WHERE merged_into IS NOT NULL")
    assert numbers(room) == list(range(1, 121 - merged))


def test_an_item_that_cannot_be_read_is_put_off_and_the_batch_goes_on(room):
    for n in range(5):
        room.submit(f"a-{n}")
    spoil(room, "a-2")
    room.work_off()
    assert room.rows(WAITING) == [("a-2", 1, False)]
    assert numbers(room) == [1, 2, 3, 4]


def test_an_item_that_cannot_be_written_is_put_off_and_the_batch_goes_on(room):
    for n in range(5):
        room.submit(f"a-{n}")
    execute(room, *REFUSE)
    room.work_off()
    assert room.rows(WAITING) == [("a-2", 1, False)]
    [(error,)] = room.rows("SELECT error FROM work")
    assert "refused" in error
    assert numbers(room) == [1, 2, 3, 4], "the number it had taken is given to the next"
    assert room.verified().faults == ()


def test_after_five_failures_a_person_sees_it_and_it_is_tried_no_more(room):
    room.submit("a")
    spoil(room, "a")
    for _ in range(TRIAGE_ATTEMPTS + 2):
        room.work_off()
        room.now += timedelta(hours=2)
    assert room.rows(WAITING) == [("a", TRIAGE_ATTEMPTS, True)]
    [(stage, note)] = room.rows("SELECT stage, note FROM message")
    assert stage == "parked"
    assert note["error"]


def test_a_failure_waits_longer_each_time(room):
    room.submit("a")
    spoil(room, "a")
    room.work_off()
    assert room.work_off() == 0, "not again at once"
    room.now += timedelta(minutes=1)
    assert room.work_off() == 1


def test_a_clock_set_back_does_not_keep_what_was_accepted_waiting(room):
    room.submit("a")
    room.now -= timedelta(hours=3)
    room.submit("b")
    assert room.work_off() == 2
    assert numbers(room) == [1, 2]
    assert room.verified().faults == ()


def test_a_lower_revision_is_kept_late_and_changes_nothing(room):
    room.submit("a", 3, text="Третья редакция")
    room.submit("a", 1, text="Первая редакция")
    room.work_off()
    assert room.rows("SELECT revision FROM appeal") == [(3,)]
    assert room.rows("SELECT revision, stage FROM message ORDER BY revision") == [
        (1, "late"),
        (3, "applied"),
    ]
    assert room.verified().faults == ()


def test_a_worker_that_dies_with_a_batch_leaves_it_to_the_others(room):
    room.submit("a")
    with psycopg.connect(room.url) as dying:
        dying.execute("SELECT * FROM work FOR UPDATE")
        assert room.work_off() == 0, "somebody has it"
    assert room.work_off() == 1
