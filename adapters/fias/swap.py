"""New tables of a region take the place of the old ones, in one transaction.

A search sees either all of the old or all of the new. The tables are asked for a short while at a
time: who reads them is not made to wait behind a load that waits for somebody else.
"""

from __future__ import annotations

from time import sleep
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import psycopg

from adapters.fias.build import ALL, SEARCHED, searched
from adapters.fias.format import TABLES
from adapters.fias.staging import raw
from gateway.errors import BusyError

if TYPE_CHECKING:
    from datetime import datetime

    from adapters.fias.build import Built

LOCK_MILLISECONDS: Final = 700
"""A try for the locks; below `deadlock_timeout`, so that no reader is ended for our sake."""
LAST_MILLISECONDS: Final = 1_500
"""The later tries, after PATIENT: past it, because only then an autovacuum gives way."""
PATIENT: Final = 12
TRIES: Final = 20
PAUSE_SECONDS: Final = 0.3

_PARTITION: Final = """
SELECT c.oid::regclass::text
FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
WHERE i.inhparent = $1::regclass AND pg_get_expr(c.relpartbound, c.oid) = ANY ($2)
"""
_HOLDERS: Final = """
SELECT DISTINCT a.pid, a.application_name
FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid
WHERE l.relation = ANY ($1::regclass[]) AND l.granted AND a.pid <> pg_backend_pid()
ORDER BY 1 LIMIT 5
"""
_VERSION: Final = """
INSERT INTO address_version (region, version, loaded_at, source, objects, houses, flats)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (region) DO UPDATE
SET version = excluded.version, loaded_at = excluded.loaded_at, source = excluded.source,
    objects = excluded.objects, houses = excluded.houses, flats = excluded.flats
"""
_REVISION: Final = """
INSERT INTO address_revision (value) VALUES (1)
ON CONFLICT (one) DO UPDATE SET value = address_revision.value + 1
"""


class Label(NamedTuple):
    """What is written of a region that is loaded: VersionId, file name of the delivery, when."""

    version: int
    source: str
    now: datetime


def partition(connection: psycopg.Connection[Any], table: str, region: int) -> str | None:
    """Return the name of a region's partition, None when it has none."""
    bounds = [f"FOR VALUES IN ({region})", f"FOR VALUES IN ('{region}')"]
    row = connection.execute(_PARTITION.encode(), (table, bounds)).fetchone()
    return None if row is None else str(row[0])


def swap(
    connection: psycopg.Connection[Any],
    region: int,
    load: int,
    built: Built,
    label: Label,
    *,
    raws: bool = True,
    tries: int = TRIES,
) -> None:
    """Put a load's tables in the place of the region's; raws: the raw ones too.

    Raises BusyError with who holds the tables; nothing is changed then, and the next call of the
    same load needs nothing staged again.
    """
    pairs = [(table, searched(table, region, load)) for table in SEARCHED]
    if raws:
        pairs += [(TABLES[k].name, raw(TABLES[k].name, region, load)) for k in ALL]
    for number in range(tries):
        try:
            with connection.transaction():
                wait = LOCK_MILLISECONDS if number < PATIENT else LAST_MILLISECONDS
                connection.execute(f"SET LOCAL lock_timeout = {wait}".encode())
                tables = ", ".join(table for table, _ in pairs)
                connection.execute(f"LOCK TABLE ONLY {tables} IN ACCESS EXCLUSIVE MODE".encode())
                for table, new in pairs:
                    _replace(connection, table, new, region)
                told = (built.objects, built.houses, built.flats)
                connection.execute(
                    _VERSION.encode(), (region, label.version, label.now, label.source, *told)
                )
                bump(connection)
        except psycopg.errors.LockNotAvailable:
            if number + 1 < tries:
                sleep(PAUSE_SECONDS)
        else:
            return
    held = connection.execute(_HOLDERS.encode(), ([table for table, _ in pairs],)).fetchall()
    raise BusyError(
        "таблицы адресов заняты: повторите загрузку позже, разобранное не пропало · the tables of"
        " addresses are held by somebody; load again, what was staged is kept",
        retry_after=60,
        where=", ".join(f"pid {pid} {name}".strip() for pid, name in held) or "?",
    )


def bump(connection: psycopg.Connection[Any]) -> None:
    """Let who keeps streets in memory know that they changed."""
    connection.execute(_REVISION.encode())


def _replace(connection: psycopg.Connection[Any], table: str, new: str, region: int) -> None:
    """Drop the partition of a region and attach the new one."""
    old = partition(connection, table, region)
    if old:
        connection.execute(f"ALTER TABLE {table} DETACH PARTITION {old}".encode())
        connection.execute(f"DROP TABLE {old}".encode())
    connection.execute(
        f"ALTER TABLE {table} ATTACH PARTITION {new} FOR VALUES IN ({region})".encode()
    )
    connection.execute(f"ALTER TABLE {new} DROP CONSTRAINT {new}_region".encode())
    if table not in SEARCHED:
        connection.execute(f"ALTER TABLE {new} RESET (autovacuum_enabled)".encode())
