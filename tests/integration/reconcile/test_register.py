"""The register of a real node held against ours: what was planted is found, and nothing else."""

from __future__ import annotations

import json
from uuid import UUID

import pytest

from gateway.adapter import Inbound, Window
from gateway.model.fold import number_key
from gateway.reconcile import repair
from gateway.reconcile.run import BEGINNING, FAR
from gateway.store import deliveries

from .conftest import BODY, CODE, OTHER_BODY

SECOND_CODE = "0005.0005.0055.1122"


@pytest.fixture
def told(stand):
    """Appeals in many states, all of them told to the node."""
    ids = {
        "waits": stand.submit(wire="soap", letter="А26-02-700001"),
        "registered": stand.submit(),
        "two": stand.submit(codes=(CODE, SECOND_CODE)),
        "answered": stand.submit(),
        "transferred": stand.submit(),
        "declined": stand.submit(),
        "extended": stand.submit(),
    }
    stand.deliver()
    stand.answer(ids["answered"])
    stand.transfer(ids["transferred"])
    stand.decline(ids["declined"])
    stand.extend(ids["extended"])
    stand.deliver()
    return ids


def document(number, status="InWork", **fields):
    question = {"code": CODE, "status": status, "incomingDate": "2026-03-02",
                "registrationDate": "2026-03-03"}  # fmt: skip
    return {"departmentId": BODY, "isDirect": True, "format": "Other", "number": number,
            "name": "Соловьёва Ольга", "questions": [question], **fields}  # fmt: skip


def test_a_clean_register_in_many_states_has_no_difference(stand, told):
    assert sorted(word for words in stand.held().values() for word in words) == [
        "Explained", "InWork", "InWork", "InWork", "InWorkExtended", "LeftWithoutAnswer",
        "NotRegistered", "Transferred",
    ]  # fmt: skip
    seen = stand.reconcile()
    assert (seen.code, seen.found, seen.explained) == (0, [], {"same": 7})


def test_a_repair_sends_nothing_again_that_may_reach_a_citizen(stand, told):
    stand.node.control(drop=stand.number_of(told["answered"]))
    dry = stand.reconcile()
    mark = "UPDATE delivery SET may_reach_citizen = true WHERE event_type = 'Answered' RETURNING 1"
    assert stand.rows(mark)
    run = UUID(dry.said["run"])
    with stand.connection.transaction():
        (done,) = repair(stand.connection, "sstu", run, stand.now(), None)
    assert "by its id" in done.left
    waiting = "SELECT sum(waiting) FROM lane WHERE destination = 'sstu'"
    assert stand.rows(waiting) == [(0,)]


def test_what_was_planted_is_found_repaired_and_gone(stand, told):
    number = {name: stand.number_of(id_) for name, id_ in told.items() if name != "waits"}
    before = stand.held()
    stand.node.control(drop=number["answered"])
    stand.node.control(drop="А26-02-700001")
    stand.node.control(change=number["two"], status="NotSupported")
    stand.node.control(plant=document("ЧУЖОЙ-1/26"))
    stand.node.control(
        plant=document(number["registered"], name="Берёзкина Алла", questions=[
            {"code": CODE, "status": "InWork", "incomingDate": "2026-01-01",
             "registrationDate": "2026-01-02"}])
    )  # fmt: skip
    stand.node.control(exception="Портал недоступен", number=number["transferred"])

    dry = stand.reconcile()
    planted = sorted([
        ("missing_there", number["answered"], "lost_there"),
        ("missing_there", "А26-02-700001", "lost_there"),
        ("state_differs", number["two"], "changed_there"),
        ("missing_here", "ЧУЖОЙ-1/26", "never_came"),
        ("content_differs", number["registered"], "changed_there"),
        ("state_differs", number["transferred"], "failed_there"),
    ])  # fmt: skip
    assert (dry.code, dry.found, dry.explained) == (1, planted, {"same": 2})
    assert dry.said["repaired"] == 0
    assert stand.rows("SELECT count(*) FROM delivery WHERE state = 'ready'"
                      " AND destination = 'sstu'") == [(0,)]  # fmt: skip
    assert stand.rows("SELECT count(*) FROM expectation") == [(0,)]

    done = stand.reconcile("--commit")
    assert (done.code, done.found, done.said["repaired"]) == (1, planted, 6)
    moving = stand.reconcile()
    assert (moving.code, moving.explained) == (0, {"same": 2, "in_flight": 5, "awaited": 1})
    stand.dispatch()
    after = stand.reconcile("--commit")
    assert (after.code, after.found) == (0, [])
    assert after.explained == {"same": 7, "awaited": 1}
    assert stand.held() == before | {"ЧУЖОЙ-1/26": ["InWork"]}


def test_a_finding_tells_both_sides_the_cause_and_the_repair(stand, told):
    number = stand.number_of(told["two"])
    stand.node.control(change=number, status="NotSupported")
    [found] = stand.reconcile().said["findings"]
    assert found["ours"]["states"] == {CODE: "InWork", SECOND_CODE: "InWork"}
    assert found["theirs"]["states"] == {CODE: "NotSupported", SECOND_CODE: "NotSupported"}
    assert found["repair"] == "resend"
    assert "после того" in found["cause_ru"]
    assert "after" in found["cause_en"]


def test_nothing_that_is_kept_of_a_run_names_a_person(stand, told):
    stand.node.control(plant=document("ЧУЖОЙ-1/26", address="г. Приозёрск", email="o@example.ru"))
    stand.reconcile("--commit")
    kept = json.dumps(
        [
            *stand.rows("SELECT ours, theirs FROM finding"),
            *stand.rows("SELECT remote FROM expectation"),
        ],
        ensure_ascii=False,
    )
    assert "ЧУЖОЙ-1/26" in kept
    assert not [name for name in ("Соловьёва", "Приозёрск", "o@example.ru") if name in kept]


def test_one_is_tried_before_the_tap_is_opened(stand, told):
    for name in ("registered", "two", "answered"):
        stand.node.control(drop=stand.number_of(told[name]))
    one = stand.reconcile("--commit", "--limit", "1")
    assert (len(one.found), one.said["repaired"]) == (3, 1)
    stand.dispatch()
    rest = stand.reconcile("--commit")
    assert (len(rest.found), rest.said["repaired"]) == (2, 2)
    stand.dispatch()
    assert stand.reconcile().code == 0


def test_two_rows_of_one_number_are_an_operators_to_settle(stand, told):
    number = stand.number_of(told["registered"])
    stand.node.control(duplicate=number)
    seen = stand.reconcile("--commit")
    assert seen.found == [("twice_there", number, "duplicate_there")]
    [found] = seen.said["findings"]
    assert (found["repair"], len(found["theirs"]["rows"])) == ("ask_operator", 2)
    assert seen.said["repaired"] == 0


def test_a_number_typed_with_latin_letters_is_the_same_number(stand, told):
    stand.node.control(drop="А26-02-700001")
    planted = document("A26-02-700001", "NotRegistered", isDirect=False, createDate="2026-03-01")
    stand.node.control(plant=planted)
    [(class_, number, _)] = stand.reconcile().found
    assert (class_, number_key(number)) == ("content_differs", number_key("А26-02-700001"))


def test_what_is_on_its_way_is_no_difference(stand, told):
    stand.answer(told["registered"])
    late = stand.submit()
    stand.triage()
    seen = stand.reconcile("--commit")
    assert (seen.code, seen.explained) == (0, {"same": 6, "in_flight": 2})
    stand.dispatch()
    assert stand.reconcile().explained == {"same": 8}
    assert stand.number_of(late) in stand.held()


def test_a_refusal_is_repaired_by_the_command(stand):
    refused = stand.submit()
    stand.triage()
    number = stand.number_of(refused)
    stand.node.plan("refuse", key=number, text="Неверный код")
    stand.dispatch()
    seen = stand.reconcile("--commit")
    assert seen.found == [("missing_there", number, "refused")]
    stand.dispatch()
    assert stand.held() == {number: ["InWork"]}
    assert stand.reconcile().explained == {"same": 1}
    assert stand.rows(
        "SELECT count(*), count(DISTINCT d.id) FROM delivery d"
        " JOIN attempt a ON a.delivery_id = d.id WHERE d.destination = 'sstu'"
    ) == [(2, 1)]


def test_a_refused_answer_shows_the_older_state_there(stand, told):
    number = stand.number_of(told["registered"])
    stand.node.plan("refuse", key=number, text="Узел занят")
    stand.answer(told["registered"])
    stand.deliver()
    seen = stand.reconcile("--commit")
    assert seen.found == [("state_differs", number, "refused")]
    stand.dispatch()
    assert stand.held()[number] == ["Explained"]
    assert stand.reconcile().code == 0


def test_what_our_own_rules_refuse_waits_for_a_person(stand):
    nameless = stand.submit(applicants=())
    stand.deliver()
    seen = stand.reconcile("--commit")
    [found] = seen.said["findings"]
    assert (found["class"], found["key"], found["repair"]) == (
        "missing_there", stand.receipt(nameless), "ask_operator"
    )  # fmt: skip
    assert "/name" in found["ours"]["problem"]
    assert seen.said["repaired"] == 0


def test_what_an_operator_skipped_is_shown_and_not_sent_behind_his_back(stand, told):
    number = stand.number_of(told["registered"])
    stand.answer(told["registered"])
    stand.triage()
    [ready] = deliveries.find(stand.connection, destination="sstu", states=["ready"])
    with stand.connection.transaction():
        deliveries.skip(stand.connection, ready.delivery.id, stand.now(), "сообщено письмом")
    seen = stand.reconcile("--commit")
    assert seen.found == [("state_differs", number, "skipped")]
    assert seen.said["repaired"] == 0


def test_an_appeal_that_came_by_another_channel_is_known_here(stand, told):
    stand.option(events=["Registered"])
    elsewhere = stand.submit(wire="soap", letter="А26-09-000009")
    stand.triage()
    stand.node.control(
        plant=document("A26-09-000009", "NotRegistered", isDirect=False, createDate="2026-03-01")
    )
    seen = stand.reconcile("--commit")
    assert (seen.code, seen.explained) == (0, {"same": 7, "linked": 1})
    assert stand.receipt(elsewhere)


def test_an_expectation_meets_the_appeal_when_it_comes(stand):
    stand.node.control(
        plant=document("A26-09-000009", "NotRegistered", isDirect=False, createDate="2026-03-01")
    )
    assert stand.reconcile("--commit").said["repaired"] == 1
    assert stand.rows("SELECT appeal_id FROM expectation") == [(None,)]
    came = stand.submit(wire="soap", letter="А26-09-000009")
    stand.triage()
    [(appeal,)] = stand.rows("SELECT id FROM appeal WHERE external_id = $1", came)
    assert stand.rows("SELECT appeal_id FROM expectation") == [(appeal,)]


def test_a_window_leaves_alone_what_lies_outside(stand, told):
    stand.node.control(drop=stand.number_of(told["two"]))
    stand.node.control(plant=document("ЧУЖОЙ-1/26"))
    assert stand.reconcile("--from", "2020-01-01", "--to", "2020-12-31").found == []
    today = stand.today().isoformat()
    assert len(stand.reconcile("--from", today, "--to", today).found) == 2
    assert len(stand.reconcile("--from", today).found) == 2


@pytest.mark.parametrize(
    ("node", "cause"),
    [
        (("--zone", "Asia/Yekaterinburg"), "clock_ahead"),
        (("--zone", "Europe/London"), "clock_behind"),
    ],
    indirect=["node"],
)
def test_a_clock_that_disagrees_is_said_and_repairs_nothing(stand, told, cause):
    seen = stand.reconcile("--commit")
    assert {(c, why) for c, _, why in seen.found} == {("clock_skew", cause)}
    assert (len(seen.found), seen.said["repaired"]) == (7, 0)
    stand.option(clock_skew=4 * 3600)
    assert stand.reconcile().code == 0


def test_a_body_whose_list_is_not_read_is_said_and_not_taken_for_lost(stand, told):
    stand.option(departments=[OTHER_BODY])
    seen = stand.reconcile()
    assert seen.code == 2
    assert "departments" in seen.text
    stand.option(departments=[BODY, OTHER_BODY])
    assert stand.reconcile().code == 0


@pytest.mark.parametrize("kind", ["error", "busy", "reset", "garbage"])
def test_a_node_that_does_not_answer_is_exit_code_2_and_no_finding(stand, told, kind):
    stand.node.plan(kind, key="analytics", times=0)
    assert stand.reconcile("--commit").code == 2
    assert stand.rows("SELECT count(*) FROM finding") == [(0,)]


def test_a_list_over_its_limit_is_exit_code_2_with_what_to_do_and_no_finding(stand, told):
    stand.option(list_bytes=1_000)
    seen = stand.reconcile("--commit")
    assert seen.code == 2
    assert "list_bytes" in seen.text
    assert stand.rows("SELECT count(*) FROM finding") == [(0,)]
    stand.option(list_bytes=1_000_000)
    assert stand.reconcile().code == 0


@pytest.mark.parametrize("peer", ["nobody", "portal"])
def test_a_peer_that_cannot_be_asked_is_exit_code_2(stand, peer):
    assert stand.reconcile(peer=peer).code == 2


def test_a_window_that_ends_before_it_begins_is_refused(stand):
    assert stand.reconcile("--from", "2026-02-01", "--to", "2026-01-01").code == 2
    assert stand.reconcile("--from", "вчера").code == 2


def test_the_intake_of_the_nodes_list_counts_as_expected(stand):
    stand.node.control(plant=document("ЧУЖОЙ-1/26"))
    target = stand.destinations()["sstu"]
    [state] = target.channel.reconcile(Window(start=BEGINNING, end=FAR))
    stand.take(Inbound(operation="expect", message_key="k", expectation=state), peer="sstu")
    stand.triage()
    assert stand.reconcile().explained == {"awaited": 1}


def test_a_row_that_cannot_be_read_keeps_us_from_sending_what_may_be_it(stand, told):
    number = stand.number_of(told["registered"])
    stand.node.control(drop=number)
    stand.node.control(plant=document("Ж" * 300))
    seen = stand.reconcile("--commit")
    assert [(c, why) for c, _, why in seen.found] == [
        ("missing_here", "row_unreadable"), ("missing_there", "list_unreadable")
    ]  # fmt: skip
    assert seen.said["repaired"] == 0


def test_a_person_reads_the_table_and_a_run_can_be_shown_again(stand, told):
    number = stand.number_of(told["registered"])
    stand.node.control(drop=number)
    text = stand.say("sstu")
    for words in (number, "нет в системе", "отправить снова", "--commit", "Расхождений"):
        assert words in text
    [(run,)] = stand.rows("SELECT DISTINCT run FROM finding")
    assert number in stand.say("show", str(run), code=0)
    assert "✓" in stand.say("sstu", "--commit")
