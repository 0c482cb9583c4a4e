"""Look at an embedded PostgreSQL from outside, keep it up without users, and let it stop.

`gateway db start` leaves the file `hold`; the guard then holds the life lock itself until
`gateway db stop` removes the file. The wish outlives the guard: the next one honours it too.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

import msgspec

from gateway import limits
from gateway.embedded import locks, server
from gateway.embedded.layout import Layout
from gateway.errors import ConfigurationError

_POLL_SECONDS = 0.02


class ClusterStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What can be seen of an embedded PostgreSQL without asking it.

    `major` is the version that made the cluster, 0 when there is none. `users` are the pids that
    opened it, as far as the kernel tells; the guard is not among them. `held` tells whether it
    stays up without users, from `gateway db start` to `gateway db stop`.
    """

    data_dir: str
    exists: bool
    running: bool
    ready: bool
    held: bool
    major: int
    server_pid: int | None
    guard_pid: int | None
    users: tuple[int, ...]
    socket_dir: str
    log: str


def cluster_status(data_dir: Path) -> ClusterStatus:
    """Look at the embedded PostgreSQL of a directory; starts and changes nothing."""
    layout = Layout(data_dir)
    spec = layout.read_spec()
    found = server.read_postmaster(layout.pgdata)
    guard = guard_pid(layout)
    return ClusterStatus(
        data_dir=str(layout.root),
        exists=layout.pgdata.exists(),
        running=found is not None,
        ready=found is not None and found.ready,
        held=layout.hold.exists(),
        major=server.made_by(layout.pgdata),
        server_pid=found.pid if found else None,
        guard_pid=guard,
        users=users(layout),
        socket_dir=spec.socket_dir if spec else "",
        log=str(layout.log),
    )


def hold_cluster(data_dir: Path) -> None:
    """Keep an open server up after its last user has gone; call it while holding a Cluster.

    Raises:
        ConfigurationError: no guard took the wish.
    """
    layout = Layout(data_dir)
    layout.hold.touch(mode=0o600)
    signal_guard(layout)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if layout.held.read_text(encoding="ascii") == str(guard_pid(layout)):
                return
        time.sleep(_POLL_SECONDS)
    raise ConfigurationError(
        "the guard of the embedded PostgreSQL does not answer",
        where=str(layout.log),
        todo="read its log",
    )


def stop_cluster(data_dir: Path) -> ClusterStatus:
    """End what `hold_cluster` began, and wait until the server has stopped.

    A server that other processes use goes on running until they end: the status returned then
    names them in `users`, and `running` is true.
    """
    layout = Layout(data_dir)
    layout.hold.unlink(missing_ok=True)
    signal_guard(layout)
    wait_stopped(data_dir)
    return cluster_status(data_dir)


def wait_stopped(data_dir: Path) -> bool:
    """Wait until guard and server are gone; False at once when somebody still uses the server."""
    layout = Layout(data_dir)
    deadline = time.monotonic() + limits.EMBEDDED_STOP_SECONDS
    while not locks.is_free(layout.guard_lock):
        if users(layout) or time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def users(layout: Layout) -> tuple[int, ...]:
    """Pids that hold the life lock, without the guard."""
    guard = guard_pid(layout)
    return tuple(pid for pid in locks.sharers(layout.life_lock) if pid != guard)


def guard_pid(layout: Layout) -> int | None:
    """Pid of the running guard, None when there is none."""
    try:
        pid = int(layout.guard_pid.read_text(encoding="ascii"))
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if b"gateway.embedded.guard" in command else None


def signal_guard(layout: Layout) -> None:
    """Have the guard look at `hold` again."""
    pid = guard_pid(layout)
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGUSR1)
