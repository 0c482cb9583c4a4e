"""Appeal → ССТУ JSON, one document an appeal, every rule checked before anything is sent.

Nothing is guessed: what a rule needs and the appeal does not hold is named, all of it at once.
Options of the peer's row (README): `department_id`, `extended_as`, `withdrawn_as`,
`anonymous_name`, `incoming_not_before_letter`, `zone`, and the limits (`bounds`).
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import msgspec

from adapters.sstu import attach, rules
from adapters.sstu.bounds import Limits
from adapters.sstu.codes import (
    ELECTRONIC,
    FORMAT_SYSTEM,
    OTHER,
    PEER,
    STATUSES,
    TOPIC,
    status_for,
)
from adapters.sstu.fields import put_back
from gateway.adapter import EncodeContext, Wire
from gateway.errors import ValidationError, Violation
from gateway.model.appeal import Appeal, Regime
from gateway.model.person import Applicant, ContactKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.model.assignment import TransferOut
    from gateway.model.base import Day
    from gateway.model.organisation import Organisation
    from gateway.model.question import Question
    from gateway.model.registration import ReferralIn

MEDIA_TYPE: Final = "application/json"
ZONE: Final = "Europe/Moscow"
_NAMES: Final = uuid.UUID("6f3c2d8e-5a41-4b0e-9c57-0d1b8e4f7a20")
"""Namespace of the GUIDs that name documents in a package: the same appeal, the same file."""


def encode(appeal: Appeal, ctx: EncodeContext) -> Wire:
    """Return the document of one appeal; raise ValidationError naming every rule it breaks."""
    wrong: list[Violation] = []
    if appeal.regime == Regime.NOT_AN_APPEAL:
        wrong.append(Violation("", "regime", "not an appeal: nothing to report to ССТУ"))
    bounds = Limits.of(ctx.options)
    document = _document(appeal, ctx, bounds, wrong)
    # a file that was refused leaves no attachment behind, which is no second fault
    wrong += [
        fault
        for fault in rules.check(document, bounds.attachment)
        if not any(known.path.startswith(fault.path) for known in wrong)
    ]
    if wrong:
        raise ValidationError("ССТУ would refuse this appeal", tuple(wrong))
    name = f"{document['departmentId'].lower()}/{document['number']}"
    return Wire(
        media_type=MEDIA_TYPE,
        body=msgspec.json.encode(document),
        name=f"{uuid.uuid5(_NAMES, name)}.json",
    )


def is_unnumbered(appeal: Appeal) -> bool:
    """Whether nobody has given it a number yet under which it could be reported."""
    referred = any(r.number for r in appeal.referrals)
    direct = appeal.direct if appeal.direct is not None else not referred
    return direct and not any(r.number for r in appeal.registrations)


def _document(
    appeal: Appeal, ctx: EncodeContext, bounds: Limits, wrong: list[Violation]
) -> dict[str, Any]:
    referral = next((r for r in appeal.referrals if r.number), None)
    direct = appeal.direct if appeal.direct is not None else referral is None
    letter = None if direct else referral
    department = _department(appeal, ctx, wrong)
    author = next(iter(appeal.applicants), Applicant())
    card: dict[str, Any] = {
        "departmentId": department,
        "isDirect": direct,
        "format": _format(appeal, direct=direct),
        "number": letter.number if letter else _own_number(appeal, department, direct=direct),
        "createDate": _iso(letter.date) if letter else None,
        "name": _name(author, ctx),
        "address": _address(author),
        "email": next((c.value for c in author.contacts if c.kind == ContactKind.EMAIL), ""),
        "questions": [
            _question(appeal, question, letter, ctx, bounds, wrong) for question in appeal.questions
        ],
    }
    card = {name: value for name, value in card.items() if value not in (None, "")}
    put_back(card, appeal.extras)
    return card


def _department(appeal: Appeal, ctx: EncodeContext, wrong: list[Violation]) -> str:
    """The body that works on it: its questions' owner, its registrar, or the peer's row."""
    owners = [_guid(q.owner_org, ctx) for q in appeal.questions]
    found = list({guid.lower(): guid for guid in owners if guid}.values())
    if len(found) > 1:
        message = "its questions lie with several bodies, each of which reports its own"
        wrong.append(Violation("/departmentId", "several", message, ", ".join(found)))
    if found:
        return found[0]
    registrars = (_guid(r.organisation, ctx) for r in appeal.registrations)
    return next(filter(None, registrars), "") or str(ctx.options.get("department_id", ""))


def _guid(organisation: Organisation | None, ctx: EncodeContext) -> str:
    if organisation is None:
        return ""
    known = ctx.organisation_ids.get(str(organisation.id), {})
    return organisation.id_in(PEER) or known.get(PEER, "")


def _own_number(appeal: Appeal, department: str, *, direct: bool) -> str:
    """The number the body gave; a covering letter's missing number is never replaced by it."""
    if not direct:
        return ""
    numbered = [r for r in appeal.registrations if r.number]
    for registration in numbered:
        organisation = registration.organisation
        if organisation and organisation.id_in(PEER).lower() == department.lower():
            return registration.number
    return next((r.number for r in numbered if r.is_ours), numbered[0].number if numbered else "")


def _format(appeal: Appeal, *, direct: bool) -> str:
    method = appeal.delivery_method
    if method and method.system == FORMAT_SYSTEM:
        return method.value
    return ELECTRONIC if not direct and method and method.value == "medo" else OTHER


def _name(author: Applicant, ctx: EncodeContext) -> str:
    person = author.person
    if person:
        parts = (person.family, person.given, person.patronymic)
        if name := person.full_name_as_given or " ".join(filter(None, parts)):
            return name
    if author.organisation:
        return author.organisation.full_name or author.organisation.short_name
    return str(ctx.options.get("anonymous_name", "")) if author.anonymous else ""


def _address(author: Applicant) -> str:
    address = next(iter(author.addresses), None)
    if address is None:
        return ""
    parts = (
        address.postal_code,
        address.region,
        address.municipality,
        address.settlement,
        address.street,
        address.house and f"д. {address.house}",
        address.block and f"корп. {address.block}",
        address.building and f"стр. {address.building}",
        address.apartment and f"кв. {address.apartment}",
    )
    return address.raw or ", ".join(filter(None, parts))


def _question(
    appeal: Appeal,
    question: Question,
    letter: ReferralIn | None,
    ctx: EncodeContext,
    bounds: Limits,
    wrong: list[Violation],
) -> dict[str, Any]:
    incoming = _incoming(appeal, question, letter, ctx)
    word = _status(question, ctx, received=incoming is not None)
    status = STATUSES.get(word)
    outcome = question.outcome
    as_flag = word == "InWorkExtended" and _extended_as(question, ctx) == "flag"
    out: dict[str, Any] = {
        "code": _code(question),
        "status": "InWork" if as_flag else word,
        "incomingDate": _iso(incoming if not status or status.incoming else question.incoming_date),
        "registrationDate": _iso(
            question.registration_date
            or (_registered(appeal) if status and status.registration else None)
        ),
        "responseDate": _iso(
            question.response_date
            or (_responded(appeal, question) if status and status.response else None)
        ),
        "attachment": (
            attach.attachment(appeal, question, ctx, bounds, wrong)
            if status and status.attachment
            else None
        ),
        "actionsTaken": outcome.actions_taken if outcome and word == "Supported" else None,
        "isExtend": True if as_flag else None,
        "transfer": _transfer(appeal, question, ctx) if word == "Transferred" else None,
    }
    out = {name: value for name, value in out.items() if value is not None}
    put_back(out, question.extras)
    return out


def _code(question: Question) -> str:
    """The topic in ССТУ's classifier, one that can be sent before one that cannot."""
    codes = [t.code.value for t in question.topics if t.code.system == PEER]
    return next((c for c in codes if TOPIC.fullmatch(c)), codes[0] if codes else "")


def _said(question: Question) -> str:
    return next((s.code for s in reversed(question.peer_states) if s.peer == PEER), "")


def _status(question: Question, ctx: EncodeContext, *, received: bool) -> str:
    return status_for(
        question.state,
        question.outcome.result if question.outcome else None,
        extended=question.extended,
        received=received,
        said=_said(question),
        withdrawn_as=str(ctx.options.get("withdrawn_as", "LeftWithoutAnswer")),
    )


def _extended_as(question: Question, ctx: EncodeContext) -> str:
    """How the peer wants an extension written; what it wrote itself, where the row does not say."""
    default = "flag" if question.extended and _said(question) == "InWork" else "status"
    return str(ctx.options.get("extended_as", default))


def _incoming(
    appeal: Appeal, question: Question, letter: ReferralIn | None, ctx: EncodeContext
) -> Day | None:
    found = question.incoming_date or (letter.received_date if letter else None)
    if found is None and appeal.received_at:
        zone = ZoneInfo(str(ctx.options.get("zone", ZONE)))
        found = appeal.received_at.astimezone(zone).date()
    if found and letter and letter.date and ctx.options.get("incoming_not_before_letter"):
        found = max(found, letter.date)
    return found


def _registered(appeal: Appeal) -> Day | None:
    dates = [(not r.is_ours, r.date) for r in appeal.registrations if r.date]
    return min(dates, default=(True, None))[1]


def _responded(appeal: Appeal, question: Question) -> Day | None:
    dates = [a.date for a in appeal.answers if a.date and attach.answers(a, question)]
    return max(dates, default=question.outcome.on if question.outcome else None)


def _transfer(appeal: Appeal, question: Question, ctx: EncodeContext) -> dict[str, Any] | None:
    transfer = next(_transfers(appeal, question), None)
    if transfer is None:
        return None
    out: dict[str, Any] = {
        "departmentId": _guid(transfer.to_org, ctx),
        "transferDate": _iso(transfer.date),
        "transferNumber": transfer.number,
    }
    out = {name: value for name, value in out.items() if value}
    put_back(out, transfer.extras)
    return out


def _transfers(appeal: Appeal, question: Question) -> Iterator[TransferOut]:
    """The transfers that moved this question, the latest first; copies and refused ones did not."""
    for transfer in reversed(appeal.transfers):
        concerns = not transfer.questions or question.ordinal in transfer.questions
        if concerns and not transfer.copy and transfer.accepted is not False:
            yield transfer


def _iso(day: Day | None) -> str | None:
    return day.isoformat() if day else None
