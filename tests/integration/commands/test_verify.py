"""`gateway verify` finds what was changed behind the gateway's back, and rebuilds projections."""

from __future__ import annotations

import pytest

from gateway import settings

LETTER = {"fromOrganisation": "Минстрой", "number": "14-05/2213", "date": "2026-11-10"}


@pytest.fixture
def told(house):
    """Three appeals: received, registered with terms, answered late by the СЭД.

    And three with one covering letter: the first, its copy, and one that names no sender.
    """
    receipts = [house.submit(f"e-{n}").receipt_number for n in range(3)]
    for external_id, sender in (("l-1", "Минстрой"), ("l-2", "МИНСТРОЙ"), ("l-3", "Минздрав")):
        house.submit(external_id, referral={**LETTER, "fromOrganisation": sender})
    house.triage()
    house.run("register", receipts[1], receipts[2], "--by", "x", "--commit")
    house.report(
        "m-1", receipts[2], "Answered", outcome={"result": "explained", "actionsTaken": False}
    )
    house.report("m-2", receipts[2], "Declined", decline={"article": "11", "part": "5"})
    house.triage()
    return receipts


def kinds(house, *arguments, code=1):
    return house.json("verify", *arguments, code=code)["faults"]


def test_a_sound_house_is_whole(house, told):
    found = house.json("verify")

    assert (found["appeals"], found["faults"], found["erased"]) == (6, {}, 0)
    assert found["events"] > 6


def test_an_appeal_that_triage_has_not_seen_yet_is_sound(house):
    house.submit("fresh", questions=[{"text": "Свет?", "topics": [{"system": "s", "code": "1.2"}]}])

    assert kinds(house, code=0) == {}


def test_a_changed_event_breaks_the_chain(house, told):
    house.change("UPDATE event SET body = body || ' '::bytea WHERE seq = 2")

    assert kinds(house) == {"chain": 6}


def test_a_history_cut_at_its_end_disagrees_with_its_head(house, told):
    house.change(
        "DELETE FROM event e USING appeal a WHERE a.id = e.appeal_id AND e.seq = a.head_seq"
    )

    assert kinds(house) == {"head": 6}


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
    "UPDATE appeal SET merged_into = NULL",
    "UPDATE appeal SET merged_into = id WHERE merged_into IS NULL",
    "UPDATE question SET id = gen_random_uuid()",
    "DELETE FROM external_ref",
    "UPDATE external_ref SET value_key = 'X'",
    """INSERT INTO external_ref (appeal_id, peer, kind, value, value_key)
       SELECT id, 'epgu', 'guid', '1', '1' FROM appeal""",
    "DELETE FROM conflict",
    "UPDATE conflict SET reason = ''",
    "UPDATE conflict SET settled_at = now(), settled_by = 'nobody'",
    """INSERT INTO conflict (appeal_id, message_id, peer, reason, recorded_at)
       SELECT id, id, 'epgu', 'x', now() FROM appeal""",
    "DELETE FROM letter",
    "UPDATE letter SET senders = '{}'",
    "UPDATE letter SET date = '2020-01-01'",
    "DELETE FROM twin",
    "UPDATE twin SET other = appeal_id",
    "INSERT INTO twin SELECT id, id, '1', '2026-01-01', now() FROM appeal",
]

REBUILT = {
    "question": "*",
    "conflict": "*",
    "external_ref": "*",
    "letter": "*",
    "twin": "appeal_id, other, number, date",
    "appeal": "id, state, revision, executor, route_rule, route_reason, merged_into",
}
"""Tables that must be made again to the last column; an instant of a row is its own."""


def stored(house, table):
    return sorted(house.rows(f"SELECT {REBUILT[table]} FROM {table}"), key=repr)


def test_what_is_gone_altogether_is_made_again_as_it_was(house, told):
    before = {table: stored(house, table) for table in REBUILT}
    assert all(before.values())
    for table in REBUILT.keys() - {"appeal"}:
        house.change(f"DELETE FROM {table}")
    house.change("UPDATE appeal SET state = 'closed', merged_into = NULL")

    house.run("verify", "--rebuild", "--commit")

    assert {table: stored(house, table) for table in REBUILT} == before


def test_what_an_erased_content_brought_stays(house, told):
    before = {table: stored(house, table) for table in ("external_ref", "letter")}
    house.change("UPDATE content SET bytes = NULL, salt = NULL, erased_at = now()")
    house.change("UPDATE appeal SET state = 'closed'")

    house.run("verify", "--rebuild", "--commit")

    assert {table: stored(house, table) for table in before} == before
    assert kinds(house, code=0) == {}


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


WHOSE = "SELECT organisation, number, register, date, is_ours FROM registration ORDER BY 1, 2"


@pytest.fixture
def numbered(house):
    """Numbers that our rule drew, that a person drew for us and for another, that peers told."""
    receipts = [house.submit(f"n-{n}").receipt_number for n in range(2)]
    house.triage()
    house.run("register", receipts[0], "--by", "x", "--commit")
    house.run(
        "register", receipts[0], "--organisation", "mer", "--register", "ВХ", "--by", "x",
        "--commit",
    )  # fmt: skip
    for body in ("gzhi", "sed"):
        told = {"organisation": body, "number": f"17-{body}", "date": "2026-11-20"}
        house.report(f"told-{body}", receipts[1], "Registered", registration=told)
    house.settings = settings.load({**house.environ, "GATEWAY_REGISTER_CHANNELS": "rest"})
    house.submit("by-rule")
    house.triage()
    return receipts


def become(house, organisation):
    """Run what follows as another body, or as none."""
    house.environ.pop("GATEWAY_ORGANISATION", None)
    if organisation:
        house.environ["GATEWAY_ORGANISATION"] = organisation
    house.settings = settings.load(house.environ)


@pytest.mark.parametrize("organisation", ["mer", ""])
def test_whose_a_number_is_does_not_follow_the_setting_of_today(house, numbered, organisation):
    before = house.rows(WHOSE)
    assert [(row[0], row[4]) for row in before] == [
        ("gzhi", True), ("gzhi", True), ("gzhi", True), ("mer", False), ("sed", False),
    ]  # fmt: skip
    become(house, organisation)

    assert kinds(house, code=0) == {}
    house.change("UPDATE appeal SET state = 'closed'")
    assert house.json("verify", "--rebuild", "--commit")["rebuilt"] == 3
    assert house.rows(WHOSE) == before

    house.report("m-1", numbered[0], "TakenToWork")
    house.report("m-2", numbered[1], "TakenToWork")
    house.triage()
    assert house.rows(WHOSE) == before
    become(house, "gzhi")
    assert kinds(house, code=0) == {}


def test_a_number_that_our_rule_drew_is_held_to_be_ours(house, numbered):
    before = house.rows(WHOSE)
    house.change("UPDATE registration SET is_ours = false WHERE number = 'ОГ-000002/2026'")
    become(house, "")

    assert kinds(house) == {"projection": 2}
    house.json("verify", "--rebuild", "--commit")

    assert house.rows(WHOSE) == before
    assert kinds(house, code=0) == {}


def test_a_registration_that_is_gone_is_made_again_by_who_told_it(house, numbered):
    house.change("DELETE FROM registration")
    become(house, "")

    house.json("verify", "--rebuild", "--commit")

    assert [(number, ours) for _, number, _, _, ours in house.rows(WHOSE)] == [
        ("17-gzhi", False), ("ОГ-000001/2026", True), ("ОГ-000002/2026", True),
        ("ВХ-000001/2026", True), ("17-sed", False),
    ]  # fmt: skip
    assert kinds(house, code=0) == {}


def test_people_see_what_was_counted(house, told):
    assert "Всё цело" in house.run("verify")
