"""Honest callers: a steady stream of submissions, whatever else goes on.

`python -m tests.attack.honest ADDRESS KEY` is a process of its own, so that attackers do not take
its time. It sends at a fixed rate on kept connections, an open loop: the time of a call counts from
when it was due. A line "go" on its input begins, "stop" ends a stretch, which it answers with one
line of JSON: milliseconds of every call, and what was no success.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.survive import calls
from tests.survive.clients import answer, request

RATE = 50
CONNECTIONS = 8
CHECKOUT = Path(__file__).resolve().parents[2]


class Stretch(NamedTuple):
    """What honest callers saw in one stretch."""

    milliseconds: tuple[float, ...]
    failures: dict[str, int]

    @property
    def p99(self) -> float:
        """The 99th percentile in milliseconds."""
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] if ordered else 0.0


class Honest:
    """The process, as the attackers' side steers it."""

    def __init__(self, address: str, key: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.attack.honest", address, key],
            cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip

    def go(self) -> None:
        """Begin to submit."""
        assert self._process.stdin
        self._process.stdin.write("go\n")

    def stop(self) -> Stretch:
        """End the stretch, wait for the answers that are due, and return what was seen."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("stop\n")
        seen = json.loads(self._process.stdout.readline())
        return Stretch(tuple(seen["milliseconds"]), seen["failures"])

    def end(self) -> None:
        """End the process."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


class _Callers:
    def __init__(self, address: str, key: str) -> None:
        where = urlsplit(address)
        self._host, self._port = where.hostname, where.port
        self._credential = {"x-api-key": key}
        self._mark = f"honest-{time.time_ns():x}"
        self._number = 0
        self._free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter] | None]
        self.milliseconds: list[float] = []
        self.failures: Counter[str] = Counter()

    async def main(self) -> None:
        self._free = asyncio.Queue()
        for _ in range(CONNECTIONS):
            self._free.put_nowait(None)
        lines = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
        )
        while await lines.readline() == b"go\n":
            stop = asyncio.ensure_future(lines.readline())
            await self._stretch(stop)
            told = {"milliseconds": self.milliseconds, "failures": dict(self.failures)}
            sys.stdout.write(json.dumps(told) + "\n")
            sys.stdout.flush()
            self.milliseconds, self.failures = [], Counter()

    async def _stretch(self, stop: asyncio.Future[bytes]) -> None:
        due, under_way = time.monotonic(), set()
        while not stop.done():
            task = asyncio.ensure_future(self._submit(due))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            due += 1 / RATE
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        await asyncio.gather(*under_way)

    async def _submit(self, due: float) -> None:
        self._number += 1
        line = await self._free.get()
        try:
            if line is None:
                line = await asyncio.open_connection(self._host, self._port)
            call = calls.submit("soap11", f"{self._mark}-{self._number}")
            line[1].write(request(call, self._credential))
            async with asyncio.timeout(30):
                status, body = await answer(line[0])
            if status != 200:
                self.failures[f"{status} {body[:300]!r}"] += 1
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            self.failures[f"{type(error).__name__}: {error}"] += 1
            if line is not None:
                line[1].close()
            line = None
        self._free.put_nowait(line)
        self.milliseconds.append(round((time.monotonic() - due) * 1e3, 2))


if __name__ == "__main__":
    asyncio.run(_Callers(sys.argv[1], sys.argv[2]).main())
