"""Completing while typing, against a plain trigram query of the same beginnings over all houses."""

from __future__ import annotations

from functools import partial
from random import Random
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from bench.command import Plan, say
from bench.fias_ground import REGION, SEED
from bench.figures import Figure, figure
from gateway.addresses.suggest import suggest
from gateway.store import addresses, suggestions

if TYPE_CHECKING:
    import psycopg

    from bench.fias_ground import Ground

TIMES: Final = 4.0
TYPED: Final = 400
"""Beginnings, the same ones in every pair: they differ more from one another than pairs do."""
LIMIT: Final = 10

TABLE: Final = """
CREATE TABLE bench_label AS
SELECT s.label || ' ' || lower(h.label) AS label
FROM bench_street AS s JOIN address_house AS h ON h.region = 36 AND h.parent = s.id
"""
INDEX: Final = "CREATE INDEX ON bench_label USING {how}"
WAYS: Final = {
    "gist, nearest by words": (
        "gist (label gist_trgm_ops (siglen = 256))",
        "SELECT label FROM bench_label ORDER BY $1 <<-> label LIMIT 10",
    ),
    "gin, like": (
        "gin (label gin_trgm_ops)",
        "SELECT label FROM bench_label WHERE label LIKE '%' || $1 || '%' LIMIT 10",
    ),
}
"""Plain ways. The figure is against the one that puts the likeliest first, as suggestions are;
the first ten rows that contain the text, in any order, are told beside."""


def measure(ground: Ground, plan: Plan) -> list[Figure]:
    """Return the figure of completing."""
    with ground.database.connect() as connection, ground.database.connect() as other:
        connection.prepare_threshold = other.prepare_threshold = 1
        other.execute(b"SET maintenance_work_mem = '512MB'")
        other.execute(b"DROP TABLE IF EXISTS bench_label")
        other.execute(TABLE.encode())
        for how, _ in WAYS.values():
            other.execute(INDEX.format(how=how).encode())
        other.execute(b"VACUUM ANALYZE bench_label")
        typed = _typed(other, TYPED)
        kept = addresses.Kept()
        kept.read(connection)
        rates = {}
        samples: list[tuple[float, float, None]] = []
        answered = 0.0
        for way, (_, query) in reversed(WAYS.items()):
            samples, answered = _pairs(connection, other, kept, typed, query, plan.pairs)
            rates[way] = {"ours": round(samples[-1][0]), "peer": round(samples[-1][1])}
            say(f"suggest: {samples[-1][0]:,.0f} a second, by {way} {samples[-1][1]:,.0f}")
        detail: dict[str, object] = {"ways": rates, "answered": answered, "typed": typed[:12]}
        return [
            figure(
                "fias-suggest", "beginnings a second", samples, judged="peer",
                target=0.0 if plan.quick else TIMES, run=plan.run, detail=detail,
            )
        ]  # fmt: skip


def _typed(connection: psycopg.Connection[Any], count: int) -> list[str]:
    """Return beginnings of addresses of the region, as long as somebody has typed them."""
    draw = Random(SEED)
    rows = connection.execute(
        b"SELECT label FROM bench_label TABLESAMPLE SYSTEM (20) REPEATABLE (7) ORDER BY md5(label)"
        b" LIMIT $1", (count,)
    ).fetchall()  # fmt: skip
    return [label[: draw.randint(3, len(label))] for (label,) in rows]


def _pairs(
    connection: psycopg.Connection[Any], other: psycopg.Connection[Any], kept: addresses.Kept,
    typed: list[str], query: str, pairs: int,
) -> tuple[list[tuple[float, float, None]], float]:  # fmt: skip
    houses = partial(suggestions.houses, connection)
    samples, filled = [], 0

    def ours(texts: list[str]) -> int:
        return sum(
            bool(
                suggest(kept.read(connection), text, (f"{REGION:02d}",), LIMIT, houses=houses).items
            )
            for text in texts
        )

    def theirs(texts: list[str]) -> int:
        return sum(
            bool(other.execute(query.encode(), (text,), prepare=True).fetchall()) for text in texts
        )

    for pair in range(pairs + 1):
        rates = {}
        for side in ("ours", "peer") if pair % 2 else ("peer", "ours"):
            begun = perf_counter()
            answered = (ours if side == "ours" else theirs)(typed)
            rates[side] = len(typed) / (perf_counter() - begun)
            filled += answered * (side == "ours")
        if pair:
            samples.append((rates["ours"], rates["peer"], None))
    return samples, filled / (len(typed) * (pairs + 1))
