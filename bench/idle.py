"""`make bench-idle`: what `gateway run`, with its database, takes of a core while nothing happens.

Counted is the processor time (user and system, from /proc) of the command, everything it started
and every process of the embedded PostgreSQL, the guard included, over windows of some seconds
after it has settled. The figure is judged against 2 % of one core.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Final

from bench import machine
from bench.command import Plan, command, say
from bench.figures import Figure, Void, figure
from bench.stand import ROOT, free_port, ready
from gateway.embedded import wait_stopped

LIMIT_PERCENT: Final = 2.0
SETTLE_SECONDS: Final = 10.0


def measure(plan: Plan) -> list[Figure]:
    """Run the gateway, wait, and count."""
    with tempfile.TemporaryDirectory(
        prefix="gateway-bench-", dir=os.environ.get("BENCH_DIR", "/var/tmp")
    ) as name:
        directory = Path(name)
        directory.chmod(0o755)
        port = free_port()
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
            "GATEWAY_DATA_DIR": str(directory / "var"),
            "GATEWAY_PORT": str(port),
            "GATEWAY_PG_ALLOW_NOBODY": "true",
            "GATEWAY_LOG_LEVEL": "warning",
        }
        running = subprocess.Popen(
            [sys.executable, "-m", "gateway", "run"],
            cwd=directory, env=environment, stdout=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            ready(port, "/readyz", [running])
            return _measured(plan, running.pid, directory)
        finally:
            running.send_signal(signal.SIGTERM)
            running.wait(60)
            wait_stopped(directory / "var")


def _measured(plan: Plan, root: int, directory: Path) -> list[Figure]:
    time.sleep(plan.seconds(SETTLE_SECONDS, 5.0))
    seconds = plan.seconds(60.0 / plan.pairs, 5.0)
    samples = []
    by_process: dict[str, float] = defaultdict(float)
    for _ in range(plan.pairs):
        before = _times(root, directory)
        begun = time.monotonic()
        time.sleep(seconds)
        after = _times(root, directory)
        window = time.monotonic() - begun
        if not set(before) <= set(after):
            raise Void("a process ended while nothing happened")
        spent = {pid: after[pid] - before.get(pid, 0.0) for pid in after}
        for pid, used in spent.items():
            by_process[machine.name_of(pid)] += 100 * used / window / plan.pairs
        # The clock ticks in hundredths of a second: no ratio may be nought.
        percent = 100 * max(sum(spent.values()), 0.005) / window
        samples.append((percent, None, LIMIT_PERCENT))
    told = {name: round(used, 3) for name, used in sorted(by_process.items(), key=lambda i: -i[1])}
    for name, used in told.items():
        say(f"{used:6.3f} %  {name}")
    detail: dict[str, object] = {"processes": told, "seconds": round(seconds * plan.pairs)}
    return [
        figure("idle", "% of one core", samples, judged="limit", at_most=True, target=1.0,
               run=plan.run, detail=detail),
    ]  # fmt: skip


def _times(root: int, directory: Path) -> dict[int, float]:
    """Return processor time by pid, of the command's family and of the database's."""
    pids = set(machine.family(root)) | set(machine.working_in(directory))
    found = {}
    for pid in pids:
        try:
            found[pid] = machine.cpu_seconds(pid)
        except OSError:
            continue
    return found


if __name__ == "__main__":
    raise SystemExit(command([("idle", "% of one core", 1.0, measure)]))
