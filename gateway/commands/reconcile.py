"""`gateway reconcile`: what a peer holds against what we believe it holds, and the repair.

Exit code 0: no difference; 1: differences, repaired or not; 2: the peer could not be asked.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from gateway import reconcile as room
from gateway import registry
from gateway.commands import context, output
from gateway.commands.register import read_day
from gateway.destinations import Destinations
from gateway.errors import ConfigurationError, NotFoundError, UnsupportedError
from gateway.options import LOCAL
from gateway.snapshots import StoredSnapshots
from gateway.store import peers
from gateway.store.blobs import BlobDirectory
from gateway.store.pool import Pool

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from gateway.commands.context import Opened
    from gateway.dispatch import Destination, Snapshots
    from gateway.reconcile import Ask, Done, Report, Stored

app = output.app(
    "reconcile", "Сверка с системой · Compare with a peer, explain, repair", default="run"
)

SHOWN: Final = 50
"""Findings printed to a person; `--json` prints all."""
CLASSES: Final = {
    "missing_there": "нет в системе",
    "missing_here": "нет у нас",
    "state_differs": "другое состояние",
    "content_differs": "другое содержание",
    "twice_there": "дважды в системе",
    "unknown_settled": "сомнение разрешено",
    "clock_skew": "расходятся часы",
}
REPAIRS: Final = {
    "resend": "отправить снова",
    "mark_acknowledged": "отметить принятым",
    "expect": "ждать обращение",
    "ask_operator": "решает оператор",
    "none": "ничего",
}
EXPLAINED: Final = {
    "same": "совпадает · equal",
    "in_flight": "в пути · in flight",
    "awaited": "ожидается, к нам не поступало · awaited here",
    "linked": "наше, передано не нами · ours, reported by another",
    "outside": "вне периода · outside the window",
}
STAGES: Final = {
    "theirs": "Список системы · the peer's list",
    "doubts": "Сомнения · doubts",
    "ours": "Наши обращения · our appeals",
    "pairs": "Сравнение · comparing",
    "repairs": "Исправления · repairs",
}


@app.command()
def run(
    peer: Annotated[str, typer.Argument(metavar="СИСТЕМА", help="Код · Code of the peer")],
    *,
    start: Annotated[
        str, typer.Option("--from", metavar="ГГГГ-ММ-ДД", help="С этого дня · From this day on")
    ] = "",
    end: Annotated[
        str, typer.Option("--to", metavar="ГГГГ-ММ-ДД", help="По этот день · Up to this day")
    ] = "",
    limit: Annotated[
        int | None, typer.Option(min=1, help="Исправить не больше · Repair at most")
    ] = None,
    commit: output.Commit = False,
    as_json: output.Json = False,
) -> None:
    """Сверить; без дат — весь реестр · Compare; without dates the whole register."""
    with context.opened(context.settings()) as gw, _target(gw, peer) as (target, snapshots, asked):
        since, until = _window(start, end, ZoneInfo(gw.settings.zone))
        ask = asked._replace(start=since, end=until)
        with gw.connection() as db, _progress() as tell:
            report = room.reconcile(db, target, snapshots, ask, gw.now, tell)
            done: list[Done] = []
            if commit:
                for one in room.repair(db, peer, report.run, gw.now(), limit):
                    done.append(one)
                    tell("repairs", len(done), None)
            if as_json:
                output.document(_document(db, report, done, commit=commit))
            else:
                _print(db, peer, report, done, commit=commit)
    if report.total:
        raise typer.Exit(output.FOUND)


@app.command()
def show(
    run: Annotated[UUID, typer.Argument(metavar="СВЕРКА", help="Номер · Id of a run")],
    *,
    as_json: output.Json = False,
) -> None:
    """Показать найденное прежней сверкой · Show what an earlier run found."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        found = list(room.findings_of(db, run))
    if not found:
        raise NotFoundError("this run found nothing, or there was none", found=str(run))
    if as_json:
        output.document({"run": run, "findings": [_plain(f) for f in found]})
        return
    output.table(f"Расхождения · Differences: {run}", *_table(found))


@contextmanager
def _target(gw: Opened, peer: str) -> Iterator[tuple[Destination, Snapshots, Ask]]:
    """Lend the peer's destination, our snapshots and how to compare; raise when there is none."""
    with ExitStack() as stack:
        pool = Pool(gw.url)
        pool.open()
        stack.callback(pool.close)
        with pool.connection() as db:
            row = peers.read_all(db).get(peer)
        if row is None:
            raise NotFoundError("no such peer", found=peer, todo="`gateway peer list`")
        if row.adapter in LOCAL:
            raise UnsupportedError("this peer only calls us, it cannot be asked", where=peer)
        adapters = registry.load(gw.settings.adapters)
        destinations = Destinations(pool, adapters, gw.settings, gw.now)
        stack.callback(destinations.close)
        target = destinations().get(peer)
        if target is None:
            raise ConfigurationError(
                "this peer is disabled, or its row does not fit its adapter",
                where=f"peer {peer}",
                todo=f"`gateway peer option {peer}`; the log names the option",
            )
        skew = destinations.options(peer).get("clock_skew", room.TOLERANCE.total_seconds())
        adapter = adapters.get(row.adapter)
        ask = room.Ask(
            tolerance=dt.timedelta(seconds=float(skew)),
            reaches_citizen=adapter is None or adapter.manifest.may_reach_citizen,
        )
        blobs = BlobDirectory(gw.settings.blobs)
        yield target, StoredSnapshots(pool, blobs, destinations.options, gw.now), ask


def _window(start: str, end: str, zone: ZoneInfo) -> tuple[dt.datetime | None, dt.datetime | None]:
    """Return the bounds of a window of whole days in the zone of the installation."""
    since = dt.datetime.combine(read_day(start), dt.time.min, zone) if start else None
    after = read_day(end) + dt.timedelta(days=1) if end else None
    until = dt.datetime.combine(after, dt.time.min, zone) if after else None
    if since and until and since >= until:
        raise ConfigurationError("the window ends before it begins", found=f"{start}…{end}")
    return since, until


@contextmanager
def _progress() -> Iterator[room.Tell]:
    """Show how far a run is, on a terminal only, beside the output."""
    console = output.console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as shown:
        tasks: dict[str, Any] = {}

        def tell(stage: str, done: int, of: int | None) -> None:
            if stage not in tasks:
                tasks[stage] = shown.add_task(STAGES[stage], total=of)
            shown.update(tasks[stage], completed=done, total=of)

        yield tell


def _document(
    db: psycopg.Connection[Any], report: Report, done: list[Done], *, commit: bool
) -> dict[str, Any]:
    return {
        "run": report.run,
        "compared": report.compared,
        "committed": commit,
        "differences": report.total,
        "by_class": dict(_by_class(report)),
        "explained": dict(report.explained),
        "not_listed": dict(report.unlisted),
        "repaired": sum(not d.left for d in done),
        "left": [{"id": d.finding.id, "why": d.left} for d in done if d.left],
        "findings": [_plain(f) for f in room.findings_of(db, report.run)],
    }


def _by_class(report: Report) -> Counter[str]:
    counts: Counter[str] = Counter()
    for (class_, _), count in report.found.items():
        counts[class_] += count
    return counts


def _plain(finding: Stored) -> dict[str, Any]:
    plain = finding._asdict()
    russian, english = room.CAUSES.get(finding.cause, ("", ""))
    return {"class": plain.pop("class_"), **plain, "cause_ru": russian, "cause_en": english}


def _print(
    db: psycopg.Connection[Any], peer: str, report: Report, done: list[Done], *, commit: bool
) -> None:
    if not report.compared:
        output.say(
            "Система не ведёт реестра: выяснены только сомнения · "
            "The peer keeps no register: only doubts were asked about"
        )
    if report.total:
        found = [f for f, _ in zip(room.findings_of(db, report.run), range(SHOWN), strict=False)]
        output.table(f"Расхождения · Differences: {peer}", *_table(found))
    for class_, count in _by_class(report).items():
        output.say(f"{CLASSES[class_]} · {class_}: {count}")
    for reason, count in report.explained.items():
        if count:
            output.say(f"{EXPLAINED[reason]}: {count}")
    for organisation, count in report.unlisted.items():
        output.say(
            f"Реестр органа не читается (options.departments) · Its register is not read: "
            f"{organisation}: {count}"
        )
    for one in done:
        if one.left:
            output.say(f"Не исправлено · Left alone: {one.finding.key}: {one.left}")
    made = sum(not d.left for d in done)
    output.say(f"Расхождений · Differences: {report.total}, исправлено · repaired: {made}")
    output.say(f"Сверка · Run: {report.run}")
    output.planned(commit=commit or not report.total)


def _table(found: list[Stored]) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    columns = ("Что", "Номер", "У нас", "В системе", "Вероятная причина", "Исправление")
    return columns, [
        (
            CLASSES[f.class_],
            f.key,
            _side(f.ours),
            _side(f.theirs),
            " · ".join(room.CAUSES.get(f.cause, (f.cause,))),
            REPAIRS[f.repair] + (" ✓" if f.repaired_at else ""),
        )
        for f in found
    ]


def _side(side: dict[str, Any]) -> str:
    """Return one side in short: states by code, and what else explains it."""
    if "rows" in side:
        return "; ".join(_side(row) for row in side["rows"])
    parts = [f"{code} {word}" for code, word in side.get("states", {}).items()]
    names = ("delivery_state", "error", "problem", "exception_message", "modified_at", "reference")
    parts += [str(side[name]) for name in names if side.get(name)]
    return ", ".join(parts)
