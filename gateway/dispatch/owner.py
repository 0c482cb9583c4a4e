"""The name under which a worker leases lanes, by which its neighbours can tell that it is dead.

A lease must outlast the send it covers, because a worker that is only cut off from the database may
still be sending. One whose process is gone is not: the kernel closed its connections. Whoever runs
on the same kernel, in the same space of process numbers, can see that without any doubt, and need
not wait for the lease.
"""

from __future__ import annotations

import os
import socket
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_START: Final = 19
"""Place of the start time in /proc/PID/stat, counted after the command's name (proc(5), 22)."""


def name() -> str:
    """Return the name of this process: host, process, its start, and the machine as it is up."""
    pid = os.getpid()
    return f"{socket.gethostname()}:{pid}:{_started(pid)}:{_machine()}"


def is_gone(owner: str) -> bool:
    """Whether the process that bears a name has surely ended; False when that cannot be told."""
    parts = owner.split(":")
    if len(parts) != 4 or not parts[1].isdecimal() or not parts[2] or parts[3] != _machine():
        return False
    pid = int(parts[1])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return _started(pid) not in ("", parts[2])  # the number may belong to a later process


def _started(pid: int) -> str:
    try:
        told = (_PROC / str(pid) / "stat").read_text("ascii", "replace")
    except OSError:
        return ""
    return told.rpartition(")")[2].split()[_START]


@cache
def _machine() -> str:
    """Tell one boot of one machine, and one space of process numbers, from all others."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text("ascii")
        space = (_PROC / "self/ns/pid").readlink()
    except OSError:
        return ""
    return sha256(f"{boot}{space}".encode()).hexdigest()[:8]
