"""The REST description: OpenAPI 3.1 made from the table of routes and the contract's types.

One source: a field added to a struct stands in the XSD test, in the JSON schema and here.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final, get_args

import msgspec

from gateway import __version__
from gateway.errors import WIRE
from gateway.rest import examples
from gateway.rest.decode import body_type, key_name
from gateway.rest.routes import KEY_NAMES, ROUTES, Route
from gateway.wires import contract as c

_SCHEMA: Final = "#/components/schemas/{name}"
_PARAMETER: Final = re.compile(r"\{(\w+):\w+\}")
_DESCRIPTION: Final = """\
Операции контракта `urn:gov:appeals:v1` в JSON и в XML по той же схеме, что у SOAP.

- Ключ: заголовок `X-API-Key`, либо HTTP Basic (код системы и ключ), либо `Authorization: Bearer`.
- Повтор того же вызова получает первую квитанцию и заголовок `Gateway-Repeat: true`.
- Отказ — `application/problem+json` (RFC 9457); с `Accept: application/xml` — fault контракта.
- Тело до 12 МБ, `Content-Encoding: gzip` и `deflate` принимаются.
"""
_SAYS: Final = {
    400: "Тело не удалось прочитать · The body cannot be read",
    401: "Нет действующего ключа · No valid credential",
    403: "Ключ действует, но так нельзя · Not allowed, whatever the credential",
    404: "Не найдено · Not found, or not yours",
    409: "Под этим ключом другое содержание или событие недопустимо · Conflict",
    413: "Слишком велико · Too large",
    415: "Такой тип или кодировка не читаются · Unsupported media type",
    422: "Не соответствует контракту: `errors` называет каждое место · Against the contract",
    500: "Сбой шлюза: повторите · The gateway failed",
    503: "Шлюз занят: ничего не принято, повторите · Busy, nothing was stored",
}
_TAGS: Final = (
    ("Обращения", "appeal"),
    ("Состояния и ответы", "status"),
    ("Сверка", "ledger"),
    ("Файлы", "attachment"),
    ("Адреса", "address"),
    ("Справочники и связь", "directory"),
)
_TAG_OF: Final[dict[type[c.Request], str]] = {
    c.GetStatus: "Состояния и ответы",
    c.SubmitStatus: "Состояния и ответы",
    c.SubmitAnswer: "Состояния и ответы",
    c.GetChanges: "Состояния и ответы",
    c.AckChanges: "Состояния и ответы",
    c.FindAppeals: "Сверка",
    c.GetReceipts: "Сверка",
    c.AttachFile: "Файлы",
    c.GetAttachment: "Файлы",
    c.ResolveAddress: "Адреса",
    c.SuggestAddress: "Адреса",
    c.GetDirectory: "Справочники и связь",
    c.Ping: "Справочники и связь",
}
_HEADERS: Final = {
    "Correlation-Id": "Имя вызова в журнале шлюза · Names the call in the gateway's log",
    "Gateway-Repeat": "`true`, когда это повтор и тело — первая квитанция · It was a repeat",
    "ETag": "Для If-None-Match · For If-None-Match",
    "Retry-After": "Через сколько секунд повторить · Seconds to wait",
    "WWW-Authenticate": "HTTP Basic",
}


_INBOX_ANSWER: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "correlationId": {"type": "string"},
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "key": {"type": "string"},
                    "where": {"type": "string"},
                    "receiptNumber": {"type": "string"},
                    "acceptedAt": {"type": "string", "format": "date-time"},
                    "repeat": {"type": "boolean"},
                    "error": {"$ref": "#/components/schemas/ItemError"},
                },
            },
        },
    },
}


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI document."""
    kinds = {route.operation for route in ROUTES} | {route.response for route in ROUTES}
    ordered = sorted(kinds, key=lambda kind: kind.__name__)
    _, schemas = msgspec.json.schema_components([*ordered, c.FieldError], ref_template=_SCHEMA)
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        path = "/api/v1" + _PARAMETER.sub(r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route)
    paths["/api/v1/inbox"] = {"post": _inbox()}
    made = {
        "openapi": "3.1.0",
        "info": {
            "title": "Шлюз обращений граждан · Appeals Gateway",
            "version": __version__,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"key": []}, {"basic": []}, {"bearer": []}],
        "tags": [{"name": name} for name, _ in _TAGS],
        "paths": paths,
        "components": {
            "schemas": {**schemas, "Problem": _problem()},
            "parameters": {"CorrelationId": _correlation_parameter()},
            "headers": {
                name: {"description": says, "schema": {"type": "string"}}
                for name, says in _HEADERS.items()
            },
            "responses": {f"Problem{status}": _refusal(status) for status in _SAYS},
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "basic": {"type": "http", "scheme": "basic"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
    }
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(made))
    return plain


def _operation(route: Route) -> dict[str, Any]:
    written = route.method in ("POST", "PUT")
    by_receipt = "{receiptNumber" in route.path
    operation: dict[str, Any] = {
        "operationId": route.operation.__name__ + ("ByReceiptNumber" if by_receipt else ""),
        "tags": [_TAG_OF.get(route.operation, "Обращения")],
        "summary": route.title,
        "description": (route.operation.__doc__ or "").strip(),
        "parameters": [*_parameters(route), {"$ref": "#/components/parameters/CorrelationId"}],
        "responses": _responses(route),
    }
    if written:
        operation["requestBody"] = _body(route)
    return operation


def _inbox() -> dict[str, Any]:
    """A message in the peer's own format: what its body is depends on the adapter of its row."""
    return {
        "operationId": "Inbox",
        "tags": ["Обращения"],
        "summary": "Принять сообщение в формате самой системы · Take a message in the peer's own"
        " format",
        "description": "Формат определяет адаптер системы (docs/howto/adapter.md). Отвечает адаптер"
        " словами её протокола; где своих нет — построчно, как ниже. Что не принято, хранится как"
        " пришло.",
        "parameters": [{"$ref": "#/components/parameters/CorrelationId"}],
        "requestBody": {"required": True, "content": {"*/*": {}}},
        "responses": {
            "200": {
                "description": "Принято · Taken",
                "headers": _headers("Correlation-Id"),
                "content": {"application/json": {"schema": _INBOX_ANSWER}},
            },
            "207": {
                "description": "Принято не всё · Not all of it was taken",
                "headers": _headers("Correlation-Id"),
                "content": {"application/json": {"schema": _INBOX_ANSWER}},
            },
            **{
                str(status): {"$ref": f"#/components/responses/Problem{status}"}
                for status in (400, 401, 403, 409, 413, 415, 422, 500, 503)
            },
        },
    }


def _parameters(route: Route) -> list[dict[str, Any]]:
    names = [(name, "path") for name in _PARAMETER.findall(route.path)]
    names += [(name, "query") for name in route.query]
    asked = route.method == "GET"
    found: list[dict[str, Any]] = [
        {
            "name": name,
            "in": place,
            "required": place == "path" or (asked and _is_required(route, name)),
            "schema": _schema(route, name),
        }
        for name, place in names
    ]
    example = examples.REQUESTS.get(route.operation) or examples.ASKED.get(route.operation)
    if example is not None:  # a body that names what its path names must name the same
        own = examples.as_json(example)
        for parameter in found:
            if parameter["name"] in own:
                parameter["example"] = own[parameter["name"]]
    if route.method in ("POST", "PUT") and key_name(route):
        found.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": f"Заменяет `{key_name(route)}` в теле; если есть и там, и тут, "
                "должны совпадать · Stands in for it, must agree with it",
                "schema": {"type": "string", "minLength": 1, "maxLength": 200},
            }
        )
    return found


def _is_required(route: Route, name: str) -> bool:
    fields = msgspec.structs.fields(route.operation)
    return any(field.encode_name == name and field.required for field in fields)


def _schema(route: Route, name: str) -> dict[str, Any]:
    """Return the schema of a parameter from the field that it fills."""
    of_key = route.key and name in KEY_NAMES
    owner: type[msgspec.Struct] = c.AppealKey if of_key else route.operation
    field = next(f for f in msgspec.structs.fields(owner) if f.encode_name == name)
    kinds = [kind for kind in get_args(field.type) if kind is not type(None)]
    optional = type(None) in get_args(field.type)
    kind = kinds[0] if optional and len(kinds) == 1 else field.type
    (found,), _ = msgspec.json.schema_components([kind], ref_template=_SCHEMA)
    return found


def _body(route: Route) -> dict[str, Any]:
    as_json: dict[str, Any] = {"schema": {"$ref": _SCHEMA.format(name=body_type(route).__name__)}}
    as_xml: dict[str, Any] = {
        "schema": {
            "type": "string",
            "description": f"{route.operation.__name__} из /soap/appeals.svc?xsd=appeals-v1",
        }
    }
    example = examples.REQUESTS.get(route.operation)
    if example is not None:
        inner = getattr(example, route.wrap) if route.wrap else example
        as_json["examples"] = {"example": {"value": examples.as_json(inner)}}
        as_xml["examples"] = {"example": {"value": examples.as_xml(example)}}
    return {"required": True, "content": {"application/json": as_json, "application/xml": as_xml}}


def _responses(route: Route) -> dict[str, Any]:
    name = _answer(route)
    content: dict[str, Any] = {
        "application/json": {"schema": {"$ref": _SCHEMA.format(name=name)}},
        "application/xml": {"schema": {"type": "string"}},
    }
    answer = examples.ANSWERS.get(name)
    if answer is not None:
        content["application/json"]["examples"] = {"example": {"value": examples.as_json(answer)}}
    headers = _headers(
        "Correlation-Id", *(["ETag"] if route.method == "GET" and route.kept else [])
    )
    done = {"description": "Готово · Done", "headers": headers, "content": content}
    repeated = {
        "description": "Повтор: первая квитанция · A repeat: the first receipt",
        "headers": _headers("Correlation-Id", "Gateway-Repeat"),
        "content": content,
    }
    found: dict[str, Any] = {str(route.status): done}
    if route.status != 200:
        found["200"] = repeated
    elif route.unwrap == "receipt":
        found["200"] = {**repeated, "description": "Принято, или повтор · Taken, or a repeat"}
    if route.method == "GET" and route.kept:
        found["304"] = {"description": "Не изменилось · Not modified", "headers": headers}
    for status in _refused_with(route):
        found[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    return found


def _refused_with(route: Route) -> list[int]:
    faults = c.OPERATIONS[route.operation.__name__].faults
    statuses = {401, 403, 422, 500, 503}
    if route.method in ("POST", "PUT"):
        statuses |= {400, 404, 413, 415}  # 404: also for an XML document of another operation
    if "NotFoundFault" in faults:
        statuses.add(404)
    if {"ConflictFault", "StateFault"} & set(faults):
        statuses.add(409)
    return sorted(statuses)


def _refusal(status: int) -> dict[str, Any]:
    names = ["Correlation-Id"]
    names += {503: ["Retry-After"], 401: ["WWW-Authenticate"]}.get(status, [])
    return {
        "description": _SAYS[status],
        "headers": _headers(*names),
        "content": {
            "application/problem+json": {"schema": {"$ref": _SCHEMA.format(name="Problem")}},
            "application/xml": {"schema": {"type": "string"}},
        },
    }


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _answer(route: Route) -> str:
    """Return the name of the type that a JSON answer has."""
    if not route.unwrap:
        return route.response.__name__
    fields = msgspec.structs.fields(route.response)
    found: type[msgspec.Struct] = next(f.type for f in fields if f.name == route.unwrap)
    return found.__name__


def _correlation_parameter() -> dict[str, Any]:
    return {
        "name": "X-Correlation-Id",
        "in": "header",
        "required": False,
        "description": "Ваше имя вызова; без него шлюз даёт своё · Your name of the call",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{8,64}$"},
    }


def _problem() -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "type": "object",
        "description": "RFC 9457; коды описаны в docs/errors.md · codes: docs/errors.md",
        "required": ["type", "title", "status", "detail", "code", "retry", "correlationId"],
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "code": {"type": "string", "examples": sorted(WIRE)},
            "retry": {"type": "string", "enum": ["never", "later", "ask"]},
            "correlationId": text,
            "where": text,
            "found": text,
            "expected": text,
            "todo": text,
            "errors": {"type": "array", "items": {"$ref": _SCHEMA.format(name="FieldError")}},
            "receiptNumber": text,
            "existingSha256": text,
            "existingRevision": {"type": "integer"},
            "currentState": text,
            "allowedEvents": {"type": "array", "items": text},
        },
    }
