"""`make bench-soap`: the SOAP engine against spyne, and its signatures against xmlsec.

soap-engine is in process: 2 KB SubmitAppeal with WS-Addressing headers and the whole schema, from
bytes to a decoded request and from a receipt to bytes. soap-http is over HTTP without a database:
our server with its limits, the access check and the engine, the better of one and two processes;
the peer under its best server; operations of both answer at once. soap-signature is what a
verified signature adds to the opening of a message.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from bench import load, machine, soap_signature
from bench.command import Plan, command, say
from bench.figures import Figure, Void, figure
from bench.peers import servers, soap_servers
from bench.soap_message import Calls
from bench.stand import ROOT, free_port, sharing, started
from gateway.access import keys

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from bench.peers.servers import Server
    from bench.stand import Served

PROCESSES: Final = (1, 2)


def engine(plan: Plan) -> list[Figure]:
    """Measure the engine against spyne's own WSGI call."""
    seconds = plan.seconds(3.0, 1.0)
    rates = _pairs(
        plan,
        {
            "ours": lambda: _alone("bench.soap_engine", seconds).rate,
            "peer": lambda: _alone("bench.peers.soap_spyne", seconds).rate,
        },
    )
    return [
        figure("soap-engine", "calls/s of processor time",
               [(each["ours"], each["peer"], None) for each in rates],
               judged="peer", target=8.0, run=plan.run, detail={"machine": _machine()}),
    ]  # fmt: skip


def http(plan: Plan) -> list[Figure]:
    """Measure over HTTP, against spyne and against a server that answers without looking."""
    servers.require()
    key = keys.mint().text
    drive = _Drive(key)
    with ExitStack() as stack:
        processes = drive.best_of_ours(plan)
        peer = drive.best_peer(plan, soap_servers.QUICK if plan.quick else soap_servers.ALL)
        port, bare = free_port(), free_port()
        ours = stack.enter_context(gateway(key, processes))
        stack.enter_context(soap_servers.run(peer, port))
        stack.enter_context(
            started([sys.executable, "-m", "bench.peers.sink", str(bare)], {}, bare)
        )
        rates = _pairs(
            plan,
            {
                "ours": lambda: drive(ours.port, plan.seconds(4.0, 1.5)),
                "peer": lambda: drive(port, plan.seconds(6.0, 2.0)),
                "limit": lambda: drive(bare, plan.seconds(2.0, 1.0)),
            },
        )
    detail: dict[str, object] = {
        "machine": _machine(),
        "connections": load.CONNECTIONS,
        "processes": processes,
        "peer": peer.name,
    }
    return [
        figure("soap-http", "calls/s", [(r["ours"], r["peer"], r["limit"]) for r in rates],
               judged="peer", target=5.0, run=plan.run, detail=detail),
    ]  # fmt: skip


def signature(plan: Plan) -> list[Figure]:
    """Measure what a verified signature adds, against xmlsec verifying it."""
    servers.require()
    seconds = plan.seconds(1.5, 0.5)
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as place:
        soap_signature.write(Path(place), datetime.now(UTC))

        def ours() -> float:
            told = _told("bench.soap_signature", place, seconds)
            opened = msgspec.json.decode(told, type=soap_signature.Opened)
            return (opened.signed - opened.plain) * 1e6

        def peer() -> float:
            return float(_told("bench.peers.soap_xmlsec", place, seconds)) * 1e6

        costs = _pairs(plan, {"ours": ours, "peer": peer})
    return [
        figure("soap-signature", "µs of processor time",
               [(each["ours"], each["peer"], None) for each in costs],
               judged="peer", at_most=True, target=1.6, run=plan.run,
               detail={"machine": _machine()}),
    ]  # fmt: skip


class _Drive:
    """wrk with submissions that differ in their external ids."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._drives = 0

    def __call__(self, port: int, seconds: float) -> float:
        """Return the rate of successes; raise Void when anything else came."""
        self._drives += 1
        prefix = f"s{self._drives:04d}-"
        return load.drive(port, key=self._key, prefix=prefix, seconds=seconds).rate

    def best_of_ours(self, plan: Plan) -> int:
        """Return the number of processes that takes most."""
        rates = {}
        for processes in PROCESSES:
            with gateway(self._key, processes) as served:
                self(served.port, 1.0)
                rates[processes] = self(served.port, plan.seconds(3.0, 1.5))
            say(f"ours with {processes}: {rates[processes]:.0f}/s")
        return max(rates, key=rates.__getitem__)

    def best_peer(self, plan: Plan, choice: Sequence[Server]) -> Server:
        """Return the server under which the peer takes most; one that fails is left out."""
        rates: dict[Server, float] = {}
        for each in choice:
            port = free_port()
            try:
                with soap_servers.run(each, port):
                    self(port, 1.0)
                    rates[each] = self(port, plan.seconds(3.0, 1.5))
            except Void as reason:
                say(f"peer on {each.name}: left out, {str(reason)[:200]}")
                continue
            say(f"peer on {each.name}: {rates[each]:.0f}/s")
        if not rates:
            raise Void("the peer ran on no server")
        return max(rates, key=rates.__getitem__)


def gateway(key: str, processes: int) -> AbstractContextManager[Served]:
    """Run so many of our servers on one socket, with nothing behind the SOAP application."""
    command_ = [sys.executable, "-m", "bench.soap_memory", "FD", key]
    return sharing(command_, {}, ROOT, processes)


def _alone(module: str, seconds: float) -> Calls:
    """Run one side of the engine in a process of its own."""
    return msgspec.json.decode(_told(module, seconds), type=Calls)


def _told(module: str, *arguments: object) -> bytes:
    """Run one side in a process of its own and return what it printed."""
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", module, *map(str, arguments)],
        check=False, capture_output=True, cwd=ROOT,
        env={"PATH": os.defpath, "PYTHONPATH": f"{ROOT}:{servers.SITE}"},
    )  # fmt: skip
    if ended.returncode != 0:
        raise Void(f"{module} failed: {ended.stderr[-400:].decode()}")
    return ended.stdout


def _pairs(plan: Plan, sides: dict[str, Callable[[], float]]) -> list[dict[str, float]]:
    """Measure the sides in turn, in alternating order; the first round is a warm-up."""
    rounds = []
    for number in range(plan.pairs + 1):
        steps = list(sides.items()) if number % 2 else list(reversed(sides.items()))
        seen = {name: step() for name, step in steps}
        told = ", ".join(f"{name} {seen[name]:.0f}" for name in sides)
        say(f"{f'pair {number}' if number else 'warm-up'}: {told}")
        rounds.append(seen)
    return rounds[1:]


def _machine() -> dict[str, object]:
    return machine.bare_shape(Path(tempfile.gettempdir()))


if __name__ == "__main__":
    raise SystemExit(
        command(
            [
                ("soap-engine", "calls/s of processor time", 8.0, engine),
                ("soap-http", "calls/s", 5.0, http),
                ("soap-signature", "µs of processor time", 1.6, signature),
            ]
        )
    )
