"""Evidence: what was received, what was sent, when, and the peer's exact reply."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest

from gateway.model.ids import uuid7

NUMBER = {"number": "17-ж", "date": "2026-11-20"}
REPLY = '{"code": 17, "error": "Отдел не найден", "fio": "Петров Пётр Иванович"}'
REQUEST = b'{"number": "A26-02-1/7", "name": "\xd0\x9f\xd0\xb5\xd1\x82\xd1\x80\xd0\xbe\xd0\xb2"}'


@pytest.fixture
def sent(house):
    """An appeal that was told to a peer, which refused it."""
    house.change("UPDATE peer SET adapter = 'webhook' WHERE code = 'epgu'")
    receipt = house.submit(
        "e-1",
        text="Секрет",
        registrations=[{"organisation": "mer", "number": "А26-02-1/7", "date": "2026-11-01"}],
        applicants=[{"person": {"fullName": "Петров Пётр Иванович"}, "phone": "+79131112233"}],
    ).receipt_number
    house.triage()
    house.report("m-1", receipt, "TakenToWork")
    house.triage()
    ((delivery,),) = house.rows(
        "SELECT id FROM delivery WHERE event_type = 'TakenToWork' AND destination = 'epgu'"
    )
    house.change(
        "INSERT INTO attempt (id, delivery_id, n, owner, fence, started_at, ended_at, outcome,"
        " status, request_sha256, request, head, response) VALUES ($1, $2, 1, 'w', 1,"
        " now(), now() + interval '1 second', 'refused', 422, $3, $4,"
        ' \'{"media_type": "application/json"}\', $5)',
        uuid7(),
        delivery,
        sha256(REQUEST).digest(),
        REQUEST,
        REPLY.encode(),
    )
    return receipt


def test_everything_comes_in_the_order_of_time(house, sent):
    pieces = house.json("evidence", sent)["pieces"]

    assert [p["at"] for p in pieces] == sorted(p["at"] for p in pieces)
    kinds = [p["kind"] for p in pieces]
    assert kinds[0] == "received"
    assert kinds[-2:] == ["sent", "answered"]
    assert {"event", "owed"} <= set(kinds)


def test_an_appeal_is_named_by_whatever_number_is_at_hand(house, sent):
    for number in (sent, "e-1", "a26-02-1/7", house.json("evidence", sent)["appeal_id"]):
        assert house.json("evidence", number)["receipt_number"] == sent
    assert house.json("evidence", "e-1", "--peer", "epgu")["receipt_number"] == sent
    assert "not_found" in house.run("evidence", "e-1", "--peer", "sed", code=2)


def test_a_number_of_two_appeals_must_be_told_apart(house, sent):
    house.submit("e-1", peer="sed")

    said = house.run("evidence", "e-1", code=2)

    assert "sed" in said
    assert "epgu" in said


def test_masked_nothing_personal_is_shown_and_the_peers_words_are(house, sent):
    for said in (house.run("evidence", sent), json.dumps(house.json("evidence", sent))):
        assert "A26-02-1/7" in said
        for secret in ("Петров", "9131112233", "Секрет"):
            assert secret not in said
            assert secret not in said.encode().decode("unicode_escape", "ignore")
    pieces = house.json("evidence", sent)["pieces"]
    assert "Отдел не найден" in pieces[-1]["data"]
    assert pieces[-1]["details"]["status"] == 422
    assert pieces[-2]["sha256"] == sha256(REQUEST).hexdigest()


def test_in_full_the_reply_is_exact_and_the_reading_is_recorded(house, sent):
    found = house.json("evidence", sent, "--full", "--ground", "проверка 7")

    assert found["pieces"][-1]["data"] == REPLY
    assert found["pieces"][-2]["data"].encode() == REQUEST
    (line,) = (house.settings.data_dir / "audit.jsonl").read_text().splitlines()
    assert json.loads(line)["subject"] == sent


def test_a_reading_that_cannot_be_recorded_does_not_happen(house, sent):
    house.settings.data_dir.write_text("not a directory")

    said = house.run("evidence", sent, "--full", "--ground", "проверка 7", code=2)

    assert "must be recorded" in said
    assert "Секрет" not in said


@pytest.mark.parametrize("ground", [(), ("--ground", " ")])
def test_a_reading_in_full_without_a_ground_does_not_happen(house, sent, ground):
    said = house.run("evidence", sent, "--full", *ground, code=2)

    assert "нужно основание" in said
    assert "Секрет" not in said
    assert not (house.settings.data_dir / "audit.jsonl").exists()


def test_erased_content_is_still_evidence_of_what_happened(house, sent):
    house.change("UPDATE content SET bytes = NULL, salt = NULL, erased_at = now()")

    assert [p["what"] for p in house.json("evidence", sent)["pieces"] if p["kind"] == "event"]


def test_what_was_refused_or_waits_after_a_failure_says_why(house):
    receipt = house.submit("e-refused").receipt_number
    house.triage()
    house.change("UPDATE peer SET options = '{\"grant\": [\"Registered\"]}' WHERE code = 'epgu'")
    house.report("r-refused", receipt, "TakenToWork")
    house.report("r-waits", receipt, "Registered", questionOrdinal=9, registration=NUMBER)
    house.triage()

    received = {
        piece["what"].split()[1]: piece["details"]
        for piece in house.json("evidence", receipt)["pieces"]
        if piece["kind"] == "received"
    }
    assert received["r-refused"]["stage"] == "refused"
    assert "manifest" in received["r-refused"]["note"]["reason"]
    assert received["r-waits"]["stage"] == "accepted"
    assert received["r-waits"]["note"]["attempts"] == 1
    assert "no such question" in received["r-waits"]["note"]["error"]
    (line,) = house.json("messages", "list", "--stage", "refused")
    assert (line["key"], line["note"]["applied"]) == ("r-refused", "refused")
