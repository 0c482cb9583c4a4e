"""`gateway evidence`: prove what was received, what was sent, when, and what was answered."""

from __future__ import annotations

from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
import typer
from rich.markup import escape

from gateway import evidence as proof
from gateway.commands import context, output
from gateway.commands.messages import Full, Ground, recorded
from gateway.store import lookup
from gateway.store.blobs import BlobDirectory

app = output.app("evidence", "Доказать, что принято, отправлено и отвечено · Prove what happened")

KINDS = {
    "received": "принято · received",
    "event": "событие · event",
    "owed": "к отправке · owed",
    "sent": "отправлено · sent",
    "answered": "ответ системы · answered",
}


@app.command()
def evidence(
    appeal: Annotated[
        str,
        typer.Argument(metavar="НОМЕР", help="Квитанция, внешний или рег. номер · Any number"),
    ],
    *,
    peer: Annotated[str, typer.Option(metavar="КОД", help="Чей номер · Whose number")] = "",
    full: Full = False,
    ground: Ground = "",
    as_json: output.Json = False,
) -> None:
    """Показать всё об обращении: что, когда, от кого, ответ дословно · Prove what happened."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        found = lookup.one(db, appeal, peer)
        told = proof.gather(db, BlobDirectory(gw.settings.blobs), found)
        if full:
            recorded(gw, "evidence", found.receipt_number, ground)
        zone = ZoneInfo(gw.settings.zone)
    if as_json:
        pieces = [_document(piece, full=full) for piece in told.pieces]
        whole = msgspec.structs.asdict(msgspec.structs.replace(told, pieces=()))
        output.document(whole | {"pieces": pieces})
        return
    screen = output.console()
    screen.print(
        escape(f"{told.receipt_number}  {told.peer} {told.external_id}  {told.state}"),
        style="bold",
        soft_wrap=True,
    )
    for piece in told.pieces:
        _print(screen, piece, zone, full=full)


def _document(piece: proof.Piece, *, full: bool) -> dict[str, Any]:
    values = msgspec.structs.asdict(piece)
    values["size"] = None if piece.data is None else len(piece.data)
    values["data"] = proof.shown(piece, full=full)
    return values


def _print(screen: Any, piece: proof.Piece, zone: ZoneInfo, *, full: bool) -> None:
    at = piece.at.astimezone(zone).isoformat(sep=" ", timespec="milliseconds")
    line = f"{at}  {KINDS[piece.kind]}: {piece.who} {piece.what}"
    screen.print(escape(line), soft_wrap=True)
    rest = {k: v for k, v in piece.details.items() if v not in ("", None, {}, [])}
    if piece.sha256:
        rest["sha256"] = piece.sha256
    told = msgspec.json.encode(rest, enc_hook=str).decode()
    screen.print(escape(f"    {piece.id}  {told}"), soft_wrap=True)
    text = proof.shown(piece, full=full)
    if text:
        screen.print(escape(f"    {text}"), soft_wrap=True)
