"""`gateway fias`: the catalogue of deliveries, fetching one, being up to date."""

from __future__ import annotations

from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from adapters.fias import refresh as refreshing
from adapters.fias import state, stored
from adapters.fias.download import Downloads
from adapters.fias.schedule import ADAPTER
from gateway import registry, screen
from gateway.errors import BusyError, GatewayError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from adapters.fias.adapter import Fias
    from adapters.fias.catalogue import Delivery
    from adapters.fias.refresh import Plan
    from adapters.fias.stored import Opened

SHOWN: Final = 20
_KINDS: Final = {"full": "полная · full", "delta": "дельта · delta"}


def add(group: typer.Typer, opened: Callable[[], AbstractContextManager[Opened]]) -> None:
    """Add the commands; `opened` lends the database while one runs."""
    _catalogue(group, opened)
    _download(group, opened)
    _refresh(group, opened)


def _catalogue(group: typer.Typer, opened: Callable[[], AbstractContextManager[Opened]]) -> None:
    @group.command("catalogue")
    def catalogue(*, as_json: screen.Json = False) -> None:
        """Какие есть выпуски и что из них загружено · Which releases there are, what is loaded."""
        with opened() as gw, _adapter(gw) as adapter:
            found = adapter.catalogue.every()
            loaded = stored.loaded(gw.url)
            last = state.read(adapter.options.folder(gw.settings.data_dir))
        if as_json:
            screen.document({"deliveries": found, "loaded": loaded, "refresh": last})
            return
        _table(found, loaded)
        screen.say(f"Загружено · loaded: {_regions_at(loaded)}")
        if last is not None:
            screen.say(last.line)


def _download(group: typer.Typer, opened: Callable[[], AbstractContextManager[Opened]]) -> None:
    @group.command("download")
    def download(
        version: Annotated[
            int,
            typer.Argument(metavar="VERSION", help="VersionId: 20260908; 0: последний · newest"),
        ],
        *,
        delta: Annotated[bool, typer.Option("--delta", help="Дельта · The delta")] = False,
        as_json: screen.Json = False,
    ) -> None:
        """Скачать поставку; оборванная продолжается · Fetch a delivery; a broken one goes on."""
        kind: refreshing.Kind = "delta" if delta else "full"
        with opened() as gw, _adapter(gw) as adapter:
            found = adapter.catalogue.every()
            wanted = version or max((d.version_id for d in found), default=0)
            url = refreshing.find(found, wanted, kind)
            folder = adapter.options.folder(gw.settings.data_dir)
            with state.alone(folder), _progress(quiet=as_json) as told:
                fetched = _downloads(adapter, folder, told).fetch(
                    url, refreshing.file_name(wanted, kind)
                )
        if as_json:
            screen.document({**fetched._asdict(), "version": wanted, "kind": kind})
        else:
            screen.say(f"{fetched.path}: {fetched.size} B, SHA-256 {fetched.sha256}")


def _refresh(group: typer.Typer, opened: Callable[[], AbstractContextManager[Opened]]) -> None:
    @group.command("refresh")
    def refresh(
        *,
        full: Annotated[
            bool,
            typer.Option(
                "--full", help="Можно и полную поставку, десятки ГБ · A full delivery is allowed"
            ),
        ] = False,
        commit: screen.Commit = False,
        as_json: screen.Json = False,
    ) -> None:
        """Скачать и загрузить всё новое · Fetch and load whatever is new."""
        with opened() as gw, _adapter(gw) as adapter:
            folder = adapter.options.folder(gw.settings.data_dir)
            with _noted(gw, folder, commit=commit) as done:
                found = refreshing.plan(
                    stored.loaded(gw.url), adapter.catalogue.every(), adapter.options.regions
                )
                if not as_json:
                    _tell(found)
                if commit:
                    refreshing.require_allowed(found, full=full or adapter.options.full)
                    with _progress(quiet=as_json) as told:
                        refreshing.carry_out(
                            found,
                            _downloads(adapter, folder, told),
                            partial(stored.put, gw, extras=frozenset(adapter.options.extras)),
                        )
                    done(found.newest)
        if as_json:
            screen.document({"plan": found, "committed": commit})
        elif commit:
            screen.say(f"Готово · done: {found.newest}")
        elif found.steps:
            screen.say(
                "Ничего не изменено, повторите с --commit · Nothing was changed, repeat with it"
            )


@contextmanager
def _noted(gw: Opened, folder: Path, *, commit: bool) -> Iterator[Callable[[int], None]]:
    """Be alone at the folder and note how a refresh ended; one that is only shown notes nothing."""
    if not commit:
        yield lambda _version: None
        return

    def done(version: int) -> None:
        state.note(folder, gw.now(), version=version)

    with state.alone(folder):
        try:
            yield done
        except BusyError:
            raise
        except GatewayError as error:
            state.note(folder, gw.now(), error=str(error))
            raise
        except Exception as error:
            state.note(folder, gw.now(), error=f"{type(error).__name__}: {error}")
            raise


@contextmanager
def _adapter(gw: Opened) -> Iterator[Fias]:
    """Lend the adapter by the settings, whether or not it is switched on for the schedule."""
    adapter = registry.load((ADAPTER,))[ADAPTER]
    made: Fias = adapter.make(registry.options(adapter, gw.settings.adapter_options))
    with closing(made):
        yield made


def _downloads(adapter: Fias, folder: Path, told: Callable[[int, int], None]) -> Downloads:
    found = adapter.options
    plain = bool(found.allow_private)
    return Downloads(adapter.outbound, folder, found.hosts, plain=plain, told=told)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Show how much is there, on a terminal; otherwise nothing: a log wants no bars."""
    console = screen.console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _there, _all: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("ФИАС")
        yield lambda there, total: bar.update(task, completed=there, total=total)


def _tell(found: Plan) -> None:
    for region, why in found.why.items():
        screen.say(f"{region:02d}: {why}")
    if not found.steps:
        screen.say(f"Всё загружено · everything is loaded: {found.newest}")
    for number, step in enumerate(found.steps, 1):
        regions = ", ".join(f"{region:02d}" for region in step.regions)
        screen.say(f"{number}. {step.version} {_KINDS[step.kind]}: {regions}; {step.url}")


def _table(found: Sequence[Delivery], loaded: dict[int, int]) -> None:
    at = set(loaded.values())
    made = Table(title=f"Выпуски · Releases: {len(found)}", title_justify="left")
    for column in ("VersionId", "", "Дельта · Delta", "Полная · Full", "Загружен · Loaded"):
        made.add_column(column, overflow="fold")
    for one in list(found)[: -SHOWN - 1 : -1]:
        made.add_row(
            str(one.version_id),
            escape(one.text_version),
            "✓" if one.delta_url else "",
            "✓" if one.full_url else "",
            "✓" if one.version_id in at else "",
        )
    screen.console().print(made)


def _regions_at(loaded: dict[int, int]) -> str:
    if not loaded:
        return "ничего · nothing"
    shown = [f"{region:02d}: {version}" for region, version in loaded.items()]
    return ", ".join(shown[:SHOWN]) + (" …" if len(shown) > SHOWN else "")
