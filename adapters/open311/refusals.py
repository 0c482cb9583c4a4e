"""Errors as the specification has them: a list of codes and descriptions that a citizen may read.

404 for what does not exist, 403 for a key that is missing or wrong, 400 for anything else; only
"come again later" stays a 503 with `Retry-After`, since an app is to repeat it.
"""

from __future__ import annotations

from typing import Any, Final

from gateway.errors import (
    WIRE,
    AccessError,
    BusyError,
    ConflictError,
    GatewayError,
    NotFoundError,
    UnknownOperationError,
    ValidationError,
    Violation,
)

_NOT_FOUND: Final = frozenset({("service_code", "unknown"), ("jurisdiction_id", "unknown")})
_SAID: Final = {
    "conflict": "Под этим номером уже принята другая заявка · Another request has this number",
    "malformed": "Форма не читается · The form cannot be read",
    "too_large": "Слишком много · Too much",
    "unsupported": "Так заявки не принимаются · Requests are not taken like this",
    "busy": "Сервис занят, повторите позже · Busy, come again later",
}
_INSIDE: Final = "Ошибка сервиса, сообщите нам номер {} · The service failed, tell us the number {}"


def refusal(error: GatewayError, correlation: str) -> tuple[int, list[dict[str, Any]]]:
    """Return the HTTP status and the errors; what is our own trouble is told without its inside."""
    if isinstance(error, AccessError):
        said = "Нет доступа: api_key не указан или не подходит · Missing or invalid api_key"
        return 403, [_error(403, error.message if not error.challenge else said)]
    if isinstance(error, NotFoundError | UnknownOperationError):
        return 404, [_error(404, error.message)]
    if isinstance(error, BusyError):
        return 503, [_error(503, _SAID["busy"])]
    if error.who != "peer":
        return 500, [_error(500, _INSIDE.format(correlation, correlation))]
    if isinstance(error, ValidationError) and error.violations:
        codes = [404 if (v.path, v.code) in _NOT_FOUND else 400 for v in error.violations]
        told = [_error(c, _said(v)) for c, v in zip(codes, error.violations, strict=True)]
        return (404 if 404 in codes else 400), told
    text = f"{_SAID.get(error.code, '')}: {error.message}".removeprefix(": ")
    if isinstance(error, ConflictError) and error.receipt_number:
        text += f" ({error.receipt_number})"
    elif error.expected:
        text += f" ({error.expected})"
    return 400, [_error(WIRE.get(error.code, WIRE["input"]).status, text)]


def _said(violation: Violation) -> str:
    text = f"{violation.path}: {violation.message}" if violation.path else violation.message
    return f"{text} ({violation.expected})" if violation.expected else text


def _error(code: int, description: str) -> dict[str, Any]:
    return {"code": code, "description": description}
