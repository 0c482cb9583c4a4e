"""`gateway deliveries`: what is owed to whom, and a person's decisions about it, one by one.

Nothing is changed without `--commit`. A delivery that may reach a citizen is replayed by its id
only, never by a filter (design §2.14).
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from gateway import registry
from gateway.commands import context, hindrances, output, times
from gateway.errors import ConfigurationError, NotFoundError, StateError
from gateway.options import LOCAL
from gateway.store import deliveries, peers
from gateway.store.blobs import BlobDirectory
from gateway.store.pool import Pool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from zoneinfo import ZoneInfo

    import psycopg

    from gateway.settings import Settings
    from gateway.store.deliveries import Found

app = output.app(
    "deliveries", "Доставки: что кому должно уйти · What is owed to whom", default="list"
)

STATES = {
    "ready": "готова",
    "sending": "отправляется",
    "retry": "повтор",
    "unknown": "неизвестно",
    "sent": "отправлена",
    "acknowledged": "подтверждена",
    "refused": "отказ",
    "dead": "попытки исчерпаны",
    "skipped": "пропущена",
}
COLUMNS = ("Номер", "Кому", "Обращение", "Событие", "Состояние", "Попыток", "Когда", "Почему")
UNSENT = ("ready", "retry")
"""States in which a delivery waits for its peer to be one that can be sent to."""
BY_FILTER = ("refused", "dead")
"""States that a filter may replay; a doubt is a person's to settle first, by its id."""

Ids = Annotated[
    list[UUID] | None, typer.Argument(metavar="ДОСТАВКА…", help="Номера · Ids of deliveries")
]
Named = Annotated[
    list[UUID], typer.Argument(metavar="ДОСТАВКА…", help="Номера · Ids of deliveries")
]
Id = Annotated[UUID, typer.Argument(metavar="ДОСТАВКА", help="Номер · Id of the delivery")]
Destination = Annotated[
    str, typer.Option("--destination", "--peer", "-d", help="Кому · Code of the peer")
]
States = Annotated[list[str] | None, typer.Option("--state", "-s", help=", ".join(STATES))]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Не больше · At most")]
Reason = Annotated[str, typer.Option("--reason", help="Почему · Why; kept with the delivery")]


@app.command("list")
def list_(
    *,
    destination: Destination = "",
    state: States = None,
    appeal: Annotated[UUID | None, typer.Option(help="Обращение · Id of the appeal")] = None,
    limit: Limit = 50,
    as_json: output.Json = False,
) -> None:
    """Показать доставки, сначала новые · Show deliveries, the newest first."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        if destination:
            peers.require(db, destination)
        found = deliveries.find(
            db,
            destination=destination,
            states=_states(state),
            appeal_id=appeal,
            limit=limit,
        )
        blocked = _blocked(gw, db, found)
        zone = times.zone_of(gw.settings)
    if as_json:
        output.document([_plain(f) | _why(f, blocked) for f in found])
        return
    output.table(
        times.titled("Доставки · Deliveries", zone),
        COLUMNS,
        [_line(f, zone, _why(f, blocked).get("blocked", "")) for f in found],
    )


@app.command()
def show(id_: Id, *, as_json: output.Json = False) -> None:
    """Показать доставку и все попытки · Show one delivery with every attempt."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        found = deliveries.get(db, id_)
        tried = deliveries.attempts(db, id_)
        plain = _plain(found) | _why(found, _blocked(gw, db, [found]))
        zone = times.zone_of(gw.settings)
    if as_json:
        output.document(plain | {"attempts_made": [_attempt(a) for a in tried]})
        return
    title = f"Доставка · Delivery {id_}"
    output.table(title, ("Поле", "Значение"), [*times.local(plain, zone).items()])
    output.table(
        times.titled("Попытки · Attempts", zone),
        ("№", "Начата", "Итог", "HTTP", "Отправлено, SHA-256", "Кем", "Что сказано"),
        [
            (
                a.n,
                times.shown(a.started_at, zone),
                a.outcome or "…",
                a.status or "",
                a.request_sha256.hex()[:16] if a.request_sha256 else "",
                a.owner,
                a.error,
            )
            for a in tried
        ],
    )


@app.command()
def replay(
    ids: Ids = None,
    *,
    destination: Destination = "",
    state: States = None,
    limit: Limit = 1_000,
    commit: output.Commit = False,
    as_json: output.Json = False,
) -> None:
    """Отправить ещё раз под тем же ключом · Send again under the same key."""
    if bool(ids) == bool(destination):
        raise ConfigurationError(
            "name deliveries, or a destination, not both", expected="ID… or --destination CODE"
        )
    wanted = _states(state) or BY_FILTER
    if destination and not set(wanted) <= set(BY_FILTER):
        raise StateError(
            "by filter only what was refused or is dead is replayed",
            current_state=", ".join(wanted),
            allowed_events=BY_FILTER,
            todo="name the others one by one",
        )
    with _decided(commit=commit) as (gw, db):
        zone = times.zone_of(gw.settings)
        if ids:
            chosen, kept = [deliveries.get(db, id_) for id_ in ids], []
        else:
            peers.require(db, destination)
            found = deliveries.find(db, destination=destination, states=wanted, limit=limit)
            chosen = [f for f in reversed(found) if not f.delivery.may_reach_citizen]
            kept = [f for f in found if f.delivery.may_reach_citizen]
        for item in chosen:
            deliveries.replay(db, item.delivery.id, gw.now(), by_filter=not ids)
    title = times.titled("Будут отправлены · To be sent again", zone)
    _told(title, chosen, zone, as_json=as_json, commit=commit, kept=kept)


@app.command()
def skip(
    ids: Named,
    *,
    reason: Reason = "пропущена оператором",
    commit: output.Commit = False,
    as_json: output.Json = False,
) -> None:
    """Не отправлять никогда; очередь пойдёт дальше · Never send; its lane goes on."""
    _decide(
        deliveries.skip,
        ids,
        reason,
        "Будет пропущена · To be skipped",
        as_json=as_json,
        commit=commit,
    )


@app.command()
def confirm(
    ids: Named,
    *,
    reason: Reason = "подтверждена оператором",
    commit: output.Commit = False,
    as_json: output.Json = False,
) -> None:
    """Получатель сказал, что она у него · The peer told a person that it has it."""
    _decide(
        deliveries.confirm,
        ids,
        reason,
        "Будет подтверждена · To be confirmed",
        as_json=as_json,
        commit=commit,
    )


def _decide(
    decision: Callable[[psycopg.Connection[Any], UUID, datetime, str], object],
    ids: list[UUID],
    reason: str,
    title: str,
    *,
    as_json: bool,
    commit: bool,
) -> None:
    """Show deliveries, and carry out what a person decided about them: all, or none of them."""
    with _decided(commit=commit) as (gw, db):
        zone = times.zone_of(gw.settings)
        chosen = [deliveries.get(db, id_) for id_ in ids]
        for id_ in ids:
            decision(db, id_, gw.now(), reason)
    _told(times.titled(title, zone), chosen, zone, as_json=as_json, commit=commit)


@app.command()
def send(
    *,
    destination: Destination = "",
    limit: Limit = 1,
    commit: output.Commit = False,
    as_json: output.Json = False,
) -> None:
    """Отправить здесь и сейчас, не больше LIMIT · Send from here, now, at most LIMIT."""
    settings = context.settings()
    with context.opened(settings) as gw:
        with gw.connection() as db:
            if destination:
                _require_sent_to(gw, db, destination)
            due = [] if commit else deliveries.heads(db, destination, gw.now(), limit)
        if not commit:
            zone = times.zone_of(settings)
            title = times.titled("Будут отправлены · To be sent", zone)
            _told(title, due, zone, as_json=as_json, commit=False)
            return
        sent = _send(gw, settings, destination, limit)
    if as_json:
        output.document({"settled": sent, "committed": True})
        return
    output.say(f"Завершено попыток · Attempts ended: {sent}")


def _send(gw: context.Opened, settings: Settings, destination: str, limit: int) -> int:
    from gateway.destinations import Destinations
    from gateway.dispatch import Dispatcher, owner
    from gateway.snapshots import StoredSnapshots

    pool = Pool(gw.url, size=2)
    pool.open()
    try:
        known = Destinations(pool, registry.load(settings.adapters), settings, gw.now)
        dispatcher = Dispatcher(
            gw.url,
            lambda: {c: d for c, d in known().items() if destination in ("", c)},
            StoredSnapshots(pool, BlobDirectory(settings.blobs), known.options, gw.now),
            owner=owner.name(),
            now=gw.now,
            threads=1,
        )
        try:
            return dispatcher.run_once(limit)
        finally:
            dispatcher.close()
    finally:
        pool.close()


def _require_sent_to(gw: context.Opened, db: psycopg.Connection[Any], code: str) -> None:
    """Refuse a peer that is not there, that nothing is sent to, or that cannot be sent to."""
    row = peers.read_all(db).get(code)
    if row is None or row.adapter in LOCAL:
        raise NotFoundError("nothing is sent to this peer", found=code, todo="`gateway peer list`")
    for why in hindrances.of(gw.settings, [row]).values():
        raise why


@contextmanager
def _decided(*, commit: bool) -> Iterator[tuple[context.Opened, psycopg.Connection[Any]]]:
    """Lend a transaction for decisions; without commit everything is tried and taken back.

    So what a dry run promises is what `--commit` does, and what it refuses is refused here too.
    """
    with (
        context.opened(context.settings()) as gw,
        gw.connection() as db,
        db.transaction(force_rollback=not commit),
    ):
        yield gw, db
        db.execute("NOTIFY gateway_work")  # heard by the workers when this commits


def _blocked(gw: context.Opened, db: psycopg.Connection[Any], found: list[Found]) -> dict[str, str]:
    """Return why peers are not sent to, of those that these deliveries wait for."""
    waited_for = {f.delivery.destination for f in found if f.delivery.state in UNSENT}
    if not waited_for:
        return {}
    rows = [row for code, row in peers.read_all(db).items() if code in waited_for]
    why = hindrances.of(gw.settings, rows)
    return {code: hindrances.told(error) for code, error in why.items()}


def _why(found: Found, blocked: dict[str, str]) -> dict[str, str]:
    d = found.delivery
    why = blocked.get(d.destination) if d.state in UNSENT and d.kind != "pull" else None
    return {"blocked": why} if why else {}


def _states(given: list[str] | None) -> tuple[str, ...]:
    unknown = [s for s in given or () if s not in STATES]
    if unknown:
        raise ConfigurationError(
            "no such state", found=", ".join(unknown), expected=", ".join(STATES)
        )
    return tuple(given or ())


def _told(
    title: str,
    chosen: list[Found],
    zone: ZoneInfo,
    *,
    as_json: bool,
    commit: bool,
    kept: list[Found] | None = None,
) -> None:
    if as_json:
        output.document(
            {
                "deliveries": [_plain(f) for f in chosen],
                "kept": [str(f.delivery.id) for f in kept or ()],
                "committed": commit,
            }
        )
        return
    output.table(title, COLUMNS, [_line(f, zone) for f in chosen])
    if kept:
        output.say(
            f"Могут дойти до гражданина, только по одной · May reach a citizen, one by one: "
            f"{', '.join(str(f.delivery.id) for f in kept)}"
        )
    output.planned(commit=commit or not chosen)


def _line(found: Found, zone: ZoneInfo, blocked: str = "") -> tuple[Any, ...]:
    d = found.delivery
    state = STATES.get(d.state, d.state)
    ahead = "пойдёт" if found.due else "спросим" if found.ack_due else ""
    when = f"{ahead} {times.shown(found.due or found.ack_due or found.changed_at, zone)}".strip()
    why = blocked or found.error
    appeal = found.receipt_number
    return d.id, d.destination, appeal, d.event_type, f"{state} ({d.state})", d.attempts, when, why


def _plain(found: Found) -> dict[str, Any]:
    d = found.delivery
    return {
        "id": str(d.id),
        "destination": d.destination,
        "lane": d.lane,
        "seq": d.seq,
        "kind": d.kind,
        "appeal": str(d.appeal_id) if d.appeal_id else None,
        "receipt_number": found.receipt_number,
        "external_id": found.external_id,
        "event": d.event_type,
        "event_seq": d.event_seq,
        "state": d.state,
        "attempts": d.attempts,
        "due": found.due,
        "ack_due": found.ack_due,
        "created_at": d.created_at,
        "changed_at": found.changed_at,
        "may_reach_citizen": d.may_reach_citizen,
        "test": d.test,
        "error_code": found.error_code,
        "error": found.error,
        "reference": found.reference,
        "payload_sha256": d.payload_sha256.hex() if d.payload_sha256 else None,
    }


def _attempt(attempt: deliveries.Attempt) -> dict[str, Any]:
    """Evidence by digest: the bytes hold personal data and are read where reading is recorded."""
    return {
        "id": str(attempt.id),
        "n": attempt.n,
        "owner": attempt.owner,
        "started_at": attempt.started_at,
        "ended_at": attempt.ended_at,
        "outcome": attempt.outcome,
        "status": attempt.status,
        "request_sha256": attempt.request_sha256.hex() if attempt.request_sha256 else None,
        "response_sha256": hashlib.sha256(attempt.response).hexdigest()
        if attempt.response is not None
        else None,
        "error": attempt.error,
    }
