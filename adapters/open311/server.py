"""The face: an ASGI application for every path below the prefix.

What a caller may be told without a key is the catalogue; the rest is a peer's, known by
`Edge.enter`. A request is stored by the same service that SOAP and REST submit to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import structlog

from adapters.open311 import catalogue, writing
from adapters.open311.call import call_of, form_of
from adapters.open311.posting import Posting
from adapters.open311.reading import Reading
from adapters.open311.refusals import refusal
from gateway.errors import BusyError, GatewayError, UnknownOperationError, UnsupportedError
from gateway.wires.edge import Gone, correlation_of, headers_of
from gateway.wires.service import unexpected

if TYPE_CHECKING:
    from adapters.open311.call import Call
    from adapters.open311.options import Options
    from adapters.open311.services import Services
    from gateway.wires.edge import Edge

log = structlog.get_logger(__name__)

_OPERATIONS: Final = {
    ("GET", "discovery"): "Discovery",
    ("GET", "services"): "Services",
    ("POST", "requests"): "PostRequest",
    ("GET", "requests"): "Requests",
    ("GET", "tokens"): "Tokens",
}
_PUBLIC: Final = frozenset({"Discovery", "Services"})
_CACHED: Final = "public, max-age=300"


class Face:
    """GeoReport v2 over an `Edge`."""

    def __init__(self, edge: Edge, services: Services, options: Options, prefix: str) -> None:
        self._edge = edge
        self._services = services
        self._options = options
        self._prefix = prefix
        self._since = edge.now()
        self._posting = Posting(edge, services, options)
        self._reading = Reading(edge, services, options)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one call."""
        if scope["type"] != "http":
            return
        correlation, operation, code = correlation_of(headers_of(scope)), "?", ""
        headers = {"correlation-id": correlation, "cache-control": "no-store"}
        form, status = form_of(scope["path"]), 200
        try:
            call = call_of(scope, self._prefix)
            operation = _operation(call)
            root, tree = await self._answer(operation, call, receive, headers)
        except Gone:
            self._count(operation, "gone")
            await _send(send, 499, form, b"", headers, bare=True)
            return
        except GatewayError as error:
            code, root = error.code, "errors"
            status, tree = refusal(error, correlation)
            if isinstance(error, BusyError):
                headers["retry-after"] = str(error.retry_after)
        except Exception as error:
            log.exception("open311.defect", operation=operation, correlation=correlation)
            code, root = "internal", "errors"
            status, tree = refusal(unexpected(error), correlation)
        self._count(operation, code)
        body = writing.write(root, tree, form)
        await _send(send, status, form, body, headers, bare=scope["method"] == "HEAD")

    async def _answer(
        self, operation: str, call: Call, receive: Any, headers: dict[str, str]
    ) -> tuple[str, Any]:
        """Return the document to answer with, by the name of its root."""
        if operation != "PostRequest":
            call.check_jurisdiction(self._options)
        if operation in _PUBLIC:
            headers["cache-control"] = _CACHED
        match operation:
            case "Discovery":
                return "discovery", catalogue.discovery(self._options, self._prefix, self._since)
            case "Services" if call.name:
                return "service_definition", catalogue.definition(self._services, call.name)
            case "Services":
                return "services", catalogue.listed(self._services)
            case "PostRequest":
                tree, repeat = await self._posting.post(call, receive)
                headers |= {"gateway-repeat": "true"} if repeat else {}
                return "service_requests", tree
            case "Tokens":
                return "service_requests", await self._reading.token(call)
        if call.name:
            return "service_requests", await self._reading.one(call)
        return "service_requests", await self._reading.listed(call)

    def _count(self, operation: str, code: str) -> None:
        metrics = self._edge.metrics
        if metrics is not None:
            metrics.call("open311", operation, code)


def _operation(call: Call) -> str:
    """Return which operation is meant; raise UnknownOperationError or UnsupportedError."""
    found = _OPERATIONS.get((call.method, call.resource))
    known = {resource for _, resource in _OPERATIONS}
    named = bool(call.name)
    if call.resource not in known or (call.resource == "discovery" and named):
        raise UnknownOperationError("нет такого адреса · there is no such address")
    if call.resource == "tokens" and not named:
        raise UnsupportedError("token не указан · token was not provided")
    if found is None or (found == "PostRequest" and named):
        raise UnsupportedError(f"метод {call.method} здесь не подходит · another method is meant")
    return found


async def _send(
    send: Any, status: int, form: str, body: bytes, headers: dict[str, str], *, bare: bool
) -> None:
    named = {
        "content-type": writing.MEDIA[form],
        "content-length": str(len(body)),
        "x-content-type-options": "nosniff",
        **headers,
    }
    lines = [(name.encode(), value.encode("latin-1")) for name, value in named.items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": b"" if bare else body})
