"""What a command works with: settings, an open database, the clock."""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from gateway import logs
from gateway import settings as house
from gateway.embedded import open_cluster
from gateway.store import arrays, schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.settings import Settings


class Opened:
    """An open database, its URL for the gateway's own role, and the installation's settings."""

    def __init__(self, settings: Settings, url: str) -> None:
        self.settings = settings
        self.url = url

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[Any]]:
        """Open a connection of the house: autocommit, `$1` placeholders, arrays registered."""
        with psycopg.connect(
            self.url,
            autocommit=True,
            cursor_factory=psycopg.RawCursor,
            application_name="gateway command",
            connect_timeout=5,
        ) as connection:
            arrays.register(connection)
            yield connection

    @staticmethod
    def now() -> datetime:
        """Return the instant, aware, in UTC."""
        return datetime.now(UTC)


def settings() -> Settings:
    """Return the settings of this installation and log by them; raise ConfigurationError."""
    found = house.load(os.environ)
    logs.configure(found.log_level, found.log_format)
    return found


@contextmanager
def opened(settings: Settings, *, migrated: bool = True) -> Iterator[Opened]:
    """Open the database that the settings name, starting the embedded one when it is theirs.

    migrated: refuse a database of another revision than this program's. Raises ConfigurationError
    for that, and for an embedded database that does not start.
    """
    if settings.database_url:
        if migrated:
            schema.require_current(settings.database_url)
        yield Opened(settings, settings.database_url)
        return
    with open_cluster(
        settings.data_dir,
        pg_bin=Path(settings.pg_bin) if settings.pg_bin else None,
        user=settings.pg_user or None,
        allow_nobody=settings.pg_allow_nobody,
        durable=settings.pg_durable,
    ) as cluster:
        if migrated:
            schema.require_current(cluster.url)
        yield Opened(settings, cluster.url)
