"""Records who read personal data in full, and why the gateway let them.

A record is a line of JSON appended to `audit.jsonl` in the data directory and made durable before
anything is shown; the same line goes to the log. A reading that cannot be recorded does not happen.
"""

from __future__ import annotations

import os
from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec
import structlog

from gateway.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

log = structlog.get_logger(__name__)

NAME: Final = "audit.jsonl"


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One reading in full. what: of the command; subject: a receipt number or a message's id."""

    at: datetime
    who: str
    what: str
    subject: str
    ground: str = ""


def record(directory: Path, reading: Reading) -> None:
    """Append a reading durably; raise ConfigurationError when that is not possible."""
    line = msgspec.json.encode(reading) + b"\n"
    path = directory / NAME
    try:
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise ConfigurationError(
            "a reading in full must be recorded, and cannot be",
            where=str(path),
            found=str(error.strerror),
            todo="run the command as the gateway's account",
        ) from error
    log.info(
        "audit.read", who=reading.who, what=reading.what, appeal=reading.subject,
        ground=reading.ground,
    )  # fmt: skip
