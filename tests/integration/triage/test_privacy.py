"""What triage writes beside the contents names nobody."""

from __future__ import annotations

from datetime import date

from gateway import ingest
from gateway.adapter import Inbound, RemoteState
from gateway.errors import ValidationError, Violation
from gateway.model.events import EventType
from gateway.model.facts import RegistrationFacts


def test_a_line_of_a_peers_list_is_kept_without_its_raw_row(room):
    line = RemoteState(
        key="А-17", key_folded="A-17", states={"1": "InWork"},
        raw='{"name": "Иванова Мария Петровна"}'.encode(),
    )  # fmt: skip
    inbound = Inbound(operation="expect", message_key="list-1", expectation=line)
    room.accept.submit_sync(ingest.entry(room.arrival(b"list"), inbound, room.blobs))
    room.work_off()
    [(remote,)] = room.rows("SELECT remote FROM expectation")
    assert remote["states"] == {"1": "InWork"}
    assert not remote.get("raw")


def test_why_an_item_was_put_off_does_not_repeat_what_was_said(room):
    room.submit("a")
    said = RegistrationFacts(organisation="sed", number="17-ж", date=date(2026, 3, 2))
    room.report(
        "a", "number", EventType.REGISTERED, registration=said, questions=("Иванова, кв. 5",)
    )
    room.work_off()
    [(error,)] = room.rows("SELECT error FROM work")
    assert "no such question" in error
    assert "Иванова" not in error


def test_the_note_of_a_refused_message_says_where_and_not_what(room):
    wrong = Violation("Phone", "pattern", "not a phone", "Иванова, кв. 5")
    error = ValidationError("the message breaks the contract", (wrong,))
    room.accept.submit_sync(ingest.kept(room.arrival(b"body"), error, "SubmitAppeal", room.blobs))
    [(note,)] = room.rows("SELECT note FROM message")
    assert note["violations"][0]["path"] == "Phone"
    assert "Иванова" not in str(note)
