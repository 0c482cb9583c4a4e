"""Writes tables that a partner's program and a person's spreadsheet can both read."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any, Final

from import_export.convert import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from import_export.profile import Profile

_DANGER: Final = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_GUARDED: Final = re.compile(r"'+[=+\-@\t\r\n＝＋－＠]")


def write_csv(
    rows: Iterable[Mapping[str, Any] | Sequence[Any]],
    profile: Profile,
    *,
    columns: Sequence[str] = (),
) -> Iterator[bytes]:
    r"""Yield the lines of a table in the profile's own encoding, delimiter and quotes.

    columns: names for the header, otherwise those of the profile. A row is a mapping by column
    name, or a sequence in the order of the header. Cells that a spreadsheet would run as a formula
    get an apostrophe before them (see `guard`). What the encoding cannot spell is written as
    `\\uXXXX`.
    """
    names = list(columns) or [column.name for column in profile.columns]
    table = profile.table
    wanted = "utf-8" if table.encoding == "auto" else table.encoding
    if wanted == "utf-8":
        yield b"\xef\xbb\xbf"
    yield _csv_line(names, profile.delimiter, table.quote).encode(wanted, "backslashreplace")
    for row in rows:
        cells = [row.get(name) for name in names] if hasattr(row, "get") else list(row)
        text = _csv_line([plain(cell) for cell in cells], profile.delimiter, table.quote)
        yield text.encode(wanted, "backslashreplace")


def csv_line(cells: Iterable[Any], delimiter: str = ";", quote: str = '"') -> str:
    """Return one line of a table of ours, its cells guarded."""
    return _csv_line([plain(cell) for cell in cells], delimiter, quote)


def guard(cell: str) -> str:
    """Return the cell so that no spreadsheet runs it: an apostrophe before =, +, -, @ and controls.

    A cell that begins with apostrophes and one of these gets one more, so that `unguard` always
    restores the very cell.
    """
    return f"'{cell}" if _DANGER.match(cell) else cell


def unguard(cell: str) -> str:
    """Take away the apostrophe that `guard` put before a cell."""
    return cell[1:] if _GUARDED.match(cell) else cell


def _csv_line(cells: Iterable[str], delimiter: str, quote: str) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, quotechar=quote, lineterminator="\r\n").writerow(
        [guard(cell) for cell in cells]
    )
    return out.getvalue()
