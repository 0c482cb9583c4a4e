"""What a peer is answered: the first receipt for a repeat, by whatever wire it comes."""

from __future__ import annotations

import itertools
import json
import socket

import pytest

from tests.integration.accept.conftest import PEER, eventually
from tests.survive import calls

REFUSALS = "SELECT peer FROM refusal WHERE peer <> '' ORDER BY id"
APPEALS = "SELECT count(*) FROM appeal WHERE external_id = $1"


def fault(answer):
    """The code of a refusal on any wire."""
    if answer.body.startswith(b"{"):
        return json.loads(answer.body)["code"]
    return calls.element(answer.body, "Code")


@pytest.mark.parametrize("wire", calls.WIRES)
def test_a_repeat_gets_the_same_bytes(house, wire):
    first = house.submit(wire, f"same-{wire}")
    again = house.submit(wire, f"same-{wire}")
    assert first.status in {200, 201}
    assert again.body == first.body
    assert (first.headers.get("gateway-repeat"), again.headers["gateway-repeat"]) == (None, "true")
    assert house.rows(APPEALS, f"same-{wire}") == [(1,)]
    assert len(house.messages(f"same-{wire}", "id")) == 1


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(calls.WIRES, 2)))
def test_the_same_content_from_another_wire_is_a_repeat(house, first, second):
    id_ = f"{first}-{second}"
    receipt = house.submit(first, id_).receipt
    assert house.submit(second, id_).receipt == receipt
    assert house.rows(APPEALS, id_) == [(1,)]


def test_the_same_id_of_another_peer_is_another_appeal(house):
    ours, theirs = house.submit("soap11", "shared"), house.submit("soap11", "shared", peer="other")
    assert ours.receipt.number != theirs.receipt.number


@pytest.mark.parametrize("wire", calls.WIRES)
def test_a_higher_revision_amends_and_its_repeat_gets_its_receipt(house, wire):
    id_ = f"amend-{wire}"
    first = house.submit(wire, id_)
    second = house.submit(wire, id_, revision=2, text="Фонарь включили, но он мигает.")
    assert second.receipt.number == first.receipt.number
    assert second.receipt.sha256 != first.receipt.sha256
    again = house.submit(wire, id_, revision=2, text="Фонарь включили, но он мигает.")
    assert again.body == second.body
    assert house.submit(wire, id_).body == first.body, "the first call still has the first receipt"
    assert house.rows(APPEALS, id_) == [(1,)]
    assert house.messages(id_, "operation", "revision", "stage") == [
        ("submit", 1, "accepted"),
        ("amend", 2, "accepted"),
    ]


def test_amend_by_its_own_operation_and_by_submission_are_one_thing(house):
    first = house.submit("rest-json", "put").receipt
    call = calls.rest("/appeals/put/revisions/2", calls.appeal_json("put", 2, "Новый текст"))
    amended = house.send(call, method="PUT")
    assert amended.receipt.number == first.number
    assert house.submit("soap12", "put", revision=2, text="Новый текст").receipt == amended.receipt


def test_amending_under_the_revision_of_the_submission_is_a_repeat_or_a_conflict(house):
    first = house.submit("rest-json", "taken", text="Не горит фонарь")
    path = "/appeals/taken/revisions/1"
    same = house.send(
        calls.rest(path, calls.appeal_json("taken", 1, "Не горит фонарь")), method="PUT"
    )
    assert (same.status, same.body) == (200, first.body)
    other = house.send(
        calls.rest(path, calls.appeal_json("taken", 1, "Другой текст")), method="PUT"
    )
    assert (other.status, fault(other)) == (409, "conflict")
    assert first.receipt.number.encode() in other.body
    assert house.messages("taken", "operation", "stage") == [
        ("submit", "accepted"),
        ("amend", "conflict"),
    ]


def test_a_lower_revision_is_stored_late_and_acknowledged(house):
    first = house.submit("soap11", "late", revision=3)
    late = house.submit("soap11", "late", revision=1, text="Более ранняя редакция")
    assert late.status == 200
    assert late.receipt.number == first.receipt.number
    assert house.messages("late", "revision", "stage") == [(3, "accepted"), (1, "accepted")]


@pytest.mark.parametrize("wire", calls.WIRES)
def test_other_content_at_the_same_revision_is_a_conflict_stored_and_shown(house, wire):
    id_ = f"conflict-{wire}"
    first = house.submit(wire, id_).receipt
    refused = house.submit(wire, id_, text="Совсем другое обращение")
    assert refused.status == (409 if wire.startswith("rest") else 500)
    assert fault(refused) == "conflict"
    assert first.number.encode() in refused.body
    assert first.sha256.encode() in refused.body
    assert house.rows(APPEALS, id_) == [(1,)]
    stages = house.messages(id_, "stage", "body")
    assert [stage for stage, _ in stages] == ["accepted", "conflict"]
    assert "Совсем другое".encode() in stages[1][1]


@pytest.mark.parametrize("wire", ["soap11", "rest-json"])
def test_a_status_of_an_unknown_appeal_is_not_found_and_kept(house, wire):
    key = f"status-{wire}"
    call = calls.rest(
        "/statuses",
        {
            "messageKey": key,
            "key": {"externalId": "never-sent"},
            "event": "TakenToWork",
            "occurredOn": "2026-03-02",
        },
    )
    if wire == "soap11":
        body = (
            f'<SubmitStatus xmlns="{calls.NS}"><Report><MessageKey>{key}</MessageKey><Key>'
            "<ExternalId>never-sent</ExternalId></Key><Event>TakenToWork</Event>"
            "<OccurredOn>2026-03-02</OccurredOn></Report></SubmitStatus>"
        )
        call = calls.soap(wire, "SubmitStatus", body)
    answer = house.send(call)
    assert fault(answer) == "not_found"
    assert answer.status == (500 if wire == "soap11" else 404)
    [(stage, note, body)] = house.messages(key, "stage", "note", "body")
    assert (stage, body) == ("refused", call.body)
    assert note["reason"]
    assert house.rows("SELECT count(*) FROM ledger WHERE key = $1", key) == [(0,)], (
        "the key stays free: the peer may send it again once we know the appeal"
    )


def test_a_status_of_another_peers_appeal_is_not_found(house):
    house.submit("rest-json", "theirs", peer="other")
    call = calls.rest(
        "/statuses",
        {
            "messageKey": "spy",
            "key": {"externalId": "theirs"},
            "event": "TakenToWork",
            "occurredOn": "2026-03-02",
        },
    )
    assert house.send(call).status == 404


HOSTILE = {
    "nul": (calls.rest("/appeals", calls.appeal_json("nul", text="a\0b")), {400, 422}),
    "surrogate": (
        calls.Call(
            "/api/v1/appeals",
            {"content-type": "application/json"},
            rb'{"externalId": "surrogate", "text": "\ud800"}',
        ),
        {400, 422},
    ),
    "nul in the id": (calls.rest("/appeals", calls.appeal_json("n\0")), {400, 422}),
    "nul entity": (
        calls.soap(
            "soap11", "SubmitAppeal", f'<SubmitAppeal xmlns="{calls.NS}">&#0;</SubmitAppeal>'
        ),
        {500},
    ),
    "half a document": (
        calls.submit("soap11", "half")._replace(body=calls.submit("soap11", "half").body[:200]),
        {500},
    ),
    "not utf-8": (
        calls.Call("/api/v1/appeals", {"content-type": "application/json"}, b"\xff\xfe"),
        {400},
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_cannot_be_decoded_is_refused_clearly_and_kept_as_received(house, name):
    call, statuses = HOSTILE[name]
    before = house.rows("SELECT count(*) FROM appeal")
    answer = house.send(call)
    assert answer.status in statuses
    assert fault(answer) in {"malformed", "validation"}
    assert house.rows("SELECT count(*) FROM appeal") == before
    kept = house.rows(
        "SELECT stage, wire, peer, note ->> 'code', media_type FROM message WHERE body = $1",
        call.body,
    )
    [(stage, wire, peer, code, media_type)] = kept
    assert (stage, peer, code) == ("undecodable", PEER, fault(answer))
    assert wire == ("soap11" if "soap" in call.path else "rest")
    assert media_type == call.headers["content-type"], "everything a replay needs is there"


def test_a_refusal_is_recorded_whatever_the_stranger_sent(house):
    call = calls.submit("rest-json", "stranger")
    for authorization in (calls.basic("por\0tal", "x"), calls.basic("stranger", "y")):
        assert house.send(call, **authorization).status == 401
    eventually(lambda: house.rows(REFUSALS) == [("por\ufffdtal",), ("stranger",)])


def test_a_client_that_goes_before_its_answer_gets_its_receipt_by_asking_again(house):
    call = calls.submit("soap11", "gone")
    with socket.create_connection((house.host, house.port)) as line:
        line.sendall(house.raw(call))
    eventually(lambda: house.rows(APPEALS, "gone") == [(1,)])
    again = house.send(call)
    assert again.headers["gateway-repeat"] == "true"
    [(number,)] = house.rows("SELECT receipt_number FROM appeal WHERE external_id = 'gone'")
    assert again.receipt.number == number


def test_half_a_request_stores_nothing(house):
    call = calls.submit("rest-json", "torn")
    with socket.create_connection((house.host, house.port)) as line:
        line.sendall(house.raw(call)[:-20])
    assert house.submit("rest-json", "after-torn").status == 201
    assert house.messages("torn", "id") == []
    assert house.submit("rest-json", "torn").headers.get("gateway-repeat") is None


def test_a_package_answers_item_by_item(house):
    items = [calls.appeal_json(f"pack-{n}") for n in range(3)]
    items.append(calls.appeal_json("pack-1", text="Другой текст"))
    answer = house.send(calls.rest("/appeals/batch", {"items": items}))
    results = json.loads(answer.body)["items"]
    assert sorted("receipt" in r for r in results) == [False, True, True, True]
    [wrong] = [r for r in results if "receipt" not in r]
    assert wrong["externalId"] == "pack-1"
    assert wrong["error"]["code"] == "conflict"
