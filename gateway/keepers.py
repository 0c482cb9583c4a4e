"""Who serves a house, and which body a territory belongs to; pure.

Days are inclusive on both sides, as everywhere in this house: `valid_to` is the last day. No
`valid_from` means since before anybody noted it, no `valid_to` that no end is known.

ОКТМО is text (ОК 033-2013): two digits of the subject, three of the district, three of the
settlement, three of the inhabited place, leading zeros and all. A unit that has others inside has
zeros for them, so `20608000` (a district) is not how `20608101` (a settlement of it) begins: a
territory is kept under `significant`, without the groups of zeros. The first two digits are not
always a subject: Ненецкий АО (118) lies inside Архангельская область (11), Ханты-Мансийский (718)
and Ямало-Ненецкий (719) inside Тюменская (71).
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

INNER_SUBJECTS: Final = ("118", "718", "719")
"""Subjects whose codes begin as another's: НАО, ХМАО — Югра, ЯНАО."""
PREFIX_DIGITS: Final = (2, 3, 5, 8, 11)
"""How many digits a territory is named by once its zeros are gone."""
OWN: Final = "x_"
"""How the code of a service begins that only one installation knows; it is taken as it is."""


class Service(NamedTuple):
    """A kind of service. several: a house may have more than one organisation for it at a time."""

    code: str
    title: str
    words: tuple[str, ...] = ()
    several: bool = False


SERVICES: Final = (
    Service(
        "management",
        "управление домом",
        (
            "управление", "управление мкд", "управление многоквартирным домом", "уо", "ук", "тсж",
            "тсн", "жск", "жк", "непосредственное управление", "управляющая организация",
        ),
    ),
    Service("heat", "теплоснабжение", ("отопление", "тепловая энергия", "тепло")),
    Service("hot_water", "горячее водоснабжение", ("горячая вода", "гвс")),
    Service("cold_water", "холодное водоснабжение", ("холодная вода", "хвс", "водоснабжение")),
    Service("sewage", "водоотведение", ("канализация",)),
    Service("power", "электроснабжение", ("электроэнергия", "электрическая энергия")),
    Service("power_grid", "электрические сети", ("сетевая организация", "передача электроэнергии")),
    Service("gas", "газоснабжение", ("газ", "поставка газа")),
    Service(
        "gas_equipment", "обслуживание газового оборудования", ("вдго", "вкго", "вдго и вкго")
    ),
    Service(
        "waste",
        "обращение с твёрдыми коммунальными отходами",
        ("обращение с тко", "тко", "вывоз тко", "вывоз мусора", "региональный оператор"),
    ),
    Service(
        "capital_repair",
        "капитальный ремонт",
        ("капремонт", "фонд капитального ремонта", "региональный оператор капитального ремонта"),
    ),
    Service("lift", "лифты", ("лифт", "обслуживание лифтов", "лифтовое хозяйство")),
    Service("emergency", "аварийно-диспетчерское обслуживание", ("адс", "аварийная служба")),
    Service("intercom", "домофон", ("домофоны",), several=True),
    Service("telecom", "связь", ("интернет", "телевидение", "провайдер"), several=True),
    Service("yard", "придомовая территория", ("уборка двора", "благоустройство двора")),
    Service("local", "орган местного самоуправления", ("омсу", "администрация")),
    Service("supervision", "государственный жилищный надзор", ("гжн", "гжи", "жилищный надзор")),
    Service("roads", "дороги", ("содержание дорог", "автомобильные дороги")),
    Service("lighting", "наружное освещение", ("уличное освещение", "освещение улиц")),
    Service("improvement", "благоустройство", ("благоустройство территории",)),
)  # fmt: skip
"""What a house or a territory is served with: the words of ЖК РФ (art. 154, 161), ПП РФ № 354.

words: other spellings that files have. The list is open: see `OWN`.
"""

_BY_CODE: Final = {service.code: service for service in SERVICES}


class Keeper(msgspec.Struct, frozen=True, kw_only=True):
    """An organisation that serves a house.

    house_guid: OBJECTGUID of the house in ГАР, lower case. service: code of `SERVICES`, or of our
    own. organisation: id in the directory. ground: the contract or decision it rests on. source:
    the file it came from. noted_at, by: when, and whose hand. withdrawn_at: since when another row
    stands in the place of this one, None while it counts; rows are never changed.
    """

    house_guid: str
    service: str
    organisation: str
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    ground: str = ""
    source: str = ""
    noted_at: dt.datetime | None = None
    by: str = ""
    withdrawn_at: dt.datetime | None = None

    @property
    def place(self) -> str:
        """What is served: the house."""
        return self.house_guid


class Territory(msgspec.Struct, frozen=True, kw_only=True):
    """A body that a territory belongs to.

    oktmo: 2, 3, 5, 8 or 11 digits, as `significant` gives them. service: what the body answers for
    there, empty for everything that no other row is about. The rest as in `Keeper`.
    """

    oktmo: str
    organisation: str
    service: str = ""
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    ground: str = ""
    source: str = ""
    noted_at: dt.datetime | None = None
    by: str = ""
    withdrawn_at: dt.datetime | None = None

    @property
    def place(self) -> str:
        """What is served: the territory."""
        return self.oktmo


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """Where a house stands: degrees, WGS 84."""

    house_guid: str
    lat: float
    lon: float
    source: str = ""


def service_of(code: str) -> Service | None:
    """Return the kind of service with this code; None when there is none."""
    if code.startswith(OWN):
        return Service(code, code.removeprefix(OWN).replace("_", " "))
    return _BY_CODE.get(code)


def title_of(code: str) -> str:
    """Return what people call a kind of service; a code that nobody knows, as it is."""
    service = service_of(code)
    return service.title if service else code


def covers(row: Keeper | Territory, day: dt.date) -> bool:
    """Whether a row counts and is in force on a day; first and last day included."""
    return (
        row.withdrawn_at is None
        and (row.valid_from is None or row.valid_from <= day)
        and (row.valid_to is None or day <= row.valid_to)
    )


def keepers_of(
    rows: Iterable[Keeper], house_guid: str, day: dt.date, service: str = ""
) -> tuple[Keeper, ...]:
    """Return who serves a house on a day, by service in order of `SERVICES`, then by organisation.

    service: only this kind; empty for all.
    """
    wanted = house_guid.lower()
    found = [
        row
        for row in rows
        if row.house_guid == wanted and service in {"", row.service} and covers(row, day)
    ]
    return tuple(sorted(found, key=lambda row: (_place(row.service), row.organisation)))


def body_of(
    rows: Iterable[Territory], oktmo: str, day: dt.date, kind: str = ""
) -> Territory | None:
    """Return the body of a territory on a day; None when no row is about it.

    oktmo: 8 or 11 digits, of the house or the settlement. kind: what it is asked for. A row of that
    kind goes before one of no kind, however large its territory; among equals the longest prefix
    wins. A row of a whole subject never speaks for the subject inside it (`INNER_SUBJECTS`): a
    wrong body costs more than none.
    """
    best: tuple[bool, int] | None = None
    found: Territory | None = None
    for row in rows:
        if row.service not in {"", kind} or not lies_in(oktmo, row.oktmo) or not covers(row, day):
            continue
        rank = (row.service != "", len(row.oktmo))
        if best is None or rank > best:
            best, found = rank, row
    return found


def lies_in(oktmo: str, territory: str) -> bool:
    """Whether a place with this ОКТМО lies in a territory, as `significant` names it."""
    inner = len(territory) < 3 and oktmo.startswith(INNER_SUBJECTS)
    return bool(territory) and oktmo.startswith(territory) and not inner


def significant(oktmo: str) -> str:
    """Return an ОКТМО without the groups of zeros at its end.

    `20608000` → `20608`, `20000000` → `20`, `71800000` → `718`, `20701000001` as it is. A prefix
    of 2, 3 or 5 digits is returned as it is.
    """
    found = oktmo[:8] if len(oktmo) == 11 and oktmo.endswith("000") else oktmo
    if len(found) == 8 and found.endswith("000"):
        found = found[:5]
    if len(found) == 5 and found.endswith("00"):
        found = found[:3]
    return found[:2] if len(found) == 3 and found.endswith("0") else found


def _place(service: str) -> tuple[int, str]:
    known = _BY_CODE.get(service)
    return (SERVICES.index(known) if known else len(SERVICES), service)
