"""`gateway appeals`: which appeals are one letter, and a person's word when they are, or are not.

Nothing is changed without `--commit`; the same is shown then as is done with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final

import psycopg
import typer

from gateway import acts, merging, policies
from gateway.commands import context, output
from gateway.commands.context import Opened
from gateway.commands.register import login
from gateway.errors import ValidationError
from gateway.merging import Decision, Parted, Retold
from gateway.model.fold import clean_text
from gateway.store import letters, lookup
from gateway.store.committer import CHANNEL
from gateway.store.lookup import Found

app = output.app("appeals", "Слияние и разъединение обращений · Merging and taking apart")

REASON_CHARS: Final = 300

Number = Annotated[
    str, typer.Argument(metavar="НОМЕР", help="Квитанция, внешний или рег. номер · Any number")
]
Peer = Annotated[str, typer.Option(metavar="КОД", help="Чей номер · Whose number")]
Reason = Annotated[
    str,
    typer.Option(
        "--reason", metavar="ПОЧЕМУ", help="Без персональных данных · Why; no personal data"
    ),
]
By = Annotated[
    str, typer.Option("--by", metavar="ЛОГИН", help="Кто решил, не ФИО · Who; a login, no name")
]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Не больше · At most")]


@app.command()
def twins(*, limit: Limit = 50, as_json: output.Json = False) -> None:
    """Показать возможных двойников: решает человек · Show what may be one letter; you decide."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        found = letters.twins(db, limit)
    if as_json:
        output.document({"twins": [row._asdict() for row in found]})
        return
    output.table(
        "Возможные двойники · Possible twins",
        ("Квитанция", "Система", "Отправитель письма", "Другая", "Система", "Отправитель письма",
         "Письмо", "Дата"),
        [
            (
                row.receipt_number, f"{row.peer} {row.external_id}", _senders(row.senders),
                row.other_receipt, f"{row.other_peer} {row.other_external}",
                _senders(row.other_senders), row.number, row.date,
            )
            for row in found
        ],
    )  # fmt: skip
    if found:
        output.say(
            "Одно и то же · One: gateway appeals merge КВИТАНЦИЯ --into ДРУГАЯ; "
            "разное · two: gateway appeals unmerge КВИТАНЦИЯ --from ДРУГАЯ"
        )


@app.command("merged")
def list_merged(
    number: Annotated[str, typer.Argument(metavar="НОМЕР", help="Только его · Only this")] = "",
    *,
    limit: Limit = 50,
    as_json: output.Json = False,
) -> None:
    """Показать слияния: по какому ключу и кем · Show mergers, by which key and by whom."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        found = letters.merged(db, lookup.one(db, number).id if number else None, limit)
    if as_json:
        output.document({"merged": [row._asdict() for row in found]})
        return
    output.table(
        "Слияния · Mergers",
        ("Квитанция", "Система", "Продолжает", "Система", "Письмо", "Чьё", "Кто", "Когда"),
        [_merger(row) for row in found],
    )


@app.command()
def merge(
    number: Number,
    *,
    into: Annotated[str, typer.Option("--into", metavar="НОМЕР", help="Которое продолжает")],
    reason: Reason,
    by: By = "",
    peer: Peer = "",
    commit: output.Commit = False,
    as_json: output.Json = False,
) -> None:
    """Слить обращение с другим, которое продолжает · Merge an appeal into one that goes on."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        found, other = lookup.one(db, number, peer), lookup.one(db, into)
        rules, decision = policies.rules(gw.settings), _decision(gw, reason, by)
        _decide(db, lambda: merging.merge(db, found.id, other.id, decision, rules), commit=commit)
    if as_json:
        output.document({"appeal": _plain(found), "into": _plain(other), "committed": commit})
        return
    done = "Слито · Merged" if commit else "Будет слито · To be merged"
    output.say(f"{done}: {_named(found)} → {_named(other)}")
    output.planned(commit=commit)


@app.command()
def unmerge(
    number: Number,
    *,
    reason: Reason,
    other: Annotated[
        str,
        typer.Option("--from", metavar="НОМЕР", help="От какого, если их несколько · From which"),
    ] = "",
    by: By = "",
    peer: Peer = "",
    commit: output.Commit = False,
    as_json: output.Json = False,
) -> None:
    """Разъединить навсегда, или признать разными · Take apart for good, or say they are two."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        found = lookup.one(db, number, peer)
        apart = lookup.one(db, other).id if other else None
        rules, decision = policies.rules(gw.settings), _decision(gw, reason, by)
        parted = _decide(
            db, lambda: merging.unmerge(db, found.id, apart, decision, rules), commit=commit
        )
        stayed = lookup.one(db, str(parted.other))
    if as_json:
        output.document(
            {
                "appeal": _plain(found),
                "from": _plain(stayed),
                "merged": parted.merged,
                "retold": [told._asdict() for told in parted.retold],
                "committed": commit,
            }
        )
        return
    _say_parted(found, stayed, parted, commit=commit)


def _decide(db: psycopg.Connection[Any], act: Callable[[], Any], *, commit: bool) -> Any:
    """Carry out a decision in one transaction, which is given up unless it is to be kept."""
    with db.transaction(force_rollback=not commit):
        result = act()
        db.execute(f"NOTIFY {CHANNEL}".encode())
    return result


def _decision(gw: Opened, reason: str, by: str) -> Decision:
    ground = clean_text(reason, "--reason").strip()
    if not ground or len(ground) > REASON_CHARS or "\n" in ground:
        raise ValidationError(f"the reason is one line of 1 to {REASON_CHARS} characters")
    return Decision(by=acts.person(login(by)), ground=ground, now=gw.now())


def _say_parted(found: Found, stayed: Found, parted: Parted, *, commit: bool) -> None:
    if parted.merged:
        done = "Разъединены · Apart" if commit else "Будут разъединены · To be taken apart"
    else:
        done = "Признаны разными · Two" if commit else "Будут признаны разными · To be said two"
    output.say(f"{done}: {_named(found)}, {_named(stayed)}")
    if parted.retold:
        output.table(
            "Сказано о первом, пока было слито; проверьте второе · Told of the first while merged: "
            "look through the second",
            ("Сообщение", "Что", "Ключ", "Теперь", "Почему"),
            [_retold(told) for told in parted.retold],
        )
    output.planned(commit=commit)


def _retold(told: Retold) -> tuple[object, ...]:
    return told.message_id, told.operation, told.key, told.applied or "failed", told.reason


def _merger(row: Any) -> tuple[object, ...]:
    told, actor = row.body.get("payload", {}), row.body.get("actor", {})
    return (
        row.receipt_number, f"{row.peer} {row.external_id}",
        row.other_receipt, f"{row.other_peer} {row.other_external}",
        f"{told.get('number', '')} {told.get('date', '')}", told.get("sender", ""),
        f"{actor.get('kind', '')}:{actor.get('id', '')}", row.recorded_at,
    )  # fmt: skip


def _senders(words: list[str] | None) -> str:
    return ", ".join(words or ()) or "не назван · not told"


def _named(found: Found) -> str:
    return f"{found.receipt_number} ({found.peer} {found.external_id})"


def _plain(found: Found) -> dict[str, str]:
    return {
        "id": str(found.id),
        "receipt_number": found.receipt_number,
        "peer": found.peer,
        "external_id": found.external_id,
    }
