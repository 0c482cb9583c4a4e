"""What is kept beside a message that was refused says where and why, and nothing of the message."""

from __future__ import annotations

import json

import pytest

from gateway import notes
from gateway.adapter import Wire
from gateway.errors import GatewayError, ValidationError, Violation
from gateway.rest import decode
from gateway.rest.routes import ROUTES
from gateway.wires import contract as c

WHO = "Ястребинская Аграфена 89161234567"
SUBMIT = next(route for route in ROUTES if route.operation is c.SubmitAppeal)


def kept(body, media_type):
    headers = {"content-type": media_type}
    with pytest.raises(GatewayError) as caught:
        decode.request(SUBMIT, decode.Call(body, headers, {}, ""))
    return notes.of(caught.value)


@pytest.mark.parametrize(
    "more",
    [
        {"regime": WHO}, {"regime": WHO * 100}, {"applicants": WHO}, {WHO: 1}, {"receivedAt": WHO},
        {"questions": [{WHO: WHO}]}, {"89161234567": 1}, {"revision": WHO},
    ],
    ids=range(8),
)  # fmt: skip
def test_nothing_of_a_json_document_stands_in_the_note(more):
    note = json.dumps(kept(json.dumps({"externalId": "x", **more}).encode(), "application/json"))
    assert "89161234567" not in note
    assert "\\u0410\\u0433" not in note, "the name"


@pytest.mark.parametrize(
    "inner",
    [
        f"<Regime>{WHO}</Regime>", f"<ReceivedAt>{WHO}</ReceivedAt>", f"<Text a='{WHO}'/>", WHO,
        "<Аграфена/>", "<Nope89161234567/>",
    ],
    ids=range(6),
)  # fmt: skip
def test_nothing_of_an_xml_document_stands_in_the_note(inner):
    text = f'<SubmitAppeal xmlns="urn:gov:appeals:v1"><Appeal><ExternalId>x</ExternalId>{inner}'
    note = json.dumps(kept(f"{text}</Appeal></SubmitAppeal>".encode(), "application/xml"))
    assert "89161234567" not in note
    assert "\\u0410\\u0433" not in note, "the name"


def test_the_place_the_reason_and_the_column_stay():
    wrong = Violation("/questions/0/text", "length", "too long\0", "Жалоба", "at most 5", 3)
    column = Violation("Дата поступления", "date", "no date")
    note = notes.of(ValidationError("does not fit", (wrong, column)))
    assert [(v["path"], v["message"], v["expected"], v["line"]) for v in note["violations"]] == [
        ("/questions/0/text", "too long", "at most 5", 3),
        ("Дата поступления", "no date", "", 0),
    ]


def test_what_an_adapter_needs_to_read_a_message_once_more_is_kept_and_comes_back():
    wire = Wire(
        media_type="application/json",
        body=b"{}",
        name="answers",
        headers={
            "amqp-type": "gov.appeals.status.v1",
            "ce-id": "01a20537-22e6-777b-a62a-618b978e2d70",
            "amqp-content-encoding": "gzip",
        },
    )
    assert notes.wire_of(notes.of_wire(wire), wire.media_type, wire.body) == wire


@pytest.mark.parametrize(
    "text",
    ["Выдуманов Иван", "+7 900 000-00-00", "79000000000", "i@example.org", "a\nb", "x" * 201],
)
def test_a_header_that_may_name_a_person_stands_in_no_note(text):
    told = notes.of_wire(Wire(media_type="", body=b"", name=text, headers={"x": text, text: "y"}))
    assert told == {}
