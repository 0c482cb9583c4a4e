"""Who writes to the platform and judges its answers: made-up people, by a seed."""

from __future__ import annotations

import base64
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simulators.pos.rules import CUT
from simulators.seed.appeals import ZONE, Source

if TYPE_CHECKING:
    from datetime import date

    from simulators.seed.appeals import Appeal

KINDS: Final = (
    ("10", "Дороги", "10.1", "Дворовые проезды", "10.1.1", "Ямы, выбоины", "FT-PIT"),
    ("20", "Мусор", "20.1", "Контейнерные площадки", "20.1.1", "Мусор не вывозится", "FT-WASTE"),
    ("30", "Многоквартирные дома", "30.1", "Отопление", "30.1.1", "Холодно в квартире", ""),
    ("30", "Многоквартирные дома", "30.2", "Общее имущество", "30.2.1", "Протекает крыша", ""),
)
CHARSETS: Final = ("windows-1251", "koi8-r", "utf-8")
LEVELS: Final = ("simplified", "standard", "confirmed")


class Manner(NamedTuple):
    """How citizens take answers: shares that rate, and that return an answer to a message once."""

    rate: float = 0.5
    rework: float = 0.2


def items(seed: int, today: date, count: int, kind: str) -> list[dict[str, Any]]:
    """Return made-up items without their numbers, which the platform gives."""
    source, draw = Source(seed, today), Random(seed)
    return [_item(source.appeal("rest"), draw, kind) for _ in range(count)]


def _item(made: Appeal, draw: Random, kind: str) -> dict[str, Any]:
    at = made.received_at.astimezone(ZONE).isoformat()
    if kind != "item":
        options = [{"code": code, "text": text} for code, text in (("a", "Да"), ("b", "Нет"))]
        about = {"options": options, "answers": draw.randint(10, 5000)}
        subject = "Нужен ли двору новый сквер?"
        return {"kind": kind, "version": 1, "submittedAt": at, "subject": subject, kind: about}
    category = draw.choice(KINDS)
    place = made.place
    item: dict[str, Any] = {
        "version": 1,
        "fz59": draw.random() < 0.3,
        "opaId": "220117",
        "submittedAt": at,
        "stage": "submitted",
        "category": {"code": category[0], "name": category[1]},
        "subcategory": {"code": category[2], "name": category[3]},
        "fact": {"code": category[4], "name": category[5]},
        "text": made.text,
        "place": {"address": place.raw, "oktmo": place.oktmo},
        "attachments": [
            {
                "name": file.name,
                "mediaType": file.media_type,
                "sha256": file.sha256,
                "content": base64.b64encode(file.data).decode(),
                **({"photo": True} if file.media_type == "image/png" else {}),
            }
            for file in made.files
        ],
    }
    if category[6] and not item["fz59"]:
        item["fastTrack"] = {"code": category[6]}
    author = _author(made, draw)
    return item | ({"applicant": author} if author else {})


def _author(made: Appeal, draw: Random) -> dict[str, Any]:
    author = made.author
    if author.anonymous:
        return {}
    oid = str(draw.randint(10**9, 2 * 10**9))
    names = (("lastName", author.family), ("firstName", author.given))
    found: dict[str, Any] = {name: value for name, value in names if value}
    if author.patronymic:
        found["middleName"] = author.patronymic
    if author.company:
        found["organisation"] = {"name": author.company}
    return found | {
        "esia": {"oid": oid, "level": draw.choice(LEVELS)},
        "consent": {"processing": True},
        "contacts": [
            {"kind": "epgu", "value": oid, "reply": True},
            {"kind": "phone", "value": author.phone},
            {"kind": "email", "value": author.email},
        ],
    }


def letter(item: dict[str, Any], seed: int) -> bytes:
    """Return an item as the e-mail in which inspectorates get it; the text is cut."""
    draw = Random(f"{seed}/{item['id']}")
    author = item.get("applicant", {})
    phone = next((c["value"] for c in author.get("contacts", ()) if c["kind"] == "phone"), "")
    lines = [f"phone: {phone}", f"address: {item['place']['address']}",
             f"probplace: {item['place']['address']}"]  # fmt: skip
    message = EmailMessage()
    message["From"] = "noreply@pos.example"
    message["To"] = "inspection@example.org"
    order = " (59-ФЗ)" if item["fz59"] else ""
    message["Subject"] = f"Сообщение ПОС № {item['id']}{order}"
    message["Message-ID"] = f"<{item['id']}@pos.example>"
    message["Date"] = _date(item["submittedAt"])
    body = "\n".join([line for line in lines if not line.endswith(": ")])
    text = item["text"][:CUT]
    content = f"{body}\n\n{text}\n"
    message.set_content(content, charset=_carrying(content, draw.choice(CHARSETS)), cte="base64")
    for file in item["attachments"]:
        maintype, _, subtype = file["mediaType"].partition("/")
        data = base64.b64decode(file["content"])
        message.add_attachment(data, maintype, subtype, filename=file["name"])
    if message.is_multipart():
        message.set_boundary(f"pos-{item['id']}")
    return message.as_bytes()


def _carrying(text: str, charset: str) -> str:
    """Return the charset, or UTF-8 where it lacks a letter of the text, as mail programs do."""
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        return "utf-8"
    return charset


def _date(text: str) -> str:
    return format_datetime(datetime.fromisoformat(text))


def opinion(item: dict[str, Any], seed: int, manner: Manner, now: datetime) -> dict[str, Any]:
    """Return what the author says of an answer; empty when nothing.

    A message is returned for rework once, and its second answer rated; an appeal under 59-ФЗ is
    rated and no more.
    """
    draw = Random(f"{seed}/{item['id']}/{item['answers']}")
    lot = draw.random()
    head = {"kind": "event", "id": item["id"], "at": now.isoformat()}
    if not item["fz59"] and item["answers"] == 1 and lot < manner.rework:
        return {
            **head,
            "event": "returned_for_rework",
            "stage": "rework",
            "reason": {"code": "not_done", "name": "Работы не выполнены"},
            "text": "Осталось как было.",
        }
    if lot >= 1 - manner.rate:
        rating = {"score": draw.randint(1, 5), "scale": 5}
        return {**head, "event": "rated", "rating": rating}
    return {}
