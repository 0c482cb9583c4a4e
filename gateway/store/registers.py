"""Registers: gapless numbers of a body, a register and a year, in blocks, taken last.

The counter's row is locked from here to the commit, therefore a batch asks once for all it needs.
A number that was given is never given again: it can only be annulled (`registration.annulled_at`).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection

TAKE = """
INSERT INTO register AS r (organisation, code, year, next) VALUES ($1, $2, $3, $4 + 1)
ON CONFLICT (organisation, code, year) DO UPDATE SET next = r.next + $4
RETURNING next - $4
"""


class RegisterKey(NamedTuple):
    """One register of one body in one year; the year is the body's own, in its zone."""

    organisation: str
    code: str
    year: int


def take(connection: Connection[Any], wanted: Sequence[RegisterKey]) -> list[int]:
    """Return one number for each place in `wanted`, ascending within a register."""
    counts = Counter(wanted)
    following: dict[RegisterKey, int] = {}
    for key in sorted(counts):
        row = connection.execute(TAKE, (*key, counts[key])).fetchone()
        assert row is not None
        following[key] = row[0]
    numbers = []
    for key in wanted:
        numbers.append(following[key])
        following[key] += 1
    return numbers
