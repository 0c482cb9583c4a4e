"""What the simulated system refuses, written apart from the adapter so that each checks the other.

No description of such a feed is public: `SOURCED` are the rules of work that its users tell of, and
`OURS` the form that this profile gives them.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, Final

SOURCED: Final = (
    (
        "ответ о снеге, мусоре, ямах и подобном показывает место до и после · "
        "an answer on snow, rubbish, potholes and their like shows the place before and after"
    ),
    "на оскорбление не отвечают · an insult is not answered",
    (
        "первая реакция за 1, 3 или 8 часов, по теме и странице от 100 000 подписчиков · "
        "first reaction in 1, 3 or 8 hours, by topic and by a page of more than 100 000 subscribers"
    ),
)
OURS: Final = (
    (
        "Authorization: Bearer с ключом этого запуска, иначе 401 · "
        "Authorization: Bearer with the key of this run, 401 without"
    ),
    (
        "Idempotency-Key от 1 до 200 знаков; тот же ключ с другим телом – 409 · "
        "Idempotency-Key of 1 to 200 characters; the same key with another body is 409"
    ),
    (
        "id из ленты; kind – answer, first_reaction, interim, state или closed · "
        "id of a message of the feed; kind answer, first_reaction, interim, state or closed"
    ),
    (
        "под сообщением текст от 1 до 4 096 знаков; у state и closed текста нет · "
        "text of 1 to 4 096 characters of what is put under a message; state and closed have none"
    ),
    "state – registered с номером или in_work · state is registered, with a number, or in_work",
    (
        "снимки до и после: имя, тип картинки, base64 или of_message своего сообщения · "
        "photos are before and after; each a name, an image type, base64, or of_message of its own"
    ),
    (
        "у closed есть reason и by_person; abusive – только человеком · "
        "closed has a reason and by_person; abusive only by a person"
    ),
    (
        "после closed и после ответа с тем же текстом ничего больше не берётся · "
        "after closed, and after an answer of the same text, nothing more is taken"
    ),
    (
        "неизвестные поля не берутся; любой отказ – 422 с reasons · "
        "unknown fields are refused; all refusals are 422 with `reasons`"
    ),
)
BY_SOURCE: Final = re.compile(r"photos\.\w+: ответ по теме")
"""How reasons begin that follow from `SOURCED`; any other is a choice of this simulator."""

KINDS: Final = frozenset({"answer", "first_reaction", "interim", "state", "closed"})
EVIDENCE: Final = frozenset(
    {"snow", "ice", "rubbish", "yard_pothole", "open_manhole", "street_light", "graffiti"}
)
TEXT_CHARS: Final = 4_096
KEY_CHARS: Final = 200
_FIELDS: Final = {
    "answer": {"id", "kind", "text", "tags", "photos", "number"},
    "first_reaction": {"id", "kind", "text", "tags"},
    "interim": {"id", "kind", "text", "tags"},
    "state": {"id", "kind", "state", "number"},
    "closed": {"id", "kind", "closed", "by_person"},
}
_IMAGES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


def refusals(answer: Any, message: dict[str, Any] | None, state: str) -> list[str]:
    """Return why an answer is refused. message: of the feed; state: how it stands."""
    if not isinstance(answer, dict):
        return ["Ожидается один ответ"]
    if message is None:
        return ["id: такого сообщения в ленте не было"]
    kind = answer.get("kind")
    if kind not in KINDS:
        return [f"kind: неизвестный вид {kind!r}"]
    out = [f"{name}: лишнее поле" for name in answer if name not in _FIELDS[kind]]
    if state == "closed":
        out.append("Сообщение закрыто без ответа")
    if kind == "closed":
        return out + _closed(answer)
    if kind == "state":
        numbered = answer.get("state") == "registered" and isinstance(answer.get("number"), str)
        if not numbered and (answer.get("state") != "in_work" or "number" in answer):
            out.append("state: registered с номером или in_work")
        return out
    text = answer.get("text")
    if not isinstance(text, str) or not 0 < len(text) <= TEXT_CHARS:
        out.append(f"text: от 1 до {TEXT_CHARS} знаков")
    tags = answer.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) and tag for tag in tags):
        out.append("tags: ожидаются слова")
    if kind == "answer":
        out += _photos(answer.get("photos", {}), message)
    return out


def _closed(answer: dict[str, Any]) -> list[str]:
    out = []
    if not isinstance(answer.get("closed"), str) or not answer["closed"]:
        out.append("closed: нет причины")
    if not isinstance(answer.get("by_person"), bool):
        out.append("by_person: не указано")
    elif answer.get("closed") == "abusive" and not answer["by_person"]:
        out.append("by_person: оскорбительным сообщение признаёт только человек")
    return out


def _photos(photos: Any, message: dict[str, Any]) -> list[str]:
    if not isinstance(photos, dict) or not set(photos) <= {"before", "after"}:
        return ["photos: ожидаются before и after"]
    out = []
    for side, listed in photos.items():
        if not isinstance(listed, list) or not listed:
            out.append(f"photos.{side}: пусто")
            continue
        for photo in listed:
            out += [f"photos.{side}: {reason}" for reason in _photo(photo, message)]
    asking = EVIDENCE & set(message.get("topics") or ())
    out += [
        f"photos.{side}: ответ по теме {', '.join(sorted(asking))} показывает место до и после"
        for side in ("before", "after")
        if asking and side not in photos
    ]
    return out


def _photo(photo: Any, message: dict[str, Any]) -> list[str]:
    if not isinstance(photo, dict):
        return ["не снимок"]
    if "of_message" in photo:
        known = range(1, len(message.get("photos") or ()) + 1)
        return [] if photo["of_message"] in known else ["в сообщении нет такого снимка"]
    out = []
    if not photo.get("name") or photo.get("mediaType") not in _IMAGES:
        out.append("нужны name и mediaType снимка")
    try:
        base64.b64decode(photo.get("content") or "-", validate=True)
    except (binascii.Error, ValueError, TypeError):
        out.append("content: ожидается base64")
    return out
