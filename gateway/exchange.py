"""One request of `gateway.connection`, its answer, and what is wrapped around the application."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import structlog
from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    RequestResponseCycle,
)

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable

log = structlog.get_logger(__name__)

_BODILESS: Final = (204, 304)
_CROWDED: Final = b"too many calls at once from this address"


class Cycle(RequestResponseCycle):
    """One request and its answer, whose head is written together with the first bytes of its body.

    uvicorn writes each by itself: two system calls and two packets where one does (docs/adr/0005).
    tasks: those that are under way, to be given; that of this request leaves them when it ends.
    """

    tasks: set[asyncio.Task[None]]
    _head = b""
    """Of the answer, while it is held."""

    async def run_asgi(self, app: Any) -> None:
        """Run the application; of one that breaks off an answer the connection is closed."""
        try:
            try:
                await app(self.scope, self.receive, self.send)
            except BaseException:  # nobody waits for this task
                log.exception("server.defect")
            if not self.response_complete and not self.disconnected:
                await self._break_off()
        finally:
            self.on_response = _nothing
            self.tasks.discard(asyncio.current_task())

    async def _break_off(self) -> None:
        if self.response_started:
            self._put(b"")
            self.transport.close()
        else:
            await self.send_500_response()

    async def send(self, message: Any) -> None:
        """Take a message of ASGI; raise RuntimeError for one that does not belong here."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        kind = message["type"]
        if not self.response_started:
            if kind != "http.response.start":
                raise RuntimeError(f"Expected 'http.response.start', but got '{kind}'.")
            self.response_started = True
            self.waiting_for_100_continue = False
            self._head = self._head_of(message["status"], message.get("headers", ()))
        elif self.response_complete or kind != "http.response.body":
            raise RuntimeError(f"Unexpected '{kind}' in an answer.")
        else:
            self._write(message.get("body", b""), more=message.get("more_body", False))

    def _head_of(self, status: int, told: Iterable[tuple[bytes, bytes]]) -> bytes:
        """Return the head of the answer, and learn from it how the body is to be written."""
        headers = [(name.lower(), value) for name, value in told]
        names = dict(headers)
        if HEADER_RE.search(b"".join(names)):
            raise RuntimeError("Invalid HTTP header name.")
        if HEADER_VALUE_RE.search(b"".join([value for _, value in headers])):
            raise RuntimeError("Invalid HTTP header value.")
        if b"content-length" in names:
            self.expected_content_length = int(names[b"content-length"])
            self.chunked_encoding = False
        elif self.scope["method"] != "HEAD" and status not in _BODILESS:
            self.chunked_encoding = True
            headers.append((b"transfer-encoding", b"chunked"))
        if b"close" in names.get(b"connection", b"").lower():
            self.keep_alive = False
        elif not self.keep_alive:
            headers.append((b"connection", b"close"))
        lines = [b": ".join(each) for each in (*self.default_headers, *headers)]
        return b"\r\n".join((STATUS_LINE[status].rstrip(), *lines, b"", b""))

    def _write(self, body: bytes, *, more: bool) -> None:
        """Write a piece of the body, the first one with the head; after the last tell so."""
        if self.scope["method"] == "HEAD":
            self.expected_content_length, body = 0, b""
        elif self.chunked_encoding:
            body = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
            body = body if more else body + b"0\r\n\r\n"
        else:
            self.expected_content_length -= len(body)
            if self.expected_content_length < 0:
                raise RuntimeError("Response content longer than Content-Length")
        self._put(body)
        if more:
            return
        if self.expected_content_length != 0:
            raise RuntimeError("Response content shorter than Content-Length")
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()

    def _put(self, data: bytes) -> None:
        """Write this behind what is held; nothing to a caller who has left.

        What he asked is carried out all the same.
        """
        if self._head:
            data, self._head = self._head + data, b""
        if data and not self.transport.is_closing():
            self.transport.write(data)


def _nothing() -> None:
    return None


def closing_unread(app: Any) -> Any:
    """Close after an answer to `Expect: 100-continue` that was given without asking for the body.

    The client may then leave the body out, and its next request would be read as the body.
    """

    async def asked(scope: Any, receive: Any, send: Any) -> None:
        read = False

        async def reading() -> Any:
            nonlocal read
            read = True
            return await receive()

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start" and not read:
                headers = [*message.get("headers", ()), (b"connection", b"close")]
                message = {**message, "headers": headers}
            await send(message)

        await app(scope, reading, sending)

    return asked


def one_of(crowd: Counter[str], address: str, most: int, app: Any) -> Any:
    """Count a call under the address of its caller while it is carried out, or refuse it.

    The connection is the proxy's and goes on.
    """

    async def counted(scope: Any, receive: Any, send: Any) -> None:
        crowd[address] += 1
        try:
            if crowd[address] <= most:
                await app(scope, receive, send)
                return
            log.info("server.crowded", client=address)
            headers = [
                (b"content-type", b"text/plain; charset=utf-8"),
                (b"content-length", str(len(_CROWDED)).encode()),
                (b"retry-after", b"1"),
            ]
            await send({"type": "http.response.start", "status": 503, "headers": headers})
            await send({"type": "http.response.body", "body": _CROWDED})
        finally:
            leave(crowd, address)

    return counted


def leave(crowd: Counter[str], address: str) -> None:
    """Take one call or connection of an address off the count."""
    crowd[address] -= 1
    if crowd[address] <= 0:
        del crowd[address]
