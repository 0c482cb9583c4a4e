"""Whose codec reads what a peer pushes: the adapter of its row, with the options of its row.

Rows are read anew at most every two seconds; an adapter is built again only when its row changed.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

from gateway.errors import ConfigurationError, UnsupportedError
from gateway.store import peers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.model.peer import Peer
    from gateway.registry import Adapter
    from gateway.store.pool import Pool

FRESH_SECONDS: Final = 2.0


class Correspondents:
    """The codecs of one process, by code of the peer. Thread-safe."""

    def __init__(self, pool: Pool, adapters: Mapping[str, Adapter]) -> None:
        self._pool = pool
        self._adapters = adapters
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._rows: dict[str, Peer] = {}
        self._built: dict[str, tuple[Peer, Any]] = {}

    @property
    def fresh(self) -> bool:
        """Whether rows were read lately, so that `codec` does not wait for the store."""
        return time.monotonic() - self._read_at <= FRESH_SECONDS

    def codec(self, code: str) -> tuple[str, Any]:
        """Return the name and the codec of a peer's adapter; raise UnsupportedError, BusyError.

        Raises ConfigurationError when the options of its row cannot work.
        """
        with self._lock:
            if not self.fresh:
                with self._pool.connection() as connection:
                    self._rows = peers.read_all(connection)
                self._read_at = time.monotonic()
            row = self._rows.get(code)
            adapter = self._adapters.get(row.adapter) if row is not None else None
            if row is None or adapter is None or "codec" not in adapter.manifest.kinds:
                raise UnsupportedError(
                    "у этой системы нет формата своего · this peer has no format of its own",
                    found=row.adapter if row is not None else "",
                    expected=", ".join(sorted(self._adapters)),
                    todo="`gateway peer add … --adapter …`; обращения в формате шлюза принимает"
                    " POST /api/v1/appeals · appeals in the gateway's own form go there",
                )
            known = self._built.get(code)
            if known is None or known[0] != row:
                self._built[code] = known = (row, self._make(row, adapter))
            return row.adapter, known[1]

    @staticmethod
    def _make(row: Peer, adapter: Adapter) -> Any:
        try:
            return adapter.make({**adapter.manifest.options, **row.options})
        except ConfigurationError:
            raise
        except (TypeError, ValueError) as error:
            raise ConfigurationError(
                f"the adapter cannot be made: {error}", where=f"peer {row.code}"
            ) from error
