"""The metadata of the store, the monthly tables, and short words for columns."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, DateTime, MetaData, Text, text
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()


def instant(name: str, *, null: bool = False) -> Column[object]:
    """An aware instant."""
    return Column(name, DateTime(timezone=True), nullable=null)


def word(name: str, default: str | None = None, *, null: bool = False) -> Column[str]:
    """Text; null only when said."""
    server = None if default is None else text(f"'{default}'")
    return Column(name, Text, nullable=null, server_default=server)


def flag(name: str) -> Column[bool]:
    """False unless said."""
    return Column(name, Boolean, nullable=False, server_default=text("false"))


def document(name: str, *, null: bool = False) -> Column[object]:
    """jsonb; an empty object unless it may be null."""
    return Column(name, JSONB, nullable=null, server_default=None if null else text("'{}'"))
