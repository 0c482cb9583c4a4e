"""Whatever comes in, only errors of the house come out; what was read is stored and goes back."""

import json
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.incident.adapter import Incident
from adapters.incident.codes import tables
from gateway import registry
from gateway.adapter import Answering, Channel, Codec, Landed, Source, Verdict, Wire
from gateway.deadlines.terms import read_terms
from gateway.errors import (
    BusyError,
    ConfigurationError,
    ConflictError,
    GatewayError,
    InternalError,
    ValidationError,
)
from gateway.model.digest import content_sha256
from gateway.model.intake import check_intake
from gateway.testing.leaves import leaves
from simulators.incident import rules

ADAPTER = Incident({})
NOW = datetime(2027, 1, 1, tzinfo=UTC)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
stamps = st.sampled_from(
    ["2026-03-02T08:15:00+03:00", "2026-03-02T05:15:00Z", "2026-03-02T05:15:00.5+00:00",
     "2026-03-02T05:15:00", "0001-01-01T00:00:00Z", "x"]
)  # fmt: skip
short = st.text(max_size=9)
photos = st.lists(
    st.fixed_dictionaries(
        {},
        optional={"name": short, "mediaType": short, "url": short, "own": values,
                  "content": st.sampled_from(["QUJD", "", "x"]) | st.none()},
    ),
    max_size=3,
)  # fmt: skip
messages = st.fixed_dictionaries(
    {"id": st.text(min_size=1, max_size=9), "version": st.integers(1, 9), "network": st.just("vk"),
     "published_at": stamps, "text": st.text(min_size=1, max_size=20)},
    optional={
        "page": st.fixed_dictionaries({}, optional={"url": short, "name": short | values,
            "subscribers": st.integers(-1, 200_000), "own": values}) | values,
        "author": st.fixed_dictionaries({}, optional={"handle": short, "name": short, "url": short,
            "own": values}) | values,
        "post_url": short, "comment_id": short | values, "links": values,
        "photos": photos | values, "topics": st.lists(st.sampled_from(["snow", "fire", "x", ""])),
        "tags": st.lists(short, max_size=3) | values, "own": values,
        "location": st.fixed_dictionaries({}, optional={"address": short, "lat": values,
            "lon": st.integers(-200, 200) | st.floats(-200, 200), "own": values}) | values,
    },
)  # fmt: skip


def read(body, media="application/json"):
    try:
        decoded = ADAPTER.decode(Wire(media_type=media, body=body))
    except GatewayError:
        return None
    for item in decoded.items:
        msgspec.json.encode(item.appeal)
        check_intake(item.appeal, NOW)
        content_sha256(item.appeal)
    return decoded


@settings(deadline=None)
@given(st.binary() | st.text().map(str.encode), st.sampled_from(["", "application/x-ndjson"]))
def test_any_bytes(body, media):
    read(body, media)


@settings(deadline=None)
@given(values)
def test_any_json(value):
    read(json.dumps(value).encode())


@settings(max_examples=400, deadline=None)
@given(messages)
def test_every_message_that_is_taken_comes_back_leaf_by_leaf(value):
    body = json.dumps(value).encode()
    decoded = read(body)
    if decoded is None:
        return
    (item,) = decoded.items
    assert leaves(ADAPTER.restore(item).body, "json") == leaves(body, "json")


@settings(deadline=None)
@given(st.lists(messages | values, max_size=4))
def test_lines_harm_each_other_in_nothing(listed):
    lines = [json.dumps(value).encode() for value in listed]
    whole = read(b"\n".join(lines), "application/x-ndjson")
    alone = [read(line) for line in lines]
    if whole is None:
        assert not any(alone)
        return
    assert [i.external_id for i in whole.items] == [d.items[0].external_id for d in alone if d]
    assert [int(r.where) for r in whole.rejected] == [
        number for number, found in enumerate(alone, 1) if found is None
    ]


@pytest.mark.parametrize(
    ("topics", "subscribers", "value"),
    [
        (["snow"], 5, "normal"), (["snow"], 100_000, "normal"), (["snow"], 100_001, "important"),
        (["fire"], 5, "emergency"), (["fire"], 200_000, "emergency"),
        (["school"], None, "important"),
        ([], None, "normal"), (["fire", "school"], None, "emergency"),
    ],
)  # fmt: skip
def test_how_urgent_a_message_is_follows_from_the_table(topics, subscribers, value):
    assert tables().urgency(subscribers, topics).value == value


def test_urgencies_are_the_marks_that_the_terms_of_the_house_look_at():
    marks = {
        mark
        for term in read_terms()
        if term.id.startswith("incident-")
        for mark in (*term.when, *term.unless)
    }
    assert marks == {"emergency", "important"}


def test_both_sides_know_the_same_topics_that_need_photographs():
    assert tables().evidence == rules.EVIDENCE


def landed(error=None, key="a", where=""):
    return Landed(where=where, operation="submit", key=key, receipt_number="R-1", error=error)


@pytest.mark.parametrize(
    ("errors", "status"),
    [
        ([None], 200), ([ConflictError("x")], 422), ([None, ConflictError("x")], 207),
        ([None, BusyError("x")], 503), ([InternalError("secret")], 500),
    ],
)  # fmt: skip
def test_a_push_is_answered_by_what_became_of_it(errors, status):
    items = tuple(landed(error, where=str(n)) for n, error in enumerate(errors, 1))
    reply = ADAPTER.reply(Verdict(token="", items=items, now=NOW, correlation="c"))
    told = json.loads(reply.body)
    assert reply.status == status
    assert [result["accepted"] for result in told["results"]] == [e is None for e in errors]


def test_the_manifest_and_the_code_agree():
    loaded = registry.load(["incident"])["incident"]
    made = loaded.make(loaded.manifest.options)
    assert all(isinstance(made, kind) for kind in (Codec, Channel, Source, Answering))


@pytest.mark.parametrize(
    "table",
    [{"page": 0}, {"page": True}, {"tags": "one"}, {"citizen_before": 1}, {"tables": "/no.toml"}],
)
def test_an_option_that_cannot_work_is_named(table):
    with pytest.raises(ConfigurationError) as caught:
        Incident(table)
    assert caught.value.where.startswith("options.")


def test_without_an_address_pushes_still_work_and_sending_is_refused():
    with pytest.raises(ConfigurationError):
        ADAPTER.deliver(None, "")
    assert not ADAPTER.probe().ok


def test_a_refused_push_is_answered_with_the_id_that_it_gave():
    with pytest.raises(ValidationError) as caught:
        ADAPTER.decode(Wire(media_type="application/json", body=b'{"id": "vk-7", "text": "?"}'))
    items = (Landed(error=caught.value),)
    reply = ADAPTER.reply(Verdict(token="", items=items, now=NOW, correlation="c"))
    (result,) = json.loads(reply.body)["results"]
    assert (result["id"], result["accepted"]) == ("vk-7", False)
