"""Reads instants of the command line, and shows them in the zone of the house."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.errors import ConfigurationError, ValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.settings import Settings

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


def zone_of(settings: Settings) -> ZoneInfo:
    """Return the zone of the house; raise ConfigurationError when there is none of its name."""
    try:
        return ZoneInfo(settings.zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigurationError(
            "нет такого пояса · no such time zone",
            found=settings.zone,
            expected="Europe/Moscow",
            where="zone",
        ) from error


def shown(at: dt.datetime | None, zone: ZoneInfo) -> str:
    """Return an instant as a table for people shows it; its title says the zone."""
    return f"{at.astimezone(zone):%d.%m.%Y %H:%M:%S}" if at else ""


def titled(title: str, zone: ZoneInfo) -> str:
    """Return the title of a table with instants: it says in which zone they are."""
    return f"{title} ({zone.key})"


def local(values: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """Return values of one thing with its instants in the zone, offset beside them."""
    return {
        name: value.astimezone(zone).isoformat(" ", "seconds")
        if isinstance(value, dt.datetime)
        else value
        for name, value in values.items()
    }
