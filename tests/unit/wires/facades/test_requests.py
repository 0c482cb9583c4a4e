"""`RequestExecutionService`: what a report becomes in the gateway, and what its sender is told."""

import base64
from datetime import date

import pytest

from gateway.errors import (
    BusyError,
    ConflictError,
    NotFoundError,
    StateError,
    ValidationError,
    Violation,
)
from gateway.wires import contract as c
from gateway.wires.facades import requests
from tests.unit.wires.facades.kit import Answer, Gateway, context, exchange, parts, receipt, soap

NS = requests.NAMESPACE
PARENT = "TK12V09W5EK"
FILE = base64.b64encode(b"%PDF-1.4 act").decode()


def attachment(name="акт.pdf"):
    inner = f"<name>{name}</name><content>{FILE}</content>"
    return f"<attachments><Attachment>{inner}</Attachment></attachments>"


def report(inner="", *, parent=PARENT, key="17_4_О", files="", operation="SendReport"):
    return (
        f'<{operation} xmlns="{NS}"><report>{files}<author><firstName>Анна</firstName>'
        "<lastName>Пробная</lastName></author><date>2026-11-19</date>"
        f"<importId>{key}</importId><parentId>{parent}</parentId><text>Лампа заменена</text>"
        f"{inner}</report></{operation}>"
    )


def final(kind="SUPPORTED", inner="<measuresTaken>true</measuresTaken>", besides="", files=""):
    result = f"{besides}<reviewResult><type>{kind}</type>{inner}</reviewResult>"
    return report(result, key="17_4_И", files=files, operation="SendFinalReport")


LETTER = (
    f"<resultDocument>{attachment('ответ.pdf')}<orgName>Комитет</orgName><orgSSTUId>77</orgSSTUId>"
    "<regDate>2026-11-18</regDate><regNumber>О-12/26</regNumber></resultDocument>"
)


def send(body, gateway=None, **options):
    gateway = gateway or Gateway()
    sealed = exchange(requests.endpoint(parts(gateway)), soap(body), **options)
    return Answer(sealed), gateway


def result(answer, operation="SendReport"):
    assert answer.tag == f"{{{NS}}}{operation}Response"
    inner = f"{operation}Result"
    return int(answer.text(f"{inner}/code")), answer.text(f"{inner}/message")


def test_a_report_is_stored_as_what_the_executor_says_of_the_work():
    answer, gateway = send(report(files=attachment()))

    assert result(answer) == (0, f"принято, обращение {PARENT} · accepted, appeal {PARENT}")
    status, file = gateway.asked
    assert status.report == c.StatusReport(
        message_key="17_4_О", key=c.AppealKey(receipt_number=PARENT), event="PeerStateReported",
        occurred_on=date(2026, 11, 19), peer_state="REPORT", comment="Лампа заменена",
        executor=c.Executor(name="Пробная Анна"),
    )  # fmt: skip
    assert (file.owner_key, file.file_name, file.content, file.message_key) == (
        c.AppealKey(receipt_number=PARENT), "акт.pdf", b"%PDF-1.4 act", "17_4_О#1",
    )  # fmt: skip


@pytest.mark.parametrize("kind", sorted(requests.OUTCOMES))
def test_a_final_report_is_the_answer(kind):
    inner = f"<measuresTaken>true</measuresTaken><replyDate>2026-11-19</replyDate>{LETTER}"
    answer, gateway = send(final(kind, inner, files=attachment()))

    assert result(answer, "SendFinalReport")[0] == 0
    given = gateway.asked[0].answer
    assert (given.message_key, given.kind, given.number) == ("17_4_И", "final", "О-12/26")
    assert (given.date, given.text) == (date(2026, 11, 19), "Лампа заменена")
    assert given.outcome == c.Outcome(result=requests.OUTCOMES[kind], actions_taken=True)
    assert given.signed_by == "Пробная Анна"
    assert [file.file_name for file in given.attachments] == ["ответ.pdf", "акт.pdf"]
    assert not given.deliver_to_applicant


def test_what_an_answer_has_no_place_for_is_kept_for_people_and_not_for_the_citizen():
    besides = "<infos><string>звонили</string></infos>"
    besides += "<clCodeList><string>0005.0005.0055.1122</string></clCodeList>"
    _, gateway = send(final(besides=besides, inner=f"<measuresTaken>true</measuresTaken>{LETTER}"))

    answer, told = gateway.asked
    assert "звонили" not in answer.answer.text
    assert told.report.message_key == "17_4_И#infos"
    assert told.report.comment.splitlines() == [
        "infos: звонили", "clCodeList: 0005.0005.0055.1122", "orgName: Комитет", "orgSSTUId: 77",
    ]  # fmt: skip


def test_a_transfer_is_no_answer():
    answer, gateway = send(final("TRANSFERRED", LETTER))

    assert result(answer, "SendFinalReport")[0] == 0
    moved, file, *_ = gateway.asked
    assert moved.report.event == "Transferred"
    assert moved.report.transfer == c.Transfer(
        to_organisation="77", date=date(2026, 11, 18), number="О-12/26"
    )
    assert file.file_name == "ответ.pdf"


def test_the_parent_is_our_number_or_else_the_senders_own():
    seen = []

    def only_external(request, _context):
        seen.append(request.report.key)
        if request.report.key.receipt_number:
            raise NotFoundError("no appeal of yours has this key")
        return c.SubmitStatusResponse(receipt=receipt())

    answer, _ = send(report(), Gateway(SubmitStatus=only_external))
    assert result(answer)[0] == 0
    assert seen == [c.AppealKey(receipt_number=PARENT), c.AppealKey(external_id=PARENT)]
    seen.clear()
    send(report(parent="А26-01-00012345"), Gateway(SubmitStatus=only_external))
    assert seen == [c.AppealKey(external_id="А26-01-00012345")]


VALIDATION = ValidationError(
    "lacks", (Violation("Outcome/ActionsTaken", "required", "нужно: приняты ли меры"),)
)


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (VALIDATION, 1, "reviewResult/measuresTaken: нужно: приняты ли меры"),
        (NotFoundError("no appeal of yours has this key"), 2, "no appeal of yours has this key"),
        (ConflictError("this key was used before for other content"), 3, "used before"),
        (StateError("the appeal is closed"), 4, "the appeal is closed"),
    ],
)
def test_a_report_that_is_not_taken_gets_its_code_and_why(error, code, words):
    answer, gateway = send(final(), Gateway(SubmitAnswer=error))
    assert gateway.kept == []  # by the gateway itself
    got, message = result(answer, "SendFinalReport")
    assert got == code
    russian, english = message.split(" · ", 1)
    assert russian.startswith("отчёт не принят")
    assert english.startswith("not taken")
    assert words in message


def test_a_file_that_is_too_large_is_refused_before_anything_is_stored(monkeypatch):
    monkeypatch.setattr(requests.limits, "ATTACHMENT_INLINE_BYTES", 5)
    answer, gateway = send(report(files=attachment()))
    assert result(answer)[0] == 1
    assert "attachments[1]" in result(answer)[1]
    assert (gateway.asked, gateway.kept) == ([], [("SendReport", "too_large")])


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("акт.pdf", "application/pdf"),
        ("АКТ.PDF", "application/pdf"),
        ("фото.jpeg", "image/jpeg"),
        ("pdf", None),
        ("акт.неизвестно", None),
    ],
)
def test_a_file_is_what_its_name_says_wherever_it_stands(name, kind):
    _, gateway = send(report(files=attachment(name)))
    assert gateway.asked[1].media_type == kind
    _, gateway = send(final(files=attachment(name)))
    assert gateway.asked[0].answer.attachments[0].media_type == kind


def test_our_own_trouble_is_a_typed_fault_of_this_contract():
    answer, _ = send(report(), Gateway(SubmitStatus=BusyError("the queue is full", retry_after=7)))
    assert (answer.fault, answer.status, answer.code) == (True, 500, "Server")
    assert answer.tag == f"{{{NS}}}ServiceFault"
    assert answer.text("Code") == "busy"
    assert answer.text("RetryAfterSeconds") == "7"
    assert answer.text("CorrelationId") == "corr-1"
    requests.FACADE.contract.validate(answer.element)


def test_what_breaks_the_schema_is_told_by_path_in_this_contracts_words():
    answer, gateway = send(report().replace("<date>2026-11-19</date>", ""))
    assert (answer.fault, answer.text("Code"), gateway.asked) == (True, "validation", [])
    assert answer.text("Errors/FieldError/Path") == "/SendReport/report/importId"
    assert answer.text("Errors/FieldError/Expected") == "date"
    requests.FACADE.contract.validate(answer.element)


def test_a_repeat_says_the_same_and_the_wire_says_that_it_is_one():
    def again(_request, within):
        within.repeat = True
        return c.SubmitStatusResponse(receipt=receipt())

    def fresh(_request, within):
        within.repeat = False
        return c.AttachFileResponse(attachment_id="a" * 64, sha256="a" * 64)

    first, _ = send(report(files=attachment()))
    within = context()
    repeat, _ = send(
        report(files=attachment()), Gateway(SubmitStatus=again, AttachFile=fresh), within=within
    )
    assert result(repeat) == result(first)
    assert within.repeat


def test_every_word_of_the_source_has_its_place():
    assert {*requests.OUTCOMES, requests.TRANSFERRED} == {
        "ANSWERED", "EXPLAINED", "LEFTWITHOUTANSWER", "NOTSUPPORTED", "SUPPORTED", "TRANSFERRED",
    }  # fmt: skip
