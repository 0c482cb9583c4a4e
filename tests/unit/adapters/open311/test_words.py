"""Tokens, windows, errors and documents: small parts that a whole call does not reach."""

from datetime import UTC, datetime, timedelta

import pytest

from adapters.open311 import tokens, writing
from adapters.open311.call import with_field, without_key
from adapters.open311.codes import STATES, status_of
from adapters.open311.refusals import refusal
from adapters.open311.window import window
from gateway.errors import (
    AccessError,
    BusyError,
    ConflictError,
    InternalError,
    TooLargeError,
    ValidationError,
    Violation,
    codes,
)
from gateway.model.events import State

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("kind", ["batch", "blackbox"])
@pytest.mark.parametrize("key", ["a", "заявка/117", "form-" + "0" * 40 + "-20260401", "x" * 200])
def test_a_token_holds_its_key(kind, key):
    token = tokens.token_of(kind, key)
    assert tokens.key_in(token) == (kind, key)
    assert set(token) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


@pytest.mark.parametrize(
    "token",
    ["", "b", "q", "bYQ==", "b!!", "bя", "b/w", "zYQ", tokens.token_of("batch", "a\0b"),
     tokens.token_of("batch", "x" * 201)],
)  # fmt: skip
def test_what_is_no_token_holds_nothing(token):
    assert tokens.key_in(token) == ("", "")


def test_a_list_is_of_the_last_days_unless_it_says_otherwise(codec):
    found = window({}, NOW, codec.options)
    assert (found.start, found.end) == (NOW - timedelta(days=90), NOW)
    one = window({"start_date": "2026-03-01T00:00:00 03:00"}, NOW, codec.options)
    assert one.start.isoformat() == "2026-03-01T00:00:00+03:00"
    assert one.end - one.start == timedelta(days=90)


def test_every_state_has_a_word_for_citizens_and_one_of_the_standard():
    assert STATES.keys() == set(State)
    assert {s: status_of([s]) for s in State if not s.is_open} == dict.fromkeys(
        ("answered", "transferred", "declined", "closed"), "closed"
    )
    assert status_of(["answered", "in_work"]) == "open"
    assert status_of(["a word of tomorrow"]) == status_of([]) == "open"


@pytest.mark.parametrize("code", sorted(codes()))
def test_every_error_of_the_house_is_told_by_the_codes_of_the_standard(code):
    kind = codes()[code]
    status, told = refusal(kind("so it is"), "correlation-1")
    assert status in {400, 403, 404, 500, 503}
    assert told
    assert all(error["code"] and error["description"] for error in told)


def test_a_refusal_says_what_can_be_mended_and_nothing_of_our_inside():
    two = (Violation("lat", "range", "не градусы"), Violation("service_code", "unknown", "нет"))
    status, told = refusal(ValidationError("wrong", two), "c")
    assert (status, [e["code"] for e in told]) == (404, [400, 404])
    assert told[0]["description"] == "lat: не градусы"
    assert refusal(TooLargeError("the form", expected="1"), "c")[0] == 400
    assert "R-1" in refusal(ConflictError("taken", receipt_number="R-1"), "c")[1][0]["description"]
    assert refusal(BusyError("later"), "c")[0] == 503
    assert "api_key" in refusal(AccessError("no", challenge=True), "c")[1][0]["description"]
    [inside] = refusal(InternalError("table appeal is broken"), "c-17")[1]
    assert "table" not in inside["description"]
    assert "c-17" in inside["description"]


@pytest.mark.parametrize(
    ("body", "left", "key"),
    [
        (b"api_key=gw_1&lat=1", b"lat=1", "gw_1"),
        (b"lat=1&api%5Fkey=gw%5F1&x=2", b"lat=1&x=2", "gw_1"),
        (b"api_key=a&api_key=b", b"", "a"),
        (b"api_key", b"", ""),
        (b"my_api_key=1&description=api_key%3Dx", b"my_api_key=1&description=api_key%3Dx", ""),
    ],
)
def test_a_key_is_taken_out_however_it_is_spelt(body, left, key):
    assert without_key(body) == (left, key)


def test_a_field_is_added_whatever_is_in_it():
    assert with_field(b"a=1", "id", "я&b=2") == b"a=1&id=%D1%8F%26b%3D2"
    assert with_field(b"", "id", "1") == b"id=1"


def test_a_tree_is_written_alike_in_both_formats():
    tree = {"a": None, "b": True, "c": 1.5, "values": [{"key": "<&>", "name": "\x00ё"}], "e": ""}
    assert writing.write("x", tree, "xml").decode() == (
        '<?xml version="1.0" encoding="utf-8"?>\n<x><a/><b>true</b><c>1.5</c>'
        "<values><value><key>&lt;&amp;&gt;</key><name>\ufffdё</name></value></values><e/></x>"
    )
    assert writing.write("x", [], "json") == b"[]"
    assert writing.write("errors", [], "xml").endswith(b"<errors/>")
