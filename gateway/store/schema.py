"""Creates, migrates and checks the schema.

`upgrade` runs the linear history in `migrations/`; `create_all` makes the same schema from
`tables` in one go for tests. A test holds the two against each other.

Every command and process asks for the revision, so asking reads the history's own files and one
row: Alembic and SQLAlchemy take longer to load than all the rest of a command.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg

from gateway.errors import ConfigurationError
from gateway.store import partitions

if TYPE_CHECKING:
    from datetime import datetime

    from alembic.config import Config
    from sqlalchemy.engine import Engine

MIGRATION_LOCK = 0x67617465
"""Advisory lock that lets one process migrate while the others wait."""
MIGRATIONS: Final = Path(__file__).parent / "migrations"
_REVISION: Final = re.compile(r'^(revision|down_revision) = (?:"(\w+)"|None)$', re.MULTILINE)


def engine(url: str) -> Engine:
    """Return a SQLAlchemy engine for a postgresql:// URL, without a pool of its own."""
    import sqlalchemy as sa

    return sa.create_engine(
        sa.make_url(url).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool
    )


def create_all(url: str, now: datetime) -> None:
    """Create every table and the partitions for now."""
    from gateway.store.tables import metadata

    made = engine(url)
    with made.begin() as connection:
        metadata.create_all(connection)
    make_partitions(url, now)


def make_partitions(url: str, now: datetime) -> None:
    """Create the partitions of this month and the next three, where missing.

    One that cannot be made now does not keep the others from being made; the first error is raised
    at the end. Nobody who waits for a long reader of a table makes everybody else wait behind it.
    """
    failed: list[psycopg.Error] = []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET client_min_messages = warning; SET lock_timeout = '5s'")
        for statement in partitions.ddl(now):
            try:
                connection.execute(statement)
            except psycopg.Error as error:
                failed.append(error)
    if failed:
        raise failed[0]


def upgrade(url: str, now: datetime) -> str:
    """Migrate to the newest revision, one process at a time; return that revision."""
    import sqlalchemy as sa
    from alembic import command

    made = engine(url)
    with made.connect() as connection:
        connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
        try:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
        finally:
            connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})
            connection.commit()
    make_partitions(url, now)
    return head()


def head() -> str:
    """Return the newest revision this code knows."""
    history = _history()
    return next((revision for revision in history if revision not in history.values()), "")


def known() -> frozenset[str]:
    """Return every revision this code knows; the empty one is of a database never migrated."""
    return frozenset({"", *_history()})


def current(url: str) -> str:
    """Return the revision of the database, empty when it was never migrated."""
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        made = connection.execute("SELECT to_regclass('alembic_version') IS NOT NULL").fetchone()
        if not made or not made[0]:
            return ""
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(row[0]) if row else ""


def require_current(url: str) -> None:
    """Refuse to start on a database of another revision."""
    found = current(url)
    if found != head():
        raise ConfigurationError(
            "the database is at another revision than this program",
            found=found or "none",
            expected=head(),
            todo="run `gateway db upgrade`",
        )


def _history() -> dict[str, str]:
    """Return revision → the one before it, as the files of the history say."""
    told = [
        dict(_REVISION.findall(path.read_text("utf-8")))
        for path in sorted((MIGRATIONS / "versions").glob("*.py"))
    ]
    return {names["revision"]: names.get("down_revision", "") for names in told}


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config
