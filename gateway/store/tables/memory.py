"""What adapters remember of their exchange with one peer (`gateway.lent.Memory`)."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text

from gateway.store.tables.base import document, instant, metadata

memory = Table(
    "memory",
    metadata,
    Column("peer", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    document("value"),
    instant("changed_at"),
    Index("memory_changed", "peer", "kind", "changed_at", "key"),
)
"""Ids of messages made before they were sent, opaque return addresses. No personal data."""
