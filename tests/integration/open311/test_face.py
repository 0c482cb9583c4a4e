"""The face as a city app meets it: the catalogue, a request, its number, where it stands."""

from __future__ import annotations

import gzip
import json
import shlex
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from lxml import etree

from tests.integration.house import CHECKOUT

PHONE = "+70000000077"
LAMP = {
    "service_code": "street-light",
    "lat": "56.838011",
    "long": "60.597465",
    "description": "Не горит фонарь, темно",
    "first_name": "Иван",
    "last_name": "Образцов",
    "phone": PHONE,
    "media_url": "http://127.0.0.1:1/never-fetched.jpg",
}
FIELDS = [
    "service_request_id", "status", "status_notes", "service_name", "service_code", "description",
    "agency_responsible", "service_notice", "requested_datetime", "updated_datetime",
    "expected_datetime", "address", "address_id", "zipcode", "lat", "long", "media_url",
]  # fmt: skip


def lamp(**more):
    return {**LAMP, **more}


def posted(town, **more):
    answer = town.send_form(lamp(**more))
    assert answer.status == 200, answer.body
    return answer.json[0]["service_request_id"]


def codes(answer):
    return [error["code"] for error in answer.json]


def appeals(town):
    return town.rows("SELECT count(*) FROM appeal")[0][0]


def test_anybody_may_ask_where_the_face_is_and_what_services_there_are(town):
    found = town.ask("discovery.json").json
    assert found["endpoints"][0]["url"] == "https://gw.example.org/open311/v2"
    assert found["endpoints"][0]["formats"] == ["text/xml", "application/json"]
    services = town.ask("services.json").json
    assert {s["type"] for s in services} == {"realtime", "batch", "blackbox"}
    tree = etree.fromstring(town.ask("services.xml").body)
    assert tree.tag == "services"
    assert [e.text for e in tree.iter("service_code")] == [s["service_code"] for s in services]
    assert tree.findtext("service/metadata") == "true"


def test_a_service_says_what_it_asks_in_both_formats(town):
    found = town.ask("services/garbage.json").json
    assert [a["order"] for a in found["attributes"]] == [1, 2]
    assert found["attributes"][0]["required"] is True
    assert found["attributes"][0]["values"][1]["key"] == "bulky"
    answer = town.ask("services/garbage.xml")
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    tree = etree.fromstring(answer.body)
    assert (tree.tag, tree.findtext("service_code")) == ("service_definition", "garbage")
    assert tree.findtext("attributes/attribute/values/value[2]/key") == "bulky"


def test_a_request_is_stored_and_its_number_is_told_at_once(town):
    answer = town.send_form(lamp(description="сразу", account_id="citizen-1"))
    [told] = answer.json
    assert told["account_id"] == "citizen-1"
    [(peer, regime)] = town.rows(
        "SELECT peer, regime FROM appeal WHERE receipt_number = $1", told["service_request_id"]
    )
    assert (peer, regime) == ("portal", "message")


def test_the_answer_is_xml_where_xml_was_asked_for(town):
    answer = town.send_form(lamp(description="в xml"), form="xml")
    tree = etree.fromstring(answer.body)
    assert answer.body.startswith(b'<?xml version="1.0" encoding="utf-8"?>')
    assert tree.findtext("request/service_request_id")
    assert tree.find("request/account_id").text is None


def test_the_key_of_a_form_is_stored_nowhere(town):
    number = posted(town, description="ключ")
    rows = town.rows(
        "SELECT m.body, m.wire FROM message m JOIN appeal a ON a.id = m.appeal_id"
        " WHERE a.receipt_number = $1",
        number,
    )
    [(body, wire)] = rows
    assert wire == "open311"
    assert b"api_key" not in body
    assert town.keys["portal"].encode() not in body


def test_a_form_sent_twice_is_one_appeal_in_whatever_order(town):
    before = appeals(town)
    first = town.send_form(lamp(description="дважды"))
    backwards = [*lamp(description="дважды").items()][::-1]
    again = town.send_form(backwards, form="xml")
    assert again.headers["gateway-repeat"] == "true"
    assert first.json[0]["service_request_id"].encode() in again.body
    assert appeals(town) == before + 1


def test_an_app_may_number_its_requests_and_other_words_under_a_number_are_refused(town):
    first = town.send_form(lamp(description="своё"), Idempotency_Key="app-1")
    again = town.send_form(lamp(description="своё"), Idempotency_Key="app-1")
    assert again.json == first.json
    other = town.send_form(lamp(description="другое"), Idempotency_Key="app-1")
    assert other.status == 400
    assert codes(other) == [409]
    assert first.json[0]["service_request_id"] in other.json[0]["description"]
    two = town.send_form(lamp(client_request_id="app-2"), Idempotency_Key="app-3")
    assert two.status == 400


def test_the_example_of_the_page_is_taken(town):
    page = (CHECKOUT / "docs" / "howto" / "open311.md").read_text("utf-8")
    curl = page.split("curl ")[1].split("```")[0]
    pairs = [
        (name.strip("'"), value.strip("'"))
        for name, _, value in (
            part.strip("'").partition("=")
            for part in shlex.split(curl.replace("\\\n", " "))
            if "=" in part
        )
        if name != "api_key"
    ]
    assert ("attribute[DEPTH]", "15") in pairs
    assert town.send_form(pairs).json[0]["service_notice"]


def test_a_request_without_words_says_which_service_was_meant(town):
    form = {"service_code": "snow", "address_string": "Энск, ул. Примерная, 5"}
    [told] = town.send_form(form).json
    [found] = town.ask(f"requests/{told['service_request_id']}.json", peer="portal").json
    assert found["service_name"] == "Не убран снег"


def test_a_long_form_is_taken_too(town):
    fields = {"service_code": "housing-complaint", "attribute[COMPANY]": "ж" * 20_000}
    answer = town.send_form(lamp(**fields))
    assert answer.status == 200, answer.body


def test_the_head_of_an_answer_may_be_asked_for_alone(town):
    whole = town.ask("services.xml")
    head = town.call("HEAD", "/open311/v2/services.xml", peer="")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"]


def test_a_batch_service_gives_a_token_and_the_token_the_number(town):
    form = {
        "service_code": "garbage", "address_string": "Энск, ул. Примерная, 12",
        "attribute[KIND][]": "bulky", "description": "Диван у контейнера",
    }  # fmt: skip
    [told] = town.send_form(form).json
    assert "service_request_id" not in told
    [found] = town.ask(f"tokens/{told['token']}.json", peer="portal").json
    assert found["token"] == told["token"]
    assert town.ask(f"requests/{found['service_request_id']}.json", peer="portal").status == 200
    assert town.ask(f"tokens/{told['token']}.json", peer="other").status == 404
    assert town.ask("tokens/bogus.json", peer="portal").status == 404


def test_a_blackbox_service_never_gives_a_number(town):
    form = lamp(service_code="suggestion", description="Поставьте скамейку")
    [told] = town.send_form(form).json
    assert "service_request_id" not in told
    answer = town.ask(f"tokens/{told['token']}.json", peer="portal")
    assert answer.status == 404
    assert "не выдаёт номеров" in answer.json[0]["description"]


@pytest.mark.parametrize(
    ("change", "status", "found"),
    [
        ({"lat": ""}, 400, [400]),
        ({"lat": "95"}, 400, [400]),
        ({"service_code": "unicorns"}, 404, [404]),
        ({"service_code": ""}, 400, [400]),
        ({"service_code": "unicorns", "long": "x"}, 404, [404, 400]),
        ({"service_code": "garbage"}, 400, [400]),
        ({"description": "я" * 4001}, 400, [400]),
        ({"media_url": "ftp://photos.example.org/1"}, 400, [400]),
    ],
)
def test_a_mistake_is_answered_with_the_codes_of_the_standard(town, change, status, found):
    answer = town.send_form(lamp(**change))
    assert (answer.status, codes(answer)) == (status, found)
    assert all(error["description"] for error in answer.json)
    as_xml = town.send_form(lamp(**change), form="xml")
    tree = etree.fromstring(as_xml.body)
    assert (tree.tag, [int(e.text) for e in tree.iter("code")]) == ("errors", found)


def test_what_was_refused_is_kept_for_the_engineer_without_the_key(town):
    town.send_form(lamp(lat="95", description="хранится"))
    [(body, operation)] = town.rows(
        "SELECT body, operation FROM message WHERE stage = 'undecodable' ORDER BY id DESC LIMIT 1"
    )
    assert operation == "SubmitAppeal"
    assert b"lat=95" in body
    assert b"gw_" not in body


@pytest.mark.parametrize("key", ["", "gw_0123456789_wrong", "nothing like a key"])
def test_without_a_right_key_nothing_is_taken_and_nothing_kept(town, key):
    before = town.rows("SELECT count(*) FROM message")
    pairs = [*LAMP.items(), ("api_key", key)] if key else LAMP
    answer = town.send_form(pairs, peer="")
    assert (answer.status, codes(answer)) == (403, [403])
    assert "api_key" in answer.json[0]["description"]
    assert town.rows("SELECT count(*) FROM message") == before
    assert town.ask("requests/0.json").status == 403


def test_a_key_may_come_in_a_header_or_in_the_query_too(town):
    body = urlencode(lamp(description="заголовок")).encode()
    kind = {"Content_Type": "application/x-www-form-urlencoded"}
    by_header = town.call("POST", "/open311/v2/requests.json", body, **kind)
    path = f"/open311/v2/requests.json?api_key={town.keys['portal']}"
    by_query = town.call("POST", path, body, peer="", **kind)
    assert by_header.json == by_query.json


def test_a_packed_form_is_read_and_one_that_is_too_large_is_not(town):
    pairs = [*lamp(description="сжато").items(), ("api_key", town.keys["portal"])]
    kind = {"Content_Type": "application/x-www-form-urlencoded", "Content_Encoding": "gzip"}
    packed = gzip.compress(urlencode(pairs).encode())
    answer = town.call("POST", "/open311/v2/requests.json", packed, peer="", **kind)
    assert answer.status == 200
    bomb = gzip.compress(b"description=" + b"a" * 5_000_000)
    refused = town.call("POST", "/open311/v2/requests.json", bomb, peer="", **kind)
    assert (refused.status, codes(refused)) == (400, [413])
    wide = town.send_form([("x", "1")] * 5000)
    assert (wide.status, codes(wide)) == (400, [413])


def test_files_are_not_taken_and_the_refusal_says_how_photos_are(town):
    answer = town.send_form(LAMP, Content_Type="multipart/form-data; boundary=x")
    assert answer.status == 400
    assert "media_url" in answer.json[0]["description"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "services", 404),
        ("GET", "services.csv", 404),
        ("GET", "anything.json", 404),
        ("GET", "services/none.json", 404),
        ("GET", "services/%00.json", 404),
        ("GET", "requests/%00%F0%9F%98%80.json", 404),
        ("GET", "tokens/bYQBi.json", 404),
        ("GET", "tokens/%FF.json", 404),
        ("GET", "tokens.json", 400),
        ("PUT", "requests.json", 400),
        ("POST", "services.json", 400),
        ("POST", "requests/1.json", 400),
        ("GET", ".json", 404),
    ],
)
def test_an_address_that_is_none_is_answered_in_the_form_of_the_standard(
    town, method, path, status
):
    answer = town.call(method, f"/open311/v2/{path}")
    assert answer.status == status
    if path.endswith(".json"):
        assert answer.json[0]["code"] in (400, 404, 415)
    else:
        assert etree.fromstring(answer.body).tag == "errors"


def test_a_request_is_read_by_its_number_without_its_author_and_words(town):
    number = posted(town, description="Секретные слова", email="test@example.org")
    town.work()
    answer = town.ask(f"requests/{number}.json", peer="portal")
    [told] = answer.json
    assert list(told) == FIELDS
    assert (told["service_request_id"], told["status"]) == (number, "open")
    assert (told["service_code"], told["service_name"]) == ("street-light", "Не горит фонарь")
    assert (told["lat"], told["long"]) == (56.838011, 60.597465)
    text = answer.body.decode()
    for secret in ("Секретные", "Образцов", "Иван", PHONE, "test@example.org", "never-fetched"):
        assert secret not in text
    assert told["requested_datetime"].endswith("Z")


def test_the_raw_address_and_the_flat_are_not_told(town):
    number = posted(town, lat="", long="", address_string="ул. Примерная, 5, кв. 17, Образцов")
    answer = town.ask(f"requests/{number}.xml", peer="portal")
    assert "Образцов" not in answer.body.decode()
    assert etree.fromstring(answer.body).find("request/address").text is None


def test_status_has_two_words_and_the_notes_have_the_life_cycle_in_russian(town):
    number = posted(town, description="жизнь")
    town.work()
    assert town.report(number, "o-1", "TakenToWork").status == 201
    [told] = town.ask(f"requests/{number}.json", peer="portal").json
    assert told["status"] == "open"
    assert told["status_notes"].startswith("В работе")
    outcome = {"result": "supported", "actionsTaken": True}
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    letter = {"kind": "final", "date": day, "number": "О-1", "text": "Фонарь починен"}
    answer = {"messageKey": "o-2", "key": {"receiptNumber": number}, "outcome": outcome, **letter}
    assert town.post("/answers", answer).status == 201
    town.work()
    [told] = town.ask(f"requests/{number}.json", peer="portal").json
    assert told["status"] == "closed"
    assert told["status_notes"].startswith("Дан ответ, решение: поддержано, меры приняты")
    assert "починен" not in json.dumps(told, ensure_ascii=False)


def test_the_executor_is_named_as_the_directory_names_it(town):
    with town.database() as db:
        db.execute(
            "INSERT INTO organisation (id, full_name) VALUES ('roads', 'МКУ «Дороги Энска»')"
        )
    number = posted(town, description="исполнитель")
    town.work()
    told = {"executor": {"organisation": "roads", "name": "Секретарёва А. А."}}
    assert town.report(number, "o-3", "Assigned", **told).status == 201
    answer = town.ask(f"requests/{number}.json", peer="portal")
    [found] = answer.json
    assert found["agency_responsible"] == "МКУ «Дороги Энска»"
    assert found["status_notes"].startswith("Назначен исполнитель: МКУ")
    assert "Секретарёва" not in answer.body.decode()


def test_a_request_of_another_peer_does_not_exist(town):
    number = posted(town, description="чужое")
    for peer in ("other", "sed"):
        assert town.ask(f"requests/{number}.json", peer=peer).status == 404
    found = town.ask("requests.json", peer="other", service_request_id=number)
    assert found.json == []


def test_several_numbers_are_read_at_once_and_those_that_are_none_left_out(town):
    numbers = [posted(town, description=f"список {n}") for n in range(3)]
    wanted = ",".join([*numbers, "0000000000", "нет такого", numbers[0]])
    found = town.ask("requests.json", peer="portal", service_request_id=wanted).json
    assert [r["service_request_id"] for r in found] == numbers


def test_the_list_is_not_published_unless_the_option_says_so(town):
    answer = town.ask("requests.json", peer="portal")
    assert (answer.status, codes(answer)) == (403, [403])
    assert "по номеру" in answer.json[0]["description"]


@pytest.fixture(scope="module")
def open_town(own_town):
    """A town that publishes its list, in two jurisdictions."""
    return own_town("open", reading=True, read_most=4, jurisdictions=["ensk.example.org", "b"])


def test_a_published_list_goes_by_time_service_and_status(open_town):
    here = {"jurisdiction_id": "ensk.example.org"}
    numbers = [
        open_town.send_form(lamp(description=f"опубликовано {n}", **here)).json[0][
            "service_request_id"
        ]
        for n in range(6)
    ]
    asked = {"peer": "portal", **here}
    found = open_town.ask("requests.json", **asked).json
    assert len(found) == 4  # as many as the option has
    assert {r["service_request_id"] for r in found} <= set(numbers)
    assert all(r["description"] is None for r in found)
    assert open_town.ask("requests.json", status="closed", **asked).json == []
    assert open_town.ask("requests.json", service_code="potholes", **asked).json == []
    some = open_town.ask("requests.json", service_code="potholes,street-light", **asked).json
    assert len(some) == 4
    now = datetime.now(UTC)
    later = {"start_date": f"{now + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"}
    assert open_town.ask("requests.json", **later, **asked).json == []
    earlier = {"end_date": f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"}
    nothing = open_town.ask("requests.xml", **earlier, **asked)
    assert nothing.body.endswith(b"<service_requests/>")
    assert open_town.ask("requests.json", peer="other", **here).json == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 400),
        ({"jurisdiction_id": "c"}, 404),
        ({"jurisdiction_id": "b", "status": "ajar"}, 400),
        ({"jurisdiction_id": "b", "start_date": "yesterday"}, 400),
        ({"jurisdiction_id": "b", "start_date": "2026-01-01T00:00:00Z",
          "end_date": "2026-05-01T00:00:00Z"}, 400),
        ({"jurisdiction_id": "b", "start_date": "2026-05-01T00:00:00Z",
          "end_date": "2026-01-01T00:00:00Z"}, 400),
        ({"jurisdiction_id": "b", "service_request_id": "1,2,3,4,5"}, 400),
        ({"jurisdiction_id": "b", "service_request_id": "\0"}, 200),
        ({"jurisdiction_id": "b", "service_code": "\0"}, 400),
        ({"jurisdiction_id": "b", "service_code": "я" * 300}, 200),
    ],
)  # fmt: skip
def test_a_query_that_is_wrong_is_refused(open_town, query, status):
    assert open_town.ask("requests.json", peer="portal", **query).status == status


def test_a_jurisdiction_has_to_be_told_where_there_are_two(open_town):
    assert open_town.send_form(LAMP).status == 400
    assert open_town.send_form(lamp(jurisdiction_id="c")).status == 404
    assert open_town.ask("services.json").status == 400
    assert open_town.ask("services.json", jurisdiction_id="b").status == 200


def test_words_are_told_only_to_whom_somebody_answers_for_their_being_redacted(own_town):
    made = own_town("redacted")
    with made.database() as db:
        db.execute(
            """UPDATE peer SET options = '{"text_is_redacted": true}' WHERE code = 'portal'"""
        )
    number = posted(made, description="Без имён")
    [told] = made.ask(f"requests/{number}.json", peer="portal").json
    assert told["description"] == "Без имён"
