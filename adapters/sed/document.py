"""МЭДО document → an appeal, or an answer to a document of ours.

The letter is a referral, its correspondents are the applicants, its clauses assignments. A document
that answers one of ours by link (`В ответ на`, `Ответ`, `На №`, `Во исполнение`, with our uid) is
the answer to that appeal and no appeal of its own.
"""

from __future__ import annotations

import datetime as dt
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from adapters.sed.attached import attachments, contents, pairs
from adapters.sed.codes import ANSWERING, LINKS, PEER, Ours, ours
from gateway.adapter import Inbound
from gateway.errors import ValidationError, Violation
from gateway.model import facts as f
from gateway.model.address import Address, AddressRole
from gateway.model.answer import Result
from gateway.model.appeal import Appeal
from gateway.model.assignment import Assignment
from gateway.model.base import Code, ExternalRef
from gateway.model.events import AppealKey, EventType, PeerAnswer, PeerReport
from gateway.model.fold import number_key
from gateway.model.organisation import Organisation
from gateway.model.person import Applicant, Person
from gateway.model.registration import Link, LinkKind, ReferralIn

if TYPE_CHECKING:
    from adapters.sed.folder import Folder
    from adapters.sed.reader import Reader
    from gateway.model.attachment import Attachment

_SOURCE: Final = Code(system="gateway.source", value="medo26")
_SINCE: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_KEY_CHARS: Final = 200


def submission(reader: Reader, folder: Folder) -> Inbound:
    """Return what a document is; raise ValidationError when nothing names it."""
    answered = _answered(reader)
    if answered is not None:
        return _answer(reader, folder, answered)
    uid, replaced = reader.peek("document/@uid").lower(), _replaced(reader)
    sender = reader.peek("header/source/@uid").lower()
    number = reader.peek("document/num/number")
    if not (uid or number):
        message = "документ ничем не назван · the document has neither uid nor number"
        wrong = Violation("document/@uid", "required", message)
        raise ValidationError("the document cannot be told from others", (wrong,))
    day = reader.peek("document/num/date")
    external_id = key(f"{sender}/{replaced or uid or f'{number}/{day}'}")
    revision = _revision(reader) if replaced else 1
    files, kept = contents(folder)
    appeal = _appeal(reader, attachments(reader, folder))
    appeal = replace(appeal, revision=revision, extras=(*reader.extras(), *kept))
    return Inbound(
        operation="submit",
        external_id=external_id,
        revision=revision,
        appeal=appeal,
        files=files,
    )


def key(value: str) -> str:
    """Return a key that the store takes: a digest stands for one that is too long."""
    return value if len(value) <= _KEY_CHARS else sha256(value.encode()).hexdigest()


def _replaced(reader: Reader) -> str:
    """The uid of the document that this one replaces; empty when it replaces none.

    `insteadOfDistributed` is a bare yes: a system that gives the new text a new uid links the old
    one by the same number; one that links nothing keeps the uid.
    """
    if reader.peek("document/insteadOfDistributed").lower() not in {"true", "1"}:
        return ""
    number = number_key(reader.peek("document/num/number"))
    for link in reader.places("document/links/link"):
        uid = reader.peek(f"{link}/@uid").lower()
        told = reader.peek(f"{link}/reference/num/number") or reader.peek(
            f"{link}/document/num/number"
        )
        if uid and number and number_key(told) == number:
            return uid
    return reader.peek("document/@uid").lower()


def _revision(reader: Reader) -> int:
    """The revision of a replacing document: seconds from 2000 to the instant it was made.

    How many came before it is known to nobody who sees only this one; whatever was made later is
    newer. It stays below 2³¹ until 2068.
    """
    raw = reader.peek("header/@created")
    try:
        made = dt.datetime.fromisoformat(raw)
        made = made if made.tzinfo else made.replace(tzinfo=reader.zone)
        seconds = int((made - _SINCE).total_seconds())
    except (ValueError, OverflowError):
        seconds = 0
    return seconds if 2 < seconds < 2**31 else 2


def _answered(reader: Reader) -> Ours | None:
    """What the document of ours is that this one answers."""
    for link in reader.places("document/links/link"):
        if reader.peek(f"{link}/linkType") in ANSWERING:
            known = ours(reader.peek(f"{link}/@uid"))
            if known is not None and known.purpose != "answer":
                return known
    return None


def _answer(reader: Reader, folder: Folder, known: Ours) -> Inbound:
    at = reader.moment("header/@created", keep=True)
    number = reader.text("document/num/number")
    told = reader.day("document/num/date")
    day = told or (at.astimezone(reader.zone).date() if at else None)
    if day is None:
        message = "не сказано, когда · neither the answer's date nor the message's time is told"
        wrong = Violation("document/num/date", "required", message)
        raise ValidationError("the answer has no date", (wrong,))
    body = reader.peek("header/source/@uid") or reader.peek("header/source/organization")
    text = reader.text("document/annotation")
    outcome = f.OutcomeFacts(result=Result.ANSWERED.value)
    passed = known.purpose == "passed"
    files, kept = contents(folder)
    listed = (pair.sha256 for pair in pairs(reader, folder))
    report = PeerReport(
        message_key=key(reader.peek("header/@uid").lower() or f"{body}/{number}/{day}"),
        key=AppealKey(receipt_number=known.receipt),
        event=EventType.RECEIVER_ANSWERED if passed else EventType.ANSWERED,
        occurred_on=day,
        ordinals=(known.question,) if known.question else (),
        outcome=None if passed else outcome,
        receiver=f.ReceiverFacts(organisation=body, number=number, date=day) if passed else None,
        answer=PeerAnswer(
            kind="final",
            number=number,
            date=told,
            outcome=outcome,
            attachments=tuple(dict.fromkeys((*filter(None, listed), *(x.sha256 for x in files)))),
            text=text,
            has_text=bool(text),
            signed_by=reader.text("document/signatories/signatory/person"),
        ),
        extras=(*reader.extras(), *kept),
    )
    return Inbound(operation="answer", message_key=report.message_key, report=report, files=files)


def _appeal(reader: Reader, given: tuple[Attachment, ...]) -> Appeal:
    letter = _referral(reader)
    sent_at = reader.moment("header/@created")
    return Appeal(
        source_system=_SOURCE,
        sent_at=sent_at,
        refs=tuple(
            ExternalRef(peer=PEER, kind=kind, value=value)
            for kind, place in (
                ("mid", "header/@uid"), ("uid", "document/@uid"), ("id", "document/@id"),
            )
            if (value := reader.text(place))
        ),
        document_kind=_code(reader, "kind"),
        classification=_code(reader, "classification"),
        urgency=_code(reader, "urgency"),
        special_mark=_code(reader, "specialMark"),
        addressees=tuple(
            replace(reader.officer(at), extras=reader.extras(at))
            for at in reader.places("document/addressees/addressee")
        ),
        sheet_count=reader.number("document/pages"),
        enclosure_pages=reader.number("document/enclosuresPages"),
        subject=reader.text("document/annotation"),
        applicants=tuple(
            _applicant(reader, at) for at in reader.places("document/correspondents/correspondent")
        ),
        links=tuple(_link(reader, at) for at in reader.places("document/links/link")),
        assignments=tuple(_clause(reader, at) for at in reader.places("document/clauses/clause")),
        referrals=(letter,),
        attachments=given,
    )  # fmt: skip


def _code(reader: Reader, name: str) -> Code | None:
    value = reader.text(f"document/{name}")
    return Code(system=f"medo.{name}", value=value) if value else None


def _referral(reader: Reader) -> ReferralIn:
    number = reader.text("document/num/number")
    executor = None
    if reader.has("document/executor"):
        executor = replace(
            reader.officer("document/executor"),
            phone=reader.text("document/executor/contactInfo"),
        )
        executor = replace(executor, extras=reader.extras("document/executor"))
    return ReferralIn(
        from_org=reader.source(),
        number=number,
        number_key=number_key(number),
        date=reader.day("document/num/date"),
        signed_by=tuple(
            replace(
                reader.officer(at),
                signed_on=reader.day(f"{at}/signed"),
                extras=reader.extras(at),
            )
            for at in reader.places("document/signatories/signatory")
        ),
        executor=executor,
    )


def _applicant(reader: Reader, at: str) -> Applicant:
    name, body = reader.text(f"{at}/person"), reader.text(f"{at}/organization")
    contact = reader.text(f"{at}/contactInfo")
    return Applicant(
        person=Person(full_name_as_given=name) if name else None,
        organisation=Organisation(full_name=body) if body else None,
        addresses=(Address(role=AddressRole.APPLICANT_POSTAL, raw=contact),) if contact else (),
        extras=reader.extras(at),
    )


def _link(reader: Reader, at: str) -> Link:
    word = reader.text(f"{at}/linkType")
    body = reader.text(f"{at}/reference/organization")
    return Link(
        kind=LINKS.get(word, LinkKind.ATTACHED_CASE),
        peer_kind=Code(system="medo.linkType", value=word) if word else None,
        organisation=Organisation(full_name=body) if body else None,
        number=reader.text(f"{at}/reference/num/number"),
        date=reader.day(f"{at}/reference/num/date"),
        extras=reader.extras(at),
    )


def _clause(reader: Reader, at: str) -> Assignment:
    designation = reader.text(f"{at}/designation")
    refs = (ExternalRef(peer=PEER, kind="designation", value=designation),) if designation else ()
    return Assignment(
        refs=refs,
        text=reader.text(f"{at}/text"),
        due=reader.day(f"{at}/deadline"),
        executors=(reader.officer(f"{at}/principal"),) if reader.has(f"{at}/principal") else (),
        co_executors=tuple(reader.officer(p) for p in reader.places(f"{at}/parcipants/parcipant")),
        extras=reader.extras(at),
    )
