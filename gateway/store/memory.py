"""What adapters have to know again after a crash: `gateway.lent.Memory` over the table `memory`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from psycopg.types.json import Jsonb

from gateway.errors import BusyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from gateway.store.pool import Pool

GET: Final = "SELECT value FROM memory WHERE peer = $1 AND kind = $2 AND key = $3"
ADD: Final = """
INSERT INTO memory (peer, kind, key, value, changed_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (peer, kind, key) DO NOTHING RETURNING key
"""
PUT: Final = """
INSERT INTO memory (peer, kind, key, value, changed_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (peer, kind, key) DO UPDATE SET value = $4, changed_at = $5
"""
SINCE: Final = """
SELECT key, value, changed_at FROM memory
WHERE peer = $1 AND kind = $2 AND (changed_at, key) > ($3, $4) ORDER BY changed_at, key LIMIT 500
"""
FORGET: Final = "DELETE FROM memory WHERE peer = $1 AND kind = $2 AND changed_at < $3"


class StoredMemory:
    """The memory of one peer. pool: None where nothing is sent or asked, only looked at."""

    def __init__(self, pool: Pool | None, peer: str, now: Callable[[], datetime]) -> None:
        self._pool = pool
        self._peer = peer
        self._now = now

    def get(self, kind: str, key: str) -> Mapping[str, Any] | None:
        """Return what is remembered, None for nothing."""
        with self._store().connection() as connection:
            row = connection.execute(GET, (self._peer, kind, key)).fetchone()
        return row[0] if row else None

    def add(self, kind: str, key: str, value: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Remember unless something is remembered already; return that, None when it was new."""
        with self._store().connection() as connection:
            values = (self._peer, kind, key, Jsonb(dict(value)), self._now())
            if connection.execute(ADD, values).fetchone():
                return None
            row = connection.execute(GET, values[:3]).fetchone()
        return row[0] if row else self.add(kind, key, value)

    def put(self, kind: str, key: str, value: Mapping[str, Any]) -> None:
        """Remember instead of whatever was remembered."""
        with self._store().connection() as connection:
            connection.execute(PUT, (self._peer, kind, key, Jsonb(dict(value)), self._now()))

    def since(self, kind: str, start: datetime) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield what was remembered or changed after an instant, oldest first."""
        last, at = "", start
        while True:
            with self._store().connection() as connection:
                rows = connection.execute(SINCE, (self._peer, kind, at, last)).fetchall()
            for key, value, _ in rows:
                yield key, value
            if not rows:
                return
            last, at = rows[-1][0], rows[-1][2]

    def forget(self, kind: str, before: datetime) -> int:
        """Forget what was last changed before an instant; return how many."""
        with self._store().connection() as connection:
            return connection.execute(FORGET, (self._peer, kind, before)).rowcount

    def _store(self) -> Pool:
        if self._pool is None:
            raise BusyError("this process keeps nothing for adapters", where="memory")
        return self._pool
