"""What `gateway.connection` wraps around one request: the application, the transport."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import structlog

if TYPE_CHECKING:
    import asyncio
    from collections import Counter
    from collections.abc import Callable

log = structlog.get_logger(__name__)

_CONTINUE: Final = b"HTTP/1.1 100 "
_CROWDED: Final = b"too many calls at once from this address"


class Joined:
    """Writes the head of an answer together with the first bytes of its body.

    uvicorn writes each by itself: two system calls and two packets where one does (docs/adr/0005).
    completed: what uvicorn calls when the answer is whole.
    """

    __slots__ = ("_completed", "_head", "_transport")

    def __init__(self, transport: asyncio.Transport, completed: Callable[[], None]) -> None:
        self._transport = transport
        self._completed = completed
        self._head: bytes | None = b""

    def write(self, data: bytes) -> None:
        """Hold the head; write the rest, the first of it with the head."""
        if self._transport.is_closing():
            return  # the caller has left; what was asked is carried out all the same
        if self._head is None:
            self._transport.write(data)
        elif self._head:
            self._transport.write(self._head + data)
            self._head = None
        elif data.startswith(_CONTINUE):
            self._transport.write(data)
        else:
            self._head = data

    def complete(self) -> None:
        """Write the head that no body followed, then tell."""
        self._flush()
        self._completed()

    def close(self) -> None:
        """Close the connection when everything is written."""
        self._flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether the connection is closed or about to be."""
        return self._transport.is_closing()

    def _flush(self) -> None:
        head, self._head = self._head, None
        if head and not self._transport.is_closing():
            self._transport.write(head)


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
