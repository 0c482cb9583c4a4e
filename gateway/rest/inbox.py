"""`POST /api/v1/inbox`: a message in the peer's own format, read by the adapter of its row.

The answer is the adapter's own word (`adapter.Answering`), or else ours: a line for each item, with
its receipt or the reason why it was not taken. What was refused is stored as it came.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import msgspec
import structlog
from litestar import Request, Response
from litestar.handlers import HTTPRouteHandler

from gateway import limits, notes, taking
from gateway.adapter import Answering, Decoded, Reply, Wire
from gateway.errors import WIRE, GatewayError
from gateway.rest import decode as decoding
from gateway.rest.handlers import PREFIX, read_body
from gateway.rest.problems import problem
from gateway.wires import service
from gateway.wires.edge import Gone, address_of, correlation_of, headers_of
from gateway.wires.service import ServiceDoor

if TYPE_CHECKING:
    from gateway.adapter import Landed, Verdict
    from gateway.correspondents import Correspondents
    from gateway.metrics import Metrics
    from gateway.wires.edge import Edge

log = structlog.get_logger(__name__)

PATH: Final = f"{PREFIX}/inbox"
OPERATION: Final = "Inbox"
_INLINE: Final = 8 * limits.KB
"""Up to here a body that is no XML is read on the event loop: an adapter is slower than our own
contract, and others are waiting."""
_ENCODE: Final = msgspec.json.Encoder().encode
_KEPT_HEADERS: Final = ("content-type", "idempotency-key", "ce-id", "ce-type", "x-message-id")
"""What an adapter is told of the request's headers; credentials never."""


def handlers(edge: Edge, metrics: Metrics, known: Correspondents) -> list[HTTPRouteHandler]:
    """Return the handlers of the inbox; a step below it is the name of the message."""

    async def take(request: Request[Any, Any, Any]) -> Response[bytes]:
        return await answer(request, edge, metrics, known)

    return [
        HTTPRouteHandler([PATH, f"{PATH}/{{name:str}}"], http_method=["POST"], status_code=200)(
            take
        )
    ]


async def answer(
    request: Request[Any, Any, Any], edge: Edge, metrics: Metrics, known: Correspondents
) -> Response[bytes]:
    """Take one message and say what became of it; count it."""
    headers = headers_of(request.scope)
    correlation = correlation_of(headers)
    try:
        reply, code = await _taken(request, edge, headers, correlation, known)
    except Gone:
        metrics.call("rest", OPERATION, "gone")
        return Response(b"", status_code=499)
    except GatewayError as error:
        metrics.call("rest", OPERATION, error.code)
        return problem(error, correlation)
    except Exception as error:
        log.exception("rest.defect", operation=OPERATION, correlation=correlation)
        metrics.call("rest", OPERATION, "internal")
        return problem(service.unexpected(error), correlation)
    metrics.call("rest", OPERATION, code)
    out = {"correlation-id": correlation, "cache-control": "no-store", **reply.headers}
    return Response(reply.body, status_code=reply.status, media_type=reply.media_type, headers=out)


async def _taken(
    request: Request[Any, Any, Any],
    edge: Edge,
    headers: dict[str, str],
    correlation: str,
    known: Correspondents,
) -> tuple[Reply, str]:
    caller = await edge.enter(request.scope, headers, correlation)
    if known.fresh:
        adapter, codec = known.codec(caller.peer)
    else:
        adapter, codec = await asyncio.to_thread(known.codec, caller.peer)
    with edge.room.body(caller.peer) as held:
        body = await read_body(request, headers, held)
        media_type = headers.get("content-type", "")
        wire = Wire(
            media_type=media_type,
            body=body,
            name=str(request.path_params.get("name", ""))[: limits.ID_CHARS],
            headers={name: headers[name] for name in _KEPT_HEADERS if name in headers},
        )
        context = msgspec.structs.replace(
            edge.context(caller, adapter, correlation, body, media_type, address_of(request.scope)),
            beside=notes.of_wire(wire),
        )

        async def decode(told: Wire) -> Decoded:
            if len(told.body) <= _INLINE and not decoding.is_xml(headers):
                found: Decoded = codec.decode(told)
            else:
                found = await edge.parsing.run(len(told.body), codec.decode, told)
            return found

        verdict = await taking.take(
            wire,
            decode,
            ServiceDoor(edge.service, context),
            now=context.now,
            correlation=correlation,
        )
    error = verdict.error
    reply = codec.reply(verdict) if isinstance(codec, Answering) else reply_of(verdict)
    return reply, error.code if error is not None else ""


def reply_of(verdict: Verdict) -> Reply:
    """Return our own answer: 200 when all was taken, 207 when some was, else the error's status."""
    items = [_line(item) for item in verdict.items]
    wrong = [item.error for item in verdict.items if item.error is not None]
    status = 200
    if wrong:
        status = WIRE[wrong[0].code].status if len(wrong) == len(items) else 207
    body = _ENCODE({"correlationId": verdict.correlation, "items": items})
    return Reply(status=status, media_type="application/json", body=body)


def _line(item: Landed) -> dict[str, Any]:
    told: dict[str, Any] = {"key": item.key} if item.key else {}
    if item.where:
        told["where"] = item.where
    if item.error is None:
        return {
            **told,
            "receiptNumber": item.receipt_number,
            "acceptedAt": item.accepted_at,
            "repeat": item.repeat,
        }
    fault = service.item_error(item.error)
    return {**told, "error": msgspec.to_builtins(fault)}
