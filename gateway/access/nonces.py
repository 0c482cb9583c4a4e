"""What came once in a proof and may not come again, remembered for all nodes (WS-Security 1.1, 13).

The database is the one memory that the nodes share: whoever inserts the row was first. A row that
a crash of the database took back (the last half second of them) would let a message through twice,
and the key of its operation makes that a repeat; so nobody waits for the disk here.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from gateway.store.pool import Pool

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST: Final = timedelta(days=1)
"""Nothing is remembered for longer, whatever a message says of its own lifetime."""
CONNECTIONS: Final = 4
REMEMBER: Final = """
WITH quick AS (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO nonce (key, expires_at) SELECT $1, $2 FROM quick ON CONFLICT (key) DO NOTHING
"""


class Nonces:
    """The memory; its connections are opened when it is first asked. now: the instant."""

    def __init__(self, url: str, now: Callable[[], float]) -> None:
        self._pool = Pool(url, size=CONNECTIONS)
        self._now = now
        self._lock = threading.Lock()
        self._opened = False

    def seen(self, nonce: bytes, until: datetime, kind: str = "nonce") -> bool:
        """Whether these bytes came before; if not, remember them until then.

        Blocks: to be called in a thread. Raises BusyError when the database is away: a proof that
        may be a repeat is not taken.
        """
        with self._lock:
            if not self._opened:
                self._pool.open()
                self._opened = True
        latest = datetime.fromtimestamp(self._now(), until.tzinfo) + LONGEST
        key = sha256(kind.encode() + b"\0" + nonce).digest()
        with self._pool.connection() as connection:
            return connection.execute(REMEMBER, (key, min(until, latest))).rowcount == 0

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            if self._opened:
                self._pool.close()
