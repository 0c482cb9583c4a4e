"""What a peer reads itself: its one lane of kind `pull`, and the cursor in it (docs/adr/0011).

A position is given out under the lane's row lock, which the writer holds until it commits. So
whoever sees position n sees every position before it, and a cursor never passes a row that becomes
visible later.
"""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gateway.errors import ValidationError, Violation
from gateway.store import lanes_sql as sql
from gateway.store.lanes import PULL_LANE, Delivery

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection

_CHECK_BYTES: Final = 4
_POSITIONS: Final = 2**62
"""Room for one more in a bigint of the database, whatever it is added to."""


class Item(NamedTuple):
    """One delivery to be pulled, with what names its appeal to the peer."""

    delivery: Delivery
    source: str
    external_id: str
    receipt_number: str


class Page(NamedTuple):
    """Items in the order of the lane; more: there were others beyond `limit`."""

    items: list[Item]
    more: bool


def cursor(peer: str, position: int) -> str:
    """Return a position of a peer's lane as text that is not mistaken for another peer's."""
    raw = position.to_bytes(8, "big")
    return base64.b32encode(raw.lstrip(b"\0") + _check(peer, raw)).decode().rstrip("=")


def position(peer: str, text: str) -> int:
    """Return the position in a cursor; raise ValidationError for one that we did not give it.

    The check keeps cursors from being mistaken, it is no secret: whoever makes one up settles what
    is his own, and nothing that was not given out.
    """
    try:
        packed = base64.b32decode(text + "=" * (-len(text) % 8))
    except ValueError:
        packed = b""
    raw = packed[:-_CHECK_BYTES].rjust(8, b"\0")
    found = int.from_bytes(raw, "big")
    if (
        len(packed) <= _CHECK_BYTES
        or found >= _POSITIONS
        or packed[-_CHECK_BYTES:] != _check(peer, raw)
    ):
        message = "this cursor was not given by us to this peer"
        raise ValidationError(message, (Violation("Cursor", "cursor", message, text[:200]),))
    return found


def page(connection: Connection[Any], peer: str, after: int | None, limit: int) -> Page:
    """Return what lies behind a position; None: behind everything acknowledged.

    Reading settles nothing: the same items come again until they are acknowledged.
    """
    if after is None:
        row = connection.execute(sql.PULL_LANE, (peer, PULL_LANE)).fetchone()
        after = row[0] - 1 if row else 0
    rows = connection.execute(
        sql.PULLED, (peer, PULL_LANE, after, limit + 1), binary=True
    ).fetchall()
    fields = len(Delivery._fields)
    items = [Item(Delivery(*row[:fields]), *row[fields:]) for row in rows[:limit]]
    return Page(items, len(rows) > limit)


def acknowledge(connection: Connection[Any], peer: str, upto: int, now: datetime) -> int:
    """Settle everything up to a position; return how many that were. A repeat settles nothing.

    Raises ValidationError for a position that was never given out.
    """
    row = connection.execute(
        sql.PULL_ACKNOWLEDGED, (peer, PULL_LANE, upto, now), binary=True
    ).fetchone()
    if row is None:
        message = "this position was never given out"
        raise ValidationError(message, (Violation("Cursor", "cursor", message, str(upto)),))
    return int(row[0])


def _check(peer: str, raw: bytes) -> bytes:
    return sha256(peer.encode() + b"\0" + raw).digest()[:_CHECK_BYTES]
