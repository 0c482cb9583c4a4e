"""Values that every entity is made of: codes, calendar days, instants, references, extras.

Three times (rule 3 of the model): `occurred_at` is when it happened, by the peer's word, and may
be known only as a day; `reported_at` is when the peer's message said so; `recorded_at` is ours.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from typing import Annotated, Any, Final

import msgspec

from gateway.errors import ValidationError, Violation

Day = dt.date
"""A calendar date, `YYYY-MM-DD` on every wire; never midnight of some zone (see `day`)."""

Moment = Annotated[dt.datetime, msgspec.Meta(tz=True)]
"""An instant: a datetime that knows its offset (see `moment`)."""

FIRST_YEAR: Final = 1850
LAST_YEAR: Final = 2199
"""The years an appeal can speak of, births and terms included. Calendars and offsets beyond the
years 1 and 9999 overflow, and no peer means them."""

NIL: Final = uuid.UUID(int=0)
"""The id of what has none yet: decoders are pure, the gateway gives ids when it accepts."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class Entity(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    gc=False,
):
    """Base of every entity: immutable, named fields only, absent fields stay off the wire.

    `gc=False` is safe: values are built bottom-up from immutable parts, so no cycle can form.
    Defaults are compared by identity when omitted, therefore a string defaults only to `""` and a
    number only to None or a small integer.
    """


class Fact(Entity, frozen=True, kw_only=True):
    """Base of what somebody says has happened; carries the three times.

    Where only a calendar date is known, the entity's own `Day` field holds it and `occurred_at`
    stays None.
    """

    occurred_at: Moment | None = None
    reported_at: Moment | None = None
    recorded_at: Moment | None = None


class Code(Entity, frozen=True, kw_only=True):
    """A coded value in the system that defines it, as that system spells it.

    system: short name of the code list (`sstu.status`, `nsi.220`, `gateway.delivery`); version: of
    the list, empty when unversioned. A misspelt code of a peer (`Assesment`) is kept misspelt.
    """

    system: str
    value: str
    label: str = ""
    version: str = ""


class Extra(Entity, frozen=True, kw_only=True):
    """One thing a decoder did not map, kept verbatim so that the same format gets it back.

    path: place within the peer's document below the owning entity (JSON Pointer, XPath or column
    name, as the codec likes); value: text, or any JSON value.
    """

    peer: str
    path: str
    value: Any = None


class ExternalRef(Entity, frozen=True, kw_only=True):
    """A number or identifier that somebody else gave.

    kind: `urog_number`, `requestId`, `uid`, `guid`, `importId`, `AppealNumber`, … value: verbatim;
    value_key: `gateway.model.fold.number_key(value)`; first_seen: when we first read it.
    """

    peer: str
    kind: str
    value: str
    value_key: str = ""
    first_seen: Moment | None = None


def day(value: object, path: str = "") -> Day:
    """Return the calendar date in `value`: a date, or text exactly `YYYY-MM-DD`.

    Raises ValidationError for a datetime, for text with a time or zone, and for no such day: a
    date that passed through midnight UTC comes out a day early in the east of the country.
    """
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return dt.date.fromisoformat(value)
        except ValueError as error:
            raise _refused("no such calendar day", path, "date", value, "YYYY-MM-DD") from error
    raise _refused("not a calendar date", path, "date", value, "YYYY-MM-DD")


def moment(value: object, path: str = "") -> dt.datetime:
    """Return the instant in `value`: an aware datetime, or ISO 8601 text with an offset.

    Raises ValidationError for a datetime or text without offset, and for anything else.
    """
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value)
        except ValueError as error:
            raise _refused("not an instant", path, "date_time", value, "ISO 8601") from error
    if isinstance(value, dt.datetime) and value.utcoffset() is not None:
        return value
    raise _refused("an instant needs its offset", path, "date_time", value, "…+03:00 or …Z")


def in_utc(value: dt.datetime, path: str = "") -> dt.datetime:
    """Return an aware instant in UTC; raise ValidationError for one of no year that we count."""
    _counted(value, path)
    return value.astimezone(dt.UTC)


def only_days(*values: dt.date | None) -> None:
    """Refuse a datetime where a `Day` belongs; for `__post_init__` of entities with such fields."""
    for value in values:
        if value is None:
            continue
        if isinstance(value, dt.datetime):
            raise _refused("a datetime where a calendar date belongs", "", "date", value, "date")
        _counted(value)


def only_moments(*values: dt.datetime | None) -> None:
    """Refuse a naive datetime where a `Moment` belongs; for `__post_init__`."""
    for value in values:
        if value is None:
            continue
        if value.tzinfo is None:
            raise _refused("an instant needs its offset", "", "date_time", value, "aware datetime")
        _counted(value)


def _counted(value: dt.date, path: str = "") -> None:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        years = f"a year from {FIRST_YEAR} to {LAST_YEAR}"
        raise _refused("no year that an appeal can speak of", path, "range", value, years)


def _refused(message: str, path: str, code: str, found: object, expected: str) -> ValidationError:
    return ValidationError(message, (Violation(path, code, message, str(found)[:200], expected),))
