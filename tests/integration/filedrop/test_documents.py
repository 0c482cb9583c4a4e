"""An inbox that takes an adapter's own format: documents of ССТУ, alone and in a package."""

import io
import json
import zipfile

import msgspec
import pytest

from gateway import registry
from gateway.errors import ConfigurationError
from gateway.settings import FileInbox
from import_export.filedrop import FileDrop

DEPARTMENT = "0c5b2444-70a0-4932-980c-b4dc0d3f02b5"


@pytest.fixture(scope="module")
def sstu():
    adapter = registry.load(["sstu"])["sstu"]
    return adapter.make(adapter.manifest.options)


def document(number, **more):
    question = {
        "code": "0005.0005.0056.1154",
        "status": "NotRegistered",
        "incomingDate": "2026-03-03",
    }
    return {
        "departmentId": DEPARTMENT,
        "isDirect": False,
        "format": "Other",
        "number": number,
        "createDate": "2026-03-02",
        "name": "Приозёрин Пётр Глебович",
        "questions": [question],
    } | more


def package(*members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, body in members:
            archive.writestr(name, body)
    return out.getvalue()


def test_a_document_lands_and_its_bytes_are_kept(make_drop, sstu):
    drop = make_drop("")
    body = json.dumps(document("А26-01-11111111-СО1"), ensure_ascii=False).encode()
    drop.put("one.json", body)
    (report,) = drop.look(codec=sstu).files
    assert (report.place, report.accepted) == ("done", 1)
    (answer,) = drop.answers("one.json.ack.csv", "utf-8")
    assert answer["result"] == "accepted"
    assert drop.rows("SELECT body FROM message WHERE operation = 'submit'") == [(body,)]


def test_a_package_lands_but_for_what_cannot_be_read(make_drop, sstu):
    drop = make_drop("")
    bad = document("А26-01-33333333-СО1", questions=[])
    drop.put(
        "part.zip",
        package(
            ("a.json", json.dumps(document("А26-01-11111111-СО1"))),
            ("b.json", json.dumps(bad)),
            ("c.json", b"{"),
            ("d.json", json.dumps(document("А26-01-22222222-СО1"))),
        ),
    )
    (report,) = drop.look(codec=sstu).files
    assert (report.place, report.accepted, report.rejected) == ("done", 2, 2)
    columns = [row["column"] for row in drop.answers("part.zip.err.csv", "utf-8")]
    assert columns == ["b.json/questions", "c.json"]


def test_the_same_package_again_gets_the_first_receipts(make_drop, sstu):
    drop = make_drop("")
    data = package(("a.json", json.dumps(document("А26-01-11111111-СО1"))))
    drop.put("one.zip", data)
    drop.look(codec=sstu)
    (first,) = drop.answers("one.zip.ack.csv", "utf-8")
    drop.put("again.zip", data)
    (report,) = drop.look(codec=sstu).files
    (second,) = drop.answers("again.zip.ack.csv", "utf-8")
    assert report.repeat == 1
    assert second["receipt_number"] == first["receipt_number"]


def test_neither_an_empty_file_nor_another_format_lands(make_drop, sstu):
    drop = make_drop("")
    drop.put("empty.json", b"")
    drop.put("text.json", "просто текст".encode())
    assert [r.place for r in drop.look(codec=sstu).files] == ["error", "error"]
    assert drop.names("out") == ["empty.json.err.csv", "text.json.err.csv"]


def test_a_package_without_a_document_is_refused_in_words(make_drop, sstu):
    drop = make_drop("")
    drop.put("none.zip", package())
    (report,) = drop.look(codec=sstu).files
    assert (report.place, report.error) == ("error", "validation")
    assert "нет ни одного документа" in report.reason
    assert drop.names("out") == ["none.zip.err.csv"]


def test_a_message_of_a_file_says_by_which_adapter_it_was_read(make_drop, sstu):
    drop = make_drop("")
    drop.inbox = msgspec.structs.replace(drop.inbox, codec="sstu")
    drop.put("part.zip", package(("a.json", json.dumps(document("А26-1"))), ("b.json", b"{")))
    drop.look(codec=sstu)
    drop.put("text.json", "просто текст".encode())
    drop.look(codec=sstu)
    said = drop.rows("SELECT DISTINCT note->>'codec' FROM message")
    assert said == [("sstu",)], "the file, its rows, and a file that cannot be read at all"


def test_a_file_that_is_too_large_to_be_read_in_memory_is_refused(make_drop, sstu):
    body = json.dumps(document("А26-01-11111111-СО1"), ensure_ascii=False).encode()
    drop = make_drop("")
    drop.inbox = msgspec.structs.replace(drop.inbox, document_bytes=len(body))
    drop.put("fits.json", body)
    drop.put("large.json", body + b" ")
    reports = {report.name: report for report in drop.look(codec=sstu).files}
    assert reports["fits.json"].place == "done"
    assert (reports["large.json"].place, reports["large.json"].error) == ("error", "too_large")


def test_an_inbox_names_an_adapter_that_is_there(tmp_path):
    inbox = FileInbox(path=tmp_path, peer="urog", codec="ssty")
    with pytest.raises(ConfigurationError, match="ssty"):
        FileDrop([inbox], None, None, url="", clock=None, codecs={"sstu": None})
