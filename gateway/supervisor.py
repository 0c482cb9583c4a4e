"""Starts the processes of `gateway run`, starts one again that died, stops all in order.

One program, two kinds of process (design §1). The parent binds the port and hands the socket to
every `serve`, so that a restart loses no connection that waits, and port 0 gives one address.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Sequence

log = structlog.get_logger(__name__)

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)

CALM_SECONDS = 30.0
"""A process that lived so long failed anew; its pause begins at the shortest again."""
STOP_SECONDS = 30.0


class Child:
    """One supervised process."""

    def __init__(self, name: str, arguments: Sequence[str], fds: Sequence[int]) -> None:
        self.name = name
        self._arguments = [sys.executable, "-m", "gateway", *arguments]
        self._fds = tuple(fds)
        self.process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._pause = 0.5
        self._again_at = 0.0

    def start(self) -> None:
        """Start the process."""
        supervisor = os.getpid()

        def end_with_supervisor() -> None:
            """A killed supervisor leaves nobody behind that holds the port of the next one."""
            _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
            if os.getppid() != supervisor:
                os._exit(1)

        self.process = subprocess.Popen(  # noqa: S603 - this program
            self._arguments,
            pass_fds=self._fds,
            preexec_fn=end_with_supervisor,  # noqa: PLW1509 - the other thread sleeps in flock
        )
        self._started = time.monotonic()
        log.info("supervisor.started", child=self.name, pid=self.process.pid)

    def look(self) -> None:
        """Start the process again when it ended, slower each time it dies young."""
        if self.process is not None and self.process.poll() is not None:
            lived = time.monotonic() - self._started
            self._pause = 0.5 if lived > CALM_SECONDS else min(self._pause * 2, 15.0)
            # One that ended in order was asked to, by SIGTERM, or by Ctrl-C together with us.
            in_order = self.process.returncode in (0, -signal.SIGTERM)
            (log.info if in_order else log.error)(
                "supervisor.died",
                child=self.name,
                code=self.process.returncode,
                lived=round(lived, 1),
            )
            self.process = None
            self._again_at = time.monotonic() + self._pause
        elif self.process is None and time.monotonic() >= self._again_at:
            self.start()

    def stop(self) -> None:
        """Ask the process to end."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def wait(self, deadline: float) -> None:
        """Wait until the deadline, then end the process."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("supervisor.killed", child=self.name)
            self.process.kill()
            self.process.wait()


def supervise(children: Sequence[Child]) -> None:
    """Run until SIGTERM or SIGINT."""
    stopping = False

    def stop(_number: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    for child in children:
        child.start()
    while not stopping:
        time.sleep(0.5)
        for child in children:
            child.look()
    for child in children:
        child.stop()
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        child.wait(deadline)
