"""One node of a classifier."""

from __future__ import annotations

import datetime as dt

import msgspec


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A topic as one version of a classifier has it.

    code: canonical (`topics.codes`). version: the one that first had this wording. level: from 1,
    0 where it is not told. valid_from, valid_to: first and last day, None for no bound.
    """

    system: str
    code: str
    title: str
    version: str = ""
    parent: str = ""
    level: int = 0
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None

    def is_valid(self, on: dt.date | None) -> bool:
        """Whether it is in force on a day; None asks for what has not been closed."""
        if on is None:
            return self.valid_to is None
        return (self.valid_from is None or self.valid_from <= on) and (
            self.valid_to is None or on <= self.valid_to
        )
