"""`gateway appeals`: a person's word on appeals.

Which are one letter and which are not; what is no appeal at all; what a moderator lets through, and
what its author is asked.

Nothing is changed without `--commit`; the same is shown then as is done with it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Annotated, Any, Final
from uuid import UUID

import psycopg
import typer

from gateway import acts, merging, policies
from gateway.commands import context, output
from gateway.commands.context import Opened
from gateway.commands.register import login, read_day
from gateway.errors import ValidationError
from gateway.merging import Decision, Parted, Retold
from gateway.model.appeal import Regime
from gateway.model.events import Actor
from gateway.model.fold import clean_text
from gateway.store import letters, lookup
from gateway.store.committer import CHANNEL
from gateway.store.lookup import Found

app = output.app(
    "appeals",
    "Решения человека: слить, разъединить, признать не обращением, отдать модератору, спросить"
    " автора · A person's word: merge, take apart, say that it is none, moderate, ask its author",
)

REASON_CHARS: Final = 300
TEXT_CHARS: Final = 4000
REASON_CODE: Final = re.compile(r"[a-z][a-z0-9_.-]{0,63}")

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


@app.command()
def dismiss(
    number: Number,
    *,
    reason: Annotated[
        str, typer.Option("--reason", metavar="КОД", help="spam, abusive, other_law… · Code")
    ],
    text: Annotated[
        str, typer.Option("--text", metavar="ТЕКСТ", help="Что сказано автору · What they are told")
    ],
    regime: Annotated[
        str, typer.Option("--regime", metavar="ПОРЯДОК", help="Порядок взамен · Instead")
    ] = Regime.NOT_AN_APPEAL.value,
    by: By = "",
    peer: Peer = "",
    commit: output.Commit = False,
    as_json: output.Json = False,
) -> None:
    """Признать, что это не обращение, и закрыть · Say that it is no appeal, and close it."""
    if not REASON_CODE.fullmatch(reason):
        raise ValidationError("--reason is a code of small letters")
    if regime not in set(Regime):
        raise ValidationError(f"--regime is one of: {', '.join(Regime)}")

    def act(appeal_id: UUID, who: Actor, now: dt.datetime) -> acts.Act:
        return acts.dismissal(appeal_id, reason, regime, _words(text, "--text"), who, now)

    _act(number, peer, by, act, commit=commit, as_json=as_json)


@app.command()
def moderate(
    number: Number,
    *,
    passed: Annotated[
        bool, typer.Option("--pass/--send", help="Пропустить или на модерацию · Pass or send")
    ],
    text: Annotated[str, typer.Option("--text", metavar="ТЕКСТ", help="Замечание · Note")] = "",
    by: By = "",
    peer: Peer = "",
    commit: output.Commit = False,
    as_json: output.Json = False,
) -> None:
    """Отдать сообщение модератору или пропустить · Give a message to a moderator, or pass it."""

    def act(appeal_id: UUID, who: Actor, now: dt.datetime) -> acts.Act:
        note = _words(text, "--text") if text else ""
        return acts.moderation(appeal_id, who, now, passed=passed, text=note)

    _act(number, peer, by, act, commit=commit, as_json=as_json)


@app.command()
def ask(
    number: Number,
    *,
    text: Annotated[str, typer.Option("--text", metavar="ТЕКСТ", help="Вопрос автору · Question")],
    due: Annotated[
        str, typer.Option("--due", metavar="ГГГГ-ММ-ДД", help="До какого дня · Until")
    ] = "",
    by: By = "",
    peer: Peer = "",
    commit: output.Commit = False,
    as_json: output.Json = False,
) -> None:
    """Спросить автора сообщения · Ask the author of a message to say more."""
    until = read_day(due) if due else None

    def act(appeal_id: UUID, who: Actor, now: dt.datetime) -> acts.Act:
        return acts.clarification(appeal_id, _words(text, "--text"), until, who, now)

    _act(number, peer, by, act, commit=commit, as_json=as_json)


def _act(
    number: str,
    peer: str,
    by: str,
    act: Callable[[UUID, Actor, dt.datetime], acts.Act],
    *,
    commit: bool,
    as_json: bool,
) -> None:
    """Judge one act on one appeal; with `commit`, write it, and wake those who tell of it."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        rules, found = policies.rules(gw.settings), lookup.one(db, number, peer)
        with db.transaction():
            facts = acts.read_facts(db, [found.id], gw.now())
            made = act(found.id, acts.person(login(by)), facts.now)
            planned = acts.plan(made, facts, rules)
            if commit:
                acts.perform(db, [made], facts, rules)
                db.execute(f"NOTIFY {CHANNEL}".encode())
    state = planned.state.state.value if planned.state else found.state
    event = made.claim.type.value
    if as_json:
        told = {"appeal": _plain(found), "event": event, "state": state, "committed": commit}
        output.document(told)
        return
    output.say(f"{_named(found)}: {event} → {state}")
    output.planned(commit=commit)


def _words(text: str, where: str) -> str:
    """Return what is told to the author; raise ValidationError for nothing, or for too much."""
    words = clean_text(text, where).strip()
    if not words or len(words) > TEXT_CHARS:
        raise ValidationError(f"{where} is a text of 1 to {TEXT_CHARS} characters")
    return words


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
