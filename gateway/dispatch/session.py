"""How dispatch connects: its own statements, its own plans."""

from __future__ import annotations

from typing import Any, Final, Self

import psycopg

from gateway.store import arrays

SETTINGS: Final = """
SET lock_timeout = '10s'; SET statement_timeout = '60s'; SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
SET enable_bitmapscan = off
"""
"""Every statement of dispatch looks rows up by key, dozens at a time. A plan made while a month's
partition was new and empty would read it whole for hours after it has filled. A bitmap scan does
not mark the entries of dead rows, of which the index of leased lanes soon has thousands."""


class Session:
    """One connection, opened when it is needed and again after it was lost; of one thread."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection[Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def connection(self) -> psycopg.Connection[Any]:
        """Return the connection, in autocommit; raise psycopg.OperationalError."""
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                self._url,
                autocommit=True,
                cursor_factory=psycopg.RawCursor,
                application_name="gateway dispatch",
                connect_timeout=5,
                prepare_threshold=1,
            )
            arrays.register(self._connection)
            self._connection.execute(SETTINGS)
        return self._connection

    def close(self) -> None:
        """Close the connection, whatever state it is in."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
