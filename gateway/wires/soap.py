"""The SOAP wire: a plain ASGI application around the pure engine of `gateway.soap`.

A small body is opened, decoded and turned into rows on the event loop, because a hop to a thread
costs more than the work; large bodies go to a thread (docs/adr/0003). Every fault is HTTP 500 with
a typed detail, except a missing or wrong credential: that is a 401 with a challenge, which WCF, 1С,
PHP and JAX-WS answer with HTTP Basic by themselves.
"""

from __future__ import annotations

import asyncio
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import parse_qs

import msgspec
import structlog
from lxml import etree

from gateway import contracts
from gateway.access.keys import CHALLENGE
from gateway.errors import (
    WIRE,
    AccessError,
    BusyError,
    GatewayError,
    InputError,
    NotFoundError,
)
from gateway.limits import INLINE_DECODE_BYTES, SOAP_ROOT_BYTES
from gateway.soap import envelope, faults, frame
from gateway.soap.splitter import Splitter
from gateway.wires import binding, places, service
from gateway.wires.contract import OPERATIONS
from gateway.wires.edge import Gone, correlation_of, headers_of
from gateway.wires.inflate import unpacker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lxml.etree import _Element

    from gateway.access.policy import Caller
    from gateway.metrics import Metrics
    from gateway.settings import Settings
    from gateway.wires.edge import Edge
    from gateway.wires.room import Body

log = structlog.get_logger(__name__)

WIRES: Final = {"1.1": "soap11", "1.2": "soap12"}
T = TypeVar("T")
_XML: Final = "text/xml; charset=utf-8"
_HOST: Final = re.compile(r"(.*?)(?::([0-9]{1,5}))?")
"""A name and its port: `localhost:1@other.example` would name another server."""
_PORTS: Final = 65_535
_INNER: Final = {
    "SubmitAppeal": "/Appeal",
    "AmendAppeal": "/Appeal",
    "SubmitStatus": "/Report",
    "SubmitAnswer": "/Answer",
}
"""Where in an operation the document stands that the mapping speaks of."""


class SoapApp:
    """ASGI application of `/soap/`: the service and its description."""

    def __init__(self, edge: Edge, settings: Settings, metrics: Metrics) -> None:
        self._edge = edge
        self._settings = settings
        self._metrics = metrics
        self._contract = contracts.appeals()
        self._service = msgspec.structs.replace(service.appeals_service(), validate=self._check)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        headers = headers_of(scope)
        if scope["path"].lower() != f"/soap/{self._contract.name}.svc":
            self._metrics.call("soap", "?", "not_found")
            text = f"no such service; there is /soap/{self._contract.name}.svc".encode()
            await _send(send, HTTPStatus.NOT_FOUND, "text/plain", text)
        elif scope["method"] == "POST":
            await self._post(scope, headers, receive, send)
        elif scope["method"] in ("GET", "HEAD"):
            await self._describe(scope, headers, send)
        else:
            await _send(
                send,
                HTTPStatus.METHOD_NOT_ALLOWED,
                "text/plain",
                b"POST or GET",
                {"allow": "GET, HEAD, POST"},
            )

    async def _post(self, scope: Any, headers: dict[str, str], receive: Any, send: Any) -> None:
        correlation = correlation_of(headers)
        extra = {"correlation-id": correlation}
        operation, code, root, held = "?", "", b"", None
        try:
            caller = await self._edge.enter(scope, headers, correlation)
            held = self._edge.room.body(caller.peer)
            root = await _receive(receive, headers, held)
            operation, code, sealed = await self._call(root, headers, caller, extra)
        except Gone:
            self._metrics.call("soap", operation, "gone")
            return
        except GatewayError as error:
            code, sealed = error.code, await _refused(error, root, headers, correlation)
            extra |= _hints(error)
            if isinstance(error, AccessError) and error.challenge:
                sealed = msgspec.structs.replace(sealed, status=WIRE[error.code].challenge)
        except Exception as error:
            log.exception("soap.defect", correlation=correlation)
            code = "internal"
            sealed = await _refused(service.unexpected(error), root, headers, correlation)
        finally:
            if held is not None:
                held.free()
        self._metrics.call("soap", operation, code)
        await _send(send, sealed.status, sealed.content_type, sealed.body, extra)

    async def _call(
        self, root: bytes, headers: Mapping[str, str], caller: Caller, extra: dict[str, str]
    ) -> tuple[str, str, frame.Sealed]:
        """Open, decode, carry out and seal: the operation, the code of its fault, the answer.

        A fault of the call itself is sealed in the call's own frame.
        """
        correlation = extra["correlation-id"]
        version = frame.announced(headers.get("content-type", ""))
        context = self._edge.context(
            caller, WIRES[version], correlation, root, headers.get("content-type", "")
        )
        try:
            try:
                call, request = await _beside(len(root), self._open, root, headers, context)
            except _InvalidError as found:
                await asyncio.to_thread(self._contract.validate, found.element)
                raise
        except InputError as error:
            if root:
                await self._edge.service.keep(context, error, "?")
            raise
        answering = self._edge.service.call(request, context)
        del request
        try:
            response = await answering
        except GatewayError as error:
            places.below(error, f"/{call.operation}{_INNER.get(call.operation, '')}")
            extra |= _hints(error)
            return call.operation, error.code, faults.seal_fault(error, call.frame, correlation)
        if context.repeat:
            extra["gateway-repeat"] = "true"
        return call.operation, "", envelope.seal(envelope.Reply(body=binding.write(response)), call)

    def _check(self, element: _Element, nodes: int) -> None:
        """Say no without a reason: finding it may take a thousand times as long, so not here."""
        if not self._contract.valid(element, nodes):
            raise _InvalidError(element)

    def _open(
        self, root: bytes, headers: Mapping[str, str], context: service.Context
    ) -> tuple[envelope.Call, Any]:
        call = envelope.open(
            root, headers, {}, envelope.Context(now=context.now, service=self._service)
        )
        request = binding.read(OPERATIONS[call.operation].request, call.body)
        context.encoding = call.frame.encoding
        # The tree is let go before the call waits for its commit: those of 64 waiting calls push
        # everything else out of the processor's cache.
        return msgspec.structs.replace(call, body=_READ, blocks=()), request

    async def _describe(self, scope: Any, headers: Mapping[str, str], send: Any) -> None:
        """Serve `?wsdl`, `?singleWsdl` and `?xsd=name`; names of parameters in any case.

        The schema is one, so `?xsd` alone is enough.
        """
        query = {
            name.lower(): values[0]
            for name, values in parse_qs(
                scope["query_string"].decode("latin-1"), keep_blank_values=True
            ).items()
        }
        try:
            base = self._base(scope, headers)
            if "singlewsdl" in query:
                body = self._contract.single_wsdl(base)
            elif "xsd" in query:
                body = self._contract.xsd(query["xsd"] or self._contract.schema_names[0])
            elif "wsdl" in query or not query:
                body = self._contract.wsdl(base)
            else:
                raise NotFoundError("no such description", expected="?wsdl, ?singleWsdl, ?xsd")
        except GatewayError as error:
            await _send(
                send, HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", str(error).encode()
            )
            return
        await _send(send, HTTPStatus.OK, _XML, body)

    def _base(self, scope: Any, headers: Mapping[str, str]) -> str:
        """The address that peers use: configured, or the Host they asked when it is allowed."""
        if self._settings.public_url:
            return self._settings.public_url
        host = headers.get("host", "")
        known = _HOST.fullmatch(host)
        if (
            known is None
            or known[1] not in self._settings.allowed_hosts
            or int(known[2] or 0) > _PORTS
        ):
            raise NotFoundError(
                "this Host is not one of ours",
                found=host[:200],
                todo="set public_url or allowed_hosts",
            )
        return f"{scope.get('scheme', 'http')}://{host}"


_READ: Final = etree.Element("read")
"""Stands for a body that was read."""


class _InvalidError(Exception):
    """The document breaks the schema; where and why is still to be found."""

    def __init__(self, element: _Element) -> None:
        super().__init__()
        self.element = element


async def _receive(receive: Any, headers: Mapping[str, str], held: Body) -> bytes:
    """Return the envelope, unpacked; raise Gone when the client closed before it was whole.

    Raise BusyError when too much is being received at once, of this caller or in all.
    """
    splitter = Splitter(headers.get("content-type", ""))
    feed, close = unpacker(headers.get("content-encoding", ""), SOAP_ROOT_BYTES)
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        splitter.feed(held.add(feed(message.get("body", b""))))
        if not message.get("more_body"):
            close()
            return splitter.close().root


async def _beside(size: int, work: Callable[..., T], *arguments: Any) -> T:
    """Do the work here when it is small, in a thread when it would hold up the others."""
    if size <= INLINE_DECODE_BYTES:
        return work(*arguments)
    return await asyncio.to_thread(work, *arguments)


async def _refused(
    error: GatewayError, root: bytes, headers: Mapping[str, str], correlation: str
) -> frame.Sealed:
    """Seal a fault for what could not be opened; the frame is read from what came of it."""
    found = await _beside(len(root), frame.of_request, root, headers)
    return faults.seal_fault(error, found, correlation)


def _hints(error: GatewayError) -> dict[str, str]:
    """Return what HTTP says of an error beside the fault."""
    if isinstance(error, AccessError) and error.challenge:
        return {"www-authenticate": CHALLENGE}
    return {"retry-after": str(error.retry_after)} if isinstance(error, BusyError) else {}


async def _send(
    send: Any,
    status: int,
    content_type: str,
    body: bytes,
    headers: Mapping[str, str] | None = None,
) -> None:
    lines = [
        (b"content-type", content_type.encode("latin-1")),
        (b"content-length", str(len(body)).encode()),
    ]
    lines += [(name.encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})
