"""Appeal and event → the call of RequestExecutionService that tells of it, as plain values.

An executor that is not responsible sends a report; the responsible one sends a report and, once no
question is open, a final report. The report that goes before a final one is the final one without
its result (`report_of`), so one delivery stands for both. Nothing is guessed: what a call needs and
the appeal does not hold is named, all of it at once.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from adapters.regional.asdou.codes import (
    FINAL,
    IMPORT_ID,
    OPERATIONS,
    OWN_ID,
    PEER,
    REPORT,
    SUFFIXES,
    Tables,
)
from gateway import limits
from gateway.errors import UnsupportedError, ValidationError, Violation
from gateway.model import facts as f
from gateway.model.answer import Answer, AnswerKind, Result
from gateway.model.assignment import Assignment
from gateway.model.base import NIL, ExternalRef
from gateway.model.events import Event, EventType, State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.adapter import EncodeContext
    from gateway.model.appeal import Appeal
    from gateway.model.assignment import TransferOut
    from gateway.model.base import Day
    from gateway.model.question import Question

_ENDS: Final = {
    EventType.ANSWERED: None,
    EventType.DECLINED: Result.LEFT_WITHOUT_ANSWER,
    EventType.TRANSFERRED: Result.TRANSFERRED,
}
_NAME_PARTS: Final = ("lastName", "firstName", "middleName")


class Site(NamedTuple):
    """What the peer's row says of one site.

    author: who signs where the answer names nobody. responsible: what counts when nobody told
    whether the executor is. org_name, org_sstu_id: the body in `resultDocument`.
    """

    tables: Tables
    classifier: str = "sstu"
    author: str = ""
    responsible: bool = True
    org_name: str = ""
    org_sstu_id: str = ""


class Call(NamedTuple):
    """An operation and its one argument, as zeep takes it."""

    operation: str
    name: str
    values: dict[str, Any]


class _Told(NamedTuple):
    appeal: Appeal
    event: Event
    ctx: EncodeContext
    site: Site
    assignment: Assignment
    wrong: list[Violation]

    def lacks(self, path: str, message: str, found: str = "") -> None:
        self.wrong.append(Violation(path, "required", message, found))

    @property
    def questions(self) -> list[Question]:
        """The questions of the assignment; all where it names none."""
        asked = self.assignment.questions
        return [q for q in self.appeal.questions if not asked or q.ordinal in asked]

    @property
    def answer(self) -> Answer | None:
        """The letter that the event tells of."""
        if not isinstance(self.event.payload, f.AnswerFacts):
            return None
        kind = AnswerKind(self.event.payload.kind)
        letters = [a for a in self.appeal.answers if a.kind is kind]
        named = (a for a in letters if self.ctx.letter and str(a.id) == self.ctx.letter)
        return next(named, letters[-1] if letters else None)

    @property
    def transfer(self) -> TransferOut | None:
        """The last transfer, of the event's question where it names one."""
        ordinal = self.event.question
        for transfer in reversed(self.appeal.transfers):
            if ordinal is None or not transfer.questions or ordinal in transfer.questions:
                return transfer
        return None

    @property
    def on(self) -> Day:
        at = self.event.occurred_at
        return at.date() if isinstance(at, datetime) else at


def encode(appeal: Appeal, event: Event | None, ctx: EncodeContext, site: Site) -> Call:
    """Return the call; raise UnsupportedError or ValidationError."""
    if event is None or not _has_word(event):
        raise UnsupportedError(
            "АС ДОУ has no word for this", found=event.type if event else "no event"
        )
    wrong: list[Violation] = []
    told = _Told(appeal, event, ctx, site, _assignment(appeal, event, ctx, wrong), wrong)
    name = FINAL if _is_final(told) else REPORT
    values = _report(told, name)
    if name == FINAL:
        codes = _codes(told)
        if codes:
            values["clCodeList"] = {"clCode": codes}
        values["reviewResult"] = _review(told)
    elif not values.get("text") and not values.get("attachments"):
        told.lacks(f"/{REPORT}/text", "a report has a text or a file")
    if wrong:
        raise ValidationError("АС ДОУ cannot be told this", tuple(wrong))
    return Call(OPERATIONS[name], name, values)


def _has_word(event: Event) -> bool:
    if event.type is EventType.LETTER_SENT:
        facts = event.payload
        return isinstance(facts, f.AnswerFacts) and facts.kind == AnswerKind.INTERIM
    return event.type in _ENDS


def _assignment(
    appeal: Appeal, event: Event, ctx: EncodeContext, wrong: list[Violation]
) -> Assignment:
    """The assignment of АС ДОУ that the event is about; the appeal's import id stands for one."""
    known = [a for a in appeal.assignments if _ref(a.refs, IMPORT_ID)]
    for assignment in known:
        asked = assignment.questions
        if event.question is None or not asked or event.question in asked:
            return assignment
    if number := _ref(appeal.refs, IMPORT_ID) or _own_number(appeal, ctx):
        return Assignment(refs=(ExternalRef(peer=PEER, kind=IMPORT_ID, value=number),))
    message = "no assignment of АС ДОУ is known: import id of the incoming resolution"
    wrong.append(Violation("/parentId", "required", message))
    return Assignment()


def _own_number(appeal: Appeal, ctx: EncodeContext) -> str:
    """The number under which the system's own row submitted the appeal: its import id."""
    if not ctx.peer or appeal.source_peer != ctx.peer:
        return ""
    return next((ref.value for ref in appeal.refs if ref.kind == "external_id"), "")


def _is_final(told: _Told) -> bool:
    responsible = told.assignment.responsible
    if responsible is None:
        responsible = told.site.responsible
    if not responsible or told.event.type is EventType.LETTER_SENT:
        return False
    return all(not State(q.state).is_open for q in told.questions)


def _report(told: _Told, name: str) -> dict[str, Any]:
    parent_id = _ref(told.assignment.refs, IMPORT_ID)
    answer = told.answer
    values = {
        "author": _author(told, name),
        "date": told.on,
        "importId": f"{_letter(told)}_{_resolution(told.assignment, parent_id)}{SUFFIXES[name]}",
        "parentId": parent_id,
    }
    text = (answer.text if answer else "") or _words(told)
    if name == FINAL and not text and answer and answer.number:
        text = f"Дан ответ № {answer.number}"  # the report before it must say something
    if text:
        values["text"] = text
    if name == REPORT and (files := _files(told, answer, f"/{name}")):
        values["attachments"] = {"attachment": files}
    return values


def _letter(told: _Told) -> str:
    """What stands for the answer in an importId: its number in this house, else its id."""
    answer = told.answer
    own = _ref(answer.refs, OWN_ID) if answer else ""
    cause = told.event.cause  # of several questions that ended by one word, all have it
    return own or told.ctx.letter or (str(cause) if cause else _numbered(told))


def _numbered(told: _Told) -> str:
    return f"{told.appeal.receipt_number}-{told.event.seq}"


def _resolution(assignment: Assignment, parent_id: str) -> str:
    own = _ref(assignment.refs, OWN_ID)
    return own or (str(assignment.id) if assignment.id != NIL else parent_id)


def _words(told: _Told) -> str:
    """What is said of an end that no letter tells of."""
    transfer = told.transfer
    if told.event.type is EventType.TRANSFERRED and transfer:
        body = transfer.to_org.full_name if transfer.to_org else ""
        parts = ("Направлено по компетенции", body, transfer.number and f"№ {transfer.number}")
        return ", ".join(filter(None, parts))
    facts = told.event.payload
    if isinstance(facts, f.DeclineFacts):
        return f"Оставлено без ответа по существу: ч. {facts.part} ст. {facts.article} 59-ФЗ"
    return ""


def _author(told: _Told, name: str) -> dict[str, str]:
    answer = told.answer
    officer = answer.signed_by if answer else None
    if officer and officer.family:
        values = (officer.family, officer.given, officer.patronymic)
    else:
        words = ((officer.name if officer else "") or told.site.author).split(maxsplit=2)
        values = tuple([*words, "", "", ""][:3])  # type: ignore[assignment]
    if not values[0]:
        told.lacks(f"/{name}/author/lastName", "who signed the answer, or options.author")
    return {part: value for part, value in zip(_NAME_PARTS, values, strict=True) if value}


def _codes(told: _Told) -> list[str]:
    found = (
        topic.code.value
        for question in told.questions
        for topic in question.topics
        if topic.code.system == told.site.classifier
    )
    return list(dict.fromkeys(found))


def _review(told: _Told) -> dict[str, Any]:
    path = f"/{FINAL}/reviewResult"
    question = _reviewed(told)
    outcome = question.outcome if question else None
    result = _ENDS.get(told.event.type) or (outcome.result if outcome else None)
    word = told.site.tables.results.get(result) if result else None
    if word is None:
        found = result.value if result else ""
        told.lacks(f"{path}/type", "the result of the consideration", found)
    review: dict[str, Any] = {"type": word}
    if result is Result.SUPPORTED:
        if outcome is None or outcome.actions_taken is None:
            told.lacks(f"{path}/measuresTaken", "whether measures were taken, when supported")
        else:
            review["measuresTaken"] = outcome.actions_taken
    answer = told.answer
    review["replyDate"] = (answer.date if answer else None) or told.on
    document = _document(told, answer, f"{path}/resultDocument")
    if document:
        review["resultDocument"] = document
    return review


def _reviewed(told: _Told) -> Question | None:
    """The question whose result is told: of several that one letter answers always the first.

    Each of them is an event of its own; they make one report, which is then known as a repeat.
    """
    answered = told.answer.questions if told.answer else ()
    asked = answered or (told.event.question,)
    named = [q for q in told.questions if q.ordinal in asked]
    return next(iter(named or told.questions), None)


def _document(told: _Told, answer: Answer | None, path: str) -> dict[str, Any]:
    """The letter that ended it: of an answer, or of a transfer."""
    letter = answer or (told.transfer if told.event.type is EventType.TRANSFERRED else None)
    if letter is None:
        return {}
    if told.event.type is EventType.ANSWERED and not letter.number:
        told.lacks(f"{path}/regNumber", "the number of the answer")
    owner = next((q.owner_org for q in told.questions if q.owner_org), None)
    body = (answer.organisation if answer else None) or owner
    known = told.ctx.organisation_ids.get(str(body.id), {}) if body else {}
    guid = (body.id_in("sstu") if body else "") or known.get("sstu", "") or told.site.org_sstu_id
    files = _files(told, answer, path)
    values = {
        "attachments": {"attachment": files} if files else None,
        "orgName": (body.full_name if body else "") or told.site.org_name,
        "orgSSTUId": guid,
        "regDate": letter.date,
        "regNumber": letter.number,
    }
    return {name: value for name, value in values.items() if value}


def _files(told: _Told, answer: Answer | None, path: str) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    for n, file in enumerate(answer.attachments if answer else (), 1):
        place = f"{path}/attachments/attachment[{n}]"
        data = told.ctx.files.get(file.sha256)
        if data is None:
            message = "the bytes of the file are not here"
            told.wrong.append(Violation(place, "file", message, file.sha256))
        elif len(data) > limits.ATTACHMENT_INLINE_BYTES:
            most = f"at most {limits.ATTACHMENT_INLINE_BYTES} bytes"
            message = "the file is too large to stand in the envelope"
            told.wrong.append(Violation(place, "size", message, f"{len(data)} bytes", most))
        else:
            name = file.declared_name or f"{file.sha256[:8]}.bin"
            out.append({"name": name, "content": data})
    return out


def _ref(refs: Iterable[ExternalRef], kind: str) -> str:
    return next((ref.value for ref in refs if ref.peer == PEER and ref.kind == kind), "")
