"""Messages in a peer's own format, pushed to one address and read by the adapter of its row."""

import json
from pathlib import Path

import pytest

SSTU = Path(__file__).parents[2] / "contract" / "sstu"
DOCUMENT = (SSTU / "s01-direct-in-work" / "wire.json").read_bytes()
WRONG = (SSTU / "s17-many-mistakes" / "wire.json").read_bytes()


@pytest.fixture(scope="module", autouse=True)
def node(house):
    """The peer `sed` speaks ССТУ's format; the others have none."""
    with house.database() as db:
        db.execute("UPDATE peer SET adapter = 'sstu' WHERE code = 'sed'")


def push(house, body, peer="sed", path="/inbox", **headers):
    return house.post(path, body, peer=peer, Content_Type="application/json", **headers)


def named(number):
    return json.dumps({**json.loads(DOCUMENT), "number": number}).encode()


def test_a_message_gets_a_receipt_and_its_repeat_the_same_one(house):
    first = push(house, named("ОГ-1/26"))
    again = push(house, named("ОГ-1/26"), path="/inbox/document.json")

    (item,) = first.json["items"]
    assert first.status == again.status == 200
    assert item["receiptNumber"]
    assert not item["repeat"]
    assert again.json["items"] == [{**item, "repeat": True}]


def test_it_is_archived_as_it_came_under_the_name_of_the_adapter(house):
    body = named("ОГ-2/26")
    key = push(house, body).json["items"][0]["key"]

    assert house.messages(key, "wire", "operation", "body") == [("sstu", "submit", body)]


def test_what_is_wrong_is_named_place_by_place_and_stored(house):
    answer = push(house, WRONG)

    (item,) = answer.json["items"]
    assert answer.status == 422
    assert {"/departmentId", "/isDirect"} <= {e["path"] for e in item["error"]["errors"]}
    kept = house.rows("SELECT body FROM message WHERE stage = 'undecodable' AND wire = 'sstu'")
    assert (WRONG,) in kept


def test_other_content_under_the_same_number_is_a_conflict(house):
    push(house, named("ОГ-3/26"))
    other = {**json.loads(DOCUMENT), "number": "ОГ-3/26", "name": "Другая Фамилия"}

    answer = push(house, json.dumps(other).encode())

    assert answer.status == 409
    assert answer.json["items"][0]["error"]["code"] == "conflict"


def test_a_peer_without_a_format_of_its_own_is_told_where_to_go(house):
    answer = push(house, DOCUMENT, peer="portal")

    assert answer.status == 415
    assert "/api/v1/appeals" in answer.json["todo"]


def test_nobody_pushes_without_a_key(house):
    assert push(house, DOCUMENT, peer="").status == 401
