"""What became of items, in the platform's form: the answer to a push, a line of an acknowledgement.

A push of one item is answered 200 or 422, one of several 207 where the items fared differently.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from gateway.adapter import Landed, Reply, Verdict
from gateway.errors import WIRE, GatewayError, violations_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_MEDIA: Final = "application/json"
_REFUSED: Final = 422
_MIXED: Final = 207
_OURS: Final = 500


def reply(verdict: Verdict) -> Reply:
    """Return the answer to a message that the platform pushed; raises nothing."""
    results = [_result(item) for item in verdict.items]
    body = {"results": results, "correlation": verdict.correlation}
    return Reply(status=_status(verdict.items), media_type=_MEDIA, body=msgspec.json.encode(body))


def _status(items: Sequence[Landed]) -> int:
    errors = [item.error for item in items if item.error is not None]
    if not errors:
        return 200
    later = [e for e in errors if e.retry == "later"]
    if later:
        # Something of it is to come again; what was stored is known by its key.
        status = WIRE[later[0].code].status
        return status if status >= _OURS else 503
    return _REFUSED if len(errors) == len(items) else _MIXED


def _result(item: Landed) -> dict[str, Any]:
    told: dict[str, Any] = {"id": _named(item), "accepted": item.error is None}
    if item.where:
        told["where"] = item.where
    if item.error is not None:
        return {**told, "error": _error(item.error)}
    at = item.accepted_at
    return {
        **told,
        "receipt": item.receipt_number,
        "acceptedAt": at.isoformat() if at else None,
        "repeat": item.repeat,
    }


def _error(error: GatewayError) -> dict[str, Any]:
    """What is wrong, by place; nothing of an inner failure but its code."""
    return {
        "code": error.code,
        "message": error.message,
        "violations": [
            {"path": v.path, "code": v.code, "message": v.message, "expected": v.expected}
            for v in violations_of(error)
        ],
    }


def result_of(verdict: Verdict) -> dict[str, Any]:
    """Return one line of an acknowledgement, without what names the item."""
    error = verdict.error
    if error is None:
        return {"result": "accepted", "receipt": verdict.items[0].receipt_number
                if verdict.items else ""}  # fmt: skip
    if error.retry == "later":
        return {"result": "later", "code": error.code, "reason": error.message}
    places = "; ".join(f"{v.path}: {v.message}" for v in violations_of(error))
    return {"result": "refused", "code": error.code, "reason": places or error.message}


def _named(item: Landed) -> str:
    """The item's id; of one that was refused before it was read, what it gave as such."""
    return item.key or (item.error.about if item.error is not None else "")
