"""The register of addresses (ГАР) as delivered: what deltas are applied to and `address_*` made of.

Each region is a partition, and none has an index: a delta finds its rows by one pass. They are not
logged: after a crash of the server they are empty, and the next load has to be a full one. Names of
tables are the prefixes of the files, names of columns say what the attributes mean.
"""

from __future__ import annotations

from sqlalchemy import (
    UUID,
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    text,
)

from gateway.store.tables.addresses import BY_REGION
from gateway.store.tables.base import document, instant, metadata, word

gar_load = Table(
    "gar_load",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("region", SmallInteger, nullable=False),
    Column("version", Integer, nullable=False),
    word("kind"),
    word("state", "staging"),
    word("source", ""),
    word("extras", ""),
    instant("started_at"),
    instant("finished_at", null=True),
    document("report"),
    Index("gar_load_region", "region", "version"),
)
"""One delivery being loaded, or loaded, for one region. kind: full, delta. state: staging, done.

extras: what was wanted besides houses, `apartments steads`. report: rows of each table, what was
strange in them, seconds.
"""

gar_member = Table(
    "gar_member",
    metadata,
    Column("load", BigInteger, ForeignKey("gar_load.id", ondelete="CASCADE"), primary_key=True),
    Column("member", Text, primary_key=True),
    Column("table_name", Text, nullable=False),
    Column("mark", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("rows", BigInteger, nullable=False),
    document("drift"),
    instant("done_at"),
)
"""A file of a delivery that lies in its raw table. mark: CRC-32, or the time of a loose file."""

gar_type = Table(
    "gar_type",
    metadata,
    Column("dictionary", Text, primary_key=True),
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("level", SmallInteger, nullable=False, server_default=text("0")),
    word("short"),
    word("name"),
    Column("active", Boolean, nullable=False),
)
"""Rows of the dictionaries of types: addr_obj_types, house_types, addhouse_types, …"""


def _raw(name: str, *columns: Column[object]) -> Table:
    return Table(
        name,
        metadata,
        Column("region", SmallInteger, nullable=False),
        Column("id", BigInteger, nullable=False),
        *columns,
        postgresql_partition_by=BY_REGION,
    )


def _big(name: str, *, null: bool = False) -> Column[object]:
    return Column(name, BigInteger, nullable=null)


def _small(name: str, *, null: bool = False) -> Column[object]:
    return Column(name, SmallInteger, nullable=null)


def _text(name: str) -> Column[object]:
    return Column(name, Text, nullable=True)


def _guid() -> Column[object]:
    return Column("guid", UUID, nullable=False)


def _day(name: str) -> Column[object]:
    return Column(name, Date, nullable=True)


gar_addr_obj = _raw(
    "gar_addr_obj",
    _big("object"), _guid(), _text("name"), _text("type_name"), _small("level"),
    _big("prev", null=True), _big("next", null=True), _day("since"), _day("until"),
    Column("actual", Boolean, nullable=True), Column("active", Boolean, nullable=True),
)  # fmt: skip
"""Every version of an object with a name: the older ones are the names it had."""

gar_houses = _raw(
    "gar_houses",
    _big("object"), _guid(), _text("number"), _small("type", null=True),
    _text("add1"), _small("type1", null=True), _text("add2"), _small("type2", null=True),
)  # fmt: skip
"""Houses as they are now (ISACTUAL and ISACTIVE)."""

gar_adm_hierarchy = _raw(
    "gar_adm_hierarchy", _big("object"), _big("parent", null=True), _text("path"), _day("since")
)
"""Places in the administrative division that hold now; path: OBJECTIDs from the region down."""

gar_mun_hierarchy = _raw(
    "gar_mun_hierarchy",
    _big("object"), _big("parent", null=True), _text("oktmo"), _text("path"), _day("since"),
)  # fmt: skip
"""The same of the municipal division."""

gar_addr_obj_division = _raw("gar_addr_obj_division", _big("parent"), _big("child"))
"""Splits and mergers: OBJECTIDs of what was, and of what it became."""

gar_apartments = _raw(
    "gar_apartments", _big("object"), _guid(), _text("number"), _small("type", null=True)
)

gar_steads = _raw("gar_steads", _big("object"), _guid(), _text("number"))


def _params(name: str) -> Table:
    return _raw(name, _big("object"), _small("type"), _text("value"), _day("since"), _day("until"))


gar_addr_obj_params = _params("gar_addr_obj_params")
gar_houses_params = _params("gar_houses_params")
gar_apartments_params = _params("gar_apartments_params")
gar_steads_params = _params("gar_steads_params")
