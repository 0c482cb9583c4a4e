"""`gateway seal`: the daily seals over what was recorded."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway import sealing
from gateway.commands import context, output, times
from gateway.store import seals

app = output.app("seal", "Дневные печати над сообщениями и событиями · Daily seals")


@app.command()
def make(*, as_json: output.Json = False) -> None:
    """Поставить печати на все закончившиеся дни · Seal all days that are over."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        zone = times.zone_of(gw.settings)
        made = list(sealing.seal_days(db, gw.settings, zone, gw.now()))
    if as_json:
        output.document([_told(seal) for seal in made])
    else:
        output.say(f"Поставлено печатей · Seals made: {len(made)}")


@app.command("list")
def listed(*, as_json: output.Json = False) -> None:
    """Показать печати · List the seals."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        zone = times.zone_of(gw.settings)
        found = seals.listed(db)
    if as_json:
        output.document([_told(seal) for seal in found])
        return
    output.table(
        times.titled("Печати · Seals", zone),
        ("День", "Поставлена", "Сообщений", "Событий", "SHA-256"),
        [
            (s.day, times.shown(s.sealed_at, zone), s.messages, s.events, s.sha256.hex())
            for s in found
        ],
    )


@app.command()
def verify(
    *,
    trusted: Annotated[
        bool,
        typer.Option(
            "--trusted/--any-signer",
            help="Издатель сертификата должен быть доверенным · Of an authority of ours",
        ),
    ] = True,
    as_json: output.Json = False,
) -> None:
    """Сверить записи с печатями: 0 - цело, 1 - нет · Hold what is stored against the seals."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        believe = sealing.believer(sealing.opened(gw.settings), trusted=trusted)
        checked = list(seals.verify(db, believe))
    faults = [fault for one in checked for fault in one.faults]
    if as_json:
        output.document(
            {
                "seals": len(checked),
                "rows": sum(one.rows for one in checked),
                "gone": sum(one.gone for one in checked),
                "faults": [fault._asdict() | {"day": str(fault.day)} for fault in faults],
            }
        )
    else:
        if faults:
            output.table(
                "Нарушения · Faults",
                ("День", "Что", "Которое", "Подробности"),
                [(fault.day, fault.kind, fault.subject, fault.detail) for fault in faults[:100]],
            )
        output.say(
            f"Печатей · Seals: {len(checked)}, записей · rows: {sum(o.rows for o in checked)}, "
            f"ушло с месяцем по сроку хранения · gone with their month:"
            f" {sum(o.gone for o in checked)}, нарушений · faults: {len(faults)}"
        )
    if faults:
        raise typer.Exit(output.FOUND)


def _told(seal: seals.Seal) -> dict[str, object]:
    return {
        "day": str(seal.day),
        "sealed_at": seal.sealed_at,
        "messages": seal.messages,
        "events": seal.events,
        "sha256": seal.sha256.hex(),
    }
