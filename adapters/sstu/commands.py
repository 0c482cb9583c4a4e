"""`gateway sstu`: a month's completeness, packages for a closed network, УРОГ's overview.

The program that assembles the commands calls `attach` with its own way of opening the database.
Nothing is changed without `--commit`; packing and writing a table change files only.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from adapters.sstu import month as months
from adapters.sstu import review_rules, settling, stored, work
from adapters.sstu.month import NOT_DUE, REASONS, STAGES
from gateway import screen
from gateway.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from adapters.sstu.work import Opened

SHOWN: Final = 200

Month = Annotated[str, typer.Argument(metavar="ГГГГ-ММ", help="Месяц · Month")]
Peer = Annotated[str, typer.Option("--peer", help="Код узла, если их несколько · Code of the node")]
Csv = Annotated[bool, typer.Option("--csv", help="Таблицей · As a table")]
Given = Annotated[
    Path | None,
    typer.Option(
        "--list", exists=True, dir_okay=False, help="Список узла, файл · Its list, a file"
    ),
]


def attach(app: typer.Typer, opened: Callable[[], AbstractContextManager[Opened]]) -> None:
    """Add the commands to a Typer application; `opened` lends the database while one runs."""
    group = typer.Typer(
        name="sstu",
        help="ССТУ.РФ: полнота за месяц, пакеты, обзор · Months, packages, the overview",
        cls=screen.Group,
        no_args_is_help=True,
    )
    _completeness(group, opened)
    _exchange(group, opened)
    _overview(group, opened)
    app.add_typer(group, name="sstu")


def _completeness(group: typer.Typer, opened: Callable[[], AbstractContextManager[Opened]]) -> None:
    @group.command("month")
    def month(
        when: Month,
        *,
        peer: Peer = "",
        list_: Given = None,
        ask: Annotated[
            bool, typer.Option("--ask", help="Спросить узел · Read the node's list")
        ] = False,
        as_json: screen.Json = False,
        as_csv: Csv = False,
    ) -> None:
        """Что за месяц передано, что нет и почему · What is reported, what is not, and why."""
        with opened() as gw, work.node(gw, peer) as node:
            bounds = months.bounds(*review_rules.month(when))
            listed = work.listed(node, list_, ask=ask)
            with work.connected(gw.url) as db:
                found = stored.of_month(db, node.code, bounds, gw.settings.zone)
                rows = list(months.complete((one.known for one in found), listed, bounds))
        complete = _tell(
            rows, when, node.code, asked=listed is not None, as_json=as_json, as_csv=as_csv
        )
        if not complete:
            raise typer.Exit(screen.FOUND)

    @group.command("expected")
    def expected(*, peer: Peer = "", as_json: screen.Json = False) -> None:
        """Там передано, к нам не поступало · Reported there, not received here."""
        with opened() as gw, work.connected(gw.url) as db:
            zone = work.zone_of(gw)
            code = work.chosen(db, peer).code
            rows = list(stored.expected(db, code))
        if as_json:
            screen.document({"peer": code, "expected": [row._asdict() for row in rows]})
        else:
            screen.table(
                f"Ожидаются · Expected: {code} ({zone.key})",
                ("Номер", "Орган", "Впервые", "В последний раз", "Состояния"),
                (
                    (
                        row.number, row.organisation, _at(row.first_seen, zone),
                        _at(row.last_seen, zone),
                        ", ".join(row.remote.get("states", {}).values()),
                    )
                    for row in rows
                ),
            )  # fmt: skip


def _tell(
    rows: Sequence[months.Row],
    when: str,
    code: str,
    *,
    asked: bool,
    as_json: bool,
    as_csv: bool,
) -> bool:
    """Print a month; return whether everything is reported as it is now, and nothing is strange."""
    aside = sum(row.why in NOT_DUE for row in rows)
    missing = sum(not row.reported for row in rows) - aside
    outdated = sum(row.why == "changed_since" for row in rows)
    strange = sum(row.why == "never_came" for row in rows)
    if as_json:
        summary = {
            "month": when, "peer": code, "asked": asked, "appeals": len(rows) - strange,
            "not_reported": missing, "outdated": outdated, "not_received": strange,
            "not_due": aside,
        }  # fmt: skip
        told = [row._asdict() | {"why_ru": REASONS[row.why][0]} for row in rows]
        screen.document(summary | {"rows": told})
    elif as_csv:
        _csv([_COLUMNS, *map(_cells, rows)])
    else:
        shown = [
            row for row in rows if not row.reported or row.why in {"changed_since", "never_came"}
        ]
        screen.table(f"ССТУ, {when}: {code}", _COLUMNS, map(_cells, shown[:SHOWN]))
        screen.say(f"Обращений · Appeals: {len(rows) - strange}")
        screen.say(f"Не передано · Not reported: {missing}")
        screen.say(f"Не подлежит передаче · Not due: {aside}")
        screen.say(f"Передано прежнее состояние · Outdated there: {outdated}")
        screen.say(f"Там есть, у нас нет · There, not here: {strange}")
    return not (missing or outdated or strange)


def _exchange(group: typer.Typer, opened: Callable[[], AbstractContextManager[Opened]]) -> None:
    @group.command("pack")
    def pack(
        when: Month,
        *,
        out: Annotated[Path, typer.Option(file_okay=False, help="Куда · Into this directory")],
        peer: Peer = "",
        all_: Annotated[
            bool, typer.Option("--all", help="И уже подтверждённые · What is settled, too")
        ] = False,
        as_json: screen.Json = False,
    ) -> None:
        """Собрать пакеты за месяц для закрытой сети · Pack a month for a closed network."""
        bounds = months.bounds(*review_rules.month(when))
        with opened() as gw, work.node(gw, peer) as node:
            done = work.pack(gw, node, bounds, out, stem=f"sstu-{when}-", whole=all_)
        if as_json:
            screen.document(done._asdict())
        else:
            screen.say(f"Документов · Documents: {done.packed}, частей · parts: {len(done.parts)}")
            screen.say(f"Не собрано · Left out: {done.bad}; отчёт · report: {done.report}")
        if done.bad:
            raise typer.Exit(screen.FOUND)

    @group.command("result")
    def result(
        files: Annotated[list[Path], typer.Argument(metavar="ФАЙЛ…", exists=True, dir_okay=False)],
        *,
        peer: Peer = "",
        commit: screen.Commit = False,
        as_json: screen.Json = False,
    ) -> None:
        """Прочесть, что вернула закрытая сеть · Read what the closed network gave back."""
        with opened() as gw, work.node(gw, peer) as node:
            done = settling.result(gw, node, files, commit=commit)
        if as_json:
            screen.document(done._asdict() | {"committed": commit})
        else:
            for line in done.faults:
                screen.say(line)
            screen.say(f"Подтверждено · Acknowledged: {done.acknowledged}")
            screen.say(f"Отказано · Refused: {done.refused}")
            screen.say(f"Ещё ждут · Still waiting: {done.waiting}")
            screen.say(f"Там есть, у нас нет · There, not here: {done.expected}")
            if not commit:
                screen.say("Ничего не изменено, повторите с --commit · Nothing was changed")
        if done.refused or done.faults:
            raise typer.Exit(screen.FOUND)


def _overview(group: typer.Typer, opened: Callable[[], AbstractContextManager[Opened]]) -> None:
    @group.command("overview")
    def overview(
        when: Annotated[str, typer.Argument(metavar="[ГГГГ-ММ]", help="Месяц · Month")] = "",
        *,
        out: Annotated[
            Path | None, typer.Option(dir_okay=False, help="Записать сюда · Write it here")
        ] = None,
        check: Annotated[
            Path | None,
            typer.Option(exists=True, dir_okay=False, help="Проверить файл · Check this file"),
        ] = None,
        as_json: screen.Json = False,
    ) -> None:
        """«Мастер обзоров»: записать или проверить · УРОГ's overview: write or check it."""
        if (out is None) == (check is None) or (out is not None and not when):
            raise NotFoundError(
                "say what to do", expected="ГГГГ-ММ --out FILE | [ГГГГ-ММ] --check FILE"
            )
        span = review_rules.month(when) if when else None
        if check is not None:
            faults = work.check(check, span)
            wrong = [f for f in faults if f.level == "error"]
            title = f"{check.name}: ошибок · errors {len(wrong)}"
        else:
            assert out is not None
            assert span is not None
            with opened() as gw:
                written, faults = work.overview(gw, out, span)
            wrong = faults
            title = f"{out.name}: строк · rows {written}, не записано · left out {len(wrong)}"
        if as_json:
            screen.document({"title": title, "faults": [f._asdict() for f in faults]})
        else:
            columns = ("Строка", "Столбец", "Правило", "Что не так", "Найдено", "Ожидается")
            screen.table(title, columns, (fault[:6] for fault in faults[:SHOWN]))
        if wrong:
            raise typer.Exit(screen.FOUND)


_COLUMNS: Final = (
    "Квитанция", "Номер", "Дата", "Передано", "Почему", "Подробности", "Стадия у узла",
)  # fmt: skip


def _cells(row: months.Row) -> tuple[str, ...]:
    return (
        row.receipt, row.number, row.on.isoformat() if row.on else "",
        "да" if row.reported else "нет", REASONS[row.why][0], row.detail,
        STAGES[row.stage][0] if row.stage else "",
    )  # fmt: skip


def _csv(rows: Iterable[Sequence[str]]) -> None:
    from adapters.sstu.review_csv import guarded, line

    typer.echo(b"".join((b"\xef\xbb\xbf", *(line(guarded(row)) for row in rows))), nl=False)


def _at(instant: datetime, zone: ZoneInfo) -> str:
    """As other lists of the house show it; the title says the zone."""
    return f"{instant.astimezone(zone):%d.%m.%Y %H:%M:%S}"
