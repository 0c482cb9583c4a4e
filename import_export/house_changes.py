"""What a table does to the registry of keepers, or of territories; pure.

A row that begins later cuts what stood before it; one that contradicts what is known is told, with
both, and not taken. Nothing is overwritten: what stands no more is withdrawn, and what is left of
it is put in its place.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Generic, NamedTuple

import msgspec

from gateway.errors import Violation
from gateway.keepers import Keeper, Territory, covers, service_of
from import_export.houses import Given, R

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_DAY: Final = dt.timedelta(days=1)


class Kind(StrEnum):
    """What a row does. closed: what stood there gets a last day, or an earlier one."""

    ADDED = "added"
    CHANGED = "changed"
    CLOSED = "closed"
    SAME = "same"


class Change(NamedTuple, Generic[R]):
    """One row of the registry: as it was and as it will be; number: of the file's row."""

    kind: Kind
    number: int
    before: R | None
    after: R | None


class Plan(NamedTuple, Generic[R]):
    """What a table does, and what of it may not be done."""

    changes: tuple[Change[R], ...]
    wrong: tuple[Violation, ...]

    @property
    def withdrawn(self) -> list[R]:
        """Rows that are to be withdrawn."""
        return [c.before for c in self.changes if c.kind is not Kind.SAME and c.before is not None]

    @property
    def taken(self) -> list[R]:
        """Rows that are to be put there."""
        return [c.after for c in self.changes if c.kind is not Kind.SAME and c.after is not None]


def plan(
    given: Sequence[Given[R]],
    known: Iterable[R],
    *,
    begins: dt.date | None,
    today: dt.date,
    replace: bool = False,
) -> Plan[R]:
    """Return what the rows of a table do to what is known.

    known: rows that count, of the houses or territories of the table. begins: first day of rows
    that name none. Without it such a row is in force for all that was before, or from today where
    somebody else is known. replace: the table is right wherever it contradicts what is known.
    """
    there: dict[tuple[str, str], list[R]] = {}
    for row in known:
        there.setdefault(_key(row), []).append(row)
    together: dict[tuple[str, str], list[Given[R]]] = {}
    for item in given:
        together.setdefault(_key(item.row), []).append(item)
    changes: list[Change[R]] = []
    wrong: list[Violation] = []
    for key, items in together.items():
        rows = there.get(key, [])
        several = _several(items[0].row)
        ready = _ordered(items, rows, begins, today, several=several)
        clash = _clash(ready, several=several)
        if clash is not None:
            wrong.append(clash)
            continue
        after: dict[R, int] = dict.fromkeys(rows, 0)
        same: list[Change[R]] = []
        for item in ready:
            found = _take(item, after, several=several, replace=replace)
            if isinstance(found, Violation):
                wrong.append(found)
            elif found is not None:
                same.append(Change(Kind.SAME, item.number, found, found))
        changes += same
        changes += _compared(rows, after)
    return Plan(tuple(changes), tuple(wrong))


def overlap(one: R, other: R) -> bool:
    """Whether two rows have a day in common."""
    return _begin(one) <= _end(other) and _begin(other) <= _end(one)


def spoken(row: R) -> str:
    """Return organisation and days of a row, for people."""
    return f"{row.organisation} {row.valid_from or '…'} – {row.valid_to or '…'}"


def _ordered(
    items: list[Given[R]], known: list[R], begins: dt.date | None, today: dt.date, *, several: bool
) -> list[Given[R]]:
    """Return the rows with their first days, the earliest first, each only once."""
    found: dict[R, Given[R]] = {}
    for item in items:
        row = item.row
        if row.valid_from is None:
            own = [r for r in known if r.organisation == row.organisation]
            others = [] if several else [r for r in known if r.organisation != row.organisation]
            standing = [r for r in own if covers(r, begins or today)]
            first = standing[0].valid_from if standing else begins
            if not standing and first is None and (own or others):
                first = today
            row = msgspec.structs.replace(row, valid_from=first)
        found.setdefault(row, item._replace(row=row))
    return sorted(found.values(), key=lambda item: _begin(item.row))


def _clash(items: list[Given[R]], *, several: bool) -> Violation | None:
    """Return what is wrong with two rows of the file that speak of the same days."""
    for at, one in enumerate(items):
        for other in items[:at]:
            rivals = not several or one.row.organisation == other.row.organisation
            if rivals and overlap(one.row, other.row):
                message = (
                    f"строка {other.number} говорит о тех же днях · row {other.number} speaks of"
                    " the same days"
                )
                place = "/".join(_key(one.row))
                return Violation(
                    place, "overlap", message, spoken(one.row), spoken(other.row), one.number
                )
    return None


def _take(
    item: Given[R], after: dict[R, int], *, several: bool, replace: bool
) -> Violation | R | None:
    """Put one row of the file among those of its house and service.

    after: rows as they will be, with the row of the file that made each, 0 for none. Returns the
    row that says the same already, or why this one is not taken.
    """
    row = item.row
    same = (
        r for r in after if (r.organisation, r.valid_from) == (row.organisation, row.valid_from)
    )
    twin = next(same, None)
    if twin is not None:
        row = msgspec.structs.replace(
            row,
            valid_to=row.valid_to if item.ends else twin.valid_to,
            ground=row.ground if item.grounds else twin.ground,
        )
        if (row.valid_to, row.ground) == (twin.valid_to, twin.ground):
            return twin
    rivals = [
        r
        for r in after
        if r is not twin and (not several or r.organisation == row.organisation) and overlap(row, r)
    ]
    for rival in rivals:
        if not replace and not _gives_way(rival, row):
            message = (
                "в реестре о тех же днях сказано другое (--replace ставит файл на его место) ·"
                " the registry says otherwise of the same days"
            )
            found = f"{spoken(rival)} ({rival.source})"
            place = "/".join(_key(row))
            return Violation(place, "known", message, spoken(row), found, item.number)
    for rival in rivals:
        del after[rival]
        after.update(dict.fromkeys(_left(rival, row, behind=replace), item.number))
    if twin is not None:
        del after[twin]
    after[row] = item.number
    return None


def _gives_way(rival: R, row: R) -> bool:
    """Whether a row of the registry yields to a new one without being asked.

    It does when the new one begins later, or on the same day (a correction), unless its own last
    day, which somebody noted, is later than that of the new one: who has the house then?
    """
    return _begin(rival) <= _begin(row) and (rival.valid_to is None or rival.valid_to <= _end(row))


def _left(rival: R, row: R, *, behind: bool) -> list[R]:
    """Return what is left of a row where another takes some of its days.

    behind: what it has after the other stays, too.
    """
    found: list[R] = []
    if row.valid_from is not None and _begin(rival) < row.valid_from:
        found.append(msgspec.structs.replace(rival, valid_to=row.valid_from - _DAY))
    if behind and row.valid_to is not None and _end(rival) > row.valid_to:
        found.append(msgspec.structs.replace(rival, valid_from=row.valid_to + _DAY))
    return found


def _compared(before: list[R], after: dict[R, int]) -> list[Change[R]]:
    """Return what differs between the rows of a house and service as they were and will be."""
    gone = [row for row in before if row not in after]
    number = max(after.values(), default=0)
    found: list[Change[R]] = []
    for row in sorted((r for r in after if r not in before), key=_begin):
        was = next((g for g in gone if _begin(g) == _begin(row)), None)
        kind = Kind.ADDED
        if was is not None:
            gone.remove(was)
            shorter = was.organisation == row.organisation and _end(row) < _end(was)
            kind = Kind.CLOSED if shorter else Kind.CHANGED
        found.append(Change(kind, after[row], was, row))
    found += [Change(Kind.CHANGED, number, row, None) for row in gone]
    return found


def _several(row: Keeper | Territory) -> bool:
    """Whether a house may have several organisations of this service; a territory never has."""
    service = service_of(row.service) if isinstance(row, Keeper) else None
    return service is not None and service.several


def _key(row: R) -> tuple[str, str]:
    return row.place, row.service


def _begin(row: R) -> dt.date:
    return row.valid_from or dt.date.min


def _end(row: R) -> dt.date:
    return row.valid_to or dt.date.max
