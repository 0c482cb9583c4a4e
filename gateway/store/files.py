"""Which files belong to which appeal; their bytes are `gateway.store.blobs`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.store.arrays import ByteaArray, TextArray, UuidArray

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
SELECT u.appeal, u.sha256, f.name, b.media_type, b.size
FROM unnest($1::uuid[], $2::bytea[], $3::text[]) AS u(appeal, sha256, reporters)
JOIN blob b USING (sha256)
CROSS JOIN LATERAL (SELECT coalesce(
    (SELECT max(r.name) FROM blob_ref r
     WHERE r.sha256 = u.sha256
       AND r.owner = ANY (u.appeal || ARRAY(SELECT m.id FROM message m
                                            WHERE m.appeal_id = u.appeal))),
    (SELECT min(own.name) FROM unnest(string_to_array(u.reporters, ' ')) AS p(peer)
     CROSS JOIN LATERAL (SELECT r.name FROM blob_ref r
                         WHERE r.sha256 = u.sha256 AND r.peer = p.peer
                         ORDER BY r.name LIMIT 1) AS own)) OFFSET 0) AS f(name)
WHERE f.name IS NOT NULL
"""
"""It is asked by appeal: one file, a letterhead or a seal, may stand in all of them."""


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
    pairs = [(id_, digest) for id_, digests in named.items() for digest in {*digests} - {""}]
    if not pairs:
        return found
    asked = (
        UuidArray.of([appeal_id for appeal_id, _ in pairs]),
        ByteaArray.of([bytes.fromhex(digest) for _, digest in pairs]),
        TextArray.of([" ".join(reporters.get(appeal_id, ())) for appeal_id, _ in pairs]),
    )
    for appeal_id, digest, *file in connection.execute(NAMES, asked, binary=True):
        found[appeal_id][digest.hex()] = Known(*file)
    return found
