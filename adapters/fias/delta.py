"""A delta: what changed since the release before, put over the raw tables of a loaded region.

No document says what a delta is counted from, so it is taken over exactly the release that it
follows in the catalogue, and by the ID of each row: a row that is there is replaced, one that is no
longer in force is taken out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from adapters.fias.format import TABLES
from adapters.fias.staging import raw
from adapters.fias.swap import partition
from gateway.errors import StateError

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterable, Mapping

    import psycopg

    from adapters.fias.drift import Drift

FULL: Final = (
    "загрузите полную выгрузку этого региона · load a full delivery of the region:"
    " gateway fias load gar_xml.zip --region"
)


_TWICE: Final = """
DELETE FROM {new} AS a USING {new} AS b WHERE a.id = b.id AND a.ctid < b.ctid
"""
_TAKEN_OUT: Final = """
DELETE FROM {old} AS o USING (SELECT id FROM {new} UNION SELECT id FROM t_gone) AS n
WHERE o.id = n.id
"""


def fitting(
    loaded: Mapping[int, int], regions: Iterable[int], version: int, after: int
) -> list[int]:
    """Return the regions that a delta is to be put over; those at its version are left out.

    loaded: VersionId by region. after: the VersionId that the delta follows, 0 when nobody said.
    Raises StateError where the chain is broken, with what to do.
    """
    found = []
    for region in sorted(regions):
        at = loaded[region]
        if at == version:
            continue
        if at > version:
            raise _broken(region, at, f"дельта старше загруженного · the delta is older: {version}")
        if not after:
            raise StateError(
                "не сказано, какую версию дельта продолжает · what the delta follows is not said",
                current_state=f"{region:02d}: {at}",
                todo=f"посмотрите выпуск перед ней в каталоге и назовите его: --after {at} ·"
                " name the release before it in the catalogue, or use `gateway fias refresh`",
            )
        if at != after:
            raise _broken(region, at, f"между ними есть другие · releases are missing: {after}")
        found.append(region)
    return found


def _broken(region: int, at: int, why: str) -> StateError:
    return StateError(
        f"дельта не продолжает загруженное · the delta does not follow: {why}",
        current_state=f"{region:02d}: {at}",
        todo=f"{FULL} {region:02d}",
    )


def put(
    connection: psycopg.Connection[Any],
    region: int,
    load: int,
    kinds: Iterable[str],
    ids: Mapping[str, array[int]],
    drift: Drift,
) -> int:
    """Put what was staged of a delta over the region's raw tables; return rows that changed.

    Within a transaction. ids: by table, rows that are no longer in force. Raises StateError when
    the raw tables are gone, as after a crash of the server.
    """
    changed = 0
    connection.execute(b"CREATE TEMP TABLE IF NOT EXISTS t_gone (id int8) ON COMMIT DROP")
    for kind in kinds:
        table = TABLES[kind].name
        new, old = raw(table, region, load), partition(connection, table, region)
        if old is None or (kind == "ADDR_OBJ" and not _any(connection, old)):
            raise StateError(
                "сырых строк региона нет: дельту не к чему приложить · its raw rows are gone",
                current_state=f"{table} {region:02d}",
                todo=f"{FULL} {region:02d}",
            )
        changed += _over(connection, new, old, ids.get(table, ()), drift)
    return changed


def _over(
    connection: psycopg.Connection[Any], new: str, old: str, gone: Iterable[int], drift: Drift
) -> int:
    """Put the rows of one staged table over one in use, and drop it; return rows that changed."""

    def run(statement: str) -> int:
        return connection.execute(statement.format(new=new, old=old).encode()).rowcount

    if twice := run(_TWICE):
        drift.note("an ID twice in one file", new, twice)
    connection.execute(b"TRUNCATE t_gone")
    with connection.cursor().copy(b"COPY t_gone FROM STDIN") as out:
        for id_ in gone:
            out.write_row((id_,))
    changed = run(_TAKEN_OUT) + run("INSERT INTO {old} SELECT * FROM {new}")
    run("DROP TABLE {new}")
    return changed


def _any(connection: psycopg.Connection[Any], table: str) -> bool:
    asked = f"SELECT EXISTS (SELECT FROM {table})"  # noqa: S608 - a name of ours
    return connection.execute(asked.encode()).fetchone() == (True,)
