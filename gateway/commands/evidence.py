"""`gateway evidence`: prove what was received, what was sent, when, and what was answered."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
import typer
from rich.markup import escape

from gateway import casefile, sealing
from gateway import evidence as proof
from gateway.commands import context, output, security
from gateway.commands.context import Opened
from gateway.commands.messages import Full, Ground, recorded
from gateway.disclosure import Level
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
    export: Annotated[
        Path | None,
        typer.Option("--export", metavar="FILE.zip", help="Дело в файл · A case file"),
    ] = None,
    level: Annotated[
        Level, typer.Option("--level", help="Сколько раскрыть в файле · How much the file shows")
    ] = Level.FULL,
    without_personal: Annotated[
        bool, typer.Option("--without-personal", help="То же, что --level problem_only · The same")
    ] = False,
    as_json: output.Json = False,
) -> None:
    """Показать всё об обращении: что, когда, от кого, ответ дословно · Prove what happened."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        found = lookup.one(db, appeal, peer)
        if export is not None:
            if without_personal and level is Level.FULL:
                level = Level.PROBLEM_ONLY
            _export(gw, db, found, export, level, ground)
            return
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


def _export(
    gw: Opened, db: Any, found: lookup.Found, target: Path, level: Level, ground: str
) -> None:
    """Write a case file; one in full needs a ground and is recorded before it is written."""
    if level is Level.FULL:
        recorded(gw, "evidence --export", found.receipt_number, ground)
    members, about = casefile.collect(db, BlobDirectory(gw.settings.blobs), found.id, level)
    now = gw.now()
    sign = sealing.signer(gw.settings, now) if gw.settings.seal_with else None
    data = casefile.pack(members, {**about, "made_at": now.isoformat()}, sign)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    security.tell(gw, db, ("exported", found.receipt_number, ground or level.value))
    output.say(f"{target}: {len(members)} · {len(data)} B")


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
