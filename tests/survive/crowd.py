"""2,000 submissions of 300 appeals at the same time, from three processes, to two servers.

`python -m tests.survive.crowd ADDRESS KEY SEED SUBMISSIONS APPEALS` is one of the processes: every
submission on a connection of its own, all of them open before the first byte.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

from tests.survive import calls
from tests.survive.clients import answer, request
from tests.survive.stand import CHECKOUT, SENDER, standing

APPEALS = 300
SHARES = (667, 667, 666)
AGAIN_SECONDS = 1.0
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


def run(*, keep: bool = False) -> dict[str, Any]:
    """Let the processes loose on a stand; return the figures."""
    servers = {"GATEWAY_SERVE_PROCESSES": "2", "GATEWAY_CONNECTIONS_PER_ADDRESS": "4000"}
    with standing(keep=keep, peers=False, **servers) as stand:
        with stand.store() as store:
            before = store.rows(DEADLOCKS)[0][0]
            given = _submitted(stand.address, stand.key)
            stored = dict(store.rows("SELECT external_id, receipt_number FROM appeal"))
            messages = store.rows("SELECT count(*) FROM message")[0][0]
            deadlocks = store.rows(DEADLOCKS)[0][0] - before
        answers = sum(n for counts in given.values() for n in counts.values())
        wrong = {
            "appeals": len(stored) - APPEALS,
            "messages": messages - APPEALS,
            "answers": answers - sum(SHARES),
            "receipts": sum(set(counts) != {stored.get(name)} for name, counts in given.items()),
            "deadlocks": deadlocks,
        }
        return {
            "submissions": answers,
            "stored": len(stored),
            "first_receipts": answers - len(stored),
            "deadlocks": deadlocks,
            "wrong": {name: n for name, n in wrong.items() if n},
        }


def _submitted(address: str, key: str) -> dict[str, Counter[str]]:
    """Return external id → receipt numbers that the processes were given."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.survive.crowd", address, key, str(n), str(share)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT,
        )
        for n, share in enumerate(SHARES)
    ]  # fmt: skip
    given: dict[str, Counter[str]] = {}
    for process in processes:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        out, _ = process.communicate()
        for name, numbers in json.loads(out).items():
            given.setdefault(name, Counter()).update(numbers)
    return given


class _Crowd:
    """The submissions of one process; begin is set when every connection is open."""

    def __init__(self, address: str, key: str, count: int) -> None:
        where = urlsplit(address)
        self._where = (where.hostname, where.port)
        self._credential = calls.basic(SENDER, key)
        self.ready = asyncio.Barrier(count + 1)
        self.begin = asyncio.Event()

    async def one(self, name: str, wire: str) -> str:
        """Submit over a connection of its own until acknowledged; return the receipt number."""
        reader, writer = await asyncio.open_connection(*self._where)
        await self.ready.wait()
        await self.begin.wait()
        bytes_ = request(calls.submit(wire, name), self._credential)
        while True:
            writer.write(bytes_)
            status, body = await answer(reader)
            if status in {200, 201}:
                writer.close()
                return calls.receipt(body).number
            if status != 503 and b"BusyFault" not in body:
                raise RuntimeError(body.decode())
            await asyncio.sleep(AGAIN_SECONDS)


async def _main(address: str, key: str, seed: str, count: int) -> dict[str, Counter[str]]:
    chance = random.Random(seed)
    names = [f"crowd-{n % APPEALS}" for n in range(count)]
    chance.shuffle(names)
    crowd = _Crowd(address, key, count)
    tasks = [asyncio.ensure_future(crowd.one(name, chance.choice(calls.WIRES))) for name in names]
    await crowd.ready.wait()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)
    crowd.begin.set()
    given: dict[str, Counter[str]] = {}
    for name, number in zip(names, await asyncio.gather(*tasks), strict=True):
        given.setdefault(name, Counter())[number] += 1
    return given


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(_main(*sys.argv[1:4], int(sys.argv[4])))) + "\n")
