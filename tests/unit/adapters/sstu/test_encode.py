"""What is sent for appeals that did not come from ССТУ, and what is refused before sending."""

import base64
import io
import json
from datetime import UTC, date, datetime
from hashlib import sha256
from uuid import UUID

import jsonschema
import pytest
from msgspec.structs import replace
from pypdf import PdfReader

from adapters.sstu import rules
from adapters.sstu.adapter import Sstu
from adapters.sstu.encode import encode
from gateway.adapter import EncodeContext
from gateway.errors import UnsupportedError, ValidationError
from gateway.model.address import Address
from gateway.model.answer import Answer, AnswerKind, Outcome, Result
from gateway.model.appeal import Appeal, Regime
from gateway.model.assignment import TransferOut
from gateway.model.attachment import Attachment, AttachmentGroup, AttachmentRole
from gateway.model.base import Code, Extra
from gateway.model.events import Actor, Event, EventType
from gateway.model.facts import NoFacts
from gateway.model.organisation import Organisation
from gateway.model.person import Applicant, ContactKind, ContactPoint, Person
from gateway.model.question import AssignedBy, Question, Topic
from gateway.model.registration import ReferralIn, Registration
from tests.unit.adapters.sstu.scans import pdf, picture

BODY = "1f6b0a52-9d3e-4c7a-8f21-0a5b6c7d8e91"
OTHER = "2a7c1b63-0e4f-4d8b-9a32-1b6c7d8e9f02"
OURS, THEIRS = UUID(int=7), UUID(int=8)
PDF = b"%PDF-1.4\n"
SHA = sha256(PDF).hexdigest()


def context(**options):
    return EncodeContext(
        now=datetime(2026, 4, 1, tzinfo=UTC),
        files={SHA: PDF},
        organisation_ids={str(OURS): {"sstu": BODY}, str(THEIRS): {"sstu": OTHER}},
        options=options,
    )


def question(**fields):
    topic = Topic(
        code=Code(system="sstu", value="0005.0005.0056.1147"), assigned_by=AssignedBy.RULE
    )
    return Question(
        **{
            "topics": (topic,),
            "state": "in_work",
            "owner_org": Organisation(id=OURS),
            "incoming_date": date(2026, 3, 2),
            **fields,
        }
    )


def appeal(*questions, **fields):
    return Appeal(
        **{
            "regime": Regime.FZ59,
            "registrations": (
                Registration(
                    organisation=Organisation(id=OURS),
                    number="ОГ-1",
                    date=date(2026, 3, 3),
                    is_ours=True,
                ),
            ),
            "applicants": (
                Applicant(
                    person=Person(family="Берёзкина", given="Анна", patronymic="Львовна"),
                    contacts=(ContactPoint(kind=ContactKind.EMAIL, value="b@example.ru"),),
                    addresses=(
                        Address(settlement="г. Приозёрск", street="ул. Садовая", house="7"),
                    ),
                ),
            ),
            "questions": questions or (question(),),
            **fields,
        }
    )


def sent(value, **options):
    return json.loads(encode(value, context(**options)).body)


def refused(value, **options):
    with pytest.raises(ValidationError) as caught:
        encode(value, context(**options))
    return {(v.path, v.code) for v in caught.value.violations}


def answer(*files, **fields):
    return Answer(**{"date": date(2026, 3, 20), "attachments": files, **fields})


def file(**fields):
    return Attachment(
        **{"sha256": SHA, "declared_name": "Ответ.pdf", "role": AttachmentRole.ANSWER, **fields}
    )


ANSWERED = {"state": "answered", "outcome": Outcome(result=Result.EXPLAINED)}


def test_a_citizens_own_appeal_is_reported_with_the_bodys_number():
    document = sent(appeal())
    assert document == {
        "departmentId": BODY, "isDirect": True, "format": "Other", "number": "ОГ-1",
        "name": "Берёзкина Анна Львовна", "address": "г. Приозёрск, ул. Садовая, д. 7",
        "email": "b@example.ru",
        "questions": [{
            "code": "0005.0005.0056.1147", "status": "InWork",
            "incomingDate": "2026-03-02", "registrationDate": "2026-03-03",
        }],
    }  # fmt: skip


def test_one_sent_on_is_reported_under_the_covering_letter_and_never_under_our_number():
    letter = ReferralIn(number="А26-02-1", date=date(2026, 3, 1), received_date=date(2026, 3, 2))
    medo = Code(system="gateway.delivery", value="medo")
    value = appeal(question(incoming_date=None), referrals=(letter,), delivery_method=medo)
    document = sent(value)
    assert (document["isDirect"], document["format"]) == (False, "Electronic")
    assert (document["number"], document["createDate"]) == ("А26-02-1", "2026-03-01")
    assert document["questions"][0]["incomingDate"] == "2026-03-02"
    assert ("/number", "required") in refused(replace(value, referrals=(), direct=False))


def test_what_happens_before_there_is_a_number_is_passed_over_and_a_lost_letter_is_not():
    unnumbered = appeal(question(state="received"), registrations=())
    happened = Event(
        appeal_id=UUID(int=1), seq=1, type=EventType.RECEIVED, occurred_at=date(2026, 3, 2),
        recorded_at=context().now, actor=Actor(kind="system"), payload=NoFacts(),
    )  # fmt: skip
    codec = Sstu({"department_id": BODY})
    with pytest.raises(UnsupportedError, match="ещё не зарегистрировано"):
        codec.encode(unnumbered, happened, context())
    for value, event in ((unnumbered, None), (replace(unnumbered, direct=False), happened)):
        with pytest.raises(ValidationError) as caught:
            codec.encode(value, event, context())
        assert "/number" in {fault.path for fault in caught.value.violations}
    letter = ReferralIn(number="А26-02-1", date=date(2026, 3, 1), received_date=date(2026, 3, 2))
    assert codec.encode(replace(unnumbered, referrals=(letter,)), happened, context()).body


def test_the_day_of_coming_in_is_the_bodys_own_day():
    late_evening = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
    value = appeal(question(incoming_date=None), received_at=late_evening)
    assert sent(value)["questions"][0]["incomingDate"] == "2026-03-02"
    assert sent(value, zone="Europe/Kaliningrad")["questions"][0]["incomingDate"] == "2026-03-02"
    assert sent(value, zone="UTC")["questions"][0]["incomingDate"] == "2026-03-01"


def test_a_letter_dated_after_its_coming_in_is_refused_unless_the_row_allows_to_move_the_day():
    letter = ReferralIn(number="14-05", date=date(2026, 3, 3))
    value = appeal(referrals=(letter,))
    assert refused(value) == {("/questions/0/incomingDate", "date_order")}
    moved = sent(value, incoming_not_before_letter=True)
    assert moved["questions"][0]["incomingDate"] == "2026-03-03"


def test_an_extension_is_written_as_the_row_says():
    value = appeal(question(extended=True))
    assert sent(value)["questions"][0]["status"] == "InWorkExtended"
    flagged = sent(value, extended_as="flag")["questions"][0]
    assert (flagged["status"], flagged["isExtend"]) == ("InWork", True)


def test_an_answer_goes_with_its_one_file():
    document = sent(appeal(question(**ANSWERED), answers=(answer(file()),)))
    (got,) = document["questions"]
    assert got["attachment"] == {"name": "Ответ.pdf", "content": "JVBERi0xLjQK"}
    assert got["responseDate"] == "2026-03-20"


def test_letters_that_do_not_end_the_consideration_are_not_the_answer():
    notice = answer(file(), kind=AnswerKind.NOTICE)
    wrong = refused(appeal(question(**ANSWERED), answers=(notice,)))
    assert wrong == {
        ("/questions/0/attachment", "required"), ("/questions/0/responseDate", "required"),
    }  # fmt: skip


def scanned(*scans, **options):
    """The appeal's answer with these files (name, bytes, more), and the context that has them."""
    named = {sha256(data).hexdigest(): data for _, data, *_ in scans}
    files = [
        file(sha256=sha256(data).hexdigest(), declared_name=name, **(more[0] if more else {}))
        for name, data, *more in scans
    ]
    value = appeal(question(**ANSWERED), answers=(answer(*files),))
    return value, replace(context(**options), files=named)


def attached(value, ctx):
    got = json.loads(encode(value, ctx).body)["questions"][0]["attachment"]
    return got["name"], base64.b64decode(got["content"])


def named_faults(value, ctx):
    with pytest.raises(ValidationError) as caught:
        encode(value, ctx)
    return {(v.path, v.code) for v in caught.value.violations}


def test_several_scans_become_one_pdf_in_their_order():
    value, ctx = scanned(
        ("Ответ 2.png", picture("PNG"), {"order": 2}),
        ("Ответ 1.jpg", picture("JPEG"), {"order": 1}),
        ("Ответ 3.pdf", pdf((10, 10), (20, 20)), {"order": 3}),
    )
    name, data = attached(value, ctx)
    assert name == "Ответ 1.pdf"
    assert [float(p.mediabox.width) for p in PdfReader(io.BytesIO(data)).pages][2:] == [10, 20]
    assert encode(value, ctx) == encode(value, ctx)


def test_the_text_of_the_answer_goes_alone_where_it_is_marked():
    value, ctx = scanned(
        ("Приложение.docx", b"PK", {"group": AttachmentGroup.ENCLOSURE}),
        ("Ответ.pdf", PDF, {"group": AttachmentGroup.TEXT}),
    )
    assert attached(value, ctx) == ("Ответ.pdf", PDF)


def test_one_file_goes_as_it_is_whatever_its_kind():
    assert attached(*scanned(("Ответ.docx", b"PK"))) == ("Ответ.docx", b"PK")


def test_a_file_that_cannot_be_merged_is_named():
    value, ctx = scanned(("Ответ.docx", b"PK"), ("Скан.png", picture("PNG")))
    assert named_faults(value, ctx) == {("/questions/0/attachment", "attachment_kind")}
    with pytest.raises(ValidationError) as caught:
        encode(value, ctx)
    assert caught.value.violations[0].found == "Ответ.docx"


def test_a_row_may_forbid_merging():
    value, ctx = scanned(("1.png", picture("PNG")), ("2.jpg", picture("JPEG")), merge=False)
    assert named_faults(value, ctx) == {("/questions/0/attachment", "attachment_count")}


def test_a_merged_file_has_to_fit_too():
    scans = ("1.png", picture("PNG")), ("2.jpg", picture("JPEG"))
    value, ctx = scanned(*scans, attachment_base64=1_000)
    assert named_faults(value, ctx) == {("/questions/0/attachment/content", "size")}
    value, ctx = scanned(*scans, merge_pages=1)
    assert named_faults(value, ctx) == {("/questions/0/attachment", "pages")}


def test_the_limit_of_a_file_is_the_rows():
    data = b"x" * 300
    value, ctx = scanned(("Ответ.pdf", data), attachment_base64=401)
    assert attached(value, ctx)[1] == data
    value, ctx = scanned(("Ответ.pdf", data), attachment_base64=400)
    assert named_faults(value, ctx) == {("/questions/0/attachment/content", "size")}


def test_a_file_is_refused_at_ten_million_characters_of_base64():
    largest, too_large = b"x" * 7_499_997, b"x" * 7_499_998
    for data, fits in ((largest, True), (too_large, False)):
        digest = sha256(data).hexdigest()
        value = appeal(question(**ANSWERED), answers=(answer(file(sha256=digest)),))
        ctx = replace(context(), files={digest: data})
        if fits:
            content = json.loads(encode(value, ctx).body)["questions"][0]["attachment"]["content"]
            assert len(content) == 9_999_996
        else:
            with pytest.raises(ValidationError) as caught:
                encode(value, ctx)
            (only,) = caught.value.violations
            assert (only.path, only.code) == ("/questions/0/attachment/content", "size")


def test_a_file_whose_bytes_are_gone_is_named():
    value = appeal(question(**ANSWERED), answers=(answer(file(sha256="0" * 64)),))
    assert refused(value) == {("/questions/0/attachment", "file")}


def test_a_question_sent_on_names_who_got_it():
    copy = TransferOut(to_org=Organisation(id=OURS), copy=True, number="копия")
    gone = TransferOut(
        questions=(1,), to_org=Organisation(id=THEIRS), date=date(2026, 3, 5), number="88"
    )
    returned = TransferOut(to_org=Organisation(id=OURS), number="вернули", accepted=False)
    value = appeal(question(state="transferred"), transfers=(gone, copy, returned))
    assert sent(value)["questions"][0]["transfer"] == {
        "departmentId": OTHER, "transferDate": "2026-03-05", "transferNumber": "88",
    }  # fmt: skip
    unknown = replace(gone, to_org=Organisation(full_name="Совхоз"), date=None, number="")
    assert refused(replace(value, transfers=(unknown,))) == {
        ("/questions/0/transfer/departmentId", "required"),
        ("/questions/0/transfer/transferDate", "required"),
        ("/questions/0/transfer/transferNumber", "required"),
    }


def test_everything_that_is_missing_is_named_at_once():
    bare = Appeal(questions=(Question(state="in_work"), Question(ordinal=2, state="declined")))
    assert refused(bare) >= {
        ("/departmentId", "required"), ("/number", "required"), ("/name", "required"),
        ("/questions/0/code", "code"), ("/questions/0/incomingDate", "required"),
        ("/questions/0/registrationDate", "required"), ("/questions/1/responseDate", "required"),
    }  # fmt: skip
    assert ("/questions", "required") in refused(Appeal())


def test_questions_of_two_bodies_are_two_reports():
    value = appeal(question(), question(ordinal=2, owner_org=Organisation(id=THEIRS)))
    assert refused(value) == {("/departmentId", "several")}


def test_the_peers_row_names_the_body_when_nothing_else_does():
    value = appeal(question(owner_org=None))
    registered = replace(value.registrations[0], organisation=None)
    assert (
        sent(replace(value, registrations=(registered,)), department_id=OTHER)["departmentId"]
        == OTHER
    )


def test_an_anonymous_letter_needs_the_rows_word_for_the_name():
    value = appeal(applicants=(Applicant(anonymous=True),))
    assert refused(value) == {("/name", "required")}
    assert sent(value, anonymous_name="Аноним")["name"] == "Аноним"


def test_what_is_not_an_appeal_is_not_reported():
    assert ("", "regime") in refused(appeal(regime=Regime.NOT_AN_APPEAL))


def test_an_extra_never_overwrites_what_is_known_and_is_checked_too():
    value = appeal(extras=(Extra(peer="sstu", path="/number", value="чужой"),
                           Extra(peer="sstu", path="/createDate", value="вчера")))  # fmt: skip
    assert refused(value) == {("/createDate", "date")}
    foreign = Extra(peer="medo", path="/urgent", value=True)
    assert "urgent" not in sent(appeal(extras=(foreign,)))


def test_the_same_appeal_gives_the_same_bytes_and_file_name():
    assert encode(appeal(), context()) == encode(appeal(), context())
    assert encode(appeal(), context()).name.endswith(".json")


def test_what_is_sent_agrees_with_the_described_schema(schema):
    documents = [
        sent(appeal()),
        sent(appeal(question(**ANSWERED), answers=(answer(file()),))),
        sent(appeal(question(extended=True)), extended_as="flag"),
    ]
    for document in documents:
        jsonschema.validate(document, schema)


def test_the_schema_and_the_rules_refuse_the_same_shapes(schema):
    good = sent(appeal())
    for path, value in (
        ("departmentId", "17"), ("format", "Paper"), ("questions", []), ("isDirect", None),
    ):  # fmt: skip
        bad = {**good, path: value}
        assert rules.check(bad)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(bad, schema)
