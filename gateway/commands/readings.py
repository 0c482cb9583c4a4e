"""`gateway readings`: the register of who saw personal data; looking into it is recorded too."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from gateway.commands import context, output, times
from gateway.commands.register import login
from gateway.store import lookup, readings
from import_export.csvout import csv_line

app = output.app("readings", "Кто и что читал · The register of who saw personal data")


@app.command()
def listed(
    *,
    appeal: Annotated[
        str, typer.Option(metavar="НОМЕР", help="Об одном обращении · Of one appeal")
    ] = "",
    who: Annotated[str, typer.Option(metavar="КТО", help="Логин или peer:код · Login")] = "",
    since: Annotated[
        str, typer.Option("--from", metavar="КОГДА", help="2h | 2026-11-21 | instant")
    ] = "",
    until: Annotated[
        str, typer.Option("--to", metavar="КОГДА", help="2h | 2026-11-21 | instant")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="Не больше · At most")] = 1_000,
    as_csv: Annotated[bool, typer.Option("--csv", help="Таблицей · As a table")] = False,
    as_json: output.Json = False,
) -> None:
    """Показать журнал прочтений, сначала новые · List who read what, the newest first.

    Об одном обращении – и то, что было отправлено · Of one appeal also what was sent of it.
    """
    with context.opened(context.settings()) as gw, gw.connection() as db:
        zone = times.zone_of(gw.settings)
        subjects: tuple[str, ...] = ()
        found = lookup.one(db, appeal) if appeal else None
        if found is not None:
            ids = db.execute("SELECT id::text FROM message WHERE appeal_id = $1", (found.id,))
            subjects = (found.receipt_number, str(found.id), *(row[0] for row in ids))
        window = (times.read(since, gw.now(), zone), times.read(until, gw.now(), zone))
        readings.record(
            db, at=gw.now(), who=login(""), role="command", what="readings",
            subject=subjects[0] if subjects else "*",
        )  # fmt: skip
        rows = list(
            readings.listed(
                db, since=window[0], until=window[1], subjects=subjects, who=who, limit=limit
            )
        )
        if found is not None:
            rows += readings.sent(
                db, found.id, subjects[0], since=window[0], until=window[1], who=who, limit=limit
            )
            rows = sorted(rows, reverse=True)[:limit]
    if as_json:
        output.document([row._asdict() for row in rows])
        return
    if as_csv:
        sys.stdout.write(csv_line(readings.Reading._fields))
        for row in rows:
            cells = (str(row.id), row.at.astimezone(zone).isoformat(), *row[2:])
            sys.stdout.write(csv_line(cells))
        return
    output.table(
        times.titled("Прочтения · Readings", zone),
        ("Когда", "Кто", "Роль", "Что", "О чём", "Основание", "Откуда"),
        [
            (
                times.shown(r.at, zone), r.who, r.role, r.what, r.subject, r.ground, r.address,
            )
            for r in rows
        ],
    )  # fmt: skip
