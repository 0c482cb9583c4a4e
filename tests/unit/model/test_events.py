"""The stored form of events and the chain over it: bytes that must never change."""

from __future__ import annotations

import datetime as dt
from hashlib import sha256
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import MalformedError
from gateway.model import facts as f
from gateway.model.events import (
    PAYLOADS,
    Actor,
    AppealKey,
    Event,
    EventType,
    PeerReport,
    State,
    StoredEvent,
    canonical_body,
    event_hash,
    first_prev,
    parse_moment,
    verify_chain,
)
from gateway.model.upcast import Upcasters, load

APPEAL = UUID("01900000-0000-7000-8000-000000000001")
MOSCOW = dt.timezone(dt.timedelta(hours=3))
AT = dt.datetime(2026, 6, 1, 12, 0, 5, tzinfo=MOSCOW)


def event(**more) -> Event:
    values = {
        "appeal_id": APPEAL,
        "seq": 1,
        "type": EventType.RECEIVED,
        "occurred_at": dt.date(2026, 6, 1),
        "recorded_at": AT,
        "actor": Actor(kind="peer", id="portal"),
        "payload": f.ReceivedFacts(regime="fz59", peer="portal", external_id="П-1"),
    }
    return Event(**(values | more))


def test_the_body_is_sorted_json_with_the_day_kept_a_day():
    body = canonical_body(event(cause=UUID(int=1), content="ab" * 32))
    assert body.decode() == (
        '{"actor":{"id":"portal","kind":"peer"},'
        '"cause":"00000000-0000-0000-0000-000000000001",'
        f'"content":"{"ab" * 32}",'
        '"occurred_at":"2026-06-01",'
        '"payload":{"external_id":"П-1","peer":"portal","regime":"fz59"},'
        '"recorded_at":"2026-06-01T12:00:05+03:00","v":1}'
    )


def test_the_body_does_not_depend_on_how_a_string_was_made():
    built = "FZ59".lower()
    one = event(payload=f.ReceivedFacts(regime=built, peer="PORTAL".lower()))
    two = event(payload=f.ReceivedFacts(regime="fz59", peer="portal"))
    assert canonical_body(one) == canonical_body(two)


def test_no_payload_field_has_a_default_that_identity_could_hide():
    # msgspec leaves a default out by identity: only these are one object everywhere.
    for shape in {*PAYLOADS.values()}:
        for field in msgspec.structs.fields(shape):
            default = field.default
            assert default in (msgspec.NODEFAULT, "", None, (), False, 0, 1), (shape, field.name)


def test_the_hash_has_the_documented_layout():
    prev = first_prev(APPEAL)
    assert prev == sha256(b"gateway/event/1" + APPEAL.bytes).digest()
    expected = sha256(prev + b"\0\0\0\0\0\0\0\x05" + b"\x08" + b"Received" + b"{}").digest()
    assert event_hash(prev, 5, "Received", b"{}") == expected
    unknown = sha256(prev + b"\0\0\0\0\0\0\0\x01" + b"\x05" + b"Other" + b"{}").digest()
    assert event_hash(prev, 1, "Other", b"{}") == unknown


def test_the_bytes_of_a_released_event_never_change():
    body = canonical_body(event())
    digest = event_hash(first_prev(APPEAL), 1, "Received", body).hex()
    assert digest == ("f82ac0a360a082ebc4a6e054a19180462ccc6eb93736ca8271f86714ebcdbf91")


def chain(count=3) -> list[StoredEvent]:
    rows, prev = [], first_prev(APPEAL)
    for seq in range(1, count + 1):
        body = canonical_body(event(seq=seq, key=str(seq)))
        digest = event_hash(prev, seq, "Received", body)
        rows.append(StoredEvent(seq, "Received", body, prev, digest))
        prev = digest
    return rows


def test_a_sound_chain_gives_its_head():
    rows = chain()
    assert verify_chain(APPEAL, rows) == (3, rows[-1].hash)
    assert verify_chain(APPEAL, []) == (0, first_prev(APPEAL))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda r: [r[0], r[1]._replace(body=r[1].body + b" "), r[2]], "event 2 was changed"),
        (lambda r: [r[0], r[1]._replace(type="Filed"), r[2]], "event 2 was changed"),
        (lambda r: [r[0], r[1]._replace(hash=b"\0" * 32), r[2]], "event 2 was changed"),
        (lambda r: [r[0], r[1]._replace(prev=b"\0" * 32), r[2]], "event 2 does not follow"),
        (lambda r: [r[0], r[2]], "event 2 is missing"),
        (lambda r: r[1:], "event 1 is missing"),
        (lambda r: [r[0], r[0], *r[1:]], "event 2 is missing"),
    ],
)
def test_a_broken_chain_names_the_first_broken_event(change, words):
    assert words in verify_chain(APPEAL, change(chain()))


def test_a_chain_cannot_stand_under_another_appeal():
    assert "event 1 does not follow" in verify_chain(UUID(int=2), chain())


def test_a_rewritten_event_breaks_the_ones_after_it():
    rows = chain()
    body = rows[1].body.replace(b"portal", b"p0rtal")
    forged = rows[1]._replace(body=body, hash=event_hash(rows[1].prev, 2, "Received", body))
    assert "event 3 does not follow" in verify_chain(APPEAL, [rows[0], forged, rows[2]])


moments = st.one_of(
    st.dates(dt.date(2000, 1, 1), dt.date(2100, 1, 1)),
    st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2100, 1, 1), timezones=st.just(MOSCOW)),  # noqa: DTZ001
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.sampled_from(EventType), moments, texts, st.booleans(), st.none() | st.integers(1, 100))
@settings(deadline=None)
def test_every_type_comes_back_as_it_was_stored(kind, at, text, flag, question):
    shape = PAYLOADS[kind]
    required = {
        field.name: {"ordinal": 2, "revision": 3}.get(field.name, "duty")
        for field in msgspec.structs.fields(shape)
        if field.default is msgspec.NODEFAULT
    }
    sent = event(
        type=kind,
        occurred_at=at,
        reported_at=AT,
        key=text,
        inferred=flag,
        late=not flag,
        question=question,
        payload=shape(**required),
    )
    body = canonical_body(sent)
    assert load(APPEAL, 1, kind.value, body) == sent
    assert canonical_body(load(APPEAL, 1, kind.value, body)) == body


@pytest.mark.parametrize(
    ("type_", "body", "words"),
    [
        ("Nothing", b"{}", "Nothing"),
        ("Received", b"{", "truncated"),
        ("Received", b"[]", "not an object"),
        ("Received", b"{}", "version"),
        ("Received", b'{"v":2}', "version"),
        ("Received", b'{"v":0}', "version"),
        ("Received", b'{"v":"1"}', "version"),
        ("Received", b'{"v":1}', "does not fit"),
    ],
)
def test_what_cannot_be_read_is_malformed(type_, body, words):
    with pytest.raises(MalformedError, match=words):
        load(APPEAL, 1, type_, body)


@pytest.mark.parametrize("moment", ["2026-06-01T10:00:00", "2026-13-01", "yesterday", "2026-6-1"])
def test_a_moment_without_offset_or_day_is_refused(moment):
    body = canonical_body(event()).replace(b"2026-06-01", moment.encode(), 1)
    with pytest.raises(MalformedError):
        load(APPEAL, 1, "Received", body)


def test_an_instant_keeps_its_offset():
    assert parse_moment("2026-06-01T10:00:00+12:00").utcoffset() == dt.timedelta(hours=12)
    assert parse_moment("2026-06-01T10:00:00Z").utcoffset() == dt.timedelta()


# upcasters: Declined was once written with the article and part in one word


def declined_v1() -> bytes:
    body = msgspec.json.decode(
        canonical_body(
            event(type=EventType.DECLINED, payload=f.DeclineFacts(article="11", part="4.1"))
        )
    )
    body["payload"] = {"ground": "11-4.1"}
    return msgspec.json.encode(body, order="sorted")


def upcasters() -> Upcasters:
    made = Upcasters()

    @made.register(EventType.DECLINED, 1)
    def part_apart(body):
        article, _, part = body["payload"]["ground"].partition("-")
        return body | {"payload": {"article": article, "part": part}}

    return made


def test_an_old_event_is_read_as_a_new_one_and_its_bytes_stay():
    old = declined_v1()
    read = load(APPEAL, 1, "Declined", old, upcasters())
    assert read.payload == f.DeclineFacts(article="11", part="4.1")
    assert read.v == 2
    assert event_hash(first_prev(APPEAL), 1, "Declined", old) != event_hash(
        first_prev(APPEAL), 1, "Declined", canonical_body(read)
    )


def test_steps_are_taken_in_turn_and_only_those_that_are_missing():
    made = upcasters()

    @made.register(EventType.DECLINED, 2)
    def told(body):
        return body | {"payload": body["payload"] | {"notice": True}}

    assert made.newest(EventType.DECLINED) == 3
    assert made.newest(EventType.FILED) == 1
    assert load(APPEAL, 1, "Declined", declined_v1(), made).payload == f.DeclineFacts(
        article="11", part="4.1", notice=True
    )
    newest = canonical_body(
        event(type=EventType.DECLINED, v=3, payload=f.DeclineFacts(article="11", part="1"))
    )
    assert not load(APPEAL, 1, "Declined", newest, made).payload.notice


def test_a_chain_of_steps_has_no_holes():
    for v in (1, 3):
        with pytest.raises(ValueError, match="newest version is 2"):
            upcasters().register(EventType.DECLINED, v)


# names


def test_states_stand_in_order_of_advancement():
    assert [s.value for s in State] == [
        "received", "moderation", "registered", "assigned", "with_contractor", "in_work",
        "inspection", "answer_prepared", "answered", "transferred", "declined", "closed",
    ]  # fmt: skip
    assert [s.rank for s in State] == list(range(12))
    assert [s.value for s in State if not s.is_open] == [
        "answered", "transferred", "declined", "closed",
    ]  # fmt: skip


def test_the_models_default_state_is_the_first():
    from gateway.model.question import Question

    assert Question().state == State.RECEIVED


def test_event_names_are_stable_and_short_enough_for_the_chain():
    assert all(t.value.isascii() and t.value.isalpha() and len(t) < 32 for t in EventType)
    assert len(EventType) == 61


def test_a_report_survives_json():
    report = PeerReport(
        message_key="k",
        key=AppealKey(external_id="e"),
        event=EventType.REGISTERED,
        occurred_on=dt.date(2026, 6, 2),
        occurred_at=AT,
        registration=f.RegistrationFacts(number="1", date=dt.date(2026, 6, 2)),
    )
    assert msgspec.json.decode(msgspec.json.encode(report), type=PeerReport) == report
