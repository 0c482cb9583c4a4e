"""Whatever comes in, only errors of the house come out; what was read comes back and is stored."""

import json
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.pos.adapter import Pos
from adapters.pos.codes import EVENTS
from gateway.adapter import Wire
from gateway.errors import GatewayError
from gateway.model.digest import content_sha256
from gateway.testing.leaves import leaves

CODEC = Pos({})
CONTRACT = Path(__file__).parents[3] / "contract" / "pos"
text = st.text("abЖя 09/~№.:", max_size=8)
word = st.text("abЖя09/№", min_size=1, max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 10**6) | st.floats(-1e6, 1e6) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
days = st.sampled_from(["2026-03-01", "2026-03-01", "2024-02-29", ""])
instants = st.sampled_from(
    ["2026-03-01T10:00:00+03:00", "2026-03-01T10:00:00Z", "20260301T100000.5+0300"]
)
coded = st.fixed_dictionaries(
    {"code": word, "id": word}, optional={"name": text, "own": values, "due": days}
)
contacts = st.lists(
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["phone", "epgu", "fax"]) | values},
        optional={"value": text, "reply": st.booleans(), "verified": st.booleans(), "own": values},
    ),
    max_size=3,
)
applicants = st.fixed_dictionaries(
    {},
    optional={
        "lastName": text, "anonymous": st.booleans(), "contacts": contacts | values,
        "esia": st.fixed_dictionaries({}, optional={"oid": text, "level": text, "own": values}),
        "consent": st.dictionaries(st.sampled_from(["processing", "other"]), st.booleans()),
        "organisation": coded, "own": values, "birthDate": days,
    },
)  # fmt: skip
places = st.fixed_dictionaries(
    {},
    optional={
        "lat": st.floats(-90, 90) | st.integers(-90, 90), "address": text, "x": values,
        "oktmo": text,
    },
)  # fmt: skip
links = st.fixed_dictionaries(
    {"name": word, "url": word},
    optional={"own": values, "photo": st.booleans(), "sha256": st.just("a" * 64)},
)
items = st.fixed_dictionaries(
    {
        "id": word, "version": st.integers(1, 3), "fz59": st.just(True) | st.booleans(),
        "submittedAt": instants, "text": word, "poll": st.just({"x": 1}),
    },
    optional={
        "kind": st.sampled_from(["item", "poll"]), "stage": text, "fact": coded,
        "category": coded, "fastTrack": coded, "applicant": applicants, "place": places,
        "attachments": st.lists(links, max_size=2),
        "rating": st.fixed_dictionaries(
            {}, optional={"score": st.integers(0, 9), "scale": st.integers(1, 9), "own": values}
        ),
        "rework": st.fixed_dictionaries({"of": word}, optional={"reason": text, "x": values}),
        "test": st.booleans(), "sentAt": instants, "own": values, "a/b": values,
    },
)  # fmt: skip
details = {
    "reason": coded,
    "executor": st.fixed_dictionaries(
        {"organisation": coded}, optional={"due": days, "officer": text, "x": values}
    ),
    "postponed": st.fixed_dictionaries(
        {"ground": word, "due": st.just("2026-05-01")}, optional={"x": values}
    ),
    "redirect": st.fixed_dictionaries({"organisation": coded, "number": word}),
    "rating": st.fixed_dictionaries({"score": st.integers(0, 5)}, optional={"own": values}),
    "decision": st.sampled_from(["solved", "declined"]),
    "answer": st.fixed_dictionaries({"text": word}, optional={"own": values, "number": text}),
    "stage": word,
}
events = st.fixed_dictionaries(
    {
        "kind": st.just("event"), "id": word, "eventId": word, "at": instants,
        "event": st.sampled_from(sorted(EVENTS)) | word, **details,
    },
    optional={"fz59": st.booleans(), "text": text, "due": days, "own": values},
)  # fmt: skip


def taken(body, media_type="application/json"):
    try:
        return CODEC.decode(Wire(media_type=media_type, body=body))
    except GatewayError:
        return None


@settings(max_examples=250, deadline=None)
@given(items | events)
def test_what_was_read_comes_back_whole(document):
    body = json.dumps(document, ensure_ascii=False).encode()
    decoded = taken(body)
    if decoded is None:
        return
    (item,) = decoded.items
    assert leaves(CODEC.restore(item).body, "json") == leaves(body, "json")
    msgspec.json.encode(item.report or item.appeal)
    if item.appeal:
        assert content_sha256(item.appeal)


@settings(max_examples=150, deadline=None)
@given(values)
def test_any_json_is_refused_in_order(value):
    taken(json.dumps(value).encode())
    taken(json.dumps({"kind": value, "id": value, "event": value, "applicant": value}).encode())


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["application/json", "application/x-ndjson", ""]))
def test_any_bytes_are_refused_in_order(body, media_type):
    taken(body, media_type)


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=40), st.lists(text, max_size=4), st.text(max_size=60),
    st.sampled_from(["utf-8", "koi8-r", "utf-16", "punycode", "zlib_codec", "x"]),
    st.binary(max_size=60),
)  # fmt: skip
def test_any_letter_is_refused_in_order_or_comes_back(subject, labels, body, charset, noise):
    head = f"Subject: {subject}\nContent-Type: text/plain; charset={charset}\n\n"
    lines = "".join(f"{label}: значение\n" for label in labels)
    raw = (head + lines + "\n" + body).encode("utf-8", "surrogatepass") + noise
    decoded = taken(raw, "message/rfc822")
    if decoded is None:
        return
    (item,) = decoded.items
    assert content_sha256(item.appeal)
    again = CODEC.restore(item)
    before = CODEC.leaves(Wire(media_type="message/rfc822", body=raw))
    after = CODEC.leaves(again)
    kept = {k: v for k, v in before.items() if k != "/Subject"}
    assert {k: after.get(k) for k in kept} == kept


LETTERS = [path.read_bytes() for path in sorted(CONTRACT.glob("e*/wire.eml"))]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_letter_that_was_damaged_is_refused_in_order_or_read(data):
    raw = bytearray(data.draw(st.sampled_from(LETTERS)))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, min(len(raw), 1500) - 1))
        piece = data.draw(st.binary(min_size=1, max_size=4) | st.sampled_from([b"\n", b"=?", b'"']))
        raw[at : at + data.draw(st.integers(0, 6))] = piece
    decoded = taken(bytes(raw), "message/rfc822")
    if decoded is not None:
        assert content_sha256(decoded.items[0].appeal)
        CODEC.decode(CODEC.restore(decoded.items[0]))
