"""A call-back of the dispatcher to a report; pure. What the template does not name are extras."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from adapters.edds.codes import PEER
from adapters.edds.places import Elements, Tree
from gateway import limits
from gateway.adapter import Decoded, Inbound, Wire
from gateway.errors import TooLargeError, UnsupportedError, ValidationError, Violation
from gateway.model import facts as f
from gateway.model.base import Extra, in_utc
from gateway.model.events import AppealKey, EventType, PeerReport
from gateway.model.fold import check_characters, clean_text

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from adapters.edds.places import Place
    from adapters.edds.tables import Callback, Template


def decode(template: Template, zone: ZoneInfo, wire: Wire) -> Decoded:
    """Return the report of one call-back.

    zone: of an instant without its offset. Raises UnsupportedError where the template has no
    call-back, ValidationError naming everything that is missing or wrong.
    """
    if template.callback is None:
        raise UnsupportedError("this dispatcher has no call-back in its template")
    if len(wire.body) > limits.REST_BODY_BYTES:
        raise TooLargeError(
            "the message is too large",
            found=str(len(wire.body)),
            expected=f"at most {limits.REST_BODY_BYTES} bytes",
        )
    tree = Tree(wire.body) if template.form == "json" else Elements(wire.body, _charset(wire))
    return Decoded(items=(_report(template.callback, zone, tree),))


def _charset(wire: Wire) -> str:
    _, found, rest = wire.media_type.lower().partition("charset=")
    return rest.partition(";")[0].strip(' "') if found else ""


class _Reading:
    """Values of one call-back, and what is wrong with them."""

    def __init__(self, callback: Callback, tree: Tree | Elements) -> None:
        self._places = callback.places
        self._tree = tree
        self.wrong: list[Violation] = []
        self.kept: list[Place] = []

    def text(self, name: str, most: int, *, required: bool = True) -> str:
        """Return a value as text; a value of another type stays an extra besides."""
        at = self._places.get(name)
        if at is None:
            return ""
        told = self._tree.find(at)
        value = "" if told is None else told if isinstance(told, str) else _plain(told)
        if value is None:
            self._refuse(at, "type", "a text or a number is expected", type(told).__name__)
            return ""
        try:
            check_characters(value, at.spelled)
        except ValidationError as error:
            self.wrong += error.violations
            return ""
        if required and not value.strip():
            self._refuse(at, "required", "the value is missing")
        elif len(value) > most:
            self._refuse(at, "max_length", "the value is too long", value, f"at most {most}")
        elif told and isinstance(told, str) and value == value.strip():
            self.kept.append(at)
        return value.strip()

    def free(self, name: str) -> str:
        """Return a free text in the model's own spelling; one of another spelling stays besides."""
        text = self.text(name, limits.TEXT_CHARS, required=False)
        at = self._places.get(name)
        if not text or at is None:
            return text
        try:
            clean = clean_text(text, at.spelled)
        except ValidationError as error:
            self.wrong += error.violations
            return ""
        if clean != text and at in self.kept:
            self.kept.remove(at)
        return clean

    def _refuse(
        self, at: Place, code: str, message: str, found: str = "", expected: str = ""
    ) -> None:
        self.wrong.append(Violation(at.spelled, code, message, found[:200], expected))

    def moment(self, zone: ZoneInfo) -> tuple[dt.date, dt.datetime | None]:
        """Return the day, and the instant where one is told."""
        at, text = self._places["at"], self.text("at", 64)
        try:
            if len(text) == len("2026-01-01"):
                told = dt.date.fromisoformat(text)
                in_utc(dt.datetime.combine(told, dt.time(12), dt.UTC), at.spelled)
                return told, None
            instant = dt.datetime.fromisoformat(text)
            if instant.tzinfo is None:
                instant = instant.replace(tzinfo=zone)
            instant = in_utc(instant, at.spelled)
        except ValidationError as error:
            self.wrong += error.violations
        except (ValueError, OverflowError):
            if text:
                self._refuse(at, "date_time", "no such instant", text, "2026-03-01T10:00:00+03:00")
        else:
            if instant.isoformat() != text and at in self.kept:
                self.kept.remove(at)
            return instant.astimezone(zone).date(), instant
        return dt.date.min, None

    def rest(self, *, state_told: bool) -> tuple[Extra, ...]:
        """Return what has no home in a report, as extras."""
        for at in self.kept:
            if state_told or at is not self._places["state"]:
                self._tree.take(at)
        left = tuple(self._tree.rest())
        if len(left) > limits.EXTRAS_PER_ENTITY:
            raise TooLargeError(
                "too many unknown fields",
                found=str(len(left)),
                expected=f"at most {limits.EXTRAS_PER_ENTITY}",
            )
        for path, value in left:
            _check_storable(path, value)
        return tuple(Extra(peer=PEER, path=path, value=value) for path, value in left)


def _check_storable(path: str, value: Any) -> None:
    """Raise ValidationError for a name or a text that no store holds, however deep it stands."""
    stack = [path, value]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            check_characters(node, path[:200])
        elif isinstance(node, dict):
            stack += (*node, *node.values())
        elif isinstance(node, list):
            stack += node


def _plain(value: Any) -> str | None:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _report(callback: Callback, zone: ZoneInfo, tree: Tree | Elements) -> Inbound:
    reading = _Reading(callback, tree)
    number = reading.text("receipt_number", limits.ID_CHARS)
    state = reading.text("state", 64)
    occurred_on, occurred_at = reading.moment(zone)
    key = reading.text("message_key", limits.ID_CHARS, required=True)
    comment = reading.free("comment")
    if reading.wrong:
        wrong = "; ".join(f"{one.path}: {one.message}" for one in reading.wrong)
        raise ValidationError(
            f"вызов не принят · the call-back cannot be taken: {wrong}", tuple(reading.wrong)
        )
    event = callback.states.get(state, EventType.PEER_STATE_REPORTED)
    told = event is EventType.PEER_STATE_REPORTED
    spoken = occurred_at.isoformat() if occurred_at else occurred_on.isoformat()
    key = key or f"{number} {state} {spoken}"[: limits.ID_CHARS]
    return Inbound(
        operation="status",
        message_key=key,
        report=PeerReport(
            message_key=key,
            key=AppealKey(receipt_number=number),
            event=event,
            occurred_on=occurred_on,
            occurred_at=occurred_at,
            peer_state=f.PeerStateFacts(code=state) if told else None,
            comment=comment,
            extras=reading.rest(state_told=told),
        ),
    )
