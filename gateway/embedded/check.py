"""The self-check that any database of the gateway must pass, embedded or external."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.embedded.binaries import MIN_MAJOR

if TYPE_CHECKING:
    import psycopg


def check_database(connection: psycopg.Connection[Any]) -> list[str]:
    """Say what keeps this database from serving the gateway, and what to do; empty when nothing.

    Old enough to lack what the queries use, another encoding than UTF-8, or a locale in which
    Cyrillic letters are no letters: the search would silently find nothing. Leaves no trace, and
    the connection in the transaction state it came in.
    """
    with connection.transaction(force_rollback=True):
        return [
            *_check_server(connection),
            *_check_letters(connection),
            *_check_trigrams(connection),
        ]


def _check_server(connection: psycopg.Connection[Any]) -> list[str]:
    problems = []
    version = connection.info.server_version
    if version // 10_000 < MIN_MAJOR:
        problems.append(
            f"PostgreSQL is {version // 10_000}, the gateway needs {MIN_MAJOR} or newer: "
            "upgrade the server"
        )
    encoding = _one(connection, "SELECT current_setting('server_encoding')")
    if encoding != "UTF8":
        problems.append(
            f"the database has the encoding {encoding}: "
            "make it anew with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        )
    if _one(connection, "SELECT pg_is_in_recovery()"):
        problems.append("the server is a read-only standby: name the primary")
    return problems


def _check_letters(connection: psycopg.Connection[Any]) -> list[str]:
    if _one(connection, "SELECT lower('Ё') = 'ё' AND 'ПРИВЕТ' ILIKE 'привет'"):
        return []
    problem = (
        "lower('Ё') is not 'ё', so a search does not find Cyrillic: make the database anew with "
        "CREATE DATABASE … LOCALE_PROVIDER libc LOCALE 'C.UTF-8' TEMPLATE template0"
    )
    return [problem]


def _check_trigrams(connection: psycopg.Connection[Any]) -> list[str]:
    """Try the extension where it is, or make it for the length of the check."""
    import psycopg

    if not _one(connection, "SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'"):
        return ["pg_trgm is not installed on the server: install postgresql-contrib"]
    if not _schema(connection):
        try:
            with connection.transaction():
                connection.execute("CREATE EXTENSION pg_trgm")
        except psycopg.Error as error:
            problem = (
                f"pg_trgm cannot be made in this database ({error.sqlstate}): have its "
                "administrator run CREATE EXTENSION pg_trgm there"
            )
            return [problem]
    found = _one(
        connection,
        f"SELECT cardinality({_schema(connection)}.show_trgm('Привет'))",
    )
    if found:
        return []
    problem = (
        "pg_trgm finds no trigrams in Cyrillic words, so similar addresses are not found: make the "
        "database anew with CREATE DATABASE … LC_CTYPE 'C.UTF-8' TEMPLATE template0"
    )
    return [problem]


def _schema(connection: psycopg.Connection[Any]) -> str:
    """Schema of the extension, quoted; empty when it is not in this database."""
    return str(
        _one(
            connection,
            "SELECT quote_ident(nspname) FROM pg_extension e "
            "JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'pg_trgm'",
        )
        or ""
    )


def _one(connection: psycopg.Connection[Any], query: str) -> object:
    """First column of the first row, None when there is none."""
    row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None
