"""Answers that carry no document of the contract, as reports on the appeal that was asked about.

RequestRejected is a refusal to register, RequestStatus a state in the provider's words (or, where
its parameters name an event of the profile, that event), AsyncProcessingStatus a state that СМЭВ
itself names. What a report has no field for stays in its extras, whole.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING, Any, Final

from adapters.smev.codes import PEER, REJECT
from adapters.smev.messages import types as t
from gateway import limits
from gateway.adapter import Inbound
from gateway.errors import GatewayError, ValidationError, Violation, violations_of
from gateway.model import events as e
from gateway.model import facts as f
from gateway.model.base import Extra, day, moment
from gateway.model.fold import clean_text, number_key

if TYPE_CHECKING:
    from lxml.etree import _Element

    from adapters.smev.messages.words import Words
    from gateway.adapter import Wire

ZONE: Final = dt.timezone(dt.timedelta(hours=3))
"""Moscow: the calendar that СМЭВ keeps."""
PLAIN: Final = frozenset({
    e.EventType.TAKEN_TO_WORK, e.EventType.ANSWER_PREPARED, e.EventType.WITHDRAWN,
    e.EventType.ASSIGNED, e.EventType.REASSIGNED,
})  # fmt: skip
"""Events that a status may tell with nothing but its name, or with a body."""
_GREGORIAN: Final = dt.datetime(1582, 10, 15, tzinfo=dt.UTC)
_V1: Final = 1
_CODE: Final = 64


def item(told: Words, wire: Wire) -> Inbound:
    """Return a word as a report; raise ValidationError when it cannot be said of which appeal."""
    if told.rejected:
        return _rejected(told.rejected, wire)
    if told.status is not None:
        return _status(told.status, wire)
    assert told.async_status is not None
    return _async(told.async_status, wire)


def report(wire: Wire, *, event: e.EventType, occurred: dt.date | None, **facts: Any) -> Inbound:
    """Return a report on the appeal that a request of ours was about.

    occurred: the day or the instant that the message names; else that of the message itself.
    """
    key = wire.headers.get(t.APPEAL, ""), wire.headers.get(t.ORIGINAL_ID, "")
    if not any(key):
        message = "an answer names no request of ours"
        raise ValidationError(message, (Violation(t.ORIGINAL_ID, "required", message),))
    message_id = wire.headers.get(t.MESSAGE_ID, "")
    if not message_id:
        message = "an answer has no number of its own"
        raise ValidationError(message, (Violation(t.MESSAGE_ID, "required", message),))
    at = occurred or _sent_at(wire, message_id)
    instant = at if isinstance(at, dt.datetime) else None
    on = instant.astimezone(ZONE).date() if instant else at
    return Inbound(
        operation="status",
        message_key=message_id,
        report=e.PeerReport(
            message_key=message_id,
            key=e.AppealKey(receipt_number=key[0]) if key[0] else e.AppealKey(external_id=key[1]),
            event=event,
            occurred_on=on,
            occurred_at=instant,
            **facts,
        ),
    )


def _sent_at(wire: Wire, message_id: str) -> dt.datetime:
    """When СМЭВ took the message; by the id itself, which holds the time, where nothing says it."""
    told = wire.headers.get(t.SENT_AT, "")
    if told:
        return moment(told, t.SENT_AT)
    try:
        found = uuid.UUID(message_id)
        if found.version == _V1:
            return moment(_GREGORIAN + dt.timedelta(microseconds=found.time // 10))
    except (ValueError, OverflowError):
        pass
    message = "it is not told when the message was sent"
    raise ValidationError(message, (Violation(t.SENT_AT, "required", message),))


def _rejected(found: tuple[t.RequestRejected, ...], wire: Wire) -> Inbound:
    first = found[0]
    others = [[one.code, _clean(one.description, "RejectionReasonDescription")]
              for one in found[1:]]  # fmt: skip
    extras = (Extra(peer=PEER, path="RequestRejected", value=others),) if others else ()
    return report(
        wire,
        event=e.EventType.REGISTRATION_REFUSED,
        occurred=None,
        reason=f.ReasonFacts(code=_code(first.code, "RejectionReasonCode"), system=REJECT),
        comment=_clean(first.description, "RejectionReasonDescription"),
        extras=extras,
    )


def _status(found: t.RequestStatus, wire: Wire) -> Inbound:
    if len(found.parameters) > limits.EXTRAS_PER_ENTITY:
        message = "too many parameters"
        raise ValidationError(message, (Violation("StatusParameter", "count", message),))
    told = [
        [_clean(key, "StatusParameter/Key"), _clean(value, "StatusParameter/Value")]
        for key, value in found.parameters
    ]
    named = {one[0]: one[1] for one in reversed(told)}
    event, facts = _named(named)
    if event is None:
        event = e.EventType.PEER_STATE_REPORTED
        facts = {"peer_state": f.PeerStateFacts(peer=PEER, code=str(found.code))}
    on = _day(named.get("OccurredOn", ""))
    return report(
        wire,
        event=event,
        occurred=on,
        comment=_clean(found.description, "StatusDescription"),
        extras=(Extra(peer=PEER, path="RequestStatus", value=[found.code, told]),),
        **facts,
    )


def _named(told: dict[str, str]) -> tuple[e.EventType | None, dict[str, Any]]:
    """Return the event that parameters name, None where they do not name it whole."""
    body = told.get("Organisation", "")
    try:
        event = e.EventType(told.get("Event", ""))
    except ValueError:
        return None, {}
    if event is e.EventType.REGISTERED:
        number, on = told.get("RegistrationNumber", ""), _day(told.get("RegistrationDate", ""))
        if not number or len(number) > limits.ID_CHARS or on is None:
            return None, {}
        return event, {
            "registration": f.RegistrationFacts(
                organisation=body, number=number, number_key=number_key(number), date=on
            )
        }
    if event is e.EventType.EXTENDED:
        due, ground = _day(told.get("NewDueDate", "")), told.get("Ground", "")
        if due is None or not ground:
            return None, {}
        return event, {"extension": f.ExtensionFacts(ground=ground, new_due=due)}
    if event in (e.EventType.ASSIGNED, e.EventType.REASSIGNED):
        return (event, {"executor": f.ExecutorFacts(organisation=body)}) if body else (None, {})
    if event is e.EventType.TRANSFERRED:
        return (event, {"transfer": f.TransferFacts(organisation=body)}) if body else (None, {})
    return (event, {}) if event in PLAIN else (None, {})


def _async(found: t.AsyncProcessingStatus, wire: Wire) -> Inbound:
    if found.original_message_id and not wire.headers.get(t.ORIGINAL_ID):
        wire = _with(wire, t.ORIGINAL_ID, _code(found.original_message_id, "OriginalMessageId"))
    fault = found.fault
    told = [
        found.original_message_id,
        [list(one) for one in found.routing],
        [fault.code, fault.description] if fault is not None else None,
    ]
    for text in (found.original_message_id, *(x for one in found.routing for x in one)):
        _clean(text, "AsyncProcessingStatus")
    if fault is not None:
        _clean(fault.code, "SmevFault/Code")
        _clean(fault.description, "SmevFault/Description")
    return report(
        wire,
        event=e.EventType.PEER_STATE_REPORTED,
        occurred=None,
        peer_state=f.PeerStateFacts(peer=PEER, code=_code(found.category, "StatusCategory")),
        comment=_clean(found.details, "StatusDetails"),
        extras=(Extra(peer=PEER, path="AsyncProcessingStatus", value=told),),
    )


def _with(wire: Wire, name: str, value: str) -> Wire:
    return type(wire)(
        media_type=wire.media_type, body=wire.body, name=wire.name,
        headers={**wire.headers, name: value},
    )  # fmt: skip


def _clean(value: str, path: str) -> str:
    return clean_text(value, path)


def _code(value: str, path: str) -> str:
    kept = clean_text(value, path, _CODE)
    if not kept:
        message = "must not be empty"
        raise ValidationError(message, (Violation(path, "required", message),))
    return kept


def _day(value: str) -> dt.date | None:
    try:
        return day(value) if value else None
    except GatewayError:
        return None


class Taker:
    """Takes the children of a small document; what is wrong is named all at once."""

    def __init__(self, root: _Element) -> None:
        self._space = str(root.tag).rpartition("}")[0] + "}"
        self._left: dict[str, str] = {}
        self._wrong: list[Violation] = []
        for child in root:
            name = str(child.tag)
            local = name.removeprefix(self._space)
            if not name.startswith(self._space) or local in self._left or len(child):
                self._fault(local[:200], "unexpected", "the element is not of the profile")
            elif len(self._left) < _CODE:
                self._left[local] = (child.text or "").strip()

    def text(self, name: str, limit: int, *, required: bool = False) -> str:
        """Return a text, empty when it is not there."""
        value = self._left.pop(name, "")
        if required and not value:
            self._fault(name, "required", "must not be empty")
        try:
            return clean_text(value, name, limit)
        except GatewayError as error:
            self._wrong.extend(violations_of(error))
            return ""

    def instant(self, name: str) -> dt.datetime | None:
        """Return an instant, which must be there."""
        found: dt.datetime | None = self._read(name, moment)
        return found

    def day(self, name: str) -> dt.date | None:
        """Return a day, which must be there."""
        found: dt.date | None = self._read(name, day)
        return found

    def finish(self) -> None:
        """Raise ValidationError when anything was wrong, or stands there that nobody took."""
        for name in self._left:
            self._fault(name[:200], "unexpected", "the element is not of the profile")
        if self._wrong:
            raise ValidationError("the payload does not fit the profile", tuple(self._wrong))

    def _read(self, name: str, make: Any) -> Any:
        value = self.text(name, limits.ID_CHARS, required=True)
        if not value:
            return None
        try:
            return make(value, name)
        except GatewayError as error:
            self._wrong.extend(violations_of(error))
            return None

    def _fault(self, path: str, code: str, message: str) -> None:
        self._wrong.append(Violation(f"/{path}", code, message))
