"""How `gateway house` tells what a file does, and who serves what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from gateway import keepers
from gateway.commands import output
from import_export.house_changes import Kind, spoken

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from gateway.errors import Violation
    from gateway.keepers import Keeper, Territory
    from gateway.store.keepers import Registered
    from import_export.directory import Directory

SHOWN = 200
KINDS = {
    Kind.ADDED: "новых · new",
    Kind.CHANGED: "изменено · changed",
    Kind.CLOSED: "закрыто · closed",
    Kind.SAME: "без изменений · same",
}


class Import:
    """What a file does, told to people and to machines alike."""

    def __init__(self, name: str, changes: Sequence[Any], wrong: Sequence[Violation]) -> None:
        self.name = name
        self.changes = changes
        self.wrong = sorted(wrong, key=lambda w: w.line)
        self.notes: tuple[str, ...] = ()
        self.partial = False
        self.placed = 0
        self.strange: list[str] = []

    @classmethod
    def of(cls, name: str, plan: Any, read: Any, *, partial: bool, placed: int = 0) -> Import:
        """Return what a plan and the table behind it say."""
        made = cls(name, plan.changes, (*read.wrong, *plan.wrong))
        made.notes, made.partial, made.placed = read.notes, partial, placed
        return made

    @property
    def taken(self) -> bool:
        """Whether the file may be taken: it has no mistake, or its good rows are wanted."""
        return self.partial or not self.wrong

    @property
    def differs(self) -> bool:
        """Whether the registry would be another one after it."""
        return self.taken and bool(
            self.placed or any(c.kind is not Kind.SAME for c in self.changes)
        )

    def counts(self) -> dict[str, int]:
        """Return how many rows are new, changed, closed and the same."""
        return {kind.value: sum(c.kind is kind for c in self.changes) for kind in KINDS}


def say_import(done: Import, directory: Directory, *, commit: bool, as_json: bool) -> None:
    """Say what a file does; end with exit code 2 when it is not taken, 1 when a part of it is."""
    if as_json:
        output.document(
            {
                **done.counts(), "points": done.placed, "taken": done.taken,
                "committed": commit and done.taken, "notes": done.notes,
                "wrong": [w._asdict() for w in done.wrong], "not_in_register": done.strange,
                "changes": [_told(c) for c in done.changes if c.kind is not Kind.SAME],
            }
        )  # fmt: skip
    else:
        _say(done, directory, commit=commit)
    if done.wrong:
        raise typer.Exit(output.FOUND if done.taken else output.FAILED)


def say_rows(
    title: str,
    rows: Sequence[Keeper | Territory],
    directory: Directory,
    place: str,
    day: dt.date,
    *,
    labels: Mapping[str, Registered] | None = None,
) -> None:
    """Print rows of the registry; place: heading of what is served, empty to leave it out."""
    columns = ("Услуга", "Код", "Организация", "с", "по", "Основание", "Файл", "Записано", "")
    told = []
    for row in rows:
        state = (
            f"отозвано · withdrawn {row.withdrawn_at:%d.%m.%Y}" if row.withdrawn_at
            else "действует · in force" if keepers.covers(row, day) else ""
        )  # fmt: skip
        noted = f"{row.noted_at:%d.%m.%Y} {row.by}" if row.noted_at else ""
        cells: tuple[object, ...] = (
            keepers.title_of(row.service) if row.service else "", row.organisation,
            directory.title(row.organisation), row.valid_from or "", row.valid_to or "",
            row.ground, row.source, noted.strip(), state,
        )  # fmt: skip
        if place:
            known = labels.get(row.place) if labels else None
            cells = (f"{row.place} {known.label}" if known else row.place, *cells)
        told.append(cells)
    output.table(title, (place, *columns) if place else columns, told)


def _say(done: Import, directory: Directory, *, commit: bool) -> None:
    differing = [c for c in done.changes if c.kind is not Kind.SAME]
    if differing:
        output.table(
            f"Реестр · Registry: {done.name}",
            ("Строка", "Что", "Кого", "Услуга", "Было", "Будет", "Организация"),
            [
                (
                    c.number, KINDS[c.kind], (c.after or c.before).place,
                    keepers.title_of((c.after or c.before).service),
                    spoken(c.before) if c.before else "", spoken(c.after) if c.after else "—",
                    directory.title((c.after or c.before).organisation),
                )
                for c in differing[:SHOWN]
            ],
        )  # fmt: skip
    if done.wrong:
        title = "Не взято · Left out" if done.taken else "Файл не взят · The file is not taken"
        output.table(
            f"{title}: {len(done.wrong)}",
            ("Строка", "Столбец", "Что не так", "Стоит", "Ждали"),
            [(w.line, w.path, w.message, w.found, w.expected) for w in done.wrong[:SHOWN]],
        )
    for note in done.notes:
        output.say(note)
    if done.strange:
        first = ", ".join(done.strange[:5])
        said = "нет в загруженном реестре адресов · not in the loaded register"
        output.say(f"{said}: {len(done.strange)} ({first})")
    counts = done.counts()
    output.say(", ".join(f"{said}: {counts[kind.value]}" for kind, said in KINDS.items()))
    if done.placed:
        output.say(f"координат · coordinates: {done.placed}")
    if done.taken:
        output.planned(commit=commit or not done.differs)


def _told(change: Any) -> dict[str, Any]:
    return {
        "kind": change.kind.value, "row": change.number, "before": change.before,
        "after": change.after,
    }  # fmt: skip
