"""What the app complains of, written apart from the face so that each checks the other.

`SOURCED` stands in the text of GeoReport v2; `OURS` are expectations of this app.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

SOURCED: Final = (
    (
        "JSON – application/json, XML – text/xml, оба в UTF-8 · "
        "JSON is application/json, XML is text/xml, both in UTF-8"
    ),
    (
        "у услуги код, имя, metadata true|false, type realtime|batch|blackbox · "
        "a service has a code, a name, metadata true|false, type realtime|batch|blackbox"
    ),
    (
        "поля услуги имеют порядок с 1, каждый раз один; у списков есть значения · "
        "attributes of a service have orders from 1, each once; lists have values"
    ),
    (
        "на заявку одна запись: service_request_id или token, не оба · "
        "a posted request gets one entry with service_request_id or token, never both"
    ),
    (
        "услуга realtime даёт номер, batch и blackbox – жетон · "
        "a service of type realtime gives a number, of type batch or blackbox a token"
    ),
    (
        "status – open или closed; у requested_datetime и updated_datetime есть пояс · "
        "status is open or closed; requested_datetime and updated_datetime have their offsets"
    ),
    (
        "ошибки – список, у каждой код и описание · "
        "errors are a list, each with a code and a description"
    ),
    (
        "нет ключа или он неверен – 403, чего нет – 404, прочие ошибки – 400 · "
        "a missing or wrong api_key is 403, what does not exist is 404, any other mistake is 400"
    ),
)
OURS: Final = (
    (
        "повтор с тем же ключом даёт тот же номер или жетон · "
        "a repeat under the same key gets the same number or token"
    ),
    (
        "503 и потерянный ответ повторяются, прочие отказы окончательны · "
        "503 and a lost answer are repeated, any other refusal is final"
    ),
    (
        "имена, телефоны и слова заявки не возвращаются · "
        "names, phones and words of a request never come back"
    ),
    (
        "закрытая заявка говорит в status_notes, чем кончилась · "
        "a closed request says in status_notes how it ended"
    ),
)
BY_SOURCE: Final = re.compile(
    r"media type|status |a refusal without|an error without|a service without|metadata |type "
    r"|orders |\S*: a list without|not one request|(realtime|batch|blackbox): "
    r"|(requested|updated)_datetime"
)
"""How reasons begin that follow from `SOURCED`; any other is a choice of this simulator."""

_MEDIA: Final = {
    "json": "application/json; charset=utf-8",
    "xml": "text/xml; charset=utf-8",
}
_TYPES: Final = {"realtime": "service_request_id", "batch": "token", "blackbox": "token"}
_KNOWN: Final = frozenset({400, 403, 404, 500, 503})


def of_answer(form: str, status: int, media: str, tree: Any) -> list[str]:
    """Return what is wrong with any answer. tree: its list; errors are one too."""
    out = []
    if media.replace(" ", "").lower() != _MEDIA[form].replace(" ", ""):
        out.append(f"media type {media}")
    if status != 200:
        if status not in _KNOWN:
            out.append(f"status {status}")
        errors = tree if isinstance(tree, list) else []
        if not errors:
            out.append("a refusal without errors")
        out += [f"an error without {name}" for e in errors for name in ("code", "description")
                if not isinstance(e, dict) or not e.get(name)]  # fmt: skip
    return out


def of_service(service: dict[str, Any]) -> list[str]:
    """Return what is wrong with an entry of the list of services."""
    out = [f"a service without {n}" for n in ("service_code", "service_name") if not service.get(n)]
    if str(service.get("metadata")).lower() not in {"true", "false"}:
        out.append(f"metadata {service.get('metadata')!r}")
    if service.get("type") not in _TYPES:
        out.append(f"type {service.get('type')!r}")
    return out


def of_definition(attributes: list[dict[str, Any]]) -> list[str]:
    """Return what is wrong with what a service asks."""
    orders = [str(a.get("order")) for a in attributes]
    out = [] if orders == [str(n) for n in range(1, len(orders) + 1)] else [f"orders {orders}"]
    out += [
        f"{attribute.get('code')}: a list without values"
        for attribute in attributes
        if "list" in str(attribute.get("datatype")) and not attribute.get("values")
    ]
    return out


def of_receipt(tree: Any, kind: str) -> list[str]:
    """Return what is wrong with the answer to a posted request. kind: type of the service."""
    if not isinstance(tree, list) or len(tree) != 1 or not isinstance(tree[0], dict):
        return ["not one request"]
    told = [name for name in ("service_request_id", "token") if tree[0].get(name)]
    return [] if told == [_TYPES[kind]] else [f"{kind}: {told}"]


def of_request(told: dict[str, Any], secrets: list[str]) -> list[str]:
    """Return what is wrong with a request that was read. secrets: what must not come back."""
    out = []
    if told.get("status") not in {"open", "closed"}:
        out.append(f"status {told.get('status')!r}")
    for name in ("requested_datetime", "updated_datetime"):
        value = str(told.get(name) or "")
        if not _is_moment(value):
            out.append(f"{name} {value!r}")
    if told.get("status") == "closed" and not told.get("status_notes"):
        out.append("closed, and nobody says how")
    text = " ".join(str(value) for value in told.values())
    out += ["something personal came back" for secret in secrets if secret and secret in text]
    return out


def _is_moment(value: str) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
