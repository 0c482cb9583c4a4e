"""A decoded item as the contract's own document again: the way back of `canonical` and `reported`.

What a codec writes from it is the item in the contract's spelling: instants in UTC, texts in NFC,
defaults left out, `ReplyTo` with its address. A file that came with its bytes has no `Sha256`, one
that came by its digest is named by `AttachmentId`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from gateway.adapter import Stored
from gateway.model.attachment import AttachmentRole
from gateway.model.person import ContactKind
from gateway.wires import canonical
from gateway.wires import contract as c
from gateway.wires.shown import address_out, applicant_out, code_out

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.adapter import File, Inbound
    from gateway.model import events as e
    from gateway.model.appeal import Appeal
    from gateway.model.base import ExternalRef, Extra
    from gateway.model.person import Applicant
    from gateway.model.question import Question


def document(item: Inbound) -> tuple[str, Any]:
    """Return the operation that an item came by, and its document."""
    return _DOCUMENTS[item.operation](item)


def _submitted(item: Inbound) -> tuple[str, Any]:
    return "SubmitAppeal", _appeal(item)


def _amended(item: Inbound) -> tuple[str, Any]:
    return "AmendAppeal", c.AmendAppeal(
        external_id=item.external_id,
        revision=item.revision,
        appeal=_appeal(item),
        reason=item.reason or None,
    )


def _appeal(item: Inbound) -> c.AppealIn:
    appeal = item.appeal
    assert appeal
    applicants, reply, extras = _applicants(appeal)
    return c.AppealIn(
        external_id=item.external_id,
        revision=item.revision,
        regime=appeal.regime.value if appeal.regime else None,
        type=appeal.type.value if appeal.type.value != "unknown" else None,
        form=appeal.form.value if appeal.form else None,
        delivery_method=code_out(appeal.delivery_method),  # type: ignore[arg-type]
        received_at=appeal.received_at,
        direct=appeal.direct,
        subject=appeal.subject or None,
        text=appeal.text or None,
        collective=bool(appeal.collective),
        concerned_count=appeal.concerned_count,
        repeat_kind=appeal.repeat_kind.value if appeal.repeat_kind else None,
        urgency=code_out(appeal.urgency),
        test_message=appeal.test_message,
        applicants=applicants,
        problem_address=address_out(appeal),
        referral=_referral(appeal),
        registrations=tuple(
            c.Registration(
                organisation=(r.organisation.full_name if r.organisation else None) or None,
                register=r.register or None,
                number=r.number,
                date=r.date,
            )
            for r in appeal.registrations
            if r.date
        ),
        questions=tuple(map(_question, appeal.questions)),
        attachments=tuple(
            _attachment(a.declared_name, a.declared_type, a.sha256, a.role, item.files)
            for a in appeal.attachments
        ),
        links=tuple(
            c.Link(kind=link.kind.value, number=link.number, date=link.date)
            for link in appeal.links
        ),
        reply_to=reply,
        extra=tuple(c.Extra(name=extra.path, value=extra.value) for extra in extras),
    )


def _applicants(
    appeal: Appeal,
) -> tuple[tuple[c.Applicant, ...], c.ReplyTo | None, tuple[Extra, ...]]:
    """Return the applicants, where the answer goes, and what is left as extras."""
    if not appeal.applicants:
        told = {e.path: e.value for e in appeal.extras if e.path.startswith("ReplyTo/")}
        rest = tuple(e for e in appeal.extras if e.path not in told)
        if "ReplyTo/Channel" not in told:
            return (), None, appeal.extras
        wanted = c.ReplyTo(channel=told["ReplyTo/Channel"], address=told.get("ReplyTo/Address"))
        return (), wanted, rest
    first, reply = _reply(appeal.applicants[0])
    given = (first, *appeal.applicants[1:])
    return tuple(map(applicant_out, given)), reply, appeal.extras


def _reply(first: Applicant) -> tuple[Applicant, c.ReplyTo | None]:
    """Part the address of the answer from the contacts that the applicant named."""
    for place, contact in enumerate(first.contacts):
        if not contact.reply_here:
            continue
        own = first.contacts[:place]
        beside = contact.kind not in (ContactKind.PHONE, ContactKind.EMAIL) or any(
            other.kind is contact.kind for other in own
        )
        reply = c.ReplyTo(channel=contact.kind.value, address=contact.value or None)
        return (msgspec.structs.replace(first, contacts=own) if beside else first), reply
    return first, None


def _referral(appeal: Appeal) -> c.Referral | None:
    letter = appeal.referrals[0] if appeal.referrals else None
    if letter is None or letter.date is None:
        return None
    return c.Referral(
        from_organisation=letter.from_org.full_name if letter.from_org else "",
        number=letter.number,
        date=letter.date,
        received_date=letter.received_date,
        purpose=code_out(letter.purpose),
        control_date=letter.control_term,
    )


def _question(question: Question) -> c.QuestionIn:
    return c.QuestionIn(
        external_id=_own_id(question.refs),
        text=question.text or None,
        topics=tuple(
            c.Topic(system=t.code.system, code=t.code.value, version=t.code.version or None)
            for t in question.topics
        ),
    )


def _own_id(refs: tuple[ExternalRef, ...]) -> str | None:
    return next((ref.value for ref in refs if ref.kind == "external_id"), None)


def _attachment(
    name: str, kind: str, digest: str, role: AttachmentRole | str, files: tuple[File, ...]
) -> c.AttachmentIn:
    found = next((f.data for f in files if f.sha256 == digest), None)
    content = found if isinstance(found, bytes) else None
    return c.AttachmentIn(
        file_name=name,
        media_type=kind or None,
        content=content,
        attachment_id=digest if content is None else None,
        role=None if role in ("", AttachmentRole.APPEAL) else str(role),  # type: ignore[arg-type]
    )


def _key(key: e.AppealKey) -> c.AppealKey:
    return c.AppealKey(
        receipt_number=key.receipt_number or None,
        external_id=key.external_id or None,
        registration_number=key.registration_number or None,
        organisation_id=key.organisation or None,
    )


def _withdrawn(item: Inbound) -> tuple[str, Any]:
    report = _report(item)
    return "WithdrawAppeal", c.WithdrawAppeal(
        key=_key(report.key),
        occurred_on=report.occurred_on,
        reason=report.comment or None,
        message_key=item.message_key,
    )


def _report(item: Inbound) -> e.PeerReport:
    assert item.report
    return item.report


def _status(item: Inbound) -> tuple[str, Any]:
    report = _report(item)
    beside = {extra.path: extra.value for extra in report.extras if extra.peer == canonical.PEER}
    return "SubmitStatus", c.StatusReport(
        message_key=item.message_key,
        key=_key(report.key),
        question_id=next(iter(report.questions), None),
        question_ordinal=next(iter(report.ordinals), None),
        event=report.event.value,  # type: ignore[arg-type]
        occurred_on=report.occurred_on,
        registration=_registration(report, beside),
        executor=_executor(report, beside),
        extension=_extension(report, beside),
        transfer=_transfer(report),
        decline=c.Decline(
            article=report.decline.article,
            part=report.decline.part or None,
            text=report.decline_text or None,
        )
        if report.decline
        else None,
        outcome=_outcome(report),
        comment=report.comment or None,
        reason=report.reason.code if report.reason else None,
        topic=c.Topic(
            system=report.topic.system, code=report.topic.code, version=report.topic.version or None
        )
        if report.topic
        else None,
        peer_state=report.peer_state.code if report.peer_state else None,
    )


def _registration(report: e.PeerReport, beside: Mapping[str, Any]) -> c.Registration | None:
    told = report.registration or report.receiver
    if told is None or told.date is None:
        return None
    register = report.registration.register if report.registration else ""
    return c.Registration(
        organisation=told.organisation or None,
        register=register or beside.get("Registration/Register"),
        number=told.number,
        date=told.date,
    )


def _executor(report: e.PeerReport, beside: Mapping[str, Any]) -> c.Executor | None:
    if report.executor is None:
        return None
    return c.Executor(
        organisation=report.executor.organisation or None,
        name=report.executor_name or None,
        post=beside.get("Executor/Post"),
        phone=beside.get("Executor/Phone"),
        email=beside.get("Executor/Email"),
    )


def _extension(report: e.PeerReport, beside: Mapping[str, Any]) -> c.Extension | None:
    told = report.extension
    if told is None or told.new_due is None:
        return None
    return c.Extension(
        ground=told.ground,
        new_due_date=told.new_due,
        decided_on=told.decided_on,
        decided_by=beside.get("Extension/DecidedBy"),
    )


def _transfer(report: e.PeerReport) -> c.Transfer | None:
    told = report.transfer
    if told is None:
        return None
    return c.Transfer(
        to_organisation=told.organisation,
        date=told.date,
        number=told.number or None,
        ground=told.ground or None,
        copy=told.copy,
        keeps_control=told.keeps_control,
    )


def _outcome(report: e.PeerReport) -> c.Outcome | None:
    if report.outcome is None:
        return None
    return c.Outcome(
        result=report.outcome.result,  # type: ignore[arg-type]
        actions_taken=report.outcome.actions_taken,
    )


def _answered(item: Inbound) -> tuple[str, Any]:
    report = _report(item)
    answer = report.answer
    assert answer
    beside = {extra.path: extra.value for extra in report.extras if extra.peer == canonical.PEER}

    def attached(place: int, digest: str) -> c.AttachmentIn:
        at = f"Attachments/AttachmentIn[{place}]/"
        name, kind, role = (beside.get(at + x, "") for x in ("FileName", "MediaType", "Role"))
        return _attachment(name, kind, digest, role, item.files)

    return "SubmitAnswer", c.AnswerIn(
        message_key=item.message_key,
        key=_key(report.key),
        question_ids=report.questions,
        kind=answer.kind,  # type: ignore[arg-type]
        number=answer.number or None,
        date=answer.date or report.occurred_on,
        text=answer.text or None,
        outcome=_outcome(report),
        signed_by=answer.signed_by or None,
        attachments=tuple(
            attached(place, digest) for place, digest in enumerate(answer.attachments, 1)
        ),
        deliver_to_applicant=answer.deliver_to_applicant,
    )


def _attached(item: Inbound) -> tuple[str, Any]:
    told = item.attached
    assert told
    data = item.files[0].data
    return "AttachFile", c.AttachFile(
        owner_key=_key(told.key),
        file_name=told.name,
        media_type=told.media_type or None,
        content=b"" if isinstance(data, Stored) else data,
        message_key=item.message_key,
        role=told.role or None,  # type: ignore[arg-type]
    )


_DOCUMENTS: Final[dict[str, Callable[[Inbound], tuple[str, Any]]]] = {
    "submit": _submitted,
    "amend": _amended,
    "withdraw": _withdrawn,
    "status": _status,
    "answer": _answered,
    "attach": _attached,
}
