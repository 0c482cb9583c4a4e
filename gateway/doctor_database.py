"""What `gateway doctor` looks at in a reachable database; see `gateway.doctor`."""

from __future__ import annotations

from functools import partial
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import psycopg

from gateway.access.policy import is_loopback
from gateway.doctor import Check, Finding, fail, ok, warn
from gateway.embedded import check_database
from gateway.jobs import CHECKS
from gateway.store import organisations, partitions, peers, schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from importlib.metadata import EntryPoint

    from gateway.settings import Settings

PARKED: Final = "SELECT count(*) FROM work WHERE parked"
OLDEST: Final = "SELECT min(due) FROM work WHERE NOT parked"
DEAD: Final = "SELECT count(*) FROM lane WHERE closed_by <> ''"
CONFLICTS: Final = "SELECT count(*) FROM conflict WHERE settled_at IS NULL"
TWINS: Final = "SELECT count(*) FROM twin"
STRAY: Final = "SELECT EXISTS (SELECT FROM {table}_default)"


def first(url: str) -> dict[str, Check]:
    """Return the checks without which the others mean nothing: the server, then the schema."""
    return {"database": partial(check_server, url), "schema": partial(check_schema, url)}


def checks(settings: Settings, url: str, now: datetime) -> dict[str, Check]:
    """Return the checks of a database whose schema is ours, by name, in the order of sense."""
    outside = {
        point.name: partial(check_outside, point, settings, url, now)
        for point in entry_points(group=CHECKS)
    }
    return {
        "partitions": partial(check_partitions, url, now),
        "peers": partial(check_peers, url),
        "listening": partial(check_listening, settings, url),
        "organisation": partial(check_organisation, settings, url),
        "queues": partial(check_queues, settings, url, now),
        **outside,
    }


def check_outside(
    point: EntryPoint, settings: Settings, url: str, now: datetime
) -> Iterator[Finding]:
    """Let what joined from outside look at itself (`gateway.jobs`)."""
    for level, what, todo in point.load()(settings, url, now):
        yield Finding(check=point.name, level=level, what=what, todo=todo)


def check_server(url: str) -> Iterator[Finding]:
    """Ask version, encoding, letters and trigrams."""
    with _connected(url) as db:
        problems = check_database(db)
        version = db.info.server_version
    for problem in problems:
        yield fail("database", problem, "docs/howto/database.md")
    if not problems:
        yield ok("database", f"PostgreSQL {version // 10_000}.{version % 10_000}, Ё → ё")


def check_schema(url: str) -> Iterator[Finding]:
    """Compare the revision of the database with the program's."""
    found, head = schema.current(url), schema.head()
    if found == head:
        yield ok("schema", f"схема · schema {head}")
    elif found in schema.known():
        yield fail(
            "schema", f"схема · schema {found or '-'}, нужна · needed {head}", "gateway db upgrade"
        )
    else:
        yield fail(
            "schema",
            f"схема новее программы · the schema is newer than the program: {found}",
            "запустите новый выпуск · run the newer release",
        )  # fmt: skip


def check_partitions(url: str, now: datetime) -> Iterator[Finding]:
    """Look for the partitions of this month and the next, and for rows that missed theirs."""
    wanted = [
        f"{t}_{m.label}" for t in partitions.PARTITIONED for m in partitions.months(now, ahead=1)
    ]
    with _connected(url) as db:
        missing = [name for name in wanted if _one(db, "SELECT to_regclass($1)", name) is None]
        stray = []
        if not missing:
            stray = [t for t in partitions.PARTITIONED if _one(db, STRAY.format(table=t))]
    if missing:
        yield fail(
            "partitions", f"нет разделов · missing: {', '.join(missing)}", "gateway db upgrade"
        )
    elif stray:
        yield warn(
            "partitions",
            f"строки вне месяцев · rows outside of months: {', '.join(stray)}",
            "проверьте часы узлов · check the clocks of the nodes",
        )
    else:
        months = ", ".join(m.label for m in partitions.months(now, ahead=1))
        yield ok("partitions", f"разделы есть · partitions are there: {months}")


def check_peers(url: str) -> Iterator[Finding]:
    """Look for peers that cannot call, or cannot be called."""
    with _connected(url) as db:
        every = peers.read_all(db)
        keys = peers.keys_of(db)
    for code, peer in every.items():
        alive = any(key.disabled_at is None for key in keys.get(code, ()))
        if peer.enabled and peer.require == "key" and not alive and peer.adapter in {"", "pull"}:
            yield warn(
                "peers",
                f"{code}: включена без ключа · enabled without a key",
                f"gateway peer key {code} | gateway peer disable {code} --commit",
            )
    enabled = sum(peer.enabled for peer in every.values())
    yield ok("peers", f"систем · peers: {len(every)}, включено · enabled: {enabled}")


def check_listening(settings: Settings, url: str) -> Iterator[Finding]:
    """Refuse what `gateway serve` would refuse: open while nobody can say who he is."""
    if is_loopback(settings.host) or settings.host == "localhost":
        yield ok("listening", f"только эта машина · this machine only: {settings.host}")
        return
    with _connected(url) as db:
        alive = any(h.disabled_at is None for many in peers.held(db).values() for h in many)
    if alive:
        yield ok("listening", f"{settings.host}:{settings.port}")
    else:
        yield fail(
            "listening",
            f"{settings.host}: никто не может себя доказать · nobody can prove who he is",
            'gateway peer add КОД | host = "127.0.0.1"',
        )


def check_organisation(settings: Settings, url: str) -> Iterator[Finding]:
    """Look for our own body, and for identifiers that wait for a person."""
    with _connected(url) as db:
        known = organisations.read_all(db)
        waiting = len(organisations.unmapped(db))
    if not settings.organisation:
        yield warn(
            "organisation",
            "свой орган не задан: номера даёт СЭД · no body of our own: the СЭД gives the numbers",
            "задайте organisation, если регистрирует шлюз · set it if the gateway registers",
        )
    elif settings.organisation not in known:
        yield warn(
            "organisation",
            f"{settings.organisation}: нет в справочнике · not in the directory",
            "gateway org import ФАЙЛ --commit",
        )
    else:
        yield ok(
            "organisation", f"{settings.organisation}: {known[settings.organisation].full_name}"
        )
    if waiting:
        yield warn(
            "organisation",
            f"не сопоставлено идентификаторов · identifiers not mapped: {waiting}",
            "gateway org unmapped; gateway org map СИСТЕМА ИДЕНТИФИКАТОР ОРГАН",
        )


def check_queues(settings: Settings, url: str, now: datetime) -> Iterator[Finding]:
    """Look for what waits for a person, and for work that nobody does."""
    with _connected(url) as db:
        parked, oldest = _one(db, PARKED), _one(db, OLDEST)
        dead, conflicts, twins = _one(db, DEAD), _one(db, CONFLICTS), _one(db, TWINS)
    if parked:
        yield warn(
            "queues",
            f"отложено сообщений · parked messages: {parked}",
            "gateway messages --stage parked; gateway replay --stage parked --commit",
        )
    if dead:
        yield warn(
            "queues", f"закрыто очередей доставки · closed lanes: {dead}", "gateway deliveries"
        )
    if conflicts:
        yield warn(
            "queues", f"противоречий · conflicts: {conflicts}", "gateway messages --stage conflict"
        )
    if twins:
        yield warn(
            "queues", f"возможных двойников · possible twins: {twins}", "gateway appeals twins"
        )
    if oldest is not None and (now - oldest).total_seconds() > 600:
        local = oldest.astimezone(ZoneInfo(settings.zone))
        yield warn(
            "queues",
            f"разбор стоит с · triage stands since {local:%d.%m.%Y %H:%M} ({settings.zone})",
            "запущен ли · is it running: gateway work",
        )
    if not (parked or dead or conflicts or twins):
        yield ok("queues", "ничего не ждёт человека · nothing waits for a person")


def _connected(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(
        url, autocommit=True, cursor_factory=psycopg.RawCursor, connect_timeout=5
    )


def _one(connection: psycopg.Connection[Any], query: str, *values: object) -> Any:
    row = connection.execute(query.encode(), values).fetchone()
    return row[0] if row else None
