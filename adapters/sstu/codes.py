"""The words of ССТУ.РФ: statuses, formats, classifier codes, and what each stands for here.

Source of the tables: the JSON document «Результаты рассмотрения обращений» as published exporters
write it (README, sources); the classifier is the типовой общероссийский тематический классификатор.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from gateway.model.answer import Result
from gateway.model.events import State

UNNUMBERED: Final = "ещё не зарегистрировано, передавать не под чем · not registered yet"
"""Why an event is passed over: its appeal is reported when it has a number."""
PEER: Final = "sstu"
"""Name of the system in codes, extras and identifiers; the topic codes' system, too."""
STATUS_SYSTEM: Final = "sstu.status"
FORMAT_SYSTEM: Final = "sstu.format"

ELECTRONIC: Final = "Electronic"
"""Came from another body over МЭДО; an e-mail of a citizen is `Other`."""
OTHER: Final = "Other"

BASE64_LIMIT: Final = 10_000_000
"""The base64 text of an attachment must be shorter, in characters."""


class Status(NamedTuple):
    """One status: its Russian label, the state and result it stands for, and what it requires."""

    label: str
    state: State
    result: Result | None
    incoming: bool
    registration: bool
    response: bool
    attachment: bool


STATUSES: Final[dict[str, Status]] = {
    "NotReceived": Status("Не поступило", State.RECEIVED, None, False, False, False, False),
    "NotRegistered": Status("Не зарегистрировано", State.RECEIVED, None, True, False, False, False),
    "InWork": Status("Находится на рассмотрении", State.IN_WORK, None, True, True, False, False),
    "InWorkExtended": Status(
        "Рассмотрение продлено", State.IN_WORK, None, True, True, False, False
    ),
    "Explained": Status(
        "Рассмотрено. Разъяснено", State.ANSWERED, Result.EXPLAINED, True, True, True, True
    ),
    "Supported": Status(
        "Рассмотрено. Поддержано", State.ANSWERED, Result.SUPPORTED, True, True, True, True
    ),
    "NotSupported": Status(
        "Рассмотрено. Не поддержано", State.ANSWERED, Result.NOT_SUPPORTED, True, True, True, True
    ),
    "Transferred": Status(
        "Направлено по компетенции",
        State.TRANSFERRED,
        Result.TRANSFERRED,
        True,
        True,
        False,
        False,
    ),
    "Answered": Status("Дан ответ автору", State.ANSWERED, Result.ANSWERED, True, True, True, True),
    "LeftWithoutAnswer": Status(
        "Оставлено без ответа автору",
        State.DECLINED,
        Result.LEFT_WITHOUT_ANSWER,
        True,
        True,
        True,
        False,
    ),
}
"""The nine statuses and the newer `InWorkExtended`."""

MISSPELT: Final = {"NotRecieved": "NotReceived"}
"""Spellings met on the wire; read, never written."""

_OF_RESULT: Final = {
    Result.EXPLAINED: "Explained",
    Result.SUPPORTED: "Supported",
    Result.NOT_SUPPORTED: "NotSupported",
    Result.ANSWERED: "Answered",
    Result.LEFT_WITHOUT_ANSWER: "LeftWithoutAnswer",
    Result.TRANSFERRED: "Transferred",
    Result.REFUSED: "NotSupported",
}


def status_of(word: str) -> str:
    """Return the status in its right spelling, empty when there is no such status."""
    word = MISSPELT.get(word, word)
    return word if word in STATUSES else ""


def status_for(
    state: str,
    result: Result | None,
    *,
    extended: bool,
    received: bool,
    said: str = "",
    withdrawn_as: str = "LeftWithoutAnswer",
) -> str:
    """Return the status of a question (model.md §3, "ССТУ word"); empty when it has none.

    received: the day it came in is known, which tells NotRegistered from NotReceived. said: what
    the peer said last, kept while it still fits. withdrawn_as: for a question closed without an
    outcome: the applicant took the appeal back.
    """
    said = status_of(said)
    if said and _fits(said, state, result, extended=extended):
        return said
    if state in {State.RECEIVED, State.MODERATION}:
        return "NotRegistered" if received else "NotReceived"
    if state == State.TRANSFERRED:
        return "Transferred"
    if state == State.DECLINED:
        return "LeftWithoutAnswer"
    if state == State.ANSWERED:
        return _OF_RESULT[result] if result else "Answered"
    if state == State.CLOSED:
        return _OF_RESULT[result] if result else withdrawn_as
    if state in set(State):
        return "InWorkExtended" if extended else "InWork"
    return ""


def _fits(said: str, state: str, result: Result | None, *, extended: bool) -> bool:
    """Whether the peer's word still says what is known here; receipt is always judged anew."""
    status = STATUSES[said]
    if status.state == State.RECEIVED or status.state != state:
        return False
    if status.state == State.IN_WORK and (said == "InWorkExtended") != extended:
        return False
    return result is None or result == status.result


TOPIC: Final = re.compile(r"\d{4}(?:\.\d{4}){3,4}", re.ASCII)
"""What may be sent: four or five blocks."""
_LEAF: Final = re.compile(r"\d{4}", re.ASCII)
_METHODICAL: Final = "0000."
_ROOT: Final = re.compile(r"\d{4}(?:\.\d{4}){0,2}", re.ASCII)


def readable_topic(code: str) -> bool:
    """Whether a code may be read: four or five blocks, or the bare leaf old exporters write."""
    return bool(TOPIC.fullmatch(code) or _LEAF.fullmatch(code))


def topic_fault(code: str) -> str:
    """Return why this code cannot be sent, empty when it can.

    A short code is refused: a question's number repeats under several themes, so the last block
    alone names no node. `0000.*` are methodical lists, a code that ends in `.0000` is a group:
    neither may be assigned.
    """
    if not code:
        return "no topic of the classifier is assigned"
    if TOPIC.fullmatch(code):
        if code.startswith(_METHODICAL):
            return "codes 0000.* are methodical lists and cannot be assigned"
        if code.split(".")[3] == "0000":
            return "a group of the classifier, not a question"
        return ""
    if _LEAF.fullmatch(code):
        return "a short code is ambiguous: the same number stands under several themes"
    if _ROOT.fullmatch(code):
        return "a group of the classifier, not a question"
    return "not a code of the classifier"


GUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
