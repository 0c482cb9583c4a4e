"""Reads instants of the command line."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final
from zoneinfo import ZoneInfo

from gateway.errors import ValidationError

_AGO: Final = re.compile(r"(\d{1,6})([mhd])")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}


def read(text: str, now: dt.datetime, zone: ZoneInfo) -> dt.datetime | None:
    """Return an instant; None for an empty text.

    Taken are `2h` (so long ago; m, h, d), a date (its first instant in the zone) and an ISO
    instant, which is in the zone when it names no offset. Raises ValidationError.
    """
    if not text:
        return None
    ago = _AGO.fullmatch(text)
    if ago:
        return now - dt.timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        instant = dt.datetime.fromisoformat(text)
    except ValueError as error:
        expected = "2h, 2026-11-21, 2026-11-21T09:00"
        raise ValidationError(f"not an instant: {text} ({expected})") from error
    return instant if instant.tzinfo else instant.replace(tzinfo=zone)
