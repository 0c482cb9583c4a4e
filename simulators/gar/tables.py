"""The tables of a full delivery of a region, row by row; none is ever held whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from simulators.gar import rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simulators.gar.houses import House
    from simulators.gar.region import Region
    from simulators.gar.thing import Thing

FIRST_STEAD: Final = 900_000_000
ABSENT: Final = 77_000_000
"""OBJECTIDs from here on belong to nothing: rows that lead nowhere."""
POSTAL_CODE: Final = 5
OKATO: Final = 6
OKTMO: Final = 7
CADASTRAL: Final = 8
KLADR: Final = 10
KLADR_PLAIN: Final = 11
APARTMENT_BUILDING: Final = 19
"""Numbers of PARAM_TYPES."""


class Table(NamedTuple):
    """A file: the beginning of its name, its root element, its rows, whether a BOM stands first."""

    prefix: str
    root: str
    rows: Callable[[], Iterator[str]]
    bom: bool = False


def of(region: Region, share: float) -> list[Table]:
    """Return the tables of the region's folder. share: of apartment buildings that have flats."""
    return [
        Table("AS_ADDR_OBJ", "ADDRESSOBJECTS", lambda: _named(region), bom=True),
        Table("AS_ADDR_OBJ_PARAMS", "PARAMS", lambda: _named_parameters(region)),
        Table("AS_ADDR_OBJ_DIVISION", "ITEMS", lambda: _divisions(region), bom=True),
        Table("AS_HOUSES", "HOUSES", lambda: _houses(region)),
        Table("AS_HOUSES_PARAMS", "PARAMS", lambda: _house_parameters(region)),
        Table("AS_ADM_HIERARCHY", "ITEMS", lambda: _administrative(region, share)),
        Table("AS_MUN_HIERARCHY", "ITEMS", lambda: _municipal(region, share)),
        Table("AS_APARTMENTS", "APARTMENTS", lambda: _apartments(region, share)),
        Table("AS_STEADS", "STEADS", lambda: _steads(region)),
        Table("AS_REESTR_OBJECTS", "REESTR_OBJECTS", lambda: map(rows.registered, region.things)),
    ]


def flats(place: Thing, house: House, share: float) -> range:
    """Return the numbers of the flats of a house that the delivery has."""
    if not house.flats or house.dangling:
        return range(0)
    chosen = house.id * 2_654_435_761 % 1000 < share * 1000
    forced = place.apartments and house.id < place.first + len(place.forced)
    return range(1, house.flats + 1) if chosen or forced else range(0)


def flat_id(house: House, number: int) -> int:
    """Return the OBJECTID of a flat."""
    return house.id * 1000 + number


def stead_id(place: Thing, number: int) -> int:
    """Return the OBJECTID of a plot."""
    return FIRST_STEAD + place.id * 1000 + number


def _named(region: Region) -> Iterator[str]:
    for thing in region.things:
        yield from rows.named(thing)


def _named_parameters(region: Region) -> Iterator[str]:
    for thing in region.things:
        if thing.postal and thing.level > 4:
            yield rows.parameter(thing.id, POSTAL_CODE, thing.postal)
        if thing.okato:
            yield rows.parameter(thing.id, OKATO, thing.okato)
        yield rows.parameter(thing.id, OKTMO, thing.oktmo)
        code = f"{region.code}{thing.id:011d}"
        yield rows.parameter(thing.id, KLADR, f"{code}00")
        yield rows.parameter(thing.id, KLADR_PLAIN, code)
    yield rows.parameter(ABSENT, OKTMO, region.root.oktmo)


def _divisions(region: Region) -> Iterator[str]:
    number = 0
    for thing in region.things:
        for child in thing.into:
            number += 1
            yield rows.division(number, thing, child)


def _houses(region: Region) -> Iterator[str]:
    for place in region.holders:
        for house in region.houses(place):
            guid = region.house_guid(house.id)
            if house.id % 53 == 0:
                yield rows.former_house(house, guid)
            row = rows.house(house, guid)
            yield row
            if house.id % 20_011 == 0:
                yield row


def _house_parameters(region: Region) -> Iterator[str]:
    for place in region.holders:
        for house in region.houses(place):
            yield from house_parameters(region, place, house)


def house_parameters(region: Region, place: Thing, house: House) -> Iterator[str]:
    """Yield the rows of AS_HOUSES_PARAMS of one house."""
    number = house.id
    if place.postal:
        yield rows.parameter(number, POSTAL_CODE, place.postal)
    yield rows.parameter(number, OKATO, place.okato)
    if number % 101 == 0:
        yield rows.former_parameter(number, OKTMO, f"{place.oktmo[:8]}")
    yield rows.parameter(number, OKTMO, place.oktmo)
    if number % 10 < 7:
        cadastre = f"{region.code}:{place.id % 90 + 10}:{place.id:07d}:{number % 10_000}"
        yield rows.parameter(number, CADASTRAL, cadastre)
    if house.flats:
        yield rows.parameter(number, APARTMENT_BUILDING, "1")


def _administrative(region: Region, share: float) -> Iterator[str]:
    code = str(int(region.code))
    for thing in region.things:
        yield rows.administrative(thing.id, thing.up, thing.path, code)
    for place, number, parent, path in _inhabitants(region, share, lambda place: place.path):
        yield rows.administrative(number, parent or place, path, code)
    yield rows.administrative(ABSENT, ABSENT + 1, f"{region.root.id}.{ABSENT + 1}.{ABSENT}", code)


def _municipal(region: Region, share: float) -> Iterator[str]:
    for thing in region.things:
        yield rows.municipal(thing.id, thing.over, thing.municipal_path, thing.oktmo)
    places = _inhabitants(region, share, lambda place: place.municipal_path)
    for place, number, parent, path in places:
        yield rows.municipal(number, parent or place, path, place.oktmo)


def _inhabitants(
    region: Region, share: float, path_of: Callable[[Thing], str]
) -> Iterator[tuple[Thing, int, int, str]]:
    """Yield houses, flats and plots: the place, OBJECTID, the house of a flat, the path."""
    for place in region.things:
        if not place.houses and not place.steads:
            continue
        path = path_of(place)
        for house in region.houses(place):
            if house.dangling:
                continue
            above = f"{path}.{house.id}"
            yield place, house.id, 0, above
            for number in flats(place, house, share):
                flat = flat_id(house, number)
                yield place, flat, house.id, f"{above}.{flat}"
        for number in range(1, place.steads + 1):
            plot = stead_id(place, number)
            yield place, plot, 0, f"{path}.{plot}"


def _apartments(region: Region, share: float) -> Iterator[str]:
    for place in region.holders:
        if not place.city:
            continue
        for house in region.houses(place):
            for number in flats(place, house, share):
                flat = flat_id(house, number)
                yield rows.apartment(flat, region.house_guid(flat), str(number))


def _steads(region: Region) -> Iterator[str]:
    for place in region.things:
        for number in range(1, place.steads + 1):
            plot = stead_id(place, number)
            yield rows.stead(plot, region.house_guid(plot), str(number))
