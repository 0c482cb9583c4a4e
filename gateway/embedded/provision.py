"""What a fresh server needs before the gateway may use it: a role, a database, an extension."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from gateway.embedded.server import OWNER, SUPERUSER, Secrets

if TYPE_CHECKING:
    import psycopg

DATABASE = "gateway"


def url(secrets: Secrets, socket_dir: str, dbname: str, *, superuser: bool = False) -> str:
    """Build a `postgresql://` URL over the unix socket, password included."""
    role = SUPERUSER if superuser else OWNER
    password = secrets.postgres if superuser else secrets.gateway
    # The port is part of the socket name; unsaid, PGPORT of the environment would change it.
    where = urlencode({"host": socket_dir, "port": "5432"}, quote_via=quote, safe="")
    return f"postgresql://{role}:{quote(password, safe='')}@/{quote(dbname, safe='')}?{where}"


def provision(secrets: Secrets, socket_dir: str) -> str:
    """Make role, database and extension where they are missing; returns the server's version.

    The gateway's role owns its database and nothing else. `pg_trgm` is made by the superuser, so
    that the application does not depend on the extension being a trusted one.

    Raises:
        psycopg.OperationalError: the server does not answer yet.
    """
    import psycopg

    target = url(secrets, socket_dir, DATABASE, superuser=True)
    try:
        connection = psycopg.connect(target, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError:
        _make_database(secrets, socket_dir)
        connection = psycopg.connect(target, autocommit=True, connect_timeout=10)
    with connection:
        if not _one(connection, "SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'"):
            connection.execute("CREATE EXTENSION pg_trgm")
        return str(_one(connection, "SHOW server_version")).split()[0]


def _make_database(secrets: Secrets, socket_dir: str) -> None:
    import psycopg
    from psycopg import sql

    maintenance = url(secrets, socket_dir, "postgres", superuser=True)
    with psycopg.connect(maintenance, autocommit=True, connect_timeout=10) as connection:
        if not _one(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", OWNER):
            # The verifier, not the password, goes to the server and perhaps into its log.
            verifier = connection.pgconn.encrypt_password(
                secrets.gateway.encode(), OWNER.encode(), b"scram-sha-256"
            )
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                    sql.Identifier(OWNER), sql.Literal(verifier.decode())
                )
            )
        if not _one(connection, "SELECT 1 FROM pg_database WHERE datname = %s", DATABASE):
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(
                    sql.Identifier(DATABASE), sql.Identifier(OWNER)
                )
            )


def _one(connection: psycopg.Connection[Any], query: str, *values: str) -> object:
    """First column of the first row, None when there is none."""
    row = connection.execute(query.encode(), values or None).fetchone()
    return row[0] if row else None
