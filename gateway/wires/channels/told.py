"""The appeal that goes with a pushed event, in the contract's names, as far as disclosed. Pure.

Names and shapes are those of AppealOut and AppealIn, so that one partner reads the same in
`GetAppeal`, in a web hook and in a file. What the level of the destination hides is not here: the
canonical appeal that comes in was cut by `gateway.disclosure` before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.model.events import State
from gateway.wires import contract as c
from gateway.wires.channels.pushed import AppealTold
from gateway.wires.shown import address_out, applicant_out, code_out, file_out

if TYPE_CHECKING:
    from gateway.model.appeal import Appeal
    from gateway.model.organisation import Organisation
    from gateway.model.question import Question

OURS = "gateway"
"""System of the ids of our own directory among the ids of a body, as snapshots name it."""


def appeal_told(appeal: Appeal, peer: str) -> AppealTold:
    """Return a disclosed appeal in the contract's names. peer: code of the destination."""
    letter = appeal.referrals[0] if appeal.referrals else None
    return AppealTold(
        receipt_number=appeal.receipt_number,
        external_id=external_id(appeal, peer) or None,
        revision=appeal.revision,
        state=_state(appeal),
        regime=appeal.regime.value if appeal.regime else None,
        type=appeal.type.value if appeal.type.value != "unknown" else None,
        form=appeal.form.value if appeal.form else None,
        delivery_method=code_out(appeal.delivery_method),
        received_at=appeal.received_at,
        subject=appeal.subject or None,
        text=appeal.text or None,
        problem_address=address_out(appeal),
        registrations=tuple(
            c.RegistrationOut(
                organisation=name_of(r.organisation),
                register=r.register or None,
                number=r.number,
                date=r.date,
            )
            for r in appeal.registrations
            if r.number and r.date
        ),
        questions=tuple(_question(q, peer) for q in appeal.questions),
        answers=tuple(answers(appeal)),
        attachments=tuple(file_out(file) for file in appeal.attachments if file.sha256),
        links=tuple(
            c.LinkOut(kind=link.kind.value, number=link.number, date=link.date)
            for link in appeal.links
            if link.number
        ),
        test_message=appeal.test_message,
        collective=bool(appeal.collective),
        concerned_count=appeal.concerned_count,
        repeat_kind=appeal.repeat_kind.value if appeal.repeat_kind else None,
        urgency=code_out(appeal.urgency),
        transfers=tuple(
            c.TransferOut(
                to_organisation=name_of(t.to_org) or "",
                date=t.date,
                number=t.number or None,
                copy=t.copy,
            )
            for t in appeal.transfers
        ),
        applicants=tuple(map(applicant_out, appeal.applicants)),
        referral=c.Referral(
            from_organisation=name_of(letter.from_org) or "",
            number=letter.number,
            date=letter.date,
            received_date=letter.received_date,
            purpose=code_out(letter.purpose),
            control_date=letter.control_term,
        )
        if letter and letter.date
        else None,
        extra=tuple(c.Extra(name=e.path, value=e.value) for e in appeal.extras if e.value),
    )


def external_id(appeal: Appeal, peer: str) -> str:
    """Return the number that the destination itself gave the appeal; empty for any other."""
    return next(
        (r.value for r in appeal.refs if r.kind == "external_id" and r.peer == peer and peer), ""
    )


def name_of(body: Organisation | None) -> str | None:
    """Return our own id of a body, else its name, else whatever identifier is known."""
    if body is None:
        return None
    return body.id_in(OURS) or body.full_name or next((i.value for i in body.ids), "") or None


def answers(appeal: Appeal) -> list[c.AnswerOut]:
    """Return the letters of a disclosed appeal."""
    ids = {q.ordinal: str(q.id) for q in appeal.questions}
    return [
        c.AnswerOut(
            answer_id=str(letter.id),
            question_ids=tuple(ids[n] for n in letter.questions if n in ids),
            kind=letter.kind.value,
            number=letter.number or None,
            date=letter.date,
            text=letter.text or None,
            signed_by=(letter.signed_by.name or None) if letter.signed_by else None,
            attachments=tuple(file_out(file) for file in letter.attachments if file.sha256),
        )
        for letter in appeal.answers
        if letter.date
    ]


def _question(question: Question, peer: str) -> c.QuestionOut:
    outcome = question.outcome
    return c.QuestionOut(
        question_id=str(question.id),
        external_id=next(
            (r.value for r in question.refs if r.kind == "external_id" and r.peer == peer), None
        ),
        ordinal=question.ordinal,
        state=question.state,
        text=question.text or None,
        topics=tuple(
            c.TopicOut(
                system=t.code.system,
                code=t.code.value,
                version=t.code.version or None,
                title=t.code.label or None,
            )
            for t in question.topics
        ),
        owner_organisation=name_of(question.owner_org),
        outcome=c.OutcomeOut(result=outcome.result.value, actions_taken=outcome.actions_taken)
        if outcome and outcome.result
        else None,
    )


def _state(appeal: Appeal) -> str:
    """The least advanced open question decides, as in AppealOut."""
    states = [State(q.state) for q in appeal.questions]
    chosen = [s for s in states if s.is_open] or states
    return min(chosen, key=lambda s: s.rank, default=State.RECEIVED).value
