"""The container of МЭДО: what it carries, what it refuses, what goes out."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from lxml import etree
from msgspec.structs import replace

from adapters.sed import edc
from adapters.sed.edc import passport, sheet, zipped
from adapters.sed.edc.leaves import Leaves
from adapters.sed.edc.v271 import V271
from adapters.sed.edc.version import V27
from gateway import limits, xml
from gateway.adapter import EncodeContext
from gateway.disclosure import files_of
from gateway.errors import (
    ConfigurationError,
    GatewayError,
    MalformedError,
    TooLargeError,
    UnsupportedError,
    ValidationError,
)
from gateway.model.appeal import Appeal
from gateway.model.events import EventType
from gateway.model.ids import receipt_of
from gateway.testing.cases import Case, appeal_of, context_of, event_of
from tests.unit.adapters.sed_edc import material

CASES = Path(__file__).parents[3] / "contract" / "sed"
LETTER = Path(__file__).with_name("letter.xml").read_bytes()
TAKEN = sorted(
    path.parent
    for path in CASES.glob("e27*/canonical.json")
    if json.loads(path.read_text())[0]["operation"] == "submit"
)
BODY = "document.edc.zip"


def folder_of(case: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (case / "wire").iterdir()}


def read(files, options=None):
    card = next(name for name in ("document.xml", "message.xml") if name in files)
    (item,) = edc.decode(xml.parse(files[card]).root, files, options or {}).items
    return item


def refused(files, options=None):
    with pytest.raises(ValidationError) as raised:
        read(files, options)
    return [(fault.path, fault.code) for fault in raised.value.violations]


def members(body: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("case", TAKEN, ids=lambda case: case.name)
def test_every_file_of_a_container_comes_back_byte_for_byte(case):
    files = folder_of(case)

    again = edc.restore(read(files))

    assert members(again[BODY]) == members(files[BODY])
    assert set(again) == set(files)


@pytest.mark.parametrize("case", TAKEN, ids=lambda case: case.name)
def test_every_file_of_a_container_belongs_to_something_of_the_appeal(case):
    item = read(folder_of(case))

    assert item.appeal is not None
    assert files_of(item.appeal) == {file.sha256 for file in item.files}


@pytest.mark.parametrize("case", TAKEN, ids=lambda case: case.name)
def test_a_passport_can_be_written_from_the_model_alone(case):
    """Mapped and extras are everything, even if the passport were not kept as a file."""
    files = folder_of(case)
    item = read(files)
    version = V271 if "message.xml" in files else V27
    appeal = item.appeal
    main, *rest = appeal.attachments
    listed = tuple(one for one in rest if one.group == "enclosure")
    kept = members(files[BODY])["passport.xml"]

    told = sheet.leaves(appeal, main, listed, version, verbatim=True)

    root = xml.parse(kept).root
    before = Leaves.of(root, version.container, passport.REPEATED, []).values
    assert told == {path: value for path, value in before.items() if value.strip()}
    written = xml.parse(sheet.write(told, version)).root
    assert Leaves.of(written, version.container, passport.REPEATED, []).values == told


def test_a_signed_container_is_given_back_as_it_came():
    files = folder_of(CASES / "e271-message")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in reversed(members(files[BODY]).items()):
            archive.writestr(name, data)
    files[BODY] = packed.getvalue()

    again = edc.restore(read(files))

    assert {**again, "message.xml": files["message.xml"]} == files


def test_a_signature_beside_a_container_keeps_it_although_nobody_names_it():
    files = material.letter(LETTER) | {"document.edc.zip.p7s": b"NOT A SIGNATURE"}

    item = read(files)

    assert edc.restore(item)[BODY] == files[BODY]
    parts = [ref.value for a in item.appeal.attachments for ref in a.refs]
    assert parts == ["passport", "beside", "container"]


def test_files_of_equal_bytes_keep_both_their_names():
    files = material.letter(LETTER, akt_pdf_p7s=b"same", otvet_pdf_p7s=b"same")
    inside = members(files[BODY])
    assert inside["akt.pdf.p7s"] == inside["otvet.pdf.p7s"]

    assert members(edc.restore(read(files))[BODY]) == inside


def test_a_message_under_another_name_keeps_it():
    files = material.letter(LETTER)
    files["communication.xml"] = files.pop("document.xml")
    root = xml.parse(files["communication.xml"]).root
    (item,) = edc.decode(root, files).items

    assert set(edc.restore(item)) == {"communication.xml", BODY}


def test_attributes_without_a_namespace_are_read_and_come_back_without_one():
    plain = LETTER.replace(b" c:localName", b" localName").replace(b" c:uid", b" uid")
    files = material.letter(plain)
    files["document.xml"] = files["document.xml"].replace(b" xdms:uid", b" uid")

    item = read(files)

    assert item.appeal.refs[0].value == "22222222-2222-4222-8222-222222222701"
    assert item.appeal.attachments[0].declared_name == "otvet.pdf"
    assert b' uid="2222' in edc.restore(item)["document.xml"]


def test_a_passport_that_another_one_names_is_an_enclosure():
    """A letter that is passed on brings the passport of the container it came in."""
    item = read(material.letter(LETTER))
    ctx = context(item)

    out = edc.encode(replace(item.appeal, receipt_number=receipt_of(7)), None, ctx)
    again = read(out)

    assert members(out[BODY])["source.xml"] == LETTER
    names = [a.declared_name for a in again.appeal.attachments]
    assert names == ["otvet.pdf", "akt.pdf", "foto.jpg", "source.xml", "passport.xml"]
    assert again.appeal.attachments[0].stamps == item.appeal.attachments[0].stamps
    signatures = [s.sha256 for a in again.appeal.attachments for s in a.signatures]
    assert signatures == [s.sha256 for a in item.appeal.attachments for s in a.signatures]


def context(item=None, **options):
    told = {"profile": "2.7", "uid": "u-1", "organization": "Мы (тест)", "addressee": "Они (тест)"}
    files = {file.sha256: file.data for file in item.files} if item else {}
    now = datetime(2026, 4, 1, 9, tzinfo=UTC)
    return EncodeContext(now=now, key="k", peer="sed", files=files, options=told | options)


def test_the_same_container_is_the_same_bytes_every_time():
    item = read(material.letter(LETTER))
    appeal = replace(item.appeal, receipt_number=receipt_of(7))

    assert edc.encode(appeal, None, context(item)) == edc.encode(appeal, None, context(item))


def test_no_element_that_goes_out_is_empty():
    for case in sorted(CASES.glob("e27*-out-*/wire_out")):
        files = {path.name: path.read_bytes() for path in case.iterdir()}
        card = files.get("document.xml") or files["message.xml"]
        for body in (card, members(files[BODY])["passport.xml"]):
            for element in etree.fromstring(body).iter():
                bare = not len(element) and not (element.text or "").strip()
                assert not bare or element.attrib, (case, element.tag)


def test_the_name_of_our_passport_follows_the_order():
    assert sheet.NAME.fullmatch("passport.xml")


def test_an_event_that_is_no_document_has_no_container():
    case = Case("sed", CASES / "e27-out-answer")
    event = msgspec.structs.replace(event_of(case), type=EventType.EXTENDED)

    with pytest.raises(UnsupportedError):
        edc.encode(appeal_of(case), event, context_of(case, case.read("options.json")))


def test_the_version_that_nobody_confirmed_is_written_only_where_it_is_asked_for():
    item = read(material.letter(LETTER))
    appeal = replace(item.appeal, receipt_number=receipt_of(7))

    assert "document.xml" in edc.encode(appeal, None, context(item))
    asked = edc.encode(appeal, None, context(item, profile="2.7.1"))
    assert set(asked) == {"message.xml", BODY}
    assert b"urn:IEDMS:MESSAGE" in asked["message.xml"]
    assert b"urn:IEDMS:CONTAINER" in members(asked[BODY])["passport.xml"]
    assert asked["message.xml"].startswith(b'<?xml version="1.0" encoding="utf-8"?>')


def test_an_odd_spelling_of_others_is_not_repeated_in_a_letter_of_ours():
    files = folder_of(CASES / "e27-two-authors-unknown-elements")
    item = read(files)
    appeal = replace(item.appeal, receipt_number=receipt_of(7))

    out = members(edc.encode(appeal, None, context(item))[BODY])["passport.xml"].decode("cp1251")

    assert "<c:x>110.5</c:x>" in out
    assert "110,5" not in out
    assert "25.03.2026" not in out
    assert "Для служебного пользования" in out
    assert 'urn:example:route"' in out


def test_a_folder_without_a_container_names_the_element():
    assert refused({"document.xml": material.message()}) == [
        ("communication/container/body", "missing_file")
    ]


def test_no_zip_is_malformed():
    with pytest.raises(MalformedError):
        read({"document.xml": material.message(), BODY: b"PK no zip"})


def test_too_many_files_are_refused_before_they_are_read():
    many = zipped.write({f"{n}.txt": b"" for n in range(limits.ZIP_MEMBERS + 1)})

    with pytest.raises(TooLargeError):
        read({"document.xml": material.message(), BODY: many})


def test_an_encrypted_file_is_named_once():
    files = material.letter(LETTER)
    body = bytearray(files[BODY])
    for mark, offset, name in ((b"PK\x03\x04", 6, 30), (b"PK\x01\x02", 8, 46)):
        at = -1
        while (at := body.find(mark, at + 1)) >= 0:
            if body[at + name :].startswith(b"foto.jpg"):
                body[at + offset] |= 1
    files[BODY] = bytes(body)

    assert refused(files) == [(f"{BODY}/foto.jpg", "unsupported")]


@pytest.mark.parametrize("name", ["../a.pdf", "a/b.pdf", "/a.pdf", "a\u202epdf.exe", "..."])
def test_a_container_is_flat_and_its_names_are_names(name):
    files = material.letter(LETTER)
    files[BODY] = zipped.write(members(files[BODY]) | {name: b"x"})

    assert refused(files) == [(f"{BODY}/{name}", "malformed")]


def test_two_files_of_one_name_are_refused():
    files = material.letter(LETTER)
    packed = io.BytesIO(files[BODY])
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(packed, "a") as archive:
        archive.writestr("foto.jpg", b"another")
    files[BODY] = packed.getvalue()

    assert refused(files) == [(f"{BODY}/foto.jpg", "unique")]


def test_a_directory_that_is_too_large_is_refused_before_it_is_read(monkeypatch):
    monkeypatch.setattr(limits, "ZIP_DIRECTORY_BYTES", 100)

    with pytest.raises(TooLargeError, match="directory"):
        read(material.letter(LETTER))


def test_all_faults_are_told_at_once():
    wrong = LETTER.replace(b"akt.pdf.p7s", b"gone.p7s").replace(b"regstamp.png", b"gone.png")

    assert refused(material.letter(wrong)) == [
        ("container/authors/author[0]/registration/registrationStamp/@localName", "missing_file"),
        ("container/attachments/attachment[0]/signature[0]/@localName", "missing_file"),
    ]


def test_too_many_unknown_elements_are_refused():
    more = b"".join(b"<c:x%d>1</c:x%d>" % (n, n) for n in range(limits.EXTRAS_PER_ENTITY + 1))

    with pytest.raises(TooLargeError):
        read(material.letter(LETTER.replace(b"</c:requisites>", more + b"</c:requisites>")))


def test_a_long_annotation_is_the_text():
    words = "Очень подробно. " * 200
    long = LETTER.decode().replace("О результатах рассмотрения обращения Образцова И.Т.", words)

    appeal = read(material.letter(long.encode())).appeal

    assert (appeal.subject, appeal.text) == ("", words.strip())


def test_a_zone_that_is_none_is_the_operators_mistake():
    with pytest.raises(ConfigurationError):
        read(material.letter(LETTER), {"zone": "Nowhere"})


def test_bytes_that_are_no_message_with_a_container_are_none():
    for body in (b"<a/>", b'<communication xmlns="http://www.infpres.com/IEDMS"/>', LETTER):
        root = xml.parse(body).root
        assert not edc.is_container(root)
        with pytest.raises(GatewayError):
            edc.decode(root, {})


def test_an_item_says_where_it_came_from():
    assert edc.is_item(read(material.letter(LETTER)))
    assert edc.is_item(read(folder_of(CASES / "e27-answer")))
    other = replace(read(material.letter(LETTER)), appeal=Appeal())
    assert not edc.is_item(other)


def test_a_file_that_is_named_a_thousand_times_is_hashed_once(monkeypatch):
    hashed = []
    monkeypatch.setattr(
        passport.hashlib, "sha256", lambda data: hashed.append(data) or sha256(data)
    )
    named = b'<c:attachment c:localName="foto.jpg"/>' * 1000

    item = read(material.letter(LETTER.replace(b"</c:attachments>", named + b"</c:attachments>")))

    assert len(item.appeal.attachments) > 1000
    assert len(hashed) == len(item.files)
