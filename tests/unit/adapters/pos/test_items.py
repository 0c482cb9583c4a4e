"""What an item becomes, and what is refused."""

import datetime as dt
import json
from pathlib import Path

import pytest

import adapters.pos
from adapters.pos.adapter import Pos
from gateway import ingest
from gateway.adapter import Landed, Verdict, Wire
from gateway.errors import ConfigurationError, TooLargeError, ValidationError
from gateway.model.appeal import Regime
from gateway.model.person import IdentificationLevel
from gateway.model.registration import LinkKind
from gateway.outbound import Outbound
from gateway.testing.cases import found

CONTRACT = Path(__file__).parents[3] / "contract"
ARRIVAL = ingest.Arrival(
    peer="pos", wire="pos", correlation="c", now=dt.datetime(2026, 4, 1, tzinfo=dt.UTC), body=b"{}"
)


def test_the_flag_tells_a_message_from_an_appeal(read, item):
    assert read(item).appeal.regime is Regime.MESSAGE
    assert read({**item, "fz59": True}).appeal.regime is Regime.FZ59


def test_an_item_without_the_flag_is_refused_and_not_guessed(read, item):
    del item["fz59"]
    with pytest.raises(ValidationError) as caught:
        read(item)
    assert [(v.path, v.code) for v in caught.value.violations] == [("/fz59", "required")]


@pytest.mark.parametrize("kind", ["poll", "vote"])
def test_polls_and_votes_are_data_and_no_appeals(read, item, kind):
    del item["fz59"]
    found = read({**item, "kind": kind, kind: {"options": [1, 2]}}).appeal
    assert found.regime is Regime.NOT_AN_APPEAL
    assert found.document_kind.value == kind
    assert [(e.path, e.value) for e in found.extras] == [(f"/{kind}", {"options": [1, 2]})]


def test_a_higher_version_amends_the_same_item(read, item):
    first, second = read(item), read({**item, "version": 2, "text": "И у дома 7 тоже."})
    assert (first.operation, first.external_id) == (second.operation, second.external_id)
    assert (first.revision, second.revision) == (1, 2)


def test_levels_that_were_not_named_come_from_the_table(read, item):
    topics = read({**item, "fact": {"code": "30.1.1"}}).appeal.questions[0].topics
    assert [(t.code.system, t.code.value, t.assigned_by) for t in topics] == [
        ("pos.fact", "30.1.1", "peer"),
        ("pos.subcategory", "30.1", "rule"),
        ("pos.category", "30", "rule"),
    ]


def test_a_fact_that_the_table_does_not_know_is_kept_alone(read, item):
    topics = read({**item, "fact": {"code": "999", "name": "Прочее"}}).appeal.questions[0].topics
    assert [(t.code.value, t.code.label, t.name_as_given) for t in topics] == [
        ("999", "", "Прочее")
    ]


def test_the_due_day_of_a_fast_track_is_the_wish_that_came_else_the_tables(read, item):
    asked = read({**item, "fastTrack": {"code": "FT-WASTE", "due": "2026-03-03"}}).appeal
    table = read({**item, "fastTrack": {"code": "FT-WASTE"}}).appeal
    other = read({**item, "fastTrack": {"code": "FT-OTHER"}}).appeal
    assert [m.due for m in asked.control_marks] == [dt.date(2026, 3, 3)]
    assert [m.due for m in table.control_marks] == [dt.date(2026, 3, 4)]
    assert other.control_marks == ()
    assert other.priority.value == "FT-OTHER"


def test_days_are_counted_in_the_zone_of_the_row(item):
    body = json.dumps({**item, "submittedAt": "2026-03-02T23:30:00+03:00",
                       "fastTrack": {"code": "FT-WASTE"}}).encode()  # fmt: skip
    wire = Wire(media_type="application/json", body=body)
    due = [
        Pos({"zone": zone}).decode(wire).items[0].appeal.control_marks[0].due.day
        for zone in ("Europe/Moscow", "Asia/Kamchatka")
    ]
    assert due == [4, 5]


def test_the_level_of_the_account_identifies_the_applicant(read, item):
    applicant = {"lastName": "Светлов", "esia": {"oid": "100", "level": "confirmed"}}
    (found,) = read({**item, "applicant": applicant}).appeal.applicants
    assert found.identification.level is IdentificationLevel.CONFIRMED
    assert found.person.esia_oid == "100"


def test_a_returned_answer_under_59_fz_is_a_new_repeat_appeal(read, happened):
    event = happened("returned_for_rework", fz59=True, text="Не сделано.")
    found = read(event)
    assert (found.operation, found.external_id) == ("submit", "E-1")
    assert found.report is None
    assert found.appeal.regime is Regime.FZ59
    assert found.appeal.repeat is True
    assert [(link.kind, link.number) for link in found.appeal.links] == [
        (LinkKind.REPEAT_OF, "POS-1")
    ]


def test_what_is_wrong_with_such_a_return_is_named_where_it_stands(read, happened):
    with pytest.raises(ValidationError) as caught:
        read({**happened("returned_for_rework", fz59=True), "at": "вчера"})
    assert [v.path for v in caught.value.violations] == ["/at"]


def test_a_bad_line_costs_only_itself(codec, item):
    lines = [json.dumps(item), '{"id": 7}', "[]", json.dumps({**item, "id": "POS-2"}), ""]
    body = "\n".join(lines).encode()
    decoded = codec.decode(Wire(media_type="application/x-ndjson", body=body))
    assert [one.external_id for one in decoded.items] == ["POS-1", "POS-2"]
    assert [one.raw for one in decoded.items] == [lines[0].encode(), lines[3].encode()]
    assert [one.where for one in decoded.rejected] == ["2", "3"]


def test_a_document_of_too_many_values_is_refused_before_it_is_made(codec):
    with pytest.raises(TooLargeError):
        codec.decode(Wire(media_type="application/json", body=b"[" * 200_000))


def test_another_table_takes_the_place_of_ours(tmp_path, item):
    ours = Path(adapters.pos.__file__).parent / "tables" / "pos.toml"
    own = tmp_path / "pos.toml"
    own.write_text(ours.read_text("utf-8").replace("days = 5", "days = 9"))
    body = json.dumps({**item, "fastTrack": {"code": "FT-LIGHT"}}).encode()
    found = Pos({"tables": str(own)}).decode(Wire(media_type="application/json", body=body))
    assert found.items[0].appeal.control_marks[0].due == dt.date(2026, 3, 11)


@pytest.mark.parametrize(
    "options",
    [{"zone": "Mars/Base"}, {"mail_regime": "incident"}, {"page": 0}, {"answer_chars": "many"},
     {"tables": "/nowhere/pos.toml"}, {"key_file": "/nowhere/key"}],
)  # fmt: skip
def test_an_option_that_cannot_work_is_named(options):
    with pytest.raises(ConfigurationError) as caught:
        Pos(options, base="http://127.0.0.1:9", outbound=Outbound(allowed_hosts=[]))
    assert next(iter(options)) in caught.value.where


def test_a_codec_reads_pushes_without_the_key_that_only_calls_need():
    assert Pos({"key_file": "/nowhere/key"}).options.page == 50


def test_without_an_address_a_codec_works_and_sending_is_refused():
    codec = Pos({})
    with pytest.raises(ConfigurationError):
        codec.deliver(Wire(media_type="application/json", body=b"{}"), "k")
    assert not codec.probe().ok


@pytest.mark.parametrize(
    "case",
    [c for c in found(CONTRACT, "pos") if c.comes_in and not c.read("error.json")],
    ids=lambda c: c.folder.name,
)
def test_everything_that_was_read_can_be_stored(case, codec):
    for inbound in codec.decode(case.wire()).items:
        entry = ingest.entry(ARRIVAL, inbound, None)
        assert entry.key == (inbound.external_id or inbound.message_key)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"id": "POS-7", "version": "two"}, "POS-7"),
        ({"id": 7}, "7"),
        ({"kind": "event", "eventId": "e-1", "id": "POS-7"}, "e-1"),
        ({"id": ["POS-7"]}, ""),
        ({"id": "P" * 300}, ""),
    ],
)
def test_a_refused_push_is_answered_with_the_id_that_it_gave(said, told):
    codec = Pos({})
    with pytest.raises(ValidationError) as caught:
        codec.decode(Wire(media_type="application/json", body=json.dumps(said).encode()))
    verdict = Verdict(
        token="", items=(Landed(error=caught.value),), now=dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
    )
    (result,) = json.loads(codec.reply(verdict).body)["results"]
    assert (result["id"], result["accepted"]) == (told, False)


def test_a_refused_letter_is_answered_with_its_number():
    codec, body = Pos({}), b"Subject: =?utf-8?b?4oSW?= 12345\r\n\r\n"
    with pytest.raises(ValidationError) as caught:
        codec.decode(Wire(media_type="message/rfc822", body=body))
    assert caught.value.about == "12345"
