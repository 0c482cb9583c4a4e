"""An event of an appeal → what СМЭВ is to carry of it, and as which kind of message; pure.

An appeal that came through СМЭВ is answered: statuses while it is considered, a refusal or the
answer at the end, which also ends the exchange on that request; which message that was is the
exchange's to know (`outbox`). An appeal from elsewhere is given to a body behind СМЭВ by a request,
and what happens to it here by further requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from msgspec.structs import replace

from adapters.smev import codes, fields
from adapters.smev.codes import ANSWERS, REFUSALS, STATUSES, SUBMITS
from adapters.smev.messages import package, words
from adapters.smev.messages import types as t
from gateway import xml
from gateway.adapter import EncodeContext, Wire
from gateway.errors import UnsupportedError, ValidationError, Violation
from gateway.model import facts as f
from gateway.model.answer import Answer, AnswerKind
from gateway.model.events import EventType
from gateway.wires import contract as c

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    import msgspec

    from gateway.model.appeal import Appeal
    from gateway.model.attachment import Attachment
    from gateway.model.events import Event

_TITLE: Final = 4_000
_NOT_SENT: Final = "СМЭВ is not told of this event"
_ENDS: Final = frozenset({EventType.DECLINED})


class Telling(Protocol):
    """How the gateway says an event and an appeal in the contract's words (`telling`)."""

    def status(self, event: Event, ctx: EncodeContext, key: c.AppealKey) -> c.StatusReport:
        """Return a status report on an event."""
        ...

    def appeal(self, appeal: Appeal) -> c.AppealIn:
        """Return an appeal as it is given on, under our own number."""
        ...


def encode(appeal: Appeal, event: Event | None, ctx: EncodeContext, telling: Telling) -> Wire:
    """Return the wire for the exchange; options: `version`, `refuse_with`.

    telling: given from outside, because it knows the gateway's own channels, and this is pure.
    Raises UnsupportedError for an event that the profile has no word for, ValidationError naming
    everything that is missing.
    """
    if ctx.own:
        raise UnsupportedError("СМЭВ is told what became of a message by its own answer")
    if ctx.peer and not appeal.source_peer:
        message = "whose appeal it is is hidden: СМЭВ needs disclosure `full`"
        raise ValidationError(message, (Violation("source_peer", "required", message),))
    came_in = bool(ctx.peer) and appeal.source_peer == ctx.peer
    if came_in and event is not None:
        return _headed(_reply(appeal, event, ctx, telling), appeal)
    return _headed(_request(appeal, event, ctx, telling), appeal)


def receipt(number: str, at: dt.datetime, message_id: str) -> Wire:
    """Return the answer to a request that nothing else answers: it is stored here.

    message_id: of the request. number: our number of the appeal.
    """
    body = (
        f'<Receipt xmlns="{codes.NAMESPACE}"><ReceiptNumber>{xml.escape(number)}</ReceiptNumber>'
        f"<AcceptedAt>{at.isoformat()}</AcceptedAt></Receipt>"
    )
    headers = {t.KIND: "response", t.IN_REPLY_TO: message_id, t.APPEAL: number}
    return Wire(media_type=package.XML, body=fields.checked(body.encode()), headers=headers)


def not_understood(message_id: str, reason: str, version: t.Version) -> Wire:
    """Return the rejection of a request that could not be taken. reason: shown to its sender."""
    told = t.RequestRejected(code=codes.NOT_UNDERSTOOD, description=reason[:_TITLE])
    body = words.write(version, words.Words(rejected=(told,)))
    headers = {t.KIND: "rejected", t.IN_REPLY_TO: message_id}
    return Wire(media_type=package.XML, body=body, headers=headers)


def _headed(wire: Wire, appeal: Appeal) -> Wire:
    headers = {**wire.headers, t.APPEAL: appeal.receipt_number}
    if appeal.test_message:
        headers[t.TEST] = "1"
    return replace(wire, headers={key: value for key, value in headers.items() if value})


def _reply(appeal: Appeal, event: Event, ctx: EncodeContext, telling: Telling) -> Wire:
    version = _version(ctx)
    if event.type in REFUSALS:
        return _refused(event, ctx, version)
    if event.type in _ENDS:
        report = telling.status(event, ctx, _key(appeal))
        return _document(c.SubmitStatus(report=report), "Status", (), "response")
    if event.type in ANSWERS:
        letter = _letter(appeal, event, ctx)
        if letter.kind is AnswerKind.FINAL:
            return _answer(letter, event, ctx, telling, _key(appeal))
        return _status(appeal, event, version, 13, f"Направлено письмо: {letter.kind.value}")
    if event.type not in STATUSES:
        raise UnsupportedError(_NOT_SENT, found=event.type.value)
    return _status(appeal, event, version, *STATUSES[event.type])


def _request(appeal: Appeal, event: Event | None, ctx: EncodeContext, telling: Telling) -> Wire:
    if not appeal.receipt_number:
        message = "a request needs our number of the appeal"
        raise ValidationError(message, (Violation("receipt_number", "required", message),))
    if event is None or event.type in SUBMITS:
        given, files = _given(appeal, ctx, telling)
        return _document(c.SubmitAppeal(appeal=given), "SubmitAppeal", files, "request")
    if event.type is EventType.AMENDED:
        given, files = _given(appeal, ctx, telling)
        amended = c.AmendAppeal(
            external_id=given.external_id, revision=given.revision, appeal=given
        )
        return _document(amended, "AmendAppeal", files, "request")
    key = c.AppealKey(external_id=appeal.receipt_number)
    if event.type is EventType.WITHDRAWN:
        report = telling.status(event, ctx, key)
        withdrawn = c.WithdrawAppeal(
            key=key, occurred_on=report.occurred_on, message_key=report.message_key
        )
        return _document(withdrawn, "WithdrawAppeal", (), "request")
    if event.type in ANSWERS:
        return _answer(_letter(appeal, event, ctx), event, ctx, telling, key, kind="request")
    if event.type not in STATUSES and event.type not in (*REFUSALS, *_ENDS):
        raise UnsupportedError(_NOT_SENT, found=event.type.value)
    report = telling.status(event, ctx, key)
    return _document(c.SubmitStatus(report=report), "SubmitStatus", (), "request")


def _document(
    document: msgspec.Struct, name: str, files: tuple[package.Packed, ...], kind: str
) -> Wire:
    return replace(
        package.wired(fields.checked(fields.write(document, name)), files), headers={t.KIND: kind}
    )


def _status(appeal: Appeal, event: Event, version: t.Version, code: int, text: str) -> Wire:
    """RequestStatus of an event; what a program may want of it stands in its parameters."""
    payload = event.payload
    told: dict[str, Any] = {
        "Event": event.type.value,
        "OccurredOn": str(event.occurred_at)[:10],
        "ReceiptNumber": appeal.receipt_number,
        "Question": event.question if event.question and len(appeal.questions) > 1 else None,
        "Organisation": getattr(payload, "organisation", ""),
    }
    if isinstance(payload, f.RegistrationFacts | f.ReceiverFacts) and payload.number:
        told |= {"RegistrationNumber": payload.number, "RegistrationDate": payload.date}
    if isinstance(payload, f.ExtensionFacts):
        told |= {"NewDueDate": payload.new_due, "Ground": payload.ground}
    if isinstance(payload, f.TransferFacts) and payload.copy:
        told["Copy"] = "true"
    status = t.RequestStatus(
        code=code,
        description=text[:_TITLE],
        parameters=tuple((key, str(value)) for key, value in told.items() if value),
    )
    return Wire(
        media_type=package.XML,
        body=words.write(version, words.Words(status=status)),
        headers={t.KIND: "status", t.STATUS_CODE: str(code)},
    )


def _refused(event: Event, ctx: EncodeContext, version: t.Version) -> Wire:
    """A refusal, as СМЭВ itself has it, or as a payload of the profile where a peer wants that."""
    code = event.payload.code if isinstance(event.payload, f.ReasonFacts) else ""
    text = "Обращение не принято к рассмотрению" + (f": {code}" if code else "")
    if ctx.options.get("refuse_with") == "payload":
        told_code = code or event.type.value
        body = (
            f'<Refusal xmlns="{codes.NAMESPACE}"><Code>{xml.escape(told_code)}</Code>'
            f"<Description>{xml.escape(text)}</Description>"
            f"<OccurredOn>{str(event.occurred_at)[:10]}</OccurredOn></Refusal>"
        )
        headers = {t.KIND: "response"}
        return Wire(media_type=package.XML, body=fields.checked(body.encode()), headers=headers)
    word = codes.NO_DATA if version == "1.2" else codes.FAILURE
    told = t.RequestRejected(code=word, description=text[:_TITLE])
    body_of = words.write(version, words.Words(rejected=(told,)))
    return Wire(media_type=package.XML, body=body_of, headers={t.KIND: "rejected"})


def _given(
    appeal: Appeal, ctx: EncodeContext, telling: Telling
) -> tuple[c.AppealIn, tuple[package.Packed, ...]]:
    """The appeal and its files as we give them on."""
    given = telling.appeal(appeal)
    attachments, files = _files(appeal.attachments, ctx)
    return replace(given, attachments=attachments), files


def _answer(
    letter: Answer,
    event: Event,
    ctx: EncodeContext,
    telling: Telling,
    key: c.AppealKey,
    *,
    kind: str = "response",
) -> Wire:
    status = telling.status(event, ctx, key)
    attachments, files = _files(letter.attachments, ctx)
    document = c.AnswerIn(
        message_key=status.message_key,
        key=status.key,
        kind=letter.kind.value,
        number=letter.number or None,
        date=letter.date or status.occurred_on,
        text=letter.text or None,
        outcome=status.outcome,
        signed_by=_signer(letter),
        attachments=attachments,
    )
    name = "Answer" if kind == "response" else "SubmitAnswer"
    return _document(c.SubmitAnswer(answer=document), name, files, kind)


def _letter(appeal: Appeal, event: Event, ctx: EncodeContext) -> Answer:
    """The letter that the event tells of; by its number where its id is not told."""
    number = event.payload.number if isinstance(event.payload, f.AnswerFacts) else ""
    found = [a for a in appeal.answers if str(a.id) == ctx.letter]
    found = found or [a for a in appeal.answers if number and a.number == number]
    found = found or list(appeal.answers[-1:])
    if found:
        return found[0]
    message = "the letter of the answer is not here"
    raise ValidationError(message, (Violation("/answer", "required", message),))


def _files(
    attachments: Iterable[Attachment], ctx: EncodeContext
) -> tuple[tuple[c.AttachmentIn, ...], tuple[package.Packed, ...]]:
    """Files as the payload names them, and as they travel; one that is not here goes by digest."""
    named, packed, wrong = [], [], []
    for number, one in enumerate(attachments, 1):
        data = ctx.files.get(one.sha256)
        if data is None:
            message = "the bytes of the file are not here"
            wrong.append(Violation(f"/Attachments/{number}", "file", message, one.sha256))
            continue
        ident = f"file-{number}"
        name = one.declared_name or f"{one.sha256[:12]}.bin"
        media = one.declared_type or one.media_type
        named.append(
            c.AttachmentIn(
                file_name=name,
                media_type=media or None,
                sha256=one.sha256,
                attachment_id=ident,
                role=None if one.role.value == "appeal" else one.role.value,
            )
        )
        packed.append(package.Packed(id=ident, data=data, media_type=media, name=name))
    if wrong:
        raise ValidationError("the message cannot be sent", tuple(wrong))
    return tuple(named), tuple(packed)


def _key(appeal: Appeal) -> c.AppealKey:
    """The number that the sender gave the appeal; ours where it gave none."""
    given = next((r.value for r in appeal.refs if r.kind == "external_id"), "")
    return c.AppealKey(external_id=given) if given else c.AppealKey(
        receipt_number=appeal.receipt_number or None
    )  # fmt: skip


def _signer(letter: Answer) -> str | None:
    one = letter.signed_by
    if one is None:
        return None
    return " ".join(filter(None, (one.family, one.given, one.patronymic))) or None


def _version(ctx: EncodeContext) -> t.Version:
    told = ctx.options.get("version", "1.3")
    return next((v for v in t.VERSIONS if v == told), "1.3")
