"""Evidence and personal data: daily seals, who read what, what was erased and what must not be."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Index, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import UUID

from gateway.store.tables.base import document, instant, metadata, word

reading = Table(
    "reading",
    metadata,
    Column("id", UUID, primary_key=True),
    instant("at"),
    word("who"),
    word("role"),
    word("what"),
    word("subject"),
    word("ground", ""),
    word("address", ""),
    word("correlation", ""),
    Index("reading_subject", "subject", "id"),
    Index("reading_who", "who", "id"),
)
"""The register of who saw personal data (152-ФЗ art. 19): written before anything is shown."""

seal = Table(
    "seal",
    metadata,
    Column("day", Date, primary_key=True),
    instant("sealed_at"),
    Column("messages", BigInteger, nullable=False),
    Column("events", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("cms", LargeBinary, nullable=False),
)
"""What was recorded on a day, signed: `body` is canonical JSON with the seal before it, `cms` a
detached signature over it (gateway.store.sealed)."""

seal_part = Table(
    "seal_part",
    metadata,
    Column("day", Date, primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    word("kind"),
    Column("leaves", LargeBinary, nullable=False),
)
"""The leaves of a day in pieces: key and digest of each row, so that an altered one can be
named and a case file carries a proof of its own rows alone."""

hold = Table(
    "hold",
    metadata,
    Column("appeal_id", UUID, primary_key=True),
    instant("at"),
    word("who"),
    Column("ground", Text, nullable=False),
)
"""Appeals that must not be erased, as long as the row stands."""

erasure = Table(
    "erasure",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("appeal_id", UUID, nullable=False),
    instant("at"),
    word("who"),
    word("why"),
    word("ground", ""),
    document("counts"),
    Index("erasure_appeal", "appeal_id"),
)
"""What was erased, when, by whom and why; `why` is request or retention."""
