"""Who talks with us: peers, what proves them, refused calls, bodies and their ids."""

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
    word("answers", ""),
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

source = Table(
    "source",
    metadata,
    Column("peer", Text, primary_key=True),
    word("cursor", ""),
    instant("asked_at", null=True),
    instant("due_at"),
    word("owner", ""),
    instant("leased_until", null=True),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    word("error", ""),
)
"""Where we are with a peer that is asked for what it has: its cursor, and who asks it now."""

credential = Table(
    "credential",
    metadata,
    Column("id", Text, primary_key=True),
    word("peer"),
    word("kind", "key"),
    Column("secret_sha256", LargeBinary, nullable=True),
    Column("sealed", LargeBinary, nullable=True),
    Column("der", LargeBinary, nullable=True),
    word("subject", ""),
    instant("not_after", null=True),
    instant("created_at"),
    instant("disabled_at", null=True),
    CheckConstraint(
        "CASE kind WHEN 'key' THEN secret_sha256 IS NOT NULL WHEN 'digest' THEN sealed IS NOT NULL"
        " WHEN 'certificate' THEN der IS NOT NULL ELSE false END",
        name="credential_of_its_kind",
    ),
    Index("credential_peer", "peer"),
    Index(
        "credential_certificate",
        text("sha256(der)"),
        unique=True,
        postgresql_where=text("der IS NOT NULL AND disabled_at IS NULL"),
    ),
)
"""What a peer can prove itself by. key: SHA-256 of an API key's secret. digest: a secret that is to
be read again, sealed (`gateway.access.seals`). certificate: X.509 in DER, of one peer at a time;
not_after is there for whoever looks at the table."""

nonce = Table(
    "nonce",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    instant("expires_at"),
    Index("nonce_expires", "expires_at"),
)
"""What came once in a proof and may not come again until it has expired, for all nodes."""

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
