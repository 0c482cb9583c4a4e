"""`gateway fias`: load a delivery, say what is loaded, plan for more."""

from __future__ import annotations

import re
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.progress import (
    BarColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from adapters.fias import loads, room, schedule
from adapters.fias.drift import Drift
from adapters.fias.format import EXTRAS, wanted
from adapters.fias.load import Wish
from adapters.fias.load import load as load_delivery
from adapters.fias.members import Delivery
from gateway import screen
from gateway.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from rich.progress import TaskID

    from adapters.fias.load import Loaded
    from adapters.fias.members import Kind
    from adapters.fias.staging import Told

STEPS: Final = {
    "objects": "объекты · objects", "houses": "дома · houses", "names": "названия · names",
    "flats": "квартиры · flats", "checks": "проверки · checks", "indexes": "индексы · indexes",
}  # fmt: skip
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)B?", re.IGNORECASE)
_UNITS: Final = {"": 1, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}

Source = Annotated[
    Path,
    typer.Argument(metavar="ПУТЬ", help="gar_xml.zip, gar_delta_xml.zip или папка · or a folder"),
]
Regions = Annotated[
    list[str] | None, typer.Option("--region", help="Код региона, можно несколько · Its code")
]
With = Annotated[
    list[str] | None, typer.Option("--with", help="apartments: квартиры, steads: участки")
]


def add(group: typer.Typer, opened: Callable[[], AbstractContextManager[Any]]) -> None:
    """Add the commands; `opened` lends the database while one runs."""
    _load(group, opened)
    _status(group, opened)
    _plan(group)


def _load(group: typer.Typer, opened: Callable[[], AbstractContextManager[Any]]) -> None:
    @group.command("load")
    def load(
        path: Source,
        *,
        region: Regions = None,
        with_: With = None,
        full: Annotated[bool, typer.Option("--full", help="Это полная · A full delivery")] = False,
        delta: Annotated[bool, typer.Option("--delta", help="Это дельта · A delta")] = False,
        after: Annotated[
            int, typer.Option(help="Версия, которую дельта продолжает · What the delta follows")
        ] = 0,
        version: Annotated[int, typer.Option(help="Номер версии · VersionId, 20260908")] = 0,
        disk_free: Annotated[
            float, typer.Option(help="ГБ, если база на другой машине · Free GB of its disk")
        ] = 0.0,
        restart: Annotated[
            bool, typer.Option("--restart", help="Забыть прерванную · Forget one broken off")
        ] = False,
        as_json: screen.Json = False,
    ) -> None:
        """Загрузить выгрузку ГАР; прерванная продолжается · Load a delivery; resumes."""
        if full and delta:
            raise ConfigurationError("--full или --delta · one of them", where="--full --delta")
        regions, extras = tuple(map(_code, region or ())), _extras(with_ or ())
        kind: Kind | None = "full" if full else "delta" if delta else None
        drift = Drift()
        with opened() as gw, Delivery(path, drift) as delivery, gw.connection() as db:
            free = _free(gw.settings, disk_free)
            if free is None and not as_json:
                screen.say("Место на диске не проверено: --disk-free ГБ · the disk was not checked")
            wish = Wish(
                regions=regions, extras=extras, kind=kind, version=version, after=after, free=free,
                restart=restart, smaller=full,
            )  # fmt: skip
            with _progress(delivery, wish, quiet=as_json) as told:
                done = load_delivery(db, delivery, wish, gw.now, told, drift=drift)
        if as_json:
            screen.document({"loaded": done})
        else:
            _tell(done)


def _status(group: typer.Typer, opened: Callable[[], AbstractContextManager[Any]]) -> None:
    @group.command("status")
    def status(*, as_json: screen.Json = False) -> None:
        """Что загружено, насколько старо, что прервано · What is loaded, how old, broken off."""
        with opened() as gw, gw.connection() as db:
            found = loads.status(db, gw.now())
            refreshed = schedule.last(gw.settings)
        if as_json:
            screen.document({**found, "refresh": refreshed})
            return
        if refreshed is not None:
            screen.say(refreshed.line)
        screen.table(
            "Загружено · Loaded",
            ("Регион", "Версия", "Дней", "Объектов", "Домов", "Помещений", "Странного", "Откуда"),
            [
                (
                    row["region"], row["version"], row["age_days"], row["objects"], row["houses"],
                    row["flats"], sum(row["report"].get("strange", {}).values()), row["source"],
                )
                for row in found["regions"]
            ],
        )  # fmt: skip
        if gone := [row["region"] for row in found["regions"] if not row["deltas"]]:
            screen.say(
                "Сырые строки пропали (сбой сервера базы), ищется как прежде; дельты не примутся,"
                " нужна полная выгрузка · raw rows are gone, searches go on, deltas are refused:"
                f" gateway fias load gar_xml.zip {' '.join(f'--region {one}' for one in gone)}"
            )
        if found["broken_off"]:
            screen.table(
                "Прерваны: повторите ту же загрузку · Broken off: load the same again",
                ("Регион", "Версия", "Начата", "Файлов", "Строк", "Откуда"),
                [
                    (
                        row["region"], row["version"], f"{row['started_at']:%Y-%m-%d %H:%M}",
                        row["files"], row["rows"], row["source"],
                    )
                    for row in found["broken_off"]
                ],
            )  # fmt: skip


def _plan(group: typer.Typer) -> None:
    @group.command("plan")
    def plan(
        path: Annotated[
            Path | None, typer.Argument(metavar="ПУТЬ", help="Выгрузка · A delivery")
        ] = None,
        *,
        size: Annotated[
            str, typer.Option("--bytes", help="Размер распакованной: 300G · Unpacked size")
        ] = "",
        region: Regions = None,
        with_: With = None,
        as_json: screen.Json = False,
    ) -> None:
        """Сколько нужно диска и часов, по измеренному · Disk and hours, by what was measured."""
        if (path is None) == (not size):
            raise ConfigurationError("назовите выгрузку или --bytes · one of them", where="plan")
        if path is None:
            needs = {"-": room.of_bytes(_size(size))}
        else:
            kinds = wanted(_extras(with_ or ()))
            with Delivery(path, Drift()) as delivery:
                codes = [_code(one) for one in region or ()] or delivery.regions
                needs = {code: room.of_members(delivery.of(code, kinds)) for code in codes}
        total = room.Need(*(sum(values) for values in zip(*needs.values(), strict=True)))
        if as_json:
            plain = {code: one._asdict() for code, one in needs.items()}
            screen.document({"regions": plain, "total": total._asdict(), "measured": room.MEASURED})
            return
        screen.table(
            f"План · Plan ({room.MEASURED})",
            ("Регион", "XML", "Строк", "Диск", "Часов"),
            [
                (
                    code, room.gigabytes(one.xml), f"{one.rows:,}", room.gigabytes(one.disk),
                    f"{one.seconds / 3600:.2f}",
                )
                for code, one in [*needs.items(), ("Всего · total", total)]
            ],
        )  # fmt: skip


def _code(text: str) -> str:
    if not re.fullmatch(r"[0-9]{1,2}", text) or not int(text):
        raise ConfigurationError(
            "код региона: две цифры · two digits", found=text, where="--region", todo="--region 36"
        )
    return f"{int(text):02d}"


def _extras(given: Sequence[str]) -> frozenset[str]:
    unknown = sorted(set(given) - set(EXTRAS))
    if unknown:
        raise ConfigurationError(
            "так ничего не догружают · not one of these", found=", ".join(unknown),
            expected=", ".join(EXTRAS), where="--with",
        )  # fmt: skip
    return frozenset(given)


def _size(text: str) -> int:
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ConfigurationError("не размер · no size", found=text, where="--bytes", todo="300G")
    return int(float(found[1]) * _UNITS[found[2].upper()])


def _free(settings: Any, given: float) -> int | None:
    """Return the bytes that may be used; None for a database elsewhere of which nothing is said."""
    if given:
        return int(given * 1e9)
    return None if settings.database_url else room.free(settings.data_dir)


@contextmanager
def _progress(delivery: Delivery, wish: Wish, *, quiet: bool) -> Iterator[Told]:
    """Show file, rows a second and the time that is left; nothing when nobody looks."""
    console = screen.console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _name, _bytes, _rows: None
        return
    kinds = wanted(wish.extras)
    regions = wish.regions or tuple(delivery.regions)
    total = sum(m.size for region in regions for m in delivery.of(region, kinds))
    columns = (
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[rate]}"), TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as shown:
        yield _Bar(shown, shown.add_task("…", total=total, rate="")).told


class _Bar:
    """What of a delivery is read, over all of its files."""

    def __init__(self, shown: Progress, task: TaskID) -> None:
        self._shown, self._task, self._started = shown, task, monotonic()
        self._name = ""
        self._bytes = self._rows = self._bytes_before = self._rows_before = 0

    def told(self, name: str, size: int, rows: int) -> None:
        """Show a file that is read, or a step of the build."""
        if not size:
            self._shown.update(self._task, description=STEPS.get(name, name))
            return
        if name != self._name:
            self._bytes_before += self._bytes
            self._rows_before += self._rows
        self._name, self._bytes, self._rows = name, size, rows
        speed = (self._rows_before + rows) / max(monotonic() - self._started, 0.1)
        self._shown.update(
            self._task, completed=self._bytes_before + size, description=name.rsplit("_", 2)[0],
            rate=f"{speed / 1000:.0f} тыс. строк/с",
        )  # fmt: skip


def _tell(done: Sequence[Loaded]) -> None:
    screen.table(
        "Загрузка · Load",
        ("Регион", "Версия", "Итог", "Объектов", "Названий", "Домов", "Помещений", "Секунд"),
        [
            (
                one.region, one.version, one.state, one.objects, one.names, one.houses, one.flats,
                f"{sum(one.seconds.values()):.1f}",
            )
            for one in done
        ],
    )  # fmt: skip
    for one in done:
        strange = [
            (kind, times, "; ".join(one.examples.get(kind, ())[:3]))
            for kind, times in sorted(one.strange.items(), key=lambda item: -item[1])
        ]
        if strange:
            columns = ("Что · What", "Сколько · Count", "Например · For example")
            screen.table(f"Странное, регион · Strange, region {one.region}", columns, strange)
