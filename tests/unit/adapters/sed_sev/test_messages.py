"""SEV: what documents and reports say, and that ours follow the vendor's schemas."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest
from lxml import etree
from msgspec.structs import replace

from adapters.sed import sev
from adapters.sed.codes import document_uid
from gateway import limits, xml
from gateway.disclosure import files_of
from gateway.errors import TooLargeError, UnsupportedError, ValidationError
from gateway.model.events import PAYLOADS, EventType
from gateway.model.ids import receipt_of
from gateway.testing.cases import Case, appeal_of, context_of, event_of

CASES = Path(__file__).parents[3] / "contract" / "sed"
NS = "http://www.eos.ru/2010/sev"
RECEIPT = receipt_of(0x2468ACE13579B & ((1 << 50) - 1))


def folder_of(name: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (CASES / name / "wire").iterdir()}


def items(files):
    return sev.decode(xml.parse(files["document.xml"]).root, files).items


def changed(name: str, *pairs: tuple[str, str]) -> dict[str, bytes]:
    files = folder_of(name)
    text = files["document.xml"].decode()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return files | {"document.xml": text.encode()}


def schemas_beside():
    """Return the vendor's schemas by root element; nothing when they do not lie here."""
    root = Path(os.environ.get("GATEWAY_SHARED", str(CASES.parents[3] / "shared")))
    folder = root / "data" / "medo" / "sev"
    names = {"DocInfo": "DocumentInfo.xsd", "Report": "ReportInfo.xsd"}
    if not folder.is_dir():
        return {}
    return {root: etree.XMLSchema(etree.parse(str(folder / name))) for root, name in names.items()}


@pytest.fixture(scope="module")
def schemas():
    found = schemas_beside()
    if not found:
        pytest.skip("no data/medo/sev beside the checkout (GATEWAY_SHARED)")
    return found


@pytest.mark.parametrize(
    "path", sorted(CASES.glob("sev-*/wire*/document.xml")), ids=lambda path: path.parts[-3]
)
def test_documents_of_the_cases_follow_the_published_schema(schemas, path):
    root = etree.parse(str(path)).getroot()
    schema = schemas[etree.QName(root).localname]

    assert schema.validate(root), schema.error_log


@pytest.mark.parametrize(
    "name", sorted(path.parent.name for path in CASES.glob("sev-*/canonical.json"))
)
def test_what_is_written_back_follows_the_published_schema_too(schemas, name):
    for item in items(folder_of(name)):
        root = etree.fromstring(sev.restore(item)["document.xml"])
        schema = schemas[etree.QName(root).localname]

        assert schema.validate(root), schema.error_log


OUT = Case("sed", CASES / "sev-out-registration")
EVENTS = {
    "Registered": {"organisation": "o", "number": "1", "date": "2026-03-05"},
    "Assigned": {"organisation": "o-1"},
    "Received": {"regime": "fz59"},
    "RegistrationRefused": {"code": "no_signature"},
    "NotAnAppeal": {"code": "spam"},
    "Routed": {"organisation": "o-1"},
    "Reassigned": {"organisation": "o-1"},
    "AnswerPrepared": {"kind": "final"},
    "Transferred": {"organisation": "o-2", "number": "02/7", "date": "2026-03-05"},
    "Answered": {"kind": "final", "number": "1", "date": "2026-03-05"},
}


@pytest.mark.parametrize("name", EVENTS)
def test_whatever_we_tell_follows_the_published_schema(schemas, name):
    files = sev.encode(appeal_of(OUT), event(name), context())
    root = etree.fromstring(files["document.xml"])

    assert schemas["Report"].validate(root), schemas["Report"].error_log


def event(name: str):
    raw = event_of(OUT)
    return msgspec.structs.replace(
        raw,
        type=EventType(name),
        payload=msgspec.convert(EVENTS[name], PAYLOADS[EventType(name)]),
    )


def context(**options):
    return context_of(OUT, OUT.read("options.json") | options)


def test_a_system_of_ours_reads_what_another_of_ours_tells():
    """A report that goes out is read by the side that sent the document."""
    appeal = appeal_of(OUT)
    uid = document_uid(RECEIPT, "handed", 2)
    refs = tuple(replace(r, value=uid) if r.kind == "uid" else r for r in appeal.refs)
    files = sev.encode(replace(appeal, refs=refs), event_of(OUT), context())

    (item,) = items(files)

    assert item.report is not None
    assert item.report.event is EventType.REGISTERED
    assert item.report.key.receipt_number == RECEIPT
    assert item.report.ordinals == (2,)
    assert item.report.registration.number == "ОГ-1/26"


def test_a_document_of_ours_is_a_document_to_the_other_side():
    case = Case("sed", CASES / "sev-out-document")
    files = sev.encode(appeal_of(case), event_of(case), context_of(case, case.read("options.json")))

    (item,) = items(files)

    assert item.operation == "submit"
    assert item.appeal.applicants[0].person.full_name_as_given == "Образцов Иван Тестович"
    assert item.appeal.questions[0].topics[0].code.value == "0005.0005.0055.1122"
    assert item.appeal.attachments[0].sha256 == item.files[0].sha256
    assert item.appeal.referrals[0].control_term.isoformat() == "2026-05-01"


def test_every_file_of_a_document_belongs_to_something():
    (item,) = items(folder_of("sev-docinfo") | {"note.txt": b"beside"})

    assert files_of(item.appeal) == {file.sha256 for file in item.files}
    assert sev.restore(item)["note.txt"] == b"beside"


def test_an_event_that_sev_has_no_word_for_is_not_told():
    raw = msgspec.structs.replace(event_of(OUT), type=EventType.EXTENDED)

    with pytest.raises(UnsupportedError):
        sev.encode(appeal_of(OUT), raw, context())
    strange = replace(appeal_of(OUT), refs=())
    with pytest.raises(UnsupportedError):
        sev.encode(strange, raw, context())


def test_who_sent_a_document_is_told_and_who_did_not_gets_it():
    given = replace(appeal_of(OUT), source_peer="sed-1")

    for peer, root in (("sed-1", b"<Report "), ("sed-2", b"<DocInfo ")):
        ctx = msgspec.structs.replace(context(), peer=peer)
        assert root in sev.encode(given, event("Received"), ctx)["document.xml"]


def test_which_events_give_an_appeal_away_is_a_choice():
    given = replace(appeal_of(OUT), source_peer="sed-1")

    for events, met in ((["Registered"], True), ([], False)):
        ctx = msgspec.structs.replace(context(given_on=events), peer="sed-2")
        try:
            files = sev.encode(given, event_of(OUT), ctx)
        except UnsupportedError:
            assert not met
        else:
            assert met
            assert b"<DocInfo " in files["document.xml"]


def test_the_main_document_of_several_is_the_appeal():
    text = folder_of("sev-docinfo-bare")["document.xml"].decode()
    start, end = text.index("    <Document UID"), text.index("  </DocumentList>")
    other = text[start:end].replace('MainDocument="true"', 'MainDocument="false"')
    other = other.replace("О протечке кровли", "Приложение").replace("DOC-9041", "DOC-1")
    files = {"document.xml": (text[:start] + other + text[start:]).encode()}

    (item,) = items(files)

    assert item.appeal.subject == "О протечке кровли"
    assert "Приложение" in sev.restore(item)["document.xml"].decode()
    assert item.external_id.endswith("/doc-9041")


def test_a_date_that_is_told_goes_before_the_days():
    told = [items(folder_of(name))[0].appeal.referrals[0].control_term.isoformat()
            for name in ("sev-docinfo", "sev-docinfo-bare")]  # fmt: skip

    assert told == ["2026-03-27", "2026-03-20"]


@pytest.mark.parametrize("days", ["0", "-1", "many", "99999999999", ""])
def test_days_that_are_none_make_no_term(days):
    files = changed("sev-docinfo", ('StopDayCount="25"', f'StopDayCount="{days}"'))
    (item,) = items(files)

    assert item.appeal.referrals[0].control_term is None
    assert f'StopDayCount="{days}"'.encode() in sev.restore(item)["document.xml"]


def test_a_document_that_is_not_ours_is_named_by_the_sender_and_its_uid():
    """As notifications of МЭДО do: the sender tells of a document that it sent itself."""
    uid = document_uid(RECEIPT, "handed")
    (item,) = items(changed("sev-reception", (uid, "DOC-9041")))

    assert item.report.key.external_id == "gov-ensk/doc-9041"


def test_too_many_notifications_in_one_message_are_refused():
    files = changed(
        "sev-several-notifications",
        ('<Consideration TaskID="1"/>', '<Consideration TaskID="1"/>' * limits.JSON_VALUES),
    )
    files["document.xml"] = files["document.xml"][: limits.SOAP_ROOT_BYTES]
    with pytest.raises(TooLargeError):
        items(files)
    hundreds = changed(
        "sev-several-notifications",
        ('<Consideration TaskID="1"/>', '<Consideration TaskID="1"/>' * 400),
    )
    with pytest.raises(TooLargeError):
        items(hundreds)


def test_all_missing_files_are_told_at_once():
    files = {"document.xml": folder_of("sev-docinfo")["document.xml"]}

    with pytest.raises(ValidationError) as raised:
        items(files)

    assert [fault.code for fault in raised.value.violations] == ["missing_file"] * 2


def test_an_item_says_where_it_came_from():
    assert all(sev.is_item(item) for item in items(folder_of("sev-several-notifications")))
    (item,) = items(folder_of("sev-docinfo"))
    assert sev.is_item(item)
    assert not sev.is_item(replace(item, appeal=replace(item.appeal, source_system=None)))


def test_another_document_is_no_message_of_sev():
    for body in (b"<DocInfo/>", b'<SyncInfo xmlns="%s"/>' % NS.encode()):
        root = xml.parse(body).root
        assert not sev.is_container(root)
        with pytest.raises(ValidationError):
            sev.decode(root, {})
