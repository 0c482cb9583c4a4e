"""What is being loaded and what was: the rows of `gar_load`, and one load at a time."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from adapters.fias.build import ALL, SEARCHED, searched
from adapters.fias.format import TABLES
from adapters.fias.staging import raw
from gateway.errors import BusyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    import psycopg

LOCK: Final = 0x6761725F6C6F6164
"""Of the session that loads: `gar_load` in ASCII."""

_HOLDER: Final = """
SELECT a.pid, a.application_name FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.classid = $1 AND l.objid = $2 AND l.granted
"""
_STAGING: Final = """
SELECT id, version, kind, extras FROM gar_load WHERE region = $1 AND state = 'staging' ORDER BY id
"""
_BEGIN: Final = """
INSERT INTO gar_load (region, version, kind, source, extras, started_at)
VALUES ($1, $2, $3, $4, $5, $6) RETURNING id
"""
_DONE: Final = """
UPDATE gar_load SET state = 'done', finished_at = $2, report = $3::jsonb WHERE id = $1
"""
_LAST: Final = """
SELECT extras FROM gar_load WHERE region = $1 AND state = 'done' AND kind = 'full'
ORDER BY id DESC LIMIT 1
"""
_STATUS: Final = """
SELECT v.region, v.version, v.loaded_at, v.source, v.objects, v.houses, v.flats, l.report, l.extras,
       EXISTS (SELECT FROM gar_addr_obj AS r WHERE r.region = v.region)
FROM address_version AS v
LEFT JOIN LATERAL (
  SELECT report, extras FROM gar_load AS g
  WHERE g.region = v.region AND g.state = 'done' ORDER BY id DESC LIMIT 1
) AS l ON true
ORDER BY v.region
"""
_BROKEN: Final = """
SELECT l.region, l.version, l.kind, l.source, l.started_at, count(m.member),
       coalesce(sum(m.rows), 0)
FROM gar_load AS l LEFT JOIN gar_member AS m ON m.load = l.id
WHERE l.state = 'staging' GROUP BY l.id ORDER BY l.id
"""


@contextmanager
def alone(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Hold the lock of loads while the block runs; raise BusyError when another load has it."""
    if connection.execute("SELECT pg_try_advisory_lock($1)", (LOCK,)).fetchone() != (True,):
        holder = connection.execute(_HOLDER.encode(), (LOCK >> 32, LOCK & 0xFFFFFFFF)).fetchone()
        raise BusyError(
            "уже идёт другая загрузка ГАР: дождитесь её · another load is under way",
            retry_after=600,
            where=f"pid {holder[0]} {holder[1]}" if holder else "database",
        )
    try:
        yield
    finally:
        if not connection.closed and not connection.broken:
            connection.execute("SELECT pg_advisory_unlock($1)", (LOCK,))


class Begun(NamedTuple):
    """What is being loaded: VersionId, full or delta, file name, `apartments`, `steads`."""

    region: int
    version: int
    kind: str
    source: str
    extras: frozenset[str]


def begin(
    connection: psycopg.Connection[Any], begun: Begun, now: datetime, *, restart: bool = False
) -> int:
    """Return the number of the load: of the one that was broken off, when it is the same.

    What other loads of the region left behind is dropped; restart: of the same one too.
    """
    told = " ".join(sorted(begun.extras))
    found = 0
    for id_, *same in connection.execute(_STAGING.encode(), (begun.region,)).fetchall():
        if same == [begun.version, "full", told] and begun.kind == "full" and not restart:
            found = id_
        else:
            drop(connection, begun.region, id_)
    if found:
        return found
    row = connection.execute(_BEGIN.encode(), (*begun[:4], told, now)).fetchone()
    assert row is not None
    return int(row[0])


def drop(connection: psycopg.Connection[Any], region: int, load: int) -> None:
    """Forget a load that was not finished, with its tables."""
    names = [raw(TABLES[kind].name, region, load) for kind in ALL]
    names += [searched(table, region, load) for table in SEARCHED]
    with connection.transaction():
        connection.execute(f"DROP TABLE IF EXISTS {', '.join(names)}".encode())
        connection.execute("DELETE FROM gar_load WHERE id = $1", (load,))


def finish(
    connection: psycopg.Connection[Any], load: int, report: Mapping[str, Any], now: datetime
) -> None:
    """Write down that a load is in use."""
    connection.execute(_DONE.encode(), (load, now, msgspec.json.encode(report).decode()))


def extras_of(connection: psycopg.Connection[Any], region: int) -> frozenset[str]:
    """Return what was loaded of a region besides houses."""
    row = connection.execute(_LAST.encode(), (region,)).fetchone()
    return frozenset(row[0].split()) if row else frozenset()


def versions(connection: psycopg.Connection[Any]) -> dict[int, int]:
    """Return the VersionId that each region is at."""
    return dict(connection.execute("SELECT region, version FROM address_version").fetchall())


def status(connection: psycopg.Connection[Any], now: datetime) -> dict[str, Any]:
    """Return what is loaded, how old it is in days, and loads that were broken off.

    deltas: whether a region takes one; after a crash of the server its raw rows are gone.
    """
    regions = [
        {
            "region": f"{region:02d}", "version": version, "loaded_at": at, "source": source,
            "age_days": (now - at).days, "objects": objects, "houses": houses, "flats": flats,
            "extras": (extras or "").split(), "report": report or {}, "deltas": deltas,
        }
        for region, version, at, source, objects, houses, flats, report, extras, deltas
        in connection.execute(_STATUS.encode()).fetchall()
    ]  # fmt: skip
    broken = [
        {
            "region": f"{region:02d}", "version": version, "kind": kind, "source": source,
            "started_at": at, "files": files, "rows": int(rows),
        }
        for region, version, kind, source, at, files, rows
        in connection.execute(_BROKEN.encode()).fetchall()
    ]  # fmt: skip
    return {"regions": regions, "broken_off": broken}
