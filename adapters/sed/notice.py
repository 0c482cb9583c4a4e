"""МЭДО notification → what a peer reports of an appeal; a receipt → a line about our message.

The notification names a document by its uid. One that we gave says which appeal, which question
and whether it was a transfer; any other is the sender's own document, by its external id.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from adapters.sed.attached import contents
from adapters.sed.codes import NOTICES, PEER, REASONS, Notice, Ours, Reasons, is_uid, ours
from adapters.sed.document import key
from adapters.sed.implied import ELEMENT, UNTYPED, element_of, implied, left
from gateway import limits
from gateway.adapter import Inbound, RemoteState
from gateway.errors import ValidationError, Violation
from gateway.model import facts as f
from gateway.model.answer import Result
from gateway.model.base import Extra
from gateway.model.events import AppealKey, EventType, PeerAnswer, PeerReport
from gateway.model.fold import number_key

if TYPE_CHECKING:
    from adapters.sed.folder import Folder
    from adapters.sed.reader import Reader

_UNKNOWN: Final = Notice("", EventType.PEER_STATE_REPORTED, EventType.PEER_STATE_REPORTED)
_ELEMENTS: Final = frozenset(notice.element for notice in NOTICES.values())
ACCEPTED: Final = "accepted"
REFUSED: Final = "refused"


def report(reader: Reader, folder: Folder, reasons: Reasons) -> Inbound:
    """Return what a notification reports; raise ValidationError when it names no document."""
    word = reader.peek("notification/@type")
    kind = NOTICES.get(word, _UNKNOWN)
    at = f"notification/{kind.element}"
    if not (kind.element and reader.has(at)):
        word, kind, at = _by_element(reader, word)
    uid = reader.peek("notification/@uid").lower()
    if not uid:
        message = "не назван документ · the notification names no document"
        wrong = Violation("notification/@uid", "required", message)
        raise ValidationError("the notification names no document", (wrong,))
    known = ours(uid)
    event = kind.handed
    if known is not None and known.purpose != "handed":
        event = kind.passed if known.purpose == "passed" else EventType.PEER_STATE_REPORTED
    occurred_at, occurred_on = _when(reader, at)
    body = reader.peek("header/source/@uid") or reader.peek("header/source/organization")
    facts = _facts(reader, event, at, body, occurred_on, reasons)
    if facts is None:
        event, facts = EventType.PEER_STATE_REPORTED, {}
    if event is EventType.PEER_STATE_REPORTED:
        state = f.PeerStateFacts(peer=PEER, code=word or UNTYPED, label=_label(reader, at))
        facts = {"peer_state": state}
    files, beside = contents(folder)
    told = PeerReport(
        message_key=message_key_of(reader, f"{uid}/{word}/{occurred_at or occurred_on}"),
        key=_key(reader, at, uid, known),
        event=event,
        occurred_on=occurred_on,
        occurred_at=occurred_at,
        ordinals=(known.question,) if known and known.question else (),
        comment=reader.peek(f"{at}/courseText") or reader.peek("notification/comment"),
        **facts,
    )
    element = at.partition("/")[2] if at.partition("/")[2] in _ELEMENTS else ""
    kept = left(reader.whole, implied(told, element, reader.zone, reasons))
    if element != element_of(told, {extra.path: extra.value for extra in kept}):
        kept += (Extra(peer=PEER, path=ELEMENT, value=element),)
    told = replace(told, extras=(*kept, *reader.odd(), *beside))
    return Inbound(
        operation="answer" if event is EventType.ANSWERED else "status",
        message_key=told.message_key,
        report=told,
        files=files,
    )


def _key(reader: Reader, at: str, uid: str, known: Ours | None) -> AppealKey:
    """How the document is named: by its uid, and in words by the letter that is answered."""
    number = reader.peek(f"{at}/foundation/num/number")
    body = reader.peek(f"{at}/foundation/organization")
    sender = reader.peek("header/source/@uid").lower()
    return AppealKey(
        receipt_number=known.receipt if known else "",
        external_id="" if known else key(f"{sender}/{uid}"),
        registration_number=number if len(number) <= limits.ID_CHARS else "",
        organisation=body if len(body) <= limits.ID_CHARS else "",
    )


def message_key_of(reader: Reader, other: str) -> str:
    """Return the key of a message: its uid, else what names it otherwise.

    A uid in small letters is taken: the key alone gives it back.
    """
    mid = reader.peek("header/@uid")
    if is_uid(mid) and mid == mid.lower():
        return reader.text("header/@uid")
    return key(mid.lower() or other)


def receipt(reader: Reader, raw: bytes) -> Inbound:
    """Return a receipt as a line about the message that it names: the channel settles by it.

    raw: the message. Raises ValidationError when it names none.
    """
    uid = reader.peek("acknowledgment/@uid").lower()
    if not uid:
        message = "не названо сообщение · the receipt names no message"
        wrong = Violation("acknowledgment/@uid", "required", message)
        raise ValidationError("the receipt names no message", (wrong,))
    state = ACCEPTED if taken(reader) else REFUSED
    return Inbound(
        operation="expect",
        external_id=uid,
        message_key=key(reader.peek("header/@uid").lower() or f"{uid}/{state}"),
        expectation=RemoteState(
            key=uid,
            key_folded=number_key(uid),
            organisation=reader.peek("header/source/@uid"),
            states={"receipt": state},
            modified_at=reader.moment("acknowledgment/time", keep=True),
            exception_message=""
            if state == ACCEPTED
            else reader.peek("acknowledgment/comment") or "не принято",
            raw=raw,
        ),
    )


def taken(reader: Reader) -> bool:
    """Whether a receipt says that the message was taken."""
    return reader.peek("acknowledgment/accepted").lower() in {"true", "1"}


def _by_element(reader: Reader, word: str) -> tuple[str, Notice, str]:
    """The kind by the element that is there, when the type does not say or says another."""
    for name, kind in NOTICES.items():
        if reader.has(f"notification/{kind.element}"):
            return (word if word in NOTICES else name), kind, f"notification/{kind.element}"
    return word, _UNKNOWN, reader.around("notification", "time")


def _when(reader: Reader, at: str) -> tuple[dt.datetime | None, dt.date]:
    moment = reader.moment(f"{at}/time", keep=True)
    if moment is not None:
        return moment, moment.astimezone(reader.zone).date()
    sent = reader.moment("header/@created", keep=True)
    if sent is not None:
        return None, sent.astimezone(reader.zone).date()
    message = "не сказано, когда · neither the event's time nor the message's is told"
    raise ValidationError(
        "the notification has no time", (Violation(f"{at}/time", "required", message),)
    )


def _facts(
    reader: Reader, event: EventType, at: str, body: str, on: dt.date, reasons: Reasons
) -> dict[str, Any] | None:
    """The facts of the event; None when what it needs is not told, and it is only a state."""
    match event:
        case EventType.REGISTERED | EventType.RECEIVER_REGISTERED:
            return _numbered(reader, event, at, body, on)
        case EventType.REGISTRATION_REFUSED | EventType.REFUSED_BY_RECEIVER:
            code = reasons.code(reader.peek(f"{at}/reason"))
            return {"reason": f.ReasonFacts(code=code, system=REASONS)}
        case EventType.ASSIGNED:
            return _assigned(reader, f"{at}/executor", body)
        case EventType.ANSWERED | EventType.RECEIVER_ANSWERED:
            return _answered(reader, event, at, body, on)
        case _:
            return {}


def _numbered(
    reader: Reader, event: EventType, at: str, body: str, on: dt.date
) -> dict[str, Any] | None:
    number = reader.peek(f"{at}/num/number")
    day = _day(reader, f"{at}/num/date") or on
    if not number:
        return None
    if event is EventType.RECEIVER_REGISTERED:
        return {"receiver": f.ReceiverFacts(organisation=body, number=number, date=day)}
    folded = number_key(number)
    return {
        "registration": f.RegistrationFacts(
            organisation=body, number=number, number_key=folded, date=day
        )
    }


def _assigned(reader: Reader, at: str, body: str) -> dict[str, Any] | None:
    """The executor; the sender stands in when none is told."""
    executor = reader.peek(f"{at}/organization") or body
    if not executor:
        return None
    return {
        "executor": f.ExecutorFacts(organisation=executor),
        "executor_name": reader.peek(f"{at}/person"),
    }


def _answered(
    reader: Reader, event: EventType, at: str, body: str, on: dt.date
) -> dict[str, Any] | None:
    number = reader.peek(f"{at}/report/num/number")
    day = _day(reader, f"{at}/report/num/date")
    if event is EventType.RECEIVER_ANSWERED:
        if not number:
            return None
        return {"receiver": f.ReceiverFacts(organisation=body, number=number, date=day or on)}
    outcome = f.OutcomeFacts(result=Result.ANSWERED.value)
    signed_by = reader.peek(f"{at}/report/person")
    answer = PeerAnswer(kind="final", number=number, date=day, outcome=outcome, signed_by=signed_by)
    return {"outcome": outcome, "answer": answer}


def _day(reader: Reader, place: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(reader.peek(place)[:10])
    except ValueError:
        return None


def _label(reader: Reader, at: str) -> str:
    """What a state without an event of its own is about: numbers and places, no names."""
    number, where = reader.peek(f"{at}/num/number"), reader.peek(f"{at}/publicationPoint")
    return ", ".join(filter(None, (f"№ {number}" if number else "", where)))[:500]
