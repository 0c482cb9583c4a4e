"""Daily seals over messages and events, each with the one before it inside; the arithmetic is pure.

A leaf is one row: SHA-256(00 ‖ kind as one byte ‖ key as 20 bytes ‖ what of the row never changes).
Leaves stand in parts of up to `PART` rows, messages before events, each in order of its key. A part
is a Merkle tree as of RFC 6962, 2.1 (01 before a pair; a node without a pair goes up as it is), and
the roots of the parts are the leaves of the day's. So one row is proved by its path alone, without
the rows of others, and an altered one is found by its leaf.

The seal is canonical JSON with the day, its bounds, the counts, the root and the SHA-256 of the
seal before it, signed by a detached CMS. A day begins where the one before ended, so that another
zone in the settings leaves no hole. A row that was recorded on a day but committed after it was
sealed would be missing: a day waits for `SETTLES` after its end, and for every transaction that was
open by then (`gateway.store.horizon`).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from gateway.errors import MalformedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID
    from zoneinfo import ZoneInfo

PART: Final = 4096
SETTLES: Final = timedelta(hours=1)
KEY_BYTES: Final = 20
RECORD_BYTES: Final = KEY_BYTES + 32
MESSAGE: Final = "message"
EVENT: Final = "event"
_KIND: Final = {MESSAGE: b"m", EVENT: b"e"}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_encode = msgspec.json.Encoder(order="sorted").encode


class Leaf(NamedTuple):
    """One row of a day: its key and digest."""

    key: bytes
    digest: bytes

    @property
    def record(self) -> bytes:
        """As it stands in a part."""
        return self.key + self.digest


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is signed. since, until: bounds of the day; previous: SHA-256 of the seal before it."""

    v: int = 1
    day: date
    zone: str
    since: datetime
    until: datetime
    messages: int
    events: int
    root: str
    previous: str = ""


def encode(body: Body) -> bytes:
    """Return the bytes that are signed: sorted keys, no spaces."""
    return _encode(body)


def decode(data: bytes) -> Body:
    """Return a seal; raise MalformedError for anything that is not one in its canonical form."""
    try:
        body = msgspec.json.decode(data, type=Body)
    except msgspec.DecodeError as error:
        raise MalformedError(f"not a seal: {error}") from error
    if encode(body) != data:
        raise MalformedError("a seal is not in its canonical form")
    return body


def micros(at: datetime) -> int:
    """Return microseconds since 1970 in UTC: an instant without any spelling."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def message_leaf(row: Any) -> Leaf:
    """Return the leaf of a message; row: the columns of `message` that never change."""
    fixed = _encode(
        [
            row.peer, row.wire, row.operation, row.key, row.revision, micros(row.recorded_at),
            row.media_type, bytes(row.body_sha256).hex(),
        ]
    )  # fmt: skip
    return leaf(MESSAGE, row.id.bytes + bytes(4), fixed)


def event_leaf(appeal_id: UUID, seq: int, digest: bytes) -> Leaf:
    """Return the leaf of an event. digest: its hash, made anew from its body."""
    return leaf(EVENT, appeal_id.bytes + seq.to_bytes(4, "big"), digest)


def leaf(kind: str, key: bytes, fixed: bytes) -> Leaf:
    """Return a leaf of a kind."""
    return Leaf(key, sha256(b"\0" + _KIND[kind] + key + fixed).digest())


def root(digests: Sequence[bytes]) -> bytes:
    """Return the root of a tree; that of an empty one is SHA-256 of nothing."""
    if not digests:
        return sha256().digest()
    level = list(digests)
    while len(level) > 1:
        level = _up(level)
    return level[0]


def path(digests: Sequence[bytes], index: int) -> list[tuple[str, str]]:
    """Return what proves a leaf: for each step, on which side the other node stands, and it."""
    steps: list[tuple[str, str]] = []
    level = list(digests)
    while len(level) > 1:
        other = index ^ 1
        if other < len(level):
            steps.append(("left" if other < index else "right", level[other].hex()))
        level, index = _up(level), index // 2
    return steps


def climb(digest: bytes, steps: Sequence[tuple[str, str]]) -> bytes:
    """Return the root that a path leads to."""
    for side, told in steps:
        other = bytes.fromhex(told)
        digest = _node(other, digest) if side == "left" else _node(digest, other)
    return digest


def _up(level: list[bytes]) -> list[bytes]:
    paired = [_node(level[n], level[n + 1]) for n in range(0, len(level) - 1, 2)]
    return paired + level[len(paired) * 2 :]


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


def records(leaves: bytes) -> Iterator[Leaf]:
    """Yield the leaves of a part."""
    for at in range(0, len(leaves), RECORD_BYTES):
        yield Leaf(leaves[at : at + KEY_BYTES], leaves[at + KEY_BYTES : at + RECORD_BYTES])


def part_root(leaves: bytes) -> bytes:
    """Return the root of a part."""
    return root([found.digest for found in records(leaves)])


def day_end(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant after a day, in UTC."""
    return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
