"""`gateway db`: the embedded database, migrations, backup and restore."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from gateway.commands import archive, context, output
from gateway.embedded import cluster_status, start_cluster, stop_cluster
from gateway.errors import ConfigurationError
from gateway.settings import Settings
from gateway.store import schema

app = output.app("db", "База данных · The database")

Place = Annotated[Path, typer.Argument(metavar="КАТАЛОГ", help="Каталог копии · Its directory")]


@app.command()
def start(*, as_json: output.Json = False) -> None:
    """Запустить встроенную базу и оставить её работать · Start it and keep it up."""
    settings = _embedded()
    status = start_cluster(
        settings.data_dir,
        pg_bin=Path(settings.pg_bin) if settings.pg_bin else None,
        user=settings.pg_user or None,
        allow_nobody=settings.pg_allow_nobody,
    )
    _told(msgspec.to_builtins(status), as_json=as_json, title="Запущена · Started")


@app.command()
def stop(*, as_json: output.Json = False) -> None:
    """Остановить встроенную базу · Stop the embedded database."""
    status = stop_cluster(_embedded().data_dir)
    title = "Остановлена · Stopped"
    if status.running:
        title = "Ещё нужна процессам (users) · Still used by processes (users)"
    _told(msgspec.to_builtins(status), as_json=as_json, title=title)
    if status.running:
        raise typer.Exit(output.FOUND)


@app.command("status")
def status_(*, as_json: output.Json = False) -> None:
    """Показать, что с базой; ничего не запускает · Show its state; starts nothing."""
    settings = context.settings()
    if settings.database_url:
        with context.opened(settings, migrated=False) as gw, gw.connection() as db:
            server = db.info.server_version // 10_000
        told = {
            "external": True,
            "server": server,
            "revision": schema.current(settings.database_url),
        }
        _told(told, as_json=as_json, title="Внешняя · External")
        return
    _told(
        msgspec.to_builtins(cluster_status(settings.data_dir)),
        as_json=as_json,
        title="Встроенная · Embedded",
    )


@app.command()
def upgrade(*, as_json: output.Json = False) -> None:
    """Привести схему к этой версии программы · Migrate the schema to this release."""
    with context.opened(context.settings(), migrated=False) as gw:
        before = schema.current(gw.url)
        revision = schema.upgrade(gw.url, gw.now())
    _told(
        {"before": before or "-", "revision": revision},
        as_json=as_json,
        title="Схема · Schema",
    )


@app.command()
def backup(target: Place, *, as_json: output.Json = False) -> None:
    """Снять копию базы и файлов на один момент · Back up database and blobs as one point."""
    with context.opened(context.settings()) as gw:
        manifest = archive.back_up(gw, target, gw.now())
    _told(msgspec.to_builtins(manifest), as_json=as_json, title=f"Копия · Backup: {target}")
    if manifest.missing:
        raise typer.Exit(output.FOUND)


@app.command()
def restore(
    source: Place,
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Только проверить копию · Only check the backup")
    ] = False,
    as_json: output.Json = False,
) -> None:
    """Вернуть копию в пустую базу; непустую не трогает · Restore into an empty database only."""
    if check:
        manifest = archive.check(source)
    else:
        with context.opened(context.settings(), migrated=False) as gw:
            manifest = archive.restore(gw, source)
    title = "Копия цела · The backup is whole" if check else "Восстановлена · Restored"
    _told(msgspec.to_builtins(manifest), as_json=as_json, title=f"{title}: {source}")
    if not check and manifest.revision != schema.head() and not as_json:
        output.say("Теперь выполните · Now run: gateway db upgrade")


def _embedded() -> Settings:
    settings = context.settings()
    if settings.database_url:
        raise ConfigurationError(
            "the database is external: its own administrator starts and stops it",
            where="GATEWAY_DATABASE_URL",
        )
    return settings


def _told(values: Mapping[str, object], *, as_json: bool, title: str) -> None:
    if as_json:
        output.document(values)
        return
    output.table(
        title, ("Поле", "Значение"), [(k, v) for k, v in values.items() if v not in ("", None)]
    )
