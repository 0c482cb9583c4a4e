"""Puts the cells of one row into the tree of an appeal, by the columns of a profile."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway import limits
from gateway.errors import GatewayError
from gateway.model.fold import nfc, number_key
from gateway.model.intake import ahead, expected
from import_export import convert
from import_export.csvout import unguard
from import_export.fields import Field, add_extra, plant, plant_beside
from import_export.reasons import Problem, problem, problems_of, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from import_export.profile import Column, Profile


class _Plan(NamedTuple):
    """What is to be done with the cells of one column."""

    name: str
    column: Column | None
    field: Field | None
    read: Callable[[str], Any] | None


class Cells:
    """The columns of a table's header, ready to read rows."""

    def __init__(
        self, profile: Profile, header: Sequence[str], peer: str, now: datetime | None = None
    ) -> None:
        self._profile = profile
        self._now = now
        self._peer = peer
        self._plans = [self._plan(name) for name in header]
        self._places = {plan.name: at for at, plan in enumerate(self._plans) if plan.column}
        self._key = [(name, self._places[name]) for name in profile.key.columns]
        self._rows = profile.table.questions == "rows"

    def key(self, cells: Sequence[str]) -> str:
        """Return the external id; empty when a part of it is."""
        parts = [self._cell(cells[at]).strip(" \u00a0\t\r\n") for _, at in self._key]
        key = self._profile.key.separator.join(parts) if all(parts) else ""
        return nfc(key)

    def revision(self, cells: Sequence[str]) -> int:
        """Return the revision that the row or the profile names; 1 when the content decides."""
        name = self._profile.revision_column
        if not name or name not in self._places:
            fixed = self._profile.key.revision
            return fixed if isinstance(fixed, int) else 1
        value = convert.integer(self._cell(cells[self._places[name]]) or "1")
        if value < 1:
            raise refuse("range", str(value), "1, 2, …", name)
        return value

    def fill(
        self, tree: dict[str, Any], cells: Sequence[str], ordinal: int, seen: dict[str, str]
    ) -> list[Problem]:
        """Plant the row's cells into the tree; return what is wrong with them.

        ordinal: which question of the appeal the row is. seen: column → cell of the appeal's
        earlier rows, with which this one must agree where it says anything.
        """
        found = self._key_problems(cells)
        if ordinal == 1:
            for field, value in self._profile.default_fields:
                plant(tree, field, value, 1)
        for plan, given in zip(self._plans, cells, strict=True):
            cell = self._cell(given)
            if not cell:
                if plan.column and plan.column.required and not (ordinal > 1 and plan.name in seen):
                    found.append(problem("required", column=plan.name))
                continue
            try:
                self._take(tree, plan, cell, ordinal, seen)
            except GatewayError as error:
                found += problems_of(error, plan.name)
        return found

    def _take(
        self, tree: dict[str, Any], plan: _Plan, cell: str, ordinal: int, seen: dict[str, str]
    ) -> None:
        if plan.column is None:
            if self._profile.table.unknown_columns == "extra":
                add_extra(
                    tree, self._peer, plan.name, convert.text(cell), ordinal if self._rows else None
                )
            return
        if plan.field is None or plan.read is None:
            return
        if ordinal > 1 and not plan.field.per_row:
            before = seen.get(plan.name)
            if before is not None:
                if before != cell and plan.name not in self._profile.key.columns:
                    raise refuse("differs", cell, before)
                return
        seen[plan.name] = cell
        split = plan.column.split
        parts = [p for p in map(str.strip, cell.split(split)) if p] if split else [cell]
        for part, text in enumerate(parts):
            value = plan.read(text)
            if self._now is not None and isinstance(value, date) and plan.field.past:
                _check_past(value, text, self._now)
            plant(tree, plan.field, value, ordinal, part)
            if plan.field.key_name and isinstance(value, str):
                plant_beside(tree, plan.field, number_key(value), ordinal, part)

    def _key_problems(self, cells: Sequence[str]) -> list[Problem]:
        found = []
        for name, at in self._key:
            column = self._plans[at].column
            cell = self._cell(cells[at])
            if not cell and not (column and column.required):
                found.append(problem("required", column=name))
            elif cell:
                try:
                    convert.line(cell, limits.ID_CHARS)
                except GatewayError as error:
                    if not self._plans[at].field:
                        found += problems_of(error, name)
        try:
            self.revision(cells)
        except GatewayError as error:
            found += problems_of(error, self._profile.revision_column)
        key = self.key(cells)
        if len(key) > limits.ID_CHARS:
            found.append(
                problem(
                    "cell_large",
                    column=self._key[0][0],
                    found=str(len(key)),
                    expected=str(limits.ID_CHARS),
                )
            )
        return found

    def _cell(self, given: str) -> str:
        """Return the cell, empty when it holds only spaces or a word that means "empty"."""
        if self._profile.table.guarded:
            given = unguard(given)
        if not given or given.isspace():
            return ""
        if self._profile.empty and convert.fold_word(given) in self._profile.empty:
            return ""
        return given

    def _plan(self, header: str) -> _Plan:
        column = self._profile.by_header.get(convert.fold_word(header))
        if column is None:
            return _Plan(header, None, None, None)
        field = self._profile.fields.get(column.name)
        read = self._reader(column) if field else None
        return _Plan(column.name, column, field, read)

    def _reader(self, column: Column) -> Callable[[str], Any]:
        profile, kind = self._profile, self._profile.kind(column)
        days, moments = column.days or profile.table.days, column.moments or profile.table.moments
        match kind:
            case "day":
                return lambda cell: convert.day(cell, days)
            case "moment":
                return lambda cell: convert.moment(cell, moments, profile.zone)
            case "bool":
                booleans = profile.booleans
                return lambda cell: convert.boolean(cell, booleans)
            case "digits":
                return lambda cell: convert.digits(cell, column.lengths)
            case "oktmo":
                return lambda cell: convert.oktmo(cell, pad=column.pad)
            case "word":
                words = profile.words(column)
                expected = tuple(column.words) or tuple(dict.fromkeys(words.values()))
                return lambda cell: convert.word(cell, words, expected)
            case "code":
                words = profile.words(column)
                return lambda cell: _code(column, words, cell)
        return _PLAIN[kind]


_PLAIN: dict[str, Callable[[str], Any]] = {
    "text": convert.text,
    "line": convert.line,
    "number": convert.line,
    "int": convert.integer,
    "decimal": convert.decimal,
    "guid": convert.guid,
}


def _check_past(moment: date, cell: str, now: datetime) -> None:
    if ahead(moment, now):
        raise refuse("future", cell, expected(now))


def _code(column: Column, words: dict[str, str], cell: str) -> dict[str, str]:
    """Return a code as the partner spells it, or as the profile translates the word."""
    spelled = convert.line(cell, limits.ID_CHARS)
    value = words.get(convert.fold_word(spelled), spelled)
    found = {"system": column.system, "value": value}
    if value != spelled:
        found["label"] = spelled
    if column.version:
        found["version"] = column.version
    return found
