"""Finds the organisation that a cell of a partner's table means; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.errors import ValidationError, Violation
from gateway.model.fold import fold_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.store.organisations import Record

_UNKNOWN: Final = "нет в справочнике организаций · not in the directory of organisations"
_MANY: Final = "так зовутся несколько организаций · several organisations are called so"
_TODO: Final = "`gateway org list`, `gateway org import`"
_SHOWN: Final = 5


class Directory:
    """The directory of organisations by everything that one may be named by."""

    def __init__(self, records: Mapping[str, Record]) -> None:
        self.records = records
        self._by: dict[tuple[str, str], set[str]] = {}
        self._values: dict[str, set[str]] = {}
        for code, record in records.items():
            for name in ("inn", "ogrn"):
                if record.doc.get(name):
                    self._add(name, record.doc[name], code)
            for system, values in record.ids.items():
                for value in values:
                    self._add(system, fold_id(value), code)

    def any(self, cell: str) -> str:
        """Return the body that our code, an ИНН, an ОГРН or an identifier in any system names.

        `system:value` names the system too. Raises ValidationError for none, and for several.
        """
        if cell in self.records:
            return cell
        system, _, value = cell.partition(":")
        found = self._by.get((system.strip().lower(), fold_id(value.strip())), set())
        if not found:
            value = fold_id(cell)
            found = self._values.get(value) or self._values.get(_padded(value), set())
        return self._only(found, cell)

    def by(self, system: str, cell: str) -> str:
        """Return the body with an identifier in a system, be it `inn`, `ogrn` or `medo`.

        An ИНН of nine or eleven digits has lost its zero in a spreadsheet.
        """
        value = fold_id(cell)
        found = self._by.get((system, value), set())
        if not found and system == "inn":
            found = self._by.get((system, _padded(value)), set())
        return self._only(found, cell)

    def title(self, code: str) -> str:
        """Return the short name of a body, or its code when the directory does not know it."""
        record = self.records.get(code)
        return (record.short_name or record.full_name) if record else code

    def _add(self, system: str, value: str, code: str) -> None:
        self._by.setdefault((system, value), set()).add(code)
        self._values.setdefault(value, set()).add(code)

    def _only(self, found: Iterable[str], cell: str) -> str:
        listed = sorted(found)
        if len(listed) == 1:
            return listed[0]
        several = ", ".join(listed[:_SHOWN])
        wrong = Violation(
            "", "several" if listed else "unknown", _MANY if listed else _UNKNOWN, cell[:100],
            several or _TODO,
        )  # fmt: skip
        raise ValidationError(wrong.message, (wrong,))


def _padded(value: str) -> str:
    return f"0{value}" if value.isdecimal() and len(value) in {9, 11} else value
