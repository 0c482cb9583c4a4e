"""Classifiers of topics as a body has loaded them, the tables between them, and unknown codes.

Until a body has loaded its own, ССТУ's classifier is the part that comes with the gateway
(`gateway.topics.seed`). Readers that work all day keep what they read, and ask for the revision.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gateway.store.arrays import TextArray, UuidArray
from gateway.topics import SSTU, Classifier, Kind, Node, Tables, canonical, seed
from gateway.topics.codes import ASSIGNABLE
from gateway.topics.seed import suffixes
from gateway.topics.tables import with_maps

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from psycopg import Connection

    from gateway.topics import Change
    from gateway.topics.tables import Seen

CLASSIFIERS: Final = "SELECT system, version, partial, source FROM topic_classifier"

NODES: Final = """
SELECT system, code, version, title, parent, level, valid_from, valid_to FROM topic_node
ORDER BY system, code, valid_from NULLS FIRST
"""

MAPS: Final = "SELECT system, code, to_system, to_code FROM topic_map ORDER BY 1, 2, 3"

REVISION: Final = "SELECT value FROM topic_revision"

CHANGED: Final = """
INSERT INTO topic_revision (value) VALUES (1)
ON CONFLICT (one) DO UPDATE SET value = topic_revision.value + 1
"""

PUT_CLASSIFIER: Final = """
INSERT INTO topic_classifier (system, version, partial, source, imported_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (system) DO UPDATE
SET version = excluded.version, partial = excluded.partial, source = excluded.source,
    imported_at = excluded.imported_at
"""

PUT_NODE: Final = """
INSERT INTO topic_node (system, code, version, title, parent, level, valid_from, valid_to)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (system, code, version) DO UPDATE
SET title = excluded.title, parent = excluded.parent, level = excluded.level,
    valid_from = excluded.valid_from, valid_to = excluded.valid_to
"""

PUT_MAP: Final = """
INSERT INTO topic_map (system, code, to_system, to_code, noted_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (system, code, to_system) DO UPDATE
SET to_code = excluded.to_code, noted_at = excluded.noted_at
WHERE topic_map.to_code <> excluded.to_code
"""

DROP_MAP: Final = "DELETE FROM topic_map WHERE system = $1 AND code = $2 AND to_system = $3"

UNMAPPED: Final = """
SELECT system, code, title, first_seen, last_seen, count, message_id FROM topic_unmapped
WHERE $1 = '' OR system = $1 ORDER BY count DESC, system, code
"""

SETTLED: Final = "DELETE FROM topic_unmapped WHERE system = $1 AND code = ANY($2::text[])"

QUEUE: Final = """
INSERT INTO topic_unmapped (system, code, title, first_seen, last_seen, count, message_id)
SELECT system, code, max(title), $5::timestamptz, $5, count(*), min(message::text)::uuid
FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[]) AS u (system, code, title, message)
GROUP BY system, code ORDER BY system, code
ON CONFLICT (system, code) DO UPDATE
SET last_seen = excluded.last_seen, count = topic_unmapped.count + excluded.count,
    title = CASE WHEN topic_unmapped.title = '' THEN excluded.title ELSE topic_unmapped.title END
"""
"""Sorted, as every batch of this house: two nodes that queue the same codes must not deadlock."""


class Unmapped(NamedTuple):
    """A code that waits for a person."""

    system: str
    code: str
    title: str
    first_seen: dt.datetime | None
    last_seen: dt.datetime | None
    times: int
    message_id: UUID | None


class Kept:
    """Tables kept in memory by somebody who reads them for every batch."""

    def __init__(self) -> None:
        self._kept: tuple[int, Tables] | None = None

    def read(self, connection: Connection[Any]) -> Tables:
        """Return the tables as they stand; read anew only after a change."""
        return self.dated(connection)[1]

    def dated(self, connection: Connection[Any]) -> tuple[int, Tables]:
        """Return the tables with their revision; threads may call it at once."""
        now = revision(connection)
        kept = self._kept
        if kept is None or kept[0] != now:
            self._kept = kept = (now, tables(connection))
        return kept


def revision(connection: Connection[Any]) -> int:
    """Return a number that grows with every change; 0 when nothing was ever loaded."""
    row = connection.execute(REVISION).fetchone()
    return int(row[0]) if row else 0


def classifiers(connection: Connection[Any]) -> dict[str, Classifier]:
    """Return every classifier by system, the part that comes with the gateway among them."""
    nodes: dict[str, list[Node]] = {}
    for system, code, version, title, parent, level, begins, ends in connection.execute(NODES):
        node = Node(
            system=system, code=code, version=version, title=title, parent=parent, level=level,
            valid_from=begins, valid_to=ends,
        )  # fmt: skip
        nodes.setdefault(system, []).append(node)
    found = {seed().system: seed()}
    for system, version, partial, source in connection.execute(CLASSIFIERS).fetchall():
        found[system] = Classifier(
            system,
            nodes.get(system, ()),
            version=version,
            partial=partial,
            source=source,
            suffixes=suffixes() if system == seed().system else None,
        )
    return found


def tables(connection: Connection[Any]) -> Tables:
    """Return the classifiers with the tables between them."""
    return with_maps(classifiers(connection).values(), connection.execute(MAPS).fetchall())


def stored(connection: Connection[Any], system: str) -> tuple[Node, ...]:
    """Return the nodes that were loaded of one system; nothing when nobody has loaded it."""
    rows = connection.execute(NODES).fetchall()
    return tuple(
        Node(
            system=row[0], code=row[1], version=row[2], title=row[3], parent=row[4], level=row[5],
            valid_from=row[6], valid_to=row[7],
        )
        for row in rows
        if row[0] == system
    )  # fmt: skip


def write(
    connection: Connection[Any],
    about: Classifier,
    changes: Iterable[Change],
    now: dt.datetime,
) -> None:
    """Put the changes of a file in their place, and what the classifier is now.

    about: system, version, partial and source of the file; its nodes are not looked at.
    """
    connection.execute(
        PUT_CLASSIFIER, (about.system, about.version, about.partial, about.source, now)
    )
    for kind, node, _before in changes:
        if kind is not Kind.SAME:
            connection.execute(
                PUT_NODE,
                (
                    node.system, node.code, node.version, node.title, node.parent, node.level,
                    node.valid_from, node.valid_to,
                ),
            )  # fmt: skip
    connection.execute(CHANGED)
    _settle(connection)


def map_codes(
    connection: Connection[Any],
    system: str,
    to_system: str,
    pairs: Mapping[str, str],
    now: dt.datetime,
) -> None:
    """Say what codes of a system mean in another; an empty meaning takes the code off the table."""
    for code, to_code in sorted(pairs.items()):
        if to_code:
            connection.execute(PUT_MAP, (system, code, to_system, to_code, now))
        else:
            connection.execute(DROP_MAP, (system, code, to_system))
    connection.execute(CHANGED)
    _settle(connection)


def unmapped(connection: Connection[Any], system: str = "") -> list[Unmapped]:
    """Return the codes that nobody knows, the most frequent first."""
    return [Unmapped(*row) for row in connection.execute(UNMAPPED, (system,))]


def lacking(
    connection: Connection[Any], system: str, to_system: str, on: dt.date
) -> list[Unmapped]:
    """Return the codes of a system that have no meaning in another, those that were seen first.

    Those that questions had, the most frequent first; then the codes that have a meaning elsewhere;
    then the nodes of the system's own classifier that may be given to a question. Without `times`
    are those that nobody has seen unmapped.
    """
    known = tables(connection)
    there = {code for (of, code), to in known.maps.items() if of == system and to_system in to}
    found = {row.code: row for row in unmapped(connection, system) if row.code not in there}
    classifier = known.classifiers.get(system)
    titles = {code: "" for of, code in known.maps if of == system}
    for node in classifier.current(on) if classifier else ():
        if system != SSTU or node.level >= ASSIGNABLE:
            titles[node.code] = node.title
    rest = [
        Unmapped(system, code, title, None, None, 0, None)
        for code, title in sorted(titles.items())
        if code not in there and code not in found
    ]
    return [*found.values(), *rest]


def queue_unknown(
    connection: Connection[Any], seen: Iterable[tuple[Seen, UUID]], now: dt.datetime
) -> None:
    """Queue codes that questions had and nobody knows; the message is the first that had each."""
    rows = [(s.system, canonical(s.system, s.code), s.title, message) for s, message in seen]
    if not rows:
        return
    systems, values, titles, messages = zip(*rows, strict=True)
    connection.execute(
        QUEUE,
        (
            TextArray.of(systems), TextArray.of(values), TextArray.of(titles),
            UuidArray.of(messages), now,
        ),
    )  # fmt: skip


def _settle(connection: Connection[Any]) -> None:
    """Take off the queue what a table or a classifier knows now."""
    known = tables(connection)
    done: dict[str, list[str]] = {}
    for row in unmapped(connection):
        classifier = known.classifiers.get(row.system)
        if classifier is not None and classifier.may_have(row.code):
            done.setdefault(row.system, []).append(row.code)
    for system, code in known.maps:
        done.setdefault(system, []).append(code)
    for system, values in sorted(done.items()):
        connection.execute(SETTLED, (system, TextArray.of(sorted(values))))
