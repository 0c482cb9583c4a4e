"""The refresh by schedule: a process of its own in the hours that the options name.

A load parses for minutes and would hold up what else the worker does, so it is
`gateway fias refresh --commit` in a process; the leader starts it, waits for it, and ends it when
it is told to stop itself. Off unless `fias` is among the adapters and `hours` are named.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import structlog

from adapters.fias import options as options_of
from adapters.fias import state
from gateway import registry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.fias.options import Options
    from gateway.jobs import Job, Surroundings
    from gateway.settings import Settings

log = structlog.get_logger(__name__)

ADAPTER: Final = "fias"
TICK_SECONDS: Final = 300.0
"""How often the clock is looked at; a refresh begins at most so long after its hour did."""
COMMAND: Final = (sys.executable, "-m", "gateway", "fias", "refresh", "--commit")
_STOP_SECONDS: Final = 10.0
_WATCH_SECONDS: Final = 0.2
_TOLD_BYTES: Final = 2_000


def configured(settings: Settings) -> Options | None:
    """Return the options, None where the adapter is not switched on; raise ConfigurationError."""
    if ADAPTER not in settings.adapters:
        return None
    adapter = registry.load((ADAPTER,))[ADAPTER]
    return options_of.read(registry.options(adapter, settings.adapter_options))


def last(settings: Settings) -> state.State | None:
    """Return how the last refresh ended, None when there was none; raise ConfigurationError."""
    adapter = registry.load((ADAPTER,))[ADAPTER]
    found = options_of.read(registry.options(adapter, settings.adapter_options))
    return state.read(found.folder(settings.data_dir))


def job(around: Surroundings, command: Sequence[str] = COMMAND) -> Job | None:
    """Return what the leader does for the register, None where nothing is to be done by schedule.

    command: what refreshes, and notes how it ended. Raises ConfigurationError for options that do
    not fit.
    """
    from gateway.jobs import Job

    found = configured(around.settings)
    if found is None or not found.hours or not found.address:
        return None
    folder = found.folder(around.settings.data_dir)
    zone = ZoneInfo(around.settings.zone)

    def run() -> None:
        begun = around.now()
        if not state.due(state.read(folder), found.hours, begun, zone):
            return
        log.info("fias.refresh_begun")
        code, told = _watched([*command, *(["--full"] if found.full else [])], around)
        after = state.read(folder)
        if code is None:
            log.info("fias.refresh_stopped")
        elif after is None or after.at < begun - timedelta(seconds=1):
            # It ended before it could note anything: the database away, no memory left.
            state.note(folder, around.now(), error=told or f"exit {code}")
            log.error("fias.refresh_failed", code=code, error=told)
        elif after.error:
            log.error("fias.refresh_failed", failures=after.failures, error=after.error)
        else:
            log.info("fias.refreshed", version=after.version)

    return Job("fias", TICK_SECONDS, run)


def _watched(command: list[str], around: Surroundings) -> tuple[int | None, str]:
    """Run a command; return its exit code, None when it was ended with us, and its last words."""
    with tempfile.TemporaryFile() as errors:
        process: subprocess.Popen[Any] = subprocess.Popen(  # noqa: S603 - this program
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        try:
            while process.poll() is None:
                if around.stop.wait(_WATCH_SECONDS):
                    return None, ""
        finally:
            _end(process)
        size = errors.seek(0, 2)
        errors.seek(max(0, size - _TOLD_BYTES))
        lines = errors.read().decode("utf-8", "replace").strip().splitlines()
    return process.returncode, lines[-1] if lines else ""


def _end(process: subprocess.Popen[Any]) -> None:
    """End a command that still runs: what it was loading is rolled back."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
