"""Migrating an empty database gives the very schema that the tables describe."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module

import psycopg

from gateway.model.ids import question_id, uuid7
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


def test_an_upgrade_names_old_questions_as_new_ones_are_named(pg_url):
    merging = import_module("gateway.store.migrations.versions.0003_merging")
    appeals, ordinals = [uuid7() for _ in range(3)], (1, 2, 255, 256, 999)
    with psycopg.connect(pg_url, autocommit=True) as db:
        for appeal_id in appeals:
            for ordinal in ordinals:
                db.execute(
                    "INSERT INTO question (appeal_id, ordinal, id, state)"
                    " VALUES (%s, %s, gen_random_uuid(), 'received')",
                    (appeal_id, ordinal),
                )
        db.execute(merging.QUESTIONS.encode())
        named = db.execute("SELECT appeal_id, ordinal, id FROM question").fetchall()
    assert len(named) == len(appeals) * len(ordinals)
    assert all(id_ == question_id(appeal_id, ordinal) for appeal_id, ordinal, id_ in named)
