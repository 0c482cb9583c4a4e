"""`gateway refusals`: calls that were turned away, and why; the caller is never told why."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.commands import context, output, times
from gateway.store import refusals

app = output.app("refusals", "Отклонённые вызовы: кто, откуда, почему · Refused calls and why")


@app.command()
def listed(
    *,
    correlation: Annotated[
        str, typer.Option(metavar="ID", help="Correlation id из отказа · of the refusal")
    ] = "",
    peer: Annotated[
        str, typer.Option(metavar="КОД", help="Кем назвался · Whom it claimed to be")
    ] = "",
    since: Annotated[str, typer.Option(metavar="КОГДА", help="2h | 2026-11-21 | instant")] = "",
    until: Annotated[str, typer.Option(metavar="КОГДА", help="2h | 2026-11-21 | instant")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Не больше · At most")] = 50,
    as_json: output.Json = False,
) -> None:
    """Показать отклонённые вызовы, сначала новые · List refused calls, the newest first."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        zone = times.zone_of(gw.settings)
        wanted = refusals.Filter(
            since=times.read(since, gw.now(), zone),
            until=times.read(until, gw.now(), zone),
            peer=peer,
            correlation=correlation,
        )
        rows = refusals.listed(db, wanted, limit)
    if as_json:
        output.document([row._asdict() for row in rows])
        return
    output.table(
        times.titled("Отклонённые вызовы · Refused calls", zone),
        ("Когда", "Кем назвался", "Откуда", "Куда", "Код", "Почему", "Correlation id"),
        [
            (
                times.shown(row.at, zone), row.peer, row.address, row.path, row.code, row.reason,
                row.correlation,
            )
            for row in rows
        ],
    )  # fmt: skip
