"""What is owed to whom: lanes, deliveries, attempts, destinations; and the processes."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import UUID

from gateway.store.tables.base import document, flag, instant, metadata, word

lane = Table(
    "lane",
    metadata,
    Column("destination", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("next_seq", BigInteger, nullable=False, server_default=text("1")),
    Column("head_seq", BigInteger, nullable=False, server_default=text("1")),
    Column("waiting", Integer, nullable=False, server_default=text("0")),
    instant("due", null=True),
    word("owner", ""),
    Column("fence", BigInteger, nullable=False, server_default=text("0")),
    instant("lease_until", null=True),
    word("closed_by", ""),
    Index(
        "lane_due", "destination", "due", postgresql_where=text("waiting > 0 AND closed_by = ''")
    ),
    Index("lane_leased", "destination", "lease_until", postgresql_where=text("owner <> ''")),
)
"""One lane is sent in order, one delivery in flight; a dead letter closes its own lane only.
`head_seq`: nothing before it is still to be sent; `waiting`: how many are; `due`: when the head may
be acted on, null when a person or the peer itself must act."""

delivery = Table(
    "delivery",
    metadata,
    Column("id", UUID, primary_key=True),
    word("destination"),
    word("lane"),
    Column("seq", BigInteger, nullable=False),
    word("kind", "push"),
    Column("appeal_id", UUID, nullable=True),
    Column("event_seq", Integer, nullable=True),
    word("event_type", ""),
    word("state", "ready"),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    instant("due", null=True),
    instant("ack_due", null=True),
    instant("created_at"),
    instant("changed_at"),
    flag("may_reach_citizen"),
    flag("test"),
    word("error_code", ""),
    word("error", ""),
    word("reference", ""),
    Column("payload_sha256", LargeBinary, nullable=True),
    Column("through", UUID, nullable=True),
    Index("delivery_lane", "destination", "lane", "seq"),
    Index(
        "delivery_open",
        "destination",
        "state",
        postgresql_where=text("state NOT IN ('acknowledged','skipped')"),
    ),
    Index("delivery_appeal", "appeal_id"),
    Index("delivery_ack", "ack_due", postgresql_where=text("state = 'sent'")),
    postgresql_partition_by="RANGE (id)",
)
"""One thing owed to one destination. States: ready, sending, retry, unknown, sent, acknowledged,
refused, dead, skipped (design §2.12). kind `pull` is read and acknowledged by the peer itself.
through: the appeal of its own, merged into this one, by which alone the destination is told of it;
such a delivery gives no sight of the appeal."""

reply = Table(
    "reply",
    metadata,
    Column("delivery_id", UUID, primary_key=True),
    Column("address", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    document("headers"),
    Column("body", LargeBinary, nullable=False),
    instant("created_at"),
)
"""An answer to be sent to the address that its caller named; it goes when it was delivered."""

attempt = Table(
    "attempt",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("delivery_id", UUID, nullable=False),
    Column("n", Integer, nullable=False),
    word("owner"),
    Column("fence", BigInteger, nullable=False),
    instant("started_at"),
    instant("ended_at", null=True),
    word("outcome", ""),
    Column("status", Integer, nullable=True),
    Column("request_sha256", LargeBinary, nullable=True),
    Column("request", LargeBinary, nullable=True),
    document("head"),
    Column("response", LargeBinary, nullable=True),
    word("error", ""),
    Index("attempt_delivery", "delivery_id", "n"),
    postgresql_partition_by="RANGE (id)",
)
"""One send, written before the first byte leaves; request and reply are the evidence. `head` is
the rest of the request (media type, name, headers), so that a repeat is the same bytes. Asking
after a doubtful send is an attempt too: outcome `found`, `absent` or `doubtful`."""

destination = Table(
    "destination",
    metadata,
    Column("code", Text, primary_key=True),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    instant("open_until", null=True),
    Column("tokens", Integer, nullable=False, server_default=text("0")),
    instant("tokens_at", null=True),
    instant("paused_until", null=True),
    word("pause_reason", ""),
    instant("last_ok", null=True),
    instant("last_error_at", null=True),
    word("last_error", ""),
)
"""Breaker, rate and maintenance window of a destination, shared by all workers."""
