"""What the store already knows of a partner's appeals and of a file that was begun before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import psycopg

from gateway.errors import BusyError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

LATEST: Final = """
SELECT k.key, r.revision, r.content_sha256
FROM unnest($2::text[]) AS k (key) CROSS JOIN LATERAL (
  SELECT l.revision, l.content_sha256 FROM ledger l
  WHERE l.peer = $1 AND l.kind IN ('appeal', 'amend') AND l.key = k.key AND l.message_id < $3
  ORDER BY l.revision DESC LIMIT 1
) AS r
"""
"""The newest revision of each key, as it was before the file was claimed: ids are in order of time.
What the file itself brought does not count, so a second reading after a crash decides the same.
Lateral, so that each key costs one look into the primary key however large the ledger is."""

BEGUN: Final = """
SELECT operation, note ->> 'row' FROM message
WHERE peer = $1 AND id >= $2 AND correlation = $3 AND (operation = 'file' OR stage = 'undecodable')
"""
"""What a watcher that died had kept of a file: the file itself, and rows that were refused."""

SENDER: Final = "SELECT enabled, test FROM peer WHERE code = $1"


class Latest(NamedTuple):
    """The newest revision of an appeal and the digest of its content."""

    revision: int
    content_sha256: bytes


class Begun(NamedTuple):
    """What is kept already of a file."""

    stored: bool
    rows: frozenset[int]


class Sender(NamedTuple):
    """A peer that drops files. test: everything it sends is a test."""

    enabled: bool
    test: bool


class Known(Protocol):
    """What a watcher asks the store; `StoreKnown` is the real one."""

    def latest(self, peer: str, keys: Sequence[str], before: UUID) -> Mapping[str, Latest]:
        """Return the newest revision of each key that is known."""
        ...

    def begun(self, peer: str, file_id: UUID) -> Begun:
        """Return what is kept already of a file."""
        ...

    def sender(self, peer: str) -> Sender | None:
        """Return what is known of a peer; None when there is none of this code."""
        ...


class StoreKnown:
    """Reads the database; one connection, made when needed. Not for several threads at once."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection[Any] | None = None

    def latest(self, peer: str, keys: Sequence[str], before: UUID) -> Mapping[str, Latest]:
        """Return the newest revision of each key that is known."""
        rows = self._rows(LATEST, (peer, list(keys), before))
        return {key: Latest(revision, bytes(digest)) for key, revision, digest in rows}

    def begun(self, peer: str, file_id: UUID) -> Begun:
        """Return what is kept already of a file."""
        rows = self._rows(BEGUN, (peer, file_id, str(file_id)))
        return Begun(
            stored=any(operation == "file" for operation, _ in rows),
            rows=frozenset(int(row) for operation, row in rows if operation != "file" and row),
        )

    def sender(self, peer: str) -> Sender | None:
        """Return what is known of a peer; None when there is none of this code."""
        rows = self._rows(SENDER, (peer,))
        return Sender(*rows[0]) if rows else None

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _rows(self, statement: str, values: tuple[Any, ...]) -> list[Any]:
        try:
            if self._connection is None or self._connection.closed:
                self._connection = psycopg.connect(
                    self._url,
                    autocommit=True,
                    cursor_factory=psycopg.RawCursor,
                    application_name="gateway file drop",
                    connect_timeout=5,
                )
            return self._connection.execute(statement.encode(), values).fetchall()
        except psycopg.OperationalError as error:
            self.close()
            raise BusyError("the store is away", retry_after=2, where="database") from error
