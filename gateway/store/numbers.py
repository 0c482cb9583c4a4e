"""The numbers others gave to appeals: written when an appeal comes, and told again by its contents.

`external_ref` and `letter` follow from the contents that the events `Received` and `Amended` name
by digest. An erased content tells nothing any more; what came with it stays in the tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from gateway import duplicates
from gateway.model import facts as f
from gateway.model.events import EventType
from gateway.store.arrays import TextArray, UuidArray

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from uuid import UUID

    from psycopg import Connection

    from gateway.duplicates import Letter, Reference
    from gateway.model.events import Event

REFERENCES = """
INSERT INTO external_ref (appeal_id, peer, kind, value, value_key)
SELECT DISTINCT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
ON CONFLICT (appeal_id, peer, kind, value) DO UPDATE SET value_key = excluded.value_key
WHERE external_ref.value_key <> excluded.value_key
"""

MEET = """
UPDATE expectation SET appeal_id = $1
WHERE appeal_id IS NULL AND number_key = ANY($2::text[])
"""


class Told(NamedTuple):
    """What contents tell of an appeal's numbers; whole: no content was erased or is in doubt."""

    references: frozenset[Reference]
    letter: Letter | None
    whole: bool


def refer(connection: Connection[Any], appeal_id: UUID, references: Sequence[Reference]) -> None:
    """Store the numbers of an appeal and let expectations of the same number meet it."""
    if not references:
        return
    connection.execute(
        REFERENCES,
        (
            UuidArray.of([appeal_id] * len(references)),
            TextArray.of([r.peer for r in references]),
            TextArray.of([r.kind for r in references]),
            TextArray.of([r.value for r in references]),
            TextArray.of([r.value_key for r in references]),
        ),
    )
    connection.execute(MEET, (appeal_id, TextArray.of([r.value_key for r in references])))


def told(
    events: Iterable[Event], contents: Mapping[bytes, bytes], waiting: Collection[UUID]
) -> Told:
    """Return the numbers that an appeal's events have brought it.

    contents: sound ones, by digest. waiting: messages that triage has still to apply.
    """
    references: set[Reference] = set()
    letter, whole = None, True
    for event in events:
        came = event.type is EventType.RECEIVED
        if not (came or event.type is EventType.AMENDED) or event.content is None:
            continue
        if came and event.cause in waiting:
            continue
        content = contents.get(bytes.fromhex(event.content))
        numbers = duplicates.read(content) if content is not None else None
        if numbers is None:
            whole = False
            continue
        references.update(duplicates.references(numbers, event.actor.id))
        if isinstance(event.payload, f.ReceivedFacts):
            letter = duplicates.letter(numbers, test=event.payload.test)
    return Told(frozenset(references), letter, whole)
