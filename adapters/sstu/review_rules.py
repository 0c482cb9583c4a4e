"""Every rule of the validator of УРОГ's overview («Мастер обзоров»), named by row and column.

Source: domain notes after «2. Формат и техническая валидация файла CSV» (README, sources). The file
is read in one pass, a piece at a time; a rule of the file as a whole stands at line 1.
"""

from __future__ import annotations

import csv
import re
from datetime import date
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from adapters.sstu.codes import TOPIC
from adapters.sstu.review_csv import HEADERS
from gateway import limits
from gateway.errors import ValidationError, Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

FILE_BYTES: Final = 2 * 1024 * limits.MB
_BOM: Final = b"\xef\xbb\xbf"
_DAY: Final = re.compile(r"(\d\d)\.(\d\d)\.(\d{4})", re.ASCII)
_MONTH: Final = re.compile(r"(\d{4})-(\d\d)", re.ASCII)
_FORBIDDEN: Final = {
    "\x00": "NUL", "\t": "TAB", "\x1a": "0x1A", "\ufffd": "U+FFFD", "\u2026": "U+2026",
}  # fmt: skip
_BAD: Final = re.compile("[\x00\t\x1a\ufffd\u2026]")
_FLAGS: Final = ("1", "0", "")
_MONTHS: Final = 12


class Column(NamedTuple):
    """What one column takes. most: characters, 0 for any number. allowed: empty for any value."""

    most: int = 0
    required: bool = False
    allowed: tuple[str, ...] = ()


_R: Final = True
COLUMNS: Final[dict[str, Column]] = {
    "ГруппаГ": Column(10, _R, ("РФ", "ДГ")),
    "Округ": Column(
        10, _R, ("ДГ", "ДФО", "Новые", "ПФО", "СЗФО", "СКФО", "СФО", "УФО", "ЦФО", "ЮФО")
    ),
    "Регион": Column(50, _R),
    "Район": Column(512),
    "Город": Column(512),
    "Кол-во": Column(allowed=("", "1")),
    "Номер": Column(30, _R),
    "Дата": Column(10, _R),
    "Код": Column(24, _R),
    "Наименование": Column(512, _R),
    "Тип": Column(128, _R),
    "Комп": Column(0, _R, ("ФГО", "ФОИВ", "РОИВ", "ОСВ", "ОЗВ", "Другие")),
    "ПВ": Column(0, _R, ("РФ", "СУБ", "МСТ", "Надзор")),
    "Орган": Column(512, _R),
    "Группа": Column(),
    "ОЖ": Column(allowed=_FLAGS),
    "Контр": Column(allowed=_FLAGS),
    "Сотрудник": Column(70),
    "Вид письма": Column(
        15, _R, ("ЗУ", "интернет", "ЛП", "письмо", "ПП", "факс", "телеграмма", "Устно")
    ),
    "ОрганССТУ": Column(),
    "ГруппаССТУ": Column(),
    "Цель напр.": Column(
        40,
        _R,
        (
            "в дело",
            "в ином порядке в целях надзора",
            "в целях контроля",
            "В целях надзора",
            "для сведения",
            "запрос документов и материалов",
            "иной закон",
            "иной порядок",
            "иной порядок в дело",
            "иной порядок в целях надзора",
            "иной порядок в целях надзора в дело",
            "по компетенции",
        ),
    ),
    "Событие": Column(),
    "Повторность": Column(allowed=_FLAGS),
    "Приемная": Column(50, _R),
}
"""The 25 columns. ОЖ, Контр and Повторность are called required and may be empty, which means 0;
a code of five blocks has 24 characters, which is why `Код` ends there."""


class Fault(NamedTuple):
    """One broken rule. level: a warning does not refuse the file. line: from 1, of the headers."""

    line: int
    column: str
    rule: str
    message: str
    found: str = ""
    expected: str = ""
    level: Literal["error", "warning"] = "error"

    @property
    def violation(self) -> Violation:
        """The same as the rest of the gateway tells it."""
        return Violation(self.column, self.rule, self.message, self.found, self.expected, self.line)


def month(text: str) -> tuple[int, int]:
    """Return year and month of `2026-10`; raise ValidationError."""
    found = _MONTH.fullmatch(text)
    if not found or not 1 <= int(found[2]) <= _MONTHS or int(found[1]) < 1:
        message = "not a month"
        raise ValidationError(
            message, (Violation("", "month", message, text, "ГГГГ-ММ · YYYY-MM"),)
        )
    return int(found[1]), int(found[2])


def validate(pieces: Iterable[bytes], when: tuple[int, int] | None = None) -> Iterator[Fault]:
    """Yield everything that is wrong with a table, in its order.

    pieces: the file, cut anywhere. when: year and month of the overview, None to take any date that
    is one. What cannot be read as a table any further ends the list.
    """
    source = _Lines(pieces)
    try:
        yield from _table(source, when)
    except csv.Error as error:
        yield Fault(source.line, "", "row", "the row cannot be read", str(error))
    except UnicodeDecodeError as error:
        yield Fault(source.line, "", "utf8", "the file is not UTF-8", str(error)[:200], "UTF-8")


def _table(source: _Lines, when: tuple[int, int] | None) -> Iterator[Fault]:
    reader = csv.reader(source, delimiter=";", strict=True)
    headers = next(reader, [])
    yield from source.taken()
    if tuple(headers) != HEADERS:
        yield from _headers(headers)
        return
    seen: dict[int, int] = {}
    rows = 0
    for cells in reader:
        line = source.begun
        yield from source.taken()
        if not cells:
            yield Fault(line, "", "empty_row", "the row is empty")
            continue
        rows += 1
        yield from row(line, cells, when)
        twin = seen.setdefault(hash(tuple(cells)), line)
        if twin != line:
            found = f"row {twin}"
            yield Fault(line, "", "duplicate", "the row repeats another", found, level="warning")
    if not rows:
        yield Fault(2, "", "rows", "there is no row of data", expected="at least 1")
    if source.size > FILE_BYTES:
        yield Fault(1, "", "size", "the file is too large", str(source.size), str(FILE_BYTES))


class _Lines:
    """The lines of a file as the CSV reader takes them, noting what is wrong with their ends.

    line: of the last one; begun: of the first one of the row at hand.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._raw = _raw_lines(pieces)
        self._faults: list[Fault] = []
        self._ended = True
        self.size = 0
        self.line = 0
        self.begun = 1

    def __iter__(self) -> Iterator[str]:
        for raw in self._raw:
            self.line += 1
            self.size += len(raw)
            yield self._text(raw)

    def taken(self) -> list[Fault]:
        """Return what was noted since the last time; the next line begins a new row."""
        if not self._ended:  # a line break within quotes is the value's own
            self._note("crlf", "the row does not end with CRLF", "CRLF")
            self._ended = True
        out, self._faults = self._faults, []
        self.begun = self.line + 1
        return out

    def _text(self, raw: bytes) -> str:
        if self.line == 1:
            if not raw.startswith(_BOM):
                self._note("bom", "the file does not begin with a byte order mark", "EF BB BF")
            raw = raw.removeprefix(_BOM)
        self._ended = raw.endswith(b"\r\n")
        return raw.decode()

    def _note(self, rule: str, message: str, expected: str) -> None:
        self._faults.append(Fault(self.line, "", rule, message, expected=expected))


def _raw_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        lines = (rest + piece).split(b"\n")
        rest = lines.pop()
        for line in lines:
            yield line + b"\n"
        if len(rest) > limits.TABLE_ROW_BYTES:
            raise csv.Error(f"a line longer than {limits.TABLE_ROW_BYTES} bytes")
    if rest:
        yield rest


def _headers(found: list[str]) -> Iterator[Fault]:
    """Say which header stands wrong; the rest is told by their number."""
    if len(found) != len(HEADERS):
        yield Fault(
            1, "", "headers", "another number of columns", str(len(found)), str(len(HEADERS))
        )
    for place, (told, expected) in enumerate(zip(found, HEADERS, strict=False), start=1):
        if told != expected:
            message = f"column {place} has another header"
            yield Fault(1, told[:50], "headers", message, told[:50], expected)


def row(line: int, cells: Sequence[str], when: tuple[int, int] | None) -> Iterator[Fault]:
    """Yield what is wrong with one row of data; the file's own rules are not its."""
    if len(cells) != len(HEADERS):
        message = "the row has another number of columns"
        yield Fault(line, "", "columns", message, str(len(cells)), str(len(HEADERS)))
        return
    for header, cell in zip(HEADERS, cells, strict=True):
        column = COLUMNS[header]
        if bad := _BAD.findall(cell):
            names = ", ".join(sorted({_FORBIDDEN[one] for one in bad}))
            yield Fault(line, header, "forbidden", "a forbidden character", names)
        if column.most and len(cell) > column.most:
            message, most = "the value is too long", f"at most {column.most} characters"
            yield Fault(line, header, "length", message, str(len(cell)), most)
        if not cell.strip():
            if column.required:
                yield Fault(line, header, "required", "the value is missing")
        elif column.allowed and cell not in column.allowed:
            message = "no such value"
            yield Fault(line, header, "enumeration", message, cell[:50], "|".join(column.allowed))
        elif header == "Дата":
            yield from _dated(line, cell, when)
        elif header == "Код" and not TOPIC.fullmatch(cell):
            expected = "0000.0000.0000.0000[.0000]"
            yield Fault(line, header, "code", "not a code of 4 or 5 blocks", cell[:50], expected)


def _dated(line: int, cell: str, when: tuple[int, int] | None) -> Iterator[Fault]:
    found = _DAY.fullmatch(cell)
    try:
        day = date(int(found[3]), int(found[2]), int(found[1])) if found else None
    except ValueError:
        day = None
    if day is None:
        yield Fault(line, "Дата", "date", "not a calendar date", cell[:50], "ДД.ММ.ГГГГ")
    elif when and (day.year, day.month) != when:
        expected = f"{when[1]:02}.{when[0]}"
        yield Fault(line, "Дата", "month", "outside the month of the overview", cell, expected)
