"""From the text of a cell to a value of the model: one function a kind of value.

Pure. Every function takes text that is not empty and returns the value, or raises ValidationError
whose one violation names the rule, what was found and what was expected. Numbers written with
letters that look like digits (О for 0, З for 3) are refused by name and never mended: a wrong code
that looks right costs more than a question to the partner.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from gateway import limits
from gateway.model.fold import HOMOGLYPHS, clean_text
from import_export.reasons import refuse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from zoneinfo import ZoneInfo

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_SPACES: Final = re.compile(r"[\s\u00a0\u202f]+")
_DIGIT_LIKE: Final = re.compile("[OoОоΟοЗзІіIlЛб\u0660-\u0669\uff10-\uff19]")
_WORD_FOLD: Final = {ord(look): latin for look, latin in HOMOGLYPHS.items()}


def fold_word(text: str) -> str:
    """Return a word or a column name in the form under which spellings are compared.

    Case, ё, runs of spaces and letters of another alphabet that look the same do not count.
    """
    return _SPACES.sub(" ", text.strip().upper()).translate(_WORD_FOLD)


def text(cell: str, limit: int = limits.TEXT_CHARS) -> str:
    """Return a text as it was written: line breaks and tabs stay, NUL and other controls do not."""
    return clean_text(cell, limit=limit)


def line(cell: str, limit: int = limits.SUBJECT_CHARS) -> str:
    """Return a text of one line without outer spaces; a tab or line break within is refused."""
    found = clean_text(cell.strip(" \u00a0\t\r\n"), limit=limit)
    bad = _CONTROL.search(found)
    if bad:
        raise refuse("character", f"U+{ord(bad[0]):04X}, {bad.start() + 1}", "—")
    return found


def day(cell: str, formats: Iterable[str]) -> date:
    """Return the calendar date; a format may hold a time of day, which is dropped."""
    return _moment(cell, formats, "date").date()


def moment(cell: str, formats: Iterable[str], zone: ZoneInfo) -> datetime:
    """Return the instant; without an offset in the text it is wall time of `zone`."""
    if "iso" in formats:
        try:
            found = datetime.fromisoformat(cell.strip())
        except ValueError:
            found = None
        if found is not None and (found.utcoffset() is not None or "T" in cell):
            return found if found.utcoffset() is not None else found.replace(tzinfo=zone)
    found = _moment(cell, [f for f in formats if f != "iso"], "date_time")
    return found if found.tzinfo else found.replace(tzinfo=zone)


def _moment(cell: str, formats: Iterable[str], rule: str) -> datetime:
    value = cell.strip()
    if value.isascii():
        for form in formats:
            try:
                return datetime.strptime(value, form)  # noqa: DTZ007 - the caller gives the zone
            except ValueError:
                continue
    _no_lookalike(value)
    raise refuse(rule, value, " | ".join(example(form) for form in formats))


def example(form: str) -> str:
    """Return an example of a date format, which needs no language: `31.12.2026`."""
    if form == "iso":
        return "2026-12-31T09:05:00+03:00"
    return datetime(2026, 12, 31, 9, 5).strftime(form)  # noqa: DTZ001 - only an example


def boolean(cell: str, words: Mapping[str, bool]) -> bool:
    """Return yes or no by the words of the profile, compared folded."""
    found = words.get(fold_word(cell))
    if found is None:
        raise refuse("boolean", cell, ", ".join(words))
    return found


def integer(cell: str) -> int:
    """Return a whole number from 0; spaces between thousands are allowed."""
    value = _SPACES.sub("", cell)
    if not (value.isascii() and value.isdigit()):
        _no_lookalike(value)
        raise refuse("integer", cell, "0, 1, 2, …")
    if len(value) > 9:
        raise refuse("range", cell, "0 … 999999999")
    return int(value)


def decimal(cell: str) -> float:
    """Return a number; both the point and the comma divide."""
    value = _SPACES.sub("", cell).replace(",", ".")
    if not re.fullmatch(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?", value):
        _no_lookalike(value)
        raise refuse("decimal", cell, "55,7558")
    return float(value)


def digits(cell: str, lengths: tuple[int, ...]) -> str:
    """Return digits as text, leading zeros kept; `lengths` are those allowed (ИНН: 10, 12)."""
    value = _SPACES.sub("", cell)
    if not (value.isascii() and value.isdigit()):
        _no_lookalike(value)
        raise refuse("digits", cell, "0…9")
    if lengths and len(value) not in lengths:
        raise refuse("digits", cell, " | ".join(f"{n} × 0…9" for n in lengths))
    return value


def oktmo(cell: str, *, pad: bool = False) -> str:
    """Return ОКТМО as text of 8 or 11 digits; `pad` restores one eaten leading zero."""
    value = digits(cell, ())
    if len(value) in (7, 10):
        if pad:
            return f"0{value}"
        raise refuse("oktmo_zero", cell, f"0{value}")
    if len(value) not in (8, 11):
        raise refuse("oktmo", cell, "8 | 11 × 0…9")
    return value


def guid(cell: str) -> str:
    """Return a GUID in lower case with hyphens; braces are allowed."""
    value = cell.strip().strip("{}")
    if re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", value):
        return str(UUID(value))
    bad = next((char for char in value if not char.isascii()), "")
    raise refuse("guid", f"{value} (U+{ord(bad):04X})" if bad else value, _GUID_EXAMPLE)


_GUID_EXAMPLE: Final = "0c5b2444-70a0-4932-980c-b4dc0d3f02b5"


def word(cell: str, table: Mapping[str, str], expected: tuple[str, ...]) -> str:
    """Return the value that the profile's table gives to a word, compared folded."""
    found = table.get(fold_word(cell))
    if found is None:
        raise refuse("enumeration", cell, ", ".join(expected))
    return found


def _no_lookalike(value: str) -> None:
    """Name a letter that stands where a digit belongs, when the rest are digits."""
    bad = _DIGIT_LIKE.search(value)
    if bad and any(char.isdigit() for char in value):
        raise refuse(
            "lookalike", f"{value}: «{bad[0]}» U+{ord(bad[0]):04X}, {bad.start() + 1}", "0…9"
        )


def plain(value: Any) -> str:
    """Return a value of the model as the text of a cell, for tables that we write."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "да" if value else "нет"
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)
