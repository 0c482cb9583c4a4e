"""What could not be worked on is worked on once more: parked, or mended after a fix."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway import notes, ns
from gateway.adapter import File, Wire
from gateway.commands import redecode
from gateway.errors import GatewayError, ValidationError
from gateway.settings import FileInbox
from import_export.filedrop import run_once
from import_export.known import StoreKnown

CONTRACT = Path(__file__).parents[2] / "contract"
GOOD = {"externalId": "e-7", "text": "Нет света"}
ENVELOPE = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
    '<SubmitAppeal xmlns="urn:gov:appeals:v1"><Appeal><ExternalId>{}</ExternalId><Text>Т</Text>'
    "</Appeal></SubmitAppeal></s:Body></s:Envelope>"
)
DOCUMENT = (
    b'<SubmitAppeal xmlns="urn:gov:appeals:v1"><Appeal><ExternalId>e-7</ExternalId>'
    b"<Text>t</Text></Appeal></SubmitAppeal>"
)


def kept(house, document=GOOD, operation="SubmitAppeal", **more):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return str(house.keep(body, ValidationError("a bug of ours"), operation, **more).message_id)


def stage_and_note(house, message):
    return house.rows("SELECT stage, note FROM message WHERE id = $1", message)[0]


def test_nothing_is_accepted_without_commit(house):
    message = kept(house)

    found = house.json("replay", message)

    assert found["messages"][0]["word"] == "readable"
    assert house.rows("SELECT count(*) FROM appeal") == [(0,)]
    assert "replayed_as" not in stage_and_note(house, message)[1]


def test_a_document_that_is_readable_now_is_accepted_and_both_messages_name_each_other(house):
    message = kept(house)

    found = house.json("replay", message, "--commit")["messages"][0]

    assert found["word"] == "accepted"
    stage, note = stage_and_note(house, message)
    assert (stage, note["replayed_as"]) == ("undecodable", found["new"])
    stage, note = stage_and_note(house, found["new"][0])
    assert (stage, note["replay_of"]) == ("accepted", message)
    house.triage()
    assert house.rows("SELECT external_id, state FROM appeal") == [("e-7", "received")]


def test_of_which_only_the_beginning_was_kept_is_not_replayed_and_its_sender_is_asked(house):
    message = kept(house, most=20)

    (found,) = house.json("replay", message, "--commit", code=1)["messages"]

    assert found["word"] == "failed"
    assert "only the beginning" in found["detail"]
    assert house.rows("SELECT count(*) FROM appeal") == [(0,)]
    whole = json.dumps(GOOD).encode()
    shown = house.json("messages", "show", message)
    assert (shown["size"], shown["kept"]) == (len(whole), 20)
    assert shown["body_sha256"] == sha256(whole).hexdigest()
    assert "cut" in house.run("messages", "show", message)
    assert "only the beginning" in house.run("messages", "explain", message, code=2)


def test_a_replayed_message_is_not_replayed_again(house):
    message = kept(house)
    house.run("replay", "--stage", "undecodable", "--commit")

    assert house.json("replay", "--stage", "undecodable", "--commit")["messages"] == []
    assert house.json("replay", message, "--commit")["skipped"] == 1
    assert house.rows("SELECT count(*) FROM appeal") == [(1,)]


def test_what_the_peer_has_sent_again_meanwhile_is_a_repeat(house):
    message = kept(house)
    first = house.submit("e-7", text="Нет света")

    found = house.json("replay", message, "--commit")["messages"][0]

    assert (found["word"], found["new"]) == ("repeat", [str(first.message_id)])
    assert house.rows("SELECT count(*) FROM appeal") == [(1,)]


def test_what_is_still_wrong_stays_where_it_is_and_the_others_go_on(house):
    bad = kept(house, {"externalId": "e-8"} | {"regime": "fz95"})
    good = kept(house)

    found = house.json("replay", "--stage", "undecodable", "--commit", code=1)

    words = {m["message"]: m["word"] for m in found["messages"]}
    assert words == {bad: "failed", good: "accepted"}
    assert house.rows("SELECT count(*) FROM message WHERE stage = 'undecodable'") == [(2,)]


@pytest.mark.parametrize(
    ("body", "wire", "media_type", "operation"),
    [
        (ENVELOPE.format("e-7").encode(), "soap11", "text/xml; charset=utf-8", "?"),
        (ENVELOPE.format("e-7").encode("utf-16"), "soap11", "text/xml; charset=utf-16", "?"),
        (
            ENVELOPE.format("e-7")
            .replace(
                "http://schemas.xmlsoap.org/soap/envelope/",
                "http://www.w3.org/2003/05/soap-envelope",
            )
            .encode(),
            "soap12",
            "multipart/related; type=application/xop+xml",
            "SubmitAppeal",
        ),
        (
            DOCUMENT,
            "rest",
            "application/xml",
            "SubmitAppeal",
        ),
        (json.dumps(GOOD).encode(), "soap11", "application/json", "SubmitAppeal"),
        (json.dumps({"items": [GOOD]}).encode(), "rest", "application/json", "SubmitAppeals"),
    ],
)
def test_each_wire_is_decoded_by_its_own_road(house, body, wire, media_type, operation):
    message = kept(house, body, operation, wire=wire, media_type=media_type)

    found = house.json("replay", message, "--commit")

    assert found["accepted"] == 1, found
    assert house.rows("SELECT external_id FROM appeal") == [("e-7",)]


POINTERS = {
    "application/xop+xml": "<Content><x:Include xmlns:x='{}' href='cid:{}'/></Content>",
    "text/xml": "<Content>cid:{1}</Content>",
}


@pytest.mark.parametrize("form", POINTERS)
def test_a_package_is_decoded_from_its_envelope_and_the_files_kept_with_it(house, form):
    files = {"small@x": b"small", "large@x": b"large" * 100_000}
    items = "".join(
        f"<AttachmentIn><FileName>{cid}</FileName>{POINTERS[form].format(ns.XOP, cid)}"
        "</AttachmentIn>"
        for cid in files
    )
    text = f"</Text><Attachments>{items}</Attachments>"
    parts = {
        cid: File(sha256=sha256(data).hexdigest(), media_type="", name="", data=data)
        for cid, data in files.items()
    }
    body = ENVELOPE.format("e-7").replace("</Text>", text).encode()
    message = kept(house, body, "?", wire="soap11", media_type="text/xml", parts=parts)

    found = house.json("replay", message, "--commit")["messages"][0]

    assert found["word"] == "accepted", found
    ((appeal,),) = house.rows("SELECT id FROM appeal WHERE external_id = 'e-7'")
    rows = house.rows("SELECT r.name, b.size FROM blob_ref r JOIN blob b USING (sha256) "
                      "WHERE r.owner = $1 ORDER BY b.size", appeal)  # fmt: skip
    assert rows == [("small@x", 5), ("large@x", 500_000)]
    ((digest,),) = house.rows("SELECT body_sha256 FROM message WHERE id = $1", message)
    ((again,),) = house.rows("SELECT body_sha256 FROM message WHERE id = $1", found["new"][0])
    assert bytes(again) == bytes(digest) != sha256(body).digest()


def test_a_package_whose_files_did_not_come_is_still_not_readable(house):
    text = f"</Text><Attachments><AttachmentIn><FileName>a</FileName>{POINTERS['text/xml']}"
    body = ENVELOPE.format("e-7").replace(
        "</Text>", text.format("", "gone@x") + "</AttachmentIn></Attachments>"
    )
    message = kept(
        house, body.encode(), "?", wire="soap11", media_type="text/xml", beside={"part 0": "x"}
    )
    assert house.json("replay", message, code=1)["messages"][0]["word"] == "failed"


@pytest.mark.parametrize("key", ["e-7", '"e-7"', "А-7".encode().decode("latin-1")])
def test_a_call_whose_key_came_in_a_header_is_replayed_under_it(house, key):
    beside = {"idempotency-key": key}
    report = {
        "key": {"externalId": "e-6"}, "event": "Registered", "occurredOn": "2026-11-21",
        "registration": {"number": "1", "date": "2026-11-21"},
    }  # fmt: skip
    house.submit("e-6", text="Нет воды")
    appeal = kept(house, {"text": "Нет света"}, beside=beside)
    status = kept(house, report, "SubmitStatus", beside=beside)

    assert house.json("replay", appeal, status, "--commit")["accepted"] == 2

    plain = "А-7" if key not in ("e-7", '"e-7"') else "e-7"
    assert house.rows("SELECT kind FROM ledger WHERE key = $1 ORDER BY kind", plain) == [
        ("appeal",),
        ("status",),
    ]
    assert house.json("replay", kept(house, {"text": "Нет света"}), code=1)["failed"] == 1


def test_a_header_that_disagrees_with_the_document_is_still_refused(house):
    message = kept(house, beside={"idempotency-key": "other"})

    assert house.json("replay", message, "--commit", code=1)["failed"] == 1


def test_an_amendment_is_replayed_under_the_numbers_of_its_path(house):
    house.submit("А/7", text="Нет света")
    beside = {"externalId": "%D0%90%2F7", "revision": "2"}
    message = kept(house, {"text": "Нет света и воды"}, "AmendAppeal", beside=beside)

    assert house.json("replay", message, "--commit")["accepted"] == 1
    assert house.rows("SELECT key, revision FROM message WHERE operation = 'amend'") == [("А/7", 2)]


def test_an_amendment_finds_its_path_in_the_document(house):
    house.submit("e-7", text="Нет света")
    message = kept(house, GOOD | {"revision": 2, "text": "Нет света и воды"}, "AmendAppeal")

    assert house.json("replay", message, "--commit")["accepted"] == 1
    house.triage()
    assert house.rows("SELECT revision FROM appeal") == [(2,)]


LINES = b"\n".join(
    json.dumps(
        {
            "id": name, "network": "vk", "text": "Яма", "published_at": "2026-03-02T08:15:00+03:00",
            **more,
        }
    ).encode()
    for name, more in (("a", {"version": 1}), ("b", {}))
)  # fmt: skip


@pytest.fixture
def channels(house):
    """Adapters are switched on by the settings."""
    house.environ = {**house.environ, "GATEWAY_ADAPTERS": "incident,amqp"}


def test_lines_that_still_cannot_be_read_keep_their_message_where_it_is(house, channels):
    message = kept(house, LINES, "submit", wire="incident", media_type="application/x-ndjson")

    dry = house.json("replay", message, code=1)["messages"][0]
    done = house.json("replay", message, "--commit", code=1)["messages"][0]

    assert (dry["word"], done["word"]) == ("failed", "failed")
    assert "1 of 2 items" in done["detail"]
    assert house.rows("SELECT external_id FROM appeal") == [("a",)], "what can be read is taken"
    assert "replayed_as" not in stage_and_note(house, message)[1]


def test_a_message_of_a_queue_is_decoded_by_the_type_that_stood_beside_it(house, channels):
    house.submit("e-7")
    report = {
        "messageKey": "st-1", "key": {"externalId": "e-7"}, "event": "Registered",
        "registration": {"number": "1", "date": "2026-03-04"},
        "occurredOn": "2026-03-04",
    }  # fmt: skip
    body = json.dumps(report).encode()
    beside = notes.of_wire(Wire(media_type="", body=b"", headers={"amqp-type": "SubmitStatus"}))
    message = kept(house, body, "submit", wire="amqp", beside=beside)

    assert house.json("replay", message)["messages"][0]["word"] != "failed"
    assert house.json("replay", kept(house, body, "submit", wire="amqp"), code=1)


def test_parked_work_goes_back_on_the_queue(house):
    receipt = house.submit("e-7").receipt_number
    house.change("UPDATE work SET parked = true, attempts = 5, error = 'a bug'")
    house.change("UPDATE message SET stage = 'parked', note = '{\"error\": \"a bug\"}'")

    assert house.json("replay", "--stage", "parked")["queued"] == 1
    assert house.rows("SELECT parked FROM work") == [(True,)], "dry by default"
    house.json("replay", "--stage", "parked", "--commit")
    house.triage()

    assert house.rows("SELECT stage FROM message") == [("applied",)]
    assert house.rows("SELECT count(*) FROM work") == [(0,)]
    assert receipt


def test_a_message_that_was_applied_has_nothing_to_replay(house):
    accepted = house.submit("e-7")
    house.triage()

    assert house.json("replay", str(accepted.message_id), "--commit")["skipped"] == 1


def test_only_one_peers_messages_are_replayed_when_it_is_named(house):
    kept(house)
    mine = kept(house, {"externalId": "s-1", "text": "т"}, peer="sed")

    found = house.json("replay", "--stage", "undecodable", "--peer", "sed", "--commit")

    assert [m["message"] for m in found["messages"]] == [mine]


PROFILE = """
name = "district"
title = "Таблица района"
[table]
encoding = "utf-8"
delimiter = ";"
[key]
columns = ["number"]
revision = 1
[[column]]
name = "number"
required = true
[[column]]
name = "kind"
field = "type"
words = {{ {words} }}
[[column]]
name = "text"
field = "text"
"""
TABLE = "number;kind;text\n1;жалоба;Нет света\n2;сигнал;Яма\n3;сигнал;Снег\n"


@pytest.fixture
def dropped(house, tmp_path):
    """A file of three rows, two of which the profile did not understand."""
    profile = tmp_path / "district.toml"
    profile.write_text(PROFILE.format(words='"жалоба" = "complaint"'))
    box = tmp_path / "box"
    (box / "in").mkdir(parents=True)
    (box / "in" / "week.csv").write_text(TABLE)
    inbox = FileInbox(path=box, peer="sed", profile=str(profile), settle_seconds=0)
    known = StoreKnown(house.url)
    run_once(inbox, house.committer, house.blobs, datetime.now(UTC), known=known)
    known.close()
    house.environ["GATEWAY_INBOXES"] = json.dumps(
        [{"path": str(box), "peer": "sed", "profile": str(profile)}]
    )
    assert house.rows("SELECT count(*) FROM message WHERE stage = 'undecodable'") == [(2,)]
    return profile


def test_rows_of_a_file_are_read_again_once_the_profile_is_mended(house, dropped):
    assert house.json("replay", "--stage", "undecodable", code=1)["failed"] == 2
    dropped.write_text(PROFILE.format(words='"жалоба" = "complaint", "сигнал" = "application"'))

    assert house.json("replay", "--stage", "undecodable")["readable"] == 2
    assert house.rows("SELECT count(*) FROM appeal") == [(1,)], "dry by default"
    found = house.json("replay", "--stage", "undecodable", "--commit")

    assert found["accepted"] == 2
    assert house.rows("SELECT external_id FROM appeal ORDER BY 1") == [("1",), ("2",), ("3",)]
    notes = house.rows("SELECT note FROM message WHERE note ? 'replay_of' ORDER BY id")
    assert [note["row"] for (note,) in notes] == [3, 4]
    assert house.json("replay", "--stage", "undecodable", "--commit")["messages"] == []


def test_a_file_that_could_not_be_read_at_all_is_landed_row_by_row(house, dropped, tmp_path):
    good = dropped.read_text()
    dropped.write_text(good.replace('"utf-8"', '"cp1251"'))
    box = tmp_path / "box"
    (box / "in" / "next.csv").write_text("number;kind;text\n9;жалоба;Лёд\n")
    inbox = FileInbox(path=box, peer="sed", profile=str(dropped), settle_seconds=0)
    run_once(inbox, house.committer, house.blobs, datetime.now(UTC))
    ((file,),) = house.rows(
        "SELECT id::text FROM message WHERE operation = 'file' AND stage = 'undecodable'"
    )
    dropped.write_text(good)

    assert house.json("replay", file, "--commit")["accepted"] == 1
    assert house.rows("SELECT external_id FROM appeal ORDER BY 1") == [("1",), ("9",)]


def test_a_file_imported_by_a_codec_is_read_again_by_it_without_an_inbox(house):
    settings = replace(house.settings, adapters=("sstu",), inboxes=())
    body = (CONTRACT / "sstu/s01-direct-in-work/wire.json").read_bytes()

    (line,) = redecode.open_file(settings, "sed", body, {"codec": "sstu", "name": "one.json"})

    assert line.inbound is not None
    with pytest.raises(GatewayError, match="profile"):
        redecode.open_file(settings, "sed", body, {"name": "one.json"})
