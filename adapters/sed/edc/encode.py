"""An appeal, or an answer to one, → a message with a container; every rule is checked before.

A container carries documents alone: what else happens to an appeal is told by notifications. The
main document has to be a PDF that is there already: nothing is drawn here, no stamp is made and
nothing is signed. What an appeal brought in a container of its own goes on with it, to the byte;
its passport then is an enclosure, since the new letter has another.

A passport has no place for the citizen, nor for a text: what the PDF may not say goes beside it as
a plain file.

Options: `profile` (`2.7.1`, else 2.7), `zone`, `uid`, `organization` (we, among the participants of
МЭДО), `addressee_uid`, `addressee` (who is written to), `signatory`, `signatory_post`, `kind`,
`xsd_271`.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import ChainMap
from typing import TYPE_CHECKING, Final, cast

import msgspec
from msgspec.structs import replace

from adapters.sed.codes import PEER, document_uid
from adapters.sed.edc import sheet, zipped
from adapters.sed.edc.build import build
from adapters.sed.edc.decode import BODY, zone_of
from adapters.sed.edc.enclosed import has_main, members_of, sorted_out
from adapters.sed.edc.leaves import local
from adapters.sed.edc.passport import SIGNATURES, STAMPS
from adapters.sed.edc.restore import ORDER
from adapters.sed.edc.v271 import PROFILE, V271
from adapters.sed.edc.version import CONTAINER, KIND, PASSPORT, V27, Version, written
from gateway import limits, xml
from gateway.errors import UnsupportedError, ValidationError, Violation
from gateway.model.appeal import Appeal
from gateway.model.attachment import Attachment
from gateway.model.base import Code, ExternalRef, Extra
from gateway.model.events import EventType
from gateway.model.facts import TransferFacts
from gateway.model.organisation import Officer, Organisation
from gateway.model.registration import Link, LinkKind, ReferralIn

if TYPE_CHECKING:
    from adapters.sed.codes import Purpose
    from gateway.adapter import EncodeContext
    from gateway.model.answer import Answer
    from gateway.model.events import Event

_NAMES: Final = uuid.UUID("b4e0c1d2-7a55-4a3e-9d0e-2f6c8b1a9e47")
"""Namespace of the uids of our messages, the same as for МЭДО 2.6: the same delivery, the same
message."""
_DOCUMENT: Final = (
    None, EventType.RECEIVED, EventType.REGISTERED, EventType.TRANSFERRED, EventType.ASSIGNED,
    EventType.REASSIGNED, EventType.AMENDED, EventType.FILE_ATTACHED,
)  # fmt: skip
_LETTER: Final = (EventType.ANSWERED, EventType.LETTER_SENT)


def encode(appeal: Appeal, event: Event | None, ctx: EncodeContext) -> dict[str, bytes]:
    """Return the files of the message folder by name, without its envelope.

    Raises UnsupportedError for an event that is no document, ValidationError naming everything that
    a receiver would refuse.
    """
    kind = event.type if event else None
    if kind in _LETTER:
        document = _answer(appeal, event, ctx)
    elif kind in _DOCUMENT:
        document = _document(appeal, event, ctx)
    else:
        raise UnsupportedError(
            "контейнер несёт только документы · a container carries documents alone",
            found=str(kind),
            expected=", ".join(str(each) for each in (*_DOCUMENT[1:], *_LETTER)),
        )
    version = V271 if ctx.options.get("profile") == PROFILE else V27
    name, text = _beside(appeal, document, letter=kind in _LETTER)
    if text:
        data = text.encode("utf-8-sig")
        card = Attachment(
            sha256=xml.digest(data), media_type="text/plain", declared_name=name,
            description="Карточка и текст" if kind not in _LETTER else "Текст ответа",
        )  # fmt: skip
        document = replace(document, attachments=(*document.attachments, card))
        files = ChainMap({card.sha256: data}, cast("dict[str, bytes]", ctx.files))
        ctx = msgspec.structs.replace(ctx, files=files)
    return _message(document, version, ctx)


def can_carry(appeal: Appeal, event: Event | None, ctx: EncodeContext) -> bool:
    """Say whether the document has a PDF, without which no container can be made of it."""
    if event is None or event.type not in _LETTER:
        return has_main(appeal.attachments, ctx.files)
    answer = _letter(appeal, ctx)
    return answer is None or has_main(answer.attachments, ctx.files)


def _beside(appeal: Appeal, document: Appeal, *, letter: bool) -> tuple[str, str]:
    """Return name and words of the file that says what the passport has no place for."""
    if letter:
        return "answer.txt", document.text
    lines = []
    for one in appeal.applicants:
        person = one.person
        name = ""
        if person:
            parts = (person.family, person.given, person.patronymic)
            name = person.full_name_as_given or " ".join(filter(None, parts))
        body = (
            (one.organisation.full_name or one.organisation.short_name) if one.organisation else ""
        )
        lines.append(f"Заявитель: {', '.join(filter(None, (name, body))) or 'не назван'}")
        lines += [f"Адрес: {address.raw}" for address in one.addresses if address.raw]
        lines += [f"Контакт: {contact.value}" for contact in one.contacts]
    text = appeal.text or "\n\n".join(q.text for q in appeal.questions if q.text)
    said = text.strip() in {"", document.subject.strip()}
    return "appeal.txt", "\n".join([*lines, *(() if said else (*([""] if lines else ()), text))])


def _message(appeal: Appeal, version: Version, ctx: EncodeContext) -> dict[str, bytes]:
    wrong: list[Violation] = []
    main, enclosures = sorted_out(appeal.attachments, ctx.files)
    told = sheet.leaves(appeal, main or Attachment(), enclosures, version)
    wrong += sheet.check(told, main, ctx.files)
    members = members_of((main, *enclosures) if main else enclosures, ctx.files, wrong)
    message = _communication(version, _mid(appeal, ctx), ctx)
    for path in ("header/source/@uid", "header/source/organization"):
        if f"communication/{path}" not in message:
            text = "не указано, кто отправляет · the sender is not named in the peer's options"
            wrong.append(Violation(f"communication/{path}", "required", text))
    passport = sheet.write(told, version)
    card = written(build(message, version.message, "xdms", ORDER), message, version)
    if not wrong:
        wrong += version.check(xml.parse(card).root, version.file, ctx.options)
        wrong += version.check(xml.parse(passport).root, PASSPORT, ctx.options)
    if wrong:
        text = "контейнер не будет принят · the container would not be taken"
        raise ValidationError(text, tuple(dict.fromkeys(wrong)))
    return {
        version.file: card,
        CONTAINER: zipped.write({PASSPORT: passport, **members}),
    }


def _communication(version: Version, mid: str, ctx: EncodeContext) -> dict[str, str]:
    to = "communication/deliveryIndex/destination/destination"
    leaves = {
        "communication/@version": version.name,
        "communication/header/@type": KIND,
        "communication/header/@uid": mid,
        "communication/header/@created": local(ctx.now, zone_of(ctx.options)),
        "communication/header/source/@uid": _option(ctx, "uid"),
        "communication/header/source/organization": _option(ctx, "organization"),
        BODY: CONTAINER,
        f"{to}/@uid": _option(ctx, "addressee_uid"),
        f"{to}/organization": _option(ctx, "addressee"),
    }
    return {path: value for path, value in leaves.items() if value}


def _mid(appeal: Appeal, ctx: EncodeContext) -> str:
    """Return the uid of the message: of the delivery, which stays the same for every attempt."""
    uid = next((ref.value for ref in appeal.refs if ref.kind == "uid"), "")
    return str(uuid.uuid5(_NAMES, ctx.key or f"{ctx.peer}/{uid}"))


def _document(appeal: Appeal, event: Event | None, ctx: EncodeContext) -> Appeal:
    """Return the appeal as a document of ours, by its letters' authors; on a transfer after us."""
    payload = event.payload if event else None
    passed = isinstance(payload, TransferFacts)
    letters = appeal.referrals or _registered(appeal, ctx)
    attachments = appeal.attachments
    if isinstance(payload, TransferFacts):
        body = Organisation(full_name=_option(ctx, "organization"))
        first = ReferralIn(from_org=body, number=payload.number, date=payload.date)
        letters = (first, *appeal.referrals)
        attachments = tuple(replace(one, extras=_moved(one)) for one in attachments)
    return replace(
        appeal,
        document_kind=appeal.document_kind or _kind(_option(ctx, "kind") or "Обращение гражданина"),
        subject=appeal.subject or appeal.text[: limits.SUBJECT_CHARS],
        refs=(_uid(appeal, "passed" if passed else "handed", event),),
        referrals=letters,
        addressees=_addressee(appeal, ctx) or appeal.addressees,
        links=tuple(
            link for link in appeal.links if link.kind is LinkKind.ANSWER_TO and link.number
        ),
        attachments=attachments,
        extras=tuple(extra for extra in appeal.extras if extra.path != "container/@version"),
    )


def _registered(appeal: Appeal, ctx: EncodeContext) -> tuple[ReferralIn, ...]:
    """Return who registered the appeal as its author, where no letter came with it.

    An appeal that nobody registered goes by its receipt number, of the day on which it came.
    """
    given = sorted(appeal.registrations, key=lambda one: not one.is_ours)
    ours = Organisation(full_name=_option(ctx, "organization"))
    for one in given:
        if one.number:
            body = one.organisation
            named = body if body and body.full_name and not one.is_ours else ours
            return (ReferralIn(from_org=named, number=one.number, date=one.date),)
    came = appeal.received_at or appeal.sent_at or ctx.now
    day = came.astimezone(zone_of(ctx.options)).date()
    return (ReferralIn(from_org=ours, number=appeal.receipt_number, date=day),)


def _answer(appeal: Appeal, event: Event | None, ctx: EncodeContext) -> Appeal:
    """Return a letter as a document of ours that answers the one by which the appeal came."""
    answer = _letter(appeal, ctx)
    if answer is None:
        message = "ответа нет · there is no letter to send"
        raise ValidationError(message, (Violation("answers", "required", message),))
    body = Organisation(full_name=_option(ctx, "organization"))
    theirs = appeal.referrals[0] if appeal.referrals else ReferralIn()
    uid = next((r.value for r in appeal.refs if r.peer == PEER and r.kind == "uid"), "")
    path = "container/requisites/links/link[0]/@uid"
    link = Link(
        kind=LinkKind.ANSWER_TO,
        number=theirs.number,
        date=theirs.date,
        organisation=theirs.from_org,
        extras=(Extra(peer=PEER, path=path, value=uid),) if uid else (),
    )
    to = Officer(organisation=theirs.from_org) if theirs.from_org else None
    signer = answer.signed_by or Officer(
        name=_option(ctx, "signatory"), post=_option(ctx, "signatory_post")
    )
    signed = (replace(signer, extras=()),) if signer.name or signer.post else ()
    day = answer.date or _day(event, ctx)
    return Appeal(
        document_kind=_kind("Письмо"),
        subject=_about(appeal, theirs),
        text=answer.text,
        refs=(_uid(appeal, "answer", event),),
        referrals=(
            ReferralIn(
                from_org=body, number=answer.number, date=day, signed_by=signed,
            ),
        ),
        addressees=_addressee(Appeal(), ctx) or ((to,) if to else ()),
        links=(link,) if uid or theirs.number else (),
        attachments=answer.attachments,
    )  # fmt: skip


def _day(event: Event | None, ctx: EncodeContext) -> dt.date:
    at = event.occurred_at if event else ctx.now
    return at.astimezone(zone_of(ctx.options)).date() if isinstance(at, dt.datetime) else at


def _letter(appeal: Appeal, ctx: EncodeContext) -> Answer | None:
    by_id = next((one for one in appeal.answers if ctx.letter and str(one.id) == ctx.letter), None)
    return by_id or (appeal.answers[-1] if appeal.answers else None)


def _about(appeal: Appeal, theirs: ReferralIn) -> str:
    number = theirs.number or appeal.receipt_number
    words = "О результатах рассмотрения обращения"
    return f"{words} № {number}" if number else words


def _kind(word: str) -> Code:
    return Code(system="medo.kind", value=word)


def _uid(appeal: Appeal, purpose: Purpose, event: Event | None) -> ExternalRef:
    """Return a uid that says which appeal it is of: whoever answers need name nothing else."""
    question = (event.question or 0) if event else 0
    if appeal.receipt_number:
        value = document_uid(appeal.receipt_number, purpose, question)
    else:
        value = str(uuid.uuid5(_NAMES, f"{appeal.id}/{purpose}/{question}"))
    return ExternalRef(peer=PEER, kind="uid", value=value)


def _addressee(appeal: Appeal, ctx: EncodeContext) -> tuple[Officer, ...]:
    name = _option(ctx, "addressee")
    if not name and appeal.transfers and (body := appeal.transfers[-1].to_org):
        name = body.full_name
    return (Officer(organisation=Organisation(full_name=name)),) if name else ()


def _moved(file: Attachment) -> tuple[Extra, ...]:
    """Return extras of a file for a letter that has another author before the first one."""
    out = []
    for path, marks in ((STAMPS, file.stamps), (SIGNATURES, file.signatures)):
        told = next((list(e.value) for e in file.extras if e.path == path), [])
        if path == STAMPS:
            places = told or [place for place, _ in sheet.placed(file)]
        else:
            at = "container/authors/author[0]"
            places = told or [f"{at}/sign[{n}]/documentSignature" for n in range(len(marks))]
        if marks:
            out.append(Extra(peer=PEER, path=path, value=[_shifted(place) for place in places]))
    return tuple(out)


def _shifted(place: str) -> str:
    head, _, rest = place.partition("author[")
    number, _, tail = rest.partition("]")
    return f"{head}author[{int(number) + 1}]{tail}"


def _option(ctx: EncodeContext, name: str) -> str:
    return str(ctx.options.get(name) or "").strip()
