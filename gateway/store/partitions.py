"""Months as ranges of uuid7 keys.

A uuid7 begins with 48 bits of Unix milliseconds (RFC 9562 §5.7), so a month is a range of keys and
the unique key of a partitioned table may be the id alone. Every partitioned table also has a
`_default` partition: a clock set years ahead costs order, never an appeal.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Iterator

PARTITIONED = ("message", "appeal", "question", "event", "content", "delivery", "attempt")
"""Tables split by month; the first column of each is the uuid7 that decides the month."""
MONTHS_AHEAD = 3


class Month(NamedTuple):
    """A calendar month in UTC."""

    year: int
    month: int

    @classmethod
    def of(cls, instant: datetime) -> Month:
        """Return the month of an aware instant."""
        utc = instant.astimezone(UTC)
        return cls(utc.year, utc.month)

    def next(self) -> Month:
        """Return the month after."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    @property
    def start(self) -> datetime:
        """First instant of the month."""
        return datetime(self.year, self.month, 1, tzinfo=UTC)

    @property
    def label(self) -> str:
        """`2026_11`, the end of a partition's name."""
        return f"{self.year:04d}_{self.month:02d}"


def lower_bound(instant: datetime) -> UUID:
    """Return the smallest uuid7 made at or after the instant."""
    milliseconds = int(instant.timestamp() * 1000)
    return UUID(int=milliseconds << 80)


def months(now: datetime, ahead: int = MONTHS_AHEAD) -> Iterator[Month]:
    """Yield this month and the next `ahead`."""
    month = Month.of(now)
    for _ in range(ahead + 1):
        yield month
        month = month.next()


def ddl(now: datetime, ahead: int = MONTHS_AHEAD) -> Iterator[str]:
    """Yield the statements that make the partitions for now; each may be run again."""
    for table in PARTITIONED:
        yield f"CREATE TABLE IF NOT EXISTS {table}_default PARTITION OF {table} DEFAULT"
        for month in months(now, ahead):
            yield (
                f"CREATE TABLE IF NOT EXISTS {table}_{month.label} PARTITION OF {table} "
                f"FOR VALUES FROM ('{lower_bound(month.start)}') "
                f"TO ('{lower_bound(month.next().start)}')"
            )
