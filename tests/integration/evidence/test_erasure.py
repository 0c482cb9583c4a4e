"""After an erasure nothing of the person is left in the database or among the files."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from gateway import erasure, settings
from gateway.errors import MalformedError
from gateway.model.ids import uuid7
from gateway.store.blobs import BlobDirectory

MARKS = ("Ромуальд", "Перепетуйко", "79131112244", "Кривоколенный", "Секретнейшее")
PERSON = {"fullName": "Перепетуйко Ромуальд Янович"}


def everything(house) -> str:
    """The whole database as text, bytes as text too, and what lies in the blob directory."""
    told = []
    with house.connection() as db:
        tables = [
            row[0]
            for row in db.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
                " AND table_type = 'BASE TABLE'"
            )
        ]
        for table in tables:
            for row in db.execute(f'SELECT * FROM "{table}"'.encode()):
                for value in row:
                    if isinstance(value, bytes | memoryview):
                        told.append(bytes(value).decode("utf-8", "replace"))
                    else:
                        told.append(str(value))
    if house.blobs.root.is_dir():
        told += [
            p.read_bytes().decode("utf-8", "replace")
            for p in house.blobs.root.rglob("*")
            if p.is_file()
        ]
    return "\n".join(told)


def left(house) -> list[str]:
    whole = everything(house)
    return [mark for mark in MARKS if mark in whole]


@pytest.fixture
def told(house):
    """An appeal that closed, with the person in every place that may hold one."""
    house.change("UPDATE peer SET adapter = 'webhook' WHERE code = 'epgu'")
    receipt = house.submit(
        "e-1",
        text="Секретнейшее: Кривоколенный пер, д 5, кв 7",
        applicants=[{"person": PERSON, "phone": "+79131112244"}],
    ).receipt_number
    house.triage()
    house.report("m-1", receipt, "TakenToWork")
    house.triage()
    ((delivery,),) = house.rows("SELECT id FROM delivery WHERE event_type = 'TakenToWork' LIMIT 1")
    body = "Перепетуйко Ромуальд".encode()
    house.change(
        "INSERT INTO attempt (id, delivery_id, n, owner, fence, started_at, ended_at, outcome,"
        " request_sha256, request, head, response, error) VALUES ($1, $2, 1, 'w', 1, now(), now(),"
        " 'refused', $3, $4, '{\"x\": \"Перепетуйко\"}', $4, 'Перепетуйко')",
        uuid7(), delivery, sha256(body).digest(), body,
    )  # fmt: skip
    house.change("UPDATE delivery SET error = 'нет Перепетуйко' WHERE id = $1", delivery)
    file = house.blobs.put("Ромуальд".encode() * 40_000)
    house.change("INSERT INTO blob (sha256, size, created_at) VALUES ($1, 1, now())", file)
    house.change(
        "INSERT INTO blob_ref SELECT $1, id, 'Перепетуйко.pdf', 'epgu' FROM message LIMIT 1", file
    )
    house.change("UPDATE letter SET senders = ARRAY['Перепетуйко']")
    house.change(
        "INSERT INTO reply SELECT $1, 'http://x', 'text/xml', '{}', convert_to($2, 'UTF8'), now()",
        delivery,
        f"{receipt} Перепетуйко",
    )
    house.change(
        "INSERT INTO finding (id, run, peer, class, key, appeal_id, found_at, ours, theirs, cause,"
        " repair) SELECT gen_random_uuid(), gen_random_uuid(), 'epgu', 'x', 'k', id, now(),"
        " '{\"fio\": \"Перепетуйко\"}', '{}', 'Перепетуйко', '' FROM appeal"
    )
    return receipt


def aged(house) -> None:
    """Let an hour go by for the files."""
    house.change("UPDATE blob SET created_at = created_at - interval '2 hours'")
    if house.blobs.root.is_dir():
        for path in house.blobs.root.rglob("*"):
            if path.is_file():
                os.utime(path, (time.time() - 7200,) * 2)


def test_dry_it_counts_and_takes_nothing(house, told):
    [planned] = house.json("erase", told, "--ground", "отзыв согласия")
    assert planned["counts"]["contents"] == 1
    assert planned["counts"]["messages"] == 2
    assert planned["committed"] is False
    assert "epgu" in planned["holders"]
    assert left(house) == list(MARKS)
    assert house.rows("SELECT count(*) FROM erasure") == [(0,)]


def test_nothing_of_the_person_is_left_and_the_facts_verify(house, told):
    aged(house)
    before = house.json("verify")
    house.json("erase", told, "--ground", "отзыв согласия", "--commit")
    assert left(house) == []
    after = house.json("verify")
    assert after["faults"] == {}
    assert (after["events"], after["erased"]) == (before["events"], 1)
    ((why, ground),) = house.rows("SELECT why, ground FROM erasure")
    assert (why, ground) == ("request", "отзыв согласия")


def test_a_package_that_brought_it_with_others_goes_whole_and_the_others_stay(house):
    house.submit("p-1", text="первое")
    house.submit("p-2", text="второе")
    house.triage()
    house.change("UPDATE message SET correlation = 'one-call'")
    for id_, correlation in ((uuid7(), "one-call"), (uuid7(), "another")):
        house.change(
            "INSERT INTO message (id, peer, wire, operation, key, revision, recorded_at,"
            " correlation, media_type, body, body_sha256, stage)"
            " SELECT $1, peer, wire, 'package', '', 0, recorded_at, $2, media_type, body,"
            " body_sha256, 'applied' FROM message WHERE key = 'p-1'",
            id_, correlation,
        )  # fmt: skip
    ((receipt,),) = house.rows("SELECT receipt_number FROM appeal WHERE external_id = 'p-1'")
    house.json("erase", receipt, "--ground", "отзыв согласия", "--commit")
    kept = house.rows("SELECT key, correlation, body IS NOT NULL FROM message ORDER BY id")
    assert kept == [
        ("p-1", "one-call", False),
        ("p-2", "one-call", True),
        ("", "one-call", False),
        ("", "another", True),
    ]


def test_without_a_ground_nothing_is_erased(house, told):
    house.run("erase", told, "--commit", code=2)
    assert left(house) == list(MARKS)


def test_an_appeal_on_hold_is_not_erased(house, told):
    house.run("erase", "hold", told, "--ground", "иск № 5")
    assert "иск № 5" in house.run("erase", told, "--ground", "x", "--commit", code=2)
    assert left(house) == list(MARKS)
    assert [row["receipt_number"] for row in house.json("erase", "holds")] == [told]
    house.run("erase", "release", told)
    house.json("erase", told, "--ground", "x", "--commit")


def test_an_erased_message_says_so_when_it_is_asked_for(house, told):
    house.json("erase", told, "--ground", "x", "--commit")
    ((message,),) = house.rows("SELECT id FROM message WHERE operation = 'submit'")
    assert "стёрто" in house.run("messages", "explain", str(message), code=2)
    assert '"erased"' in house.run("evidence", told)


def test_a_replay_of_an_erased_message_says_so(house):
    house.keep(b"\xff Perepetuiko", MalformedError("x"), "submit")
    house.change('UPDATE message SET body = NULL, note = \'{"erased": "2026-11-21"}\'')
    ((message,),) = house.rows("SELECT id FROM message")
    assert "стёрто" in house.run("replay", str(message), "--commit", code=2)
    house.run("replay", "--stage", "undecodable", "--commit")


def test_content_goes_when_its_days_are_over(house, told):
    house.environ["GATEWAY_KEEP_CONTENT_DAYS"] = '{"fz59": 30, "message": 30}'
    house.settings = settings.load(house.environ)
    aged(house)
    assert house.json("erase", "--due") == []
    house.change("UPDATE appeal SET state = 'closed'")
    assert house.json("erase", "--due") == []
    house.change("UPDATE appeal SET changed_at = now() - interval '31 days'")
    assert [one["committed"] for one in house.json("erase", "--due")] == [False]
    house.run("erase", "hold", told, "--ground", "иск")
    assert house.json("erase", "--due") == []
    house.run("erase", "release", told)
    with house.connection() as db:
        now = datetime.now(UTC) + timedelta(seconds=1)
        blobs = BlobDirectory(house.settings.blobs)
        gone = list(erasure.due(db, blobs, house.settings, now, commit=True))
        assert list(erasure.due(db, blobs, house.settings, now, commit=True)) == []
    assert [one.receipt_number for one in gone] == [told]
    assert left(house) == []


def test_the_register_is_told_and_reading_it_is_recorded(house, told):
    house.run("evidence", told, "--full", "--ground", "запрос")
    rows = house.json("readings", "--appeal", told)
    assert [row["what"] for row in rows] == ["readings", "evidence", "sent:TakenToWork"]
    assert rows[1]["ground"] == "запрос"
    assert (rows[2]["who"], rows[2]["subject"]) == ("peer:epgu", told)
    assert len(house.json("readings")) == 3


def test_no_spreadsheet_runs_a_ground_that_a_person_typed(house, told):
    house.run("evidence", told, "--full", "--ground", "=1+1")
    assert ";'=1+1;" in house.run("readings", "--appeal", told, "--csv")
