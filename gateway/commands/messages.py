"""`gateway messages`: what came in, and what became of it in every room."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import psycopg
import typer
from rich.markup import escape

from gateway import audit, masking
from gateway.commands import context, explaining, output, redecode, times
from gateway.commands.context import Opened
from gateway.commands.register import login
from gateway.errors import (
    ConfigurationError,
    ConflictError,
    NotFoundError,
    ValidationError,
)
from gateway.store import lookup, messages, peers, readings, refusals
from gateway.store.blobs import BlobDirectory

app = output.app(
    "messages",
    "Принятые сообщения и их судьба · What came in and what became of it",
    default="list",
)

STAGES = ("accepted", "applied", "late", "conflict", "refused", "undecodable", "parked")

Id = Annotated[
    str, typer.Argument(metavar="ID", help="Номер сообщения или correlation id · Either id")
]
Full = Annotated[
    bool,
    typer.Option(
        "--full", help="С персональными данными; просмотр записывается · Unmasked; it is recorded"
    ),
]
Ground = Annotated[str, typer.Option("--ground", help="Зачем · Why, for the record")]


@app.command("list")
def listed(
    *,
    peer: Annotated[str, typer.Option(metavar="КОД", help="От кого · From whom")] = "",
    stage: Annotated[
        str,
        typer.Option(help=" ".join(STAGES)),
    ] = "",
    external_id: Annotated[
        str, typer.Option(metavar="КЛЮЧ", help="Внешний номер или MessageKey · Key of the call")
    ] = "",
    number: Annotated[
        str, typer.Option(metavar="НОМЕР", help="Любой номер обращения · Any number of an appeal")
    ] = "",
    correlation: Annotated[
        str, typer.Option(metavar="ID", help="Correlation id из ответа · of the answer")
    ] = "",
    since: Annotated[str, typer.Option(metavar="КОГДА", help="2h | 2026-11-21 | instant")] = "",
    until: Annotated[str, typer.Option(metavar="КОГДА", help="2h | 2026-11-21 | instant")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Не больше · At most")] = 50,
    as_json: output.Json = False,
) -> None:
    """Показать последние сообщения · List messages, the newest first."""
    if stage and stage not in STAGES:
        raise ValidationError(f"нет такой стадии · no such stage: {stage} ({' | '.join(STAGES)})")
    with context.opened(context.settings()) as gw, gw.connection() as db:
        if peer:
            peers.require(db, peer)
        zone = times.zone_of(gw.settings)
        wanted = messages.Filter(
            since=times.read(since, gw.now(), zone),
            until=times.read(until, gw.now(), zone),
            peer=peer,
            stage=stage,
            correlation=correlation,
        )
        if number or external_id:
            wanted = _about(db, wanted, number, external_id)
        rows = messages.listed(db, wanted, limit)
        turned_away = correlation and refusals.listed(
            db, refusals.Filter(correlation=correlation), 1
        )
    if as_json:
        output.document([told(row) for row in rows])
        return
    output.table(
        times.titled("Сообщения · Messages", zone),
        (
            "Принято", "Сообщение", "Система", "Провод", "Операция", "Ключ", "Стадия",
            "Разбор", "Обращение", "Состояние", "Доставки",
        ),
        [
            (
                times.shown(row.recorded_at, zone), row.id, row.peer, row.wire, row.operation,
                row.key, _stage(row), _triage(row), row.receipt_number, row.state,
                row.deliveries,
            )
            for row in rows
        ],
    )  # fmt: skip
    if turned_away:
        output.say(
            f"Вызов отклонён · The call was refused: gateway refusals --correlation {correlation}"
        )


@app.command()
def show(
    message: Id, *, full: Full = False, ground: Ground = "", as_json: output.Json = False
) -> None:
    """Показать одно сообщение со всем, что за ним последовало · Show one message and its fate."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        zone = times.zone_of(gw.settings)
        row = _one(db, message)
        blobs = BlobDirectory(gw.settings.blobs)
        body = messages.body(db, blobs, row.id)
        events = deliveries = ()  # type: Sequence[Any]
        if row.appeal_id is not None:
            events = messages.events(db, row.appeal_id, row.id)
            deliveries = messages.deliveries(db, row.appeal_id, row.id)
        if full:
            recorded(gw, "messages show", str(row.id), ground)
    shown = body.decode("utf-8", "replace") if full else masking.document(body, row.media_type)
    document = told(row) | {
        "size": messages.cut(row) or len(body),
        "kept": len(body),
        "body": shown,
        "events": [event._asdict() for event in events],
        "deliveries": [delivery._asdict() for delivery in deliveries],
    }
    if as_json:
        output.document(document)
        return
    plain = {k: v for k, v in told(row).items() if v not in ("", None)}
    if messages.cut(row):
        plain["stage"] = _stage(row)
        plain["kept"] = f"{len(body)} / {messages.cut(row)} B"
    plain["note"] = msgspec.json.encode(plain.get("note")).decode()
    plain = times.local(plain, zone)
    output.table(f"Сообщение · Message {row.id}", ("Поле", "Значение"), list(plain.items()))
    _tables(events, deliveries, zone)
    output.console().print(escape(shown), soft_wrap=True)


@app.command()
def explain(
    message: Id, *, full: Full = False, ground: Ground = "", as_json: output.Json = False
) -> None:
    """Объяснить, что в сообщении не так и где · Explain what is wrong with a message, and where."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        row = _one(db, message)
        messages.require_whole(row)
        if full:
            recorded(gw, "messages explain", str(row.id), ground)
        violations = explaining.explained(gw, db, row)
    shown = [v if full else v._replace(found=masked(v.found)) for v in violations]
    if as_json:
        output.document({"message": str(row.id), "violations": [v._asdict() for v in shown]})
    elif shown:
        output.table(
            f"Нарушения · Violations: {row.id}",
            ("Место", "Строка", "Код", "Что не так", "Найдено", "Ожидалось"),
            [(v.path, v.line or "", v.code, v.message, v.found, v.expected) for v in shown],
        )
    else:
        ours = row.wire in redecode.HTTP
        output.say(
            "Контракту соответствует · It follows the contract"
            if ours
            else "Читается без замечаний · It is read without a fault"
        )
        if row.note:
            output.say(f"Тогда · At the time: {msgspec.json.encode(row.note).decode()}")
    if shown:
        raise typer.Exit(output.FOUND)


def recorded(gw: Opened, what: str, subject: str, ground: str) -> None:
    """Record a reading in full before it is shown; one without a ground is refused.

    It goes to the register and to the file, which is there when the database is away.
    """
    if not ground.strip():
        raise ConfigurationError(
            "для --full нужно основание · --full needs a ground, it is recorded",
            where="--ground",
            expected='--ground "запрос прокуратуры № 12"',
        )
    audit.record(
        gw.settings.data_dir,
        audit.Reading(at=gw.now(), who=login(""), what=what, subject=subject, ground=ground),
    )
    with gw.connection() as db:
        readings.record(
            db, at=gw.now(), who=login(""), role="command", what=what, subject=subject,
            ground=ground,
        )  # fmt: skip


def masked(found: str) -> str:
    """Return what was found in a message as it may be shown."""
    return str(masking.value(found, strict=True))


def told(row: Any) -> dict[str, Any]:
    """Return a message's row for machines: every stage side by side, nothing personal."""
    note = masking.value(row.note or {})
    values = {
        "id": row.id,
        "recorded_at": row.recorded_at,
        "peer": row.peer,
        "wire": row.wire,
        "operation": row.operation,
        "key": row.key,
        "revision": row.revision,
        "correlation": row.correlation,
        "media_type": row.media_type,
        "body_sha256": bytes(row.body_sha256).hex(),
        "stage": row.stage,
        "parked": row.parked,
        "attempts": row.attempts,
        "due": row.due,
        "error": masking.text(row.error) if row.error else "",
        "receipt_number": row.receipt_number,
        "external_id": row.external_id,
        "state": row.state,
        "note": note,
    }
    if hasattr(row, "deliveries"):
        values["deliveries"] = row.deliveries or ""
    return values


def _about(
    db: psycopg.Connection[Any], wanted: messages.Filter, number: str, key: str
) -> messages.Filter:
    """Narrow a filter to the messages about an appeal, or with a key."""
    appeals: tuple[UUID, ...] = ()
    ids: tuple[UUID, ...] = ()
    if number:
        appeals = tuple(found.id for found in lookup.find(db, number))
    if key:
        ids, named = messages.by_key(db, key, wanted.peer)
        appeals = tuple(set(appeals) & set(named)) if number else named
    return wanted._replace(appeals=appeals, ids=ids)


def _one(db: psycopg.Connection[Any], given: str) -> Any:
    """Return the message with this id, or the one with this correlation id."""
    with suppress(ValueError, NotFoundError):
        return messages.one(db, UUID(given))
    rows = messages.listed(db, messages.Filter(correlation=given), 11)
    if len(rows) == 1:
        return messages.one(db, rows[0].id)
    if rows:
        raise ConflictError(
            f"сообщений несколько · several messages have it: {', '.join(str(r.id) for r in rows)}",
            todo=f"`gateway messages --correlation {given}`",
        )
    if refusals.listed(db, refusals.Filter(correlation=given), 1):
        raise NotFoundError(
            "вызов отклонён, сообщения нет · the call was refused, there is no message",
            found=given,
            todo=f"`gateway refusals --correlation {given}`",
        )
    raise NotFoundError(
        "no such message", found=given, todo="`gateway messages`: --number, --external-id, --peer"
    )


def _stage(row: Any) -> str:
    """Say at which stage a message is, and that only its beginning was kept."""
    return f"{row.stage}, обрезано · cut" if messages.cut(row) else str(row.stage)


def _triage(row: Any) -> str:
    """Say what the second room has made of a message, or still has to."""
    if row.parked:
        return "отложено · parked"
    if row.due is not None:
        return f"ждёт · waits ({row.attempts})" if row.attempts else "ждёт · waits"
    return str((row.note or {}).get("applied") or "")


def _tables(events: Sequence[Any], deliveries: Sequence[Any], zone: ZoneInfo) -> None:
    if events:
        output.table(
            times.titled("События · Events", zone),
            ("№", "Событие", "Записано", "Поздно", "Дополнено"),
            [
                (
                    e.seq, e.type, times.shown(e.recorded_at, zone),
                    "да" if e.body.get("late") else "", "да" if e.body.get("inferred") else "",
                )
                for e in events
            ],
        )  # fmt: skip
    if deliveries:
        output.table(
            "Доставки · Deliveries",
            ("Доставка", "Кому", "Событие", "Состояние", "Попыток", "Номер там", "Ошибка"),
            [
                (
                    d.id, d.destination, d.event_type, d.state, d.attempts, d.reference,
                    f"{d.error_code} {masking.text(d.error)}".strip(),
                )
                for d in deliveries
            ],
        )  # fmt: skip
