"""Reads a sheet of a workbook (.xlsx) as rows of text, in a process that the kernel holds.

calamine is quick and trusts what it reads: 4.8 KB with one cell in XFD20000 ask it for 10 GB, and
it ends the process that asked. So a child process reads: it looks at the package and at every
place in its sheets first, with its memory and its CPU time limited, and tells rows or a refusal.

Text is what stands in a cell: a number without `.0` (`36000000`, not `3.6E7`), a date as
`2026-12-31`, a formula as the value that was stored with it.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import resource
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from xml.parsers import expat

import msgspec

from gateway import archives, limits
from gateway.errors import GatewayError, MalformedError, TooLargeError, UnsupportedError

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Iterator

CPU_SECONDS: Final = 30
"""How long one workbook may be read; 200,000 rows of ten columns take three."""
_MEMORY: Final = 1024 * limits.MB
_CHUNK: Final = 256 * limits.KB
_SMALL: Final = 1 * limits.MB
"""Unpacked, a member up to it may be packed as well as it likes."""
_OLE: Final = b"\xd0\xcf\x11\xe0"
_PARTS: Final = ("[Content_Types].xml", "xl/workbook.xml")
_PLACE: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_EXACT: Final = 10**15
"""From here a number of a spreadsheet has lost digits."""
_REFUSALS: Final = {kind.code: kind for kind in (MalformedError, TooLargeError, UnsupportedError)}
_SAVE: Final = "сохраните лист как .xlsx или CSV · save the sheet as .xlsx or CSV"


class Sheet(NamedTuple):
    """One sheet: its rows that hold anything, numbered from 1; names of the visible others."""

    name: str
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    others: tuple[str, ...]


class _Refused(msgspec.Struct, frozen=True, kw_only=True):
    code: str
    message: str
    found: str = ""
    expected: str = ""
    where: str = ""
    todo: str = ""


class _Told(msgspec.Struct, frozen=True, kw_only=True):
    sheet: Sheet | None = None
    refused: _Refused | None = None


def read(data: bytes, sheet: str = "", *, seconds: int = CPU_SECONDS) -> Sheet:
    """Return a sheet of a workbook, the first visible one with anything in it unless one is named.

    Raises MalformedError for what is no workbook, or has no such sheet, UnsupportedError for .xls,
    a password or another kind of package, TooLargeError past a limit (`gateway.limits.SHEET_ROWS`
    and its neighbours) or when `seconds` of CPU were not enough.
    """
    _refuse_at_sight(data)
    command = [sys.executable, "-m", "import_export.xlsx", str(seconds), sheet]
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            command, input=data, capture_output=True, timeout=seconds * 4, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise _too_much(seconds) from error
    if done.returncode < 0 or b"MemoryError" in done.stderr:
        raise _too_much(seconds)
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise MalformedError("the workbook cannot be read", found=said, todo=_SAVE)
    told = msgspec.msgpack.decode(done.stdout, type=_Told)
    if told.refused is not None:
        facts = msgspec.structs.asdict(told.refused)
        raise _REFUSALS[facts.pop("code")](facts.pop("message"), **facts)
    if told.sheet is None:
        raise _too_much(seconds)
    return told.sheet


def is_workbook(data: bytes) -> bool:
    """Whether a file begins as a workbook does, be it one that is read or not."""
    return data.startswith((*archives.MAGIC, _OLE))


def _refuse_at_sight(data: bytes) -> None:
    if len(data) > limits.WORKBOOK_BYTES:
        raise TooLargeError(
            "the workbook is too large",
            found=f"{len(data)} bytes",
            expected=f"{limits.WORKBOOK_BYTES} bytes",
            todo="разделите файл или сохраните как CSV · split it, or save it as CSV",
        )
    if data.startswith(_OLE):
        raise UnsupportedError(
            "an old workbook (.xls), or one with a password", expected=".xlsx | CSV", todo=_SAVE
        )


def _too_much(seconds: int) -> TooLargeError:
    return TooLargeError(
        "the workbook needs more than it is given",
        expected=f"at most {seconds} s of CPU and {_MEMORY // limits.MB} MB",
        todo=_SAVE,
    )


def _sheet(data: bytes, wanted: str) -> Sheet:
    """Return the sheet; here, in the child, a defect of calamine harms nobody."""
    from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    _look_over(data)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        names = [
            sheet.name
            for sheet in book.sheets_metadata
            if sheet.typ == SheetTypeEnum.WorkSheet
            and (sheet.visible == SheetVisibleEnum.Visible or sheet.name == wanted)
        ]
        if wanted and wanted not in names:
            raise MalformedError("no such sheet", found=wanted, expected=" | ".join(names)[:200])
        for name in [wanted] if wanted else names:
            rows = tuple(_rows(book.get_sheet_by_name(name)))
            if rows:
                return Sheet(name, rows, tuple(other for other in names if other != name))
    except CalamineError as error:
        raise MalformedError("the workbook cannot be read", found=str(error), todo=_SAVE) from error
    raise MalformedError("the workbook has no rows", found=" | ".join(names)[:200])


def _rows(sheet: Any) -> Iterator[tuple[int, tuple[str, ...]]]:
    if sheet.start is None:
        return
    size = 0
    left = ("",) * sheet.start[1]
    for number, row in enumerate(sheet.iter_rows(), 1):
        cells = [_text(value) for value in row]
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            continue
        size += sum(map(len, cells))
        longest = max(map(len, cells))
        if longest > limits.TABLE_CELL_CHARS or size > limits.SHEET_CHARS:
            raise TooLargeError(
                "too much text in the sheet",
                where=f"row {number}",
                expected=f"{limits.TABLE_CELL_CHARS} in a cell, {limits.SHEET_CHARS} in all",
            )
        yield number, (*left, *cells)


def _text(value: object) -> str:
    """Return what stands in a cell, as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "да" if value else "нет"
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) < _EXACT
        return str(int(value)) if whole else repr(value)
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time()
        return value.date().isoformat() if midnight else value.isoformat(" ")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return "" if value is None else str(value)


def _look_over(data: bytes) -> None:
    """Refuse what would cost too much to read: by bytes that were counted, and by places."""
    archive, infos = archives.opened(data)
    names = [info.filename for info in infos]
    if len(set(names)) != len(names):
        raise MalformedError("two members of the workbook have one name")
    if not all(part in names for part in _PARTS):
        raise UnsupportedError("not a workbook of .xlsx", expected=_PARTS[1], todo=_SAVE)
    total = 0
    for info in infos:
        archives.refuse_packing(info, info.filename)
        total = _count(archive, info, total)


def _count(archive: zipfile.ZipFile, info: zipfile.ZipInfo, total: int) -> int:
    """Return the bytes unpacked so far, with those of a member, whose cells are looked at."""
    places = _Places(info.filename)
    size = 0
    try:
        with archive.open(info) as stream:
            while chunk := stream.read(_CHUNK):
                size += len(chunk)
                packed = max(info.compress_size, 1)
                if size > _SMALL and size > packed * limits.ZIP_RATIO:
                    raise TooLargeError(
                        "a member of the workbook is packed too well", where=info.filename,
                        found=f"{size // packed}+ : 1", expected=f"{limits.ZIP_RATIO} : 1",
                    )  # fmt: skip
                if total + size > limits.WORKBOOK_UNPACKED_BYTES:
                    raise TooLargeError(
                        "the workbook is too large unpacked",
                        expected=f"{limits.WORKBOOK_UNPACKED_BYTES} bytes",
                    )
                places.feed(chunk)
    except archives.BROKEN as error:
        raise MalformedError(
            "the workbook is damaged", where=info.filename, found=str(error)
        ) from error
    places.done()
    return total + size


class _Places:
    """Follows where the cells of a member stand; a member that is no sheet has none."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._parser: expat.XMLParserType | None = expat.ParserCreate(namespace_separator="\n")
        self._parser.StartElementHandler = self._start
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._inside = False
        self._row = self._column = self._rows = self._columns = self._cells = 0
        self._first = (1 << 31, 1 << 31)

    def feed(self, chunk: bytes, *, last: bool = False) -> None:
        """Take the next piece of the member."""
        if self._parser is None:
            return
        try:
            self._parser.Parse(chunk, last)
        except expat.ExpatError as error:
            if self._inside:
                raise MalformedError(
                    "a sheet is not XML", where=self._name, found=str(error)
                ) from error
            self._parser = None  # a picture, or what nobody reads

    def done(self) -> None:
        """Say that the member has ended."""
        self.feed(b"", last=True)

    def _doctype(self, *_: object) -> None:
        raise MalformedError("a member of the workbook has a DTD", where=self._name)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition("\n")[2]
        if tag == "c" and self._inside:
            place = _PLACE.fullmatch(attributes.get("r", ""))
            if place:
                self._at(int(place[2]), _number(place[1]))
            elif "r" in attributes:
                raise MalformedError(
                    "not a place of a cell", where=self._name, found=attributes["r"]
                )
            else:
                self._at(self._row, self._column + 1)
        elif tag == "row" and self._inside:
            told = attributes.get("r", "")
            known = told.isascii() and told.isdigit() and len(told) < 8
            self._row, self._column = (int(told) if known else self._row + 1), 0
        elif tag == "sheetData":
            self._inside = True

    def _at(self, row: int, column: int) -> None:
        self._row, self._column = row, column
        self._cells += 1
        self._first = (min(row, self._first[0]), min(column, self._first[1]))
        self._rows, self._columns = max(row, self._rows), max(column, self._columns)
        area = (self._rows - self._first[0] + 1) * (self._columns - self._first[1] + 1)
        if (
            self._rows > limits.SHEET_ROWS
            or self._columns > limits.TABLE_COLUMNS
            or max(area, self._cells) > limits.SHEET_CELLS
        ):
            raise TooLargeError(
                "the sheet reaches too far",
                where=self._name,
                found=f"row {self._rows}, column {self._columns}",
                expected=f"{limits.SHEET_ROWS} rows, {limits.TABLE_COLUMNS} columns,"
                f" {limits.SHEET_CELLS} cells",
                todo="удалите лишние строки и столбцы или сохраните как CSV · delete what lies"
                " beyond the table, or save it as CSV",
            )


def _number(letters: str) -> int:
    """Return the number of a column: A is 1, XFD 16,384."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _main(seconds: int, wanted: str) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        told = _Told(sheet=_sheet(sys.stdin.buffer.read(), wanted))
    except GatewayError as error:
        kind = next((k.code for k in _REFUSALS.values() if isinstance(error, k)), "malformed")
        told = _Told(
            refused=_Refused(
                code=kind, message=error.message, found=error.found, expected=error.expected,
                where=error.where, todo=error.todo,
            )
        )  # fmt: skip
    sys.stdout.buffer.write(msgspec.msgpack.encode(told))


if __name__ == "__main__":
    _main(int(sys.argv[1]), sys.argv[2])
