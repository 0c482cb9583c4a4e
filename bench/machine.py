"""The machine that a figure was taken on, and whether it was quiet."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterable

QUIET_LOAD: Final = 0.5
"""Runnable processes, on the average of a minute, that a quiet machine has before we begin."""
SETTLE_SECONDS: Final = 240.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")


def shape(directory: Path, url: str) -> dict[str, object]:
    """Return cores, memory, processor, disk and versions, PostgreSQL's among them."""
    with psycopg.connect(url) as connection:
        version = connection.execute("SHOW server_version").fetchone()
    return {
        **bare_shape(directory),
        "postgresql": version[0] if version else "",
    }


def bare_shape(directory: Path) -> dict[str, object]:
    """Return cores, memory, processor, disk and versions."""
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "processor": _processor(),
        "fsync_us": round(fsync_seconds(directory) * 1e6),
        "python": platform.python_version(),
        "kernel": platform.release(),
    }


def fsync_seconds(directory: Path, times: int = 200) -> float:
    """Return the median time of an 8 KB write and fdatasync in a directory."""
    path = directory / "fsync.probe"
    taken = []
    with path.open("wb", buffering=0) as file:
        for _ in range(times):
            file.seek(0)
            file.write(os.urandom(8192))
            begun = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - begun)
    path.unlink()
    return median(taken)


def settle() -> None:
    """Wait until the load of what we measured before is over, at most some minutes."""
    until = time.monotonic() + SETTLE_SECONDS
    while busy() and time.monotonic() < until:
        time.sleep(5)


def busy() -> str:
    """Say how busy the machine is, empty when it is quiet."""
    load = os.getloadavg()[0]
    return f"load {load:.2f} before the run" if load > QUIET_LOAD else ""


def peak_mb(pid: int) -> float:
    """Return the most resident memory a process has had, in megabytes (10^6 bytes)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise ProcessLookupError(pid)


def cpu_seconds(pid: int) -> float:
    """Return the processor time a process has used, user and system."""
    text = Path(f"/proc/{pid}/stat").read_text()
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def name_of(pid: int) -> str:
    """Return the command line of a process, shortened."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().split()
    return " ".join(Path(word).name if word.startswith("/") else word for word in words)[:80]


def family(root: int) -> list[int]:
    """Return a process and everything below it."""
    parents = dict(_parents())
    found = [root]
    for pid in found:
        found.extend(child for child, parent in parents.items() if parent == pid)
    return found


def working_in(directory: Path) -> Iterable[int]:
    """Yield the processes whose working directory or arguments lie below a directory."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace")
            place = str((entry / "cwd").readlink())
        except OSError:
            continue
        if place.startswith(str(directory)) or str(directory) in words:
            yield int(entry.name)


def _parents() -> Iterable[tuple[int, int]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "stat").read_text()
            except OSError:
                continue
            yield int(entry.name), int(text.rpartition(")")[2].split()[1])


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def counted(connection: psycopg.Connection[Any], tables: Iterable[str]) -> dict[str, int]:
    """Return how many rows each table has."""
    found = {}
    for table in tables:
        row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
        found[table] = row[0] if row else 0
    return found
