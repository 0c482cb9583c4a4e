"""`gateway erase`: takes away what identifies an applicant; the facts and the chain stay."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gateway import erasure
from gateway.commands import context, output, security, times
from gateway.commands.context import Opened
from gateway.commands.register import login
from gateway.errors import ConfigurationError
from gateway.store import erasing, lookup
from gateway.store.blobs import BlobDirectory
from gateway.store.erasing import Planned, Why

app = output.app("erase", "Стереть персональные данные обращения · Erase personal data")


@app.command()
def erase(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[hold|release|holds] НОМЕР…", help="Квитанции или номера · Any numbers"
        ),
    ] = None,
    *,
    ground: Annotated[
        str, typer.Option("--ground", metavar="ОСНОВАНИЕ", help="Записывается · Recorded")
    ] = "",
    due: Annotated[
        bool, typer.Option("--due", help="Всё, чей срок хранения вышел · All that is due")
    ] = False,
    peer: Annotated[str, typer.Option(metavar="КОД", help="Чей номер · Whose number")] = "",
    by: Annotated[str, typer.Option("--by", metavar="ЛОГИН", help="Кто · Who; a login")] = "",
    commit: output.Commit = False,
    as_json: output.Json = False,
) -> None:
    """Стереть содержание и файлы, оставить факты; hold удерживает · Erase; hold keeps."""
    verb, *numbers = words or [""]
    if verb not in {"hold", "release", "holds", ""}:
        verb, numbers = "erase", [verb, *numbers]
    with context.opened(context.settings()) as gw, gw.connection() as db:
        if verb == "holds":
            _print_holds(gw, db, as_json=as_json)
            return
        if due == bool(numbers):
            raise ConfigurationError("назовите обращения или --due · name appeals, or --due")
        if verb != "release" and not due:
            _require(ground)
        found = [lookup.one(db, number, peer) for number in numbers]
        if verb in {"hold", "release"}:
            for each in found:
                if verb == "hold":
                    erasing.hold(db, each.id, login(by), ground, gw.now())
                else:
                    erasing.release(db, each.id)
            output.say(f"{verb}: {len(found)}")
            return
        blobs = BlobDirectory(gw.settings.blobs)
        why = Why(login(by), "request", ground)
        planned = (
            list(erasure.due(db, blobs, gw.settings, gw.now(), commit=commit))
            if due
            else [erasing.erase(db, blobs, f.id, why, gw.now(), commit=commit) for f in found]
        )
        if commit and planned:
            why_told = "retention" if due else "request"
            security.tell(gw, db, *(("erased", p.receipt_number, why_told) for p in planned))
    _print(planned, commit=commit, as_json=as_json)


def _require(ground: str) -> None:
    if not ground.strip():
        raise ConfigurationError(
            "нужно основание, оно записывается · a ground is needed, it is recorded",
            where="--ground",
            expected='--ground "отзыв согласия от 21.11.2026"',
        )


def _print_holds(gw: Opened, db: Any, *, as_json: bool) -> None:
    zone = times.zone_of(gw.settings)
    rows = erasing.held(db)
    if as_json:
        keys = ("appeal_id", "receipt_number", "at", "who", "ground")
        output.document([dict(zip(keys, row, strict=True)) for row in rows])
        return
    output.table(
        times.titled("Удержаны от стирания · On hold", zone),
        ("Квитанция", "С", "Кем", "Основание"),
        [(row[1] or row[0], times.shown(row[2], zone), row[3], row[4]) for row in rows],
    )


def _print(planned: list[Planned], *, commit: bool, as_json: bool) -> None:
    if as_json:
        output.document([one._asdict() | {"committed": commit} for one in planned])
        return
    output.table(
        "Стирание · Erasure",
        ("Квитанция", "Что", "Файлов", "Оставлено сборщику", "Есть ещё у · Also held by"),
        [
            (
                one.receipt_number,
                ", ".join(f"{name}: {count}" for name, count in one.counts.items()),
                one.blobs,
                one.left,
                ", ".join(one.holders),
            )
            for one in planned
        ],
    )
    output.planned(commit=commit or not planned)
