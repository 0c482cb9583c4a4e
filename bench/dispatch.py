"""`make bench-dispatch`: deliveries to a partner's web hook against a plain HTTP client loop.

Ours takes what is owed from its lanes, loads and encodes the appeals, writes every attempt down
before its first byte and every outcome after the last, and keeps the order within each lane. The
loop only posts the same bodies to the same receiver over as many connections.
"""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections import defaultdict
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec
import psycopg

from bench import machine
from bench.command import Plan, command, say
from bench.figures import Figure, Void, figure
from bench.limit import BATCH, Document
from bench.stand import ROOT, Database, free_port, stand, started
from gateway.model.peer import Peer
from gateway.store import lanes, peers
from gateway.store.accept import write_batch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from uuid import UUID

THREADS: Final = 4
"""Connections on both sides, the default of `gateway work`."""
IN_FLIGHT: Final = 256
"""Option of the peer's row: lanes that may be leased at once, so that a commit serves many of them.
With its default of 8 a commit serves two or three."""
LANES: Final = 600
PER_LANE: Final = 5
HOOK: Final = "hook"


class Talker:
    """A process that answers a line with a line."""

    def __init__(self, stack: ExitStack, module: str, *arguments: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, arguments)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        stack.callback(self._end)

    def ask(self, line: bytes) -> bytes:
        """Send a line and return the answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + b"\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise Void("a process of the bench ended")
        return answer

    def _end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


class Bench:
    """Both sides, the receiver, and the database."""

    def __init__(self, database: Database, port: int, sender: Talker, loop: Talker) -> None:
        self._database = database
        self._port = port
        self._sender = sender
        self._loop = loop
        self._appeals: list[UUID] = []

    def store(self, count: int) -> None:
        """Store appeals as accept does."""
        document = Document()
        with self._database.connect() as connection:
            for first in range(0, count, BATCH):
                batch = [
                    document.entry(f"d-{n:08d}", None)  # type: ignore[arg-type]
                    for n in range(first, min(first + BATCH, count))
                ]
                with connection.transaction():
                    write_batch(connection, batch)
                self._appeals += [e.message.appeal_id for e in batch if e.message.appeal_id]

    def ours(self, per_lane: int) -> tuple[float, list[tuple[str, bytes]]]:
        """Let the dispatcher send; return its rate and what it sent; Void when out of order."""
        ids = self._owe(per_lane)
        self._checkpoint()
        self._told()
        settled, seconds = msgspec.json.decode(self._sender.ask(b"go"), type=tuple[int, float])
        told = self._told()
        if not settled == len(ids) == len(told):
            raise Void(f"{len(ids)} owed, {settled} settled, {len(told)} arrived")
        self._check_rows(ids)
        check_order(told, ids)
        return len(ids) / seconds, self._bodies(told)

    def plain(self, bodies: Sequence[tuple[str, bytes]]) -> float:
        """Let the loop post the same; return its rate."""
        self._checkpoint()
        self._told()
        seconds = float(self._loop.ask(msgspec.json.encode(bodies)))
        if len(told := self._told()) != len(bodies):
            raise Void(f"{len(bodies)} posted, {len(told)} arrived")
        return len(bodies) / seconds

    def _owe(self, per_lane: int) -> dict[str, tuple[str, int]]:
        """Owe deliveries, one of each lane at a time; return key → (lane, place)."""
        rows = [
            lanes.NewDelivery(HOOK, str(appeal), appeal, 1, "Received")
            for _ in range(per_lane)
            for appeal in self._appeals
        ]
        with self._database.connect() as connection:
            with connection.transaction():
                ids = lanes.enqueue(connection, rows, datetime.now(UTC))
            found = connection.execute(
                "SELECT id, lane, seq FROM delivery WHERE id = ANY($1::uuid[])", (ids,)
            )
            return {str(key): (lane, seq) for key, lane, seq in found}

    def _check_rows(self, ids: dict[str, tuple[str, int]]) -> None:
        with self._database.connect() as connection:
            row = connection.execute(
                """SELECT count(*) FILTER (WHERE state = 'acknowledged' AND attempts = 1)
                   FROM delivery WHERE id = ANY($1::uuid[])""",
                (list(ids),),
            ).fetchone()
        if row is None or row[0] != len(ids):
            raise Void(f"{len(ids)} owed, {row} acknowledged at the first attempt")

    def _bodies(self, told: Sequence[str]) -> list[tuple[str, bytes]]:
        """Return the bytes that left, from the evidence, in the order of their arrival."""
        with self._database.connect() as connection:
            found = dict(
                connection.execute(
                    """SELECT delivery_id::text, request FROM attempt
                       WHERE delivery_id = ANY($1::uuid[])""",
                    (list(told),),
                ).fetchall()
            )
        return [(key, bytes(found[key])) for key in told]

    def _checkpoint(self) -> None:
        with psycopg.connect(self._database.admin_url, autocommit=True) as connection:
            connection.execute("CHECKPOINT")

    def _told(self) -> list[str]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/", timeout=30) as answer:
            return msgspec.json.decode(answer.read(), type=list[str])


def check_order(told: Sequence[str], ids: dict[str, tuple[str, int]]) -> None:
    """Raise Void unless every key came once, and each lane in the order of its places."""
    last: dict[str, int] = defaultdict(int)
    if len(set(told)) != len(told):
        raise Void("a delivery arrived twice")
    for key in told:
        lane, place = ids[key]
        if place <= last[lane]:
            raise Void(f"lane {lane}: {place} came after {last[lane]}")
        last[lane] = place


def measure(plan: Plan) -> list[Figure]:
    """Measure in pairs; the loop posts what ours has just sent."""
    with stand() as made, ExitStack() as stack:
        database = made.database("dispatch")
        port = free_port()
        stack.enter_context(
            started([sys.executable, "-m", "bench.peers.sink", str(port)], {}, port)
        )
        _add_hook(database, port, made.directory / "secret")
        detail: dict[str, object] = {
            "machine": machine.shape(made.directory, database.url),
            "connections": THREADS,
            "max_in_flight": IN_FLIGHT,
        }
        bench = Bench(
            database,
            port,
            Talker(stack, "bench.sender", database.url, THREADS, made.directory / "var"),
            Talker(stack, "bench.peers.loop", port, THREADS),
        )
        bench.store(LANES)
        samples = []
        for number in range(plan.pairs + 1):
            ours, bodies = bench.ours(int(plan.seconds(PER_LANE, 2)))
            plain = bench.plain(bodies)
            detail["bytes"] = sum(len(body) for _, body in bodies) // len(bodies)
            say(f"{f'pair {number}' if number else 'warm-up'}: {ours:.0f}/s, loop {plain:.0f}/s")
            samples.append((ours, plain, None))
    return [
        figure("dispatch", "deliveries/s", samples[1:], judged="peer", target=0.5, run=plan.run,
               detail=detail),
    ]  # fmt: skip


def _add_hook(database: Database, port: int, secret: Path) -> None:
    secret.write_bytes(b"a secret of the bench, not of a partner")
    options: dict[str, Any] = {
        "url": f"http://127.0.0.1:{port}/hook",
        "allow_private": ["127.0.0.1"],
        "max_in_flight": IN_FLIGHT,
        "secret_file": str(secret),
    }
    with database.connect() as connection:
        peers.add(
            connection,
            Peer(code=HOOK, adapter="webhook", disclosure="problem_only", options=options),
            datetime.now(UTC),
        )


if __name__ == "__main__":
    raise SystemExit(command([("dispatch", "deliveries/s", 0.5, measure)]))
