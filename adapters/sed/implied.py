"""What a report's facts say of the notification that it came by: places and values of its card.

Decoding leaves out of the extras whatever is said here already; restoring puts it back. So both
agree whatever a card holds: what is spelt otherwise stays an extra, what is not there is marked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.sed.codes import (
    NOTICE,
    NOTICES,
    PEER,
    VERSION,
    Purpose,
    Reasons,
    document_uid,
    is_uid,
)
from adapters.sed.reader import local
from gateway.model.base import Extra
from gateway.model.events import EventType

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping

    from gateway.model.events import PeerReport

UNTYPED: Final = "без типа"
"""Code of a state that nothing calls by a name."""
ELEMENT: Final = "#element"
"""Extra: the element of a notification, where neither extras nor type tell it."""
_STATE: Final = EventType.PEER_STATE_REPORTED
_HANDED: Final = {n.handed: word for word, n in NOTICES.items() if n.handed is not _STATE}
_PASSED: Final = {n.passed: word for word, n in NOTICES.items() if n.passed is not _STATE}
_ELEMENTS: Final = frozenset(notice.element for notice in NOTICES.values())


def implied(report: PeerReport, element: str, zone: dt.tzinfo, reasons: Reasons) -> dict[str, str]:
    """Return places and values; element: of the notification, empty when it is an unknown one."""
    told = {
        "@version": VERSION,
        "header/@type": NOTICE,
        "header/@uid": report.message_key if is_uid(report.message_key) else "",
        "notification/@type": _word(report),
        **dict(_about(report)),
    }
    if element:
        told.update(_within(report, f"notification/{element}", zone, reasons))
    if report.comment:
        course = element == "courseChanged"
        told[f"notification/{element}/courseText" if course else "notification/comment"] = (
            report.comment
        )
    return {place: value for place, value in told.items() if value}


def left(card: Mapping[str, str], told: Mapping[str, str]) -> tuple[Extra, ...]:
    """Return what a card holds and the facts do not say, and marks for what it lacks."""
    kept = [
        Extra(peer=PEER, path=place, value=value)
        for place, value in card.items()
        if told.get(place) != value
    ]
    kept += [Extra(peer=PEER, path=place, value=None) for place in told if place not in card]
    return tuple(kept)


def element_of(report: PeerReport, extras: Mapping[str, object]) -> str:
    """Return the element of a notification: what is kept of it tells it, else its type does."""
    if ELEMENT in extras:
        return str(extras[ELEMENT])
    for place, value in extras.items():
        if value is not None and place.startswith("notification/"):
            found = place.split("/")[1]
            if found in _ELEMENTS:
                return found
    word = str(extras.get("notification/@type") or _word(report)).strip()
    return NOTICES[word].element if word in NOTICES else ""


def _word(report: PeerReport) -> str:
    """The type of a notification, by what it means here."""
    if report.event is _STATE:
        code = report.peer_state.code if report.peer_state else ""
        return "" if code == UNTYPED else code
    return _HANDED.get(report.event) or _PASSED.get(report.event, "")


def _about(report: PeerReport) -> Iterator[tuple[str, str]]:
    """Yield which document it is about, and who tells it."""
    key, numbered = report.key, report.registration or report.receiver
    sender, _, uid = key.external_id.partition("/")
    if key.receipt_number:
        purpose: Purpose = "passed" if report.event in _PASSED else "handed"
        question = report.ordinals[0] if report.ordinals else 0
        uid, sender = document_uid(key.receipt_number, purpose, question), ""
        yield "notification/@id", key.receipt_number
    yield "notification/@uid", uid if is_uid(uid) else ""
    executor = report.executor.organisation if report.executor else ""
    body = numbered.organisation if numbered else sender or executor
    if executor and not is_uid(body):
        return  # a name is the executor's own, or that of the sender, who stands in
    yield ("header/source/@uid" if is_uid(body) else "header/source/organization"), body


def _within(
    report: PeerReport, at: str, zone: dt.tzinfo, reasons: Reasons
) -> Iterator[tuple[str, str]]:
    """Yield what the notification's own element says."""
    if report.occurred_at:
        yield f"{at}/time", local(report.occurred_at, zone)
    yield f"{at}/foundation/organization", report.key.organisation
    yield f"{at}/foundation/num/number", report.key.registration_number
    sent, place = report.answer, f"{at}/report"
    numbered = report.registration or report.receiver
    if report.event is EventType.RECEIVER_ANSWERED or sent:
        number, day = (sent or numbered).number, (sent or numbered).date  # type: ignore[union-attr]
        yield f"{place}/num/number", number
        yield f"{place}/num/date", day.isoformat() if day else ""
        yield f"{place}/person", sent.signed_by if sent else ""
    elif numbered:
        yield f"{at}/num/number", numbered.number
        yield f"{at}/num/date", numbered.date.isoformat() if numbered.date else ""
    if report.reason:
        yield f"{at}/reason", reasons.spelt(report.reason.code)
    if report.executor:
        if not is_uid(report.executor.organisation):
            yield f"{at}/executor/organization", report.executor.organisation
        yield f"{at}/executor/person", report.executor_name
