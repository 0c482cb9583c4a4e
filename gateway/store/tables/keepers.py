"""Who serves a house, which body a territory belongs to, and where a house stands.

A row that was taken is never changed: it is withdrawn, and another stands in its place, so that
what an appeal was routed by a year ago can be read today.
"""

from __future__ import annotations

from sqlalchemy import (
    UUID,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    Identity,
    Index,
    Table,
    text,
)

from gateway.store.tables.base import instant, metadata, word

_IN_FORCE = text("withdrawn_at IS NULL")


def _row(name: str, *columns: Column[object] | Column[str] | Index) -> Table:
    """A table of what an organisation answers for, with its days and where we know it from."""
    return Table(
        name,
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        *columns,
        word("service", ""),
        word("organisation"),
        Column("valid_from", Date, nullable=True),
        Column("valid_to", Date, nullable=True),
        word("ground", ""),
        word("source", ""),
        instant("noted_at"),
        word("by", ""),
        instant("withdrawn_at", null=True),
        CheckConstraint("valid_from <= valid_to", name=f"{name}_days"),
    )


house_keeper = _row("house_keeper", Column("house_guid", UUID, nullable=False))
"""House × kind of service → organisation, first and last day inclusive (`gateway.keepers`).

organisation: id in the directory. ground: the contract or decision. source: the file. by: whose
hand. withdrawn_at: since when it counts no more, because the registry says something else.
"""

Index(
    "house_keeper_once",
    house_keeper.c.house_guid,
    house_keeper.c.service,
    house_keeper.c.organisation,
    house_keeper.c.valid_from,
    unique=True,
    postgresql_nulls_not_distinct=True,
    postgresql_where=_IN_FORCE,
)
Index("house_keeper_house", house_keeper.c.house_guid)
Index("house_keeper_organisation", house_keeper.c.organisation)

territory_body = _row("territory_body", word("oktmo"))
"""ОКТМО without its closing groups of zeros × what it is asked for → the body that answers.

service: empty for whatever no other row is about.
"""

Index(
    "territory_body_once",
    territory_body.c.oktmo,
    territory_body.c.service,
    territory_body.c.valid_from,
    unique=True,
    postgresql_nulls_not_distinct=True,
    postgresql_where=_IN_FORCE,
)

house_point = Table(
    "house_point",
    metadata,
    Column("house_guid", UUID, primary_key=True),
    Column("lat", Double, nullable=False),
    Column("lon", Double, nullable=False),
    word("source", ""),
    instant("noted_at"),
)
"""Where a house stands: degrees, WGS 84. ГАР has no coordinates."""

keeper_revision = Table(
    "keeper_revision",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("value", BigInteger, nullable=False),
    CheckConstraint("one", name="keeper_revision_one"),
)
"""Grows with every change of the tables above; who keeps them in memory asks it."""
