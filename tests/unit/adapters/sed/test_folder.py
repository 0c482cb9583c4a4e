"""Folders on the wire: equal ones are equal bytes, and nothing leads out of them."""

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.sed.adapter import Sed
from adapters.sed.folder import envelope, listed_in, pack, unpack
from gateway import limits
from gateway.adapter import Wire
from gateway.errors import MalformedError, TooLargeError, UnsupportedError

CASES = Path(__file__).parents[3] / "contract" / "sed"
CARD = (CASES / "m26-accepted" / "wire.xml").read_bytes()


def zipped(members, method=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return Wire(media_type="application/zip", body=out.getvalue(), name="m1.zip")


def test_equal_folders_are_equal_bytes_in_whatever_order_they_were_made():
    one = pack("m", {"b.pdf": b"2", "a.xml": b"1"})
    other = pack("m", {"a.xml": b"1", "b.pdf": b"2"})
    assert one == other
    assert unpack(pack("m", {"document.xml": CARD})).body == CARD


def test_a_folder_within_the_zip_is_the_folder():
    found = unpack(zipped([("m1/document.xml", CARD), ("m1/скан.pdf", b"%PDF")]))
    assert found.files.keys() == {"document.xml", "скан.pdf"}


def test_a_card_alone_needs_no_folder():
    found = unpack(Wire(media_type="application/xml", body=CARD, name="x.xml"))
    assert found.bare
    assert found.body == CARD


@pytest.mark.parametrize(
    ("members", "error"),
    [
        ([("../document.xml", CARD), ("b.xml", CARD)], MalformedError),
        ([("/etc/document.xml", CARD), ("b.xml", CARD)], MalformedError),
        ([("a/b/document.xml", CARD), ("c.xml", CARD)], MalformedError),
        ([("document.xml", CARD), ("gpj\u202efdp.exe", b"")], MalformedError),
        ([("document.xml", CARD), ("Document.XML", CARD)], MalformedError),
        ([("document.xml", CARD), ("x" * 300 + ".pdf", b"")], MalformedError),
        ([(f"{n}.pdf", b"") for n in range(limits.ZIP_MEMBERS + 1)], TooLargeError),
        ([("scan.pdf", b"")], MalformedError),
        ([("a.xml", CARD), ("b.xml", CARD)], MalformedError),
    ],
)
def test_what_leads_elsewhere_is_refused(members, error):
    with pytest.raises(error):
        unpack(zipped(members))


def test_a_bomb_is_not_unpacked():
    wire = zipped([("document.xml", CARD), ("a.pdf", b"\0" * 50_000_000)], zipfile.ZIP_DEFLATED)
    with pytest.raises(TooLargeError):
        unpack(wire)


def test_an_encrypted_member_is_refused():
    raw = bytearray(zipped([("document.xml", CARD)]).body)
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(mark) + place] |= 1
    with pytest.raises(UnsupportedError):
        unpack(Wire(media_type="", body=bytes(raw), name="m.zip"))


def test_the_envelope_is_written_as_it_is_read():
    made = envelope("ЭСД МЭДО\n(ОГ-1)", "ENSK~MEDOGU", ("document.xml", "скан.pdf"))
    assert listed_in(made) == ("document.xml", "скан.pdf")
    assert "ТЕМА=ЭСД МЭДО (ОГ-1)\r\n" in made.decode("cp1251")
    assert listed_in(made.decode("cp1251").encode()) == ("document.xml", "скан.pdf")
    assert listed_in(b"\xff\xfe nothing") == ()


@pytest.mark.parametrize(
    ("declared", "written"),
    [
        ("windows-1251", "utf-8"), ("utf-8", "cp1251"), ("windows-1251", "cp1251"),
        ("utf-8", "utf-8"), ("utf-16", "utf-16"),
    ],
)  # fmt: skip
def test_the_bytes_say_which_encoding_it_is(declared, written):
    text = CARD.decode("cp1251").replace("windows-1251", declared, 1)
    if declared == "utf-8" and written == "cp1251":
        text = text.replace('encoding="utf-8"', "", 1)
    wire = Wire(media_type="application/xml", body=text.encode(written), name="x.xml")
    (item,) = Sed({}).decode(wire).items
    assert item.report.registration.number == "ВХ–77"
    told = [extra.value for extra in item.report.extras if extra.path == "#encoding"]
    assert bool(told) == ((declared, written) in {("windows-1251", "utf-8"), ("utf-8", "cp1251")})


def test_instants_without_an_offset_are_of_the_partners_zone():
    wire = Wire(media_type="application/xml", body=CARD, name="x.xml")
    (moscow,) = Sed({}).decode(wire).items
    (vladivostok,) = Sed({"zone": "Asia/Vladivostok"}).decode(wire).items
    assert moscow.report.occurred_at.astimezone(UTC) == datetime(2026, 3, 3, 8, tzinfo=UTC)
    assert vladivostok.report.occurred_at.astimezone(UTC) == datetime(2026, 3, 3, 1, tzinfo=UTC)
    assert moscow.report.occurred_on == vladivostok.report.occurred_on
