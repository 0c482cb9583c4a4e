"""What the addresses of appeals were found to be, and what people have said that names mean."""

from __future__ import annotations

from sqlalchemy import (
    UUID,
    BigInteger,
    Column,
    Double,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    text,
)

from gateway.store.tables.base import flag, instant, metadata, word

place = Table(
    "place",
    metadata,
    Column("appeal_id", UUID, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("seq", Integer, nullable=False),
    word("outcome"),
    Column("confidence", Double, nullable=True),
    Column("guid", UUID, nullable=True),
    Column("house_guid", UUID, nullable=True),
    Column("level", SmallInteger, nullable=True),
    word("region", ""),
    word("oktmo", ""),
    word("gar_version", ""),
    word("by", ""),
    word("decided_by", ""),
    instant("at"),
    flag("doubt"),
    Index("place_house", "house_guid", postgresql_where=text("house_guid IS NOT NULL")),
    Index("place_doubt", "at", "appeal_id", postgresql_where=text("doubt")),
)
"""The last `AddressResolved` of each role, with the object that its content names.

seq: of the event. guid, house_guid, region, oktmo: empty when nothing is sure, and once the content
is erased. by: `register`, `rule`, `person`; decided_by: that person. doubt: waits for a person.
"""

address_synonym = Table(
    "address_synonym",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    word("region"),
    Column("scope", UUID, nullable=True),
    word("key"),
    Column("target", UUID, nullable=False),
    Column("level", SmallInteger, nullable=False),
    word("author", ""),
    instant("noted_at"),
    instant("revoked_at", null=True),
    word("revoked_by", ""),
    Column("uses", BigInteger, nullable=False, server_default=text("0")),
)
"""A name, or a number of a house, that people use for an object of the register of addresses.

region: code in ГАР. scope: the object within which it means so, none for all the region. key: as
`gateway.addresses.keys` spells it. level: of the target: 10 and above a house, otherwise what has a
name. uses: appeals that it helped to place. A row is never deleted: it is revoked.
"""

Index(
    "address_synonym_once",
    address_synonym.c.region,
    address_synonym.c.scope,
    address_synonym.c.key,
    unique=True,
    postgresql_nulls_not_distinct=True,
    postgresql_where=text("revoked_at IS NULL"),
)
