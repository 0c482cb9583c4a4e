"""The collector of blobs: takes away what nothing names and nobody has used for a day.

A file comes before the row that names it, so a refused call or a crash leaves files behind. Three
things keep a blob that is about to be used again (docs/adr/0013): accept touches the file and the
row, so both look young; the row is locked while its references are looked for; and a file is
renamed before it is removed, so a touch either came before, and is seen, or finds no file and makes
it anew.
"""

from __future__ import annotations

import os
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gateway.store.arrays import ByteaArray

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from psycopg import Connection

    from gateway.store.blobs import BlobDirectory

SPARED: Final = timedelta(days=1)
AT_ONCE: Final = 500
DYING: Final = ".dying."

UNNAMED = """
SELECT k.sha256 FROM unnest($1::bytea[]) AS k (sha256)
WHERE NOT EXISTS (SELECT FROM blob_ref r WHERE r.sha256 = k.sha256)
  AND NOT EXISTS (SELECT FROM message m WHERE m.blob = k.sha256)
"""

LOCK = "SELECT created_at < $2 FROM blob WHERE sha256 = $1 FOR UPDATE"

FORGET = "DELETE FROM blob WHERE sha256 = $1"

FORGET_OLD = """
DELETE FROM blob WHERE sha256 IN (
  SELECT b.sha256 FROM blob b
  WHERE b.created_at < $1
    AND NOT EXISTS (SELECT FROM blob_ref r WHERE r.sha256 = b.sha256)
    AND NOT EXISTS (SELECT FROM message m WHERE m.blob = b.sha256)
  LIMIT $2 FOR UPDATE SKIP LOCKED)
"""
"""Rows of small blobs, and of files that are gone already. A row touched meanwhile is spared: after
waiting for its lock PostgreSQL looks at `created_at` again."""


class Collected(NamedTuple):
    """What one pass took away: files of blobs, rows of blobs, leftovers of broken writes."""

    files: int
    rows: int
    leftovers: int


def collect(connection: Connection[Any], blobs: BlobDirectory, now: datetime) -> Collected:
    """Take away what is unreferenced and a day old; one pass over directory and table.

    connection: of this house, in autocommit. Each file is its own transaction.
    """
    before = now - SPARED
    leftovers = _sweep(blobs.root, before)
    files = 0
    old = _old(blobs.root, before)
    while page := list(islice(old, AT_ONCE)):
        rows = connection.execute(UNNAMED, (ByteaArray.of(page),), binary=True).fetchall()
        files += sum(take(connection, blobs.path(row[0]), row[0], before) for row in rows)
    rows_gone = 0
    while (count := connection.execute(FORGET_OLD, (before, AT_ONCE)).rowcount) > 0:
        rows_gone += count
    return Collected(files, rows_gone, leftovers)


def take(connection: Connection[Any], path: Path, digest: bytes, before: datetime) -> bool:
    """Remove one blob under its row's lock, unless it has come into use; return whether it went."""
    with connection.transaction():
        row = connection.execute(LOCK, (digest, before)).fetchone()
        if (row is not None and not row[0]) or not _is_unnamed(connection, digest):
            return False
        dying = path.with_name(DYING + path.name)
        try:
            path.rename(dying)
        except FileNotFoundError:
            return False
        if _is_young(dying, before) or not _is_unnamed(connection, digest):
            _restore(dying)
            return False
        connection.execute(FORGET, (digest,))
        dying.unlink()
    return True


def _is_unnamed(connection: Connection[Any], digest: bytes) -> bool:
    return connection.execute(UNNAMED, (ByteaArray.of([digest]),)).fetchone() is not None


def _old(root: Path, before: datetime) -> Iterator[bytes]:
    """Yield the digests of files nobody has touched since."""
    for folder in _folders(root):
        for path in sorted(folder.iterdir()):
            if len(path.name) == 64 and not _is_young(path, before):
                yield bytes.fromhex(path.name)


def _sweep(root: Path, before: datetime) -> int:
    """Remove what broken writes left, and give back what a broken collector was about to remove."""
    count = 0
    for folder in (root, *_folders(root)):
        for path in folder.glob(".*"):
            if path.name.startswith(DYING):
                _restore(path)
            elif path.is_file() and not _is_young(path, before):
                path.unlink(missing_ok=True)
                count += 1
    return count


def _folders(root: Path) -> Iterator[Path]:
    return (path for path in root.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]") if path.is_dir())


def _restore(dying: Path) -> None:
    path = dying.with_name(dying.name.removeprefix(DYING))
    if not path.exists():
        os.link(dying, path)
    dying.unlink()


def _is_young(path: Path, before: datetime) -> bool:
    try:
        return path.stat().st_mtime >= before.timestamp()
    except FileNotFoundError:
        return True
