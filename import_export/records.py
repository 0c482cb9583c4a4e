"""Cuts a table into records, one row at a time, and keeps the very bytes of each.

The csv module of the standard library parses; this module feeds it line by line, so that memory
stays constant, and mends what it cannot: after a quote that is never closed, the one row is given
up and reading goes on with the next line.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import deque
from typing import IO, TYPE_CHECKING, Final, NamedTuple

from gateway import limits
from import_export.reasons import Problem, problem

if TYPE_CHECKING:
    from collections.abc import Iterator

_ESCAPED: Final = re.compile("[\udc80-\udcff]")


class Record(NamedTuple):
    """One row: number from 1, as a spreadsheet counts; cells; bytes; what is wrong with it."""

    row: int
    cells: list[str]
    raw: bytes
    problems: tuple[Problem, ...] = ()


class Records:
    """Iterates over the records of a table from where the stream stands.

    width: set it after the header was read; a row with another number of cells is refused, unless
    it is blank or has only empty cells too many.
    """

    def __init__(self, source: IO[bytes], *, encoding: str, delimiter: str, quote: str) -> None:
        self.width = 0
        self.header: list[str] = []
        self._row = 0
        self._lines = _Lines(source, encoding)
        self._reader = csv.reader(
            self._lines, delimiter=delimiter, quotechar=quote, doublequote=True, strict=True
        )

    def __iter__(self) -> Iterator[Record]:
        return self

    def __next__(self) -> Record:
        """Return the next record; a row that cannot be read comes with its problem."""
        lines = self._lines
        lines.begin()
        self._row += 1
        try:
            cells = next(self._reader)
        except csv.Error as error:
            return self._given_up(_trouble(str(error), lines))
        except StopIteration:
            if not lines.pulled:
                raise
            return self._given_up(problem("quote"))
        if lines.overlong:
            raw = lines.take()
            return Record(
                self._row, [], raw, (problem("row_large", expected=f"{limits.TABLE_ROW_BYTES} B"),)
            )
        return self._checked(cells)

    @property
    def unfinished(self) -> bool:
        """Whether the last line read has no line end."""
        return self._lines.unfinished

    def _checked(self, cells: list[str]) -> Record:
        lines = self._lines
        width = self.width
        if width and len(cells) > width and not any(cells[width:]):
            del cells[width:]
        if width and cells and len(cells) != width and any(cell.strip() for cell in cells):
            wrong = problem("columns", found=str(len(cells)), expected=str(width))
            return Record(self._row, cells, lines.take(), (wrong,))
        if len(cells) > limits.TABLE_COLUMNS:
            wrong = problem(
                "many_columns", found=str(len(cells)), expected=str(limits.TABLE_COLUMNS)
            )
            return Record(self._row, [], lines.take(), (wrong,))
        dirty = lines.dirty
        raw = lines.take()
        wrong_cells = tuple(self._wrong_cells(cells, dirty=dirty, encoding=lines.encoding))
        return Record(self._row, cells, raw, wrong_cells)

    def _wrong_cells(self, cells: list[str], *, dirty: bool, encoding: str) -> Iterator[Problem]:
        for number, cell in enumerate(cells):
            if len(cell) > limits.TABLE_CELL_CHARS:
                yield problem(
                    "cell_large",
                    column=self._name(number),
                    found=str(len(cell)),
                    expected=str(limits.TABLE_CELL_CHARS),
                )
            bad = _ESCAPED.search(cell) if dirty else None
            if bad:
                yield problem(
                    "encoding",
                    column=self._name(number),
                    found=f"0x{ord(bad[0]) - 0xDC00:02X}, {bad.start() + 1}",
                    expected=encoding,
                )

    def _name(self, number: int) -> str:
        return self.header[number] if number < len(self.header) else f"#{number + 1}"

    def _given_up(self, wrong: Problem) -> Record:
        """Give up the first line of what was pulled and read the others again.

        A quote that is never closed swallows good rows up to the next quote; they are not lost.
        """
        return Record(self._row, [], self._lines.take(first_only=True), (wrong,))


class _Lines:
    """Physical lines as text, with the bytes behind them."""

    def __init__(self, source: IO[bytes], encoding: str) -> None:
        self.encoding = encoding
        self.pulled: list[bytes] = []
        self.dirty = False
        self.overlong = False
        self.unfinished = False
        self._source = source
        self._again: deque[bytes] = deque()
        self._size = 0
        self._first = True

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self.overlong or len(self.pulled) >= limits.TABLE_ROW_LINES:
            raise StopIteration
        line = self._again.popleft() if self._again else self._read()
        if not line:
            raise StopIteration
        if self._size + len(line) > limits.TABLE_ROW_BYTES:
            if self.pulled:
                self._again.appendleft(line)
                raise StopIteration
            self.overlong = True
            self.pulled.append(line)
            return "\n"
        self.pulled.append(line)
        self._size += len(line)
        text = line.decode(self.encoding, "surrogateescape")
        if not self.dirty and not text.isascii() and _ESCAPED.search(text):
            self.dirty = True
        return text

    def begin(self) -> None:
        """Start a record."""
        self.pulled = []
        self.dirty = self.overlong = False
        self._size = 0

    def take(self, *, first_only: bool = False) -> bytes:
        """Return the bytes of the record; or of its first line, and hand the others back."""
        if first_only:
            self._again.extendleft(reversed(self.pulled[1:]))
            del self.pulled[1:]
        raw = b"".join(self.pulled)
        self.pulled = []
        return raw

    def _read(self) -> bytes:
        line = self._source.readline(limits.TABLE_ROW_BYTES + 1)
        if self._first:
            self._first = False
            if self.encoding == "utf-8":
                line = line.removeprefix(codecs.BOM_UTF8)
        tail = line
        if len(line) > limits.TABLE_ROW_BYTES:
            while tail and not tail.endswith(b"\n"):
                tail = self._source.readline(limits.TABLE_ROW_BYTES)
        if line:
            self.unfinished = not tail.endswith(b"\n")
        return line


def _trouble(message: str, lines: _Lines) -> Problem:
    """Return the problem that a sentence of the csv module stands for."""
    if "field larger" in message:
        return problem("cell_large", expected=str(limits.TABLE_CELL_CHARS))
    if "new-line character" in message:
        return problem("line_end")
    if "end of data" in message or len(lines.pulled) > 1:
        return problem("quote")
    return problem("after_quote")
