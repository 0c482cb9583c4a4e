"""The statements that make what is searched of a region out of its raw tables.

`{addr_obj}`, `{houses}`, … stand for the region's raw tables, `{region}` and `{day}` for the number
and the day by which parameters are in force, `{object_to}`, … for the new tables. Temporary tables
`t_*` last for the transaction.
"""

from __future__ import annotations

from typing import Final

NOW: Final = """
CREATE TEMP TABLE t_now ON COMMIT DROP AS
SELECT DISTINCT ON (object) object, guid, level, coalesce(name, '') AS name,
       coalesce(type_name, '') AS type_name
FROM {addr_obj}
WHERE coalesce(actual, true) AND coalesce(active, true)
ORDER BY object, until DESC NULLS LAST, id DESC
"""
"""Objects with a name as they are now; of two current rows the later one."""

NAMES_NOW: Final = """
SELECT name FROM {addr_obj} WHERE name IS NOT NULL GROUP BY name
"""
TYPES_NOW: Final = """
SELECT level, coalesce(type_name, '') FROM {addr_obj} GROUP BY 1, 2
"""

_ABOVE: Final = """
coalesce(direct.object, (
  SELECT above.object
  FROM unnest(string_to_array(h.path, '.')) WITH ORDINALITY AS step (part, place)
  JOIN {among} AS above
    ON above.object = CASE WHEN step.part ~ '^[0-9]{{1,18}}$' THEN step.part::int8 END
  WHERE above.object <> h.object
  ORDER BY step.place DESC LIMIT 1
), 0)
"""
"""The nearest object above: its parent, or where that has no name of its own (a house, a plot) or
is not there, the last of the path that is."""


def place(made: str, of: str, hierarchy: str, among: str = "t_now", extra: str = "") -> str:
    """Return the statement that finds what is above every object of a table."""
    above = _ABOVE.replace("{among}", among)
    return f"""
CREATE TEMP TABLE {made} ON COMMIT DROP AS
SELECT h.object, {above} AS above{", h." + extra if extra else ""}
FROM (
  SELECT DISTINCT ON (p.object) p.*
  FROM {{{hierarchy}}} AS p JOIN {of} AS o ON o.object = p.object
  ORDER BY p.object, p.since DESC NULLS LAST, p.id DESC
) AS h
LEFT JOIN {among} AS direct ON direct.object = h.parent AND direct.object <> h.object
"""  # noqa: S608 - names of ours


LOOPED: Final = """
WITH RECURSIVE hung AS (
  SELECT object, 1 AS depth FROM {table} WHERE above = 0
  UNION
  SELECT below.object, hung.depth + 1 FROM {table} AS below
  JOIN hung ON below.above = hung.object AND hung.depth < 64
)
UPDATE {table} AS t SET above = 0
WHERE NOT EXISTS (SELECT FROM hung WHERE hung.object = t.object)
  AND EXISTS (SELECT FROM {table} AS up WHERE up.object = t.above)
RETURNING t.object
"""
"""Objects that hang under each other in a ring are taken off; else a label would never end. So are
those past 64 steps, where the schema has 16 levels: each step is a pass over the table."""


def values(made: str, types: tuple[int, ...], *sources: str) -> str:
    """Return the statement that gathers parameters: the latest STARTDATE of each type wins."""
    columns = ", ".join(
        "substr(max(coalesce(since, '0001-01-01')::text || value COLLATE \"C\")"
        f" FILTER (WHERE type = {type_}), 11) AS p{type_}"
        for type_ in types
    )
    rows = " UNION ALL ".join(f"SELECT * FROM {{{source}}}" for source in sources)  # noqa: S608
    return f"""
CREATE TEMP TABLE {made} ON COMMIT DROP AS
SELECT object, {columns}
FROM ({rows}) AS p
WHERE coalesce(since, '0001-01-01') <= '{{day}}' AND coalesce(until, '2079-06-06') > '{{day}}'
GROUP BY object
"""  # noqa: S608 - names of ours


HOUSES_NOW: Final = """
CREATE TEMP TABLE t_house ON COMMIT DROP AS
SELECT DISTINCT ON (object) object, guid, 0::int2 AS kind, coalesce(number, '') AS number,
       coalesce(type, 0::int2) AS type, coalesce(add1, '') AS add1,
       coalesce(type1, 0::int2) AS type1, coalesce(add2, '') AS add2,
       coalesce(type2, 0::int2) AS type2
FROM {houses}
ORDER BY object, id DESC
"""
STEADS_NOW: Final = """
INSERT INTO t_house
SELECT DISTINCT ON (object) object, guid, 1, coalesce(number, ''), 0, '', 0, '', 0
FROM {steads}
ORDER BY object, id DESC
"""
HOUSES_SPELLED: Final = """
SELECT kind, number, type, add1, type1, add2, type2 FROM t_house GROUP BY 1, 2, 3, 4, 5, 6, 7
"""
HOUSE: Final = """
INSERT INTO {house_to}
  (region, parent, key, id, guid, kind, label, parent_mun, postal_code, oktmo, okato, cadastral,
   mkd)
SELECT {region}, coalesce(nullif(adm.above, 0), mun.above), k.key, h.object, h.guid, h.kind,
       k.label, coalesce(mun.above, 0), coalesce(v.p5, ''),
       coalesce(v.p7, mun.oktmo, street.p7, ''), coalesce(v.p6, street.p6, ''),
       coalesce(v.p8, ''), lower(v.p19) IN ('1', 'true', 'да')
FROM t_house AS h
JOIN t_house_key AS k USING (kind, number, type, add1, type1, add2, type2)
LEFT JOIN t_house_adm AS adm ON adm.object = h.object
LEFT JOIN t_house_mun AS mun ON mun.object = h.object
LEFT JOIN t_house_value AS v ON v.object = h.object
LEFT JOIN t_value AS street ON street.object = coalesce(nullif(adm.above, 0), mun.above)
WHERE coalesce(nullif(adm.above, 0), mun.above, 0) <> 0 AND k.key <> ''
ORDER BY 2, 3
"""

OBJECT: Final = """
INSERT INTO {object_to}
  (region, id, guid, level, type, type_name, name, parent, parent_mun, oktmo, okato, postal_code,
   kladr, houses)
SELECT {region}, n.object, n.guid, n.level, t.type, n.type_name, n.name, coalesce(adm.above, 0),
       coalesce(mun.above, 0), coalesce(v.p7, mun.oktmo, ''), coalesce(v.p6, ''),
       coalesce(v.p5, ''), coalesce(v.p10, v.p11, ''), coalesce(c.houses, 0)
FROM t_now AS n
JOIN t_type AS t ON t.level = n.level AND t.type_name = n.type_name
LEFT JOIN t_adm AS adm ON adm.object = n.object
LEFT JOIN t_mun AS mun ON mun.object = n.object
LEFT JOIN t_value AS v ON v.object = n.object
LEFT JOIN (
  SELECT parent, count(*)::int AS houses FROM {house_to} GROUP BY parent
) AS c ON c.parent = n.object
ORDER BY n.object
"""

WALK: Final = """
CREATE TEMP TABLE t_heir ON COMMIT DROP AS
WITH RECURSIVE edge AS (
  SELECT parent AS was, child AS became FROM {addr_obj_division}
  UNION
  SELECT r.object, s.object FROM {addr_obj} AS r JOIN {addr_obj} AS s ON s.id = r.next
  WHERE r.next > 0 AND r.object <> s.object
  UNION
  SELECT s.object, r.object FROM {addr_obj} AS r JOIN {addr_obj} AS s ON s.id = r.prev
  WHERE r.prev > 0 AND r.object <> s.object
), walk AS (
  SELECT d.object AS origin, e.became AS at, 1 AS step
  FROM (
    SELECT r.object FROM {addr_obj} AS r LEFT JOIN t_now AS n ON n.object = r.object
    WHERE r.level BETWEEN 5 AND 8 AND n.object IS NULL GROUP BY r.object
  ) AS d JOIN edge AS e ON e.was = d.object
  UNION
  SELECT w.origin, e.became, w.step + 1
  FROM walk AS w JOIN edge AS e ON e.was = w.at
  WHERE w.step < 64 AND NOT EXISTS (SELECT FROM t_now AS n WHERE n.object = w.at)
)
SELECT DISTINCT w.origin, w.at FROM walk AS w JOIN t_now AS n ON n.object = w.at
"""
"""Who came after an object that is no more, wherever the chain leads within 64 steps, which end a
ring too; without a bound every object of a long chain would walk all of it."""

NAME: Final = """
INSERT INTO {name_to} (region, key, object, type, kind, name, until)
SELECT {region}, key, object, type, kind, min(name), max(until)
FROM (
  SELECT k.key, n.object, t.type, 0::int2 AS kind, n.name, NULL::date AS until
  FROM t_now AS n
  JOIN t_name_key AS k ON k.name = n.name
  JOIN t_type AS t ON t.level = n.level AND t.type_name = n.type_name
  UNION ALL
  SELECT k.key, heir.at, t.type, heir.kind, r.name, nullif(r.until, '2079-06-06')
  FROM {addr_obj} AS r
  JOIN (
    SELECT object AS origin, object AS at, 1::int2 AS kind FROM t_now
    UNION ALL SELECT origin, at, 2::int2 FROM t_heir
  ) AS heir ON heir.origin = r.object
  JOIN t_name_key AS k ON k.name = r.name
  JOIN t_type AS t ON t.level = r.level AND t.type_name = coalesce(r.type_name, '')
  JOIN t_now AS n ON n.object = heir.at
  JOIN t_name_key AS nk ON nk.name = n.name
  JOIN t_type AS nt ON nt.level = n.level AND nt.type_name = n.type_name
  WHERE r.level BETWEEN 5 AND 8 AND (k.key, t.type) <> (nk.key, nt.type)
) AS found
WHERE key <> ''
GROUP BY key, object, type, kind
ORDER BY key
"""

FLATS_NOW: Final = """
CREATE TEMP TABLE t_flat ON COMMIT DROP AS
SELECT DISTINCT ON (object) object, guid, coalesce(number, '') AS number,
       coalesce(type, 0::int2) AS type
FROM {apartments}
ORDER BY object, id DESC
"""
FLATS_SPELLED: Final = "SELECT number, type FROM t_flat GROUP BY 1, 2"
FLAT: Final = """
INSERT INTO {flat_to} (region, house, key, id, guid, label, cadastral)
SELECT {region}, p.above, k.key, f.object, f.guid, k.label, coalesce(v.p8, '')
FROM t_flat AS f
JOIN t_flat_key AS k USING (number, type)
JOIN t_flat_place AS p ON p.object = f.object AND p.above <> 0
LEFT JOIN t_flat_value AS v ON v.object = f.object
WHERE k.key <> ''
ORDER BY 2, 3
"""

KEYS: Final = (
    ("address_object", "PRIMARY KEY (region, id)"),
    ("address_name", "PRIMARY KEY (region, key, object, type, kind)"),
    ("address_house", "PRIMARY KEY (region, parent, key, id)"),
    ("address_flat", "PRIMARY KEY (region, house, key, id)"),
)
"""The keys of the searched tables, made after their rows."""

DANGLING: Final = (
    (
        "a house without a place in the hierarchies",
        (
            "SELECT h.object FROM t_house AS h LEFT JOIN t_house_adm AS a ON a.object = h.object"
            " LEFT JOIN t_house_mun AS m ON m.object = h.object"
            " WHERE coalesce(nullif(a.above, 0), m.above, 0) = 0"
        ),
    ),
    (
        "a parent that is not there",
        (
            "SELECT p.object FROM {adm_hierarchy} AS p JOIN t_now AS n ON n.object = p.object"
            " LEFT JOIN t_now AS up ON up.object = p.parent"
            " WHERE p.parent > 0 AND up.object IS NULL"
        ),
    ),
    (
        "an object outside of the hierarchies",
        (
            "SELECT n.object FROM t_now AS n LEFT JOIN t_adm AS a ON a.object = n.object"
            " LEFT JOIN t_mun AS m ON m.object = n.object"
            " WHERE a.object IS NULL AND m.object IS NULL AND n.level > 1"
        ),
    ),
    (
        "parameters of no current house",
        (
            "SELECT v.object FROM t_house_value AS v LEFT JOIN t_house AS h ON h.object = v.object"
            " WHERE h.object IS NULL"
        ),
    ),
    (
        "parameters of no object",
        (
            "SELECT v.object FROM t_value AS v LEFT JOIN"
            " (SELECT DISTINCT object FROM {addr_obj}) AS o ON o.object = v.object"
            " WHERE o.object IS NULL"
        ),
    ),
    (
        "two current rows of one object",
        (
            "SELECT object FROM {addr_obj} WHERE coalesce(actual, true) AND coalesce(active, true)"
            " GROUP BY object HAVING count(*) > 1"
        ),
    ),
    ("two current rows of one house", "SELECT object FROM {houses} GROUP BY 1 HAVING count(*) > 1"),
    (
        "a number that no key can be made of",
        (
            "SELECT h.object FROM t_house AS h JOIN t_house_key AS k"
            " USING (kind, number, type, add1, type1, add2, type2) WHERE k.key = ''"
        ),
    ),
    (
        "an object that is no more, without a successor",
        (
            "SELECT r.object FROM {addr_obj} AS r LEFT JOIN t_now AS n ON n.object = r.object"
            " LEFT JOIN t_heir AS h ON h.origin = r.object WHERE r.level BETWEEN 5 AND 8"
            " AND n.object IS NULL AND h.origin IS NULL GROUP BY r.object"
        ),
    ),
)
"""What is counted and told of: the kind, and the query of its objects."""

HOMELESS: Final = (
    (
        "an apartment without a house",
        (
            "SELECT f.object FROM t_flat AS f LEFT JOIN t_flat_place AS p ON p.object = f.object"
            " WHERE coalesce(p.above, 0) = 0"
        ),
    ),
)
"""The same of apartments, where there are any."""
