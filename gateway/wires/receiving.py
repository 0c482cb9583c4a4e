"""One request body as it comes: first the envelope, then, once its sender is known, the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.limits import SOAP_ROOT_BYTES
from gateway.soap.splitter import Splitter
from gateway.wires.edge import Gone
from gateway.wires.inflate import unpacker

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.soap.splitter import Part
    from gateway.wires.room import Body


class Incoming:
    """The body of one request.

    receive: of ASGI. headers: of HTTP, with lower-case names. held: counts what is in memory.
    limit: bytes that the envelope may have. Raises UnsupportedError for a media type that is not
    SOAP, or a coding that is not read here, before the first byte is taken.
    """

    def __init__(
        self, receive: Any, headers: Mapping[str, str], held: Body, limit: int = SOAP_ROOT_BYTES
    ) -> None:
        self._receive = receive
        self._held = held
        self._splitter = Splitter(headers.get("content-type", ""), limit)
        self._feed, self._close = unpacker(headers.get("content-encoding", ""), limit)
        self._parts: Mapping[str, Part] = {}

    async def root(self) -> bytes:
        """Return the envelope, unpacked; raise Gone when the client closed before it was whole.

        Raise BusyError when too much is being received at once, of this caller or in all.
        """
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Gone
            self._splitter.feed(self._held.add(self._feed(message.get("body", b""))))
            if not message.get("more_body"):
                self._close()
                found = self._splitter.close()
                self._parts = found.parts
                return found.root

    async def rest(self) -> Mapping[str, Part]:
        """Return the other parts, stored, by Content-ID; asked for when the sender is known."""
        return self._parts
