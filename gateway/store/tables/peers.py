"""Who talks with us: peers, their keys, refused calls, bodies and their ids."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from gateway.store.tables.base import document, flag, instant, metadata, word

peer = Table(
    "peer",
    metadata,
    Column("code", Text, primary_key=True),
    word("name"),
    word("adapter", ""),
    word("role", "partner"),
    word("require", "key"),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    instant("disabled_at", null=True),
    flag("test"),
    word("disclosure", "reference_only"),
    word("disclosure_ground", ""),
    Column("callback_hosts", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    document("options"),
    instant("created_at"),
    CheckConstraint(
        "disclosure <> 'full' OR disclosure_ground <> ''", name="peer_full_needs_ground"
    ),
)
"""A system or organisation that talks with us; what it must prove, and what it may see."""

credential = Table(
    "credential",
    metadata,
    Column("id", Text, primary_key=True),
    word("peer"),
    word("kind", "key"),
    Column("secret_sha256", LargeBinary, nullable=False),
    instant("created_at"),
    instant("disabled_at", null=True),
    Index("credential_peer", "peer"),
)

refusal = Table(
    "refusal",
    metadata,
    Column("id", UUID, primary_key=True),
    instant("at"),
    word("peer", ""),
    word("address", ""),
    word("path", ""),
    word("code"),
    word("reason"),
    word("correlation", ""),
)
"""Every call refused before its content was looked at: no credential, a wrong one, not allowed."""

organisation = Table(
    "organisation",
    metadata,
    Column("id", Text, primary_key=True),
    word("full_name"),
    word("short_name", ""),
    word("parent", ""),
    word("kind", ""),
    word("zone", "Europe/Moscow"),
    word("calendar", "ru"),
    Column("valid_from", Date, nullable=True),
    Column("valid_to", Date, nullable=True),
    document("doc"),
)

organisation_id = Table(
    "organisation_id",
    metadata,
    Column("system", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    word("organisation"),
    Index("organisation_id_org", "organisation"),
)

organisation_unmapped = Table(
    "organisation_unmapped",
    metadata,
    Column("system", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    word("name", ""),
    instant("first_seen"),
    instant("last_seen"),
    Column("count", Integer, nullable=False, server_default=text("1")),
    Column("message_id", UUID, nullable=True),
)
"""Identifiers nobody has mapped yet: kept and queued for a person, never dropped."""
