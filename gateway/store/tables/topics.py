"""Classifiers of topics, the tables between them, and codes that wait for a person."""

from __future__ import annotations

from sqlalchemy import (
    UUID,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Integer,
    SmallInteger,
    Table,
    Text,
    text,
)

from gateway.store.tables.base import flag, instant, metadata, word

topic_classifier = Table(
    "topic_classifier",
    metadata,
    Column("system", Text, primary_key=True),
    word("version"),
    flag("partial"),
    word("source", ""),
    instant("imported_at"),
)
"""One classifier that a body keeps here; partial: nodes of it are known to be missing."""

topic_node = Table(
    "topic_node",
    metadata,
    Column("system", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    word("title"),
    word("parent", ""),
    Column("level", SmallInteger, nullable=False, server_default=text("0")),
    Column("valid_from", Date, nullable=True),
    Column("valid_to", Date, nullable=True),
)
"""A node in the wording that a version gave it; those that have ended stay, with their last day."""

topic_map = Table(
    "topic_map",
    metadata,
    Column("system", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("to_system", Text, primary_key=True),
    word("to_code"),
    instant("noted_at"),
)
"""What a code of one classifier means in another."""

topic_unmapped = Table(
    "topic_unmapped",
    metadata,
    Column("system", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    word("title", ""),
    instant("first_seen"),
    instant("last_seen"),
    Column("count", Integer, nullable=False, server_default=text("1")),
    Column("message_id", UUID, nullable=True),
)
"""Codes that no classifier and no table has: kept on their questions, and listed for a person."""

topic_revision = Table(
    "topic_revision",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("value", BigInteger, nullable=False),
    CheckConstraint("one", name="topic_revision_one"),
)
"""Grows with every change of the tables above but the queue; who keeps them in memory asks it."""
