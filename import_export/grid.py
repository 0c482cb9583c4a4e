"""Rows of text from a table, be it CSV or a workbook; what the columns mean is its reader's matter.

CSV: UTF-8, cp1251 or cp866, `;`, `,` or tab. Workbooks: `import_export.xlsx`. Pure but for that.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway import limits
from gateway.errors import TooLargeError
from import_export import encoding, xlsx
from import_export.reasons import Problem, problem, unreadable
from import_export.records import Records

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD_LINES: Final = 20
_OTHER_FILES: Final = (b"%PDF", b"\x1f\x8b", b"{", b"[", b"<")


class Row(NamedTuple):
    """One row: its number from 1, as a spreadsheet counts; its cells; what is wrong with it."""

    number: int
    cells: tuple[str, ...]
    problems: tuple[Problem, ...] = ()


class Grid(NamedTuple):
    """A table. how: what it was read as, for people. ragged: a row may be shorter than the header.

    others: further sheets of the workbook that hold something, perhaps; they are not read.
    """

    rows: tuple[Row, ...]
    how: str
    ragged: bool
    others: tuple[str, ...] = ()


def read(data: bytes, sheet: str = "", most: int = limits.KEEPER_ROWS) -> Grid:
    """Return the rows that hold anything.

    sheet: of a workbook. most: rows that are taken. Raises MalformedError, UnsupportedError or
    TooLargeError when the file cannot be read at all.
    """
    if not data.strip():
        raise unreadable("empty")
    if xlsx.is_workbook(data):
        found = xlsx.read(data, sheet)
        rows = tuple(Row(number, cells) for number, cells in found.rows)
        return Grid(rows, f"лист · sheet «{found.name}»", ragged=True, others=found.others)
    if data.startswith(_OTHER_FILES):
        raise unreadable("workbook", found=data[:4].hex(" "), expected="CSV | .xlsx")
    codec = encoding.detect(io.BytesIO(data))
    delimiter = _delimiter(data.split(b"\n", _HEAD_LINES)[:_HEAD_LINES])
    records = Records(io.BytesIO(data), encoding=codec, delimiter=delimiter, quote='"')
    rows = tuple(_bounded(records, most))
    return Grid(rows, f"CSV, {codec}, «{delimiter}»".replace("\t", "TAB"), ragged=False)


def check_width(row: Row, width: int, *, ragged: bool) -> Row:
    """Return a row of CSV with what is wrong when its cells are not as many as the header's.

    A separator within a name that is not quoted shifts everything behind it. Empty cells too many
    do not count.
    """
    cells = row.cells
    while len(cells) > width and not cells[-1].strip():
        cells = cells[:-1]
    if row.problems or len(cells) == width or (ragged and len(cells) < width):
        return row
    wrong = problem("columns", found=str(len(cells)), expected=str(width))
    return row._replace(problems=(wrong,))


def _bounded(records: Records, most: int) -> Iterator[Row]:
    count = 0
    for record in records:
        if not record.problems and not any(cell.strip() for cell in record.cells):
            continue
        count += 1
        if count > most + 1:  # and the header
            raise TooLargeError(
                "too many rows", expected=str(most), todo="разделите файл · split the file"
            )
        yield Row(record.row, tuple(cell.strip() for cell in record.cells), record.problems)


def _delimiter(lines: list[bytes]) -> str:
    """Return what parts the cells: a title above the header says nothing of it."""
    counts = {sign: max(line.count(sign.encode()) for line in lines) for sign in ";,\t"}
    return ";" if counts[";"] else max(counts, key=lambda sign: counts[sign])
