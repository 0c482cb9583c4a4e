"""What changes between a full delivery and the one after it, and the rows that say so."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from simulators.gar import rows
from simulators.gar.houses import House
from simulators.gar.tables import OKTMO, Table, house_parameters
from simulators.gar.thing import OPEN_END, SINCE, Before, Thing, guid

if TYPE_CHECKING:
    from simulators.gar.region import Region

DAY: Final = "2026-09-10"
FIRST_OBJECT: Final = 5_000_000


class Delta(NamedTuple):
    """The changes: new houses by street, a street renamed, a house closed, a street split.

    renamed: the street under its new name, `before` says the old one. halves: what the street that
    was split became; moved: its houses, each with the half that it is in now.
    """

    new: list[tuple[Thing, House]]
    renamed: Thing
    closed: tuple[Thing, House]
    split: Thing
    halves: tuple[Thing, Thing]
    moved: list[tuple[Thing, House]]


def draw(region: Region) -> Delta:
    """Draw the changes after a region's full delivery."""
    chance = Random(f"{region.seed}/delta")
    streets = [t for t in region.holders if t.level == 8 and not t.forced and t.houses > 5]
    growing = chance.sample(streets, 5)
    rest = [t for t in streets if t not in growing and not t.before and not t.origin]
    renamed, losing, split = chance.sample(rest, 3)
    number = region.next_house
    new = []
    for street in growing:
        for n in range(3):
            new.append((street, House(number, str(1001 + 2 * n))))
            number += 1
    halves = (
        _half(region, split, FIRST_OBJECT, "Северная"),
        _half(region, split, FIRST_OBJECT + 1, "Южная"),
    )
    sound = [h for h in region.houses(split) if not h.dangling and not h.closed]
    return Delta(
        new=new,
        renamed=_renamed(renamed),
        closed=(losing, next(h for h in region.houses(losing) if not (h.closed or h.dangling))),
        split=split,
        halves=halves,
        moved=[(halves[n % 2], house) for n, house in enumerate(sound)],
    )


def tables(region: Region, change: Delta) -> list[Table]:
    """Return the tables of a delta: only rows that are new or changed."""
    code = str(int(region.code))
    objects = [
        *_closed_street(change.split),
        *(row for half in change.halves for row in rows.named(half)),
        *rows.named(change.renamed),
    ]
    house = change.closed[1]
    houses = [
        *(rows.house(h, region.house_guid(h.id)) for _, h in change.new),
        rows.house(house._replace(closed=True), region.house_guid(house.id)),
    ]
    placed = [(thing, thing.up, thing.over) for thing in change.halves]
    lying = [*change.new, *change.moved]
    return [
        Table("AS_ADDR_OBJ", "ADDRESSOBJECTS", lambda: iter(objects), bom=True),
        Table("AS_ADDR_OBJ_PARAMS", "PARAMS",
              lambda: (rows.parameter(t.id, OKTMO, t.oktmo) for t in change.halves)),
        Table("AS_ADDR_OBJ_DIVISION", "ITEMS",
              lambda: (rows.division(FIRST_OBJECT + n, change.split, half)
                       for n, half in enumerate(change.halves)), bom=True),
        Table("AS_HOUSES", "HOUSES", lambda: iter(houses)),
        Table("AS_HOUSES_PARAMS", "PARAMS",
              lambda: (row for t, h in change.new for row in house_parameters(region, t, h))),
        Table("AS_ADM_HIERARCHY", "ITEMS",
              lambda: iter([rows.administrative(t.id, up, t.path, code) for t, up, _ in placed]
                           + [rows.administrative(h.id, t, f"{t.path}.{h.id}", code)
                              for t, h in lying])),
        Table("AS_MUN_HIERARCHY", "ITEMS",
              lambda: iter([rows.municipal(t.id, over, t.municipal_path, t.oktmo)
                            for t, _, over in placed]
                           + [rows.municipal(h.id, t, f"{t.municipal_path}.{h.id}", t.oktmo)
                              for t, h in lying])),
    ]  # fmt: skip


def _half(region: Region, split: Thing, number: int, name: str) -> Thing:
    half = Thing(
        id=number, guid=guid(region.seed, region.code, number), level=8, kind="ул",
        name=f"{name} {split.name}", up=split.up, over=split.over, town=split.town,
        inner=split.inner, postal=split.postal, oktmo=split.oktmo, okato=split.okato,
    )  # fmt: skip
    half.origin.append(split)
    return half


def _renamed(street: Thing) -> Thing:
    return Thing(
        id=street.id, guid=street.guid, level=8, kind=street.kind, name="Обновлённая Дельтой",
        up=street.up, over=street.over, town=street.town, inner=street.inner,
        postal=street.postal, oktmo=street.oktmo, okato=street.okato, houses=street.houses,
        first=street.first, city=street.city, before=[Before(street.name, street.kind, DAY)],
    )  # fmt: skip


def _closed_street(street: Thing) -> list[str]:
    """Return the row that held, now ended, and the row that says it is no more."""
    first = street.id * 10
    return [
        rows.version(street, (street.name, street.kind), 0, (rows.ADDED, 0), first + 1,
                     rows.dates(SINCE, DAY), (0, 0)),
        rows.version(street, (street.name, street.kind), 1, (rows.SPLIT, first), 0,
                     rows.dates(DAY, OPEN_END), (1, 0)),
    ]  # fmt: skip
