"""What became of pushed messages, in the feed's form: one result a message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from adapters.incident.codes import JSON
from gateway.adapter import Landed, Reply, Verdict
from gateway.errors import WIRE, violations_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_REFUSED: Final = 422
_MIXED: Final = 207
_LATER: Final = 503


def reply(verdict: Verdict) -> Reply:
    """Return the answer to a push: 200, 422 when all are refused, 207 when some; raises nothing.

    503 (or 500 for a defect of ours) asks for all of it again: what is stored is known by its key.
    """
    body = {
        "results": [_result(item) for item in verdict.items],
        "correlation": verdict.correlation,
    }
    return Reply(status=_status(verdict.items), media_type=JSON, body=msgspec.json.encode(body))


def _status(items: Sequence[Landed]) -> int:
    errors = [item.error for item in items if item.error is not None]
    if not errors:
        return 200
    for error in errors:
        if error.retry == "later":
            return max(WIRE[error.code].status, 500) if error.code in WIRE else _LATER
    return _REFUSED if len(errors) == len(items) else _MIXED


def _result(item: Landed) -> dict[str, Any]:
    out: dict[str, Any] = {"id": _named(item), "accepted": item.error is None}
    if item.where:
        out["line"] = item.where
    if item.error is None:
        return {**out, "receipt": item.receipt_number, "repeat": item.repeat}
    error = item.error
    places = [
        {"path": v.path, "code": v.code, "message": v.message, "expected": v.expected}
        for v in violations_of(error)
    ]
    return {**out, "error": {"code": error.code, "message": error.message, "violations": places}}


def _named(item: Landed) -> str:
    """The item's id; of one that was refused before it was read, what it gave as such."""
    return item.key or (item.error.about if item.error is not None else "")
