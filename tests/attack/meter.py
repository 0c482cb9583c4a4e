"""Processor time and memory of the serving processes, from /proc."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Meter:
    """Looks at processes. cpu: of all together; memory: of the one that has most."""

    def __init__(self, pids: Sequence[int]) -> None:
        # The clock of a process, as clock_getcpuclockid(3) makes it.
        self._clocks = [(~pid << 3) | 2 for pid in pids]
        self._places = [Path(f"/proc/{pid}") for pid in pids]
        self._before = {place: _kb(place, "VmRSS") for place in self._places}

    def cpu(self) -> float:
        """Seconds of processor time so far, user and system, of threads that have ended too."""
        return sum(time.clock_gettime(clock) for clock in self._clocks)

    def forget_peak(self) -> None:
        """Let the peak of memory begin anew at what is resident now (proc(5), clear_refs)."""
        for place in self._places:
            (place / "clear_refs").write_text("5")
        self._before = {place: _kb(place, "VmRSS") for place in self._places}

    def growth_mb(self) -> float:
        """Megabytes (10^6) by which the peak stands above what was resident before."""
        grown = (_kb(place, "VmHWM") - self._before[place] for place in self._places)
        return max(grown) * 1024 / 1e6

    def resident_mb(self) -> float:
        """Megabytes that are resident now."""
        return max(_kb(place, "VmRSS") for place in self._places) * 1024 / 1e6


def _kb(place: Path, name: str) -> int:
    for line in (place / "status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise ProcessLookupError(str(place))
