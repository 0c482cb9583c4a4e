"""Rows of the tables of ГАР as they are written: attributes of one element (schemas 2.251)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from simulators.gar.thing import OPEN_END, SINCE

if TYPE_CHECKING:
    from simulators.gar.houses import House
    from simulators.gar.thing import Thing

ADDED: Final = 10
CHANGED: Final = 20
REMOVED: Final = 30
SPLIT: Final = 60
FROM_SPLIT: Final = 61
"""Numbers of OPERATION_TYPES."""
_QUOTE: Final = {'"': "&quot;"}


def quoted(text: str) -> str:
    """Return text as the value of an attribute, with its quotes."""
    return f'"{escape(text, _QUOTE)}"'


def dates(since: str = SINCE, until: str = OPEN_END, updated: str = "") -> str:
    """Return the three dates that every row has."""
    return f'UPDATEDATE="{updated or since}" STARTDATE="{since}" ENDDATE="{until}"'


def named(thing: Thing) -> list[str]:
    """Return the rows of AS_ADDR_OBJ of an object: former names first, what holds now last."""
    found = []
    since = SINCE
    many = len(thing.before)
    for n, before in enumerate(thing.before):
        found.append(
            version(
                thing, (before.name, before.kind), n, (ADDED, n and thing.id * 10 + n - 1),
                thing.id * 10 + n + 1, dates(since, before.until), (0, 0),
            )
        )  # fmt: skip
        since = before.until
    operation = ADDED if not many else CHANGED
    if not thing.active:
        operation = SPLIT
    elif thing.origin:
        operation = FROM_SPLIT
    found.append(
        version(
            thing, (thing.name, thing.kind), many, (operation, many and thing.id * 10 + many - 1),
            0, dates(since, OPEN_END if thing.active else "2022-06-01"), (1, int(thing.active)),
        )
    )  # fmt: skip
    return found


def version(  # noqa: PLR0917  one row's own parts
    thing: Thing, name: tuple[str, str], n: int, came: tuple[int, int], following: int,
    when: str, flags: tuple[int, int],
) -> str:  # fmt: skip
    """Return one row of AS_ADDR_OBJ. came: operation and the row before; flags: actual, active."""
    return (
        f'<OBJECT ID="{thing.id * 10 + n}" OBJECTID="{thing.id}" OBJECTGUID="{thing.guid}"'
        f' CHANGEID="{thing.id * 10 + n}" NAME={quoted(name[0])} TYPENAME={quoted(name[1])}'
        f' LEVEL="{thing.level}" OPERTYPEID="{came[0]}" PREVID="{came[1]}" NEXTID="{following}"'
        f' {when} ISACTUAL="{flags[0]}" ISACTIVE="{flags[1]}" />'
    )


def house(each: House, guid: str) -> str:
    """Return the row of AS_HOUSES that holds now."""
    number = f' HOUSENUM="{each.number}"' if each.number else ""
    if each.first:
        number += f' ADDNUM1="{each.first}"'
        if each.second:
            number += f' ADDNUM2="{each.second}"'
    if each.kind:
        number += f' HOUSETYPE="{each.kind}"'
    if each.first:
        number += f' ADDTYPE1="{each.first_kind}"'
        if each.second:
            number += f' ADDTYPE2="{each.second_kind}"'
    end = (
        f'OPERTYPEID="{REMOVED}" PREVID="0" NEXTID="0" UPDATEDATE="2021-03-01"'
        f' STARTDATE="2021-03-01" ENDDATE="{OPEN_END}" ISACTUAL="1" ISACTIVE="0" />'
        if each.closed
        else f'OPERTYPEID="{ADDED}" PREVID="0" NEXTID="0" UPDATEDATE="2019-07-10"'
        f' STARTDATE="{SINCE}" ENDDATE="{OPEN_END}" ISACTUAL="1" ISACTIVE="1" />'
    )
    row = each.id * 2 + 1
    return (
        f'<HOUSE ID="{row}" OBJECTID="{each.id}" OBJECTGUID="{guid}" CHANGEID="{row}"{number} {end}'
    )


def former_house(each: House, guid: str) -> str:
    """Return a row of AS_HOUSES that a later one replaced: the house had another number."""
    row = each.id * 2
    return (
        f'<HOUSE ID="{row}" OBJECTID="{each.id}" OBJECTGUID="{guid}" CHANGEID="{row}"'
        f' HOUSENUM="{each.number or 1}бн" HOUSETYPE="2" OPERTYPEID="{ADDED}" PREVID="0"'
        f' NEXTID="{row + 1}" {dates("2012-01-01", SINCE)} ISACTUAL="0" ISACTIVE="0" />'
    )


def administrative(number: int, parent: Thing | int | None, path: str, code: str) -> str:
    """Return a row of AS_ADM_HIERARCHY."""
    up = parent if isinstance(parent, int) else parent.id if parent else 0
    return (
        f'<ITEM ID="{number * 2}" OBJECTID="{number}" PARENTOBJID="{up}" CHANGEID="{number}"'
        f' REGIONCODE="{code}" AREACODE="0" CITYCODE="0" PLACECODE="0" PLANCODE="0" STREETCODE="0"'
        f' PREVID="0" NEXTID="0" UPDATEDATE="{SINCE}" STARTDATE="{SINCE}" ENDDATE="{OPEN_END}"'
        f' ISACTIVE="1" PATH="{path}" />'
    )


def municipal(number: int, parent: Thing | int | None, path: str, oktmo: str) -> str:
    """Return a row of AS_MUN_HIERARCHY."""
    up = parent if isinstance(parent, int) else parent.id if parent else 0
    return (
        f'<ITEM ID="{number * 2 + 1}" OBJECTID="{number}" PARENTOBJID="{up}" CHANGEID="{number}"'
        f' OKTMO="{oktmo}" PREVID="0" NEXTID="0" UPDATEDATE="{SINCE}" STARTDATE="{SINCE}"'
        f' ENDDATE="{OPEN_END}" ISACTIVE="1" PATH="{path}" />'
    )


def parameter(number: int, kind: int, value: str) -> str:
    """Return a row of AS_*_PARAMS that holds now."""
    return (
        f'<PARAM ID="{number * 32 + kind}" OBJECTID="{number}" CHANGEID="{number}" CHANGEIDEND="0"'
        f' TYPEID="{kind}" VALUE="{value}" UPDATEDATE="{SINCE}" STARTDATE="{SINCE}"'
        f' ENDDATE="{OPEN_END}" />'
    )


def former_parameter(number: int, kind: int, value: str) -> str:
    """Return a row of AS_*_PARAMS that a later one replaced."""
    return (
        f'<PARAM ID="{number * 32 + kind + 20}" OBJECTID="{number}" CHANGEID="1" '
        f'CHANGEIDEND="{number}" TYPEID="{kind}" VALUE="{value}" {dates("2011-11-01", SINCE)} />'
    )


def apartment(number: int, guid: str, text: str) -> str:
    """Return a row of AS_APARTMENTS: a flat."""
    return (
        f'<APARTMENT ID="{number}" OBJECTID="{number}" OBJECTGUID="{guid}" CHANGEID="{number}"'
        f' NUMBER="{text}" APARTTYPE="2" OPERTYPEID="{ADDED}" PREVID="0" NEXTID="0" {dates()}'
        ' ISACTUAL="1" ISACTIVE="1" />'
    )


def stead(number: int, guid: str, text: str) -> str:
    """Return a row of AS_STEADS: a plot of land."""
    return (
        f'<STEAD ID="{number}" OBJECTID="{number}" OBJECTGUID="{guid}" CHANGEID="{number}"'
        f' NUMBER="{text}" OPERTYPEID="{ADDED}" PREVID="0" NEXTID="0" {dates()}'
        ' ISACTUAL="1" ISACTIVE="1" />'
    )


def division(number: int, parent: Thing, child: Thing) -> str:
    """Return a row of AS_ADDR_OBJ_DIVISION: the parent is no more, the child came of it."""
    return (
        f'<ITEM ID="{number}" PARENTID="{parent.id}" CHILDID="{child.id}" CHANGEID="{child.id}" />'
    )


def registered(thing: Thing) -> str:
    """Return a row of AS_REESTR_OBJECTS."""
    return (
        f'<OBJECT OBJECTID="{thing.id}" OBJECTGUID="{thing.guid}" CHANGEID="{thing.id}"'
        f' ISACTIVE="{int(thing.active)}" LEVELID="{thing.level}" CREATEDATE="{SINCE}"'
        f' UPDATEDATE="{SINCE}" />'
    )
