"""One file of ГАР as lines for COPY: read as it comes, nothing of it kept.

The lines have tabs between the columns, no escapes, and nothing where a value is absent: COPY reads
them with `NULL ''`. A file is taken at its word first; where that fails it is read again with
every value looked at (`careful`), and rows that cannot be stored are counted instead.

A document type or an entity is refused (they are how XML attacks its reader), so is a nest of
elements, and a single element longer than FIAS_ELEMENT_BYTES.
"""

from __future__ import annotations

import re
from datetime import date
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID
from xml.parsers import expat

from adapters.fias.format import DICTIONARIES, TABLES
from gateway.errors import MalformedError, TooLargeError, UnsupportedError
from gateway.limits import FIAS_DEPTH, FIAS_ELEMENT_BYTES, FIAS_TEXT_CHARS, FIAS_VALUE_CHARS

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Sequence

    from adapters.fias.drift import Drift
    from adapters.fias.format import Table

SHAPES: Final = 1_000
"""Orders of attributes that are remembered of one file; real ones have a dozen."""

AGAIN: Final = "скачайте выгрузку заново и повторите загрузку · fetch it again and load again"

_YES: Final = frozenset(("1", "true"))
_NO: Final = frozenset(("0", "false"))
_ROOTS: Final = frozenset(table.root for table in TABLES.values()) | {
    root for root, _ in DICTIONARIES.values()
}
_DAY: Final = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")
_BIG: Final = frozenset(("id", "object", "parent", "child", "prev", "next"))
_SMALL: Final = frozenset(("level", "type", "type1", "type2"))
_DAYS: Final = frozenset(("since", "until"))
_FLAGS: Final = frozenset(("actual", "active"))


class OddRowsError(Exception):
    """A value holds what the fast way does not take: the file is read again carefully."""


class Shape(NamedTuple):
    """What is done with rows that have the same attributes in the same order.

    pick: the columns of a row with "" at its end, None where something needed is missing. flags:
    the values that decide whether it is kept, None when every one is. odd: what to count for it.
    """

    pick: Callable[[Sequence[str]], tuple[str, ...]] | None
    flags: Callable[[Sequence[str]], Any] | None
    id: Callable[[Sequence[str]], str]
    odd: tuple[str, ...]


class Rows:
    """The rows of one file, fed in pieces.

    day: a parameter that ended by it is passed over (`2026-09-08`). dropped: where the ids of rows
    that are not kept are noted, for a delta. Raises MalformedError, TooLargeError, UnsupportedError
    with the file and the line.
    """

    def __init__(
        self,
        table: Table,
        where: str,
        drift: Drift,
        day: str,
        *,
        careful: bool = False,
        dropped: array[int] | None = None,
    ) -> None:
        self._table, self._where, self._drift, self._day = table, where, drift, day
        self._careful = careful
        self._dropped = dropped
        self._lines: list[str] = []
        self._tags: list[str] = []
        self._shapes: dict[tuple[str, ...], Shape] = {}
        self._fed = 0
        self.taken = 0
        self.passed = 0
        self.incomplete = 0
        parser = expat.ParserCreate()
        parser.ordered_attributes = True
        parser.StartElementHandler = self._root
        parser.EndElementHandler = self._tags.remove
        parser.StartDoctypeDeclHandler = self._doctype
        self._parser = parser

    def feed(self, piece: bytes, *, last: bool = False) -> bytes:
        """Take a piece of the file; return lines for COPY, as many as it completed."""
        try:
            self._parser.Parse(piece, last)
        except expat.ExpatError as error:
            why = expat.errors.messages[error.code]
            raise MalformedError(
                f"файл не разбирается как XML · not well-formed XML: {why}",
                where=f"{self._where}, line {error.lineno}",
                todo=AGAIN,
            ) from error
        except (LookupError, ValueError) as error:
            raise UnsupportedError(
                f"кодировка файла не читается · the file's encoding is not read: {error}",
                expected="utf-8", where=self._where, todo=AGAIN,
            ) from error  # fmt: skip
        self._fed += len(piece)
        if len(self._tags) > FIAS_DEPTH:
            raise TooLargeError(
                "элементы вложены глубже схемы · elements are nested deeper than in the schema",
                expected=str(FIAS_DEPTH), where=self._place(), todo=AGAIN,
            )  # fmt: skip
        if self._fed - self._parser.CurrentByteIndex > FIAS_ELEMENT_BYTES + len(piece):
            raise TooLargeError(
                "один элемент длиннее предела · one element is longer than the limit",
                expected=f"{FIAS_ELEMENT_BYTES} bytes", where=self._place(), todo=AGAIN,
            )  # fmt: skip
        if last and self.incomplete and not self.taken + self.passed:
            raise MalformedError(
                "в файле нет ни одной строки этой таблицы · no row of this table in the file",
                found=", ".join(self._drift.counts), expected=", ".join(self._table.needed),
                where=self._where, todo="файл другой таблицы? · is it another table's? " + AGAIN,
            )  # fmt: skip
        return self._block() if self._lines else b""

    def _block(self) -> bytes:
        """Give the lines away; raise OddRowsError where a value would break their frame."""
        lines, count = self._lines, len(self._lines)
        block = "\n".join(lines) + "\n"
        breaks = block.count("\n") != count or "\r" in block
        if breaks or block.count("\t") != count * (len(self._table.columns) - 1):
            raise OddRowsError
        if not self._careful and max(map(len, lines)) > FIAS_TEXT_CHARS:
            raise OddRowsError
        self.taken += count
        lines.clear()
        return block.replace("\\", "\\\\").encode()

    def _root(self, tag: str, _attributes: list[str]) -> None:
        """Take the first element; raise when the file is of another table."""
        self._tags.append(tag)
        if tag != self._table.root:
            if tag in _ROOTS:
                raise MalformedError(
                    "в файле другая таблица · the file holds another table",
                    found=tag, expected=self._table.root, where=self._place(), todo=AGAIN,
                )  # fmt: skip
            self._drift.note("renamed root", tag)
        self._parser.StartElementHandler = self._rows()

    def _doctype(self, name: str, *_: object) -> None:
        raise UnsupportedError(
            "в файле DTD: так не выгружают, и сущности не читаются · a DTD is not read",
            found=f"<!DOCTYPE {name}", where=self._place(), todo=AGAIN,
        )  # fmt: skip

    def _rows(self) -> Callable[[str, list[str]], None]:
        """Return the handler of rows: everything in it is done some hundred million times."""
        row, push, append = self._table.row, self._tags.append, self._lines.append
        get, join, learn, odd, drop = (
            self._shapes.get, "\t".join, self._learn, self._odd, self._drop
        )  # fmt: skip
        keep = self._keeper()
        careful = self._checked if self._careful else None

        def take(tag: str, attributes: list[str]) -> None:
            push(tag)
            if tag != row:
                return odd((f"unknown element {tag}",))
            shape = get(tuple(attributes[::2])) or learn(attributes)
            if shape.odd:
                odd(shape.odd)
            if shape.pick is None:
                self.incomplete += 1
                return None
            if shape.flags is not None and not keep(shape.flags(attributes)):
                return drop(shape.id(attributes), shape.flags(attributes))
            attributes.append("")
            if careful is None:
                return append(join(shape.pick(attributes)))
            if values := careful(shape.pick(attributes)):
                append(join(values))
            return None

        return take

    def _keeper(self) -> Callable[[Any], bool]:
        """Return what decides by the values of the flags, or by type and end, who is kept."""
        types, day = self._table.types, self._day
        if types:
            return lambda pair: pair[0] in types and pair[1] > day
        if len(self._table.flags) == 1:
            return _YES.__contains__
        return frozenset((a, b) for a in _YES for b in _YES).__contains__

    def _learn(self, attributes: list[str]) -> Shape:
        """Work out what to do with rows that have these attributes in this order."""
        table, names = self._table, attributes[::2]
        place = {name: 2 * number + 1 for number, name in enumerate(names)}
        missing = [name for name in sorted(table.known - table.optional) if name not in place]
        odd = [f"unknown attribute {name}" for name in names if name not in table.known]
        odd += [f"missing attribute {name}" for name in missing]
        decide = ("TYPEID", "ENDDATE") if table.types else table.flags
        absent = table.needed.union(decide if table.types else ()).intersection(missing)
        whole = all(name in place for name in decide)
        shape = Shape(
            None if absent else itemgetter(*(place.get(a, -1) for a in table.columns.values())),
            itemgetter(*(place[name] for name in decide)) if decide and whole else None,
            itemgetter(place.get("ID", 0)),
            tuple(odd),
        )
        self._shapes[tuple(names)] = shape
        if len(self._shapes) > SHAPES:
            self._shapes.clear()
        return shape

    def _drop(self, id_: str, flags: Any) -> None:
        """Pass a row over that is not in force, or of a type that nothing is asked of."""
        self.passed += 1
        if not self._table.types:
            values = (flags,) if isinstance(flags, str) else flags
            if any(value not in _YES and value not in _NO for value in values):
                self._odd((f"bad value {' '.join(self._table.flags)}",))
        elif flags[0] not in self._table.types:
            return
        if self._dropped is not None and id_.isdecimal() and len(id_) < len(str(2**63)):
            self._dropped.append(int(id_))

    def _odd(self, kinds: tuple[str, ...]) -> None:
        for kind in kinds:
            self._drift.note(kind, self._place() if self._drift.wants(kind) else "")

    def _checked(self, values: tuple[str, ...]) -> tuple[str, ...] | None:
        """Return the values as they can be stored, None when the row cannot."""
        made = []
        for (column, attribute), value in zip(self._table.columns.items(), values, strict=True):
            fitting = _fitting(column, value)
            if fitting is None:
                self._drift.note(f"bad value {attribute}", f"{self._place()}: {value}")
            if not fitting and attribute in self._table.needed:
                if fitting is not None:
                    self._drift.note(f"bad value {attribute}", self._place())
                return None
            made.append(fitting or "")
        return tuple(made)

    def _place(self) -> str:
        return f"{self._where}, line {self._parser.CurrentLineNumber}"


def _fitting(column: str, value: str) -> str | None:
    """Return a value as its column takes it, None when it does not."""
    if not value:
        return ""
    if column in _BIG or column in _SMALL:
        bound = 2**63 if column in _BIG else 2**15
        plain = value.isascii() and value.isdecimal() and len(value) < len(str(2**64))
        return value if plain and int(value) < bound else None
    if column in _DAYS:
        return _day(value)
    if column in _FLAGS:
        return value if value in _YES or value in _NO else None
    if column == "guid":
        try:
            return str(UUID(value))
        except ValueError:
            return None
    if len(value) > (FIAS_VALUE_CHARS if column in {"value", "path"} else FIAS_TEXT_CHARS):
        return None
    return " ".join(value.split())


def _day(value: str) -> str | None:
    """Return a day of the calendar, None when it is none."""
    try:
        return date.fromisoformat(value).isoformat() if _DAY.fullmatch(value) else None
    except ValueError:
        return None
