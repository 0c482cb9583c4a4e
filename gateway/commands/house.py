"""`gateway house`: who serves which house, and which body a territory belongs to."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import msgspec
import typer

from gateway import keepers, limits
from gateway.addresses.found import Question
from gateway.commands import context, house_told, output, times
from gateway.errors import NotFoundError, TooLargeError, ValidationError
from gateway.store import addresses, organisations, synonyms
from gateway.store import keepers as store
from import_export import grid, house_changes, houses, keeper_columns
from import_export.directory import Directory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.addresses.found import Resolved

app = output.app("house", "Кто обслуживает дом · Who serves a house")
territories = output.app("territories", "Чья территория · Which body a territory belongs to")
app.add_typer(territories)

File = Annotated[Path, typer.Argument(metavar="ФАЙЛ", help="CSV или XLSX", dir_okay=False)]
Sheet = Annotated[str, typer.Option(metavar="ИМЯ", help="Лист книги · Sheet of a workbook")]
From = Annotated[
    str,
    typer.Option(
        "--from",
        metavar="ДЕНЬ",
        help="С какого дня действуют строки без даты · First day of rows that name none",
    ),
]
Partial = Annotated[
    bool,
    typer.Option("--partial", help="Взять строки без ошибок · Take the rows without a mistake"),
]
Replace = Annotated[
    bool,
    typer.Option("--replace", help="Файл прав, где спорит с реестром · The file is right"),
]
By = Annotated[str, typer.Option(metavar="ЛОГИН", help="Кто загружает · Whose hand")]
On = Annotated[str, typer.Option(metavar="ДЕНЬ", help="На какой день · On which day")]
Kind = Annotated[
    str, typer.Option(metavar="УСЛУГА", help="Вид услуги: `gateway house services` · Service")
]


@app.command("import")
def import_(
    file: File,
    *,
    kind: Kind = "",
    sheet: Sheet = "",
    begins: From = "",
    partial: Partial = False,
    replace: Replace = False,
    by: By = "",
    commit: output.Commit = False,
    as_json: output.Json = False,
) -> None:
    """Загрузить, кто обслуживает дома; повтор ничего не меняет · Load who serves houses."""
    service = keeper_columns.service(kind) if kind else ""
    table = grid.read(_data(file), sheet)
    with context.opened(context.settings()) as gw, gw.connection() as db, db.transaction():
        if commit:
            store.hold(db)
        directory = Directory(organisations.read_all(db))
        read = houses.houses(table, directory, _resolver(db), kind=service, source=file.name)
        guids = {item.row.house_guid for item in read.given} | {p.house_guid for p in read.points}
        plan = house_changes.plan(
            read.given, store.of_houses(db, guids), begins=_day(begins),
            today=gw.now().date(), replace=replace,
        )  # fmt: skip
        known = store.points(db, [point.house_guid for point in read.points])
        placed = [p for p in read.points if not _same_point(known.get(p.house_guid), p)]
        done = house_told.Import.of(file.name, plan, read, partial=partial, placed=len(placed))
        done.strange = store.not_in_register(db, guids)
        if commit and done.differs:
            store.write(db, plan.withdrawn, _by(plan.taken, by), placed, gw.now())
    house_told.say_import(done, directory, commit=commit, as_json=as_json)


@territories.command("import")
def import_territories(
    file: File,
    *,
    kind: Kind = "",
    sheet: Sheet = "",
    begins: From = "",
    partial: Partial = False,
    replace: Replace = False,
    by: By = "",
    commit: output.Commit = False,
    as_json: output.Json = False,
) -> None:
    """Загрузить, какому органу принадлежит территория (ОКТМО) · Load bodies of territories."""
    service = keeper_columns.service(kind) if kind else ""
    table = grid.read(_data(file), sheet)
    with context.opened(context.settings()) as gw, gw.connection() as db, db.transaction():
        if commit:
            store.hold(db)
        directory = Directory(organisations.read_all(db))
        read = houses.territories(table, directory, kind=service, source=file.name)
        plan = house_changes.plan(
            read.given, store.territories(db), begins=_day(begins),
            today=gw.now().date(), replace=replace,
        )  # fmt: skip
        done = house_told.Import.of(file.name, plan, read, partial=partial)
        if commit and done.differs:
            store.write_territories(db, plan.withdrawn, _by(plan.taken, by), gw.now())
    house_told.say_import(done, directory, commit=commit, as_json=as_json)


@territories.command("list")
def list_territories(*, on: On = "", as_json: output.Json = False) -> None:
    """Показать территории и их органы · List territories with their bodies."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        day = _day(on) or gw.now().date()
        rows = [row for row in store.territories(db) if keepers.covers(row, day)]
        directory = Directory(organisations.read_all(db))
    if as_json:
        output.document([msgspec.to_builtins(row) for row in rows])
        return
    house_told.say_rows("Территории · Territories", rows, directory, "ОКТМО", day)


@territories.command("show")
def show_territory(
    oktmo: Annotated[str, typer.Argument(metavar="ОКТМО", help="8 или 11 цифр · digits")],
    *,
    kind: Kind = "",
    on: On = "",
    as_json: output.Json = False,
) -> None:
    """Показать, чей это ОКТМО и что о нём записано · Show whose a place is."""
    service = keeper_columns.service(kind) if kind else ""
    if not (oktmo.isascii() and oktmo.isdigit() and len(oktmo) in {8, 11}):
        raise ValidationError(f"not a code of ОКТМО, 8 or 11 digits: {oktmo[:20]}")
    with context.opened(context.settings()) as gw, gw.connection() as db:
        day = _day(on) or gw.now().date()
        rows = [r for r in store.territories(db, withdrawn=True) if keepers.lies_in(oktmo, r.oktmo)]
        directory = Directory(organisations.read_all(db))
    found = keepers.body_of(rows, oktmo, day, service)
    if as_json:
        told = {"oktmo": oktmo, "on": day, "body": msgspec.to_builtins(found), "history": rows}
        output.document(told)
        return
    body = f"{found.organisation}, {directory.title(found.organisation)}" if found else "—"
    output.say(f"{oktmo} · {day}: {body}")
    house_told.say_rows("Записи · Rows", rows, directory, "ОКТМО", day)


@app.command()
def show(
    house: Annotated[str, typer.Argument(metavar="ГУИД|АДРЕС", help="Дом · A house")],
    *,
    on: On = "",
    as_json: output.Json = False,
) -> None:
    """Показать, кто обслуживает дом и кто обслуживал · Show who serves a house, and who did."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        day = _day(on) or gw.now().date()
        guid = _guid(db, house)
        rows = store.history(db, guid)
        point = store.points(db, [guid]).get(guid)
        place = store.in_register(db, [guid]).get(guid)
        lands = store.territories(db)
        directory = Directory(organisations.read_all(db))
    current = keepers.keepers_of(rows, guid, day)
    body = keepers.body_of(lands, place.oktmo, day) if place else None
    if as_json:
        told = {
            "house_guid": guid, "on": day, "address": place.label if place else "",
            "oktmo": place.oktmo if place else "", "body": body, "point": point,
            "keepers": current, "history": rows,
        }  # fmt: skip
        output.document(told)
        return
    output.say(
        f"{guid} · {place.label if place else 'нет в реестре адресов · not in the register'}"
    )
    if point:
        output.say(f"{point.lat}, {point.lon} (WGS 84, {point.source})")
    if body:
        output.say(f"ОКТМО {place.oktmo if place else ''}: {directory.title(body.organisation)}")
    house_told.say_rows(
        times.titled("Обслуживают · Keepers", times.zone_of(gw.settings)), rows, directory, "", day
    )


@app.command()
def find(
    organisation: Annotated[
        str, typer.Argument(metavar="ОРГАНИЗАЦИЯ", help="Код, ИНН, ОГРН, система:значение")
    ],
    *,
    kind: Kind = "",
    on: On = "",
    limit: Annotated[int, typer.Option(help="Сколько строк · How many rows")] = 200,
    as_json: output.Json = False,
) -> None:
    """Найти дома организации · Find the houses of an organisation."""
    service = keeper_columns.service(kind) if kind else ""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        day = _day(on) or gw.now().date()
        directory = Directory(organisations.read_all(db))
        code = directory.any(organisation)
        found = [r for r in store.houses_of(db, code, service) if keepers.covers(r, day)]
        labels = store.in_register(db, [row.house_guid for row in found[:limit]])
    if as_json:
        output.document(found)
        return
    house_told.say_rows(
        f"{code}: {directory.title(code)}", found[:limit], directory, "Дом", day, labels=labels
    )
    output.say(f"всего · all: {len(found)}")


@app.command("list")
def listed(*, on: On = "", as_json: output.Json = False) -> None:
    """Показать, сколько домов у кого · List how many houses each organisation serves."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        counts = store.counts(db, _day(on) or gw.now().date())
        directory = Directory(organisations.read_all(db))
    if as_json:
        output.document([count._asdict() for count in counts])
        return
    output.table(
        "Дома · Houses",
        ("Услуга", "Код", "Организация", "Домов"),
        [
            (keepers.title_of(c.service), c.organisation, directory.title(c.organisation), c.houses)
            for c in counts
        ],
    )


@app.command()
def gaps(
    *,
    kind: Kind = "management",
    on: On = "",
    limit: Annotated[int, typer.Option(help="Сколько строк · How many rows")] = 200,
    as_json: output.Json = False,
) -> None:
    """Показать дома обращений, для которых никто не указан · Houses of appeals with no keeper."""
    service = keeper_columns.service(kind)
    with context.opened(context.settings()) as gw, gw.connection() as db:
        found = store.gaps(db, service, _day(on) or gw.now().date(), limit)
        labels = store.in_register(db, [gap.house_guid for gap in found])
        zone = times.zone_of(gw.settings)
    if as_json:
        output.document([gap._asdict() for gap in found])
        return
    output.table(
        times.titled(f"Никого · Nobody: {keepers.title_of(service)}", zone),
        ("Дом", "Адрес", "ОКТМО", "Обращений", "Последнее"),
        [
            (
                g.house_guid, labels[g.house_guid].label if g.house_guid in labels else "",
                g.oktmo, g.appeals, times.shown(g.last, zone),
            )
            for g in found
        ],
    )  # fmt: skip


@app.command()
def services(*, as_json: output.Json = False) -> None:
    """Показать виды услуг и слова, которыми их называют · List kinds of service."""
    if as_json:
        output.document([service._asdict() for service in keepers.SERVICES])
        return
    output.table(
        "Виды услуг · Kinds of service",
        ("Код", "Название", "Ещё пишут", "Организаций"),
        [
            (
                s.code,
                s.title,
                ", ".join(s.words),
                "несколько · several" if s.several else "одна · one",
            )
            for s in keepers.SERVICES
        ],
    )
    output.say("свой вид услуги · one of your own: x_…")


def _resolver(db: Any) -> Callable[[Sequence[str]], Sequence[Resolved]]:
    """Return what asks the register of addresses, a batch a statement; names are read once."""
    kept = addresses.Kept(synonyms.names)

    def ask(texts: Sequence[str]) -> list[Resolved]:
        questions = [Question(text=text) for text in texts]
        parts = range(0, len(questions), limits.ADDRESSES_PER_CALL)
        return [
            answer
            for start in parts
            for answer in addresses.resolve(
                db, kept, questions[start : start + limits.ADDRESSES_PER_CALL]
            )
        ]

    return ask


def _guid(db: Any, house: str) -> str:
    """Return the house that a GUID or an address names; raise NotFoundError for a doubt."""
    try:
        return str(UUID(house.strip("{} ")))
    except ValueError:
        (answer,) = _resolver(db)([house])
    if answer.outcome == "exact" and answer.best is not None and answer.best.house_guid:
        return answer.best.house_guid
    near = "; ".join(f"{c.label} [{c.guid}]" for c in answer.candidates[:5])
    raise NotFoundError(
        f"the address is no single house: {answer.outcome}",
        found=house,
        expected=near,
        todo="`gateway fias resolve`",
    )


def _same_point(known: keepers.Point | None, given: keepers.Point) -> bool:
    return known is not None and (known.lat, known.lon) == (given.lat, given.lon)


def _by(rows: Sequence[houses.R], by: str) -> list[houses.R]:
    return [msgspec.structs.replace(row, by=by) for row in rows]


def _day(text: str) -> dt.date | None:
    return keeper_columns.day(text) if text else None


def _data(file: Path) -> bytes:
    if not file.is_file():
        raise NotFoundError("no such file", found=str(file))
    size = file.stat().st_size
    if size > limits.KEEPER_FILE_BYTES:
        raise TooLargeError(
            "the file is too large", found=f"{size} bytes",
            expected=f"{limits.KEEPER_FILE_BYTES} bytes", todo="разделите файл · split the file",
        )  # fmt: skip
    return file.read_bytes()
