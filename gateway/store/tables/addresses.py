"""The register of addresses (ГАР) as it is searched; each region is a partition of its own.

A load makes the tables of a region beside these and puts them in their place in one transaction, so
that a search never sees half of one. Numbers are those of ГАР: `id` and `parent` are OBJECTID.
"""

from __future__ import annotations

from sqlalchemy import (
    UUID,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    text,
)

from gateway.store.tables.base import instant, metadata, word

BY_REGION = "LIST (region)"
_ZERO = text("0")

address_object = Table(
    "address_object",
    metadata,
    Column("region", SmallInteger, primary_key=True, autoincrement=False),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("guid", UUID, nullable=False),
    Column("level", SmallInteger, nullable=False),
    word("type", ""),
    word("type_name", ""),
    word("name"),
    Column("parent", BigInteger, nullable=False, server_default=_ZERO),
    Column("parent_mun", BigInteger, nullable=False, server_default=_ZERO),
    word("oktmo", ""),
    word("okato", ""),
    word("postal_code", ""),
    word("kladr", ""),
    Column("houses", Integer, nullable=False, server_default=_ZERO),
    Index("address_object_guid", "guid"),
    postgresql_partition_by=BY_REGION,
)
"""Everything that has a name: regions, districts, settlements, streets, as they are now.

type: the whole word (`улица`), type_name: as ГАР has it (`ул.`). parent, parent_mun: OBJECTID of
the object above in the administrative and in the municipal division, 0 when there is none. houses:
how many stand directly in it.
"""

address_name = Table(
    "address_name",
    metadata,
    Column("region", SmallInteger, primary_key=True, autoincrement=False),
    Column("key", Text, primary_key=True),
    Column("object", BigInteger, primary_key=True, autoincrement=False),
    Column("type", Text, primary_key=True, server_default=text("''")),
    Column("kind", SmallInteger, primary_key=True, server_default=_ZERO),
    word("name"),
    Column("until", Date, nullable=True),
    postgresql_partition_by=BY_REGION,
)
"""Names by which an object is found, under `gateway.addresses.keys.name`.

kind: 0 its name now, 1 one it had before, 2 that of an object it was made from (split or merged).
object: OBJECTID of the object as it is now, wherever a chain of splits and mergers led.
"""

address_house = Table(
    "address_house",
    metadata,
    Column("region", SmallInteger, primary_key=True, autoincrement=False),
    Column("parent", BigInteger, primary_key=True, autoincrement=False),
    Column("key", Text(collation="C"), primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("guid", UUID, nullable=False),
    Column("kind", SmallInteger, nullable=False, server_default=_ZERO),
    word("label"),
    Column("parent_mun", BigInteger, nullable=False, server_default=_ZERO),
    word("postal_code", ""),
    word("oktmo", ""),
    word("okato", ""),
    word("cadastral", ""),
    Column("mkd", Boolean, nullable=True),
    Index("address_house_guid", "guid"),
    postgresql_partition_by=BY_REGION,
)
"""Houses, and plots of land where they were wanted, under `gateway.addresses.keys.house`.

parent: the nearest object with a name above it in the administrative division. kind: 0 a house, 1 a
plot. label: as people write it (`д. 68, к. 2`). mkd: an apartment building (parameter 19). Keys are
in order of their bytes, so that those with one beginning lie side by side in the primary key.
"""

address_flat = Table(
    "address_flat",
    metadata,
    Column("region", SmallInteger, primary_key=True, autoincrement=False),
    Column("house", BigInteger, primary_key=True, autoincrement=False),
    Column("key", Text, primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("guid", UUID, nullable=False),
    Column("level", SmallInteger, nullable=False, server_default=text("11")),
    word("label"),
    word("cadastral", ""),
    Index("address_flat_guid", "guid"),
    postgresql_partition_by=BY_REGION,
)
"""Apartments and premises of houses, where they were wanted. house: OBJECTID of the house."""

address_version = Table(
    "address_version",
    metadata,
    Column("region", SmallInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    instant("loaded_at"),
    word("source"),
    Column("objects", Integer, nullable=False),
    Column("houses", Integer, nullable=False),
    Column("flats", Integer, nullable=False, server_default=_ZERO),
)
"""What is loaded of a region. version: VersionId of the delivery (`20260908`)."""

address_revision = Table(
    "address_revision",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("value", BigInteger, nullable=False),
    CheckConstraint("one", name="address_revision_one"),
)
"""Grows with every change of what is searched; who keeps streets in memory asks it."""
