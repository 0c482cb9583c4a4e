"""Full names of objects, from the region down, in either division."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.addresses.found import Place
from gateway.addresses.gazetteer import NONE

if TYPE_CHECKING:
    from gateway.addresses.gazetteer import Region
    from gateway.addresses.houses import FlatRow, HouseRow

_BEHIND: Final = frozenset({"обл", "край", "р-н", "аобл", "ао", "а.обл", "а.окр", "м.р-н"})
"""Types that stand behind the name: `Воронежская обл.`."""
_SETTLEMENT: Final = 6
HOUSE: Final = 10
STEAD: Final = 9


def own(region: Region, at: int) -> str:
    """Return the name of an object with its type: `ул. 9 Января`."""
    kind, name = region.type_name(at), region.name(at)
    if not kind:
        return name
    if kind.casefold().rstrip(".") in _BEHIND:
        return f"{name} {kind}"
    return f"{kind} {name}"


def full(region: Region, at: int, *, municipal: bool = False) -> str:
    """Return the names of an object and of all above it; empty when it is not in that division.

    Those of settlements and of what is above them are kept: streets of one share them.
    """
    if at == NONE:
        return ""
    kept = region.labels[municipal]
    known = kept.get(at)
    if known is not None:
        return known
    above = region.above(at, municipal=municipal)
    if municipal and len(above) == 1 and region.level[at] > 1:
        return ""
    if region.level[at] <= _SETTLEMENT:
        label = kept[at] = ", ".join(own(region, place) for place in above)
        return label
    settled = sum(region.level[place] <= _SETTLEMENT for place in above)
    names = [own(region, place) for place in above[settled:]]
    if settled:
        names.insert(0, full(region, above[settled - 1], municipal=municipal))
    return ", ".join(names)


def place(
    region: Region, at: int, confidence: float, *, old: bool = False, house: HouseRow | None = None,
    flat: FlatRow | None = None,
) -> Place:  # fmt: skip
    """Return an object of the registry, or a house in it, or an apartment of the house."""
    label, municipal = full(region, at), full(region, at, municipal=True)
    guid = region.guid_of(at)
    level, house_guid, cadastral = region.level[at], "", ""
    oktmo, okato, postal_code = region.oktmo(at), region.okato(at), region.postal_code(at)
    if house is not None:
        label = f"{label}, {house.label}"
        above = region.place(house.parent_mun) if house.parent_mun else NONE
        if above != NONE:
            municipal = full(region, above, municipal=True)
        municipal = f"{municipal}, {house.label}" if municipal else ""
        level, house_guid, cadastral = STEAD if house.kind else HOUSE, house.guid, house.cadastral
        oktmo, okato = house.oktmo or oktmo, house.okato or okato
        postal_code = house.postal_code or postal_code
    if flat is not None:
        label = f"{label}, {flat.label}"
        municipal = f"{municipal}, {flat.label}" if municipal else ""
        level, cadastral = flat.level, flat.cadastral
    return Place(
        guid=flat.guid if flat else house_guid or guid,
        level=level,
        region=f"{region.code:02d}",
        label=label,
        municipal_label=municipal,
        house_guid=house_guid,
        street_guid=guid if house is not None or level > 6 else "",
        oktmo=oktmo,
        okato=okato,
        postal_code=postal_code,
        cadastral_number=cadastral,
        mkd=house.mkd if house else None,
        lat=house.lat if house else None,
        lon=house.lon if house else None,
        confidence=round(confidence, 3),
        historical=old,
    )
