"""What came in and what it amounts to: messages, keys, events, contents and projections."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from gateway.store.tables.base import document, flag, instant, metadata, word

message = Table(
    "message",
    metadata,
    Column("id", UUID, primary_key=True),
    word("peer"),
    word("wire"),
    word("operation"),
    word("key", ""),
    Column("revision", Integer, nullable=False, server_default=text("0")),
    instant("recorded_at"),
    Column("stored_at", DateTime(timezone=True), server_default=text("clock_timestamp()")),
    word("correlation", ""),
    word("media_type", ""),
    Column("body", LargeBinary, nullable=True),
    Column("blob", LargeBinary, nullable=True),
    Column("body_sha256", LargeBinary, nullable=False),
    Column("content_sha256", LargeBinary, nullable=True),
    Column("decoded", LargeBinary, nullable=True),
    Column("appeal_id", UUID, nullable=True),
    word("stage"),
    document("note", null=True),
    Index("message_stored", "peer", text("coalesce(stored_at, recorded_at)"), "id"),
    Index(
        "message_stage", "stage", "id", postgresql_where=text("stage NOT IN ('applied','accepted')")
    ),
    Index("message_blob", "blob", postgresql_where=text("blob IS NOT NULL")),
    Index("message_appeal", "appeal_id", postgresql_where=text("appeal_id IS NOT NULL")),
    postgresql_partition_by="RANGE (id)",
)
"""What came in, as received. `decoded` is the canonical JSON of what triage has to apply (a report,
an amendment); a new appeal's own lies in `content`. Stages: accepted, applied, late, conflict,
refused, undecodable, parked. `stored_at` is the database's own instant of writing the row, by which
lists are read (gateway.store.horizon); null in rows older than the column."""

ledger = Table(
    "ledger",
    metadata,
    Column("peer", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("slot", Integer, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("message_id", UUID, nullable=False),
    Column("appeal_id", UUID, nullable=True),
    word("receipt_number", ""),
    instant("accepted_at"),
    Column("content_sha256", LargeBinary, nullable=False),
    Column("body_sha256", LargeBinary, nullable=False),
    Column("digest_version", SmallInteger, nullable=False),
    Index(
        "ledger_receipt", "receipt_number", unique=True, postgresql_where=text("kind = 'appeal'")
    ),
)
"""The memory of keys. kind `appeal`, slot 0: the message that made the appeal, by external id;
kind `amend`: one row a revision; other kinds: one row a MessageKey (design §6)."""

appeal = Table(
    "appeal",
    metadata,
    Column("id", UUID, primary_key=True),
    word("peer"),
    word("external_id"),
    word("receipt_number"),
    Column("revision", Integer, nullable=False),
    word("regime"),
    word("state"),
    instant("recorded_at"),
    instant("changed_at"),
    Column("head_seq", Integer, nullable=False),
    Column("head_hash", LargeBinary, nullable=False),
    Column("content_id", UUID, nullable=False),
    Column("content_sha256", LargeBinary, nullable=False),
    word("executor", ""),
    word("route_rule", ""),
    word("route_reason", ""),
    flag("test"),
    flag("historical"),
    Column("merged_into", UUID, nullable=True),
    Index("appeal_changed", "peer", "changed_at"),
    Index("appeal_merged", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
    postgresql_partition_by="RANGE (id)",
)
"""Projection: one row an appeal, with the head of its chain. No personal data."""

question = Table(
    "question",
    metadata,
    Column("appeal_id", UUID, primary_key=True),
    Column("ordinal", SmallInteger, primary_key=True),
    Column("id", UUID, nullable=False),
    word("state"),
    word("topic", ""),
    word("executor", ""),
    Column("flags", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    document("facts"),
    postgresql_partition_by="RANGE (appeal_id)",
)
"""Projection: the question has the state (model.md §3)."""

event = Table(
    "event",
    metadata,
    Column("appeal_id", UUID, primary_key=True),
    Column("seq", Integer, primary_key=True),
    word("type"),
    Column("v", SmallInteger, nullable=False),
    instant("recorded_at"),
    Column("message_id", UUID, nullable=True),
    Column("body", LargeBinary, nullable=False),
    Column("prev", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Index("event_recorded", "recorded_at", postgresql_using="brin"),
    postgresql_partition_by="RANGE (appeal_id)",
)
"""The truth: canonical JSON without personal data, chained per appeal by SHA-256."""

content = Table(
    "content",
    metadata,
    Column("appeal_id", UUID, primary_key=True),
    Column("id", UUID, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("salt", LargeBinary, nullable=True),
    Column("bytes", LargeBinary, nullable=True),
    word("retention", "appeal"),
    instant("erased_at", null=True),
    postgresql_partition_by="RANGE (appeal_id)",
)
"""Personal data, apart: `digest` = SHA-256(salt‖bytes) is what the event carries."""

work = Table(
    "work",
    metadata,
    Column("message_id", UUID, primary_key=True),
    Column("appeal_id", UUID, nullable=True),
    instant("due"),
    Column("attempts", SmallInteger, nullable=False, server_default=text("0")),
    flag("parked"),
    word("error", ""),
)
"""What triage has still to do, one row an accepted message; gone when done."""

blob = Table(
    "blob",
    metadata,
    Column("sha256", LargeBinary, primary_key=True),
    Column("size", BigInteger, nullable=False),
    word("media_type", ""),
    Column("bytes", LargeBinary, nullable=True),
    instant("created_at"),
)
"""Attachments and large bodies by content; `bytes` is null when the blob directory holds them."""

verdict = Table(
    "verdict",
    metadata,
    Column("sha256", LargeBinary, primary_key=True),
    instant("scanned_at"),
    Column("infected", Text, nullable=False),
)
"""What an antivirus said of a file and when; `infected` is empty for a clean one."""

blob_ref = Table(
    "blob_ref",
    metadata,
    Column("sha256", LargeBinary, primary_key=True),
    Column("owner", UUID, primary_key=True),
    word("name", ""),
    word("peer", ""),
    Index("blob_ref_peer", "peer", "sha256", "name"),
)
