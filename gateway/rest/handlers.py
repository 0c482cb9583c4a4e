"""Litestar handlers: one for each route of the table, all through one function.

Errors are problem+json (RFC 9457) with our code, the violations and the correlation id, or XML when
the caller asked for XML. A write that was understood as a repeat says `Gateway-Repeat: true`; its
body is the first receipt's.
"""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler

from gateway import limits
from gateway.errors import GatewayError, InputError, TooLargeError, UnknownOperationError
from gateway.rest import decode
from gateway.rest.problems import problem
from gateway.rest.routes import ROUTES, Route
from gateway.wires import binding, places, service
from gateway.wires.edge import Gone, address_of, correlation_of, headers_of
from gateway.wires.inflate import PIECE_BYTES, in_pieces

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.metrics import Metrics
    from gateway.wires.edge import Edge
    from gateway.wires.room import Body

log = structlog.get_logger(__name__)

PREFIX: Final = "/api/v1"
_ENCODE: Final = msgspec.json.Encoder().encode
_SERVER_ERROR: Final = 500
_LENGTH_DIGITS: Final = 18
_XML_INLINE: Final = 4 * limits.KB
"""XML up to it is read on the event loop: to explain 64 KB of mistakes takes 50 ms."""


def handlers(edge: Edge, metrics: Metrics) -> list[HTTPRouteHandler]:
    """Return a handler for every route of the table."""
    return [_handler(route, edge, metrics) for route in ROUTES]


def _handler(route: Route, edge: Edge, metrics: Metrics) -> HTTPRouteHandler:
    async def handle(request: Request[Any, Any, Any]) -> Response[bytes]:
        return await answer(route, request, edge, metrics)

    handle.__name__ = f"{route.method.lower()}_{route.operation.__name__}"
    methods = ["GET", "HEAD"] if route.method == "GET" else [route.method]
    return HTTPRouteHandler(
        PREFIX + route.path,
        http_method=methods,  # type: ignore[arg-type]
        status_code=route.status,
    )(handle)


async def answer(
    route: Route, request: Request[Any, Any, Any], edge: Edge, metrics: Metrics
) -> Response[bytes]:
    """Carry out one call and encode what comes of it, also when that is an error; count it."""
    headers = headers_of(request.scope)
    media, correlation = decode.media_of(headers), correlation_of(headers)
    operation = route.operation.__name__
    try:
        answered = await _call(route, request, edge, headers, correlation)
    except Gone:
        metrics.call("rest", operation, "gone")
        return Response(b"", status_code=499)
    except GatewayError as error:
        metrics.call("rest", operation, error.code)
        return problem(_placed(error, route, request, headers), correlation, media=media)
    except Exception as error:
        log.exception("rest.defect", operation=operation, correlation=correlation)
        metrics.call("rest", operation, "internal")
        return problem(service.unexpected(error), correlation, media=media)
    metrics.call("rest", operation, "")
    return answered


def _placed(
    error: GatewayError, route: Route, request: Request[Any, Any, Any], headers: Mapping[str, str]
) -> GatewayError:
    """Return the error with its places spelt as the part of the call has them that they are in."""
    if route.method == "GET":
        return places.as_parameters(error, request.path_params)
    if decode.is_xml(headers):
        return places.below(error, decode.place_in_xml(route))
    return places.as_pointers(error)


async def _call(
    route: Route,
    request: Request[Any, Any, Any],
    edge: Edge,
    headers: dict[str, str],
    correlation: str,
) -> Response[bytes]:
    caller = await edge.enter(request.scope, headers, correlation)
    with edge.room.body(caller.peer) as held:
        body = await read_body(request, headers, held) if route.method in ("POST", "PUT") else b""
        media, address = headers.get("content-type", ""), address_of(request.scope)
        context = edge.context(caller, "rest", correlation, body, media, address)
        return await _carried_out(route, request, edge, headers, context)


async def _carried_out(
    route: Route,
    request: Request[Any, Any, Any],
    edge: Edge,
    headers: dict[str, str],
    context: service.Context,
) -> Response[bytes]:
    body = context.body
    call = decode.Call(
        body=body,
        headers=headers,
        path={name: str(value) for name, value in request.path_params.items()},
        query=request.scope["query_string"].decode("latin-1"),
    )
    context.beside = decode.beside(call)
    try:
        operation = await _decoded(route, call, edge, context.caller.peer)
    except InputError as error:
        if body:
            await edge.service.keep(context, error, route.operation.__name__)
        raise
    response = await edge.service.call(operation, context)
    answer = _success(route, response, context, headers)
    service.hold(context.caller, len(answer.content))
    return answer


async def _decoded(route: Route, call: decode.Call, edge: Edge, peer: str) -> Any:
    """Decode here what is small, else in a thread: XML in one that is replaced now and then."""
    size = len(call.body)
    if not decode.is_xml(call.headers):
        if size <= limits.INLINE_DECODE_BYTES:
            return decode.request(route, call)
        return await asyncio.to_thread(decode.request, route, call)
    taken = False
    try:
        if size <= _XML_INLINE and edge.parsing.trusts(peer):
            operation = decode.request(route, call)
            edge.parsing.took(peer, call.body)
        else:
            operation = await edge.parsing.run(size, decode.request, route, call)
        taken = True
    finally:
        edge.parsing.judged(peer, size, taken=taken)
    return operation


async def read_body(
    request: Request[Any, Any, Any], headers: Mapping[str, str], held: Body
) -> bytes:
    """Return the body, unpacked; raise TooLargeError as soon as it passes the limit.

    Raise BusyError when too much is being received at once, of this caller or in all.
    """
    told = headers.get("content-length", "").lstrip("0")
    if told.isdecimal() and (len(told) > _LENGTH_DIGITS or int(told) > limits.REST_BODY_BYTES):
        raise _too_large()
    pieces, close = in_pieces(headers.get("content-encoding", ""), limits.REST_BODY_BYTES)
    chunks, size = [], 0
    while True:
        message = await request.receive()
        if message["type"] != "http.request":
            raise Gone
        for piece in pieces(message.get("body", b"")):
            chunks.append(held.add(piece))
            size += len(piece)
            if size > limits.REST_BODY_BYTES:
                raise _too_large()
            if len(piece) >= PIECE_BYTES:  # others are waiting
                await asyncio.sleep(0)
        if not message.get("more_body"):
            close()
            return b"".join(chunks)


def _too_large() -> TooLargeError:
    return TooLargeError(
        "the body is too large", expected=f"at most {limits.REST_BODY_BYTES} bytes"
    )


def _success(
    route: Route, response: msgspec.Struct, context: service.Context, headers: Mapping[str, str]
) -> Response[bytes]:
    media = decode.media_of(headers)
    body = _written(route, response, media)
    out = {"correlation-id": context.correlation, "cache-control": "no-store", "vary": "accept"}
    if context.repeat:
        out["gateway-repeat"] = "true"
    if route.method == "GET" and route.kept:
        lasting = _lasting(response)
        known = body if lasting is response else _written(route, lasting, media)
        tag = f'"{sha256(known).hexdigest()[:32]}"'
        out |= {"etag": tag, "cache-control": "private, no-cache"}
        if _knows(headers.get("if-none-match", ""), tag):
            return Response(b"", status_code=304, headers=out)
    return Response(
        body,
        status_code=200 if context.repeat else route.status,
        media_type=decode.XML[0] if media == "xml" else decode.JSON,
        headers=out,
    )


def _written(route: Route, response: msgspec.Struct, media: str) -> bytes:
    if media == "xml":
        return binding.write(response)
    return _ENCODE(getattr(response, route.unwrap) if route.unwrap else response)


def _lasting(response: msgspec.Struct) -> msgspec.Struct:
    """Return an answer without the instant that goes on while nothing new is in it."""
    if "complete_until" not in response.__struct_fields__:
        return response
    return msgspec.structs.replace(response, complete_until=None)


def _knows(if_none_match: str, tag: str) -> bool:
    """Whether the caller has this very answer (RFC 9110, 13.1.2: compared weakly)."""
    known = [one.strip().removeprefix("W/") for one in if_none_match.split(",")]
    return tag in known or "*" in known


def framework_error(
    request: Request[Any, Any, Any], error: Exception, metrics: Metrics
) -> Response[bytes]:
    """Answer what Litestar itself refuses (no such path, method not allowed) in the same form."""
    headers = headers_of(request.scope)
    media, correlation = decode.media_of(headers), correlation_of(headers)
    if not isinstance(error, HTTPException) or error.status_code >= _SERVER_ERROR:
        log.error("rest.defect", path=request.scope["path"], exc_info=error)
        metrics.call("rest", "?", "internal")
        return problem(service.unexpected(error), correlation, media=media)
    path = request.scope["path"]
    allowed = (error.headers or {}).get("allow") or (error.headers or {}).get("Allow") or ""
    found = UnknownOperationError(
        "this method is not offered here" if allowed else "there is no such address",
        found=f"{request.scope['method']} {path}"[:200],
        expected=allowed,
        todo="see /docs",
    )
    metrics.call("rest", "?", found.code)
    more = {"allow": allowed} if allowed else {}
    return problem(found, correlation, media=media, status=error.status_code, headers=more)
