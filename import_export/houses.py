"""Reads tables of who serves houses and of whose a territory is; pure.

A table of houses is long (a row a house and a service: `вид услуги`, `организация`) or wide (a
column a service, named by it). The house is a GUID of ГАР, or an address that the register of
addresses has exactly one house for. Nothing is guessed: what is in doubt is told with its row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar

from gateway import limits
from gateway.errors import GatewayError, ValidationError, Violation
from gateway.keepers import Keeper, Point, Territory
from import_export import convert, keeper_columns
from import_export.grid import check_width
from import_export.reasons import problem, problems_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gateway.addresses.found import Resolved
    from import_export.directory import Directory
    from import_export.grid import Grid, Row
    from import_export.keeper_columns import Columns

    Resolve = Callable[[Sequence[str]], Sequence[Resolved]]

R = TypeVar("R", Keeper, Territory)
WRONG: Final = 10_000
"""Violations of one file that are told; nobody reads more."""
GROUND_CHARS: Final = 1_000
LAT: Final = (41.0, 82.0)
"""Of Russia; a longitude in the place of a latitude is found out where it is larger."""
LON: Final = (-180.0, 180.0)
"""Chukotka reaches over the 180th meridian."""
_LON_GAP: Final = (-168.0, 19.0)
"""Degrees between Chukotka and Kaliningrad, going west: there is no Russia."""
_CANDIDATES: Final = 3
_NO_HOUSE: Final = "нужен ГУИД дома или адрес · a GUID of the house or an address is needed"
_LONG: Final = "длиннее, чем бывает адрес · longer than an address can be"
_DOUBT: Final = {
    "street_only": "дома нет в реестре адресов · the register of addresses has no such house",
    "ambiguous": "адресу отвечает несколько домов · several houses answer to the address",
    "not_found": "адрес не найден · the address is not found",
    "exact": "адрес найден, но это не дом · the address is found, and it is no house",
}


class Given(NamedTuple, Generic[R]):
    """What one row says. ends, grounds: whether it says anything of a last day, of a ground.

    Where it does not, what is known already stays.
    """

    number: int
    row: R
    ends: bool
    grounds: bool


class Read(NamedTuple, Generic[R]):
    """What a table says, and what is wrong with it. notes: what was mended or passed over."""

    given: tuple[Given[R], ...]
    points: tuple[Point, ...]
    wrong: tuple[Violation, ...]
    notes: tuple[str, ...]


def houses(
    grid: Grid, directory: Directory, resolve: Resolve, *, kind: str = "", source: str = ""
) -> Read[Keeper]:
    """Return who serves which house, by a table.

    kind: service of rows that name none. resolve: asks the register of addresses about many at
    once. source: name of the file. Raises MalformedError when the table has no such columns.
    """
    table = _Table(grid, directory, (("house", "address"),))
    columns = table.columns
    placed = {"lat", "lon"} <= columns.fields.keys()
    told = table.names_bodies or bool(columns.services)
    if not told and not placed:
        table.lacks("organisation")
    if table.names_bodies and not kind and "service" not in columns.fields:
        table.lacks("service")
    given: list[Given[Keeper]] = []
    points: dict[str, Point] = {}
    rows = list(table)
    guids = table.guids(rows, resolve)
    for row in rows:
        guid = guids.get(row.number)
        if guid is None:
            continue
        days = table.days(row)
        if placed:
            point = table.point(row, guid, source)
            if point is not None:
                points[guid] = point
        for service, organisation in table.served(row, kind):
            if days is not None:
                facts = Keeper(
                    house_guid=guid, service=service, organisation=organisation,
                    valid_from=days[0], valid_to=days[1], ground=table.ground(row), source=source,
                )  # fmt: skip
                given.append(table.given(row, facts))
    return Read(tuple(given), tuple(points.values()), tuple(table.wrong), table.notes())


def territories(
    grid: Grid, directory: Directory, *, kind: str = "", source: str = ""
) -> Read[Territory]:
    """Return which body a territory belongs to, by a table with ОКТМО.

    kind: what the bodies answer for, of rows that do not say; empty: everything. Raises
    MalformedError when the table has no such columns.
    """
    table = _Table(grid, directory, (("oktmo",),))
    if not table.names_bodies and not table.columns.services:
        table.lacks("organisation")
    given: list[Given[Territory]] = []
    for row in table:
        oktmo = table.oktmo(row)
        days = table.days(row)
        for service, organisation in table.served(row, kind, optional=True):
            if oktmo and days is not None:
                facts = Territory(
                    oktmo=oktmo, service=service, organisation=organisation, valid_from=days[0],
                    valid_to=days[1], ground=table.ground(row), source=source,
                )  # fmt: skip
                given.append(table.given(row, facts))
    return Read(tuple(given), (), tuple(table.wrong), table.notes())


class _Table:
    """A table with its columns, what was found wrong with it so far, and what was mended."""

    def __init__(
        self, grid: Grid, directory: Directory, needed: tuple[tuple[str, ...], ...]
    ) -> None:
        self.columns: Columns = keeper_columns.header(grid, needed)
        self.wrong: list[Violation] = []
        self.names_bodies = bool(
            {"organisation", "inn", "ogrn"} & self.columns.fields.keys() or self.columns.systems
        )
        self._grid = grid
        self._directory = directory
        self._mended: list[int] = []
        self._bodies: dict[tuple[str, str], str] = {}

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows below the header that can be read."""
        for row in self._grid.rows:
            if row.number <= self.columns.row:
                continue
            checked = check_width(row, self.columns.width, ragged=self._grid.ragged)
            for wrong in checked.problems:
                self._note(keeper_columns.told(row, self.columns, "", wrong))
            if not checked.problems:
                yield checked

    def notes(self) -> tuple[str, ...]:
        """Return what people should know of the file beside its rows."""
        said = [f"прочитано как · read as: {self._grid.how}"]
        if self._grid.others:
            said.append(f"другие листы · other sheets: {', '.join(self._grid.others)} (--sheet)")
        if self.columns.unread:
            said.append(
                f"не прочитаны столбцы · columns not read: {', '.join(self.columns.unread)}"
            )
        if self._mended:
            rows = ", ".join(map(str, self._mended[:10])) + (" …" if self._mended[10:] else "")
            said.append(
                "ОКТМО: возвращён съеденный таблицей ноль в начале · the leading zero that a"
                f" spreadsheet ate was put back: {len(self._mended)} ({rows})"
            )
        return tuple(said)

    def lacks(self, field: str) -> None:
        """Say that the table has no column of a field."""
        wrong = problem("header", column=field)
        self.wrong.append(
            Violation(field, "header", f"{wrong.ru} · {wrong.en}", "", "", self.columns.row)
        )

    def guids(self, rows: Sequence[Row], resolve: Resolve) -> dict[int, str]:
        """Return the house of each row that has one, by the number of the row."""
        found: dict[int, str] = {}
        asked: list[tuple[Row, str]] = []
        for row in rows:
            cell = self.columns.cell(row, "house")
            address = self.columns.cell(row, "address")
            if cell:
                guid = self._try(row, "house", convert.guid, cell)
                if guid:
                    found[row.number] = guid
            elif len(address) > limits.ADDRESS_TEXT:
                told = f"{len(address)} > {limits.ADDRESS_TEXT}"
                self._add(row, "address", "address", _LONG, told)
            elif address:
                asked.append((row, address))
            else:
                self._add(row, "house", "required", _NO_HOUSE)
        texts = list(dict.fromkeys(address for _, address in asked))
        answers = dict(zip(texts, resolve(texts), strict=True)) if texts else {}
        for row, address in asked:
            answer = answers[address]
            if answer.outcome == "exact" and answer.best is not None and answer.best.house_guid:
                found[row.number] = answer.best.house_guid
            else:
                near = "; ".join(f"{c.label} [{c.guid}]" for c in answer.candidates[:_CANDIDATES])
                self._add(row, "address", "address", _DOUBT[answer.outcome], address, near)
        return found

    def served(self, row: Row, kind: str, *, optional: bool = False) -> Iterator[tuple[str, str]]:
        """Yield each kind of service that a row speaks of, with the organisation.

        optional: a row may name no service at all.
        """
        for service, place in self.columns.services.items():
            cell = self.columns.at(row, place)
            if cell:
                body = self._body(row, "", cell, self.columns.names[place])
                if body:
                    yield service, body
        if not self.names_bodies:
            return
        body = self._named(row)
        cell = self.columns.cell(row, "service")
        service = kind
        if cell:
            service = self._try(row, "service", keeper_columns.service, cell) or ""
        elif not kind and not optional and "service" in self.columns.fields:
            self._required(row, "service")
        if body and (service or (optional and not cell)):
            yield service, body

    def days(self, row: Row) -> tuple[Any, Any] | None:
        """Return the first and the last day of a row; None when one of them is wrong."""
        before = len(self.wrong)
        begins, ends = (
            self._try(row, name, keeper_columns.day, self.columns.cell(row, name))
            for name in ("valid_from", "valid_to")
        )
        if begins and ends and ends < begins:
            message = "раньше дня «действует с» · before its first day"
            self._add(row, "valid_to", "date_order", message, str(ends), f">= {begins}")
        return None if len(self.wrong) > before else (begins, ends)

    def ground(self, row: Row) -> str:
        """Return the ground of a row."""
        cell = self.columns.cell(row, "ground")
        found: str | None = self._try(row, "ground", convert.line, cell, GROUND_CHARS)
        return found or ""

    def point(self, row: Row, guid: str, source: str) -> Point | None:
        """Return where a house stands; None when the row does not say."""
        cells = {name: self.columns.cell(row, name) for name in ("lat", "lon")}
        if not any(cells.values()):
            return None
        found = []
        for (name, cell), bounds in zip(cells.items(), (LAT, LON), strict=True):
            if not cell:
                self._required(row, name)
                return None
            value = self._try(row, name, keeper_columns.coordinate, cell, bounds)
            if value is None:
                return None
            found.append(value)
        if _LON_GAP[0] < found[1] < _LON_GAP[1]:
            message = "не в России, не перепутаны ли широта и долгота · not in Russia"
            self._add(row, "lon", "range", message, cells["lon"], "19 … 180 | -180 … -168")
            return None
        return Point(house_guid=guid, lat=found[0], lon=found[1], source=source)

    def oktmo(self, row: Row) -> str:
        """Return the territory of a row, empty when it is wrong."""
        cell = self.columns.cell(row, "oktmo")
        if not cell:
            self._required(row, "oktmo")
            return ""
        found: tuple[str, bool] | None = self._try(row, "oktmo", keeper_columns.oktmo, cell)
        if found is None:
            return ""
        if found[1]:
            self._mended.append(row.number)
        return found[0]

    def given(self, row: Row, facts: R) -> Given[R]:
        """Return what a row says with whether it speaks of a last day and of a ground."""
        fields = self.columns.fields
        return Given(row.number, facts, "valid_to" in fields, "ground" in fields)

    def _named(self, row: Row) -> str:
        """Return the body that the columns of a row name, which must agree."""
        found: dict[str, str] = {}
        wrong = len(self.wrong)
        for name in ("organisation", "inn", "ogrn"):
            cell = self.columns.cell(row, name)
            if cell:
                found[self._body(row, "" if name == "organisation" else name, cell, name)] = name
        for system, place in self.columns.systems.items():
            cell = self.columns.at(row, place)
            if cell:
                found[self._body(row, system, cell, f"id:{system}")] = system
        if len(self.wrong) > wrong:
            return ""
        if len(found) > 1:
            message = "столбцы называют разные организации · columns name different bodies"
            self._add(row, "organisation", "differs", message, ", ".join(sorted(found)))
            return ""
        if not found:
            self._required(row, "organisation")
        return next(iter(found), "")

    def _body(self, row: Row, system: str, cell: str, column: str) -> str:
        key = (system, cell)
        if key not in self._bodies:
            named = (self._directory.by, system) if system else (self._directory.any,)
            found: str | None = self._try(row, column, *named, cell)
            if found is None:
                return ""
            self._bodies[key] = found
        return self._bodies[key]

    def _try(self, row: Row, field: str, read: Callable[..., Any], *given: Any) -> Any:
        """Return what a cell reads as; None, with what is wrong noted, when it cannot be read."""
        try:
            return read(*given)
        except GatewayError as error:
            for wrong in problems_of(error, self.columns.name(field)):
                self._note(keeper_columns.told(row, self.columns, field, wrong))
            return None

    def _required(self, row: Row, field: str) -> None:
        wrong = problem("required")
        self._add(row, field, "required", f"{wrong.ru} · {wrong.en}")

    def _add(
        self, row: Row, field: str, code: str, message: str, found: str = "", expected: str = ""
    ) -> None:
        place = self.columns.name(field)
        self._note(Violation(place, code, message, found[:100], expected[:500], row.number))

    def _note(self, wrong: Violation) -> None:
        """Keep what is wrong; a file that is wrong throughout is given up altogether."""
        self.wrong.append(wrong)
        if len(self.wrong) > WRONG:
            raise ValidationError(
                f"the file is given up after {WRONG} violations",
                tuple(self.wrong),
                todo="тот ли это файл, те ли столбцы · is it the right file",
            )
