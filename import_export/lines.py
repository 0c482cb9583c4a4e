"""What readers of files give out: one `Line` a thing that was told, good or bad."""

from __future__ import annotations

import msgspec

from gateway.adapter import Inbound
from import_export.reasons import Problem


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What one row, or the neighbouring rows of one appeal, held.

    row, last: numbers from 1, header included, as a spreadsheet counts; items of an XML bundle
    count from 1. raw: the row's own bytes. Either `inbound` is set or `problems` is not empty; a
    problem stands beside the row that has it. reason: what is said of the line as a whole.
    """

    row: int
    last: int
    raw: bytes
    inbound: Inbound | None = None
    problems: tuple[tuple[int, Problem], ...] = ()
    reason: str = ""
