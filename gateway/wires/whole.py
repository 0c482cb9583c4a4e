"""GetAppeal: one appeal with its answers and files, as far as its reader may see them.

An appeal that was merged is shown as its sender gave it, and where it stands is read from the one
it was merged into, as GetStatus does. What others said to that one is shown as that one is shown to
the reader; to whom it is another sender's, and was not given, no more than `gateway.sharing` says.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID, uuid5

from msgspec.structs import replace

from gateway import additions, places, sharing
from gateway.disclosure import Level
from gateway.model.appeal import Appeal
from gateway.model.base import NIL
from gateway.store import history, reading, work
from gateway.wires import contract as c
from gateway.wires import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg import Connection

    from gateway.access.policy import Caller
    from gateway.additions import Letter
    from gateway.model.answer import Answer
    from gateway.model.attachment import Attachment
    from gateway.model.base import Day
    from gateway.model.facts import OutcomeFacts
    from gateway.model.question import Question


class Side(NamedTuple):
    """One appeal as its reader may see it.

    seen: with its letters and later files; content: the same, None once personal data was erased.
    told: id of an answer → its day and outcome. files: rows of all its files. shared: it is another
    sender's, and the reader knows of it only because its own was merged into it.
    """

    head: Any
    level: Level
    shared: bool
    seen: Appeal
    content: Appeal | None
    told: Mapping[UUID, tuple[Day, OutcomeFacts | None]]
    questions: Sequence[Any]
    registrations: Sequence[Any]
    files: Sequence[Any]


def read(
    connection: Connection[Any], appeal_id: UUID, caller: Caller, *, with_text: bool
) -> c.AppealOut:
    """Return an appeal that the caller may see."""
    stands_id = work.merged_into(connection, [appeal_id]).get(appeal_id, appeal_id)
    ids = [appeal_id, stands_id]
    heads = {row.id: row for row in reading.rows(connection, reading.APPEALS, ids)}
    stranger = stands_id != appeal_id and not reading.sees(connection, caller.peer, stands_id)
    sides = {
        one: _side(connection, head, caller, shared=stranger and one == stands_id)
        for one, head in heads.items()
    }
    due = shown.due_of(reading.rows(connection, reading.DUE, [stands_id])).get(stands_id, {})
    return _out(sides[appeal_id], sides[stands_id], due, with_text=with_text)


def seen(connection: Connection[Any], appeal_id: UUID, caller: Caller, *, shared: bool) -> Appeal:
    """Return what a caller sees of an appeal with everything that was added to it."""
    [head] = reading.rows(connection, reading.APPEALS, [appeal_id])
    return _side(connection, head, caller, shared=shared).seen


def _side(connection: Connection[Any], head: Any, caller: Caller, *, shared: bool) -> Side:
    stored = reading.rows(connection, reading.CONTENT, head.id, head.content_id)
    content = shown.content_of(stored)
    events = history.load(connection, [head.id])
    texts = additions.texts(connection, events)
    content = places.told(content, events[head.id], texts) if content else None
    letters = additions.letters(events[head.id], texts)
    founding = events[head.id][0].cause
    whole, told = _with_letters(content or Appeal(), head.id, letters, founding)
    known = additions.known_files(connection, {head.id: whole}, events)[head.id]
    later = additions.attached(events[head.id], texts)
    level = shown.level_for(head, caller)
    added = additions.with_files(whole, later, known)
    seen = sharing.shared(added, level) if shared else shown.disclosed(added, head, caller)
    return Side(
        head=head,
        level=level,
        shared=shared,
        seen=seen,
        content=seen if content else None,
        told=told,
        questions=reading.rows(connection, reading.QUESTIONS, [head.id]),
        registrations=reading.rows(connection, reading.REGISTRATIONS, head.id),
        files=reading.rows(connection, reading.ATTACHMENTS, head.id),
    )


def _with_letters(
    appeal: Appeal, appeal_id: UUID, letters: Sequence[Letter], founding: UUID | None
) -> tuple[Appeal, dict[UUID, tuple[Day, OutcomeFacts | None]]]:
    """Return an appeal with its letters, and the day and outcome of each.

    founding: the message that the appeal came with. A document that came with answers in it has
    also told of them as events, which say when; the answer itself is the document's.
    """
    answers: list[Answer] = []
    told: dict[UUID, tuple[Day, OutcomeFacts | None]] = {}
    restated: set[UUID] = set()
    for place, answer in enumerate(appeal.answers):
        same = next(
            (x for x in letters if x.cause == founding and _overlap(answer, x.answer)), None
        )
        day = answer.date or (same.day if same else None)
        if same is not None:
            restated.add(same.answer.id)
        if day is None:  # the contract's answer has a date, and nobody told one
            continue
        own = uuid5(appeal_id, f"answer/{place}") if answer.id == NIL else answer.id
        answers.append(replace(answer, id=own))
        told[own] = (day, same.outcome if same else None)
    for letter in letters:
        if letter.answer.id not in restated:
            answers.append(letter.answer)
            told[letter.answer.id] = (letter.day, letter.outcome)
    return replace(appeal, answers=tuple(answers)), told


def _overlap(one: Answer, other: Answer) -> bool:
    both = set(one.questions) & set(other.questions)
    return one.kind is other.kind and (not one.questions or not other.questions or bool(both))


def _out(own: Side, stands: Side, due: dict[int, Any], *, with_text: bool) -> c.AppealOut:
    """Return the document. own: what was asked for. stands: where it stands, most often the same.

    due: question (0: the appeal as a whole) → the nearest day it is due.
    """
    head, content, merged = own.head, own.content, own is not stands
    sides = (own, stands) if merged else (own,)
    texts = _texts(own, stands)
    return c.AppealOut(
        receipt_number=head.receipt_number,
        external_id=(head.external_id or None) if own.level is Level.FULL else None,
        revision=head.revision,
        state=stands.head.state,
        regime=head.regime or None,
        type=content.type.value if content else None,
        form=content.form.value if content and content.form else None,
        delivery_method=content.delivery_method.value
        if content and content.delivery_method
        else None,
        received_at=content.received_at if content else None,
        accepted_at=head.recorded_at.astimezone(UTC),
        updated_at=max(side.head.changed_at for side in sides).astimezone(UTC),
        content_sha256=head.content_sha256.hex() if own.level is Level.FULL else None,
        subject=content.subject or None if content and with_text else None,
        text=content.text or None if content and with_text else None,
        due_date=min(due.values(), default=None),
        problem_address=shown.address_out(content) if content else None,
        registrations=tuple(_registrations(sides)),
        questions=tuple(
            _question_out(q, texts, due, level=stands.level, with_text=with_text)
            for q in stands.questions
        ),
        answers=tuple(
            _answer_out(answer, side, with_text=with_text)
            for side in sides
            for answer in side.seen.answers
        ),
        attachments=tuple(_files_out(sides)),
        links=tuple(
            c.LinkOut(kind=link.kind.value, number=link.number, date=link.date)
            for link in (content.links if content else ())
            if link.number
        ),
        test_message=head.test,
        merged_into=stands.head.receipt_number if merged else None,
        applicants=tuple(map(shown.applicant_out, content.applicants))
        if content and with_text
        else (),
    )


def _texts(own: Side, stands: Side) -> dict[int, Question]:
    """Return what the questions ask, by ordinal.

    Those of another sender are not told to one who is not shown them: its own stand in their place
    where both asked as many. A question's external id is its sender's, who is perhaps another.
    """
    asked = stands.content.questions if stands.content else ()
    if stands.shared:
        mine = own.content.questions if own.content else ()
        return {q.ordinal: q for q in mine} if len(mine) == len(stands.questions) else {}
    merged = own is not stands
    return {q.ordinal: replace(q, refs=()) if merged else q for q in asked}


def _registrations(sides: Sequence[Side]) -> list[c.RegistrationOut]:
    rows = {(r.organisation, r.number): r for side in sides for r in side.registrations}
    return [
        c.RegistrationOut(
            organisation=r.organisation or None, register=r.register or None,
            number=r.number, date=r.date,
        )
        for r in rows.values()
    ]  # fmt: skip


def _files_out(sides: Sequence[Side]) -> list[c.AttachmentOut]:
    """Below `full` only files that the disclosed appeal names, under the names it gives them."""
    found: dict[str, c.AttachmentOut] = {}
    for side in sides:
        letters = (file for answer in side.seen.answers for file in answer.attachments)
        named = {file.sha256: file for file in (*letters, *side.seen.attachments)}
        for row in side.files:
            digest = row.sha256.hex()
            all_of_it = side.level is Level.FULL and not side.shared
            if digest not in found and (all_of_it or digest in named):
                found[digest] = _file_out(row, named.get(digest), side.level)
    return list(found.values())


def _file_out(row: Any, file: Attachment | None, level: Level) -> c.AttachmentOut:
    digest = row.sha256.hex()
    name = row.name if level is Level.FULL else ""
    return c.AttachmentOut(
        attachment_id=digest,
        file_name=(file.declared_name if file else "") or name or digest[:12],
        media_type=row.media_type or "application/octet-stream",
        size=row.size,
        sha256=digest,
        role=file.role.value if file else None,
    )


def _answer_out(answer: Answer, side: Side, *, with_text: bool) -> c.AnswerOut:
    day, outcome = side.told[answer.id]
    ids = {q.ordinal: str(q.id) for q in side.questions}
    return c.AnswerOut(
        answer_id=str(answer.id),
        question_ids=tuple(ids[n] for n in answer.questions if n in ids),
        kind=answer.kind.value,
        number=answer.number or None,
        date=day,
        text=answer.text or None if with_text else None,
        outcome=c.OutcomeOut(result=outcome.result, actions_taken=outcome.actions_taken)
        if outcome and outcome.result
        else None,
        signed_by=(answer.signed_by.name or None) if answer.signed_by else None,
        attachments=tuple(shown.file_out(file) for file in answer.attachments if file.sha256),
    )


def _question_out(
    row: Any, texts: Mapping[int, Any], terms: Mapping[int, Any], *, level: Level, with_text: bool
) -> c.QuestionOut:
    said = texts.get(row.ordinal)
    return c.QuestionOut(
        question_id=str(row.id),
        external_id=next((r.value for r in said.refs if r.kind == "external_id"), None)
        if said
        else None,
        ordinal=row.ordinal,
        state=row.state,
        text=(said.text or None) if said and with_text else None,
        topics=tuple(
            c.TopicOut(
                system=t.code.system, code=t.code.value, version=t.code.version or None,
                title=t.code.label or None,
            )
            for t in (said.topics if said else ())
        ),
        owner_organisation=None if level is Level.REFERENCE_ONLY else row.executor or None,
        due_date=terms.get(row.ordinal) or terms.get(0),
        outcome=shown.outcome_of(row.facts) if level is not Level.REFERENCE_ONLY else None,
    )  # fmt: skip
