"""What the simulated desks refuse, written apart from the adapter so that each checks the other.

No vendor's protocol is public, so nothing here is sourced but the frame of SOAP.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any, Final

SOURCED: Final = (
    (
        "SOAP 1.1: Fault – это HTTP 500, SOAPAction называет операцию (§6) · "
        "SOAP 1.1: a Fault is HTTP 500, SOAPAction names the operation (§6)"
    ),
)
OURS: Final = (
    (
        "у карточки есть номер отправителя, тип и место · "
        "a card needs the number of its sender, a type, and a place"
    ),
    (
        "тип – код из 4 или 5 блоков по 4 цифры, а без кода – название словами · "
        "a type is a code of 4 or 5 blocks of 4 digits, or its name in words and no code"
    ),
    (
        "место – адрес, хотя бы словами, или точка в пределах широты и долготы · "
        "a place is an address, if only in words, or a point within the ranges of latitude and "
        "longitude"
    ),
    (
        "срочность urgency – CRITICAL, HIGH, NORMAL (REST), 0, 1, 2 (SOAP) · "
        "urgency is CRITICAL, HIGH or NORMAL (REST), 0, 1 or 2 (SOAP)"
    ),
    (
        "ключ с другим телом не берётся (409; SOAP: Client) · "
        "a key that was used with another body is refused (409; SOAP: Client)"
    ),
    (
        "вторая карточка с тем же номером исправляет первую · "
        "a second card of the same number corrects the first"
    ),
    (
        "исправить или отозвать можно только то, что есть (404; SOAP: Client) · "
        "a correction or withdrawal of a card that is not there is refused (404; SOAP: Client)"
    ),
    "отозванную карточку не исправляют · a withdrawn card is not corrected",
)
BY_SOURCE: Final = re.compile(r"SOAPAction ")
"""How reasons begin that follow from `SOURCED`; any other is a choice of this simulator."""
_TYPE: Final = re.compile(r"\d{4}(\.\d{4}){3,4}")
_URGENCY: Final = {"rest": ("CRITICAL", "HIGH", "NORMAL"), "soap": ("0", "1", "2")}


def refusals(vendor: str, card: dict[str, Any]) -> list[str]:
    """Every reason to refuse a card, in Russian; empty when it is taken.

    card: number, type, title, urgency, address, lat, lon, due, key; of SOAP all are texts.
    """
    out = []
    if not _text(card.get("key")):
        out.append("Нет ключа сообщения")
    if not _text(card.get("number")):
        out.append("Нет номера источника")
    if card.get("type") is None and not _text(card.get("title")):
        out.append("Нет типа происшествия")
    if card.get("type") is not None and not _TYPE.fullmatch(_text(card["type"])):
        out.append(f"Неизвестный тип происшествия: {card.get('type')}")
    if card.get("urgency") not in _URGENCY[vendor]:
        out.append(f"Неизвестная срочность: {card.get('urgency')}")
    point = (_degrees(card.get("lat"), 90), _degrees(card.get("lon"), 180))
    if card.get("lat") is not None and None in point:
        out.append("Неверная точка")
    if not _text(card.get("address")) and None in point:
        out.append("Нет места происшествия")
    if card.get("due") is not None and not _moment(card["due"]):
        out.append("Неверный срок")
    return out


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _degrees(value: Any, most: int) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if -most <= found <= most else None


def _moment(value: Any) -> bool:
    try:
        (date if len(value) == len("2026-01-01") else datetime).fromisoformat(value)
    except (TypeError, ValueError):
        return False
    return True
