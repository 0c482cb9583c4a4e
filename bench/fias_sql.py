"""The way of SQL that resolving is measured against, as it was measured before this project.

The text is taken apart by our own parser; streets are found by trigrams of `settlement street`
(GiST, nearest five), the house by its key in a b-tree; the five are scored anew by rapidfuzz.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rapidfuzz import fuzz

from gateway.addresses import keys
from gateway.addresses.houses import house_variants
from gateway.addresses.parse import parse
from gateway.store.arrays import TextArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg

    from gateway.addresses.parts import Parsed

LEAST: Final = 60.0
MARGIN: Final = 3.0

TABLE: Final = """
CREATE TABLE bench_street AS
WITH RECURSIVE up AS (
  SELECT id, id AS at, parent, level, name FROM address_object WHERE houses > 0
  UNION ALL
  SELECT up.id, o.id, o.parent, o.level, o.name
  FROM up JOIN address_object AS o ON o.id = up.parent
)
SELECT s.id, lower(replace(concat_ws(' ', string_agg(up.name, ' ' ORDER BY up.level)
         FILTER (WHERE up.level IN (5, 6, 7) AND up.at <> s.id), s.name), 'ё', 'е')) AS label
FROM address_object AS s JOIN up ON up.id = s.id
WHERE s.houses > 0 GROUP BY s.id, s.name
"""
INDEX: Final = "CREATE INDEX ON bench_street USING gist (label gist_trgm_ops (siglen = {size}))"
ONE: Final = """
SELECT s.label, h.guid::text
FROM (SELECT id, label FROM bench_street ORDER BY label <-> $1 LIMIT 5) AS s
JOIN address_house AS h ON h.region = 36 AND h.parent = s.id AND h.key = $2
"""
MANY: Final = """
SELECT q.n, s.label, h.guid::text
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS q (label, key, n)
CROSS JOIN LATERAL (SELECT id, label FROM bench_street ORDER BY label <-> q.label LIMIT 5) AS s
JOIN address_house AS h ON h.region = 36 AND h.parent = s.id AND h.key = q.key
"""


def prepare(connection: psycopg.Connection[Any], size: int) -> None:
    """Make the table of streets and its index."""
    connection.execute(b"DROP TABLE IF EXISTS bench_street")
    connection.execute(TABLE.encode())
    connection.execute(INDEX.format(size=size).encode())
    connection.execute(b"ANALYZE bench_street")


def asked(text: str) -> tuple[str, str]:
    """Return the label that streets are compared with, and the key of the house."""
    parsed = parse(text)
    return _label(parsed), _key(parsed)


def _label(parsed: Parsed) -> str:
    said = [part.name for role in ("settlement", "plan", "street") for part in parsed.all(role)]
    return keys.fold(" ".join(said))


def _key(parsed: Parsed) -> str:
    found = house_variants(parsed)
    return found[0][0] if found else ""


def one(connection: psycopg.Connection[Any], text: str) -> str:
    """Return the GUID of the house that a text means, empty when in doubt."""
    label, key = asked(text)
    rows = connection.execute(ONE.encode(), (label, key), prepare=True).fetchall()
    return _best(label, rows)


def many(connection: psycopg.Connection[Any], texts: Sequence[str]) -> list[str]:
    """Return the GUIDs of a batch, in one statement."""
    pairs = [asked(text) for text in texts]
    labels, numbers = zip(*pairs, strict=True)
    found: dict[int, list[tuple[str, str]]] = {}
    for n, label, guid in connection.execute(
        MANY.encode(), (TextArray.of(labels), TextArray.of(numbers)), prepare=True
    ).fetchall():
        found.setdefault(n, []).append((label, guid))
    return [_best(label, found.get(n, [])) for n, (label, _) in enumerate(pairs, 1)]


def _best(label: str, rows: list[tuple[str, str]]) -> str:
    scored = sorted(
        ((fuzz.token_sort_ratio(label, each), guid) for each, guid in rows), reverse=True
    )
    if not scored or scored[0][0] < LEAST:
        return ""
    if len(scored) > 1 and scored[0][0] - scored[1][0] < MARGIN:
        return ""
    return scored[0][1]
