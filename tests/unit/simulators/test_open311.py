"""The made-up app: what it complains of, and that the face's own documents give it no reason to."""

import json
import tomllib
from pathlib import Path

import pytest

import adapters.open311
from adapters.open311 import catalogue, writing
from adapters.open311.adapter import Open311
from simulators.open311 import documents, rules
from simulators.open311.requests import make

MANIFEST = Path(adapters.open311.__file__).parent / "manifest.toml"
CODEC = Open311(tomllib.loads(MANIFEST.read_text("utf-8"))["options"])
MEDIA = {"json": "application/json; charset=utf-8", "xml": "text/xml; charset=utf-8"}


def read(root, tree, form):
    return documents.read(writing.write(root, tree, form), form)


@pytest.mark.parametrize("form", ["json", "xml"])
def test_the_catalogue_of_the_face_gives_no_reason_to_complain(form):
    listed = read("services", catalogue.listed(CODEC.services), form)
    assert len(listed) == len(CODEC.services)
    for service in listed:
        assert rules.of_service(service) == []
        code = service["service_code"]
        tree = catalogue.definition(CODEC.services, code)
        told = read("service_definition", tree, form)
        assert rules.of_definition(told["attributes"] or []) == []


def test_the_same_seed_makes_the_same_requests_and_the_codec_takes_them():
    from urllib.parse import urlencode

    from gateway.adapter import Wire

    services = catalogue.listed(CODEC.services)
    asked = {
        s["service_code"]: catalogue.definition(CODEC.services, s["service_code"])["attributes"]
        for s in services
    }
    made = make(40, 7, services, asked)
    assert made == make(40, 7, services, asked)
    assert len({one.key for one in made}) == 40
    for one in made:
        body = urlencode(one.fields).encode()
        form = Wire(media_type="application/x-www-form-urlencoded", body=body)
        [item] = CODEC.decode(form).items
        assert 1 <= len(item.appeal.attachments) <= 3


@pytest.mark.parametrize(
    ("told", "kind", "wrong"),
    [
        ([{"service_request_id": "1"}], "realtime", 0),
        ([{"token": "1"}], "batch", 0),
        ([{"token": "1"}], "realtime", 1),
        ([{"token": "1", "service_request_id": "1"}], "batch", 1),
        ([], "realtime", 1),
        ({"service_request_id": "1"}, "realtime", 1),
    ],
)
def test_it_wants_a_number_or_a_token_as_the_service_says(told, kind, wrong):
    assert len(rules.of_receipt(told, kind)) == wrong


def test_it_wants_errors_with_a_code_and_words_in_the_form_it_asked_for():
    errors = [{"code": 404, "description": "нет"}]
    for form in ("json", "xml"):
        assert rules.of_answer(form, 404, MEDIA[form], read("errors", errors, form)) == []
    assert rules.of_answer("json", 404, MEDIA["xml"], errors)
    assert rules.of_answer("json", 418, MEDIA["json"], errors)
    assert rules.of_answer("json", 400, MEDIA["json"], [])
    assert rules.of_answer("json", 400, MEDIA["json"], [{"code": 400}])


def test_it_complains_of_a_name_that_comes_back_and_of_a_time_without_offset():
    good = {"status": "open", "requested_datetime": "2026-03-01T10:00:00Z",
            "updated_datetime": "2026-03-01T10:00:00+03:00"}  # fmt: skip
    assert rules.of_request(good, ["Образцов"]) == []
    assert rules.of_request({**good, "address": "у Образцов"}, ["Образцов"])
    assert rules.of_request({**good, "updated_datetime": "2026-03-01T10:00:00"}, [])
    assert rules.of_request({**good, "status": "closed"}, [])
    assert rules.of_request({**good, "status": "ajar"}, [])


def test_what_it_reads_may_be_of_another_implementation():
    assert documents.read(json.dumps([{"a": 1}]).encode(), "json") == [{"a": 1}]
    with pytest.raises(ValueError, match="Start tag expected"):
        documents.read(b"not xml", "xml")
