"""Reads a partner's table by its profile, row by row.

`Table` yields one `Line` an appeal: the decoded item, or what is wrong with it by row and column.
Memory does not grow with the file. Pure but for the stream it is given.
"""

from __future__ import annotations

import csv
import io
from typing import IO, TYPE_CHECKING, Any, Final

import msgspec

from gateway import limits
from gateway.adapter import Inbound
from gateway.errors import ConfigurationError, GatewayError, ValidationError, Violation
from gateway.model.fold import number_key
from import_export import encoding as encodings
from import_export.cells import Cells
from import_export.convert import fold_word
from import_export.fields import add_external_id, harvest
from import_export.lines import Line
from import_export.reasons import TEXTS, problem, problems_of, unreadable
from import_export.records import Record, Records

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from import_export.profile import Profile

_WORKBOOK: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF", b"\x1f\x8b")


class Table:
    """A table open for reading: its encoding and header are known, its rows come by iteration.

    source: a seekable stream of bytes. peer: code of the sender, for references and extras. now: no
    cell may tell of what happened more than a day after it; None to leave that to the intake.
    Raises GatewayError when the file cannot be read at all: empty, no such encoding, a required
    column missing.
    """

    def __init__(
        self, source: IO[bytes], profile: Profile, *, peer: str, now: datetime | None = None
    ) -> None:
        self.profile = profile
        self.encoding = _encoding(source, profile)
        self._peer = peer
        self._records = Records(
            source,
            encoding=self.encoding,
            delimiter=profile.delimiter,
            quote=profile.table.quote,
        )
        header = self._header()
        self.header = tuple(cell.strip() for cell in header)
        self._records.header = list(self.header)
        self._records.width = len(header)
        self._cells = Cells(profile, self.header, peer, now)

    def __iter__(self) -> Iterator[Line]:
        """Yield the lines of the table; blank rows are passed over."""
        together = self.profile.table.questions == "rows"
        group: list[Record] = []
        group_key = ""
        for record in self._rows():
            key = self._group_key(record) if together else ""
            if group and not (key and key == group_key):
                yield self._line(group)
                group = []
            group.append(record)
            group_key = key
            if len(group) > limits.QUESTIONS_PER_APPEAL:
                yield self._line(group)
                group = []
        if group:
            yield self._line(group)

    def _rows(self) -> Iterator[Record]:
        count = 0
        for record in self._records:
            if not record.problems and not any(cell.strip() for cell in record.cells):
                continue
            count += 1
            if count > self.profile.table.max_rows:
                wrong = problem("many_rows", expected=str(self.profile.table.max_rows))
                yield record._replace(cells=[], problems=(wrong,))
                return
            if self.profile.table.final_newline and not record.raw.endswith(b"\n"):
                yield record._replace(problems=(*record.problems, problem("cut")))
                return
            yield record

    def _group_key(self, record: Record) -> str:
        """Return what rows of one appeal have in common; look-alike letters do not part them."""
        return (
            number_key(self._cells.key(record.cells))
            if len(record.cells) == len(self.header)
            else ""
        )

    def _line(self, group: Sequence[Record]) -> Line:
        raw = b"".join(record.raw for record in group)
        row, last = group[0].row, group[-1].row
        problems = [(record.row, wrong) for record in group for wrong in record.problems]
        tree: dict[str, Any] = {}
        seen: dict[str, str] = {}
        for ordinal, record in enumerate(group, 1):
            if not record.problems:
                found = self._cells.fill(tree, record.cells, ordinal, seen)
                problems += [(record.row, wrong) for wrong in found]
        if len(group) > limits.QUESTIONS_PER_APPEAL:
            problems.append((row, problem("many_rows", expected=str(limits.QUESTIONS_PER_APPEAL))))
        if not problems:
            try:
                return Line(row=row, last=last, raw=raw, inbound=self._inbound(tree, group[0]))
            except GatewayError as error:
                problems += [(row, wrong) for wrong in problems_of(error)]
        return Line(row=row, last=last, raw=raw, problems=tuple(problems))

    def _inbound(self, tree: dict[str, Any], record: Record) -> Inbound:
        revision = self._cells.revision(record.cells)
        external_id = self._cells.key(record.cells)
        add_external_id(tree, external_id)
        appeal = harvest(tree, self._peer)
        return Inbound(
            operation="submit",
            external_id=external_id,
            revision=revision,
            appeal=msgspec.structs.replace(appeal, revision=revision),
        )

    def _header(self) -> list[str]:
        record = None
        for _ in range(self.profile.table.skip_rows + 1):
            record = next(self._records, None)
        while record is not None and not record.problems and not any(record.cells):
            record = next(self._records, None)
        if record is None:
            raise unreadable("empty" if not self.profile.table.skip_rows else "no_rows")
        if record.problems:
            wrong = record.problems[0]
            raise unreadable(wrong.rule, wrong.found, wrong.expected, f"{record.row}")
        _check_header(record.cells, self.profile)
        return record.cells


def reread(source: IO[bytes], profile: Profile, raw: bytes, *, peer: str) -> Line:
    """Decode one stored row again, by the header of the file that it came from.

    source: the stored file; raw: the row's own bytes. This is how a row that was refused is
    replayed after its profile was mended. Row numbers in the result count from 2.
    """
    table = Table(source, profile, peer=peer)
    head = io.StringIO(newline="")
    csv.writer(
        head, delimiter=profile.delimiter, quotechar=profile.table.quote, lineterminator="\r\n"
    ).writerow(table.header)
    alone = io.BytesIO(head.getvalue().encode(table.encoding) + raw)
    whole = msgspec.structs.replace(
        profile, table=msgspec.structs.replace(profile.table, encoding=table.encoding, skip_rows=0)
    )
    for line in Table(alone, whole, peer=peer):
        return line
    raise unreadable("no_rows")


def _encoding(source: IO[bytes], profile: Profile) -> str:
    source.seek(0)
    start = source.read(8)
    source.seek(0)
    if not start:
        raise unreadable("empty")
    if start.startswith(_WORKBOOK):
        raise unreadable("workbook", found=start[:4].hex(" "), expected="CSV")
    if profile.table.encoding == "auto" or start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return encodings.detect(source)
    encodings.require(source, profile.table.encoding)
    return profile.table.encoding


def _check_header(header: Sequence[str], profile: Profile) -> None:
    wrong: list[Violation] = []
    folded = [fold_word(cell) for cell in header]
    names: list[str] = []
    for cell, fold in zip(header, folded, strict=True):
        column = profile.by_header.get(fold)
        name = column.name if column else cell.strip()
        if name and name in names:
            wrong.append(_violation("header_twice", name, cell))
        if column is None and cell.strip() and profile.table.unknown_columns == "refuse":
            wrong.append(_violation("header_unknown", cell.strip(), cell))
        names.append(name)
    wrong += [
        _violation("header", column.name, " | ".join(header))
        for column in profile.columns
        if (column.required or column.name in profile.key.columns) and column.name not in names
    ]
    if wrong:
        raise ValidationError("the header does not fit the profile", tuple(wrong))


def _violation(rule: str, column: str, found: str) -> Violation:
    return Violation(column, rule, TEXTS[rule].en, found[:200], column, 1)


def require_profile(profile: Profile | None) -> Profile:
    """Return the profile; raise ConfigurationError when the inbox has none."""
    if profile is None:
        raise ConfigurationError(TEXTS["no_profile"].en, todo="set `profile` of the inbox")
    return profile
