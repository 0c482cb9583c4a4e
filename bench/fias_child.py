"""Parts that are measured in a process of their own, for the sake of their memory.

`load URL ZIP REGION`: the whole load. `names URL`: what keeping the names of streets takes.
The last line of the output is JSON.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import psycopg

from bench.machine import peak_mb
from gateway.store import arrays

if TYPE_CHECKING:
    from collections.abc import Callable


def connect(url: str) -> psycopg.Connection[Any]:
    """Open a connection as the house opens its own."""
    connection = psycopg.connect(url, autocommit=True, cursor_factory=psycopg.RawCursor)
    arrays.register(connection)
    return connection


def load(url: str, archive: str, region: str) -> dict[str, Any]:
    """Load a region; return seconds, rows, bytes, disk, and the peak of memory."""
    from adapters.fias.drift import Drift
    from adapters.fias.load import Wish
    from adapters.fias.load import load as load_delivery
    from adapters.fias.members import Delivery

    steps: list[tuple[str, float]] = []

    def told(step: str, read: int, _rows: int) -> None:
        if not read:
            steps.append((step, perf_counter()))

    drift = Drift()
    with Delivery(Path(archive), drift) as delivery, connect(url) as connection:
        (done,) = load_delivery(
            connection, delivery, Wish(regions=(region,)), partial(datetime.now, UTC), told,
            drift=drift,
        )  # fmt: skip
        ended = perf_counter()
        disk = connection.execute(
            b"SELECT sum(pg_total_relation_size(c.oid)) FILTER (WHERE c.relname LIKE 'gar%'),"
            b" sum(pg_total_relation_size(c.oid)) FILTER (WHERE c.relname LIKE 'address%')"
            b" FROM pg_class AS c WHERE c.relkind = 'r'"
        ).fetchone()
    assert disk is not None
    ends = [*(at for _, at in steps[1:]), ended]
    return {
        "staging": done.seconds["staging"],
        "searchable": done.seconds["building"] + done.seconds["swapping"],
        "rows": done.rows,
        "bytes": done.xml_bytes,
        "built": {"objects": done.objects, "names": done.names, "houses": done.houses},
        "steps": {step: round(end - at, 2) for (step, at), end in zip(steps, ends, strict=True)},
        "strange": done.strange,
        "peak_mb": peak_mb(os.getpid()),
        "disk_raw": int(disk[0]),
        "disk_searched": int(disk[1]),
    }


def begin(connection: psycopg.Connection[Any], region: int, version: int, now: datetime) -> int:
    """Write the line of a load; return its number."""
    row = connection.execute(
        b"INSERT INTO gar_load (region, version, kind, source, started_at, report)"
        b" VALUES ($1, $2, 'full', 'bench', $3, '{}') RETURNING id",
        (region, version, now),
    ).fetchone()
    assert row is not None
    return int(row[0])


def names(url: str) -> dict[str, Any]:
    """Keep the names of everything loaded; return what that takes of memory."""
    from gateway.addresses.suggest import prefixes
    from gateway.store import addresses

    with connect(url) as connection:
        connection.execute(b"SELECT 1").fetchone()
        gc.collect()
        before = resident()
        begun = perf_counter()
        gazetteer = addresses.Kept().read(connection)
        gc.collect()
        resolving, seconds = resident() - before, perf_counter() - begun
        for each in gazetteer.regions.values():
            prefixes(each)
        gc.collect()
        return {
            "resolve_mb": resolving / 1e6,
            "with_suggest_mb": (resident() - before) / 1e6,
            "seconds": seconds,
            "peak_mb": peak_mb(os.getpid()),
            "counted_mb": gazetteer.size / 1e6,
        }


def resident() -> int:
    """Return the resident memory of this process in bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def main() -> int:
    """Run the part that the first argument names."""
    parts: dict[str, Callable[..., dict[str, Any]]] = {"load": load, "names": names}
    print(json.dumps(parts[sys.argv[1]](*sys.argv[2:])), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
