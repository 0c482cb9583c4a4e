"""Reads and checks a file of organisations; pure.

CSV, or the first sheet of a workbook (.xlsx): a header of field names; identifiers in columns
`id:<system>` (`id:sstu`, `id:medo`, …), several in one cell parted by `|`. JSON: a list of objects
with the same names, `ids` an object of systems.
A field that the file does not have stays as it is in the directory. Nothing of a file with one
violation is taken: a directory that is half of two is worse than an old one.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final, NamedTuple
from zoneinfo import available_timezones

import msgspec

from gateway.errors import MalformedError, ValidationError, Violation
from gateway.model.fold import fold_id
from gateway.store.organisations import Record
from import_export import encoding, xlsx

PLAIN: Final = ("full_name", "short_name", "parent", "kind", "zone", "calendar")
DAYS: Final = ("valid_from", "valid_to")
DOC: Final = ("ogrn", "inn", "kpp", "oktmo", "address", "phone", "site")
KIND_WORDS: Final = (
    "фоив", "роив", "осв", "омсу", "подразделение", "уо", "тсж", "рсо", "подвед",
)  # fmt: skip
"""What a body may be (docs/howto/organisations.md)."""
_ID_COLUMN: Final = "id:"
_CODE: Final = re.compile(r"[^\s,;|]{1,100}")
_SYSTEM: Final = re.compile(r"[a-z0-9][a-z0-9._:-]{0,60}")
_DIGITS: Final = {"ogrn": (13,), "inn": (10, 12), "kpp": (9,), "oktmo": (8, 11)}


class Line(NamedTuple):
    """One body as the file gives it, and the line it begins on (the place in a JSON list)."""

    number: int
    values: Mapping[str, Any]


class Change(NamedTuple):
    """What the file does to one body: `added`, `changed` or `same`, and which fields differ."""

    kind: str
    record: Record
    fields: tuple[str, ...]


def read(data: bytes, name: str) -> list[Line]:
    """Return the lines of a file; raise MalformedError, or ValidationError for unknown columns."""
    if name.lower().endswith(".json"):
        return _read_json(data)
    if xlsx.is_workbook(data):
        return _read_workbook(data)
    return _read_csv(data)


def changes(lines: Iterable[Line], known: Mapping[str, Record]) -> list[Change]:
    """Return what the file does to the directory, in its order.

    Raises ValidationError with every violation of every line (at most 20 are shown).
    """
    found: list[Violation] = []
    made: dict[str, Change] = {}
    for line in lines:
        code = str(line.values.get("id") or "").strip()
        if not _CODE.fullmatch(code):
            found.append(_wrong(line, "id", "required", "нужен код · a code is needed", code))
            continue
        if code in made:
            found.append(_wrong(line, "id", "twice", "код уже был · stands twice", code))
            continue
        before = known.get(code)
        record = _record(line, code, before, found)
        made[code] = _kind(record, before)
    found += _together({**known, **{code: change.record for code, change in made.items()}}, made)
    if found:
        raise ValidationError(f"the file is not taken: {len(found)} violations", tuple(found))
    return list(made.values())


def _read_json(data: bytes) -> list[Line]:
    try:
        document = msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        raise MalformedError("the file is not JSON", found=str(error)) from error
    listed = document.get("organisations") if isinstance(document, dict) else document
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise MalformedError("the file is not a list of organisations", expected='[{"id": …}, …]')
    lines = []
    for number, item in enumerate(listed, 1):
        values = {key: value for key, value in item.items() if key != "ids"}
        for system, ids in (item.get("ids") or {}).items():
            values[_ID_COLUMN + system] = ids if isinstance(ids, list) else [ids]
        _columns(values, number)
        lines.append(Line(number, values))
    return lines


def _read_csv(data: bytes) -> list[Line]:
    codec = encoding.detect(io.BytesIO(data))
    text = data.decode("utf-8-sig" if codec == "utf-8" else codec)
    header = text.partition("\n")[0]
    delimiter = max(";,\t", key=header.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns = [(column or "").strip() for column in reader.fieldnames or ()]
        reader.fieldnames = columns
        _columns(columns, 1)
        lines = []
        for row in reader:
            extra = row.pop(None, None)
            if extra or None in row.values():
                raise MalformedError(
                    "a line has another number of cells than the header",
                    where=f"line {reader.line_num}",
                )
            values = _values(row)
            if any(values.values()):
                lines.append(Line(reader.line_num, values))
    except csv.Error as error:
        raise MalformedError(f"the table cannot be read: {error}") from error
    return lines


def _read_workbook(data: bytes) -> list[Line]:
    (first, header), *rows = xlsx.read(data).rows
    columns = [cell.strip() for cell in header]
    _columns(columns, first)
    lines = []
    for number, cells in rows:
        if len(cells) > len(columns):
            raise MalformedError("a row has more cells than the header", where=f"row {number}")
        padded = (*cells, *("" for _ in columns[len(cells) :]))
        lines.append(Line(number, _values(dict(zip(columns, padded, strict=True)))))
    return lines


def _values(row: Mapping[str, str]) -> dict[str, Any]:
    """Return the cells of a row by column, identifiers as lists."""
    return {
        key: [part.strip() for part in cell.split("|")]
        if key.startswith(_ID_COLUMN)
        else cell.strip()
        for key, cell in row.items()
    }


def _columns(names: Iterable[str], line: int) -> None:
    """Refuse a column nobody knows: a misspelt one would be lost in silence."""
    known = {"id", *PLAIN, *DAYS, *DOC}
    stray = [
        name
        for name in names
        if name not in known
        and not (name.startswith(_ID_COLUMN) and _SYSTEM.fullmatch(name[len(_ID_COLUMN) :]))
    ]
    if stray:
        message = "нет такого столбца · no such column"
        expected = ", ".join((*sorted(known), "id:<system>"))
        raise ValidationError(
            message,
            tuple(Violation(name, "unknown", message, name, expected, line) for name in stray),
        )


def _record(line: Line, code: str, before: Record | None, found: list[Violation]) -> Record:
    values = line.values
    fields: dict[str, Any] = msgspec.structs.asdict(before) if before else {}
    fields |= {name: str(values[name] or "").strip() for name in PLAIN if name in values}
    if "kind" in values:
        fields["kind"] = fields["kind"].lower()
        if fields["kind"] not in ("", *KIND_WORDS):
            message, listed = "нет такого вида · no such kind", " | ".join(KIND_WORDS)
            found.append(_wrong(line, "kind", "enumeration", message, fields["kind"], listed))
    fields |= {name: _day(line, name, values[name], found) for name in DAYS if name in values}
    doc = dict(fields.get("doc", {}))
    doc |= {name: str(values[name] or "").strip() for name in DOC if name in values}
    ids = dict(fields.get("ids", {}))
    ids |= {
        name.removeprefix(_ID_COLUMN): _folded(cells)
        for name, cells in values.items()
        if name.startswith(_ID_COLUMN)
    }
    if "ogrn" in values:
        ids["ogrn"] = _folded([doc["ogrn"]])
    # What is empty falls back to its default: every body has a zone and a calendar.
    kept = {name: value for name, value in fields.items() if value not in ("", None)}
    kept |= {"id": code, "full_name": fields.get("full_name", "")}
    kept |= {"doc": _told(doc), "ids": _told(ids)}
    record = Record(**kept)
    _check(line, record, found)
    return record


def _told(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in sorted(values.items()) if value}


def _folded(cells: Iterable[Any]) -> tuple[str, ...]:
    return tuple(sorted({fold_id(str(cell)) for cell in cells if str(cell or "").strip()}))


def _day(line: Line, name: str, value: Any, found: list[Violation]) -> dt.date | None:
    text = str(value or "").strip()
    for pattern in ("%Y-%m-%d", "%d.%m.%Y"):
        try:
            return dt.datetime.strptime(text, pattern).date() if text else None  # noqa: DTZ007
        except ValueError:
            continue
    found.append(
        _wrong(line, name, "date", "не дата · not a date", text, "ГГГГ-ММ-ДД | ДД.ММ.ГГГГ")
    )
    return None


def _check(line: Line, record: Record, found: list[Violation]) -> None:
    """Check what one line can be checked for by itself."""
    if not record.full_name:
        found.append(_wrong(line, "full_name", "required", "нужно название · a name is needed", ""))
    if record.zone not in _zones():
        found.append(_wrong(line, "zone", "zone", "нет такого пояса · no such zone", record.zone))
    if record.valid_from and record.valid_to and record.valid_to < record.valid_from:
        found.append(
            _wrong(
                line,
                "valid_to",
                "date_order",
                "раньше valid_from · before it",
                str(record.valid_to),
            )
        )
    for name, lengths in _DIGITS.items():
        value = record.doc.get(name, "")
        if value and not (value.isdecimal() and value.isascii() and len(value) in lengths):
            expected = " | ".join(f"{n} цифр · digits" for n in lengths)
            found.append(_wrong(line, name, "digits", "не то число цифр · digits", value, expected))
    if _bad_ogrn(record.doc.get("ogrn", "")):
        message = "контрольная цифра не сходится · the check digit disagrees"
        found.append(_wrong(line, "ogrn", "check_digit", message, record.doc["ogrn"]))


def _bad_ogrn(value: str) -> bool:
    return len(value) == 13 and value.isdecimal() and int(value[:12]) % 11 % 10 != int(value[12])


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _together(every: Mapping[str, Record], made: Mapping[str, Change]) -> list[Violation]:
    """Check what needs the whole directory: parents, circles, identifiers of two bodies."""
    found = []
    holders: dict[tuple[str, str], str] = {}
    for code, record in every.items():
        if record.parent and record.parent not in every:
            found.append(
                _of(code, "parent", "unknown", "нет такого органа · no such body", record.parent)
            )
        elif code in made and _in_circle(code, every):
            found.append(
                _of(code, "parent", "circle", "подчинён сам себе · its own parent", record.parent)
            )
        for system, values in record.ids.items():
            for value in values:
                other = holders.setdefault((system, value), code)
                if other != code:
                    message = f"такой идентификатор уже у · already of {other}"
                    found.append(_of(code, f"id:{system}", "taken", message, value))
    return found


def _in_circle(code: str, every: Mapping[str, Record]) -> bool:
    seen = {code}
    parent = every[code].parent
    while parent and parent in every:
        if parent in seen:
            return True
        seen.add(parent)
        parent = every[parent].parent
    return False


def _kind(record: Record, before: Record | None) -> Change:
    if before is None:
        return Change("added", record, ())
    told, was = msgspec.structs.asdict(record), msgspec.structs.asdict(before)
    differ = tuple(name for name in told if told[name] != was[name])
    return Change("changed" if differ else "same", record, differ)


def _wrong(
    line: Line, column: str, code: str, message: str, value: str, expected: str = ""
) -> Violation:
    return Violation(column, code, message, value[:200], expected, line.number)


def _of(code: str, column: str, word: str, message: str, value: str) -> Violation:
    return Violation(f"{code}/{column}", word, message, value[:200])
