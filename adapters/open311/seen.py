"""An appeal of the contract as the model has it, so that the one function of disclosure sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.model.address import Address
from gateway.model.answer import Outcome, Result
from gateway.model.appeal import Appeal
from gateway.model.base import Code
from gateway.model.deadline import Deadline
from gateway.model.organisation import Organisation
from gateway.model.question import Question, Topic
from gateway.model.registration import Registration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.wires import contract as c

_RESULTS: Final = frozenset(Result)


def appeal_of(out: c.AppealOut, status: c.StatusItem, names: Mapping[str, str]) -> Appeal:
    """Return what was read as an appeal. status: the same by question, with its flags.

    names: of bodies by our ids. Applicants are not even looked at.
    """
    flags = {question.ordinal: question for question in status.questions}
    return Appeal(
        receipt_number=out.receipt_number,
        received_at=out.received_at or out.accepted_at,
        text=out.text or "",
        addresses=(_place(out.problem_address),) if out.problem_address else (),
        registrations=tuple(Registration(number=r.number, date=r.date) for r in out.registrations),
        questions=tuple(_question(q, flags.get(q.ordinal), names) for q in out.questions),
        deadlines=(Deadline(due_legal=out.due_date),) if out.due_date else (),
    )


def _question(
    out: c.QuestionOut, flags: c.QuestionState | None, names: Mapping[str, str]
) -> Question:
    executor = names.get(out.owner_organisation or "", "")
    outcome = out.outcome
    return Question(
        ordinal=out.ordinal,
        state=out.state,
        extended=flags is not None and flags.extended,
        overdue=flags is not None and flags.overdue,
        topics=tuple(
            Topic(code=Code(system=t.system, value=t.code, label=t.title or "")) for t in out.topics
        ),
        owner_org=Organisation(full_name=executor) if executor else None,
        outcome=Outcome(
            result=Result(outcome.result) if outcome.result in _RESULTS else None,
            actions_taken=outcome.actions_taken,
        )
        if outcome
        else None,
    )


def _place(told: c.Address) -> Address:
    return Address(
        postal_code=told.postal_code or "",
        raw=told.raw or "",
        region=told.region or "",
        municipality=told.municipality or "",
        settlement=told.settlement or "",
        street=told.street or "",
        house=told.house or "",
        block=told.block or "",
        building=told.building or "",
        apartment=told.apartment or "",
        lat=told.latitude,
        lon=told.longitude,
    )
