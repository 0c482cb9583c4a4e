"""Projections beside the appeal: numbers, letters, terms, conflicts, expectations, findings."""

from __future__ import annotations

from sqlalchemy import Column, Date, Index, Integer, SmallInteger, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from gateway.store.tables.base import document, flag, instant, metadata, word

registration = Table(
    "registration",
    metadata,
    Column("appeal_id", UUID, primary_key=True),
    Column("organisation", Text, primary_key=True),
    Column("number", Text, primary_key=True),
    word("number_key"),
    word("register", ""),
    Column("date", Date, nullable=False),
    flag("is_ours"),
    word("registered_by", ""),
    instant("annulled_at", null=True),
    Index("registration_key", "number_key"),
)

register = Table(
    "register",
    metadata,
    Column("organisation", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("year", SmallInteger, primary_key=True),
    Column("next", Integer, nullable=False, server_default=text("1")),
)
"""Gapless numbers of a body, a register and a year in the body's zone; taken last, in blocks."""

external_ref = Table(
    "external_ref",
    metadata,
    Column("appeal_id", UUID, primary_key=True),
    Column("peer", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    word("value_key"),
    Index("external_ref_key", "value_key", "kind"),
)

letter = Table(
    "letter",
    metadata,
    Column("appeal_id", UUID, primary_key=True),
    word("number_key"),
    Column("date", Date, nullable=False),
    Column("senders", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Index("letter_key", "number_key", "date"),
)
"""With which covering letter an appeal came: folded number, date, words for who gave the number
(`gateway.duplicates`). Follows from the first content; what is decided by it stands in events."""

twin = Table(
    "twin",
    metadata,
    Column("appeal_id", UUID, primary_key=True),
    Column("other", UUID, primary_key=True),
    word("number"),
    Column("date", Date, nullable=False),
    instant("noted_at"),
)
"""Appeals that may be one letter, as long as no person has said so or the contrary."""

deadline = Table(
    "deadline",
    metadata,
    Column("appeal_id", UUID, primary_key=True),
    Column("question", SmallInteger, primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("opened_seq", Integer, primary_key=True),
    word("article"),
    Column("start", Date, nullable=False),
    Column("due_internal", Date, nullable=False),
    Column("due_legal", Date, nullable=False),
    instant("closed_at", null=True),
    word("ground", ""),
    flag("unconfirmed_calendar"),
    Index("deadline_due", "due_internal", postgresql_where=text("closed_at IS NULL")),
)

conflict = Table(
    "conflict",
    metadata,
    Column("appeal_id", UUID, primary_key=True),
    Column("message_id", UUID, primary_key=True),
    word("peer"),
    word("reason"),
    instant("recorded_at"),
    instant("settled_at", null=True),
    word("settled_by", ""),
    Index("conflict_open", "recorded_at", postgresql_where=text("settled_at IS NULL")),
)
"""Contradictions of peers that a person must settle (model.md §3, rule c): one row for what a
message contradicted in an appeal. A call that was refused while it was accepted is no row here: it
is a message at stage `conflict`."""

expectation = Table(
    "expectation",
    metadata,
    Column("peer", Text, primary_key=True),
    Column("organisation", Text, primary_key=True),
    Column("number_key", Text, primary_key=True),
    word("number"),
    Column("appeal_id", UUID, nullable=True),
    instant("first_seen"),
    instant("last_seen"),
    document("remote"),
    Index("expectation_number", "number_key"),
)
"""What a peer's own list says it holds; waits for the appeal of that number, or is linked."""

finding = Table(
    "finding",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("run", UUID, nullable=False),
    word("peer"),
    word("class"),
    word("key"),
    Column("appeal_id", UUID, nullable=True),
    instant("found_at"),
    document("ours"),
    document("theirs"),
    word("cause"),
    word("repair"),
    instant("repaired_at", null=True),
    Index("finding_run", "run"),
)
"""One difference between our registry and a peer's, with both sides and the repair proposed."""
