"""`gateway org`: the directory of organisations and the identifiers nobody has mapped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from gateway.commands import context, orgfile, output, times
from gateway.errors import NotFoundError
from gateway.model.fold import fold_id
from gateway.store import organisations

app = output.app("org", "Справочник органов и организаций · The directory of organisations")

KINDS = {"added": "новых · new", "changed": "изменено · changed", "same": "без изменений · same"}


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="ФАЙЛ", help="CSV, XLSX, JSON", dir_okay=False)],
    *,
    commit: output.Commit = False,
    as_json: output.Json = False,
) -> None:
    """Загрузить органы; повтор ничего не меняет · Load bodies; a repeat changes nothing."""
    if not file.is_file():
        raise NotFoundError("no such file", found=str(file))
    lines = orgfile.read(file.read_bytes(), file.name)
    with context.opened(context.settings()) as gw, gw.connection() as db, db.transaction():
        changes = orgfile.changes(lines, organisations.read_all(db))
        if commit:
            organisations.write(db, [c.record for c in changes if c.kind != "same"])
        left = len(organisations.unmapped(db))
    counts = {kind: sum(c.kind == kind for c in changes) for kind in KINDS}
    if as_json:
        output.document(counts | {"unmapped": left, "committed": commit})
        return
    differing = [c for c in changes if c.kind != "same"]
    if differing:
        output.table(
            f"Органы · Organisations: {file.name}",
            ("Код", "Название", "Что", "Поля"),
            [
                (c.record.id, c.record.full_name, KINDS[c.kind], ", ".join(c.fields))
                for c in differing
            ],
        )
    output.say(", ".join(f"{KINDS[kind]}: {count}" for kind, count in counts.items()))
    output.say(f"Ждут сопоставления · Identifiers not mapped: {left}")
    output.planned(commit=commit or not differing)


@app.command("map")
def map_(
    system: Annotated[str, typer.Argument(metavar="СИСТЕМА", help="sstu, medo, smev, …")],
    value: Annotated[str, typer.Argument(metavar="ИДЕНТИФИКАТОР", help="Как пишет система")],
    organisation: Annotated[str, typer.Argument(metavar="ОРГАН", help="Код в справочнике")],
    *,
    move: Annotated[
        bool, typer.Option("--move", help="Забрать у другого органа · Take it from another body")
    ] = False,
    as_json: output.Json = False,
) -> None:
    """Сопоставить идентификатор системы органу · Say which body an identifier means."""
    with context.opened(context.settings()) as gw, gw.connection() as db, db.transaction():
        before = organisations.find(db, system, value)
        organisations.map_id(db, system, value, organisation, move=move)
        left = len(organisations.unmapped(db))
    if as_json:
        output.document(
            {
                "system": system, "value": fold_id(value),
                "organisation": organisation, "before": before, "unmapped": left,
            }
        )  # fmt: skip
        return
    output.say(f"{system} {fold_id(value)} → {organisation}")
    output.say(f"Ждут сопоставления · Identifiers not mapped: {left}")


@app.command()
def unmapped(*, as_json: output.Json = False) -> None:
    """Показать идентификаторы без органа · List identifiers that nobody has mapped."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        rows = organisations.unmapped(db)
        zone = times.zone_of(gw.settings)
    if as_json:
        output.document([row._asdict() for row in rows])
        return
    output.table(
        times.titled("Не сопоставлены · Not mapped", zone),
        ("Система", "Идентификатор", "Название", "Раз", "Впервые", "Последний", "Сообщение"),
        [
            (
                r.system, r.value, r.name, r.times, times.shown(r.first_seen, zone),
                times.shown(r.last_seen, zone), r.message_id,
            )
            for r in rows
        ],
    )  # fmt: skip


@app.command("list")
def listed(*, as_json: output.Json = False) -> None:
    """Показать справочник · List the directory."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        records = organisations.read_all(db)
    if as_json:
        output.document([msgspec.to_builtins(record) for record in records.values()])
        return
    output.table(
        "Органы · Organisations",
        ("Код", "Название", "Вид", "Входит в", "Пояс", "Календарь", "Идентификаторы"),
        [
            (r.id, r.short_name or r.full_name, r.kind, r.parent, r.zone, r.calendar, _ids(r))
            for r in records.values()
        ],
    )


@app.command()
def show(
    organisation: Annotated[str, typer.Argument(metavar="ОРГАН", help="Код в справочнике")],
    *,
    as_json: output.Json = False,
) -> None:
    """Показать один орган · Show one body."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        record = organisations.read_all(db).get(organisation)
    if record is None:
        raise NotFoundError("no such organisation", found=organisation, todo="`gateway org list`")
    told = msgspec.to_builtins(record)
    if as_json:
        output.document(told)
        return
    fields = {**told, "ids": _ids(record), **record.doc}
    fields.pop("doc")
    output.table(organisation, ("Поле", "Значение"), [(k, v) for k, v in fields.items() if v])


def _ids(record: organisations.Record) -> str:
    return "; ".join(f"{system}: {', '.join(values)}" for system, values in record.ids.items())
