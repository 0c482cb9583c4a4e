"""A receiver that is never what one waits for: uvloop and httptools, nothing else.

`python -m bench.peers.sink PORT` answers every POST with 200 and remembers its Idempotency-Key;
`GET /` returns the keys in the order of arrival, as JSON, and forgets them.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Final

import httptools
import msgspec
import uvloop

_TAKEN: Final = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
_TOLD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"


class Sink(asyncio.Protocol):
    """One connection; the journal is shared by all of them."""

    journal: Final[list[str]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to read."""
        self._transport = transport
        self._parser = httptools.HttpRequestParser(self)
        self._key = ""

    def data_received(self, data: bytes) -> None:
        """Feed the parser."""
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take the key."""
        if name.lower() == b"idempotency-key":
            self._key = value.decode()

    def on_message_complete(self) -> None:
        """Answer, after the whole body is here."""
        answer = _TAKEN
        if self._parser.get_method() == b"POST":
            self.journal.append(self._key)
        else:
            body = msgspec.json.encode(self.journal)
            self.journal.clear()
            answer = _TOLD % (len(body), body)
        self._transport.write(answer)  # type: ignore[attr-defined]


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
