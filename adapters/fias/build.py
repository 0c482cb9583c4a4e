"""What is searched of a region, made beside what is searched now.

The keys of names and numbers are those of `gateway.addresses.keys`: they are computed for every
spelling once and joined in SQL, because a region has a million houses and some ten thousand ways to
number one.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from adapters.fias import build_sql as sql
from adapters.fias.drift import EXAMPLES, Drift
from adapters.fias.format import TABLES
from adapters.fias.spelling import Numbered, Words
from gateway.addresses import keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import date

    import psycopg

BATCH: Final = 10_000
SEARCHED: Final = ("address_object", "address_name", "address_house", "address_flat")
MEMORY: Final = ("SET LOCAL work_mem = '64MB'", "SET LOCAL maintenance_work_mem = '128MB'")
"""For sorts and joins of the server; each of its processes takes a few times as much at most."""
_WORDS: Final = """
SELECT dictionary, id, level, short, name FROM gar_type ORDER BY active, id
"""
_OBJECT_TYPES: Final = (5, 6, 7, 10, 11)
_HOUSE_TYPES: Final = (5, 6, 7, 8, 19)


class Built(NamedTuple):
    """Rows of the searched tables of a region, seconds, and what was strange in the raw ones."""

    objects: int
    names: int
    houses: int
    flats: int
    seconds: float
    drift: Drift


def searched(table: str, region: int, load: int) -> str:
    """Return the name of a searched table of one load, which becomes the region's partition."""
    return f"{table}_{region:02d}_{load}"


def build(
    connection: psycopg.Connection[Any],
    region: int,
    load: int,
    sources: Mapping[str, str],
    day: date,
    told: Callable[[str], None] = lambda _step: None,
) -> Built:
    """Make the searched tables of a region from its raw ones, as one transaction.

    sources: by kind of file, the raw table to read. day: by which parameters are in force. told: is
    told the step that begins. Raises nothing but what the database does.
    """
    started, drift = monotonic(), Drift()
    names = {kind.lower(): relation for kind, relation in sources.items()}
    names |= {f"{t.removeprefix('address_')}_to": searched(t, region, load) for t in SEARCHED}
    names |= {"region": str(region), "day": day.isoformat()}

    def run(statement: str) -> int:
        return connection.execute(statement.format_map(names).encode()).rowcount

    with connection.transaction():
        _prepare(connection, region, load)
        words = Words(connection.execute(_WORDS.encode()).fetchall())
        told("objects")
        _objects(connection, run, words, names, drift)
        told("houses")
        houses = _houses(connection, run, words)
        objects = run(sql.OBJECT)
        told("names")
        run(sql.WALK)
        found = run(sql.NAME)
        told("flats")
        flats = _flats(connection, run, words)
        told("checks")
        _dangling(connection, names, drift, sql.DANGLING + (sql.HOMELESS if flats else ()))
        told("indexes")
        _index(connection, region, load)
        _clear(connection)
    return Built(objects, found, houses, flats, monotonic() - started, drift)


def _prepare(connection: psycopg.Connection[Any], region: int, load: int) -> None:
    """Make the tables beside; the check spares a look at every row when they are attached.

    Nothing ever changes in them, so they want no autovacuum, which would hold up the next swap.
    """
    for setting in MEMORY:
        connection.execute(setting.encode())
    _clear(connection)
    for table in SEARCHED:
        name = searched(table, region, load)
        connection.execute(f"DROP TABLE IF EXISTS {name}".encode())
        connection.execute(
            f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS)"
            " WITH (autovacuum_enabled = off)".encode()
        )
        connection.execute(
            f"ALTER TABLE {name} ADD CONSTRAINT {name}_region CHECK (region = {region})".encode()
        )


def _clear(connection: psycopg.Connection[Any]) -> None:
    """Drop the temporary tables; several regions may be built in one transaction."""
    rows = connection.execute(
        b"SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema()"
        b" AND relkind = 'r' AND relname LIKE 't\\_%'"
    ).fetchall()
    for (name,) in rows:
        connection.execute(f"DROP TABLE pg_temp.{name}".encode())


def _objects(
    connection: psycopg.Connection[Any],
    run: Callable[[str], int],
    words: Words,
    names: Mapping[str, str],
    drift: Drift,
) -> None:
    """Gather what has a name: current rows, places in both divisions, parameters, keys, types."""
    run(sql.NOW)
    _indexed(connection, "t_now")
    run(sql.place("t_adm", "t_now", "adm_hierarchy"))
    run(sql.place("t_mun", "t_now", "mun_hierarchy", extra="oktmo"))
    for table in ("t_adm", "t_mun"):
        _indexed(connection, table)
        ring = connection.execute(sql.LOOPED.format(table=table).encode()).fetchall()
        for (object_,) in ring:
            drift.note("objects under each other in a ring", str(object_))
    run(sql.values("t_value", _OBJECT_TYPES, "addr_obj_params"))
    _indexed(connection, "t_value")
    connection.execute(b"CREATE TEMP TABLE t_name_key (name text, key text) ON COMMIT DROP")
    for rows in _batches(connection, sql.NAMES_NOW.format_map(names)):
        _copy(connection, "t_name_key", [(name, keys.name(name)) for (name,) in rows])
    connection.execute(
        b"CREATE TEMP TABLE t_type (level int2, type_name text, type text) ON COMMIT DROP"
    )
    for rows in _batches(connection, sql.TYPES_NOW.format_map(names)):
        _copy(
            connection, "t_type", [(level, name, words.object(level, name)) for level, name in rows]
        )
    connection.execute(b"ANALYZE t_name_key, t_type")


def _houses(connection: psycopg.Connection[Any], run: Callable[[str], int], words: Words) -> int:
    """Fill the table of houses and plots; return its rows."""
    run(sql.HOUSES_NOW)
    run(sql.STEADS_NOW)
    _indexed(connection, "t_house", unique=False)
    connection.execute(
        b"CREATE TEMP TABLE t_house_key (kind int2, number text, type int2, add1 text, type1 int2,"
        b" add2 text, type2 int2, key text, label text) ON COMMIT DROP"
    )
    for rows in _batches(connection, sql.HOUSES_SPELLED):
        _copy(connection, "t_house_key", [(*row, *words.house(Numbered(*row))) for row in rows])
    run(sql.place("t_house_adm", "t_house", "adm_hierarchy"))
    run(sql.place("t_house_mun", "t_house", "mun_hierarchy", extra="oktmo"))
    run(sql.values("t_house_value", _HOUSE_TYPES, "houses_params", "steads_params"))
    connection.execute(b"ANALYZE t_house_key, t_house_adm, t_house_mun, t_house_value")
    return run(sql.HOUSE)


def _flats(connection: psycopg.Connection[Any], run: Callable[[str], int], words: Words) -> int:
    """Fill the table of apartments; return its rows."""
    if not run(sql.FLATS_NOW):
        return 0
    _indexed(connection, "t_flat", unique=False)
    connection.execute(
        b"CREATE TEMP TABLE t_flat_key (number text, type int2, key text, label text)"
        b" ON COMMIT DROP"
    )
    for rows in _batches(connection, sql.FLATS_SPELLED):
        _copy(connection, "t_flat_key", [(*row, *words.flat(*row)) for row in rows])
    run(sql.place("t_flat_place", "t_flat", "adm_hierarchy", "t_house"))
    run(sql.values("t_flat_value", (8,), "apartments_params"))
    connection.execute(b"ANALYZE t_flat_key, t_flat_place, t_flat_value")
    return run(sql.FLAT)


def _indexed(connection: psycopg.Connection[Any], table: str, *, unique: bool = True) -> None:
    kind = "UNIQUE INDEX" if unique else "INDEX"
    connection.execute(f"CREATE {kind} ON {table} (object)".encode())
    connection.execute(f"ANALYZE {table}".encode())


def _batches(connection: psycopg.Connection[Any], query: str) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the rows of a query in batches, so that a table may be filled between them."""
    connection.execute(f"DECLARE spelled NO SCROLL CURSOR FOR {query}".encode())
    while rows := connection.execute(f"FETCH {BATCH} FROM spelled".encode()).fetchall():
        yield rows
    connection.execute(b"CLOSE spelled")


def _copy(connection: psycopg.Connection[Any], table: str, rows: list[tuple[Any, ...]]) -> None:
    with connection.cursor().copy(f"COPY {table} FROM STDIN".encode()) as out:
        for row in rows:
            out.write_row(row)


def _index(connection: psycopg.Connection[Any], region: int, load: int) -> None:
    """Make the indexes that the searched tables have, and statistics."""
    for table, key in sql.KEYS:
        name = searched(table, region, load)
        connection.execute(f"ALTER TABLE {name} ADD {key}".encode())
        if table != "address_name":
            connection.execute(f"CREATE INDEX ON {name} (guid)".encode())
        connection.execute(f"ANALYZE {name}".encode())


def _dangling(
    connection: psycopg.Connection[Any],
    names: Mapping[str, str],
    drift: Drift,
    checks: tuple[tuple[str, str], ...],
) -> None:
    """Count what refers to nothing, with the first examples."""
    for kind, query in checks:
        asked = query.format_map(names)
        told = (
            f"WITH d (object) AS MATERIALIZED ({asked})"  # noqa: S608 - our own
            f" SELECT (SELECT count(*) FROM d), ARRAY(SELECT object FROM d LIMIT {EXAMPLES})"
        )
        found = connection.execute(told.encode()).fetchone()
        if found and found[0]:
            drift.note(kind, times=found[0])
            for object_ in found[1]:
                drift.note(kind, f"OBJECTID {object_}", 0)


ALL: Final = tuple(TABLES)
"""Kinds of files whose raw tables a region has, empty where they were not wanted."""
