"""Writes a decoded item back in the format it came in, leaf by leaf."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters.regional.sadko import parts
from adapters.regional.sadko.codes import CARD, DETAIL, GUID, JSON, LETTER, RESOLUTION, RESULT
from adapters.regional.sadko.fields import local, midnight, number, put, written
from gateway.adapter import Inbound, Wire
from gateway.errors import UnsupportedError

if TYPE_CHECKING:
    from adapters.regional.sadko.decode import Reading
    from gateway.jsonfields import Fields
    from gateway.model.answer import Answer
    from gateway.model.appeal import Appeal
    from gateway.model.question import Question


def restore(item: Inbound, how: Reading) -> Wire:
    """Return the document that an item was decoded from; raise UnsupportedError for another."""
    appeal = item.appeal
    if appeal is None:
        raise UnsupportedError("nothing of САДКО.ОГ", found=item.operation)
    files = {file.sha256: file.data for file in item.files if isinstance(file.data, bytes)}
    document: dict[str, Any] = {
        CARD if parts.card_guid(appeal)[0] == GUID else LETTER: parts.card(appeal, how, files)
    }
    first = appeal.questions[0]
    answered = bool(appeal.answers) or first.outcome is not None
    for assignment in appeal.assignments:
        resolution = parts.resolution(assignment, appeal.questions, how, files)
        resolution = exchanged(resolution) if answered else resolution
        put(resolution, assignment.extras)
        document[RESOLUTION] = resolution
    for answer in appeal.answers:
        document[DETAIL] = _detail(answer, first, how)
    if first.outcome is not None:
        document[RESULT] = _result(first)
    _put_card(document, appeal)
    return Wire(media_type=JSON, body=written(document), name="item.json")


def exchanged(resolution: Fields) -> Fields:
    """Return a resolution with author and executor in each other's place, as it travels back."""
    author, executor = resolution.pop("Author", None), resolution.pop("Executor", None)
    return resolution | parts.told({"Author": executor, "Executor": author})


def _put_card(document: Fields, appeal: Appeal) -> None:
    put(document, appeal.extras)
    for applicant in appeal.applicants:
        put(document, applicant.extras)


def _detail(answer: Answer, question: Question, how: Reading) -> Fields:
    out: dict[str, Any] = {"TextAnswer": answer.text}
    for delivery in answer.deliveries:
        out["SendTypeId"] = number(delivery.channel)
        out["Sended"] = local(delivery.sent_at, how.zone) if delivery.sent_at else None
        out["EmployeeSended"] = delivery.sent_by.name if delivery.sent_by else None
    for state in question.peer_states:
        out["StatusId"] = int(state.code) if state.code.isdecimal() else state.code
        out["Status"] = state.label
    out = parts.told(out)
    put(out, answer.extras)
    return out


def _result(question: Question) -> Fields:
    outcome = question.outcome
    assert outcome is not None
    responded = question.response_date
    out = parts.told(
        {
            "ResultId": number(outcome.peer_result),
            "InspectionTypeId": number(outcome.inspection_type),
            "AddControlMeasureId": number(outcome.additional_control),
            "TakenMeasuresId": number(outcome.measures),
            "ResponseDate": midnight(responded) if responded else None,
            "HeadSign": outcome.decided_by.name if outcome.decided_by else None,
        }
    )
    put(out, outcome.extras)
    return out
