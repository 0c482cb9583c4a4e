"""Whatever comes in, only errors of the house come out, and what was read can be kept and sent."""

import io
import unicodedata
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.sed.adapter import Sed
from gateway import contracts
from gateway.adapter import EncodeContext, Wire
from gateway.errors import GatewayError
from gateway.lifecycle import check_report
from gateway.model.answer import Answer
from gateway.model.appeal import Appeal
from gateway.model.attachment import Attachment
from gateway.model.base import ExternalRef
from gateway.model.digest import canonical_json, content_sha256
from gateway.model.events import Actor, Event, EventType
from gateway.model.ids import receipt_of
from gateway.model.intake import check_intake
from gateway.model.person import Applicant, Person
from gateway.model.question import Question
from gateway.testing.leaves import leaves

CASES = Path(__file__).parents[3] / "contract" / "sed"
NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
US = "99999999-9999-4999-8999-999999999999"
SED = Sed({"uid": US, "organization": "Инспекция (тест)", "addressee": "Администрация (тест)"})
SCHEMA = etree.XMLSchema(etree.parse(contracts.folder("xsd", "medo") / "2.6" / "IEDMS.xsd"))
CARDS = [p.read_bytes() for p in sorted(CASES.glob("m26-*/wire.xml"))]
"""Cards that the fuzz starts from."""


def read(body, name="document.xml"):
    try:
        return SED.decode(Wire(media_type="", body=body, name=name))
    except GatewayError:
        return None


def storable(decoded):
    for item in decoded.items if decoded else ():
        try:
            if item.appeal:
                check_intake(item.appeal, NOW)
                content_sha256(item.appeal)
            if item.report:
                check_report(item.report, NOW)
        except GatewayError:
            continue
        canonical_json(item.appeal or item.report or item.expectation)
        assert len(item.external_id) <= 200
        assert len(item.message_key) <= 200


@settings(deadline=None)
@given(st.binary() | st.text().map(str.encode))
def test_any_bytes(body):
    storable(read(body))


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(CARDS), st.integers(0, 4000), st.binary(min_size=1, max_size=12))
def test_any_card_with_bytes_changed(card, place, change):
    raw = bytearray(card)
    place %= len(raw)
    raw[place : place + len(change)] = change
    storable(read(bytes(raw)))


texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=60)


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(CARDS), st.integers(0, 200), texts, st.sampled_from(["text", "attribute"]))
def test_any_text_anywhere_comes_back(card, number, text, where):
    try:
        root = etree.fromstring(card)
    except etree.XMLSyntaxError:
        return
    elements = list(root.iter())
    element = elements[number % len(elements)]
    try:
        if where == "text" and not len(element):
            element.text = text
        elif element.attrib:
            element.set(min(element.attrib), text)
    except ValueError:
        return
    body = etree.tostring(root, encoding="windows-1251", xml_declaration=True)
    decoded = read(body)
    storable(decoded)
    if decoded:
        (item,) = decoded.items
        again = SED.restore(item)
        meant = {k: unicodedata.normalize("NFC", v) for k, v in leaves(body, "xml").items()}
        assert leaves(again.body, "xml") == meant


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(0, 900), st.binary(min_size=1, max_size=8))
def test_any_zip_with_bytes_changed(scan, place, change):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("document.xml", CARDS[0])
        zipped.writestr("скан.pdf", scan)
        zipped.writestr("envelope.ini", b"[\xd4\xc0\xc9\xcb\xdb]\r\n0=document.xml\r\n")
    raw = bytearray(out.getvalue())
    place %= len(raw)
    raw[place : place + len(change)] = change
    storable(read(bytes(raw), "x.zip"))


appeals = st.builds(
    Appeal,
    receipt_number=st.just(receipt_of(7)),
    source_peer=st.sampled_from(["ensk", "portal"]),
    subject=texts, text=st.text(max_size=200),
    refs=st.just((ExternalRef(peer="sed", kind="uid", value=US),)),
    applicants=st.lists(
        st.builds(Applicant, person=st.builds(Person, full_name_as_given=texts)), max_size=2
    ).map(tuple),
    questions=st.lists(st.builds(Question, text=texts), max_size=2).map(tuple),
    answers=st.lists(st.builds(Answer, number=texts, text=texts), max_size=1).map(tuple),
    attachments=st.lists(
        st.builds(Attachment, sha256=st.just("a" * 64), declared_name=st.text(max_size=20)),
        max_size=3,
    ).map(tuple),
)  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(appeals, st.none() | st.sampled_from(EventType))
def test_what_goes_out_is_valid_and_can_be_read(appeal, kind):
    event = None
    if kind is not None:
        event = Event(
            appeal_id=appeal.id, seq=2, type=kind, occurred_at=NOW, recorded_at=NOW,
            actor=Actor(kind="system"),
        )  # fmt: skip
    context = EncodeContext(now=NOW, key="k", peer="ensk", files={"a" * 64: b"%PDF-"})
    try:
        wire = SED.encode(appeal, event, context)
    except GatewayError:
        return
    with zipfile.ZipFile(io.BytesIO(wire.body)) as zipped:
        assert SCHEMA.validate(etree.fromstring(zipped.read("document.xml"))), SCHEMA.error_log
        assert len({name.lower() for name in zipped.namelist()}) == len(zipped.namelist())
    decoded = SED.decode(wire)
    assert decoded.items
    assert msgspec.json.encode(wire.name)
