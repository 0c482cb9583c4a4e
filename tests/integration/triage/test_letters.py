"""One covering letter that came by two channels is one appeal, and both senders are told of it."""

from __future__ import annotations

import threading
from datetime import date

import psycopg
import pytest
from msgspec.structs import replace

from gateway.access.policy import Caller
from gateway.model.appeal import Appeal
from gateway.model.organisation import Organisation
from gateway.model.peer import Peer
from gateway.model.registration import ReferralIn
from gateway.store import organisations, peers
from gateway.store.pool import Pool
from gateway.wires import contract as c
from gateway.wires.reader import Reader
from tests.integration.accept.conftest import PEER, eventually
from tests.integration.triage.conftest import SAME_LETTERS

LETTER = ReferralIn(number="А26-01-000017", date=date(2026, 1, 10))
TOLD = """
SELECT d.event_type FROM delivery d JOIN appeal a ON a.id = d.appeal_id
WHERE d.destination = %s AND a.external_id = %s ORDER BY d.lane, d.seq
"""
STUCK = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
AND application_name = 'gateway triage' AND wait_event_type = 'Lock'
"""


def told(room, peer: str, external_id: str) -> list[str]:
    return [row[0] for row in room.rows(TOLD, peer, external_id)]


@pytest.fixture
def letters(room):
    """Appeals with the same covering letter, from peers of their choice."""
    with room.connection() as db:
        for code in ("node", "archive-2"):
            peers.add(db, Peer(code=code, name=code, options=SAME_LETTERS), room.now)

    def send(
        external_id: str, peer: str = PEER, sender: str = "", number: str = LETTER.number, **more
    ) -> None:
        body = Organisation(full_name=sender) if sender else None
        letter = replace(LETTER, number=number, from_org=body)
        appeal = Appeal(text="Нет света", referrals=(letter,), **more)
        room.submit_appeal(external_id, appeal, peer=peer)

    return send


def merged(room) -> list[str]:
    return [
        row[0] for row in room.rows("SELECT external_id FROM appeal WHERE merged_into IS NOT NULL")
    ]


def test_the_second_sender_hears_of_the_merger_and_of_what_it_missed(room, letters):
    letters("first")
    room.work_off()
    letters("second", "node")
    room.work_off()
    assert merged(room) == ["second"]
    assert told(room, "node", "second") == ["MergedAsDuplicate"]
    assert told(room, "node", "first") == ["Registered", "Assigned"]
    assert told(room, "hook", "second") == []
    assert room.verified().faults == ()


def test_both_senders_hear_of_a_letter_that_came_twice_in_one_batch(room, letters):
    letters("first")
    letters("second", "node")
    room.work_off()
    assert merged(room) == ["second"]
    assert told(room, "node", "first") == ["Registered", "Assigned"]
    assert told(room, PEER, "first") == ["Registered", "Assigned"]


def test_a_report_on_a_merged_appeal_moves_the_holder_by_whom_that_was_given_to(room, letters):
    with room.connection() as db:
        peers.set_options(db, "hook", SAME_LETTERS)
    letters("first")
    letters("second", "hook")
    room.work_off()
    assert merged(room) == ["second"]
    room.report("second", "work", peer="hook")
    room.work_off()
    assert room.rows("SELECT state FROM appeal WHERE external_id = 'first'") == [("in_work",)]
    assert told(room, PEER, "first")[-1] == "TakenToWork"
    assert room.verified().faults == ()


def test_what_happens_while_a_letter_is_merged_reaches_both_senders(room, letters):
    letters("first")
    room.work_off()
    letters("second", "node")
    [(second,)] = room.rows("SELECT id FROM appeal WHERE external_id = 'second'")
    merging = threading.Thread(target=room.work_off)
    with psycopg.connect(room.url) as blocker:
        blocker.execute("LOCK TABLE lane IN ACCESS EXCLUSIVE MODE")
        merging.start()
        eventually(lambda: room.rows(STUCK) == [(1,)])
        room.report("first", "work")
        working = threading.Thread(target=room.work_off)
        working.start()
        eventually(lambda: room.rows(STUCK) == [(2,)])
    merging.join()
    working.join()
    assert room.rows("SELECT id FROM appeal WHERE merged_into IS NOT NULL") == [(second,)]
    assert "TakenToWork" in told(room, "node", "first")
    assert room.deadlocks() == 0


@pytest.mark.parametrize("kind", ["test_message", "historical"])
def test_tests_and_imported_history_hold_no_letter(room, letters, kind):
    letters("odd", **{kind: True})
    room.work_off()
    letters("real", "node")
    room.work_off()
    assert merged(room) == []
    assert room.rows("SELECT state FROM appeal WHERE external_id = 'real'") == [("assigned",)]


def test_a_register_of_documents_gets_the_document_of_the_holder_only(room, letters):
    with room.connection() as db:
        peers.set_options(db, "node", {"tell_last": True})
    letters("first")
    room.work_off()
    letters("second", "node")
    room.work_off()
    assert told(room, "node", "second") == []
    assert told(room, "node", "first") == ["Assigned"]
    room.report("first", "work")
    room.work_off()
    assert told(room, "node", "first") == ["Assigned", "TakenToWork"]


def test_a_merged_appeal_stands_where_its_letter_stands(room, letters):
    letters("first")
    letters("second", "node")
    room.work_off()
    room.report("first", "work")
    room.work_off()
    pool = Pool(room.url)
    pool.open()
    try:
        answer = Reader(pool, room.blobs).read(
            c.GetStatus(keys=(c.AppealKey(external_id="second"),)), Caller(peer="node")
        )
    finally:
        pool.close()
    [item] = answer.items
    assert (item.found, item.state) == (True, "in_work")
    assert [q.state for q in item.questions] == ["in_work"]


OWN = "01-14/552"
"""A number that any body may give."""


def twins(room) -> list[tuple[str, str]]:
    return room.rows(
        "SELECT a.external_id, o.external_id FROM twin t JOIN appeal a ON a.id = t.appeal_id"
        " JOIN appeal o ON o.id = t.other ORDER BY 1, 2"
    )


def known(room, **bodies: str) -> None:
    """Put bodies into the directory."""
    with room.connection() as db:
        organisations.write(
            db, [organisations.Record(id=id_, full_name=name) for id_, name in bodies.items()]
        )


def test_one_number_of_two_bodies_on_one_day_is_two_appeals(room, letters):
    known(room, stroy="Минстрой", zdrav="Минздрав")
    letters("first", sender="Минстрой", number=OWN)
    letters("second", "node", sender="Минздрав", number=OWN)
    room.work_off()

    assert (merged(room), twins(room)) == ([], [])
    assert room.rows("SELECT DISTINCT state FROM appeal") == [("assigned",)]
    assert room.verified().faults == ()


@pytest.mark.parametrize("batch", [50, 1])
def test_one_number_of_one_body_is_one_appeal_however_its_name_is_spelt(room, letters, batch):
    letters("first", sender="Минстрой", number=OWN)
    letters("second", "node", sender="«МИНСТРОЙ»", number="№ 01–14/552")
    room.work_off(batch=batch)

    assert merged(room) == ["second"]
    assert room.verified().faults == ()


def test_the_event_says_by_which_key_an_appeal_was_merged_and_what_told_it(room, letters):
    letters("first", sender="Минстрой", number=OWN)
    letters("second", "node", sender="Минстрой", number=OWN)
    room.work_off()

    [(body, into, message)] = room.rows(
        "SELECT convert_from(e.body, 'UTF8')::jsonb, a.merged_into::text, m.key FROM event e"
        " JOIN appeal a ON a.id = e.appeal_id JOIN message m ON m.id = e.message_id"
        " WHERE e.type = 'MergedAsDuplicate'"
    )
    assert message == "second"
    assert body["actor"] == {"kind": "rule", "id": "same-letter"}
    assert body["payload"] == {
        "kind": "same_document_other_channel",
        "appeal": into,
        "number": OWN,
        "number_key": OWN,
        "date": "2026-01-10",
        "sender": "name:минстрой",
    }


@pytest.mark.parametrize("batch", [50, 1])
@pytest.mark.parametrize(("first", "second"), [("Минстрой", ""), ("", "Минстрой"), ("", "")])
def test_an_unknown_sender_makes_a_possible_twin_and_no_merger(room, letters, first, second, batch):
    letters("first", sender=first, number=OWN)
    letters("second", "node", sender=second, number=OWN)
    room.work_off(batch=batch)

    assert (merged(room), twins(room)) == ([], [("second", "first")])
    assert room.rows("SELECT DISTINCT state FROM appeal") == [("assigned",)]
    assert "LinkAdded" not in [row[0] for row in room.rows("SELECT event_type FROM delivery")]
    assert room.verified().faults == ()


def test_a_third_letter_joins_the_one_whose_sender_it_names(room, letters):
    letters("unknown", number=OWN)
    letters("known", sender="Минстрой", number=OWN)
    letters("third", "node", sender="Минстрой", number=OWN)
    room.work_off()

    assert merged(room) == ["third"]
    assert twins(room) == [("known", "unknown")]


def test_two_workers_do_not_miss_each_others_letter(room, letters):
    for n in range(12):
        letters(f"a-{n}", sender="Минстрой", number=f"{OWN}-{n}")
        letters(f"b-{n}", "node", sender="Минстрой", number=f"{OWN}-{n}")
    room.work_off(workers=4, batch=1)

    assert len(merged(room)) == 12
    assert room.deadlocks() == 0
    assert room.verified().faults == ()
