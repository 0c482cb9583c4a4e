"""Whatever bytes, headers and parameters come: an operation, or an error in our words."""

from __future__ import annotations

import json
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import limits
from gateway.errors import GatewayError, TooLargeError, ValidationError
from gateway.jsontext import STRING, check_values
from gateway.rest import decode, explain
from gateway.rest.routes import ROUTES
from gateway.wires import contract as c
from gateway.wires.places import pointer
from tests.unit.wires.kit import documents

SUBMIT = next(route for route in ROUTES if route.operation is c.SubmitAppeal)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ROUTE = st.sampled_from(ROUTES)
MEDIA = st.sampled_from(
    ["", "application/json", "application/xml", "text/xml; charset=utf-16", "a/b", "x+json"]
)


def call(body=b"", headers=None, path=None, query=""):
    return decode.Call(body=body, headers=headers or {}, path=path or {}, query=query)


@settings(max_examples=200, deadline=None)
@given(
    ROUTE,
    st.binary(max_size=60) | JSON.map(lambda v: json.dumps(v).encode()),
    MEDIA,
    st.text(max_size=9),
)
def test_no_bytes_bring_anything_but_an_operation_or_our_error(route, body, media_type, key):
    headers = {"content-type": media_type, "idempotency-key": key}
    with suppress(GatewayError):
        assert isinstance(decode.request(route, call(body, headers)), route.operation)


@settings(deadline=None)
@given(ROUTE, st.text(max_size=30), st.text(max_size=10))
def test_no_query_and_no_path_bring_anything_but_an_operation_or_our_error(route, query, value):
    path = {
        name: value
        for name in ("externalId", "receiptNumber", "attachmentId", "name")
        if name in route.path
    }
    with suppress(GatewayError):
        decode.request(route, call(b"{}", {}, path, query))


@settings(deadline=None)
@given(documents(c.AppealIn), st.data())
def test_a_spoilt_place_is_the_place_that_is_named(appeal, data):
    """One value of a good document becomes a wrong one; its pointer, or one below it, is named."""
    document = msgspec.to_builtins(appeal)
    places = list(_places(document, ""))
    path, owner, name = data.draw(st.sampled_from(places))
    owner[name] = {"нет": True} if not isinstance(owner[name], dict) else 7
    with pytest.raises(ValidationError) as caught:
        decode.request(SUBMIT, call(json.dumps(document).encode()))
    assert {violation.path for violation in caught.value.violations} == {path}


def _places(node, path):
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for name, value in items:
        here = f"{path}/{name}"
        yield here, node, name
        if isinstance(value, (dict, list)):
            yield from _places(value, here)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (rb'{"externalId": "a", "text": "\u0000"}', "/text"),
        (rb'{"externalId": "a", "text": "\ud800"}', "/text"),
        (rb'{"externalId": "a", "text": "\uDFFF x"}', "/text"),
        (rb'{"externalId": "a", "text": "\b"}', "/text"),
        (rb'{"externalId": "a", "text": "\uFFFE"}', "/text"),
        ('{"externalId": "a", "text": "\uffff"}'.encode(), "/text"),
        (rb'{"externalId": "a", "extra": [{"name": "n", "value": "\f"}]}', "/extra/0/value"),
        (rb'{"externalId": "a", "\u0000": 1}', "/\ufffd"),
    ],
)
def test_a_character_that_no_text_may_hold_is_pointed_at(body, path):
    with pytest.raises(ValidationError) as caught:
        decode.request(SUBMIT, call(body))
    assert [(v.path, v.code) for v in caught.value.violations] == [(path, "character")]


@pytest.mark.parametrize("text", ["\U0001f3e0", "a\\u0000b", "tab\tline\nreturn\r", "\x7f\x85"])
def test_what_only_looks_like_one_is_taken(text):
    for ascii_only in (True, False):
        body = json.dumps({"externalId": "a", "text": text}, ensure_ascii=ascii_only).encode()
        assert decode.request(SUBMIT, call(body)).appeal.text == text


def test_all_mistakes_are_told_up_to_twenty():
    document = {"externalId": "a", "questions": [{"x": 1}] * 30}
    with pytest.raises(ValidationError) as caught:
        decode.request(SUBMIT, call(json.dumps(document).encode()))
    assert len(caught.value.violations) == 20
    assert caught.value.violations[19].path == "/questions/19/x"


def test_names_with_slashes_are_escaped_in_pointers():
    assert explain.step("a/b~c") == "/a~1b~0c"


def test_places_of_the_mapping_become_pointers():
    assert pointer("Questions/QuestionIn[3]/Text") == "/questions/2/text"
    assert pointer("Attachments/AttachmentIn[1]") == "/attachments/0"
    assert pointer("/already/1") == "/already/1"
    assert pointer("line 3, column 5") == "line 3, column 5"


@pytest.mark.parametrize(
    ("accept", "content_type", "form"),
    [
        ("", "", "json"),
        ("", "text/xml", "xml"),
        ("*/*", "application/xml; charset=utf-8", "xml"),
        ("application/json", "application/xml", "json"),
        ("application/xml", "application/json", "xml"),
        ("application/json;q=0.1, text/xml;q=0.2", "", "xml"),
        ("text/html, application/problem+json", "", "json"),
        ("application/xml;q=0", "", "json"),
    ],
)
def test_the_form_of_the_answer_is_what_is_preferred(accept, content_type, form):
    assert decode.media_of({"accept": accept, "content-type": content_type}) == form


@pytest.mark.parametrize(
    "body",
    [
        b'{"externalId":"' + b'\\"' * 5_900_000 + b"," * 50_001,  # a string that never ends
        b'"' + b"a," * 5_900_000 + b'"',  # commas within a string are no values
        b'"' * 11_000_000 + b"," * 50_001,
        b'""' * 5_900_000 + b"[" * 50_001,
    ],
    ids=["endless", "commas", "quotes", "strings"],
)
def test_counting_the_values_of_a_large_body_ends_whatever_stands_in_it(body):
    check_values(body)
    with pytest.raises(GatewayError):
        decode.request(SUBMIT, decode.Call(body, {}, {}, ""))


@pytest.mark.parametrize("body", [b"[" + b"0," * 50_001, b'{"a":"b,",' * 50_001, b"[" * 50_001])
def test_more_values_than_the_limit_are_refused_before_they_are_made(body):
    with pytest.raises(TooLargeError):
        check_values(body)


@given(st.lists(JSON, max_size=20))
def test_values_are_counted_outside_of_strings_alone(values):
    body = json.dumps(values).encode()
    strings = STRING.findall(body)
    assert all(json.loads(string) is not None for string in strings)


@pytest.mark.parametrize("headers", [{}, {"idempotency-key": "k"}])
@pytest.mark.parametrize("name", ["revision", "unknown", "applicants", "text"])
def test_a_number_of_more_digits_than_python_reads_is_refused(name, headers):
    body = b'{"externalId":"k","%s":%s}' % (name.encode(), b"9" * 5000)
    with pytest.raises(GatewayError):
        decode.request(SUBMIT, call(body, headers))


def test_a_list_is_explained_up_to_its_longest_and_to_twenty_findings():
    most = limits.APPLICANTS_PER_APPEAL
    people = [{}] * most + [{"unknown": 1}] * 19_000
    body = json.dumps({"externalId": "x", "text": "x", "applicants": people, "z": 1}).encode()
    with pytest.raises(ValidationError) as caught:
        decode.request(SUBMIT, call(body))
    found = [(one.path, one.code) for one in caught.value.violations]
    assert ("/applicants", "max_items") in found
    assert ("/z", "unexpected") in found, "what is past the list's end does not hide the rest"
    assert not [path for path, _ in found if path.startswith(f"/applicants/{most}")]
    wrong = json.dumps({"externalId": "x", "text": ["\0"] * 1000}).encode()
    with pytest.raises(ValidationError) as caught:
        decode.request(SUBMIT, call(wrong))
    assert len(caught.value.violations) == limits.VIOLATIONS_REPORTED


@pytest.mark.parametrize("query", ["state=null", "maxBytes=null", "maxBytes=NULL"])
def test_null_in_a_query_is_no_value(query):
    name = query.partition("=")[0]
    route = next(route for route in ROUTES if name in route.query)
    with pytest.raises(ValidationError) as caught:
        decode.request(route, call(query=query))
    assert [one.path for one in caught.value.violations] == [f"?{name}"]
