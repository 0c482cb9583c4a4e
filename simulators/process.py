"""Starts a simulator as a process of its own, for tests, the demo and the stand."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import ProxyHandler, Request, build_opener

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
_WAIT_SECONDS = 10.0
_CONTROL_SECONDS = 300.0
"""A command may be to poll thousands of items of a gateway."""


class Running:
    """A simulator that runs: `address`, and what else its first JSON line says in `facts`."""

    def __init__(self, process: subprocess.Popen[bytes], facts: dict[str, Any]) -> None:
        self.process = process
        self.facts = facts
        self.address: str = facts["address"]
        self._open = build_opener(ProxyHandler({})).open

    def control(self, **command: Any) -> dict[str, Any]:
        """Send a command to the control address; raise HTTPError when it is not understood."""
        body = json.dumps(command, ensure_ascii=False).encode()
        request = Request(f"{self.address}/_control", data=body, method="POST")  # noqa: S310
        with self._open(request, timeout=_CONTROL_SECONDS) as answer:
            result: dict[str, Any] = json.load(answer)
        return result

    def plan(self, kind: str, **more: Any) -> None:
        """Plan one failure (`simulators.faults.Fault`)."""
        self.control(fault={"kind": kind, **more})

    def holds(self) -> list[dict[str, Any]]:
        """What it holds."""
        items: list[dict[str, Any]] = self.control(holds=True)["items"]
        return items

    def stop(self) -> None:
        """End the process, by force when it does not go."""
        self.process.terminate()
        try:
            self.process.wait(_WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()


@contextmanager
def running(name: str, *arguments: str) -> Iterator[Running]:
    """Run `python -m simulators.<name>` with these arguments until the block ends.

    Raises RuntimeError when it ends before it has told its address.
    """
    simulator = start(name, *arguments)
    try:
        yield simulator
    finally:
        simulator.stop()


def start(name: str, *arguments: str) -> Running:
    """Start a simulator and wait for its address; the caller stops it."""
    process = subprocess.Popen(  # noqa: S603 - our own module, no shell
        [sys.executable, "-m", f"simulators.{name}", *arguments],
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdout
    for line in process.stdout:
        if line.startswith(b"{"):
            return Running(process, json.loads(line))
    process.wait()
    process.stdout.close()
    raise RuntimeError(f"the simulator {name} ended with {process.returncode} before it started")
