"""Which files of ГАР are read, and which of their attributes go to which column.

After the schemas of format 2.251: a file is a flat list of elements that hold attributes only. A
row is kept by its flags, so that a raw table holds what is in force and little else; `ADDR_OBJ` is
kept whole, because its older rows are the names that people still use.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

FILE: Final = re.compile(
    r"AS_(?P<kind>[A-Z_]+?)_(?P<date>[0-9]{8})_(?P<guid>[0-9A-Fa-f-]{36})\.xml", re.IGNORECASE
)
"""Name of a file of the delivery, without its folder."""
REGION: Final = re.compile(r"0[1-9]|[1-9][0-9]")

OPEN_END: Final = "2079-06-06"
"""ENDDATE of what has no end."""

OBJECT_PARAMS: Final = frozenset(("5", "6", "7", "10", "11"))
"""Postal code, ОКАТО, ОКТМО, code of КЛАДР with and without its last two digits."""
HOUSE_PARAMS: Final = frozenset(("5", "6", "7", "8", "19"))
"""Postal code, ОКАТО, ОКТМО, cadastral number, apartment building."""


class Table(NamedTuple):
    """A file prefix and its raw table.

    columns: column → attribute. needed: attributes without which a row means nothing. optional:
    attributes that may be absent. known: every attribute of the schema. flags: attributes that are
    1 or true in a row that is kept. types: TYPEID that are kept, empty for every row.
    """

    kind: str
    root: str
    row: str
    columns: dict[str, str]
    needed: frozenset[str]
    optional: frozenset[str]
    known: frozenset[str]
    flags: tuple[str, ...] = ()
    types: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """Name of the raw table."""
        return "gar_" + self.kind.lower()


_DATES: Final = "UPDATEDATE STARTDATE ENDDATE"
_VERSIONED: Final = f"ID OBJECTID OBJECTGUID CHANGEID OPERTYPEID {_DATES} ISACTUAL ISACTIVE"
_LINKS: Final = "PREVID NEXTID"


def _table(  # noqa: PLR0917  a row of a table of facts
    kind: str,
    root: str,
    row: str,
    columns: str,
    required: str,
    optional: str = "",
    flags: str = "",
    types: frozenset[str] = frozenset(),
) -> Table:
    pairs = dict(pair.split("=") for pair in columns.split())
    needed = {pairs[key] for key in ("id", "object", "guid", "parent", "child") if key in pairs}
    needed |= {pairs[key] for key in ("level", "value") if key in pairs}
    absent = frozenset(optional.split())
    return Table(
        kind, root, row, pairs, frozenset(needed) - absent, absent,
        frozenset(required.split()) | absent, tuple(flags.split()), types,
    )  # fmt: skip


_OBJECT: Final = "id=ID object=OBJECTID guid=OBJECTGUID"
_PARAM: Final = "id=ID object=OBJECTID type=TYPEID value=VALUE since=STARTDATE until=ENDDATE"
_PLACE: Final = "id=ID object=OBJECTID parent=PARENTOBJID path=PATH since=STARTDATE"
_PLACED: Final = f"ID OBJECTID CHANGEID {_DATES} ISACTIVE PATH"
_CURRENT: Final = "ISACTUAL ISACTIVE"


def _params(kind: str, types: frozenset[str]) -> Table:
    required = f"ID OBJECTID CHANGEIDEND TYPEID VALUE {_DATES}"
    return _table(kind, "PARAMS", "PARAM", _PARAM, required, "CHANGEID", types=types)


TABLES: Final = {
    table.kind: table
    for table in (
        _table(
            "ADDR_OBJ", "ADDRESSOBJECTS", "OBJECT",
            f"{_OBJECT} name=NAME type_name=TYPENAME level=LEVEL prev=PREVID next=NEXTID"
            " since=STARTDATE until=ENDDATE actual=ISACTUAL active=ISACTIVE",
            f"{_VERSIONED} NAME TYPENAME LEVEL", _LINKS,
        ),
        _table(
            "HOUSES", "HOUSES", "HOUSE",
            f"{_OBJECT} number=HOUSENUM type=HOUSETYPE add1=ADDNUM1 type1=ADDTYPE1 add2=ADDNUM2"
            " type2=ADDTYPE2",
            _VERSIONED, f"HOUSENUM HOUSETYPE ADDNUM1 ADDTYPE1 ADDNUM2 ADDTYPE2 {_LINKS}", _CURRENT,
        ),
        _table(
            "ADM_HIERARCHY", "ITEMS", "ITEM", _PLACE, _PLACED,
            "PARENTOBJID REGIONCODE AREACODE CITYCODE PLACECODE PLANCODE STREETCODE " + _LINKS,
            "ISACTIVE",
        ),
        _table(
            "MUN_HIERARCHY", "ITEMS", "ITEM", f"{_PLACE} oktmo=OKTMO", _PLACED,
            f"PARENTOBJID OKTMO {_LINKS}", "ISACTIVE",
        ),
        _params("ADDR_OBJ_PARAMS", OBJECT_PARAMS),
        _params("HOUSES_PARAMS", HOUSE_PARAMS),
        _table(
            "ADDR_OBJ_DIVISION", "ITEMS", "ITEM", "id=ID parent=PARENTID child=CHILDID",
            "ID PARENTID CHILDID CHANGEID",
        ),
        _table(
            "APARTMENTS", "APARTMENTS", "APARTMENT", f"{_OBJECT} number=NUMBER type=APARTTYPE",
            f"{_VERSIONED} NUMBER APARTTYPE", _LINKS, _CURRENT,
        ),
        _params("APARTMENTS_PARAMS", frozenset(("8",))),
        _table(
            "STEADS", "STEADS", "STEAD", f"{_OBJECT} number=NUMBER", f"{_VERSIONED} NUMBER",
            _LINKS, _CURRENT,
        ),
        _params("STEADS_PARAMS", HOUSE_PARAMS),
    )
}  # fmt: skip
"""By the middle of a file's name: `AS_HOUSES_PARAMS_20260908_….XML` is HOUSES_PARAMS."""

ALWAYS: Final = (
    "ADDR_OBJ", "ADDR_OBJ_PARAMS", "ADDR_OBJ_DIVISION", "ADM_HIERARCHY", "MUN_HIERARCHY",
    "HOUSES", "HOUSES_PARAMS",
)  # fmt: skip
"""What is loaded of every region, in this order."""
EXTRAS: Final = {
    "apartments": ("APARTMENTS", "APARTMENTS_PARAMS"),
    "steads": ("STEADS", "STEADS_PARAMS"),
}
"""What is loaded where it was asked for."""

DICTIONARIES: Final = {
    "ADDR_OBJ_TYPES": ("ADDRESSOBJECTTYPES", "ADDRESSOBJECTTYPE"),
    "HOUSE_TYPES": ("HOUSETYPES", "HOUSETYPE"),
    "ADDHOUSE_TYPES": ("HOUSETYPES", "HOUSETYPE"),
    "APARTMENT_TYPES": ("APARTMENTTYPES", "APARTMENTTYPE"),
}
"""Dictionaries that are read, with root and row. ADDHOUSE_TYPES is in no public schema: its names
are those of HOUSE_TYPES by analogy, so any root and row are taken there."""

PASSED_OVER: Final = frozenset(
    (
        "REESTR_OBJECTS", "ROOMS", "ROOMS_PARAMS", "CARPLACES", "CARPLACES_PARAMS",
        "CHANGE_HISTORY", "NORMATIVE_DOCS", "NORMATIVE_DOCS_KINDS", "NORMATIVE_DOCS_TYPES",
        "OBJECT_LEVELS", "OPERATION_TYPES", "PARAM_TYPES", "ROOM_TYPES",
    )
)  # fmt: skip
"""Files of the delivery that nothing is read of; one that is not here either is told of."""


def wanted(extras: frozenset[str]) -> tuple[str, ...]:
    """Return the kinds to load of a region; extras: `apartments`, `steads`."""
    return ALWAYS + tuple(kind for extra in sorted(extras) for kind in EXTRAS[extra])
