"""Files of a delivery into raw tables that stand beside those in use, one by one.

Each file is a transaction with its line in `gar_member`, so a load that was killed goes on with the
files that are not there yet.
"""

from __future__ import annotations

from array import array
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from xml.parsers import expat

import msgspec
import psycopg

from adapters.fias.drift import Drift
from adapters.fias.format import DICTIONARIES, TABLES
from adapters.fias.rows import AGAIN, OddRowsError, Rows
from gateway.errors import MalformedError, TooLargeError, UnsupportedError
from gateway.limits import FIAS_DICTIONARY_BYTES, FIAS_DICTIONARY_ROWS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from adapters.fias.members import Delivery, Member

    Told = Callable[[str, int, int], None]

_SEEN: Final = "SELECT mark, size, rows FROM gar_member WHERE load = $1 AND member = $2"
_DONE: Final = """
INSERT INTO gar_member (load, member, table_name, mark, size, rows, drift, done_at)
VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8)
"""
_TYPE: Final = """
INSERT INTO gar_type (dictionary, id, level, short, name, active) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (dictionary, id) DO UPDATE
SET level = excluded.level, short = excluded.short, name = excluded.name, active = excluded.active
"""
_FORGET: Final = "DELETE FROM gar_member WHERE load = $1 AND member = $2"


class Staged(NamedTuple):
    """What was read of a region: rows of each raw table, bytes of XML, seconds, what was strange.

    kept: files that lay there already from a load that was broken off.
    """

    rows: dict[str, int]
    bytes: int
    seconds: float
    drift: Drift
    kept: int = 0


def raw(table: str, region: int, load: int) -> str:
    """Return the name of a raw table of one load, which becomes the region's partition."""
    return f"{table}_{region:02d}_{load}"


def stage(
    connection: psycopg.Connection[Any],
    delivery: Delivery,
    region: str,
    kinds: tuple[str, ...],
    load: int,
    now: datetime,
    *,
    told: Told = lambda _name, _bytes, _rows: None,
    ids: dict[str, array[int]] | None = None,
) -> Staged:
    """Read the files of a region into raw tables of this load, those not read before.

    connection: autocommit, or in a transaction. told: is told the file, its bytes and rows read.
    ids: for a delta, by table: where ids of rows are put that are no longer in force.
    Raises MalformedError and UnsupportedError for what cannot be read; what was staged stays.
    """
    started, drift = monotonic(), Drift()
    rows: dict[str, int] = {}
    size = kept = 0
    for kind in kinds:
        make(connection, TABLES[kind].name, region, load)
    for member in delivery.of(region, kinds):
        table = TABLES[member.kind]
        before = _before(connection, member, load, raw(table.name, int(region), load))
        if before is None:
            gone = ids.setdefault(table.name, array("q")) if ids is not None else None
            one = Drift()
            reading = Reading(delivery, member, one, told, gone)
            before = _staged(connection, reading, load, now)
            drift.add(one)
        else:
            kept += 1
        rows[table.name] = rows.get(table.name, 0) + before
        size += member.size
    return Staged(rows, size, monotonic() - started, drift, kept)


def make(connection: psycopg.Connection[Any], table: str, region: str, load: int) -> None:
    """Make a raw table beside, if it is not there yet.

    Without autovacuum until it is in use: one that looks at it would hold up the swap.
    """
    name = raw(table, int(region), load)
    if connection.execute("SELECT to_regclass($1)", (name,)).fetchone() != (None,):
        return
    with connection.transaction():
        connection.execute(
            f"CREATE UNLOGGED TABLE {name} (LIKE {table}) WITH (autovacuum_enabled = off)".encode()
        )
        connection.execute(
            f"ALTER TABLE {name} ALTER region SET DEFAULT {int(region)},"
            f" ADD CONSTRAINT {name}_region CHECK (region = {int(region)})".encode()
        )


def _before(
    connection: psycopg.Connection[Any], member: Member, load: int, table: str
) -> int | None:
    """Return the rows of a file that was staged before, None when it is to be read.

    After a crash of the server the table is empty whatever was noted of it.
    """
    seen = connection.execute(_SEEN, (load, member.name)).fetchone()
    if seen is None:
        return None
    asked = f"SELECT EXISTS (SELECT FROM {table})"  # noqa: S608 - a name of ours
    there = connection.execute(asked.encode()).fetchone()
    if seen[:2] == (member.mark, member.size) and (there == (True,) or not seen[2]):
        return int(seen[2])
    return None


class Reading(NamedTuple):
    """One file that is read: out of which delivery, where what is strange is noted, who is told.

    gone: where ids of rows are put that are no longer in force, for a delta.
    """

    delivery: Delivery
    member: Member
    drift: Drift
    told: Told = lambda _name, _bytes, _rows: None
    gone: array[int] | None = None


def _staged(connection: psycopg.Connection[Any], reading: Reading, load: int, now: datetime) -> int:
    """Read one file as one transaction; a second time and carefully where it is odd."""
    member, drift = reading.member, reading.drift
    target = raw(TABLES[member.kind].name, int(member.region), load)
    for careful in (False, True):
        try:
            with connection.transaction():
                connection.execute(_FORGET, (load, member.name))
                count = copy(connection, reading, target, careful=careful)
                noted = msgspec.json.encode(drift).decode()
                connection.execute(
                    _DONE,
                    (load, member.name, member.kind, member.mark, member.size, count, noted, now),
                )
        except (OddRowsError, psycopg.DataError, psycopg.IntegrityError):
            if careful:
                raise
            drift.counts.clear()
            drift.examples.clear()
            if reading.gone:
                del reading.gone[:]
        else:
            return count
    raise AssertionError


def copy(
    connection: psycopg.Connection[Any], reading: Reading, target: str, *, careful: bool = False
) -> int:
    """Copy the rows of one file into an empty table; return how many were kept.

    Raises OddRowsError and errors of the database for values that only a careful reading takes.
    """
    delivery, member = reading.delivery, reading.member
    table, day = TABLES[member.kind], f"{member.date:08d}"
    rows = Rows(
        table, f"{delivery.path.name}: {member.name}", reading.drift,
        f"{day[:4]}-{day[4:6]}-{day[6:]}", careful=careful, dropped=reading.gone,
    )  # fmt: skip
    connection.execute(f"TRUNCATE {target}".encode())
    into = f"COPY {target} ({', '.join(table.columns)}) FROM STDIN (NULL '')"
    read = 0
    with connection.cursor().copy(into.encode()) as out:
        for piece in delivery.pieces(member):
            if lines := rows.feed(piece):
                out.write(lines)
            read += len(piece)
            reading.told(member.name, read, rows.taken)
        if lines := rows.feed(b"", last=True):
            out.write(lines)
    return rows.taken


def dictionaries(
    connection: psycopg.Connection[Any], delivery: Delivery, drift: Drift, *, whole: bool = True
) -> int:
    """Read the dictionaries of types, one transaction; return their rows.

    whole: they take the place of those that are there; those of a delta are put over them.
    """
    count = 0
    with connection.transaction():
        for member in delivery.of("", tuple(DICTIONARIES)):
            found = _types(delivery, member, drift)
            dictionary = member.kind.lower()
            if whole and found:
                connection.execute("DELETE FROM gar_type WHERE dictionary = $1", (dictionary,))
            rows = [(dictionary, id_, *row) for id_, row in found.items()]
            connection.cursor().executemany(_TYPE.encode(), rows)
            count += len(found)
    return count


def _types(
    delivery: Delivery, member: Member, drift: Drift
) -> dict[int, tuple[int, str, str, bool]]:
    """Read a dictionary; later rows of one ID take the place of earlier ones."""
    root, _ = DICTIONARIES[member.kind]
    where = f"{delivery.path.name}: {member.name}"
    found: dict[int, tuple[int, str, str, bool]] = {}
    seen = [0]

    def start(tag: str, row: dict[str, str]) -> None:
        seen[0] += 1
        if seen[0] == 1:
            if tag != root:
                drift.note("renamed root", f"{where}: {tag}")
            return
        if (id_ := _number(row.get("ID"), 2**31)) is None or "NAME" not in row:
            drift.note("bad row of a dictionary", where)
        else:
            found[id_] = (
                _number(row.get("LEVEL"), 2**15) or 0, row.get("SHORTNAME", "")[:50],
                row["NAME"][:250], row.get("ISACTIVE", "1") in ("1", "true"),
            )  # fmt: skip
        if seen[0] > FIAS_DICTIONARY_ROWS:
            raise MalformedError(
                "в справочнике слишком много строк · too many rows", where=where, todo=AGAIN
            )

    def doctype(*_: object) -> None:
        raise UnsupportedError("в файле DTD · a DTD is not read", where=where, todo=AGAIN)

    if member.size > FIAS_DICTIONARY_BYTES:
        raise TooLargeError(
            "справочник больше предела · the dictionary is past the limit",
            found=f"{member.size} bytes", expected=f"{FIAS_DICTIONARY_BYTES} bytes", where=where,
            todo=AGAIN,
        )  # fmt: skip
    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = doctype
    try:
        for piece in delivery.pieces(member):
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise MalformedError(
            f"файл не разбирается как XML · not well-formed XML: {error}", where=where, todo=AGAIN
        ) from error
    return found


def _number(text: str | None, bound: int) -> int | None:
    """Return what an attribute says, None when its column does not take it."""
    if text is None or not (text.isascii() and text.isdecimal()) or len(text) > len(str(bound)):
        return None
    return int(text) if int(text) < bound else None
