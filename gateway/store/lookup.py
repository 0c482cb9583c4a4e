"""Finds appeals by whatever number an engineer has in hand.

Taken are our id and receipt number, a registration or covering-letter number in any spelling, an
identifier that some peer gave, and a peer's external id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from gateway.errors import ConflictError, NotFoundError, ValidationError
from gateway.model.fold import number_key
from gateway.model.ids import check_receipt_number

if TYPE_CHECKING:
    from psycopg import Connection

FIND = """
WITH found AS (
  SELECT appeal_id FROM ledger WHERE kind = 'appeal' AND receipt_number = $1 AND $1 <> ''
  UNION
  SELECT l.appeal_id FROM peer p
  JOIN ledger l ON l.peer = p.code AND l.kind = 'appeal' AND l.key = $2 AND l.slot = 0
  WHERE $3 = '' OR p.code = $3
  UNION
  SELECT appeal_id FROM registration WHERE number_key = $4 AND $4 <> ''
  UNION
  SELECT appeal_id FROM external_ref WHERE value_key = $4 AND $4 <> '' AND ($3 = '' OR peer = $3)
  UNION
  SELECT $5::uuid WHERE $5::uuid IS NOT NULL
)
SELECT a.id, a.peer, a.external_id, a.receipt_number, a.state, a.regime, a.recorded_at
FROM appeal a JOIN found f ON f.appeal_id = a.id
ORDER BY a.id
"""


CONTENT = """
SELECT c.bytes FROM appeal a JOIN content c ON c.appeal_id = a.id AND c.id = a.content_id
WHERE a.id = $1
"""


class Found(NamedTuple):
    """An appeal that a number names."""

    id: UUID
    peer: str
    external_id: str
    receipt_number: str
    state: str
    regime: str
    recorded_at: Any


def find(connection: Connection[Any], number: str, peer: str = "") -> list[Found]:
    """Return every appeal that a number names, oldest first; peer: whose number it is."""
    rows = connection.execute(
        FIND, (_receipt(number), number.strip(), peer, number_key(number), _uuid(number))
    )
    return [Found(*row) for row in rows]


def one(connection: Connection[Any], number: str, peer: str = "") -> Found:
    """Return the one appeal that a number names.

    Raises NotFoundError for none, ConflictError that lists them when there are several.
    """
    found = find(connection, number, peer)
    if not found:
        raise NotFoundError("no appeal has this number", found=number)
    if len(found) > 1:
        names = ", ".join(f"{f.receipt_number} ({f.peer} {f.external_id})" for f in found[:10])
        raise ConflictError(
            f"{len(found)} appeals have the number {number}: {names}",
            todo="name one by its receipt number, or add --peer",
        )
    return found[0]


def content(connection: Connection[Any], appeal_id: UUID) -> bytes | None:
    """Return the canonical JSON of an appeal as it is now; None when it was erased."""
    row = connection.execute(CONTENT, (appeal_id,)).fetchone()
    return None if row is None or row[0] is None else bytes(row[0])


def _receipt(number: str) -> str:
    try:
        return check_receipt_number(number)
    except ValidationError:
        return ""


def _uuid(number: str) -> UUID | None:
    try:
        return UUID(number)
    except ValueError:
        return None
