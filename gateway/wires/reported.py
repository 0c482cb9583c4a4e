"""From what peers report of appeals, in the contract's words, to the canonical model; pure.

What the contract names and the model has no home for goes to `extras`, as in `canonical`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.adapter import Inbound
from gateway.model import events as e
from gateway.model import facts as f
from gateway.model.attachment import AttachmentRole
from gateway.model.fold import clean_text, number_key
from gateway.wires import canonical
from gateway.wires import files as contract_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.model.base import Extra
    from gateway.wires import contract as c

WITHDRAWN: Final = "withdrawal"
RECEIVER: Final = frozenset({e.EventType.RECEIVER_REGISTERED, e.EventType.RECEIVER_ANSWERED})
"""Events whose Registration is that of the body which the question was transferred to."""


def report(given: c.StatusReport) -> Inbound:
    """Return a status report as canonical."""
    executor, decline = given.executor, given.decline
    return Inbound(
        operation="status",
        message_key=given.message_key,
        report=e.PeerReport(
            message_key=given.message_key,
            key=canonical.key(given.key),
            event=e.EventType(given.event),
            occurred_on=given.occurred_on,
            questions=(given.question_id,) if given.question_id else (),
            ordinals=(given.question_ordinal,) if given.question_ordinal else (),
            executor=f.ExecutorFacts(organisation=executor.organisation or "")
            if executor
            else None,
            executor_name=clean_text((executor.name if executor else "") or "", "Executor/Name"),
            decline=f.DeclineFacts(
                article=decline.article, part=decline.part or "", notice=bool(decline.text)
            )
            if decline
            else None,
            decline_text=clean_text((decline.text if decline else "") or "", "Decline/Text"),
            outcome=_outcome(given.outcome),
            reason=f.ReasonFacts(code=given.reason, system=canonical.PEER)
            if given.reason
            else None,
            topic=_topic(given.topic),
            peer_state=f.PeerStateFacts(code=given.peer_state) if given.peer_state else None,
            comment=clean_text(given.comment or "", "Comment"),
            extras=tuple(_besides(given)),
            **_numbered(given.registration, of_receiver=given.event in RECEIVER),
            **_moved(given),
        ),
    )


def _numbered(given: c.Registration | None, *, of_receiver: bool) -> dict[str, Any]:
    """A registration of the sender, or what the body that it was transferred to has told."""
    if given is None:
        return {}
    body = given.organisation or ""
    if of_receiver:
        told = f.ReceiverFacts(organisation=body, number=given.number, date=given.date)
        return {"receiver": told}
    return {
        "registration": f.RegistrationFacts(
            organisation=body,
            number=given.number,
            number_key=number_key(given.number),
            date=given.date,
            register=given.register or "",
        )
    }


def _moved(given: c.StatusReport) -> dict[str, Any]:
    """Where the question went, and until when its term was extended."""
    told: dict[str, Any] = {}
    if (extension := given.extension) is not None:
        told["extension"] = f.ExtensionFacts(
            ground=extension.ground,
            decided_on=extension.decided_on,
            new_due=extension.new_due_date,
        )
    if (transfer := given.transfer) is not None:
        told["transfer"] = f.TransferFacts(
            organisation=transfer.to_organisation,
            date=transfer.date,
            number=transfer.number or "",
            ground=transfer.ground or "",
            copy=transfer.copy,
            keeps_control=transfer.keeps_control,
        )
    return told


def _besides(given: c.StatusReport) -> Iterator[Extra]:
    executor, extension, registration = given.executor, given.extension, given.registration
    if executor is not None:
        yield from canonical.beside(
            "Executor", Post=executor.post, Phone=executor.phone, Email=executor.email
        )
    if extension is not None:
        yield from canonical.beside("Extension", DecidedBy=extension.decided_by)
    if registration is not None and given.event in RECEIVER:
        yield from canonical.beside("Registration", Register=registration.register)


def withdrawal(given: c.WithdrawAppeal) -> Inbound:
    """Return a withdrawal as canonical: the applicant's written statement, told by the peer."""
    return Inbound(
        operation="withdraw",
        message_key=given.message_key,
        report=e.PeerReport(
            message_key=given.message_key,
            key=canonical.key(given.key),
            event=e.EventType.WITHDRAWN,
            occurred_on=given.occurred_on,
            reason=f.ReasonFacts(code=WITHDRAWN, system=canonical.PEER),
            comment=clean_text(given.reason or "", "Reason"),
        ),
    )


def answer(given: c.AnswerIn) -> Inbound:
    """Return an answer as canonical; only a final one ends the consideration."""
    files, attachments = contract_files.attachments(given.attachments)
    final = given.kind == "final"
    return Inbound(
        operation="answer",
        message_key=given.message_key,
        report=e.PeerReport(
            message_key=given.message_key,
            key=canonical.key(given.key),
            event=e.EventType.ANSWERED if final else e.EventType.LETTER_SENT,
            occurred_on=given.date,
            questions=given.question_ids,
            outcome=_outcome(given.outcome),
            answer=e.PeerAnswer(
                kind=given.kind,
                number=given.number or "",
                date=given.date,
                outcome=_outcome(given.outcome),
                attachments=tuple(file.sha256 for file in attachments),
                roles=_roles(given.attachments),
                has_text=bool(given.text),
                deliver_to_applicant=given.deliver_to_applicant,
                text=clean_text(given.text or "", "Text"),
                signed_by=clean_text(given.signed_by or "", "SignedBy"),
            ),
            extras=tuple(
                extra
                for place, item in enumerate(given.attachments, 1)
                for extra in canonical.beside(
                    f"Attachments/AttachmentIn[{place}]",
                    FileName=item.file_name,
                    MediaType=item.media_type,
                    Role=item.role,
                )
            ),
        ),
        files=files,
    )


def _roles(given: Sequence[c.AttachmentIn]) -> tuple[str, ...]:
    """Return what each file is for, nothing when all of them are the letter."""
    roles = tuple(item.role or AttachmentRole.ANSWER for item in given)
    return roles if set(roles) - {AttachmentRole.ANSWER} else ()


def _outcome(given: c.Outcome | None) -> f.OutcomeFacts | None:
    if given is None:
        return None
    return f.OutcomeFacts(result=given.result, actions_taken=given.actions_taken)


def _topic(given: c.Topic | None) -> f.TopicFacts | None:
    if given is None:
        return None
    return f.TopicFacts(
        system=given.system or canonical.SSTU,
        code=given.code,
        version=given.version or "",
        by="peer",
    )
