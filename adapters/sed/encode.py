"""An appeal, or an event of one, as a message of МЭДО 2.6: always valid by the schema.

To a СЭД that sent us the appeal every event is a notification about its document, an answer with
text or files a document of its own. To any other СЭД the appeal goes as a document. What a rule
needs and nobody told is named, all of it at once.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

from adapters.sed import tree
from adapters.sed.codes import DOCUMENT, NOTICE, PEER, VERSION, document_uid
from adapters.sed.edc.v271 import V271
from adapters.sed.edc.version import V27, Version
from adapters.sed.folder import ENVELOPE, envelope, pack
from adapters.sed.notify import notification, notifies
from adapters.sed.outgoing import Out, correspondents, put_files
from adapters.sed.reader import local
from gateway.errors import UnsupportedError, ValidationError
from gateway.model import facts as f
from gateway.model.assignment import TransferOut
from gateway.model.events import EventType

if TYPE_CHECKING:
    import datetime as dt

    from adapters.sed.codes import Reasons
    from adapters.sed.settings import Settings
    from gateway.adapter import EncodeContext, Wire
    from gateway.model.appeal import Appeal
    from gateway.model.assignment import Assignment
    from gateway.model.events import Event
    from gateway.model.organisation import Officer, Organisation

_REPLACES: Final = frozenset({EventType.AMENDED, EventType.FILE_ATTACHED})
_NAMES: Final = uuid.UUID("b4e0c1d2-7a55-4a3e-9d0e-2f6c8b1a9e47")
"""Namespace of the uids of messages: the same delivery, the same message."""


def encode(
    appeal: Appeal, event: Event | None, ctx: EncodeContext, settings: Settings, reasons: Reasons
) -> Wire:
    """Return the folder of one message.

    Raises UnsupportedError for an event that has no word here, ValidationError naming every rule
    that is broken.
    """
    out = Out(ctx, settings)
    back = _is_theirs(appeal, ctx)
    if back and event is not None and _as_letter(event, appeal, settings):
        kind, number = DOCUMENT, _answer(out, appeal, event)
    elif back and event is not None:
        if not notifies(event):
            raise UnsupportedError("МЭДО has no notification for it", found=event.type.value)
        kind, number = NOTICE, notification(out, appeal, event, reasons)
    elif event is None or event.type.value in settings.given_on:
        kind, number = DOCUMENT, _document(out, appeal, event)
    else:
        raise UnsupportedError("a СЭД that did not send it is not told", found=event.type.value)
    mid = message_uid(ctx.key or f"{ctx.peer}/{appeal.id}/{event.seq if event else 0}")
    _header(out, kind, mid)
    out.check()
    if out.wrong:
        raise ValidationError("МЭДО would refuse this message", tuple(out.wrong))
    version = version_of(settings.profile)
    card = tree.write(out.values, namespace=version.message, encoding=version.reads[0])
    members = {version.file: card, **out.files}
    subject = f"ЭСД МЭДО ({number})" if kind == DOCUMENT else f"Уведомление ({number})"
    members[ENVELOPE] = envelope(subject, settings.mailbox, tuple(members))
    return pack(mid, members)


def is_document(
    appeal: Appeal, event: Event | None, ctx: EncodeContext, settings: Settings
) -> bool:
    """Whether a message is a document, which later versions put into a container."""
    if event is None:
        return True
    if _is_theirs(appeal, ctx):
        return _as_letter(event, appeal, settings)
    return event.type.value in settings.given_on


def _is_theirs(appeal: Appeal, ctx: EncodeContext) -> bool:
    """Whether the destination is the СЭД that the appeal came from."""
    if ctx.peer and appeal.source_peer:
        return ctx.peer == appeal.source_peer
    return _theirs(appeal, "uid") != ""


def _theirs(appeal: Appeal, kind: str) -> str:
    return next((r.value for r in appeal.refs if r.peer == PEER and r.kind == kind), "")


def version_of(profile: str) -> Version:
    """Return how a profile spells its cards; 2.6 spells them as 2.7 does, but for the number."""
    return V271 if profile == V271.name else V27


def message_uid(key: str) -> str:
    """Return the uid of the message that a delivery of this key is."""
    return str(uuid.uuid5(_NAMES, key))


def _header(out: Out, kind: str, mid: str) -> None:
    settings = out.settings
    out.put(
        "@version", VERSION if settings.profile == VERSION else version_of(settings.profile).name
    )
    out.put("header/@type", kind)
    out.put("header/@uid", mid)
    out.put("header/@created", local(out.ctx.now.replace(microsecond=0), settings.zone))
    out.need("header/source/@uid", settings.uid, "options.uid: наш идентификатор участника")
    out.need("header/source/organization", settings.organization, "options.organization")


def _as_letter(event: Event, appeal: Appeal, settings: Settings) -> bool:
    """Whether the answer goes as a document: it has a text or a file, and МЭДО files go so."""
    if event.type is not EventType.ANSWERED or settings.answers != "document":
        return False
    answer = _letter(appeal, event)
    return answer is not None and bool(answer.text or answer.attachments)


def _letter(appeal: Appeal, event: Event) -> Any:
    number = event.payload.number if isinstance(event.payload, f.AnswerFacts) else ""
    mine = [a for a in appeal.answers if not number or a.number == number]
    return mine[-1] if mine else None


def _answer(out: Out, appeal: Appeal, event: Event) -> str:
    """Put the answer as a document that answers theirs by link; return its number."""
    answer = _letter(appeal, event)
    day = answer.date or out.day(event.occurred_at)
    number = answer.number or _registered(appeal)[0]
    out.put("document/@uid", str(uuid.uuid5(_NAMES, f"answer/{appeal.receipt_number}/{number}")))
    if appeal.receipt_number:
        uid = document_uid(appeal.receipt_number, "answer", event.question or 0)
        out.put("document/@uid", uid)
    _common(out, number, day, answer.signed_by)
    referral = next(iter(appeal.referrals), None)
    _addressee(out, referral.from_org if referral else None)
    out.put("document/pages", "0")
    out.put("document/annotation", out.cut(answer.text.strip() or _about(appeal), 4000))
    link = "document/links/link"
    out.put(f"{link}/@uid", _theirs(appeal, "uid"))
    out.put(f"{link}/linkType", "В ответ на")
    if referral:
        out.name(f"{link}/reference/organization", _called(referral.from_org))
    told = referral.number if referral else ""
    out.number(f"{link}/reference/num/number", told or _registered(appeal)[0])
    if referral and referral.date:
        out.put(f"{link}/reference/num/date", referral.date.isoformat())
    put_files(out, answer.attachments, text=answer.text, stem="answer")
    return number


def _document(out: Out, appeal: Appeal, event: Event | None) -> str:
    """Put the appeal as a document; return its number."""
    transfer = _transfer(appeal, event)
    question = event.question or 0 if event else 0
    number, day = _numbered(out, appeal, transfer, event)
    if appeal.receipt_number:
        receipt = appeal.receipt_number
        uid = document_uid(receipt, "passed" if transfer else "handed", question)
        out.put("document/@uid", uid)
        out.put("document/@id", appeal.receipt_number)
    else:
        out.put("document/@uid", str(uuid.uuid5(_NAMES, f"document/{appeal.id}/{question}")))
    if event and event.type in _REPLACES:
        out.put("document/insteadOfDistributed", "true")
    if appeal.urgency:
        out.name("document/urgency", appeal.urgency.label or appeal.urgency.value)
    _common(out, number, day, None)
    _addressee(out, transfer.to_org if transfer else None)
    out.put("document/pages", str(appeal.sheet_count or 0))
    if appeal.enclosure_pages is not None:
        out.put("document/enclosuresPages", str(appeal.enclosure_pages))
    out.put("document/annotation", out.cut(_about(appeal), 4000))
    correspondents(out, appeal)
    for n, clause in enumerate(_clauses(appeal, event)):
        _clause(out, clause, n)
    text = appeal.text or "\n\n".join(q.text for q in appeal.questions if q.text)
    put_files(out, appeal.attachments, text=text, stem="appeal")
    return number


def _transfer(appeal: Appeal, event: Event | None) -> TransferOut | None:
    if event is None or event.type is not EventType.TRANSFERRED:
        return None
    mine = [
        t for t in appeal.transfers
        if not t.questions or event.question is None or event.question in t.questions
    ]  # fmt: skip
    told = event.payload if isinstance(event.payload, f.TransferFacts) else f.TransferFacts()
    return mine[-1] if mine else TransferOut(number=told.number, date=told.date)


def _numbered(
    out: Out, appeal: Appeal, transfer: TransferOut | None, event: Event | None
) -> tuple[str, dt.date]:
    """The document's number: of the covering letter, of our registration, else of our receipt."""
    at = out.day(event.occurred_at) if event else out.day(out.ctx.now)
    if transfer and transfer.number:
        return transfer.number, transfer.date or at
    number, day = _registered(appeal)
    if number:
        return number, day or at
    received = appeal.received_at or appeal.sent_at
    return appeal.receipt_number, out.day(received) if received else at


def _registered(appeal: Appeal) -> tuple[str, dt.date | None]:
    given = [*(r for r in appeal.registrations if r.is_ours), *appeal.registrations]
    return next(((r.number, r.date) for r in given if r.number), ("", None))


def _common(out: Out, number: str, day: dt.date, signed_by: Officer | None) -> None:
    """Put what every document of ours has: kind, number, who signed."""
    settings = out.settings
    out.name("document/kind", settings.kind)
    out.number("document/num/number", number)
    out.put("document/num/date", day.isoformat())
    at = "document/signatories/signatory"
    out.name(f"{at}/organization", settings.organization)
    out.name(f"{at}/person", (signed_by.name if signed_by else "") or settings.signatory)
    out.name(f"{at}/post", (signed_by.post if signed_by else "") or settings.signatory_post)
    signed = signed_by.signed_on if signed_by else None
    out.put(f"{at}/signed", (signed or day).isoformat())


def _addressee(out: Out, body: Organisation | None) -> None:
    settings, at = out.settings, "document/addressees/addressee"
    name = settings.addressee or _called(body)
    if out.is_uid(settings.addressee_uid):
        out.put(f"{at}/@uid", settings.addressee_uid)
        if name:
            below = "deliveryIndex/destination/destination"
            out.put(f"{below}/@uid", settings.addressee_uid)
            out.name(f"{below}/organization", name)
    out.need(f"{at}/organization", out.short(name, 511), "options.addressee: кому направляется")


def _called(body: Organisation | None) -> str:
    return (body.full_name or body.short_name) if body else ""


def _about(appeal: Appeal) -> str:
    """What it is about: the first text that there is, for the schema wants one."""
    asked = (text for q in appeal.questions for text in (q.annotation, q.text))
    told = (text.strip() for text in (appeal.subject, appeal.text, *asked))
    return next(filter(None, told), f"Обращение {appeal.receipt_number}")


def _clauses(appeal: Appeal, event: Event | None) -> tuple[Assignment, ...]:
    """What is asked of them: the assignment that the event is about, the newest one."""
    if event is None or event.type not in {EventType.ASSIGNED, EventType.REASSIGNED}:
        return ()
    mine = [
        a for a in appeal.assignments
        if not a.questions or event.question is None or event.question in a.questions
    ]  # fmt: skip
    return tuple(mine[-1:])


def _clause(out: Out, clause: Assignment, n: int) -> None:
    at = f"document/clauses/clause[{n}]" if n else "document/clauses/clause"
    out.put(f"{at}/@localId", str(n + 1))
    out.put(f"{at}/text", out.cut(clause.text.strip() or "Рассмотреть обращение", 4000))
    if clause.due:
        out.put(f"{at}/deadline", clause.due.isoformat())
    for place, officers in (
        (f"{at}/principal", clause.executors[:1]),
        *((f"{at}/parcipants/parcipant[{m}]" if m else f"{at}/parcipants/parcipant", (one,))
          for m, one in enumerate(clause.co_executors)),
    ):  # fmt: skip
        for officer in officers:
            out.officer(place, officer)
