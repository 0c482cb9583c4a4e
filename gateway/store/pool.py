"""A bounded pool of connections for readers and commands, over psycopg's own pool."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from gateway.errors import BusyError
from gateway.store import arrays

if TYPE_CHECKING:
    from collections.abc import Iterator

WAIT_SECONDS = 3.0


class Pool:
    """Connections in autocommit, with the arrays of this house; `$1` placeholders."""

    def __init__(self, url: str, size: int = 4) -> None:
        self._pool: ConnectionPool[psycopg.Connection[Any]] = ConnectionPool(
            url,
            min_size=0,
            max_size=size,
            open=False,
            timeout=WAIT_SECONDS,
            kwargs={
                "autocommit": True,
                "cursor_factory": psycopg.RawCursor,
                "application_name": "gateway reader",
                "connect_timeout": 3,
            },
            configure=arrays.register,
            check=ConnectionPool.check_connection,
        )

    def open(self) -> None:
        """Start the pool's housekeeping."""
        self._pool.open()

    def close(self) -> None:
        """Close every connection."""
        self._pool.close(timeout=5)

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[Any]]:
        """Lend a connection; a database that is away becomes BusyError."""
        try:
            with self._pool.connection() as connection:
                yield connection
        except (PoolTimeout, psycopg.OperationalError) as error:
            raise BusyError("the store is away", retry_after=2, where="database") from error
