"""Appeal and event → the document of САДКО.ОГ's outbox (`OutboxResol`).

The card is an echo of what came, its extras included. The resolution goes back with author and
executor exchanged: whoever was asked is the author now. Nothing is guessed: what the document needs
and the appeal does not hold is named, all of it at once.
"""

from __future__ import annotations

import base64
import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from adapters.regional.sadko import parts
from adapters.regional.sadko.codes import CARD, DETAIL, LETTER, PATCH, PEER, RESOLUTION, RESULT
from adapters.regional.sadko.fields import local, midnight, number, put, written
from adapters.regional.sadko.restore import exchanged
from gateway.adapter import EncodeContext, Wire
from gateway.errors import UnsupportedError, ValidationError, Violation
from gateway.model import facts as f
from gateway.model.answer import Answer, AnswerKind, Outcome, Result
from gateway.model.assignment import Assignment
from gateway.model.events import Event, EventType, State

if TYPE_CHECKING:
    from adapters.regional.sadko.codes import Status
    from adapters.regional.sadko.decode import Reading
    from gateway.jsonfields import Fields
    from gateway.model.appeal import Appeal
    from gateway.model.question import Question

_NAMES: Final = uuid.UUID("0c3f5d52-4a6e-4f0b-8a3d-5b3d6d6f1e51")
"""Namespace of the Guids of resolutions and files that have none of the peer's own."""
_ENDS: Final = {
    EventType.DECLINED: Result.LEFT_WITHOUT_ANSWER,
    EventType.TRANSFERRED: Result.TRANSFERRED,
}


class _Told(NamedTuple):
    """Everything that one document is made of."""

    appeal: Appeal
    event: Event
    ctx: EncodeContext
    how: Reading
    officer: str
    wrong: list[Violation]

    def lacks(self, path: str, message: str, found: str = "") -> None:
        """Note what the document needs."""
        self.wrong.append(Violation(path, "required", message, found))

    @property
    def question(self) -> Question | None:
        """The question that the event is about: the one it names, else the first."""
        questions = self.appeal.questions
        named = (q for q in questions if q.ordinal == self.event.question)
        return next(named, questions[0] if questions else None)

    @property
    def answer(self) -> Answer | None:
        """The letter that the event tells of."""
        if self.event.type is not EventType.ANSWERED:
            return None
        letters = [a for a in self.appeal.answers if a.kind is AnswerKind.FINAL]
        named = (a for a in letters if self.ctx.letter and str(a.id) == self.ctx.letter)
        return next(named, letters[-1] if letters else None)

    @property
    def at(self) -> str:
        """When it happened, as the system writes instants."""
        moment = self.event.occurred_at
        return local(moment, self.how.zone) if isinstance(moment, datetime) else midnight(moment)


def encode(
    appeal: Appeal, event: Event | None, ctx: EncodeContext, how: Reading, *, officer: str = ""
) -> Wire:
    """Return the document; raise UnsupportedError or ValidationError.

    officer: who signs where the event names nobody.
    """
    status = how.tables.statuses.get(event.type) if event else None
    if event is None or status is None:
        raise UnsupportedError(
            "САДКО.ОГ has no word for this", found=event.type if event else "no event"
        )
    told = _Told(appeal, event, ctx, how, officer, [])
    kind, guid = parts.card_guid(appeal)
    if not guid:
        told.lacks(f"/{CARD}/Guid", "the appeal did not come from САДКО.ОГ: it has no card there")
    document: Fields = {
        CARD if kind != "letterGuid" else LETTER: parts.card(appeal, how, {}),
        RESOLUTION: _resolution(told, guid),
        DETAIL: _detail(told, status),
    }
    if event.type in _ENDS or event.type is EventType.ANSWERED:
        document[RESULT] = _result(told)
    put(document, tuple(e for e in appeal.extras if e.path.count("/") > 1))
    for applicant in appeal.applicants:
        put(document, applicant.extras)
    if told.wrong:
        raise ValidationError("САДКО.ОГ cannot be told this", tuple(told.wrong))
    return Wire(media_type=PATCH, body=written(document))


def _resolution(told: _Told, guid: str) -> Fields:
    """The resolution that came, with author and executor exchanged; one of ours where none did."""
    appeal, how = told.appeal, told.how
    assignment = next(iter(appeal.assignments), Assignment())
    out = parts.resolution(assignment, appeal.questions, how, {})
    put(out, assignment.extras)
    if not out.get("Executor"):
        out |= parts.told({"Executor": _signer(told)})
    if not out.get("Author"):
        sender = next((r.from_org for r in appeal.referrals if r.from_org), None)
        out |= parts.told({"Author": sender.full_name if sender else ""})
    out = exchanged(out)
    for name, why in (
        ("Author", "who executed it: the resolution, the signer or options.officer"),
        ("Executor", "whom to answer: the resolution's author or the card's ReceivedFrom"),
    ):
        if not out.get(name):
            told.lacks(f"/{RESOLUTION}/{name}", why)
    out.setdefault("Guid", str(uuid.uuid5(_NAMES, guid)))
    out["CreatedTime"] = told.at
    facts = told.event.payload
    if isinstance(facts, f.ExtensionFacts):
        if facts.new_due is None:
            told.lacks(f"/{RESOLUTION}/ControlDate", "the new term of an extension")
        else:
            out["ControlDate"] = midnight(facts.new_due)
    files = _files(told)
    out.pop("Files", None)
    return out | parts.told({"Files": files})


def _files(told: _Told) -> list[Fields]:
    out: list[Fields] = []
    answer = told.answer
    for file in answer.attachments if answer else ():
        data = told.ctx.files.get(file.sha256)
        if data is None:
            path = f"/{RESOLUTION}/Files/{len(out)}/Data"
            message = "the bytes of the file are not here"
            told.wrong.append(Violation(path, "file", message, file.sha256))
            continue
        guid = parts.guid_of(file.refs) or str(uuid.uuid5(_NAMES, file.sha256))
        content = base64.b64encode(data).decode()
        name = file.declared_name or f"{file.sha256[:8]}.bin"
        out.append({"Name": name, "Guid": guid, "Data": content})
    return out


def _detail(told: _Told, status: Status) -> Fields:
    appeal, answer = told.appeal, told.answer
    closed = all(not State(q.state).is_open for q in appeal.questions)
    out: dict[str, Any] = {"Closed": closed and told.event.type in {*_ENDS, EventType.ANSWERED}}
    label = status.label
    facts = told.event.payload
    if isinstance(facts, f.RegistrationFacts) and facts.number:
        label += f" № {facts.number}" + (f" от {facts.date:%d.%m.%Y}" if facts.date else "")
    if told.event.type is EventType.ANSWERED:
        text = answer.text if answer else ""
        if answer is None or not (text or answer.attachments):
            told.lacks(f"/{DETAIL}/TextAnswer", "an answer has a text or a file")
        out |= {"TextAnswer": text, "Sended": told.at, "SendTypeId": _send_type(told)}
        out["EmployeeSended"] = _signer(told)
    return parts.told(out | {"Status": label, "StatusId": status.id})


def _send_type(told: _Told) -> int | None:
    """How the applicant wants to be answered, as the card says it."""
    for applicant in told.appeal.applicants:
        for extra in applicant.extras:
            asked = extra.peer == PEER and extra.path.endswith("/CitizenAnswerSendTypeId")
            if asked and isinstance(extra.value, int):
                return extra.value
    return told.how.tables.send.otherwise


def _signer(told: _Told) -> str:
    answer = told.answer
    return (answer.signed_by.name if answer and answer.signed_by else "") or told.officer


def _result(told: _Told) -> Fields:
    question, how = told.question, told.how
    outcome = (question.outcome if question else None) or Outcome()
    result = _ENDS.get(told.event.type) or outcome.result
    code = number(outcome.peer_result) if outcome.peer_result else None
    if code is None and result is not None:
        code = how.tables.results.get(result)
    if code is None:
        found = result.value if result else ""
        told.lacks(f"/{RESULT}/ResultId", "the result, in the table `results`", found)
    topics = question.topics if question else ()
    topic = next((t.code.value for t in topics if t.code.system == how.classifier), None)
    responded = question.response_date if question else None
    answer, measures = told.answer, how.tables.measures
    taken = {True: measures.taken, False: measures.not_taken, None: None}[outcome.actions_taken]
    on = responded or (answer.date if answer else None) or _day(told.event)
    out = {
        "Code": topic,
        "ResultId": code,
        "InspectionTypeId": number(outcome.inspection_type),
        "AddControlMeasureId": number(outcome.additional_control),
        "TakenMeasuresId": number(outcome.measures) if outcome.measures else taken,
        "ResponseDate": midnight(on),
        "HeadSign": (outcome.decided_by.name if outcome.decided_by else "") or _signer(told),
    }
    return parts.told(out)


def _day(event: Event) -> Any:
    at = event.occurred_at
    return at.date() if isinstance(at, datetime) else at
