"""Migrating an empty database gives the very schema that the tables describe."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg

from gateway.store import schema

NOW = datetime(2026, 11, 22, tzinfo=UTC)
CATALOGUE = (
    (
        "SELECT table_name, column_name, data_type, is_nullable, column_default"
        " FROM information_schema.columns WHERE table_schema = 'public'"
    ),
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
    (
        "SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace AND contype <> 'n'"
    ),
)


def catalogue(url: str) -> set[tuple[object, ...]]:
    with psycopg.connect(url) as db:
        rows = {row for query in CATALOGUE for row in db.execute(query).fetchall()}
    return {row for row in rows if "alembic_version" not in str(row)}


def test_migrations_make_the_schema_of_the_tables(pg_url):
    with psycopg.connect(pg_url, autocommit=True) as db:
        db.execute("DROP SCHEMA public CASCADE")
        db.execute("CREATE SCHEMA public")
        schema.create_all(pg_url, NOW)
        described = catalogue(pg_url)
        db.execute("DROP SCHEMA public CASCADE")
        db.execute("CREATE SCHEMA public")
    assert schema.upgrade(pg_url, NOW) == schema.head() == schema.current(pg_url)
    assert catalogue(pg_url) == described
    assert any("message_blob" in str(row) for row in described)
