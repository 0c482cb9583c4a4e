"""`gateway import` and `gateway export`: the same files by hand.

The program that assembles the commands calls `attach` with its own way of opening the database, so
that nothing here knows where settings come from.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import msgspec
import psycopg
import typer

from gateway import registry
from gateway.errors import ConfigurationError, GatewayError, NotFoundError
from gateway.settings import FileInbox
from gateway.store import peers
from gateway.store.blobs import BlobDirectory
from gateway.store.committer import Committer
from import_export import profile as profiles
from import_export.bundle import Bundle
from import_export.csvfile import Table, require_profile
from import_export.csvout import write_csv
from import_export.documents import Documents
from import_export.filedrop import run_once
from import_export.known import StoreKnown
from import_export.snapshot import is_xml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from gateway.adapter import Codec
    from gateway.settings import Settings
    from import_export.reading import FileReport

RECEIPTS = """
SELECT key, revision, receipt_number, accepted_at, content_sha256 FROM ledger
WHERE peer = %s AND kind IN ('appeal', 'amend') AND accepted_at >= %s AND accepted_at < %s
ORDER BY accepted_at, key, revision
"""
"""What we hold of a partner's, for its own reconciliation."""
RECEIPT_COLUMNS = ("external_id", "revision", "receipt_number", "accepted_at", "content_sha256")
FOUND = 1
"""Exit code of a command that did its work and found something wrong."""


class Opened(Protocol):
    """An open database with the settings of the installation."""

    settings: Settings
    url: str

    def now(self) -> datetime:
        """Return the instant, aware."""
        ...


def attach(app: typer.Typer, opened: Callable[[], AbstractContextManager[Opened]]) -> None:
    """Add the commands to a Typer application; `opened` lends the database while one runs."""

    @app.command("import")
    def import_(
        files: Annotated[list[Path], typer.Argument(metavar="ФАЙЛ…", exists=True, dir_okay=False)],
        *,
        peer: Annotated[str, typer.Option(help="Код отправителя · Code of the sender")] = "",
        profile: Annotated[str, typer.Option(help="Профиль таблицы · Table profile")] = "",
        codec: Annotated[
            str, typer.Option(metavar="АДАПТЕР", help="Формат адаптера · Format of an adapter")
        ] = "",
        out: Annotated[Path, typer.Option(help="Куда класть ответы · Where answers go")] = Path(),
        check: Annotated[
            bool, typer.Option("--check", help="Только проверить · Check, store nothing")
        ] = False,
        as_json: Annotated[
            bool, typer.Option("--json", help="Для программ · For machines")
        ] = False,
    ) -> None:
        """Принять файлы: таблицы, XML, формат адаптера · Take files as the file drop does."""
        if check:
            wrong = sum(_checked(file, profile, codec, peer or "check") for file in files)
        else:
            with opened() as gw:
                inbox = _inbox(gw.settings, peer, profile, codec)
                read = _codec(inbox, gw.settings)
                reports = import_files(
                    files, inbox, gw.url, gw.settings.blobs, gw.now(), out, codec=read
                )
            for report in reports:
                typer.echo(_told(report, as_json=as_json))
            wrong = sum(r.rejected + r.conflict + bool(r.error) for r in reports)
        if wrong:
            raise typer.Exit(FOUND)

    @app.command("export")
    def export(
        file: Annotated[Path, typer.Argument(metavar="ФАЙЛ", dir_okay=False)],
        *,
        peer: Annotated[str, typer.Option(help="Код отправителя · Code of the sender")],
        since: Annotated[datetime, typer.Option(help="С · From, UTC")] = datetime(1970, 1, 1),  # noqa: DTZ001 - typer shows it
        until: Annotated[datetime, typer.Option(help="До · Before, UTC")] = datetime(9999, 1, 1),  # noqa: DTZ001 - typer shows it
        profile: Annotated[str, typer.Option(help="Вид таблицы · Table style")] = "appeals-default",
    ) -> None:
        """Выгрузить квитанции: что мы приняли от отправителя · Write what we hold of a sender's."""
        style = profiles.load(profile)
        with opened() as gw:
            count = export_receipts(
                file, style, gw.url, peer, since.replace(tzinfo=UTC), until.replace(tzinfo=UTC)
            )
        typer.echo(f"{file}: {count}")


def import_files(
    files: Sequence[Path],
    inbox: FileInbox,
    url: str,
    blob_dir: Path,
    now: datetime,
    out: Path,
    *,
    codec: Codec | None = None,
) -> tuple[FileReport, ...]:
    """Land files as if they had been dropped into `inbox`; answers go to `out`.

    codec: reads files of the adapter that the inbox names. The files themselves stay where they
    are. Sending one again is harmless. Raises BusyError when the store is away.
    """
    committer, known = Committer(url), StoreKnown(url)
    committer.start()
    try:
        with tempfile.TemporaryDirectory(prefix="gateway-import-") as folder:
            inbox = msgspec.structs.replace(inbox, path=Path(folder), settle_seconds=0.0)
            reports: list[FileReport] = []
            for file in files:
                _bring(file, Path(folder) / "in")
                reports += run_once(
                    inbox, committer, BlobDirectory(blob_dir), now, known=known, codec=codec
                ).files
                out.mkdir(parents=True, exist_ok=True)
                for answer in (Path(folder) / "out").iterdir():
                    shutil.move(answer, out / answer.name)
            return tuple(reports)
    finally:
        committer.stop()
        known.close()


def export_receipts(
    file: Path, style: profiles.Profile, url: str, peer: str, since: datetime, until: datetime
) -> int:
    """Write a partner's receipts as a table and return how many; since, until: accepted in."""
    count = 0

    def rows(cursor: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
        nonlocal count
        for key, revision, receipt, accepted_at, digest in cursor:
            count += 1
            yield key, revision, receipt, accepted_at.astimezone(UTC), digest.hex()

    temporary = file.with_name(f".{file.name}.tmp")
    with psycopg.connect(url, cursor_factory=psycopg.RawCursor, autocommit=True) as connection:
        peers.require(connection, peer)
    with psycopg.connect(url) as connection, connection.cursor("receipts") as cursor:
        cursor.execute(RECEIPTS, (peer, since, until))
        with temporary.open("wb") as target:
            target.writelines(write_csv(rows(cursor), style, columns=RECEIPT_COLUMNS))
            target.flush()
            os.fsync(target.fileno())
    temporary.replace(file)
    return count


def _checked(file: Path, profile: str, codec: str, peer: str) -> int:
    """Read a file without storing anything, say what is wrong, and return how much is."""
    wrong = 0
    with file.open("rb") as source:
        try:
            start = source.read(64)
            reader: Bundle | Documents | Table
            if is_xml(file.name, start):
                reader = Bundle(source)
            elif codec:
                reader = Documents(source, registry.codec_of(codec, (codec,)), file.name)
            else:
                given = profiles.load(profile) if profile else None
                now = datetime.now(UTC)  # noqa: TID251 - a command; it opens no database here
                reader = Table(source, require_profile(given), peer=peer, now=now)
        except GatewayError as error:
            typer.echo(f"{file.name}: {error}")
            return 1
        count = 0
        for line in reader:
            count += 1
            for row, found in line.problems:
                wrong += 1
                place = f"{file.name}:{row}: {found.column}".rstrip(": ")
                typer.echo(f"{place}: {found.ru} · {found.en}: {found.found} → {found.expected}")
    typer.echo(f"{file.name}: строк · rows {count}, ошибок · errors {wrong}")
    return wrong


def _codec(inbox: FileInbox, settings: Settings) -> Codec | None:
    if not inbox.codec:
        return None
    return registry.codec_of(inbox.codec, settings.adapters, settings.adapter_options)


def _inbox(settings: Settings, peer: str, profile: str, codec: str) -> FileInbox:
    """Return the sender and format named, or those of the inbox in the settings that fits.

    A format that is named stands instead of the inbox's, be that a profile or an adapter's.
    """
    fitting = [inbox for inbox in settings.inboxes if peer in ("", inbox.peer)]
    if not peer and len(fitting) != 1:
        raise ConfigurationError(
            "say whose files these are",
            expected=", ".join(sorted({inbox.peer for inbox in fitting})) or "--peer CODE",
            todo="add --peer",
        )
    given = fitting[0] if fitting else FileInbox(path=Path(), peer=peer)
    if not (profile or codec):
        return given
    return msgspec.structs.replace(given, profile=profile, codec=codec)


def _bring(file: Path, folder: Path) -> None:
    if not file.is_file():
        raise NotFoundError("no such file", found=str(file))
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, folder / file.name.lstrip("."))


def _told(report: FileReport, *, as_json: bool) -> str:
    if as_json:
        return msgspec.json.encode(report).decode()
    counts = (
        f"принято · accepted {report.accepted}, правок · amended {report.amended}, "
        f"повторов · repeats {report.repeat}, конфликтов · conflicts {report.conflict}, "
        f"отказано · rejected {report.rejected}"
    )
    if report.error:
        return f"{report.name}: {report.error}: {report.reason}"
    return f"{report.name}: {counts}"
