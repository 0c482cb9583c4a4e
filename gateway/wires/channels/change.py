"""One event as the contract's `Change` says it (model.md §2), the same in every channel. Pure."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from uuid import UUID

from gateway.model import facts as f
from gateway.model.events import EventType
from gateway.wires import contract as c
from gateway.wires.channels.told import external_id
from gateway.wires.shown import file_out

if TYPE_CHECKING:
    from gateway.adapter import EncodeContext
    from gateway.dispatch.ports import Snapshot
    from gateway.model.appeal import Appeal
    from gateway.model.events import Event
    from gateway.store.pull import Item


def change(item: Item, shown: Snapshot) -> c.Change:
    """Return the change that a peer reads itself. shown: what the peer may see."""
    peer, appeal, event = item.delivery.destination, shown.appeal, shown.event
    key = c.AppealKey(
        receipt_number=item.receipt_number or appeal.receipt_number or None,
        external_id=(item.external_id or None) if item.source == peer else None,
    )
    if event is None:
        return c.Change(
            sequence=item.delivery.seq,
            key=key,
            event_type=item.delivery.event_type,
            recorded_at=item.delivery.created_at.astimezone(dt.UTC),
        )
    return told(appeal, event, shown.context, key=key, sequence=item.delivery.seq)


def told(
    appeal: Appeal, event: Event, ctx: EncodeContext, *, key: c.AppealKey, sequence: int = 0
) -> c.Change:
    """Return what an event says to a destination. appeal, event: what it may see of both."""
    moment = event.occurred_at if isinstance(event.occurred_at, dt.datetime) else None
    return c.Change(
        sequence=sequence,
        key=key,
        question_id=_question_id(appeal, event.question),
        event_type=event.type.value,
        occurred_at=moment,
        occurred_on=None if moment else _day(event),
        recorded_at=event.recorded_at.astimezone(dt.UTC),
        message_key=ctx.message_key or None,
        applied=_applied(event) if ctx.own else None,
        status=status(event),
        answer=_answer(appeal, event, UUID(ctx.letter)) if ctx.letter else None,
        file=_file(appeal, event),
    )


def key_of(appeal: Appeal, peer: str) -> c.AppealKey:
    """Return the numbers that a destination knows an appeal by: ours, and the one it gave it."""
    return c.AppealKey(
        receipt_number=appeal.receipt_number or None,
        external_id=external_id(appeal, peer) or None,
    )


def _day(event: Event) -> dt.date:
    at = event.occurred_at
    return at.date() if isinstance(at, dt.datetime) else at


def _applied(event: Event) -> str:
    if event.type is EventType.REPORT_REFUSED:
        return "refused"
    if event.type is EventType.CONFLICT_RECORDED:
        return "conflict"
    if event.late:
        return "late"
    return "inferred" if event.inferred else "applied"


def _question_id(appeal: Appeal, ordinal: int | None) -> str | None:
    return next((str(q.id) for q in appeal.questions if q.ordinal == ordinal), None)


def _outcome(told: f.OutcomeFacts | None) -> c.OutcomeOut | None:
    if told is None or not told.result:
        return None
    return c.OutcomeOut(result=told.result, actions_taken=told.actions_taken)


def status(event: Event) -> c.StatusOut:
    """Return the facts of a disclosed event."""
    facts = event.payload
    return c.StatusOut(
        event=event.type.value,
        occurred_on=_day(event),
        registration=_registration(facts, _day(event)),
        executor=c.ExecutorOut(organisation=facts.organisation or None)
        if isinstance(facts, f.ExecutorFacts)
        else None,
        extension=c.ExtensionOut(
            ground=facts.ground, new_due_date=facts.new_due, decided_on=facts.decided_on
        )
        if isinstance(facts, f.ExtensionFacts) and facts.new_due
        else None,
        transfer=c.TransferOut(
            to_organisation=facts.organisation,
            date=facts.date,
            number=facts.number or None,
            ground=facts.ground or None,
            copy=facts.copy,
            keeps_control=facts.keeps_control,
        )
        if isinstance(facts, f.TransferFacts)
        else None,
        decline=c.DeclineOut(article=facts.article, part=facts.part or None)
        if isinstance(facts, f.DeclineFacts)
        else None,
        outcome=_outcome(facts.outcome) if isinstance(facts, f.AnswerFacts) else None,
        comment=f"{facts.claimed}: {facts.reason}"
        if isinstance(facts, f.ConflictFacts | f.RefusalFacts)
        else None,
        reason=(facts.code or None) if isinstance(facts, f.ReasonFacts) else None,
        topic=c.TopicOut(system=facts.system, code=facts.code, version=facts.version or None)
        if isinstance(facts, f.TopicFacts) and facts.code
        else None,
        peer_state=(facts.code or None) if isinstance(facts, f.PeerStateFacts) else None,
    )


def _registration(facts: f.Facts, day: dt.date) -> c.RegistrationOut | None:
    """A number that a body gave; of the body that a question went to, when it has told its own."""
    if not isinstance(facts, f.RegistrationFacts | f.ReceiverFacts) or not facts.number:
        return None
    return c.RegistrationOut(
        organisation=facts.organisation or None,
        register=(facts.register or None) if isinstance(facts, f.RegistrationFacts) else None,
        number=facts.number,
        date=facts.date or day,
    )


def _file(appeal: Appeal, event: Event) -> c.AttachmentOut | None:
    """The file that was attached, where the disclosed appeal still names it."""
    facts = event.payload
    if not isinstance(facts, f.FileFacts) or not facts.sha256:
        return None
    found = (file for file in appeal.attachments if file.sha256 == facts.sha256)
    return next(map(file_out, found), None)


def _answer(appeal: Appeal, event: Event, id_: UUID) -> c.AnswerOut | None:
    """The letter as far as it is disclosed: no text and no files where the level hides them.

    id_: of the letter, the same for every question it answers.
    """
    facts = event.payload
    if event.type not in (EventType.ANSWERED, EventType.LETTER_SENT) or not isinstance(
        facts, f.AnswerFacts
    ):
        return None
    letter = next((answer for answer in appeal.answers if answer.id == id_), None)
    ordinals = letter.questions if letter else (event.question,)
    return c.AnswerOut(
        answer_id=str(id_),
        question_ids=tuple(
            named for ordinal in ordinals if (named := _question_id(appeal, ordinal)) is not None
        ),
        kind=facts.kind,
        number=facts.number or None,
        date=facts.date or _day(event),
        text=(letter.text or None) if letter else None,
        outcome=_outcome(facts.outcome),
        signed_by=(letter.signed_by.name or None) if letter and letter.signed_by else None,
        attachments=tuple(
            file_out(file) for file in (letter.attachments if letter else ()) if file.sha256
        ),
    )
