"""`make bench-accept`: durable acceptance over SOAP against spyne with an ORM, and its limit.

Ours is `gateway serve` with access checks, full XSD validation and unique keys, in the better of
one and two processes. The peer is bench.peers.spyne_orm under its best server, the limit is
bench.limit. All three write the same rows, in one PostgreSQL with fsync, into databases of their
own that are emptied before every measurement; the client is on the same cores.
"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import psycopg

from bench import load, machine
from bench.command import Plan, command, say
from bench.figures import Figure, Void, figure
from bench.limit import Written
from bench.peers import servers
from bench.stand import ROOT, free_port, gateway_serve, stand

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.peers.servers import Server
    from bench.stand import Database, Served, Stand

SLOW: Final[Mapping[str, str]] = {"commit_delay": "5000", "commit_siblings": "0"}
"""A disk that acknowledges a flush after 5 ms, as PostgreSQL sees it."""
SLOW_COMMIT_SECONDS: Final = 0.005
PROCESSES: Final = (1, 2)
MEMORY_MB: Final = 150.0


class Round(NamedTuple):
    """What one round saw of each side."""

    ours: load.Seen
    peer: load.Seen
    limit: Written | None


class Bench:
    """The three sides on one stand."""

    def __init__(self, made: Stand, plan: Plan) -> None:
        self.plan = plan
        self.stand = made
        self.databases = {name: made.database(name) for name in ("ours", "peer", "limit")}
        self._drives = 0

    def drive(self, database: Database, port: int, seconds: float) -> load.Seen:
        """Measure a server that writes into a database; raise Void when rows and answers differ."""
        self._drives += 1
        database.prepare()
        seen = load.drive(port, key=database.key, prefix=f"b{self._drives:04d}-", seconds=seconds)
        database.require_rows(seen.answers)
        return seen

    def limit(self, seconds: float) -> Written:
        """Measure the limit."""
        database = self.databases["limit"]
        database.prepare()
        command = [sys.executable, "-m", "bench.limit", database.url, str(seconds), "limit-"]
        ended = subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
        written = msgspec.json.decode(ended.stdout, type=Written)
        database.require_rows(written.appeals)
        return written

    def best_of_ours(self) -> int:
        """Return the number of processes that takes most."""
        rates = {}
        for processes in PROCESSES:
            with self.ours(processes) as served:
                self.drive(self.databases["ours"], served.port, 1.0)
                seen = self.drive(self.databases["ours"], served.port, self.plan.seconds(3.0, 1.5))
            rates[processes] = seen.rate
            say(f"ours with {processes}: {seen.rate:.0f}/s")
        return max(rates, key=rates.__getitem__)

    def ours(self, processes: int):  # noqa: ANN201 - a context of Served
        """Run `gateway serve`."""
        return gateway_serve(self.databases["ours"], self.stand.directory, processes)

    def best_peer(self, choice: Sequence[Server]) -> Server:
        """Return the server under which the peer takes most; one that fails is left out."""
        rates: dict[Server, float] = {}
        for each in choice:
            port = free_port()
            try:
                with each.run(self.databases["peer"], port):
                    self.drive(self.databases["peer"], port, 1.0)
                    seen = self.drive(self.databases["peer"], port, self.plan.seconds(4.0, 2.0))
            except Void as reason:
                say(f"peer on {each.name}: left out, {str(reason)[:200]}")
                continue
            rates[each] = seen.rate
            say(f"peer on {each.name}: {seen.rate:.0f}/s")
        if not rates:
            raise Void("the peer ran on no server")
        return max(rates, key=rates.__getitem__)

    def rounds(self, ours: Served, peer: int, *, with_limit: bool) -> list[Round]:
        """Measure the sides in turn, in alternating order; the first round is a warm-up."""
        rounds = []
        for number in range(self.plan.pairs + 1):
            steps: list[tuple[str, Callable[[], object]]] = [
                ("ours", lambda: self.drive(
                    self.databases["ours"], ours.port, self.plan.seconds(5.0, 2.0))),
                ("peer", lambda: self.drive(
                    self.databases["peer"], peer, self.plan.seconds(8.0, 2.0))),
            ]  # fmt: skip
            if with_limit:
                steps.append(("limit", lambda: self.limit(self.plan.seconds(4.0, 1.0))))
            seen = {name: step() for name, step in (steps if number % 2 else reversed(steps))}
            rounds.append(Round(seen["ours"], seen["peer"], seen.get("limit")))  # type: ignore[arg-type]
            say(_told(number, rounds[-1]))
        return rounds[1:]


def fast_disk(plan: Plan) -> list[Figure]:
    """Measure against the peer and the limit on this machine's disk."""
    servers.require()
    with stand() as made, ExitStack() as stack:
        bench = Bench(made, plan)
        detail: dict[str, object] = {
            "machine": machine.shape(made.directory, bench.databases["ours"].url),
            "connections": load.CONNECTIONS,
        }
        ours, _peer, rounds = _measured(
            bench, stack, servers.QUICK if plan.quick else servers.FAST_DISK, detail, limit=True
        )
        memory = [max(machine.peak_mb(pid) for pid in ours.pids)] * len(rounds)
    rates = [(r.ours.rate, r.peer.rate, r.limit.rate) for r in rounds if r.limit]
    return [
        figure("accept", "appeals/s", rates, judged="peer", target=10.0, run=plan.run,
               detail=detail),
        figure("accept-limit", "appeals/s", rates, judged="limit", target=0.40, run=plan.run,
               detail=detail),
        figure("accept-p99", "ms, limit is the median",
               [(r.ours.p99 / 1e3, r.peer.p99 / 1e3, r.ours.p50 / 1e3) for r in rounds],
               judged="limit", at_most=True, target=3.0, run=plan.run, detail=detail),
        figure("accept-memory", "MB, peak of the larger process",
               [(mb, None, MEMORY_MB) for mb in memory],
               judged="limit", at_most=True, target=1.0, run=plan.run, detail=detail),
    ]  # fmt: skip


def slow_disk(plan: Plan) -> list[Figure]:
    """Measure against the peer on a disk that takes 5 ms for a flush."""
    servers.require()
    with stand(SLOW) as made, ExitStack() as stack:
        bench = Bench(made, plan)
        alone = lone_commit_seconds(bench.databases["ours"].admin_url)
        say(f"a lone commit takes {alone * 1e3:.2f} ms")
        if alone < SLOW_COMMIT_SECONDS:
            raise Void(f"a lone commit takes {alone * 1e3:.2f} ms: the disk is not slow")
        detail: dict[str, object] = {
            "machine": machine.shape(made.directory, bench.databases["ours"].url),
            "connections": load.CONNECTIONS,
            "lone_commit_ms": round(alone * 1e3, 2),
        }
        _, _, rounds = _measured(
            bench, stack, servers.QUICK if plan.quick else servers.SLOW_DISK, detail, limit=False
        )
    rates = [(r.ours.rate, r.peer.rate, None) for r in rounds]
    return [
        figure("accept-slow-disk", "appeals/s", rates, judged="peer", target=8.0, run=plan.run,
               detail=detail),
    ]  # fmt: skip


def _measured(
    bench: Bench, stack: ExitStack, choice: Sequence[Server], detail: dict[str, object], *,
    limit: bool,
) -> tuple[Served, Server, list[Round]]:  # fmt: skip
    processes = bench.best_of_ours()
    peer = bench.best_peer(choice)
    detail |= {"processes": processes, "peer": peer.name}
    port = free_port()
    ours = stack.enter_context(bench.ours(processes))
    stack.enter_context(peer.run(bench.databases["peer"], port))
    return ours, peer, bench.rounds(ours, port, with_limit=limit)


def lone_commit_seconds(url: str, times: int = 30) -> float:
    """Return the median time of a transaction of one row while nobody else writes."""
    taken = []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS lone (n int)")
        for _ in range(times):
            begun = time.perf_counter()
            connection.execute("INSERT INTO lone VALUES (1)")
            taken.append(time.perf_counter() - begun)
        connection.execute("DROP TABLE lone")
    return sorted(taken)[times // 2]


def _told(number: int, seen: Round) -> str:
    limit = f", limit {seen.limit.rate:.0f}/s" if seen.limit else ""
    name = f"pair {number}" if number else "warm-up"
    return (
        f"{name}: ours {seen.ours.rate:.0f}/s (p50 {seen.ours.p50 / 1e3:.1f}, "
        f"p99 {seen.ours.p99 / 1e3:.1f} ms), peer {seen.peer.rate:.0f}/s{limit}"
    )


if __name__ == "__main__":
    raise SystemExit(
        command(
            [
                ("accept", "appeals/s", 10.0, fast_disk),
                ("accept-slow-disk", "appeals/s", 8.0, slow_disk),
            ]
        )
    )
