"""Working days: a production calendar with the days that decrees, regions and bodies moved."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path
from typing import Final, Protocol

import msgspec

from gateway.errors import ConfigurationError

FEDERAL: Final = Path(__file__).parent.parent / "policy" / "calendar-ru.toml"


class Calendar(Protocol):
    """Which days a body works, and whether anybody has confirmed it."""

    def is_working(self, day: dt.date) -> bool:
        """Whether the body works on the day."""
        ...

    def is_confirmed(self, day: dt.date) -> bool:
        """Whether the moves of that day's year are known for certain."""
        ...


class ProductionCalendar(msgspec.Struct, frozen=True, kw_only=True):
    """A five-day week with holidays and moved days.

    always: (month, day) of every year. off, work: single days that are off, or worked, against the
    rule; work wins. confirmed: years whose moves are known.
    """

    always: frozenset[tuple[int, int]] = frozenset()
    off: frozenset[dt.date] = frozenset()
    work: frozenset[dt.date] = frozenset()
    confirmed: frozenset[int] = frozenset()

    def is_working(self, day: dt.date) -> bool:
        """Whether the day is worked: moved days first, then holidays, then the week."""
        if day in self.work:
            return True
        if day in self.off or (day.month, day.day) in self.always:
            return False
        return day.weekday() < 5

    def is_confirmed(self, day: dt.date) -> bool:
        """Whether the year's moves are known; regional days do not make a year known."""
        return day.year in self.confirmed

    def with_days(
        self, *, off: frozenset[dt.date] = frozenset(), work: frozenset[dt.date] = frozenset()
    ) -> ProductionCalendar:
        """Return the calendar with a region's or a body's own days; the last word wins."""
        return msgspec.structs.replace(
            self, off=(self.off - work) | off, work=(self.work - off) | work
        )

    def working_days(self, year: int) -> int:
        """Count the working days of a year."""
        first = dt.date(year, 1, 1)
        length = (dt.date(year + 1, 1, 1) - first).days
        return sum(self.is_working(first + dt.timedelta(days=n)) for n in range(length))


class _Year(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    year: int
    confirmed: bool
    off: list[dt.date] = []
    work: list[dt.date] = []
    working_days: int | None = None


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    always: list[str] = []
    year: list[_Year] = []


def read_calendar(path: Path = FEDERAL) -> ProductionCalendar:
    """Read a calendar file; raise ConfigurationError naming file and year that are wrong.

    A year whose file tells the number of its working days must have just that many.
    """
    try:
        read = msgspec.convert(tomllib.loads(path.read_text("utf-8")), _File)
        always = frozenset(
            (day.month, day.day)
            for day in (dt.date.fromisoformat(f"2024-{text}") for text in read.always)
        )
    except (OSError, ValueError, msgspec.ValidationError) as error:
        raise ConfigurationError(
            "the calendar cannot be read", where=str(path), found=str(error)
        ) from error
    for entry in read.year:
        strays = [d for d in (*entry.off, *entry.work) if d.year != entry.year]
        if strays:
            raise ConfigurationError(
                "a day stands under another year",
                where=f"{path}: {entry.year}",
                found=str(strays[0]),
            )
    calendar = ProductionCalendar(
        always=always,
        off=frozenset(d for y in read.year for d in y.off),
        work=frozenset(d for y in read.year for d in y.work),
        confirmed=frozenset(y.year for y in read.year if y.confirmed),
    )
    for entry in read.year:
        counted = calendar.working_days(entry.year)
        if entry.working_days is not None and counted != entry.working_days:
            raise ConfigurationError(
                "the working days of the year do not add up",
                where=f"{path}: {entry.year}",
                found=str(counted),
                expected=str(entry.working_days),
            )
    return calendar
