"""Instants of WS-Security headers: reads and writes `xs:dateTime` with a zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from gateway import limits
from gateway.errors import SecurityError

AGE: Final = timedelta(seconds=limits.SECURITY_AGE_SECONDS)
SKEW: Final = timedelta(seconds=limits.SECURITY_SKEW_SECONDS)
_INSTANT: Final = re.compile(
    r"(2[01]\d\d-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,20}))?(Z|[+-]\d\d:\d\d)", re.ASCII
)


def write(instant: datetime) -> str:
    """Return the instant in UTC with milliseconds, as WCF and WSS4J write it."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{instant.microsecond // 1000:03d}Z"


def read(text: str, where: str) -> datetime:
    """Return an aware instant of the years 2000 to 2199; raise SecurityError.

    Fractions beyond microseconds are cut. An instant without a zone says nothing (WS-Security 1.1,
    section 10: it must be understood without knowing the sender's place).
    """
    found = _INSTANT.fullmatch(text) if len(text) <= limits.SECURITY_CHARS else None
    if found:
        fraction = (found[2] or "0")[:6].ljust(6, "0")
        zone = "+00:00" if found[3] == "Z" else found[3]
        try:
            return datetime.fromisoformat(f"{found[1]}.{fraction}{zone}")
        except ValueError:
            pass
    raise SecurityError(
        "not an instant with its zone",
        found=text,
        expected="2026-11-20T12:00:00Z",
        where=where,
    )


def check_created(created: datetime, now: datetime, where: str) -> None:
    """Raise SecurityError when a message is older than `AGE`, or from the future beyond `SKEW`."""
    if created > now + SKEW:
        raise SecurityError(
            "the message was made in the future",
            found=write(created),
            expected=f"at most {limits.SECURITY_SKEW_SECONDS} s after {write(now)}",
            where=where,
            todo="synchronise the clock of the sender",
        )
    if created + AGE + SKEW <= now:
        raise SecurityError(
            "the message is too old",
            "MessageExpired",
            found=write(created),
            expected=f"at most {limits.SECURITY_AGE_SECONDS} s before {write(now)}",
            where=where,
            todo="send it with a new Created, and synchronise the clock of the sender",
        )
