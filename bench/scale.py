"""`make bench-scale`: what accepting an appeal takes with 2,000,000 of them stored, by count.

Time would show nothing near a ratio of 1. Counted are the statements that a batch runs, the shape
of their plans, and the buffers they touch an appeal (pg_stat_statements), first on a small store,
then on the large one. Statements and plans must be the same; buffers may grow by the levels that
the indexes grow.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import psycopg

from bench import machine
from bench.command import Plan, command, say
from bench.figures import Figure, Void, figure
from bench.limit import BATCH, Document
from bench.stand import stand
from gateway.store import accept_sql
from gateway.store.accept import write_batch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bench.stand import Database

SMALL: Final = 20_000
LARGE: Final = 2_000_000
QUICK: Final = 200_000
STEP: Final = 100_000
GB_FOR_LARGE: Final = 25
GROWTH: Final = 1.25
"""Two million keys need an index one level deeper than twenty thousand do."""
SAMPLES: Final = 7
_PRELOAD: Final = {"shared_preload_libraries": "pg_stat_statements", "max_wal_size": "8GB"}

FILL: Final = """
WITH n AS MATERIALIZED (
  SELECT n, uuidv7(make_interval(secs => (n - $1) * 0.2 - 259200)) AS message_id,
         uuidv7(make_interval(secs => (n - $1) * 0.2 - 259200)) AS appeal_id,
         uuidv7(make_interval(secs => (n - $1) * 0.2 - 259200)) AS content_id,
         'fill-' || lpad(n::text, 9, '0') AS key,
         upper(substr(md5(n::text), 1, 11)) AS receipt, sha256(n::text::bytea) AS digest,
         now() - make_interval(secs => ($1 - n) * 0.2) AS at
  FROM generate_series($2::int, $3::int) AS n
), l AS (
  INSERT INTO ledger (peer, kind, key, slot, revision, message_id, appeal_id, receipt_number,
                      accepted_at, content_sha256, body_sha256, digest_version)
  SELECT 'bench', 'appeal', key, 0, 1, message_id, appeal_id, receipt, at, digest, digest, 1 FROM n
), m AS (
  INSERT INTO message (id, peer, wire, operation, key, revision, recorded_at, correlation,
                       media_type, body, body_sha256, content_sha256, appeal_id, stage)
  SELECT message_id, 'bench', 'soap11', 'submit', key, 1, at, replace(message_id::text, '-', ''),
         'text/xml; charset=utf-8', $4, digest, digest, appeal_id, 'applied' FROM n
), p AS (
  INSERT INTO appeal (id, peer, external_id, receipt_number, revision, regime, state, recorded_at,
                      changed_at, head_seq, head_hash, content_id, content_sha256, test, historical)
  SELECT appeal_id, 'bench', key, receipt, 1, 'fz59', 'received', at, at, 1, digest, content_id,
         digest, false, false FROM n
), q AS (
  INSERT INTO question (appeal_id, ordinal, id, state, topic)
  SELECT appeal_id, o, uuidv7(), 'received', '0005.0005.0055.1122'
  FROM n, generate_series(1, 2) AS o
), e AS (
  INSERT INTO event (appeal_id, seq, type, v, recorded_at, message_id, body, prev, hash)
  SELECT appeal_id, 1, 'Received', 1, at, message_id, substr($4, 1, 600), digest, digest FROM n
)
INSERT INTO content (appeal_id, id, digest, salt, bytes)
SELECT appeal_id, content_id, digest, substr(digest, 1, 16), $4 FROM n
"""
"""Appeals as they stand after triage, five a second up to now: nothing of them waits in `work`."""

COUNTED: Final = """
SELECT query, calls, shared_blks_hit + shared_blks_read
FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = $1)
  AND userid = 'gateway'::regrole
"""


class Work(NamedTuple):
    """What batches took: calls by statement, buffers an appeal for each sample, shapes of plans."""

    calls: Mapping[str, int]
    buffers: Sequence[float]
    shapes: Mapping[str, str]


def measure(plan: Plan) -> list[Figure]:
    """Count on the small store, fill it, count again."""
    target = QUICK if plan.quick else LARGE
    with stand(_PRELOAD) as made:
        _require_room(made.directory, target)
        database = made.database("scale")
        with psycopg.connect(database.admin_url, autocommit=True) as admin:
            admin.execute("CREATE EXTENSION pg_stat_statements")
        fill(database, 0, SMALL)
        small = count(database, "small")
        fill(database, SMALL, target)
        large = count(database, "large")
        detail: dict[str, object] = {
            "machine": machine.shape(made.directory, database.url),
            "appeals": [SMALL, target],
            "calls": [dict(small.calls), dict(large.calls)],
            "same_statements": small.calls == large.calls,
            "same_plans": small.shapes == large.shapes,
            "plans": large.shapes if small.shapes == large.shapes else [small.shapes, large.shapes],
        }
    samples = [(b, None, a) for a, b in zip(small.buffers, large.buffers, strict=True)]
    found = figure(
        "scale", "buffers an appeal; limit: small store", samples, judged="limit", at_most=True,
        target=GROWTH, run=plan.run, detail=detail,
    )  # fmt: skip
    if not (detail["same_statements"] and detail["same_plans"]):
        found.met = False
    return [found]


def fill(database: Database, first: int, last: int) -> None:
    """Add appeals number `first` to `last`, as if they had come over the last days."""
    body = Document().bytes
    with database.connect() as connection:
        for start in range(first, last, STEP):
            end = min(start + STEP, last)
            connection.execute(FILL, (LARGE, start, end - 1, body))
            say(f"{end} appeals stored")
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        admin.execute("VACUUM ANALYZE")
        admin.execute("CHECKPOINT")


def count(database: Database, prefix: str) -> Work:
    """Accept a few batches, and count what they did."""
    document = Document()
    calls: dict[str, int] = {}
    buffers = []
    with (
        database.connect() as connection,
        psycopg.connect(
            database.admin_url, autocommit=True, cursor_factory=psycopg.RawCursor
        ) as admin,
    ):
        connection.prepare_threshold = 1
        for sample in range(SAMPLES + 1):
            batches = [
                [
                    document.entry(f"{prefix}-{sample}-{part}-{n:04d}", None)  # type: ignore[arg-type]
                    for n in range(BATCH)
                ]
                for part in range(5)
            ]
            admin.execute("SELECT pg_stat_statements_reset()")
            for batch in batches:
                with connection.transaction():
                    write_batch(connection, batch)
            rows = admin.execute(COUNTED, (database.name,)).fetchall()
            if sample:  # the first fills caches and plans
                calls = {_first_line(query): number for query, number, _ in rows}
                buffers.append(float(sum(row[2] for row in rows)) / (BATCH * len(batches)))
        shapes = _shapes(connection, document, prefix)
    say(f"{prefix}: {sum(calls.values())} statements, {buffers[-1]:.1f} buffers an appeal")
    return Work(calls, buffers, shapes)


def _shapes(connection: psycopg.Connection[Any], document: Document, prefix: str) -> dict[str, str]:
    """Return the plans of the statements that write, without costs and names of partitions."""
    seen: dict[str, str] = {}

    class Explaining:
        """Stands in for the connection: explains what is executed, then executes it."""

        def execute(self, query: str, parameters: Any = (), **more: Any) -> Any:
            if query in (accept_sql.LEDGER, accept_sql.ROWS):
                plan = connection.execute(
                    f"EXPLAIN (FORMAT JSON, COSTS OFF) {query}".encode(), parameters
                ).fetchone()
                assert plan is not None
                seen["LEDGER" if query == accept_sql.LEDGER else "ROWS"] = _shape(
                    plan[0][0]["Plan"]
                )
            return connection.execute(query.encode(), parameters, **more)

    entries = [document.entry(f"{prefix}-plan-{n}", None) for n in range(BATCH)]  # type: ignore[arg-type]
    with connection.transaction(force_rollback=True):
        write_batch(Explaining(), entries)  # type: ignore[arg-type]
    return seen


def _shape(plan: Mapping[str, Any]) -> str:
    """Spell a plan as nested words: node, relation or function, and what lies below."""
    name = plan.get("Relation Name") or plan.get("CTE Name") or plan.get("Function Name") or ""
    parts = [plan["Node Type"], plan.get("Operation", ""), name, plan.get("Index Name", "")]
    below = " ".join(_shape(each) for each in plan.get("Plans", ()))
    head = " ".join(filter(None, parts))
    return f"({head} {below})" if below else f"({head})"


def _first_line(query: str) -> str:
    return " ".join(query.split())[:60]


def _require_room(directory: Path, appeals: int) -> None:
    free = shutil.disk_usage(directory).free / 1e9
    wanted = GB_FOR_LARGE * appeals / LARGE
    if free < wanted:
        raise Void(f"{wanted:.0f} GB of disk are needed, {free:.0f} are free; set BENCH_DIR")
    say(f"{datetime.now(UTC):%H:%M} filling up to {appeals} appeals, {free:.0f} GB free")


if __name__ == "__main__":
    raise SystemExit(command([("scale", "buffers an appeal", GROWTH, measure)]))
