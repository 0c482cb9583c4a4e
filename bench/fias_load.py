"""Loading: our staging against a bare loop over the same file, and what all of Russia would take.

The bare loop is expat and COPY and nothing else: no filter, no checks, every row into an unlogged
table of the same columns.
"""

from __future__ import annotations

import zipfile
from contextlib import contextmanager
from datetime import UTC, datetime
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final
from xml.parsers import expat

from bench.command import Plan, say
from bench.fias_child import begin
from bench.fias_ground import REGION, packed
from bench.figures import Figure, figure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import psycopg

    from bench.fias_ground import Ground

STAGING: Final = 0.7
SEARCHABLE: Final = 4.0
PEAK_MB: Final = 150.0
RUSSIA_BYTES: Final = 300e9
"""The archive unpacked, all tables: published for 2022 (290 to 300 GB)."""
RUSSIA_PACKED: Final = 53e9
_ATTRIBUTES: Final = (
    "ID", "OBJECTID", "OBJECTGUID", "HOUSENUM", "HOUSETYPE", "ADDNUM1", "ADDTYPE1", "ADDNUM2",
    "ADDTYPE2",
)  # fmt: skip
_COLUMNS: Final = "id, object, guid, number, type, add1, type1, add2, type2"
_PIECE: Final = 256 * 1024


def measure(ground: Ground, plan: Plan) -> list[Figure]:
    """Return the figures of loading."""
    samples = []
    with ground.database.connect() as connection:
        for pair in range(plan.pairs + 1):
            ours = peer = 0.0
            for side in ("ours", "peer") if pair % 2 else ("peer", "ours"):
                if side == "ours":
                    ours = _staged(connection, ground.archive)
                else:
                    peer = _bare(connection, ground.archive)
            if pair:
                samples.append((ours, peer, None))
    say(f"staging {samples[-1][0]:,.0f} rows a second, the bare loop {samples[-1][1]:,.0f}")
    loaded = ground.loaded
    return [
        figure(
            "fias-staging", "rows a second", samples, judged="peer", target=STAGING, run=plan.run
        ),
        figure(
            "fias-load-memory", "MB", [(loaded["peak_mb"], None, PEAK_MB)] * 2, judged="limit",
            target=1.0, run=plan.run, at_most=True,
            detail={"houses": ground.houses, "rows": loaded["rows"], "bytes": loaded["bytes"]},
        ),
        figure(
            "fias-searchable", "seconds; limit: staging",
            [(loaded["searchable"], None, loaded["staging"])] * 2, judged="limit",
            target=SEARCHABLE, run=plan.run, at_most=True,
            detail={**{key: loaded[key] for key in ("steps", "built", "strange")},
                    "russia": _russia(ground)},
        ),
    ]  # fmt: skip


def _staged(connection: psycopg.Connection[Any], archive: Path) -> float:
    """Stage the houses as a load does; return rows a second."""
    from adapters.fias import staging
    from adapters.fias.drift import Drift
    from adapters.fias.format import TABLES
    from adapters.fias.members import Delivery

    now = datetime.now(UTC)
    with Delivery(archive, Drift()) as delivery:
        number = begin(connection, REGION, delivery.version, now)
        begun = perf_counter()
        found = staging.stage(connection, delivery, f"{REGION:02d}", ("HOUSES",), number, now=now)
        taken = perf_counter() - begun
    table = staging.raw(TABLES["HOUSES"].name, REGION, number)
    connection.execute(f"DROP TABLE {table}".encode())
    return sum(found.rows.values()) / taken


def _bare(connection: psycopg.Connection[Any], archive: Path) -> float:
    """Copy the houses with nothing that a load does beside; return rows a second."""
    connection.execute(b"CREATE UNLOGGED TABLE bench_houses (LIKE gar_houses)")
    connection.execute(b"ALTER TABLE bench_houses ALTER region SET DEFAULT 36")
    lines: list[str] = []
    append = lines.append

    def element(tag: str, row: dict[str, str]) -> None:
        if tag == "HOUSE":
            get = row.get
            append("\t".join([get(name, "") for name in _ATTRIBUTES]))

    parser = expat.ParserCreate()
    parser.StartElementHandler = element
    begun = perf_counter()
    count = 0
    with (
        _opened(archive) as file,
        connection.transaction(),
        connection.cursor().copy(
            f"COPY bench_houses ({_COLUMNS}) FROM STDIN (NULL '')".encode()
        ) as out,
    ):
        while piece := file.read(_PIECE):
            parser.Parse(piece, False)
            if lines:
                count += len(lines)
                out.write("\n".join(lines) + "\n")
                lines.clear()
        parser.Parse(b"", True)
    taken = perf_counter() - begun
    connection.execute(b"DROP TABLE bench_houses")
    return count / taken


@contextmanager
def _opened(archive: Path) -> Iterator[Any]:
    name = packed(archive, f"{REGION:02d}/AS_HOUSES_2")
    with zipfile.ZipFile(archive) as opened, opened.open(name) as file:
        yield file


def _russia(ground: Ground) -> dict[str, object]:
    """Return what all of Russia would take at these rates, if every byte were of tables wanted.

    Rows of all Russia were never published: they follow from 300 GB and the bytes a row takes here.
    """
    loaded = ground.loaded
    times = RUSSIA_BYTES / loaded["bytes"]
    rows = sum(loaded["rows"].values())
    found: dict[str, object] = {
        "bytes": RUSSIA_BYTES,
        "rows": round(rows * times),
        "hours_staging": round(loaded["staging"] * times / 3600, 1),
        "hours_searchable": round(loaded["searchable"] * times / 3600, 1),
        "gb_searched": round(loaded["disk_searched"] * times / 1e9),
        "gb_raw": round(loaded["disk_raw"] * times / 1e9),
        "gb_archive": round(RUSSIA_PACKED / 1e9),
        "mb_a_second": round(loaded["bytes"] / loaded["staging"] / 1e6, 1),
    }
    say(
        f"all of Russia, if all {RUSSIA_BYTES / 1e9:.0f} GB were of wanted tables:"
        f" {found['rows']:,} rows, {found['hours_staging']} h staging,"
        f" {found['hours_searchable']} h more to be searchable,"
        f" {found['gb_searched']} GB searched, {found['gb_raw']} GB raw"
    )
    return found
