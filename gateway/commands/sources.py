"""`gateway sources`: the peers that are asked for what they have; how it stands with each."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.commands import context, output, times
from gateway.store import peers, sources

app = output.app("sources", "Опрашиваемые системы · Peers that are asked for what they have")


@app.command("list")
def listed(*, as_json: output.Json = False) -> None:
    """Показать, где остановились с каждой · List where we are with each."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        zone = times.zone_of(gw.settings)
        rows = sources.standing(db)
    if as_json:
        output.document([row._asdict() for row in rows])
        return
    output.table(
        times.titled("Опрашиваемые системы · Sources", zone),
        ("Система", "Вкл.", "Метка", "Спрошена", "Спросим", "Сбоев подряд", "Последний сбой"),
        [
            (
                row.peer, "да" if row.enabled else "отключена", row.cursor,
                times.shown(row.asked_at, zone),
                times.shown(row.due_at, zone) if row.enabled else "",
                str(row.failures), row.error,
            )
            for row in rows
        ],
    )  # fmt: skip


@app.command("set")
def set_cursor(
    peer: Annotated[str, typer.Argument(metavar="СИСТЕМА", help="Код · Code of the peer")],
    cursor: Annotated[
        str, typer.Argument(metavar="МЕТКА", help="Откуда читать; пусто: сначала · From where")
    ] = "",
    *,
    commit: output.Commit = False,
    as_json: output.Json = False,
) -> None:
    """Читать с другого места, сразу · Go on from another place, at once.

    Прочитанное повторно получит первые квитанции · What comes again gets its first receipts.
    """
    with context.opened(context.settings()) as gw, gw.connection() as db:
        peers.require(db, peer)
        before = next((row.cursor for row in sources.standing(db) if row.peer == peer), "")
        if commit:
            sources.set_cursor(db, peer, cursor, gw.now())
    told = {"peer": peer, "before": before, "after": cursor, "committed": commit}
    if as_json:
        output.document(told)
        return
    output.say(f"{peer}: «{before}» → «{cursor}»")
    output.planned(commit=commit)
