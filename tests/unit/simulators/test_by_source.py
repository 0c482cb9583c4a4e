"""Whose rule a refusal follows from: what a source shows, or what the simulator chose."""

from __future__ import annotations

import pytest
from lxml import etree

from simulators.amqp import rules as amqp
from simulators.asdou import rules as asdou
from simulators.edds import rules as edds
from simulators.incident import rules as incident
from simulators.open311 import rules as open311
from simulators.sadko import rules as sadko
from simulators.sed import rules as sed
from simulators.sstu import rules as sstu


def parted(rules, reasons):
    """Return the reasons that follow from a source, and the others."""
    sourced = [reason for reason in reasons if rules.BY_SOURCE.match(reason)]
    return sourced, [reason for reason in reasons if reason not in sourced]


def test_sstu():
    question = {
        "status": "Supported", "code": "17", "incomingDate": "2026-03-02",
        "registrationDate": "2026-03-01", "attachment": {"name": "a.pdf", "content": "="},
        "transfer": {},
    }  # fmt: skip
    document = {
        "departmentId": "17", "format": "Paper", "number": " ", "name": "И", "isDirect": False,
        "questions": [question, {"status": "Lost"}, {"status": "Transferred", "transfer": {}}],
    }  # fmt: skip
    sourced, ours = parted(sstu, sstu.refusals(document))
    assert set(sourced) >= {
        "Недопустимый формат format",
        "Не заполнено поле number",
        "Не указана дата сопроводительного письма createDate",
        "Вопрос 1: registrationDate раньше incomingDate",
        "Вопрос 1: Не указана дата responseDate",
        "Вопрос 1: Не указано actionsTaken (меры приняты)",
        "Вопрос 1: transfer допускается только для Transferred",
        "Вопрос 2: Неизвестное состояние 'Lost'",
        "Вопрос 3: Не указан номер transferNumber",
    }
    assert set(ours) == {
        "Не указан идентификатор органа departmentId",
        "Вопрос 1: Неверный код классификатора code",
        "Вопрос 1: Содержание вложения не base64",
        "Вопрос 3: Неверный код классификатора code",
        "Вопрос 3: Не заполнена организация - получатель сообщения",
    }


def test_sadko():
    sent = {
        "Card": {"Guid": "1"},
        "Resolution": {"Guid": "2", "Author": "А", "Executor": "Б"},
    }
    back = {
        "Card": {"Guid": "1", "More": 1, "ReceiveDate": "2026-03-01"},
        "Resolution": {"Guid": "3", "CreatedTime": "x", "Author": "А", "Executor": "Б"},
        "LetterDetail": {"Closed": True, "StatusId": 1},
        sadko.LATIN: {},
    }
    sourced, ours = parted(sadko, sadko.refusals(back, sent))
    assert {reason.partition(":")[0] for reason in sourced} == {
        "Неизвестная часть документа", sadko.LATIN, "Resolution", "Card.ReceiveDate",
        "Resolution.CreatedTime",
    }  # fmt: skip
    assert {reason.partition(":")[0] for reason in ours} == {
        "Card.More", "Card.ReceiveDate", "Resolution.Guid", sadko.RESULT,
    }  # fmt: skip


def test_incident():
    message = {"topics": ["snow"], "photos": []}
    answer = {"id": "1", "kind": "answer", "text": "", "photos": {}, "more": 1}
    sourced, ours = parted(incident, incident.refusals(answer, message, "closed"))
    assert len(sourced) == 2
    assert all("показывает место до и после" in reason for reason in sourced)
    assert len(ours) == 3


def test_amqp():
    event = {"id": "1", "source": "", "type": "", "subject": "", "time": "x"}
    sourced, ours = parted(amqp, amqp.refusals(event, "1", persistent=True))
    assert sourced == [f"Нет атрибута {name}" for name in ("specversion", "source", "type")]
    assert ours == ["Нет атрибута subject"]
    event = {
        "id": "1", "source": "s", "specversion": "1.0", "type": "x", "subject": "R", "time": "x",
        "data": {"appeal": {"receiptNumber": "R", "text": "личное"}},
    }  # fmt: skip
    sourced, ours = parted(amqp, amqp.refusals(event, "2", persistent=False))
    assert sourced == ["Неверное время события"]
    assert len(ours) == 4


def test_asdou():
    text = (
        "<FinalReport><reviewResult><type>LOST</type></reviewResult><date>завтра</date>"
        "</FinalReport>"
    )
    sourced, ours = parted(asdou, asdou.refusals("FinalReport", etree.fromstring(text)))
    assert sourced == ["reviewResult/type: неизвестный вид результата 'LOST'"]
    assert {"importId: не заполнено", "date: не дата"} <= set(ours)


def test_open311():
    told = open311.of_answer("json", 418, "text/html", [{}])
    told += open311.of_service({"service_code": "1", "metadata": "да", "type": "x"})
    told += open311.of_definition([{"order": 2, "datatype": "singlevaluelist", "code": "c"}])
    told += open311.of_receipt([], "batch") + open311.of_receipt([{}], "batch")
    request = {"status": "open", "address": "личное", "updated_datetime": "x"}
    request |= {"requested_datetime": "x"}
    assert parted(open311, told)[1] == []
    assert parted(open311, open311.of_request(request, ["личное"]))[1] == [
        "something personal came back"
    ]
    closed = dict.fromkeys(("requested_datetime", "updated_datetime"), "2026-03-01T00:00:00Z")
    reasons = open311.of_request({**closed, "status": "closed"}, [])
    assert parted(open311, reasons) == ([], ["closed, and nobody says how"])


def test_sed():
    sourced, ours = parted(sed, sed.refusals({"document.xml": b"<a/>"}))
    assert sourced[:2] == ["В папке нет envelope.ini", "document.xml: кодировка не windows-1251"]
    assert sourced[2].startswith("document.xml, строка 1")
    assert ours == []
    listed = "envelope.ini называет ['a'], в папке ['b']"
    assert parted(sed, [listed, "не PDF: a.pdf", "header/@uid не указан"])[0] == []


@pytest.mark.parametrize(("reason", "sourced"), [("SOAPAction x", True), ("Нет номера", False)])
def test_edds(reason, sourced):
    assert bool(edds.BY_SOURCE.match(reason)) == sourced
