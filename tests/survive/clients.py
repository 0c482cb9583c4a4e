"""Peers that submit: many connections at once, each sending again until it has its receipt.

They keep their own log of what was acknowledged; nothing of it comes from the gateway's tables.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter, deque
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from zlib import crc32

from tests.survive import calls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ANSWER_SECONDS = 30.0
AGAIN_SECONDS = 0.3


class Clients:
    """A crowd of connections of one peer, driven by one thread.

    acknowledged: external id → receipts in the order they came. refused: answers that were neither
    a receipt nor "come again". outcomes: how the attempts ended.
    """

    def __init__(self, address: str, peer: str, key: str, *, connections: int, seed: int) -> None:
        where = urlsplit(address)
        self._host, self._port = where.hostname, where.port
        self._credential = calls.basic(peer, key)
        self._connections = connections
        self._random = random.Random(seed)
        self._waiting: deque[str] = deque()
        self._open = 0
        self._stopping = False
        self.acknowledged: dict[str, list[calls.Receipt]] = {}
        self.refused: list[bytes] = []
        self.outcomes: Counter[str] = Counter()
        self.in_flight = 0
        self.most_in_flight = 0
        self.watch: Callable[[], None] | None = None
        """Called after every request that left, from the clients' own thread."""
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), name="clients")

    def start(self) -> None:
        """Start the connections; they wait for work."""
        self._thread.start()

    def stop(self) -> None:
        """End when nothing waits any more."""
        self._stopping = True
        self._thread.join()

    def submit(self, names: Iterable[str]) -> None:
        """Give external ids to be submitted."""
        names = list(names)
        self._open += len(names)
        self._waiting.extend(names)

    @property
    def idle(self) -> bool:
        """Whether everything given was acknowledged or refused."""
        return self._open == 0

    async def _main(self) -> None:
        await asyncio.gather(*(self._one(n) for n in range(self._connections)))

    async def _one(self, number: int) -> None:
        line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        while not (self._stopping and not self._waiting):
            try:
                name = self._waiting.popleft()
            except IndexError:
                await asyncio.sleep(0.002)
                continue
            wire = calls.WIRES[crc32(name.encode()) % len(calls.WIRES)]
            done = False
            while not done:
                try:
                    if line is None:
                        line = await asyncio.open_connection(self._host, self._port)
                    done = await self._attempt(line, name, wire)
                except (OSError, EOFError, TimeoutError, ValueError) as error:
                    self.outcomes[f"lost: {type(error).__name__}"] += 1
                    if line is not None:
                        line[1].close()
                    line = None
                if not done:
                    await asyncio.sleep(self._random.uniform(0.2, 1) * AGAIN_SECONDS)
            self._open -= 1
        if line is not None:
            line[1].close()

    async def _attempt(
        self, line: tuple[asyncio.StreamReader, asyncio.StreamWriter], name: str, wire: str
    ) -> bool:
        """Send once; whether there was a final answer."""
        reader, writer = line
        call = calls.submit(wire, name, text=f"{calls.TEXT} ({name})")
        writer.write(request(call, self._credential))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        if self.watch is not None:
            self.watch()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                status, body = await answer(reader)
        finally:
            self.in_flight -= 1
        if status in {200, 201}:
            self.outcomes["acknowledged"] += 1
            self.acknowledged.setdefault(name, []).append(calls.receipt(body))
            return True
        if status == 503 or b"BusyFault" in body:
            self.outcomes["busy"] += 1
            return False
        self.outcomes[f"refused: {status}"] += 1
        self.refused.append(body)
        return True


def request(call: calls.Call, credential: dict[str, str]) -> bytes:
    """Return the bytes of a request that keeps its connection."""
    headers = {
        "host": "127.0.0.1",
        "content-length": str(len(call.body)),
        **call.headers,
        **credential,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {call.path} HTTP/1.1\r\n{lines}\r\n".encode() + call.body


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read an answer with a Content-Length: (status, body)."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    length = next(
        int(line.partition(":")[2]) for line in head if line.lower().startswith("content-length:")
    )
    return int(head[0].split()[1]), await reader.readexactly(length)
