"""`gateway doctor`: is this installation fit to work."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer
from rich.markup import escape

from gateway import doctor as checks
from gateway import doctor_database, doctor_peers
from gateway.commands import context, output
from gateway.embedded import cluster_status, wait_stopped
from gateway.errors import GatewayError
from gateway.settings import Settings
from gateway.store import schema

app = output.app("doctor", "Проверить установку: 0 - годна, 1 - нет · Check the installation")

MARKS: Final = {"ok": "[green]✓[/]", "warn": "[yellow]![/]", "fail": "[red]✗[/]"}


@app.command()
def doctor(
    *,
    scratch: Annotated[
        bool,
        typer.Option(
            "--scratch",
            help="На временной базе, которая будет удалена · On a throw-away database",
        ),
    ] = False,
    as_json: output.Json = False,
) -> None:
    """Проверить установку: 0 - годна, 1 - нет · Check the installation."""
    findings: list[checks.Finding] = []
    real = context.settings()
    with _settings(real, scratch=scratch) as settings:
        machine = checks.without_database(settings)
        machine["settings"] = partial(checks.check_settings, real)
        if scratch:
            machine["account"] = partial(_only_told, partial(checks.check_account, real))
        findings += checks.examine(machine)
        findings += _database(settings, scratch=scratch)
    good = not any(finding.level == "fail" for finding in findings)
    if as_json:
        output.document({"ok": good, "findings": findings})
    else:
        _print(findings, good=good)
    if not good:
        raise typer.Exit(output.FOUND)


@contextmanager
def _settings(settings: Settings, *, scratch: bool) -> Iterator[Settings]:
    """Lend the settings; for a scratch run with data that lie in a directory of their own."""
    if not scratch:
        yield settings
        return
    place = Path(tempfile.mkdtemp(prefix="gateway-doctor-"))
    # The server's account walks through when we are root.
    place.chmod(0o711)
    data = place / "data"
    (data / "blobs").mkdir(parents=True)
    data.chmod(0o711)
    try:
        yield msgspec.structs.replace(
            settings,
            data_dir=data,
            blob_dir="",
            database_url="",
            pg_allow_nobody=True,
            pg_durable=False,
        )
        wait_stopped(data)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _database(settings: Settings, *, scratch: bool) -> list[checks.Finding]:
    if not scratch and not settings.database_url and not cluster_status(settings.data_dir).exists:
        return [
            checks.warn(
                "database",
                f"базы ещё нет · there is no database yet: {settings.data_dir}",
                "gateway db start && gateway db upgrade; проверка без неё · a check without it: "
                "gateway doctor --scratch",
            )
        ]
    try:
        with context.opened(settings, migrated=False) as gw:
            if scratch:
                schema.upgrade(gw.url, gw.now())
            return list(_of_database(settings, gw, scratch=scratch))
    except GatewayError as error:
        return [checks.fail("database", f"{error.message}: {error.found}", error.todo)]


def _of_database(
    settings: Settings, gw: context.Opened, *, scratch: bool
) -> Iterator[checks.Finding]:
    """Yield what is found in the database; a scratch one holds no peers to look at."""
    for finding in checks.examine(doctor_database.first(gw.url)):
        yield finding
        if finding.level == "fail":
            return
    yield from checks.examine(doctor_database.checks(settings, gw.url, gw.now()))
    if not scratch:
        yield from checks.examine(doctor_peers.checks(settings, gw.url, gw.now()))


def _only_told(check: checks.Check) -> Iterator[checks.Finding]:
    """Tell what fails, as a warning: a scratch run needs an account of its own only."""
    for finding in checks.examine({"account": check}):
        level: checks.Level = "warn" if finding.level == "fail" else finding.level
        yield msgspec.structs.replace(finding, level=level)


def _print(findings: list[checks.Finding], *, good: bool) -> None:
    screen = output.console()
    for finding in findings:
        line = f"{MARKS[finding.level]} {escape(finding.check)}: {escape(finding.what)}"
        screen.print(line, soft_wrap=True)
        if finding.todo:
            screen.print(f"    → {escape(finding.todo)}", soft_wrap=True)
    screen.print("Годна · Fit to work" if good else "Не годна · Not fit to work")
