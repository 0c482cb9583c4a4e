"""Labelled questions about a region: what people write, and which house is meant."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from simulators.gar import numbering, phrasing, spelling, truth
from simulators.gar.vocabulary import words

if TYPE_CHECKING:
    from simulators.gar.houses import House
    from simulators.gar.region import Region
    from simulators.gar.thing import Thing

_SHARES: Final = (
    ("absent_house", 0.02), ("many_villages", 0.015), ("nonsense", 0.008), ("invented", 0.007),
    ("district_only", 0.03), ("street_only", 0.01),
)  # fmt: skip
_STREET_TYPO: Final = 0.25
_TOWN_TYPO: Final = 0.10


class Question(NamedTuple):
    """A text and its true answer.

    guid: OBJECTGUID of the house meant (of its street where the house does not exist or is not
    asked for), empty when nothing is. Where the text names another house better than the one meant
    (`names another`), and no postal code speaks against it, it is that other's: nobody could read
    otherwise; such a question is never determined. level: 10, 8 (or that of what stands for a
    street), 0. determined: the text determines it, given everything in the region. expect: the
    outcome that a careful reader gives. noise: in what the text differs from the registry.
    """

    text: str
    guid: str
    level: int
    determined: bool
    expect: str
    noise: tuple[str, ...]


def ask(region: Region, count: int, seed: int, *, hard: bool) -> list[Question]:
    """Return labelled questions, always the same ones. hard: as people write, not as registrars."""
    asker = _Asker(region, Random(f"{seed}/{region.code}/questions"))
    return [asker.hard() if hard else asker.easy() for _ in range(count)]


class _Asker:
    """Draws houses of a region and asks for them."""

    def __init__(self, region: Region, draw: Random) -> None:
        self.region = region
        self.draw = draw
        self.index = truth.Index(region)
        self.holders = list(region.holders)
        self.sums = list(accumulate(thing.houses for thing in self.holders))
        self.renamed = [t for t in self.holders if t.level == 8 and (t.before or t.origin)]
        self.common = self._common()

    def _common(self) -> list[tuple[str, str]]:
        """Return streets that at least five villages have."""
        villages: dict[tuple[str, str], set[int]] = {}
        for thing in self.holders:
            if thing.level == 8 and thing.town and thing.town.level == 6:
                villages.setdefault((thing.name, thing.kind), set()).add(thing.town.id)
        return [name for name, towns in villages.items() if len(towns) >= 5]

    def house(self) -> tuple[Thing, House]:
        """Draw a house that can be found: in force, and with a place in the hierarchy."""
        while True:
            at = bisect_right(self.sums, self.draw.randrange(self.sums[-1]))
            place = self.holders[at]
            found = self.draw.choice(self.region.houses(place))
            if _sound(found):
                return place, found

    def easy(self) -> Question:
        """Ask as a registrar writes."""
        place, house = self.house()
        number = numbering.formal(house)
        phrase = phrasing.formal(self.region, place, number)
        return self._about(phrase, place, house)

    def hard(self) -> Question:
        """Ask as people write."""
        chance = self.draw.random()
        for kind, share in _SHARES:
            chance -= share
            if chance < 0:
                found: Question = getattr(self, f"_{kind}")()
                return found
        if chance < 0.05 and self.renamed:
            place = self.draw.choice(self.renamed)
            sound = [h for h in self.region.houses(place) if _sound(h)]
            if sound:
                return self._ordinary(place, self.draw.choice(sound), former=True)
        return self._ordinary(*self.house())

    def _ordinary(self, place: Thing, house: House, *, former: bool = False) -> Question:
        draw = self.draw
        number = numbering.careless(draw, house)
        flat = draw.random() < (0.45 if place.city else 0.05)
        if flat:
            number = numbering.with_flat(draw, number, hyphen=draw.random() < 0.12)
        phrase = phrasing.careless(
            self.region, place, number, draw,
            typos=(draw.random() < _STREET_TYPO, draw.random() < _TOWN_TYPO), former=former,
        )  # fmt: skip
        if flat:
            phrase.noise.append("flat")
        return self._about(phrase, place, house)

    def _about(self, phrase: phrasing.Phrase, place: Thing, house: House) -> Question:
        determined = self.index.determined(phrase.claim, place, house)
        other = None if determined else self.index.better(phrase.claim, place)
        if other and ("postal code" not in phrase.noise or other[0].postal == place.postal):
            phrase.noise.append("names another")
            house = other[1]
        return Question(
            phrase.text, self.region.house_guid(house.id), 10, determined,
            "exact" if determined else "ambiguous", tuple(phrase.noise),
        )  # fmt: skip

    def _absent_house(self) -> Question:
        """Ask for a number that the street does not have."""
        place, house = self.house()
        absent = house._replace(number=str(self.draw.randint(3000, 9000)), first="", first_kind=0)
        absent = absent._replace(second="", second_kind=0)
        number = numbering.careless(self.draw, absent)
        phrase = phrasing.careless(
            self.region, place, number, self.draw, typos=(False, False), former=False
        )
        sure = self.index.determined(phrase.claim, place, None)
        return Question(
            phrase.text, place.guid, place.level, sure,
            "street_only" if sure else "ambiguous", (*phrase.noise, "absent house"),
        )  # fmt: skip

    def _street_only(self) -> Question:
        """Ask for a street, without a house."""
        place = self.house()[0]
        while place.level != 8:
            place = self.house()[0]
        phrase = phrasing.careless(
            self.region, place, numbering.Number("", frozenset()), self.draw,
            typos=(self.draw.random() < _STREET_TYPO, False), former=False,
        )  # fmt: skip
        sure = self.index.determined(phrase.claim, place, None)
        return Question(
            phrase.text, place.guid, place.level, sure, "exact" if sure else "ambiguous",
            (*phrase.noise, "no house"),
        )  # fmt: skip

    def _many_villages(self) -> Question:
        """Ask for a street that many villages have, without saying which village."""
        if not self.common:
            return self._nonsense()
        name, kind = self.draw.choice(self.common)
        form = self.draw.choice(words()["spelled"][kind])
        text = f"{form} {name}, д. {self.draw.randint(1, 8)}"
        if self.draw.random() < 0.5:
            text = f"{spelling.above(self.draw, self.region.root)}, {text}"
        return Question(text, "", 0, False, "ambiguous", ("no settlement",))

    def _nonsense(self) -> Question:
        """Write what is no address."""
        return Question(
            self.draw.choice(words()["nonsense"]["texts"]), "", 0, False, "not_found", ("nonsense",)
        )

    def _invented(self) -> Question:
        """Ask for a street of a town that is nowhere."""
        given = words()["nonsense"]
        text = (
            f"г. {self.draw.choice(given['towns'])}, ул. {self.draw.choice(given['streets'])},"
            f" д. {self.draw.randint(1, 99)}"
        )
        return Question(text, "", 0, False, "not_found", ("invented",))

    def _district_only(self) -> Question:
        """Leave the settlement out, keep the district."""
        place, house = self.house()
        while place.level != 8 or not place.town or all(t.level != 2 for t in place.above):
            place, house = self.house()
        number = numbering.careless(self.draw, house)
        phrase = phrasing.careless(
            self.region, place, number, self.draw, typos=(False, False), former=False, town=False
        )
        return self._about(phrase, place, house)


def _sound(house: House) -> bool:
    return not (house.closed or house.dangling or house.twin)
