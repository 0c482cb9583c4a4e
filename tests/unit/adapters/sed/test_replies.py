"""What a sender is told at once: by МЭДО, of containers, by SEV; once, whatever is killed."""

import io
import os
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.sed.about import about
from adapters.sed.adapter import Sed
from adapters.sed.codes import reasons
from adapters.sed.folder import pack
from adapters.sed.replies import Replies
from gateway.errors import BusyError, ConflictError, GatewayError, ValidationError, Violation
from tests.unit.adapters.sed.exchange import (
    CASES,
    SCHEMA,
    cards,
    drop,
    folders,
    make,
    subjects,
    verdict,
)

MEDO = "{http://www.infpres.com/IEDMS}"
SEV = "{http://www.eos.ru/2010/sev}"


def refused(root, case, **options):
    """Lay a message down, let the adapter read it, and tell the sender why it was refused."""
    drop(root, "m1", case)
    sed = make(root, **options)
    (taken,) = sed.receive("").messages
    with pytest.raises(GatewayError) as caught:
        sed.decode(taken.wire)
    sed.acknowledge((verdict("m1", caught.value),))
    return sed


def texts(card, name, namespace=MEDO):
    return [one.text for one in card.iter(f"{namespace}{name}")]


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("e27-pdf-missing", "Отсутствует текст"),
        ("e27-main-is-no-pdf", "Текст не соответствует регламенту"),
        ("e27-signature-and-stamp-missing", "Отсутствует (не видна) подпись"),
        ("e27-signature-of-a-missing-file", "Отсутствует приложение, указанное в документе"),
        ("e27-wrong-encoding", "Текст не соответствует регламенту"),
        ("e27-bomb", "Текст не соответствует регламенту"),
    ],
)
def test_a_refused_container_gets_a_refusal_with_its_reason_beside_the_receipt(
    tmp_path, case, reason
):
    refused(tmp_path, case)
    answers = cards(tmp_path)
    assert {card[0].get(f"{MEDO}type") for card in answers} == {"Квитанция", "Уведомление"}
    (told,) = [one for card in answers for one in texts(card, "reason")]
    assert told == reason
    (notice,) = [card for card in answers if texts(card, "reason")]
    came = {p.name: p.read_bytes() for p in (tmp_path / "error" / "m1").iterdir()}
    assert notice[1].get(f"{MEDO}uid") == about(came).uid
    assert [one for one in texts(notice, "comment") if one.startswith("Не принято")]
    for card in answers:
        card.set(f"{MEDO}version", "2.6")  # what else the schema says holds of both
        SCHEMA.assertValid(card)


@pytest.mark.parametrize("case", ["e27-passport-missing", "e27-two-passports"])
def test_a_container_whose_document_nobody_can_name_gets_the_receipt_alone(tmp_path, case):
    refused(tmp_path, case)
    (card,) = cards(tmp_path)
    assert texts(card, "accepted") == ["false"]
    assert texts(card, "comment")[0].startswith("Не принято")


def test_a_refused_container_of_271_is_told_in_its_own_namespace(tmp_path):
    folder = drop(tmp_path, "m1", "e271-message")
    sed = make(tmp_path)
    wrong = Violation("container/authors/author[0]/registration/number", "required", "нет номера")
    sed.receive("")
    sed.acknowledge((verdict("m1", ValidationError("no", (wrong,))),))
    assert not folder.exists()
    space = "{urn:IEDMS:MESSAGE}"
    assert all(card.tag == f"{space}communication" for card in cards(tmp_path))
    assert [t for card in cards(tmp_path) for t in texts(card, "reason", space)] == ["Нет № и даты"]


def test_the_subject_of_a_reply_names_the_document_by_kind_and_number(tmp_path):
    drop(tmp_path, "m1", "e27-letter")
    sed = make(tmp_path)
    sed.receive("")
    sed.acknowledge((verdict("m1"),))
    (subject,) = subjects(tmp_path)
    assert subject.startswith("Квитанция (")
    assert "№ " in subject


def test_the_subject_of_a_container_of_ours_names_it_by_kind_and_number(tmp_path):
    files = {p.name: p.read_bytes() for p in (CASES / "e27-out-answer" / "wire_out").iterdir()}
    make(tmp_path, profile="2.7").deliver(pack("x", files), "k1")
    assert subjects(tmp_path) == ["ЭСД МЭДО (Письмо № 1-ОГ/26)"]


def test_another_text_of_a_known_container_is_no_refusal_to_register(tmp_path):
    drop(tmp_path, "m1", "e27-letter")
    sed = make(tmp_path)
    sed.receive("")
    sed.acknowledge((verdict("m1", ConflictError("used before")),))
    (card,) = cards(tmp_path)
    assert texts(card, "accepted") == ["false"]


def test_a_document_of_sev_that_was_taken_gets_a_reception(tmp_path):
    drop(tmp_path, "m1", "sev-docinfo")
    sed = make(tmp_path, profile="sev")
    sed.receive("")
    sed.acknowledge((verdict("m1"),))
    (card,) = cards(tmp_path)
    assert card[0].get("MessageType") == "Reception"
    assert card[0].get("ReturnID") == "R-77"
    document = next(card.iter(f"{SEV}InitialDoc"))
    assert document.get("UID") == "DOC-9041"
    assert texts(card, "Number", SEV) == ["ОГ-12/26"]
    assert texts(card, "Reception", SEV) == ["2026-04-01T12:00:00+03:00"]
    assert subjects(tmp_path) == ["Reception (Обращения граждан № ОГ-12/26)"]


def test_a_document_of_sev_that_is_refused_gets_a_failure_that_says_why(tmp_path):
    refused(tmp_path, "sev-resource-missing", profile="sev")
    (card,) = cards(tmp_path)
    assert card[0].get("MessageType") == "Failure"
    (told,) = texts(card, "Failure", SEV)
    assert told.startswith("Отсутствует приложение, указанное в документе. Не принято")
    assert "Resource[1]" in told


def test_an_addition_by_sev_is_refused_by_name(tmp_path):
    refused(tmp_path, "sev-additional-document", profile="sev")
    (card,) = cards(tmp_path)
    assert card[0].get("MessageType") == "Failure"


def test_a_failure_names_a_document_without_a_number_as_such(tmp_path):
    folder = drop(tmp_path, "m1", "sev-docinfo")
    body = (folder / "document.xml").read_bytes().decode()
    body = body.replace("<Number>ОГ-12/26</Number>", "").replace("<Date>2026-03-02</Date>", "")
    (folder / "document.xml").write_bytes(body.encode())
    sed = make(tmp_path)
    sed.receive("")
    wrong = Violation("DocInfo/DocumentList/Document[0]/RegistrationInfo/Number", "required", "нет")
    sed.acknowledge((verdict("m1", ValidationError("no", (wrong,))),))
    (card,) = cards(tmp_path)
    assert (texts(card, "Number", SEV), texts(card, "Date", SEV)) == (["б/н"], ["2026-03-02"])
    assert texts(card, "Failure", SEV)[0].startswith("Нет № и даты")


def test_a_day_that_is_none_is_not_repeated(tmp_path):
    folder = drop(tmp_path, "m1", "sev-docinfo")
    body = (folder / "document.xml").read_bytes().decode()
    (folder / "document.xml").write_bytes(
        body.replace("<Date>2026-03-02</Date>", "<Date>вчера</Date>").encode()
    )
    sed = make(tmp_path)
    sed.receive("")
    sed.acknowledge((verdict("m1", ValidationError("no")),))
    (card,) = cards(tmp_path)
    assert texts(card, "Date", SEV) == ["2026-03-02"]  # of the message


def test_the_main_document_of_several_is_the_one_that_is_told_of():
    body = (CASES / "sev-docinfo" / "wire" / "document.xml").read_bytes()
    other = b'<Document UID="other" MainDocument="false"/><Document UID="DOC-9041"'
    told = about({"document.xml": body.replace(b'<Document UID="DOC-9041"', other, 1)})
    assert (told.uid, told.number) == ("DOC-9041", "ОГ-12/26")


def test_reports_of_sev_are_not_reported_about(tmp_path):
    drop(tmp_path, "m1", "sev-registration")
    sed = make(tmp_path)
    sed.receive("")
    sed.acknowledge((verdict("m1"),))
    assert folders(tmp_path) == []
    assert (tmp_path / "done" / "m1").is_dir()


def test_who_wants_no_report_of_a_reception_gets_none(tmp_path):
    folder = drop(tmp_path, "m1", "sev-docinfo")
    body = (folder / "document.xml").read_bytes()
    changed = body.replace(b'<Reception Include="true"/>', b'<Reception Include="false"/>')
    assert body != changed
    (folder / "document.xml").write_bytes(changed)
    sed = make(tmp_path)
    sed.receive("")
    sed.acknowledge((verdict("m1"),))
    assert folders(tmp_path) == []


@pytest.mark.parametrize("error", [None, ValidationError("no"), BusyError("later")])
@pytest.mark.parametrize("case", ["sev-docinfo", "e27-letter"])
def test_a_repeat_of_the_verdict_tells_nothing_twice(tmp_path, case, error):
    drop(tmp_path, "m1", case)
    sed = make(tmp_path)
    sed.receive("")
    for _ in range(2):
        sed.acknowledge((verdict("m1", error),))
    medo = case == "e27-letter"
    count = 0 if isinstance(error, BusyError) else 2 if medo and error else 1
    assert len(folders(tmp_path)) == count


@pytest.mark.parametrize("case", ["sev-docinfo", "e27-letter", "m26-document"])
def test_killed_between_the_replies_and_the_move_nothing_is_told_twice(tmp_path, case):
    drop(tmp_path, "m1", case)
    sed = make(tmp_path)
    spool = sed._exchange._spool()
    spool.make()
    no = verdict("m1", ValidationError("no"))
    sed._exchange._answer(spool, spool.read("m1"), no)
    there = folders(tmp_path)
    assert there
    for folder in there:
        folder.rename(tmp_path / folder.name)  # the partner has taken it already

    sed.acknowledge((no,))

    assert folders(tmp_path) == []
    assert (tmp_path / "error" / "m1").is_dir()


def test_without_our_own_name_nothing_is_told_and_the_folder_is_moved(tmp_path):
    drop(tmp_path, "m1", "sev-docinfo")
    sed = Sed({"directory": str(tmp_path), "settle_seconds": 0})
    sed.receive("")
    sed.acknowledge((verdict("m1"),))
    assert not (tmp_path / "out").exists() or folders(tmp_path) == []
    assert (tmp_path / "done" / "m1").is_dir()


def test_reports_of_ours_follow_the_published_schema(tmp_path):
    shared = Path(os.environ.get("GATEWAY_SHARED", str(CASES.parents[3] / "shared")))
    schema = shared / "data" / "medo" / "sev" / "ReportInfo.xsd"
    if not schema.is_file():
        pytest.skip("no data/medo/sev beside the checkout (GATEWAY_SHARED)")
    drop(tmp_path, "m0", "sev-docinfo")
    sed = make(tmp_path)
    sed.receive("")
    sed.acknowledge((verdict("m0"),))
    refused(tmp_path, "sev-resource-missing")
    known = etree.XMLSchema(etree.parse(schema))
    assert len(cards(tmp_path)) == 2
    for card in cards(tmp_path):
        assert known.validate(card), known.error_log


def test_a_refused_message_that_comes_again_mended_is_told_that_it_was_taken(tmp_path):
    refused(tmp_path, "e27-pdf-missing")
    drop(tmp_path, "m2", "e27-letter")  # under the same uid
    sed = make(tmp_path)
    sed.receive("")
    sed.acknowledge((verdict("m2"),))
    told = [one for card in cards(tmp_path) for one in texts(card, "accepted")]
    assert sorted(told) == ["false", "true"]


def test_a_container_that_is_no_zip_is_about_nothing_but_its_message():
    files = {p.name: p.read_bytes() for p in (CASES / "e27-letter" / "wire").iterdir()}
    told = about(files | {"document.edc.zip": b"PK\x03\x04no"})
    assert (told.form, told.uid, told.number) == ("edc", "", "")
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    assert about(files | {"document.edc.zip": empty.getvalue()}).uid == ""


WIRES = [
    {path.name: path.read_bytes() for path in (CASES / case / "wire").iterdir()}
    for case in ("sev-docinfo", "e27-letter", "e271-message", "m26-document")
]
REPLIES = Replies(make("/nowhere").settings, reasons())


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_whatever_came_is_answered_or_passed_over(data):
    files = dict(data.draw(st.sampled_from(WIRES)))
    name = data.draw(st.sampled_from(sorted(files)))
    body = bytearray(files[name])
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
        body = body or bytearray(b"x")
    files[name] = bytes(body)
    error = data.draw(st.sampled_from([None, ValidationError("no"), ConflictError("known")]))
    for one in REPLIES.to(files, verdict("m", error)):
        assert about(one.files) is not None
