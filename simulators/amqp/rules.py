"""What the simulated bus refuses of our events, written apart from the adapter.

`SOURCED` rules are those of CloudEvents 1.0.2 and of AMQP; `OURS` are this simulator's.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any, Final

SOURCED: Final = (
    (
        "specversion, id, source, type не пусты · "
        "specversion, id, source, type not empty (CloudEvents 1.0.2 §3.1)"
    ),
    "time – момент по RFC 3339 · time is an RFC 3339 instant (§3.1)",
    (
        "двоичный вид: свойства в заголовках cloudEvents:<имя>, data в теле · "
        "binary mode: attributes in headers cloudEvents:<name>, data in the body (AMQP §3.1)"
    ),
    (
        "цельный вид: application/cloudevents+json · "
        "structured mode: application/cloudevents+json (§3.2)"
    ),
    (
        "сам RabbitMQ: без очереди – возврат, полно – nack, не те аргументы – канал закрыт · "
        "RabbitMQ itself: unroutable is returned, full is a nack, bad arguments close the channel"
    ),
)
OURS: Final = (
    (
        "message_id равен id события; виденный message_id подтверждается и не хранится · "
        "message_id must equal the event's id; one seen before is acknowledged, not kept"
    ),
    "сообщение сохраняется на диск · the message must be persistent",
    (
        "type – gov.appeals.<Событие>; subject равен data.appeal.receiptNumber · "
        "type must be gov.appeals.<Event>; subject and data.appeal.receiptNumber must be the same"
    ),
    (
        "в data нет заявителя, текста и extra: этому партнёру положена только проблема · "
        "no applicant, text or extra in data: this partner is entitled to the problem only"
    ),
    (
        "отклонённое не возвращается в очередь: оно идёт в <очередь>.dead · "
        "a refused message is rejected without requeue: it goes to <queue>.dead"
    ),
)
BY_SOURCE: Final = re.compile(
    r"Нет атрибута (specversion|id|source|type)$|Неверное время|Время события"
)
"""How reasons begin that follow from `SOURCED`; any other is a choice of this simulator."""

_TYPE = re.compile(r"gov\.appeals\.[A-Z][A-Za-z]+")
_PERSONAL: Final = ("applicants", "text", "extra", "referral")


def event_of(content_type: str, headers: dict[str, Any], body: bytes) -> dict[str, Any]:
    """Return attributes and data of an event in either mode; raise ValueError."""
    if content_type.partition(";")[0] == "application/cloudevents+json":
        told = json.loads(body)
        if not isinstance(told, dict):
            raise ValueError("тело события не объект")
        return told
    prefix = "cloudEvents:"
    named = {k.removeprefix(prefix): v for k, v in headers.items() if k.startswith(prefix)}
    return {**named, "data": json.loads(body)}


def refusals(event: dict[str, Any], message_id: str, *, persistent: bool) -> list[str]:
    """Every reason to refuse an event, in Russian; empty when it is taken."""
    out = [
        f"Нет атрибута {name}"
        for name in ("specversion", "id", "source", "type", "subject", "time")
        if not isinstance(event.get(name), str) or not event[name]
    ]
    if out:
        return out
    if event["specversion"] != "1.0":
        out.append(f"Версия CloudEvents {event['specversion']}")
    if not _TYPE.fullmatch(event["type"]):
        out.append(f"Неизвестный вид события {event['type']}")
    if event["id"] != message_id:
        out.append("message_id не равен id события")
    if not persistent:
        out.append("Сообщение не сохраняется на диск")
    try:
        if datetime.fromisoformat(event["time"]).tzinfo is None:
            out.append("Время события без пояса")
    except ValueError:
        out.append("Неверное время события")
    return out + _data(event)


def _data(event: dict[str, Any]) -> list[str]:
    data = event.get("data")
    appeal = data.get("appeal") if isinstance(data, dict) else None
    if not isinstance(appeal, dict):
        return ["В событии нет обращения"]
    out = []
    if appeal.get("receiptNumber") != event["subject"]:
        out.append("subject не равен номеру обращения")
    out += [f"Лишние сведения: {name}" for name in _PERSONAL if appeal.get(name)]
    return out
