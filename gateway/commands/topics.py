"""`gateway topics`: classifiers of topics, and what codes of one mean in another.

Nothing is changed without `--commit`; the same is shown then as is done with it.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

from gateway.commands import context, output, times
from gateway.commands.register import read_day
from gateway.errors import NotFoundError, ValidationError
from gateway.store import topics as store
from gateway.topics import SSTU, Change, Classifier, Kind, Node, canonical, compare
from gateway.topics.codes import is_short
from gateway.topics.seed import seed
from import_export import topics as files

app = output.app("topics", "Классификаторы тем · Classifiers of topics")

KINDS: Final = {
    Kind.ADDED: "новых · new",
    Kind.CHANGED: "изменено · changed",
    Kind.CLOSED: "закрыто · closed",
    Kind.SAME: "без изменений · same",
}
SHOWN: Final = 50
_SYSTEM: Final = re.compile(r"[a-z0-9][a-z0-9._:-]{0,60}")
_VERSION: Final = re.compile(r"[A-Za-z0-9._-]{1,40}")

System = Annotated[str, typer.Option("--system", metavar="СИСТЕМА", help="sstu, pos.topic, …")]
File = Annotated[Path, typer.Argument(metavar="ФАЙЛ", dir_okay=False)]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Не больше · At most")]


@app.command("import")
def import_(
    file: File,
    *,
    version: Annotated[
        str, typer.Option("--version", metavar="РЕДАКЦИЯ", help="Имя редакции, лучше её дата")
    ],
    system: System = SSTU,
    begins: Annotated[
        str, typer.Option("--from", metavar="ГГГГ-ММ-ДД", help="С какого дня · In force from")
    ] = "",
    partial: Annotated[
        bool, typer.Option("--partial", help="Файл неполон: остальное остаётся · Only a part")
    ] = False,
    commit: output.Commit = False,
    as_json: output.Json = False,
) -> None:
    """Загрузить классификатор из docx, CSV или JSON · Load a classifier."""
    data = _data(file)
    about = Classifier(
        _system(system), (), version=_version(version), partial=partial, source=file.name
    )
    with context.opened(context.settings()) as gw, gw.connection() as db, db.transaction():
        known = store.stored(db, system)
        shipped = seed().nodes if partial and not known and system == SSTU else ()
        there = frozenset(n.code for n in (*known, *shipped) if n.valid_to is None)
        read = files.nodes(data, file.name, system, there if partial else frozenset())
        changes = _lasting(
            compare(
                (*known, *shipped),
                read.nodes,
                version=version,
                day=_begins(begins, version, gw.now().date(), first=not known),
                whole=not partial,
            )
        )
        if commit:
            store.write(db, about, [*_taken_over(shipped, changes), *changes], gw.now())
        kept = len(there - {n.code for n in read.nodes}) if partial else 0
        stray = _stray(db, system, read.nodes, changes)
    counts = {kind.value: sum(c.kind is kind for c in changes) for kind in KINDS}
    if as_json:
        told = {"system": system, "version": version, "skipped": read.skipped, "stray": stray}
        output.document(counts | {"kept": kept} | told | {"committed": commit})
        return
    _say(file.name, changes, read.skipped, kept)
    if stray:
        output.say(f"Сопоставлены с кодом, которого нет · Mapped to no code: {', '.join(stray)}")
    output.planned(commit=commit)


@app.command("list")
def listed(
    under: Annotated[str, typer.Argument(metavar="[КОД]", help="Что под ним · Below it")] = "",
    *,
    system: System = "",
    on: Annotated[
        str, typer.Option("--on", metavar="ГГГГ-ММ-ДД", help="На какой день, иначе сегодня")
    ] = "",
    as_json: output.Json = False,
) -> None:
    """Показать классификаторы, или узлы одного · List classifiers, or the nodes of one."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        known = store.classifiers(db)
        day = read_day(on) if on else gw.now().date()
    if not system and not under:
        _say_classifiers(known, day, as_json=as_json)
        return
    classifier = _one(known, system or SSTU)
    top = canonical(classifier.system, under)
    found = [n for n in classifier.current(day) if not top or _is_below(n, top)]
    if as_json:
        output.document([msgspec.to_builtins(node) for node in found])
        return
    _table(f"{classifier.system}, {classifier.version}", found)


@app.command()
def show(
    code: Annotated[str, typer.Argument(metavar="КОД", help="Целиком или последний блок")],
    *,
    system: System = SSTU,
    on: Annotated[str, typer.Option("--on", metavar="ГГГГ-ММ-ДД", help="На какой день")] = "",
    as_json: output.Json = False,
) -> None:
    """Показать узел; у короткого кода их бывает несколько · Show a node, or all a short code is."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        classifier = _one(store.classifiers(db), system)
        day = read_day(on) if on else gw.now().date()
    node = classifier.lookup(code, day)
    found = [node] if node else []
    if is_short(system, code):
        found += classifier.short(code, day)
    if not found:
        raise NotFoundError("no such topic", found=code, todo="`gateway topics list`")
    if as_json:
        output.document([msgspec.to_builtins(node) for node in found])
        return
    _table(f"{system} {code}", found)


@app.command("map")
def map_(
    system: Annotated[str, typer.Argument(metavar="ИЗ", help="Чей код · Whose code")],
    to_system: Annotated[str, typer.Argument(metavar="В", help="sstu, …")],
    file: File,
    *,
    commit: output.Commit = False,
    as_json: output.Json = False,
) -> None:
    """Загрузить соответствия кодов из CSV или JSON · Load what codes mean in another classifier."""
    _system(system), _system(to_system)
    if system == to_system:
        raise ValidationError("a classifier is not mapped to itself")
    given = files.pairs(_data(file), file.name, system, to_system)
    with context.opened(context.settings()) as gw, gw.connection() as db, db.transaction():
        known = store.tables(db)
        before = {code: known.maps.get((system, code), {}).get(to_system, "") for code in given}
        target = known.classifiers.get(to_system)
        day = gw.now().date()
        stray = sorted({c for c in given.values() if c and target and not target.may_give(c, day)})
        if commit:
            store.map_codes(db, system, to_system, given, gw.now())
        left = len(store.unmapped(db, system))
    differing = {code: to for code, to in given.items() if before[code] != to}
    if as_json:
        told = {"changed": len(differing), "same": len(given) - len(differing), "stray": stray}
        output.document(told | {"unmapped": left, "committed": commit})
        return
    if differing:
        output.table(
            f"{system} → {to_system}: {file.name}",
            ("Код", "Был", "Будет"),
            [(code, before[code], to or "—") for code, to in list(differing.items())[:SHOWN]],
        )
    output.say(f"изменено · changed: {len(differing)}, всего · all: {len(given)}")
    if stray:
        output.say(
            f"Вопросу не дают в {to_system} · Not given to a question there: {', '.join(stray)}"
        )
    output.say(f"Ждут сопоставления · Codes not mapped: {left}")
    output.planned(commit=commit or not differing)


@app.command()
def unmapped(
    system: Annotated[str, typer.Argument(metavar="[ИЗ]", help="Чьи коды · Whose codes")] = "",
    to_system: Annotated[str, typer.Argument(metavar="[В]", help="sstu, …")] = "",
    *,
    limit: Limit = 500,
    as_json: output.Json = False,
) -> None:
    """Показать коды, которых никто не знает, частые первыми · List codes that nobody knows."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        if to_system:
            rows = store.lacking(db, system, to_system, gw.now().date())
        else:
            rows = store.unmapped(db, system)
        zone = times.zone_of(gw.settings)
    if as_json:
        output.document([row._asdict() for row in rows[:limit]])
        return
    output.table(
        times.titled("Не сопоставлены · Not mapped", zone),
        ("Система", "Код", "Название", "Раз", "Впервые", "Последний", "Сообщение"),
        [
            (
                r.system, r.code, r.title, r.times, _when(r.first_seen, zone),
                _when(r.last_seen, zone), r.message_id or "",
            )
            for r in rows[:limit]
        ],
    )  # fmt: skip
    output.say(f"всего · all: {len(rows)}")


def _data(file: Path) -> bytes:
    if not file.is_file():
        raise NotFoundError("no such file", found=str(file))
    if file.stat().st_size > files.FILE_BYTES:
        raise ValidationError(f"the file is larger than {files.FILE_BYTES} bytes")
    return file.read_bytes()


def _system(name: str) -> str:
    if not _SYSTEM.fullmatch(name):
        raise ValidationError(f"not a name of a classifier: {name[:60]}")
    return name


def _version(name: str) -> str:
    if not _VERSION.fullmatch(name):
        raise ValidationError(f"not a name of a version: {name[:60]}")
    return name


def _begins(text: str, version: str, today: dt.date, *, first: bool) -> dt.date | None:
    """Return the day from which a file is in force: as said, as its version is dated, or today.

    A first one is in force for all that came before it, too.
    """
    if text:
        return read_day(text)
    if first:
        return None
    try:
        return dt.date.fromisoformat(version)
    except ValueError:
        return today


def _lasting(changes: list[Change]) -> list[Change]:
    """Leave out wordings that were never in force: a first file's hold for all that came before."""
    return [c for c in changes if c.node.valid_to != dt.date.min]


def _taken_over(shipped: tuple[Node, ...], changes: list[Change]) -> list[Change]:
    """Return what comes with the gateway and stays as it is beside a first part of a body's own."""
    other = {change.node.code for change in changes if change.kind is not Kind.SAME}
    return [Change(Kind.ADDED, node, None) for node in shipped if node.code not in other]


def _stray(db: Any, system: str, read: tuple[Node, ...], changes: list[Change]) -> list[str]:
    """Return codes of other classifiers that are mapped to what is not there after the file."""
    closed = {c.node.code for c in changes if c.kind is Kind.CLOSED} - {n.code for n in read}
    maps = store.tables(db).maps
    return sorted(
        f"{of} {code} → {to[system]}" for (of, code), to in maps.items() if to.get(system) in closed
    )


def _say(name: str, changes: list[Change], skipped: tuple[str, ...], kept: int) -> None:
    differing = [c for c in changes if c.kind is not Kind.SAME]
    if differing:
        output.table(
            f"Темы · Topics: {name}",
            ("Код", "Название", "Что"),
            [(c.node.code, c.node.title, KINDS[c.kind]) for c in differing[:SHOWN]],
        )
    counts = {kind: sum(c.kind is kind for c in changes) for kind in KINDS}
    said = [f"{KINDS[kind]}: {count}" for kind, count in counts.items()]
    output.say(", ".join([*said, f"остались · kept: {kept}"]))
    if skipped:
        output.say(f"Пропущено · Left out: {len(skipped)}")
        for line in skipped[:SHOWN]:
            output.say(f"  {line}")


def _say_classifiers(known: dict[str, Classifier], day: dt.date, *, as_json: bool) -> None:
    rows = [
        {
            "system": c.system, "version": c.version, "partial": c.partial, "source": c.source,
            "nodes": len(c.current(day)),
        }
        for c in known.values()
    ]  # fmt: skip
    if as_json:
        output.document(rows)
        return
    output.table(
        "Классификаторы · Classifiers",
        ("Система", "Редакция", "Узлов", "Полнота", "Источник"),
        [
            (
                r["system"], r["version"], r["nodes"],
                "часть · a part" if r["partial"] else "целиком · whole", r["source"],
            )
            for r in rows
        ],
    )  # fmt: skip


def _table(title: str, nodes: list[Node]) -> None:
    output.table(
        title,
        ("Код", "Название", "Действует с", "по", "Редакция"),
        [(n.code, n.title, n.valid_from or "", n.valid_to or "", n.version) for n in nodes],
    )


def _one(known: dict[str, Classifier], system: str) -> Classifier:
    if system not in known:
        raise NotFoundError("no such classifier", found=system, expected=", ".join(sorted(known)))
    return known[system]


def _is_below(node: Node, top: str) -> bool:
    return top in {node.code, node.parent} or node.code.startswith(f"{top}.")


def _when(at: dt.datetime | None, zone: Any) -> str:
    return times.shown(at, zone) if at else ""
