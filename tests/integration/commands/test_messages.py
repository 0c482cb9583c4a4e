"""An engineer finds a message by any number, sees every stage, and has it explained."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from gateway import registry
from gateway.access.policy import Gate
from gateway.access.refusals import RefusalLog
from gateway.errors import AccessError, ValidationError
from gateway.settings import FileInbox
from import_export.commands import import_files
from tests.integration.commands.conftest import NOW

BROKEN = {
    "externalId": "e-9",
    "text": "Нет света",
    "regime": "fz95",
    "applicants": [{"person": {"fullName": "Петров Пётр Иванович"}, "phone": "+7 913 111-22-33"}],
}


@pytest.fixture
def story(house):
    receipt = house.submit(
        "e-1", registrations=[{"organisation": "mer", "number": "А26-02-1/7", "date": "2026-11-01"}]
    ).receipt_number
    house.triage()
    house.report("m-1", receipt, "TakenToWork", executor={"organisation": "gzhi"})
    house.triage()
    house.submit("e-2", peer="sed", wire="soap11")
    return receipt


def listed(house, *arguments):
    return [(m["peer"], m["operation"], m["key"]) for m in house.json("messages", *arguments)]


def test_the_newest_comes_first_with_its_stage_and_what_triage_made_of_it(house, story):
    rows = house.json("messages")

    assert [(r["key"], r["stage"]) for r in rows] == [
        ("e-2", "accepted"),
        ("m-1", "applied"),
        ("e-1", "applied"),
    ]
    assert rows[1]["note"]["applied"] == "inferred"
    assert rows[0]["due"] is not None
    assert "ready" in rows[1]["deliveries"]


def test_filters_narrow_the_list(house, story):
    assert listed(house, "--peer", "sed") == [("sed", "submit", "e-2")]
    assert listed(house, "--stage", "accepted") == [("sed", "submit", "e-2")]
    assert listed(house, "--correlation", "nothing-like-it") == []
    assert listed(house, "--until", "1h") == []
    assert len(listed(house, "--since", "1h")) == 3
    assert len(listed(house, "--limit", "1")) == 1


def test_a_message_is_found_by_any_number_of_its_appeal(house, story):
    both = [("epgu", "status", "m-1"), ("epgu", "submit", "e-1")]

    assert listed(house, "--number", story) == both
    assert listed(house, "--number", story.lower()) == both
    assert listed(house, "--number", "a26–02–1/7") == both, "look-alike letters and dashes"
    assert listed(house, "--external-id", "m-1") == both
    assert listed(house, "--number", "no such") == []


def test_people_get_a_table(house, story):
    said = house.run("messages")

    assert "e-1" in said
    assert "applied" in said


def test_one_message_shows_its_events_and_deliveries_and_no_personal_data(house, story):
    house.submit("e-3", text="Секретный текст", applicants=BROKEN["applicants"])
    house.triage()
    message = house.json("messages", "--external-id", "e-3")[0]["id"]

    shown = house.json("messages", "show", message)

    assert shown["events"][0]["type"] == "Received"
    text = json.dumps(shown, ensure_ascii=False)
    for secret in ("Петров", "913 111", "Секретный"):
        assert secret not in text
    assert '"externalId":"e-3"' in shown["body"]


def test_reading_in_full_is_recorded_before_it_is_shown(house, story):
    house.submit("e-3", text="Секретный текст")
    message = house.json("messages", "--external-id", "e-3")[0]["id"]

    shown = house.json("messages", "show", message, "--full", "--ground", "жалоба 12")

    assert "Секретный текст" in shown["body"]
    (line,) = (house.settings.data_dir / "audit.jsonl").read_text().splitlines()
    record = json.loads(line)
    assert (record["what"], record["subject"], record["ground"]) == (
        "messages show",
        message,
        "жалоба 12",
    )
    assert (house.settings.data_dir / "audit.jsonl").stat().st_mode & 0o077 == 0


def test_a_stored_document_is_explained_with_its_values_masked(house):
    body = json.dumps(BROKEN, ensure_ascii=False).encode()
    kept = house.keep(body, ValidationError("no such regime"), "SubmitAppeal")

    found = house.json("messages", "explain", str(kept.message_id), code=1)

    (violation,) = found["violations"]
    assert violation["path"] == "/regime"
    assert "Петров" not in json.dumps(found, ensure_ascii=False)


def test_a_stored_envelope_is_explained_by_place(house):
    body = (
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        b'<SubmitAppeal xmlns="urn:gov:appeals:v1"><Appeal><ExternalId>e</ExternalId>'
        b"<Regime>fz95</Regime></Appeal></SubmitAppeal></s:Body></s:Envelope>"
    )
    kept = house.keep(
        body, ValidationError("x"), "?", wire="soap11", media_type="text/xml; charset=utf-8"
    )

    found = house.json("messages", "explain", str(kept.message_id), code=1)

    assert found["violations"][0]["path"].endswith("Regime")


class TestDocumentsOfChannels:
    """What came by an adapter is read by its codec, with the options of its peer's row."""

    ITEM = {"id": "POS-7", "version": 1, "fz59": False, "text": "Петров П. И.: яма"}  # noqa: RUF012

    def kept(self, house, body, **more):
        house.environ["GATEWAY_ADAPTERS"] = "pos,sstu"
        if not isinstance(body, bytes):
            body = json.dumps(body, ensure_ascii=False).encode()
        given = {"wire": "pos", "peer": "pos", **more}
        kept = house.keep(body, ValidationError("x"), "submit", **given)
        return str(kept.message_id)

    def test_what_is_wrong_is_told_by_place(self, house):
        house.peer("pos", adapter="pos")
        message = self.kept(house, self.ITEM)

        (violation,) = house.json("messages", "explain", message, code=1)["violations"]

        assert (violation["path"], violation["code"]) == ("/submittedAt", "required")
        assert "Петров" not in str(violation)

    def test_of_many_in_one_each_by_its_line(self, house):
        house.peer("pos", adapter="pos")
        lines = b"\n".join([json.dumps({**self.ITEM, "version": n}).encode() for n in (1, 2)])
        message = self.kept(house, lines, media_type="application/x-ndjson")

        found = house.json("messages", "explain", message, code=1)["violations"]

        assert [v["path"] for v in found] == ["1/submittedAt", "2/submittedAt"]

    def test_one_that_reads_now_is_said_to(self, house):
        house.peer("pos", adapter="pos")
        sound = {**self.ITEM, "submittedAt": "2026-11-20T10:00:00+03:00"}
        message = self.kept(house, sound)

        assert "Читается без замечаний" in house.run("messages", "explain", message)

    def test_why_it_cannot_be_looked_at_is_said_plainly(self, house):
        house.peer("pos", adapter="pos")
        message = self.kept(house, self.ITEM)
        house.environ["GATEWAY_ADAPTERS"] = "sstu"

        said = house.run("messages", "explain", message, code=2)

        assert "not switched on" in said
        assert "pos" in said

    def test_a_file_is_read_by_the_adapter_it_was_imported_with(self, house, tmp_path):
        house.environ["GATEWAY_ADAPTERS"] = "sstu"
        out = tmp_path / "part.json"
        out.write_text('{"number": "А26-1", "questions": []}')
        codec = registry.load(["sstu"])["sstu"]
        import_files(
            [out], FileInbox(path=tmp_path, peer="epgu", codec="sstu"), house.url,
            house.settings.blobs, NOW, tmp_path / "out", codec=codec.make(codec.manifest.options),
        )  # fmt: skip
        for row in house.rows("SELECT id FROM message WHERE stage = 'undecodable'"):
            found = house.json("messages", "explain", str(row[0]), code=1)["violations"]
            assert [v["path"] for v in found] == ["/questions"]
        assert house.rows("SELECT count(*) FROM message WHERE stage = 'undecodable'") == [(1,)]


def test_a_sound_message_has_nothing_to_explain(house, story):
    body = (
        b'<SubmitAppeal xmlns="urn:gov:appeals:v1"><Appeal><ExternalId>e</ExternalId>'
        b"<Text>t</Text></Appeal></SubmitAppeal>"
    )
    kept = house.keep(body, ValidationError("x"), "SubmitAppeal", media_type="application/xml")

    assert "соответствует" in house.run("messages", "explain", str(kept.message_id))


def test_a_stage_or_a_peer_that_is_not_there_is_no_empty_table(house, story):
    said = house.run("messages", "--stage", "bogus", code=2)
    assert "undecodable" in said
    said = house.run("messages", "--peer", "nope", code=2)
    assert "epgu, sed" in said


def test_what_came_from_a_peer_that_is_gone_can_still_be_listed(house, story):
    house.change("DELETE FROM peer WHERE code = 'sed'")

    assert listed(house, "--peer", "sed") == [("sed", "submit", "e-2")]


def test_the_help_shows_the_filters_that_stand_right_behind_the_word(house):
    assert "--correlation" in house.run("messages", "--help")


def refuse(house, correlation):
    log = RefusalLog(house.url, lambda: datetime.now(UTC))
    log.start()
    gate = Gate(house.url, trusted_wire=False, refused=log.record)
    with pytest.raises(AccessError):
        gate.enter(
            {"authorization": "Basic c2VkOmd3X29uZV90d28="},
            "127.0.0.1",
            tls=False,
            path="/soap/appeals.svc",
            correlation=correlation,
        )
    log.stop()


def test_a_correlation_id_leads_to_the_message_or_to_the_refusal(house, story):
    """Which of the two it was, whoever holds the id need not know."""
    id_ = house.keep(b"<half", ValidationError("cut"), "SubmitAppeal").message_id
    house.change("UPDATE message SET correlation = $1 WHERE id = $2", "0a" * 16, id_)
    assert house.json("messages", "show", "0a" * 16)["id"] == str(id_)
    assert listed(house, "--correlation", "0a" * 16) == [("epgu", "SubmitAppeal", "")]

    refuse(house, "0b" * 16)
    assert f"gateway refusals --correlation {'0b' * 16}" in house.run(
        "messages", "show", "0b" * 16, code=2
    )
    assert "gateway refusals --correlation" in house.run("messages", "--correlation", "0b" * 16)
    (found,) = house.json("refusals", "--correlation", "0b" * 16)
    assert (found["peer"], found["address"], found["path"], found["reason"]) == (
        "sed",
        "127.0.0.1",
        "/soap/appeals.svc",
        "wrong credential",
    )


def test_a_correlation_id_of_several_messages_names_them(house, story):
    said = house.run("messages", "show", "test-correlation", code=2)

    assert "несколько" in said
    assert said.count("-7") >= 3


def test_refusals_are_listed_with_the_newest_first(house):
    for correlation in ("first-one", "second-one"):
        refuse(house, correlation)

    rows = house.json("refusals", "--peer", "sed", "--since", "1h")

    assert [row["correlation"] for row in rows] == ["second-one", "first-one"]
    assert house.json("refusals", "--until", "1h") == []
    assert "Europe/Moscow" in house.run("refusals")


def test_a_facades_message_is_named_as_one_and_not_explained_by_our_schema(house):
    house.environ["GATEWAY_FACADES"] = "requests"
    body = (
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        b'<SendReport xmlns="urn:gov:appeals:facade:requests:v1"/></s:Body></s:Envelope>'
    )
    error = ValidationError("a bug of ours")
    kept = house.keep(body, error, "SendReport", wire="soap11", media_type="text/xml")
    with pytest.raises(AssertionError, match="the façade requests"):  # what the command raised
        house.run("messages", "explain", str(kept.message_id))
    replayed = house.json("replay", str(kept.message_id), code=1)["messages"]
    assert "the façade requests" in str(replayed)
