"""What the golden cases do not pin: fuzz, templates that cannot work, answers to call-backs."""

import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters.edds import tables
from adapters.edds.adapter import Edds
from adapters.edds.codes import NAMES
from adapters.edds.template import Json, Xml, line
from gateway import registry
from gateway.adapter import EncodeContext, Landed, Verdict, Wire
from gateway.disclosure import Level, disclose
from gateway.errors import (
    BusyError,
    ConfigurationError,
    GatewayError,
    TooLargeError,
    ValidationError,
    Violation,
)
from gateway.model.appeal import Appeal
from gateway.model.events import Actor, Event, EventType
from gateway.model.facts import NoFacts
from gateway.testing.leaves import leaves

MANIFEST = registry.read_manifest("adapters.edds")
REST = Edds(MANIFEST.options)
SOAP = Edds({**MANIFEST.options, "template": "card-soap"})
NOW = datetime(2026, 4, 1, tzinfo=UTC)
CALLBACK = {
    "externalId": "2026-00017", "eventId": "e-1", "state": "DONE", "at": "2026-03-03T10:00:00Z",
}  # fmt: skip
TEMPLATE = Path("adapters/edds/tables/card-rest.toml").read_text("utf-8")

words = st.sampled_from(["externalId", "eventId", "state", "at", "comment", "cardId", "x"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
    | st.sampled_from(["DONE", "2026-03-01", "2026-03-01T10:00:00", "0001-01-01T00:00:00+14:00"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=5,
)  # fmt: skip


def verdict(error=None, **more):
    item = Landed(operation="status", key="e-1", error=error, **more)
    return Verdict(token="", items=(item,), now=NOW, correlation="c-1")


def test_the_manifest_and_the_code_agree():
    registry.check(MANIFEST, "adapters.edds", Edds)


@given(
    st.binary(max_size=60)
    | st.dictionaries(words, values, max_size=6).map(lambda tree: json.dumps(tree).encode())
)
def test_whatever_comes_only_errors_of_the_house_come_out(body):
    for codec, media in ((REST, "application/json"), (SOAP, "text/xml")):
        try:
            decoded = codec.decode(Wire(media_type=media, body=body))
        except GatewayError:
            continue
        codec.restore(decoded.items[0])


@given(st.text(max_size=40), st.text(max_size=40))
def test_whatever_is_filled_in_stays_where_it_was_put(text, other):
    fields = {"description": text, "address": other, "topic_code": text, "revision": 3}
    filled = Json('{"a": "{description}", "b": ["x {address}"], "n": "{revision}"}', NAMES, "t")
    told = json.loads(filled.fill(fields))
    assert set(told) <= {"a", "b", "n"}
    assert told["n"] == 3
    assert len(told["b"]) == 1

    document = Xml('<r><a k="{topic_code}">{description}</a><b>x {address}</b></r>', NAMES, "t")
    root = etree.fromstring(document.fill(fields))
    assert [child.tag for child in root] in (["a", "b"], ["b"])
    assert all(len(child) == 0 for child in root)


def test_a_value_in_a_path_or_a_header_opens_nothing():
    text = line("/cards/{receipt_number}?x={topic}", NAMES, "t")
    fields = {"receipt_number": "../admin?", "topic": "a&b\r\nX: 1\u0451"}
    assert text.path(fields) == "/cards/..%2Fadmin%3F?x=a%26b%0D%0AX%3A%201%D1%91"
    assert "\r" not in text.header(fields)
    assert "\n" not in text.header(fields)
    assert text.header(fields).isascii()


def test_braces_of_a_template_are_doubled():
    assert line("{{x}} {key}", NAMES, "t").text({"key": "k"}) == "{x} k"


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (("{topic}", "{nothing_of_ours}"), "[card] body"),
        (("/cards/{receipt_number}/cancel", "/cards/{receipt/cancel"), "[cancel] path"),
        (('"topic"]', '"topic", "planet"]'), "required"),
        (('method = "PUT"', 'method = "BREW"'), "tables"),
        (('form = "json"', 'form = "yaml"'), "tables"),
        (('form = "json"', 'form = "xml"'), "[card] body"),
        (('"/deliveries/{key}"', '"deliveries/{key}"'), "[ask]"),
        (('DONE = "AnswerPrepared"', 'DONE = "Answered"'), "[callback].states"),
        (('state = "/state"', 'state = "state"'), "[callback] state"),
        (("[probe]", "[prove]"), "tables"),
        (("profile", "profile = ["), "tables"),
    ],
)
def test_a_template_that_cannot_work_stops_the_start_and_is_named(tmp_path, change, where):
    path = tmp_path / "tables.toml"
    path.write_text(TEMPLATE.replace(*change), "utf-8")
    assert path.read_text("utf-8") != TEMPLATE
    with pytest.raises(ConfigurationError) as caught:
        tables.of({"tables": str(path)})
    assert where in caught.value.where


@pytest.mark.parametrize(
    "options",
    [{"template": "card-fax"}, {"tables": "/nowhere"}, {"card_on": "Answered"}, {"zone": "Mars"}],
)
def test_an_option_that_cannot_work_is_named(options):
    with pytest.raises(ConfigurationError) as caught:
        Edds(options)
    assert caught.value.where.startswith("options.")


def test_a_template_of_an_operator_takes_the_place_of_the_shipped_one(tmp_path):
    path = tmp_path / "tables.toml"
    path.write_text(TEMPLATE.replace('path = "/health"', 'path = "/alive"'), "utf-8")
    made = tables.of({"tables": str(path)})
    assert made.calls["probe"].path.path({}) == "/alive"


def urgent(*places):
    question = {"ordinal": 1, "topics": [{"code": {"system": "sstu", "value": "1"}}]}
    told = {"id": str(UUID(int=1)), "receipt_number": "2026-00017", "questions": [question]}
    appeal = msgspec.convert({**told, "addresses": list(places)}, Appeal, strict=False)
    return disclose(appeal, Level.PROBLEM_ONLY)


REGISTERED = Event(
    appeal_id=UUID(int=1), seq=1, type=EventType.REGISTERED, occurred_at=NOW.date(),
    recorded_at=NOW, actor=Actor(kind="system"), payload=NoFacts(),
)  # fmt: skip


@pytest.mark.parametrize(
    ("places", "told"),
    [
        ([{"raw": "г. Хабаровск, Ленина 7-12"}], "место не разобрано, уточните по обращению"),
        ([], "место не разобрано, уточните по обращению 2026-00017"),
        ([{"raw": "Ленина 7-12", "lat": 48.5, "lon": 135.0}], "координаты 48.5, 135.0"),
        ([{"raw": "Ленина 7-12", "street": "Ленина", "house": "7"}], "Ленина, д. 7"),
    ],
)
@pytest.mark.parametrize("codec", [REST, SOAP])
def test_an_urgent_card_leaves_whatever_is_known_of_its_place(codec, places, told):
    wire = codec.encode(urgent(*places), REGISTERED, EncodeContext(now=NOW, key="k"))
    assert told in wire.body.decode()
    assert "7-12" not in wire.body.decode()


@pytest.mark.parametrize("insists", ["place", "address"])
def test_a_vendor_that_insists_on_a_place_gets_no_words_in_its_stead(tmp_path, insists):
    path = tmp_path / "tables.toml"
    path.write_text(TEMPLATE.replace('"topic"]', f'"topic", "{insists}"]'), "utf-8")
    codec = Edds({**MANIFEST.options, "tables": str(path)})
    with pytest.raises(ValidationError, match=f"lacks {insists}") as caught:
        codec.encode(urgent({"raw": "Ленина 7"}), REGISTERED, EncodeContext(now=NOW, key="k"))
    assert [fault.path for fault in caught.value.violations] == [insists]


@pytest.mark.parametrize("answered", [REST, SOAP])
def test_a_call_back_that_lacks_something_is_told_what(answered):
    with pytest.raises(ValidationError) as caught:
        REST.decode(Wire(media_type="application/json", body=b'{"state": "DONE"}'))
    told = answered.reply(verdict(caught.value)).body.decode()
    for missing in ("/externalId", "/at", "/eventId"):
        assert f"{missing}: " in told


def test_a_call_back_is_answered_in_the_form_of_the_template():
    taken = verdict(receipt_number="2026-00017", repeat=True)

    reply = REST.reply(taken)
    assert (reply.status, json.loads(reply.body)) == (
        200, {"result": "accepted", "receipt": "2026-00017", "repeat": True},
    )  # fmt: skip

    reply = SOAP.reply(taken)
    assert reply.media_type == "text/xml; charset=utf-8"
    assert etree.fromstring(reply.body).findtext(".//{*}Receipt") == "2026-00017"


def test_a_refused_call_back_is_told_why_and_ours_only_to_come_again():
    wrong = verdict(ValidationError("нет <номера>", (Violation("/x", "required", "нет"),)))
    assert REST.reply(wrong).status == 422
    assert json.loads(REST.reply(wrong).body)["code"] == "validation"
    soap = SOAP.reply(wrong)
    assert soap.status == 500
    assert etree.fromstring(soap.body).findtext(".//faultcode") == "s:Client"
    assert etree.fromstring(soap.body).findtext(".//faultstring") == "нет <номера>"

    busy = REST.reply(verdict(BusyError("the pool of node 7 is full", retry_after=3)))
    assert (busy.status, busy.headers["retry-after"]) == (503, "3")
    assert b"node 7" not in busy.body
    assert SOAP.reply(verdict(BusyError("away"))).status == 503


def test_without_an_address_the_codec_still_works_and_talking_is_refused():
    with pytest.raises(ConfigurationError):
        REST.deliver(Wire(media_type="", body=b""), "k")
    assert not REST.probe().ok


texts = st.text(
    st.characters(exclude_categories=["C"], exclude_characters="\ufffe\uffff"), max_size=20
)


@given(texts.filter(str.strip), texts, texts, st.integers(0, 10**9))
def test_a_call_back_comes_back_as_it_was_sent_in_either_form(state, comment, beside, number):
    told = {
        "externalId": "2026-00017", "eventId": "e-1", "state": state, "at": "2026-03-03T10:00:00Z",
        "comment": comment, "unit": {"name": beside, "crew": [number]},
    }  # fmt: skip
    body = json.dumps(told).encode()
    with contextlib.suppress(GatewayError):  # a text that no field may hold
        item = REST.decode(Wire(media_type="application/json", body=body)).items[0]
        assert json.loads(REST.restore(item).body) == told

    d = "{urn:example:dispatch:1}"
    root = etree.Element("{http://schemas.xmlsoap.org/soap/envelope/}Envelope")
    card = etree.SubElement(
        etree.SubElement(root, "{http://schemas.xmlsoap.org/soap/envelope/}Body"), f"{d}CardState"
    )
    for name, text in (
        ("MessageId", "e-1"), ("SourceNumber", "2026-00017"), ("State", state),
        ("At", "2026-03-03"), ("Comment", comment), ("Unit", beside), ("Unit", str(number)),
    ):  # fmt: skip
        etree.SubElement(card, d + name).text = text
    body = etree.tostring(root, encoding="utf-8")
    with contextlib.suppress(GatewayError):
        item = SOAP.decode(Wire(media_type="text/xml", body=body)).items[0]
        assert leaves(SOAP.restore(item).body, "xml") == leaves(body, "xml")


@pytest.mark.parametrize("attributes", ["", ' a="1" b="2" c="3" d="4"'])
def test_long_names_around_many_elements_are_refused_before_their_paths_are_made(attributes):
    within = f"<p:b{attributes}/>" * 100
    body = f'<p:r xmlns:p="u:{"n" * 1_900}">{"<p:a>" * 60}{within}{"</p:a>" * 60}</p:r>'
    with pytest.raises(TooLargeError, match="names of the elements"):
        SOAP.decode(Wire(media_type="text/xml", body=body.encode()))


@pytest.mark.parametrize(
    "more", [{"x\0": 1}, {"x": "\0"}, {"x": {"y": ["a", {"\ufffe": 1}]}}, {"x": [["\x01"]]}]
)
def test_what_no_store_holds_is_refused_in_unknown_fields_too(more):
    body = json.dumps({**CALLBACK, **more}).encode()
    with pytest.raises(ValidationError, match="no text may hold"):
        REST.decode(Wire(media_type="application/json", body=body))


def test_unknown_fields_are_counted():
    body = json.dumps({**CALLBACK, **{f"x{n}": n for n in range(501)}}).encode()
    with pytest.raises(TooLargeError, match="too many unknown fields"):
        REST.decode(Wire(media_type="application/json", body=body))
