"""A region as it is drawn from a seed: what has a name, and how many houses stand where."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simulators.gar import houses as drawn
from simulators.gar import past, places, vocabulary
from simulators.gar.thing import SINCE, Thing, guid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FIRST_OBJECT: Final = 1_000
FIRST_HOUSE: Final = 10_000_000
HOUSES_PER_STREET: Final = 44.0
_CITY_SHARE: Final = 0.27
_EVERYWHERE: Final = ("Ленина", "Садовая", "Советская")
_VILLAGE_TYPES: Final = (("с", 40), ("д", 30), ("п", 20), ("х", 10))


class Region(NamedTuple):
    """A region: what has a name, and the seed that its houses follow from.

    things: in order of their numbers, parents before children. next_house: the first number free.
    """

    code: str
    seed: int
    things: list[Thing]
    next_house: int

    @property
    def root(self) -> Thing:
        """The region itself."""
        return self.things[0]

    @property
    def holders(self) -> Iterator[Thing]:
        """Everything that houses stand directly in."""
        return (thing for thing in self.things if thing.houses)

    def houses(self, place: Thing) -> list[drawn.House]:
        """Return the houses of a street or place."""
        return drawn.of(place, self.seed)

    def house_guid(self, number: int) -> str:
        """Return the OBJECTGUID of a house (also of a flat or a plot) by its OBJECTID."""
        return guid(self.seed, self.code, number)


class Draft:
    """A region while it is being drawn."""

    def __init__(self, code: str, total: int, seed: int) -> None:
        self.code = code
        self.seed = seed
        self.total = total
        self.draw = Random(f"{seed}/{code}/{total}")
        self.things: list[Thing] = []
        self.names: dict[int, set[tuple[str, str]]] = {}
        words = vocabulary.words()
        row = words["regions"].get(code)
        self.name: str
        self.kind: str
        self.digits: str
        self.index: str
        self.capital: str
        self.name, self.kind, self.digits, self.index, self.capital = row or (
            f"{words['districts'][int(code) % 30][:-2]}ая", "обл", code, f"6{code}", "Озёрный Град",
        )  # fmt: skip
        self.root = self.add(1, self.name, self.kind, oktmo=f"{self.digits}000000")

    def add(self, level: int, name: str, kind: str, up: Thing | None = None, **more: Any) -> Thing:
        """Add an object; what is not said is taken from the one above."""
        number = FIRST_OBJECT + len(self.things)
        more.setdefault("over", up)
        thing = Thing(
            id=number, guid=guid(self.seed, self.code, number), level=level, name=name, kind=kind,
            up=up, **more,
        )  # fmt: skip
        if up:
            thing.town = thing if level in (5, 6) else up.town
            thing.postal = thing.postal or up.postal
            thing.oktmo = thing.oktmo or up.oktmo
            thing.okato = thing.okato or up.okato
            thing.city = thing.city or up.city
        else:
            thing.okato = f"{self.digits}000000000"
        thing.code = str(number % 9973)
        self.things.append(thing)
        self.names.setdefault(up.id if up else 0, set()).add((name, kind))
        return thing

    def street(self, up: Thing, name: str = "", kind: str = "") -> Thing:
        """Add a street; without a name one that the place does not have yet."""
        taken = self.names.setdefault(up.id, set())
        while not name or (name, kind) in taken:
            name, kind = vocabulary.street(self.draw, city=up.city)
        inner = self.inner_of(up)
        return self.add(8, name, kind, up, inner=inner, postal=self.postal_of(up, inner))

    def inner_of(self, up: Thing) -> Thing | None:
        """Return the inner district that a street of the city is in."""
        inner = [each for each in self.things[1:12] if each.level == 4]
        return self.draw.choice(inner) if up.level == 5 and up.up is self.root and inner else None

    def postal_of(self, up: Thing, inner: Thing | None) -> str:
        """Return the postal code of a street: a city has many."""
        if inner:
            return f"{self.index}{inner.id % 10}{self.draw.randint(10, 60)}"
        return up.postal


def plan(code: str, total: int, seed: int, extra: Mapping[str, Any] | None = None) -> Region:
    """Draw a region of about the shape that was measured: 300 settlements for a million houses.

    code: two digits. total: houses, exactly. extra: places that must be there besides (the table of
    simulators/seed/places.toml); their houses are counted above the total.
    """
    draft = Draft(code, total, seed)
    size = (total / 1_000_000) ** 0.5
    weights: list[tuple[Thing, float]] = []
    _city(draft, max(12, round(total * _CITY_SHARE / HOUSES_PER_STREET / 1.3)), weights)
    count = max(30, round(300 * size))
    _countryside(draft, count, max(4, min(32, count // 9)), weights)
    past.tell(draft, [thing for thing, _ in weights if thing.level == 8])
    _settle(draft, weights)
    places.add(draft, extra or {})
    number = FIRST_HOUSE
    for thing in draft.things:
        thing.first = number
        number += thing.houses
    return Region(code, seed, draft.things, number)


def _city(draft: Draft, streets: int, weights: list[tuple[Thing, float]]) -> None:
    """Draw the big city with inner districts, microdistricts, gardens and garages."""
    draw, words = draft.draw, vocabulary.words()
    numbers = f"{draft.digits}701000"
    around = draft.add(3, f"город {draft.capital}", "г.о.", draft.root, oktmo=numbers)
    for name in words["inner"]:
        draft.add(4, name, "вн.р-н", around, oktmo=numbers)
    city = draft.add(
        5, draft.capital, "г", draft.root, over=around, city=True, postal=f"{draft.index}000",
        oktmo=f"{numbers}001", okato=f"{draft.digits}401000000",
    )  # fmt: skip
    january = draft.street(city, "9 Января", "ул")
    january.forced, january.apartments = ((68, 2),), True
    weights.append((january, 4.0))
    weights.extend((draft.street(city, name, "ул"), 2.0) for name in _EVERYWHERE)
    weights.extend((draft.street(city), _size(draw, 1.3)) for _ in range(streets - 4))
    _siblings(draft, city, streets // 12, weights)
    for n, name in enumerate(words["microdistricts"][: max(4, streets // 60)]):
        level, kind = (6, "мкр") if n % 5 == 2 else (7, "мкр")
        part = draft.add(level, name, kind, city, city=True)
        if n % 3 == 0:
            weights.append((part, 2.0))
        else:
            weights.extend((draft.street(part), _size(draw, 1.0)) for _ in range(4 + streets // 80))
    blocks = range(3, 3 + max(2, streets // 200))
    weights.extend((draft.add(7, str(n), "кв-л", city), 1.0) for n in blocks)
    for name in words["gardens"][: max(2, streets // 150)]:
        _garden(draft, city, name, weights)
    garages = words["garages"][: max(1, streets // 400)]
    weights.extend((draft.add(7, name, "тер. ГСК", city), 1.0) for name in garages)
    for _ in range(max(2, streets // 500)):
        _village(draft, city, around, (8, "p"), weights)


def _siblings(draft: Draft, town: Thing, count: int, weights: list[tuple[Thing, float]]) -> None:
    """Give names that the town has to a lane or a passage too: улица, переулок, проезд Ленина."""
    streets = [t for t, _ in weights if t.up is town and t.level == 8]
    fixed = [t for t in streets if not t.name.endswith(("ая", "яя", "ья", "ый", "ий", "ой", "ое"))]
    for thing in draft.draw.sample(fixed, min(count, len(fixed))):
        kind = draft.draw.choice(("пер", "проезд", "пр-кт"))
        if (thing.name, kind) not in draft.names[town.id]:
            weights.append((draft.street(town, thing.name, kind), 0.6))


def _garden(draft: Draft, up: Thing, name: str, weights: list[tuple[Thing, float]]) -> None:
    garden = draft.add(7, name, "тер. СНТ", up)
    garden.city = False
    garden.steads = 12
    if draft.draw.random() < 0.5:
        weights.append((garden, 1.5))
        return
    for n in range(3):
        street = draft.street(garden, f"{n + 1}-я Линия", "ул")
        weights.append((street, 0.6))


def _countryside(
    draft: Draft, count: int, districts: int, weights: list[tuple[Thing, float]]
) -> None:
    """Draw the districts with their towns and villages."""
    draw, words = draft.draw, vocabulary.words()
    towns = iter(words["towns"])
    names = words["districts"]
    for n in range(districts):
        numbers = f"{draft.digits}6{n + 2:02d}"
        area = draft.add(
            2, names[n % len(names)], "р-н", draft.root, oktmo=f"{numbers}000",
            okato=f"{draft.digits}2{n + 2:02d}000000", postal=f"{draft.index}{n + 1:02d}0"[:6],
        )  # fmt: skip
        kind = "м.о." if n % 6 == 5 else "м.р-н"
        over = draft.add(3, area.name, kind, draft.root, oktmo=f"{numbers}000")
        centre = next(towns, "") if n % 2 == 0 else ""
        _town(draft, area, over, centre, weights)
        for place in range(max(2, (count - 1) // districts)):
            _village(draft, area, over, (place, numbers), weights)
        if draw.random() < 0.5:
            _garden(draft, area, draw.choice(words["gardens"]), weights)


def _town(
    draft: Draft, area: Thing, over: Thing, name: str, weights: list[tuple[Thing, float]]
) -> None:
    """Draw the centre of a district: a town, or a township."""
    name = name or f"{area.name[:-2]}ое"
    level, kind = (5, "г") if area.id % 2 == 0 or not name.endswith("ое") else (6, "рп")
    if level == 6 and area.id % 3:
        kind = "пгт"
    around = draft.add(4, name, "г.п.", over, oktmo=f"{over.oktmo[:5]}101")
    town = draft.add(
        level, name, kind, area, over=around, oktmo=f"{over.oktmo[:5]}101001", city=level == 5
    )
    count = max(5, round(draft.total * 0.25 / HOUSES_PER_STREET / 30))
    weights.extend((draft.street(town), _size(draft.draw, 1.1)) for _ in range(count))
    _siblings(draft, town, count // 10 + 1, weights)
    if draft.draw.random() < 0.5:
        part = draft.add(7, draft.draw.choice(vocabulary.words()["microdistricts"]), "мкр", town)
        weights.append((part, 1.2))


def _village(
    draft: Draft, area: Thing, over: Thing, where: tuple[int, str],
    weights: list[tuple[Thing, float]],
) -> None:  # fmt: skip
    """Draw a village; its name may be that of a village of another district."""
    draw = draft.draw
    known = [name for name, _ in draft.names.get(area.id, ())]
    others = [t.name for t in draft.things if t.level == 6 and t.kind != "мкр" and t.up is not area]
    name = draw.choice(others) if others and draw.random() < 0.15 else vocabulary.settlement(draw)
    while name in known and draw.random() > 0.03:
        name = vocabulary.settlement(draw)
    kind = draw.choices([k for k, _ in _VILLAGE_TYPES], [w for _, w in _VILLAGE_TYPES])[0]
    while (name, kind) in draft.names.get(area.id, ()):
        name = vocabulary.settlement(draw)
    place, numbers = where
    oktmo = f"{numbers}4{place % 100:02d}101" if numbers.startswith(draft.digits) else over.oktmo
    around = over
    if over.kind == "м.р-н":
        around = draft.add(4, vocabulary.council(name), "с.п.", over, oktmo=oktmo[:8])
    village = draft.add(
        6, name, kind, area, over=around, oktmo=oktmo, city=False,
        postal=f"{draft.index}{draft.draw.randint(100, 999)}"[:6],
    )  # fmt: skip
    village.city = False
    if draw.random() < 0.08:
        weights.append((village, 0.7))
        return
    count = max(1, round(draft.total / 1_000_000 * 300 / 200 * draw.lognormvariate(2.9, 0.7)))
    if draft.total < 500_000:
        count = max(2, round(draw.lognormvariate(1.2, 0.6)))
    weights.extend((draft.street(village), _size(draw, 0.8)) for _ in range(min(count, 120)))


def _size(draw: Random, scale: float) -> float:
    return scale * draw.lognormvariate(0.0, 0.6)


def _settle(draft: Draft, weights: list[tuple[Thing, float]]) -> None:
    """Spread the houses over the streets, exactly as many as were asked."""
    whole = sum(weight for _, weight in weights)
    left = draft.total
    for thing, weight in weights:
        thing.houses = min(max(1, int(weight / whole * draft.total)), left)
        left -= thing.houses
    largest = sorted((thing for thing, _ in weights), key=lambda t: (-t.houses, t.id))
    for n in range(left):
        largest[n % len(largest)].houses += 1


__all__ = ["FIRST_HOUSE", "SINCE", "Draft", "Region", "plan"]
