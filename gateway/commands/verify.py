"""`gateway verify`: is what is stored what happened."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import msgspec
import psycopg
import typer
from rich.progress import Progress

from gateway import casefile, sealing
from gateway.commands import context, output
from gateway.settings import Settings
from gateway.store import lookup, verification
from gateway.store.verification import Fault, Verified

app = output.app("verify", "Проверить цепочки, содержание, проекции · Verify everything stored")

SHOWN = 100


@app.command()
def verify(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE.zip]", help="Дело вместо базы · A case file instead"),
    ] = None,
    *,
    authority: Annotated[
        list[Path] | None,
        typer.Option("--authority", metavar="CA.pem", help="Кому верить · Whom to believe"),
    ] = None,
    appeal: Annotated[
        list[str] | None, typer.Option(metavar="НОМЕР", help="Только эти · Only these")
    ] = None,
    rebuild: Annotated[
        bool,
        typer.Option("--rebuild", help="Построить проекции заново · Make projections again"),
    ] = False,
    commit: output.Commit = False,
    as_json: output.Json = False,
) -> None:
    """Проверить цепочки, содержание и проекции: 0 - цело, 1 - нет · Verify everything stored."""
    if file is not None:
        _verify_file(file, authority or [], as_json=as_json)
        return
    with context.opened(context.settings()) as gw, gw.connection() as db:
        named = [lookup.one(db, number).id for number in appeal or ()]
        found = _walk(db, named)
        broken = list(dict.fromkeys(f.appeal_id for f in found.faults if f.kind == "projection"))
        rebuilt = 0
        if rebuild and commit:
            for appeal_id in broken:
                verification.rebuild(db, appeal_id)
                rebuilt += 1
    left = [f for f in found.faults if f.kind != "projection" or not (rebuild and commit)]
    _print(found, rebuilt, as_json=as_json)
    if rebuild and not as_json:
        output.planned(commit=commit or not broken)
    if left:
        raise typer.Exit(output.FOUND)


def _verify_file(file: Path, authorities: list[Path], *, as_json: bool) -> None:
    """Verify a case file alone: no database is opened and no settings are read."""
    alone = Settings(trusted_authorities=tuple(map(str, authorities)), revocation_required=False)
    found = casefile.verify(file, sealing.opened(alone), trusted=bool(authorities))
    if as_json:
        output.document(msgspec.structs.asdict(found))
    else:
        for fault in found.faults[:SHOWN]:
            output.say(f"НАРУШЕНО · BROKEN: {fault}")
        for note in found.notes:
            output.say(note)
        if found.signed_by:
            doubt = "" if authorities else " (доверие не проверялось · trust was not asked)"
            output.say(f"Подписал · Signed by: {found.signed_by}{doubt}")
        for sealer in found.sealed_by:
            output.say(f"Печати поставил · Sealed by: {sealer}")
        states = ", ".join(f"{state}: {count}" for state, count in found.contents.items())
        output.say(
            f"{found.receipt_number}: событий · events: {found.events}, содержаний · contents:"
            f" {states or 0}, печатей · seals: {found.seals}"
        )
        whole = (
            "Цело · Whole"
            if found.signed_by
            else "Цело, но не подписано: собрать такое мог кто угодно · Whole, yet unsigned:"
            " anybody could have made it"
        )
        output.say(f"Нарушений · Faults: {len(found.faults)}" if found.faults else whole)
    if found.faults:
        raise typer.Exit(output.FOUND)


def _walk(db: psycopg.Connection[Any], named: list[UUID]) -> Verified:
    if named:
        return verification.verify(db, named)
    parts: list[Verified] = []
    count = db.execute("SELECT count(*) FROM appeal").fetchone()
    with Progress(console=output.console(stderr=True), transient=True) as progress:
        task = progress.add_task("Обращения · Appeals", total=count[0] if count else None)
        for ids in verification.batches(db):
            parts.append(verification.verify(db, ids))
            progress.advance(task, len(ids))
    gone = verification.lost(db)
    return verification.total([*parts, Verified(0, 0, 0, 0, tuple(gone))])


def _print(found: Verified, rebuilt: int, *, as_json: bool) -> None:
    kinds = Counter(fault.kind for fault in found.faults)
    if as_json:
        output.document(
            {
                **{
                    name: getattr(found, name)
                    for name in ("appeals", "events", "contents", "erased")
                },
                "faults": dict(kinds),
                "rebuilt": rebuilt,
                "found": [fault._asdict() for fault in found.faults[:SHOWN]],
            }
        )
        return
    if found.faults:
        output.table(
            "Нарушения · Faults",
            ("Квитанция", "Что", "Подробности"),
            [_line(fault) for fault in found.faults[:SHOWN]],
        )
    output.say(
        f"Обращений · appeals: {found.appeals}, событий · events: {found.events}, "
        f"содержаний · contents: {found.contents}, стёрто · erased: {found.erased}"
    )
    if rebuilt:
        output.say(f"Построено заново · Rebuilt: {rebuilt}")
    verdict = ", ".join(f"{kind}: {count}" for kind, count in kinds.items())
    output.say(f"Нарушений · Faults: {verdict}" if verdict else "Всё цело · All is whole")


def _line(fault: Fault) -> tuple[str, str, str]:
    return (fault.receipt_number or str(fault.appeal_id), fault.kind, fault.detail)
