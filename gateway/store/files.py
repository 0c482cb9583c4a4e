"""Which files belong to which appeal; their bytes are `gateway.store.blobs`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.store.arrays import ByteaArray

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from psycopg import Connection

SHARE = """
INSERT INTO blob_ref (sha256, owner, name, peer)
SELECT sha256, $2, name, peer FROM blob_ref WHERE owner = $1 AND sha256 = ANY($3::bytea[])
ON CONFLICT (sha256, owner) DO NOTHING
"""
"""A file that came for a merged appeal is read by those who read the one it is merged into."""

NAMES = """
SELECT coalesce(m.appeal_id, r.owner), r.peer, r.sha256, r.name, b.media_type, b.size
FROM blob_ref r JOIN blob b USING (sha256) LEFT JOIN message m ON m.id = r.owner
WHERE r.sha256 = ANY($1::bytea[]) ORDER BY r.name
"""


class Moved(NamedTuple):
    """Files of a call that named one appeal and was applied to another, by their SHA-256."""

    source: UUID
    target: UUID
    digests: tuple[bytes, ...]


class Known(NamedTuple):
    """A file as it came: its name, its type by the sender's word, its size in bytes."""

    name: str
    media_type: str
    size: int


def share(connection: Connection[Any], moved: Moved) -> None:
    """Let files belong to a second appeal, under the names they came with."""
    digests = ByteaArray.of(list(moved.digests))
    connection.execute(SHARE, (moved.source, moved.target, digests))


def known(
    connection: Connection[Any],
    named: Mapping[UUID, Iterable[str]],
    reporters: Mapping[UUID, Iterable[str]],
) -> dict[UUID, dict[str, Known]]:
    """Return appeal → SHA-256 in hex → the file, of files that appeals name by their digest.

    named: appeal → digests. reporters: appeal → peers that reported on it. A digest opens nothing
    by itself: the file must have come with this appeal, or from one of its reporters, and it goes
    by the name it had there.
    """
    found: dict[UUID, dict[str, Known]] = {appeal_id: {} for appeal_id in named}
    wanted = {appeal_id: set(digests) - {""} for appeal_id, digests in named.items()}
    every = sorted({bytes.fromhex(digest) for digests in wanted.values() for digest in digests})
    if not every:
        return found
    for owner, peer, digest, *file in connection.execute(
        NAMES, (ByteaArray.of(every),), binary=True
    ):
        key = digest.hex()
        for appeal_id, digests in wanted.items():
            own = owner == appeal_id
            if key not in digests or not (own or peer in reporters.get(appeal_id, ())):
                continue
            if own or key not in found[appeal_id]:
                found[appeal_id][key] = Known(*file)
    return found
