"""Words of МЭДО, their places in the model, and the uids by which what we sent is known again."""

from __future__ import annotations

import re
import tomllib
import uuid
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import msgspec

from gateway.errors import ConfigurationError, ValidationError
from gateway.model.attachment import AttachmentGroup
from gateway.model.events import EventType
from gateway.model.ids import ALPHABET, RECEIPT_CHARS, check_receipt_number
from gateway.model.registration import LinkKind

PEER: Final = "sed"
"""Whose extras and references these are."""
IDS: Final = "medo"
"""System of the identifiers of participants (`header/source/@uid`)."""
REASONS: Final = "medo.reason"
NS: Final = "http://www.infpres.com/IEDMS"
VERSION: Final = "2.6"
DOCUMENT: Final = "Документ"
NOTICE: Final = "Уведомление"
RECEIPT: Final = "Квитанция"

LINKS: Final = {
    "В ответ на": LinkKind.ANSWER_TO,
    "Ответ": LinkKind.ANSWER_TO,
    "На №": LinkKind.ANSWER_TO,
    "Во исполнение": LinkKind.IN_PURSUANCE,
    "Документ-основание": LinkKind.GROUND,
    "Связан с": LinkKind.ATTACHED_CASE,
}
ANSWERING: Final = frozenset({"В ответ на", "Ответ", "На №", "Во исполнение"})
"""Kinds of links by which a document answers the one that it names."""
GROUPS: Final = {
    "Текст документа": AttachmentGroup.TEXT,
    "Текст приложения": AttachmentGroup.ENCLOSURE,
    "Данные": AttachmentGroup.DATA,
}
FILE_TYPES: Final = ("pdf", "tif", "doc", "txt", "xml")


_UID: Final = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", re.ASCII)


_NUMBERED: Final = re.compile(r"\[\d+\]")


def is_uid(value: str) -> bool:
    """Whether a value is a GUID as the schema wants it."""
    return _UID.fullmatch(value) is not None


class Notice(NamedTuple):
    """One kind of notification.

    element: its child. handed: what it means of an appeal that the СЭД was given. passed: what it
    means of a transfer to it (59-ФЗ art. 8).
    """

    element: str
    handed: EventType
    passed: EventType


_STATE: Final = EventType.PEER_STATE_REPORTED
NOTICES: Final = {
    "Зарегистрирован": Notice(
        "documentAccepted", EventType.REGISTERED, EventType.RECEIVER_REGISTERED
    ),
    "Отказано в регистрации": Notice(
        "documentRefused", EventType.REGISTRATION_REFUSED, EventType.REFUSED_BY_RECEIVER
    ),
    "Назначен исполнитель": Notice("executorAssigned", EventType.ASSIGNED, _STATE),
    "Доклад подготовлен": Notice("reportPrepared", EventType.ANSWER_PREPARED, _STATE),
    "Доклад направлен": Notice("reportSent", EventType.ANSWERED, EventType.RECEIVER_ANSWERED),
    "Исполнение": Notice("courseChanged", _STATE, _STATE),
    "Опубликование": Notice("documentPublished", _STATE, _STATE),
}

Purpose = Literal["handed", "passed", "answer"]
"""Why a document of ours went: to be considered there, as a transfer, as an answer to theirs."""
_PURPOSES: Final[tuple[Purpose, ...]] = ("handed", "passed", "answer")
_MARK: Final = int.from_bytes(sha256(b"gateway/medo/document/1").digest()[:6], "big")
_ORDINALS: Final = 0xFFF
_OTHERS: Final = uuid.UUID("f0a7c3d5-1b26-4c8e-8d43-5e9a7b60c2f1")


class Ours(NamedTuple):
    """What the uid of a document of ours says. question: its ordinal, 0 for the whole appeal."""

    receipt: str
    purpose: Purpose
    question: int


def document_uid(receipt: str, purpose: Purpose, question: int = 0) -> str:
    """Return the uid of a document about an appeal: a UUID of version 8 (RFC 9562, 5.8).

    A notification must name the document by this uid and need not name anything else, so the
    receipt number stands in it: 48 bits of a mark, 12 of the question, 2 of the purpose, 55 of the
    receipt number. A number that we did not give makes a uid that only tells documents apart.
    """
    if len(receipt) != RECEIPT_CHARS or not set(receipt) <= set(ALPHABET):
        return str(uuid.uuid5(_OTHERS, f"{receipt}/{purpose}/{question}"))
    value = 0
    for char in receipt:
        value = value << 5 | ALPHABET.index(char)
    low = _PURPOSES.index(purpose) << 60 | value
    number = _MARK << 80 | 8 << 76 | (question & _ORDINALS) << 64 | 2 << 62 | low
    return str(uuid.UUID(int=number))


def ours(uid: str) -> Ours | None:
    """Return what a uid that we gave says; None for anybody else's."""
    try:
        number = uuid.UUID(uid).int
    except ValueError:
        return None
    if number >> 80 != _MARK or number >> 76 & 0xF != 8 or number >> 62 & 3 != 2:
        return None
    purpose, value = number >> 60 & 3, number & (1 << 60) - 1
    if purpose >= len(_PURPOSES) or value >> 55:
        return None
    try:
        receipt = check_receipt_number(
            "".join(ALPHABET[value >> n & 31] for n in range(50, -1, -5))
        )
    except ValidationError:
        return None
    return Ours(receipt, _PURPOSES[purpose], number >> 64 & _ORDINALS)


_NOT_TOLD: Final = "not_told"


class Reason(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One reason of a refusal: the word of the schema, our code, and what it is about."""

    word: str
    code: str
    group: str


class Reasons(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table of reasons (tables/reasons.toml)."""

    reason: tuple[Reason, ...]
    refusals: dict[str, str]
    codes: dict[str, str]

    def code(self, word: str) -> str:
        """Return our code of a reason; an unknown one is its own code."""
        found = next((r.code for r in self.reason if r.word == word.strip()), "")
        return found or word.strip() or _NOT_TOLD

    def spelt(self, code: str) -> str:
        """Return the word that `code` was made of; empty when none was told."""
        found = next((r.word for r in self.reason if r.code == code), code)
        return "" if found == _NOT_TOLD else found

    def word(self, code: str) -> str:
        """Return the word of the schema for a code of ours, or for a word of the schema."""
        found = next((r.word for r in self.reason if code in {r.code, r.word}), "")
        return found or self.codes.get(code) or self.codes["other"]

    def refusal(self, faults: tuple[tuple[str, str], ...]) -> str:
        """Return the word for what is wrong: (path, code) of each violation, then of the error.

        The first fault that the table knows tells it, by the longest beginning of its path and, of
        two as long, the one with its code. Numbers of repeated elements do not count.
        """
        for path, code in faults:
            place = _NUMBERED.sub("", path)
            while place:
                found = self.refusals.get(f"{place}:{code}") or self.refusals.get(place)
                if found:
                    return found
                place = place.rpartition("/")[0]
            if not path and code in self.refusals:
                return self.refusals[code]
        return self.refusals["other"]


@cache
def reasons(path: str = "") -> Reasons:
    """Return the table, ours or the one in a file; raise ConfigurationError."""
    try:
        source: Any = Path(path) if path else files("adapters.sed") / "tables" / "reasons.toml"
        table = msgspec.convert(tomllib.loads(source.read_text("utf-8")), Reasons)
    except (OSError, ValueError, msgspec.ValidationError) as error:
        raise ConfigurationError(
            "таблица причин отказа не читается · the table of reasons cannot be read",
            found=str(error),
            where="options.tables",
        ) from error
    known = {reason.word for reason in table.reason}
    told = {*table.refusals.values(), *table.codes.values()}
    if "other" not in table.refusals or "other" not in table.codes or told - known:
        raise ConfigurationError(
            "таблица причин отказа неполна · the table of reasons lacks words",
            found=", ".join(sorted(told - known)),
            expected="other in refusals and codes, and only words of the table",
            where="options.tables",
        )
    return table
