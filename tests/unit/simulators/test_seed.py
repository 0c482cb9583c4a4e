"""Made-up appeals are the same for the same seed, and every form says the same thing."""

import csv
import io
import json
import struct
import zipfile
import zlib
from datetime import date

import msgspec
import pytest
from lxml import etree

from adapters.sstu.decode import decode_document, decode_package
from gateway import contracts
from gateway.model.digest import content_sha256
from gateway.wires import binding, canonical
from gateway.wires import contract as c
from simulators.seed import forms
from simulators.seed.appeals import digest, generate, topic_name

DAY = date(2026, 3, 12)
CHANNELS = [("soap12", 40), ("rest", 30), ("csv", 10), ("legacy", 10), ("sstu", 10)]


@pytest.fixture(scope="module")
def made():
    return generate(7, DAY, CHANNELS)


def test_the_same_seed_gives_the_same_appeals(made):
    assert generate(7, DAY, CHANNELS) == made
    assert generate(8, DAY, CHANNELS) != made


def test_they_differ_from_one_another_and_are_varied(made):
    assert len({a.external_id for a in made}) == len(made)
    assert len({digest(a) for a in made}) == len(made)
    assert {1, 2, 3} <= {len(a.questions) for a in made}
    assert any(a.files for a in made)
    assert any(a.collective for a in made)
    assert any(a.author.anonymous for a in made)
    assert any(a.author.company for a in made)
    assert {"fz59", "message"} == {a.regime for a in made}


def test_nobody_wrote_after_the_day(made):
    assert max(a.received_on for a in made) < DAY


def test_topics_have_their_names():
    assert topic_name("0005.0005.0056.1154") == "Перебои в водоснабжении"


def test_xml_and_json_of_an_appeal_mean_the_same(made):
    for appeal in made:
        given = forms.contract(appeal)
        from_json = msgspec.convert(given, c.AppealIn)
        text = forms.element("SubmitAppeal", {"appeal": given}, root=True)
        root = etree.fromstring(text.encode())
        contracts.appeals().validate(root, 10_000)
        from_xml = binding.read(c.SubmitAppeal, root).appeal
        told = [canonical.submission(item).appeal for item in (from_json, from_xml)]
        assert content_sha256(told[0]) == content_sha256(told[1])


def test_a_table_has_a_row_for_each_question(made):
    text = forms.table(made).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))
    assert [r["question_text"] for r in rows] == [q.text for a in made for q in a.questions]


def test_the_old_table_is_windows_1251(made):
    data = forms.legacy_table(forms.legacy_row(a) for a in made)
    assert b"?" not in data.split(b"\r\n")[0]
    assert data.decode("cp1251").startswith("Номер;Дата поступления;Вид")


def test_a_package_is_read_by_the_adapter(made):
    department = "0c5b2444-70a0-4932-980c-b4dc0d3f02b5"
    letters = [a for a in made if a.letter]
    documents = [forms.sstu_document(a, department) for a in letters]
    decoded = decode_package(forms.package(documents))
    assert not decoded.rejected
    assert len(decoded.items) == len(letters)
    alone = decode_document(json.dumps(documents[0]).encode())
    assert alone.external_id == decoded.items[0].external_id


def test_files_are_whole(made):
    files = [f for a in made for f in a.files]
    for file in files:
        if file.media_type == "application/pdf":
            assert file.data.startswith(b"%PDF-")
            place = int(file.data.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
            assert file.data[place:].startswith(b"xref")
        else:
            kind, size = file.data[12:16], struct.unpack(">I", file.data[8:12])[0]
            stored = struct.unpack(">I", file.data[16 + size : 20 + size])[0]
            assert (kind, stored) == (b"IHDR", zlib.crc32(file.data[12 : 16 + size]))


def test_a_package_holds_json_and_nothing_else(made):
    document = forms.sstu_document(made[-1], "0c5b2444-70a0-4932-980c-b4dc0d3f02b5")
    with zipfile.ZipFile(io.BytesIO(forms.package([document]))) as archive:
        assert [name[-5:] for name in archive.namelist()] == [".json"]
