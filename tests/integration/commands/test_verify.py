"""`gateway verify` finds what was changed behind the gateway's back, and rebuilds projections."""

from __future__ import annotations

import pytest


@pytest.fixture
def told(house):
    """Three appeals: received, registered with terms, answered late by the СЭД."""
    receipts = [house.submit(f"e-{n}").receipt_number for n in range(3)]
    house.triage()
    house.run("register", receipts[1], receipts[2], "--by", "x", "--commit")
    house.report(
        "m-1", receipts[2], "Answered", outcome={"result": "explained", "actionsTaken": False}
    )
    house.triage()
    return receipts


def kinds(house, *arguments, code=1):
    return house.json("verify", *arguments, code=code)["faults"]


def test_a_sound_house_is_whole(house, told):
    found = house.json("verify")

    assert (found["appeals"], found["faults"], found["erased"]) == (3, {}, 0)
    assert found["events"] > 6


def test_an_appeal_that_triage_has_not_seen_yet_is_sound(house):
    house.submit("fresh", questions=[{"text": "Свет?", "topics": [{"system": "s", "code": "1.2"}]}])

    assert kinds(house, code=0) == {}


def test_a_changed_event_breaks_the_chain(house, told):
    house.change("UPDATE event SET body = body || ' '::bytea WHERE seq = 2")

    assert kinds(house) == {"chain": 3}


def test_a_history_cut_at_its_end_disagrees_with_its_head(house, told):
    house.change(
        "DELETE FROM event e USING appeal a WHERE a.id = e.appeal_id AND e.seq = a.head_seq"
    )

    assert kinds(house) == {"head": 3}


def test_erased_content_is_erased_not_broken(house, told):
    house.change("UPDATE content SET bytes = NULL, salt = NULL, erased_at = now()")

    found = house.json("verify")
    assert found["faults"] == {}
    assert found["erased"] == found["contents"] > 0


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE content SET bytes = '{}'",
        "UPDATE content SET bytes = NULL, salt = NULL",
        "DELETE FROM content",
    ],
)
def test_content_changed_without_a_record_is_found(house, told, change):
    house.change(change)

    assert set(kinds(house)) == {"content"}


PROJECTIONS = [
    "UPDATE appeal SET state = 'closed'",
    "UPDATE appeal SET executor = 'nobody'",
    "UPDATE question SET state = 'closed'",
    'UPDATE question SET facts = \'{"end": "x"}\'',
    "DELETE FROM question",
    "INSERT INTO question (appeal_id, ordinal, id, state) SELECT id, 9, id, 'closed' FROM appeal",
    "UPDATE registration SET date = '2020-01-01'",
    "DELETE FROM registration",
    "UPDATE deadline SET due_legal = '2030-01-01', closed_at = NULL",
    "DELETE FROM deadline",
    "UPDATE deadline SET start = '2020-01-01' WHERE closed_at IS NULL",
    """INSERT INTO registration (appeal_id, organisation, number, number_key, date)
       SELECT id, 'x', '1', '1', '2026-01-01' FROM appeal""",
]


@pytest.mark.parametrize("change", PROJECTIONS)
def test_a_changed_projection_is_found_and_rebuilt_from_the_events(house, told, change):
    house.change(change)
    assert set(kinds(house)) == {"projection"}
    assert set(kinds(house, "--rebuild")) == {"projection"}, "dry by default"

    rebuilt = house.json("verify", "--rebuild", "--commit")

    assert rebuilt["rebuilt"] > 0
    assert kinds(house, code=0) == {}


def test_one_appeal_can_be_looked_at_alone(house, told):
    house.change("UPDATE appeal SET state = 'closed' WHERE receipt_number = $1", told[0])

    assert kinds(house, "--appeal", told[1], code=0) == {}
    assert kinds(house, "--appeal", told[0]) == {"projection": 1}


def test_an_appeal_that_is_gone_though_its_receipt_was_given_is_told(house, told):
    house.change("DELETE FROM appeal WHERE receipt_number = $1", told[0])

    found = house.json("verify", code=1)
    assert found["faults"] == {"lost": 1}
    assert found["found"][0]["receipt_number"] == told[0]


def test_a_month_that_retention_dropped_as_a_whole_is_not_looked_for(house, told):
    ((month,),) = house.rows("SELECT DISTINCT tableoid::regclass::text FROM appeal")
    for table in ("appeal", "question", "event", "content"):
        house.change(f"DROP TABLE {table}{month.removeprefix('appeal')}")

    assert kinds(house, code=0) == {}


def test_an_annulled_registration_is_what_the_events_say(house, told):
    house.run("register", "annul", "ОГ-000001/2026", "--ground", "x", "--by", "x", "--commit")

    assert kinds(house, code=0) == {}


def test_people_see_what_was_counted(house, told):
    assert "Всё цело" in house.run("verify")
