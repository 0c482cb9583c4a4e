"""Instants of a façade: xs:dateTime may come without its offset, and spyne would invent UTC then.

.NET writes none for a DateTime of `Kind=Unspecified`, which is what a form and a database give. The
day of receipt decides terms of law, so an instant is taken in the zone that the façade's author
names, or refused; it is never guessed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timezone
from typing import TYPE_CHECKING, Final, cast
from zoneinfo import ZoneInfo

from gateway.contracts_errors import path_of
from gateway.errors import ConfigurationError, InternalError, ValidationError, Violation

if TYPE_CHECKING:
    from datetime import tzinfo

    from lxml.etree import _Element

MISSING: Final = "смещения от UTC нет · the offset from UTC is missing"
EXPECTED: Final = "2026-11-20T09:00:00+04:00, 2026-11-20T05:00:00Z"
REMEDY: Final = (
    "send the offset (.NET: DateTimeOffset, or DateTime of Kind Local or Utc), or let the façade's"
    ' author name the zone: Facade(…, zone="Europe/Samara")'
)


class OffsetMissingError(ValueError):
    """An instant has no offset, and no zone is named for those. element: where it stands."""

    element: _Element

    def refusal(self, body: _Element) -> ValidationError:
        """Return what the sender is told."""
        where, line = path_of(self.element, body), cast("int | None", self.element.sourceline)
        violation = Violation(where, "date_time", MISSING, str(self)[:200], EXPECTED, line or 0)
        return ValidationError(MISSING, (violation,), todo=REMEDY)


def zone_of(name: str, facade: str) -> tzinfo | None:
    """Return the zone of an IANA name, None for an empty one; raise ConfigurationError."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, LookupError, OSError) as error:
        raise ConfigurationError(
            f"нет такого часового пояса · no such time zone (façade {facade})",
            found=name,
            expected="an IANA name: Europe/Moscow",
            where="Facade(zone=…)",
            todo="mend the name; when the system has no zones: pip install tzdata",
        ) from error


def read(text: str, zone: tzinfo | None) -> datetime:
    """Return an instant, always with an offset; raise ValueError.

    zone: for what comes without one. Of an hour that a clock showed twice the first is meant.
    """
    value = datetime.fromisoformat(text.strip())
    if value.tzinfo is not None:
        return value
    offset = zone.utcoffset(value) if zone is not None else None
    if offset is None:
        raise OffsetMissingError(text)
    return value.replace(tzinfo=timezone(offset))


def write(value: datetime, zone: tzinfo | None) -> str:
    """Return an instant as an answer carries it, with its offset; raise InternalError."""
    offset = value.utcoffset()
    if offset is None:
        if zone is None:
            text = "an instant without offset reached an answer of a façade"
            raise InternalError(text, todo="return an aware datetime, or name Facade(zone=…)")
        return write(value.replace(tzinfo=zone), None)
    if offset.seconds % 60:  # xs:dateTime has no seconds in an offset
        value = value.astimezone(UTC)
    return value.isoformat()
