"""Covering letters by number and date: who holds which, so that one letter becomes one appeal.

A row says with which letter an appeal came; it follows from the appeal's first content alone. That
two appeals are one letter is a fact of the event log, never of this table.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from psycopg.rows import namedtuple_row

from gateway.duplicates import Letter, LetterKey, Letters
from gateway.model.fold import fold_name
from gateway.store.arrays import DateArray, Int8Array, TextArray, UuidArray

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from psycopg import Connection

LOCK = "SELECT pg_advisory_xact_lock(k) FROM unnest($1::int8[]) AS k"
"""Two workers that hold the same letter must see each other's; taken before any head, in order."""

MOST_HOLDERS: Final = 20

HOLDERS = """
SELECT k.number_key, k.date, h.id, h.senders
FROM unnest($1::text[], $2::date[]) AS k (number_key, date)
CROSS JOIN LATERAL (
  SELECT h.id, array_agg(DISTINCT s) FILTER (WHERE s <> '') AS senders
  FROM letter l
  JOIN appeal a ON a.id = l.appeal_id
  JOIN appeal h ON h.id = coalesce(a.merged_into, a.id)
  CROSS JOIN LATERAL unnest(l.senders || ''::text) AS s
  WHERE l.number_key = k.number_key AND l.date = k.date
  GROUP BY 1
  ORDER BY bool_or(h.peer = ANY($5::text[])) DESC, bool_or(l.senders && $3::text[]) DESC, 1
  LIMIT $4
) AS h
"""
"""Appeals that go on with a letter; what is merged speaks for the one it is merged into. A letter
whose month retention has dropped joins nobody. First those that a rule may join ($5): whoever
guesses a letter must not crowd them out."""

WRITE = """
INSERT INTO letter (appeal_id, number_key, date, senders)
SELECT a, b, c, string_to_array(d, E'\\x1e')
FROM unnest($1::uuid[], $2::text[], $3::date[], $4::text[]) AS u (a, b, c, d)
ON CONFLICT (appeal_id) DO UPDATE
SET number_key = excluded.number_key, date = excluded.date, senders = excluded.senders
"""

BY_ID = """
SELECT i.system, i.value, i.organisation FROM organisation_id i
JOIN unnest($1::text[], $2::text[]) AS k (system, value) USING (system, value)
"""

NAMES = "SELECT id, full_name, short_name FROM organisation"

TIES = """
SELECT merged_into FROM appeal WHERE id = $1 AND merged_into IS NOT NULL
UNION ALL SELECT other FROM twin WHERE appeal_id = $1
"""

TWINS = """
SELECT t.appeal_id, t.number, t.date, t.noted_at,
       a.receipt_number, a.peer, a.external_id, a.state,
       o.receipt_number AS other_receipt, o.peer AS other_peer, o.external_id AS other_external,
       o.state AS other_state, l.senders, m.senders AS other_senders
FROM twin t
JOIN appeal a ON a.id = t.appeal_id
JOIN appeal o ON o.id = t.other
LEFT JOIN letter l ON l.appeal_id = t.appeal_id
LEFT JOIN letter m ON m.appeal_id = t.other
ORDER BY t.noted_at, t.appeal_id, t.other LIMIT $1
"""

MERGED = """
SELECT a.id AS appeal_id, a.receipt_number, a.peer, a.external_id,
       o.receipt_number AS other_receipt, o.peer AS other_peer, o.external_id AS other_external,
       e.recorded_at, convert_from(e.body, 'UTF8')::jsonb AS body
FROM appeal a
JOIN appeal o ON o.id = a.merged_into
JOIN LATERAL (
  SELECT recorded_at, body FROM event
  WHERE appeal_id = a.id AND type = 'MergedAsDuplicate' ORDER BY seq DESC LIMIT 1) e ON true
WHERE a.merged_into IS NOT NULL AND ($1::uuid IS NULL OR $1 IN (a.id, a.merged_into))
ORDER BY a.id DESC LIMIT $2
"""

KEYS_OF = "SELECT number_key, date FROM letter WHERE appeal_id = ANY($1::uuid[])"


def read(
    connection: Connection[Any], of: Mapping[UUID, Letter], first: Iterable[str] = ()
) -> Letters:
    """Lock the letters of new appeals and return what judging them needs.

    first: peers whose appeals are looked at before those of others, of whom there may be many.
    """
    if not of:
        return Letters({}, {}, {})
    keys = sorted({letter.key for letter in of.values()})
    lock(connection, keys)
    words = sorted({word for letter in of.values() for word in letter.senders})
    held: dict[LetterKey, dict[UUID, Sequence[str]]] = {}
    for number, day, holder, senders in connection.execute(
        HOLDERS,
        (
            TextArray.of([key.number_key for key in keys]),
            DateArray.of([key.date for key in keys]),
            TextArray.of(words),
            MOST_HOLDERS,
            TextArray.of(sorted(first)),
        ),
    ):
        held.setdefault(LetterKey(number, day), {})[holder] = senders or ()
    told = {word for holders in held.values() for senders in holders.values() for word in senders}
    # Most letters come once: the directory is asked only when there is something to compare.
    compared = len(of) + sum(map(len, held.values())) > len(keys)
    return Letters(of, held, _bodies(connection, {*words, *told}) if compared else {})


def lock(connection: Connection[Any], keys: Iterable[LetterKey]) -> None:
    """Let nobody else judge these letters until the end of the transaction."""
    digests = [sha256(f"letter\0{k.number_key}\0{k.date}".encode()).digest() for k in keys]
    numbers = sorted({int.from_bytes(digest[:8], "big", signed=True) for digest in digests})
    connection.execute(LOCK, (Int8Array.of(numbers),))


def lock_of(connection: Connection[Any], ids: Iterable[UUID]) -> None:
    """Lock the letters that appeals hold."""
    rows = connection.execute(KEYS_OF, (UuidArray.of(list(ids)),)).fetchall()
    lock(connection, [LetterKey(number, day) for number, day in rows])


def write(connection: Connection[Any], of: Mapping[UUID, Letter]) -> None:
    """Store with which letter each appeal came."""
    if not of:
        return
    rows = sorted(of.items())
    connection.execute(
        WRITE,
        (
            UuidArray.of([appeal_id for appeal_id, _ in rows]),
            TextArray.of([letter.key.number_key for _, letter in rows]),
            DateArray.of([letter.key.date for _, letter in rows]),
            TextArray.of(["\x1e".join(letter.senders) for _, letter in rows]),
        ),
    )


def tied_to(connection: Connection[Any], appeal_id: UUID) -> list[UUID]:
    """Return the appeal that an appeal is merged into, or those that may be its twins."""
    return [row[0] for row in connection.execute(TIES, (appeal_id,))]


def twins(connection: Connection[Any], limit: int) -> list[Any]:
    """Return pairs that may be one letter, those that have waited longest first."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(TWINS, (limit,)).fetchall()


def merged(connection: Connection[Any], appeal_id: UUID | None, limit: int) -> list[Any]:
    """Return mergers with the event that made each, the newest appeals first."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(MERGED, (appeal_id, limit)).fetchall()


def _bodies(connection: Connection[Any], words: Iterable[str]) -> dict[str, str]:
    """Return the bodies of the directory that words mean; a name that two bear means neither."""
    ids = sorted(
        (system, value)
        for word in words
        if word.startswith("id:")
        for system, _, value in [word.removeprefix("id:").partition("=")]
    )
    found: dict[str, str] = {}
    if ids:
        systems, values = zip(*ids, strict=True)
        for system, value, body in connection.execute(
            BY_ID, (TextArray.of(systems), TextArray.of(values))
        ):
            found[f"id:{system}={value}"] = body
    names = {word.removeprefix("name:") for word in words if word.startswith("name:")}
    if names:
        bearers: dict[str, set[str]] = {}
        for body, full, short in connection.execute(NAMES):
            for name in {fold_name(full), fold_name(short)} & names:
                bearers.setdefault(name, set()).add(body)
        found |= {f"name:{name}": body.pop() for name, body in bearers.items() if len(body) == 1}
    return found
