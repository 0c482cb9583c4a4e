"""Columns of a table of who serves what, by the names that files give them; pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.errors import MalformedError, Violation
from gateway.keepers import SERVICES, service_of, significant
from import_export import convert
from import_export.reasons import TEXTS, refuse

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from import_export.grid import Grid, Row
    from import_export.reasons import Problem

_NAMES: Final = {
    "house": (
        "ГУИД дома", "ГУИД", "GUID", "GUID дома", "house_guid", "houseguid", "fias_guid", "fias",
        "ФИАС", "код ФИАС", "код дома по ФИАС", "ГУИД ФИАС", "GUID ФИАС", "ид ФИАС", "ФИАС дома",
        "идентификатор дома по ФИАС", "уникальный идентификатор дома по ФИАС", "guid дома по ФИАС",
        "objectguid", "fias_house_guid", "houseid", "house_fias_id", "идентификатор ГАР",
    ),
    "address": ("адрес", "address", "адрес дома", "адрес МКД", "адрес многоквартирного дома"),
    "service": ("вид услуги", "услуга", "service", "вид", "kind", "коммунальная услуга"),
    "organisation": (
        "организация", "код организации", "organisation", "organization", "орган", "исполнитель",
        "код органа", "body",
    ),
    "inn": ("ИНН", "inn", "ИНН организации", "ИНН УО", "ИНН УК"),
    "ogrn": ("ОГРН", "ogrn", "ОГРН организации", "ОГРН УО", "ОГРН УК"),
    "kpp": ("КПП", "kpp"),
    "valid_from": (
        "действует с", "valid_from", "дата начала", "с", "дата начала управления", "начало",
        "дата начала обслуживания", "дата начала действия",
    ),
    "valid_to": (
        "действует по", "valid_to", "дата окончания", "по", "дата окончания управления",
        "окончание", "дата окончания обслуживания", "дата окончания действия",
    ),
    "ground": (
        "основание", "ground", "документ", "договор", "реквизиты договора",
        "основание управления", "номер договора",
    ),
    "lat": ("широта", "lat", "latitude"),
    "lon": ("долгота", "lon", "lng", "longitude"),
    "oktmo": ("ОКТМО", "oktmo", "код ОКТМО", "территория", "ОКТМО территории"),
}  # fmt: skip
_FIELDS: Final = {convert.fold_word(name): of for of, names in _NAMES.items() for name in names}
_SERVICES: Final = {
    convert.fold_word(word): service.code
    for service in SERVICES
    for word in (service.code, service.title, *service.words)
}
_DAYS: Final = (
    "%Y-%m-%d", "%d.%m.%Y", "%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M",
)  # fmt: skip
_OPEN: Final = frozenset(
    map(convert.fold_word, ("бессрочно", "-", "—", "по настоящее время", "не определён"))
)
_SYSTEM: Final = re.compile(r"id:([a-z0-9][a-z0-9._:-]{0,60})", re.IGNORECASE)
_OWN: Final = re.compile(r"x_[a-z0-9_]{1,40}")
_FLOAT: Final = re.compile(r"\d[.,]\d+[eEеЕ]\+?\d{1,2}")
_HEAD_ROWS: Final = 20
_FIRST: Final = 1900
"""A year before it is one of two digits, or a slip."""
_NO_END: Final = 9000
"""A year from which an end stands for none: `31.12.9999`."""


class Columns(NamedTuple):
    """What the columns of a table mean, by their places.

    fields: field → place. services: kind of service → place of the column that holds its
    organisation. systems: system → place of the identifiers in it. unread: headings that mean
    nothing here. row: of the header. width: how many columns there are.
    """

    fields: Mapping[str, int]
    services: Mapping[str, int]
    systems: Mapping[str, int]
    names: tuple[str, ...]
    unread: tuple[str, ...]
    row: int
    width: int

    def cell(self, row: Row, field: str) -> str:
        """Return a cell of a field; empty when the table or the row has none."""
        return self.at(row, self.fields.get(field, -1))

    @staticmethod
    def at(row: Row, place: int) -> str:
        """Return the cell in a place, empty where the row ends before it."""
        return row.cells[place].strip() if 0 <= place < len(row.cells) else ""

    def name(self, field: str) -> str:
        """Return the heading of a field as the file has it."""
        return self.names[self.fields[field]] if field in self.fields else field


def header(grid: Grid, needed: tuple[tuple[str, ...], ...]) -> Columns:
    """Return the columns by the first of the upper rows that names what is needed.

    needed: of each group of fields one has to be there. Raises MalformedError when no row does, or
    when two columns mean the same.
    """
    best: Columns | None = None
    for row in grid.rows[:_HEAD_ROWS]:
        columns = _columns(row)
        if all(any(name in columns.fields for name in group) for group in needed):
            return columns
        if best is None or len(columns.fields) > len(best.fields):
            best = columns
    seen = " | ".join(best.names if best else ())
    wanted = "; ".join(" | ".join(_NAMES[name][0] for name in group) for group in needed)
    raise MalformedError(TEXTS["header"].en, found=seen, expected=wanted)


@lru_cache(4096)
def service(cell: str) -> str:
    """Return the code of a kind of service; raise ValidationError for what is none."""
    found = _SERVICES.get(convert.fold_word(cell))
    if found:
        return found
    if _OWN.fullmatch(cell) and service_of(cell):
        return cell
    raise refuse("enumeration", cell, ", ".join(kind.title for kind in SERVICES) + ", x_…")


@lru_cache(4096)
def day(cell: str) -> dt.date | None:
    """Return a calendar date; None where none is meant, `бессрочно` or the year 9999 among them."""
    if not cell or convert.fold_word(cell) in _OPEN:
        return None
    found = convert.day(cell, _DAYS)
    if found.year < _FIRST:
        raise refuse("range", cell, f"{_FIRST} …")
    return None if found.year >= _NO_END else found


def oktmo(cell: str) -> tuple[str, bool]:
    """Return the territory that an ОКТМО names (`significant`), and whether a zero was put back.

    Seven digits are eight that lost their zero, ten eleven; a shorter prefix is told by itself only
    where it cannot have lost one: 2, 3 or 5 digits. A number such as `2.07E+07` lost more.
    """
    value = cell.replace(" ", "").replace("\u00a0", "").removesuffix(".0")
    if _FLOAT.fullmatch(value):
        raise refuse(
            "oktmo", cell, "20701000 — формат ячейки «текстовый» · format the column as text"
        )
    mended = len(value) in {7, 10}
    found = convert.digits(f"0{value}" if mended else value, (2, 3, 5, 8, 11))
    if set(found[:2]) == {"0"}:
        raise refuse("oktmo", cell, "20701000")
    return significant(found), mended


def coordinate(cell: str, bounds: tuple[float, float]) -> float:
    """Return degrees as a decimal number within the bounds; raise ValidationError."""
    found = convert.decimal(cell)
    if not bounds[0] <= found <= bounds[1]:
        raise refuse("range", cell, f"{bounds[0]:g} … {bounds[1]:g}")
    return found


def told(row: Row, columns: Columns, field: str, wrong: Problem) -> Violation:
    """Return what is wrong with a cell as the commands say it."""
    place = wrong.column or columns.name(field)
    return Violation(
        place, wrong.rule, f"{wrong.ru} · {wrong.en}", wrong.found[:100], wrong.expected, row.number
    )


def _columns(row: Row) -> Columns:
    fields: dict[str, int] = {}
    services: dict[str, int] = {}
    systems: dict[str, int] = {}
    unread = []
    for place, cell in enumerate(row.cells):
        heading = convert.fold_word(cell.strip().rstrip("*:. "))
        system = _SYSTEM.fullmatch(cell.strip())
        into, key = (
            (systems, system[1].lower()) if system
            else (fields, _FIELDS[heading]) if heading in _FIELDS
            else (services, _SERVICES[heading]) if heading in _SERVICES
            else (None, "")
        )  # fmt: skip
        if into is None:
            unread += [cell.strip()] if cell.strip() else []
        elif key in into:
            both = f"{row.cells[into[key]]} | {cell}"
            raise MalformedError(TEXTS["header_twice"].en, found=both)
        else:
            into[key] = place
    return Columns(fields, services, systems, row.cells, tuple(unread), row.number, len(row.cells))
