"""Which houses of a region a text may mean: from the region's data alone, not from any search."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import OSA

from simulators.gar import numbering
from simulators.gar.spelling import Written, plain, spellings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulators.gar.houses import House
    from simulators.gar.region import Region
    from simulators.gar.thing import Thing

FORMER = 2
Rank = tuple[int, int]
"""How well a name fits: edits, then 0 its name now, 1 another spelling of it, 2 a former name."""


class Claim(NamedTuple):
    """What a text says. area: a district named without error. house: numbers that may be meant."""

    area: Thing | None
    town: Written | None
    part: Written | None
    street: Written | None
    house: frozenset[str]


class Index:
    """The names of a region, under every settlement and district that they are in."""

    def __init__(self, region: Region) -> None:
        self.region = region
        self.towns = [thing for thing in region.things if thing.level in (5, 6)]
        self._inside: dict[int, list[Thing]] = defaultdict(list)
        for thing in region.things:
            if thing.houses:
                for up in thing.above:
                    self._inside[up.id].append(thing)
        self._names: dict[int, dict[str, list[tuple[int, Thing]]]] = {}

    @cached_property
    def _town_names(self) -> dict[str, list[Thing]]:
        found = defaultdict(list)
        for town in self.towns:
            for name in spellings(town.name):
                found[plain(name)].append(town)
        return found

    def determined(self, claim: Claim, meant: Thing, house: House | None) -> bool:
        """Say whether the text means this one house (or street) of the region and no other.

        A settlement that is not the meant one's, named without an error, undoes it; so does
        another street that fits better, whether or not it has the house. Among those that fit as
        well, the house decides.
        """
        scopes = self._scopes(claim)
        if not any(scope in (meant, *meant.above) for scope in scopes):
            return False
        own = self._rank(claim, meant)
        found = 0
        for place, rank in self._fitting(claim, own, scopes):
            if place is meant:
                continue
            if rank < own:
                return False
            if house is None:
                return False
            found += self._has(place, claim.house)
        return not found and (house is None or self._has(meant, claim.house) == 1)

    def better(self, claim: Claim, meant: Thing) -> tuple[Thing, House] | None:
        """Return the one house, with its street, that a text names better than the one meant.

        It must be named by the name that its street has now: a former name that another street has
        taken, initials left out where a street without them exists, a misspelt village that is the
        name of another. The text says the other address then.
        """
        scopes = self._scopes(claim)
        lost = not any(scope in (meant, *meant.above) for scope in scopes)
        own = self._rank(claim, meant)
        found: dict[Rank, list[tuple[Thing, House]]] = defaultdict(list)
        for place, rank in self._fitting(claim, own, scopes):
            if place is not meant and (lost or rank < own):
                found[rank] += [(place, house) for house in self._those(place, claim.house)]
        fit = min(found, default=(0, FORMER))
        return found[fit][0] if fit[1] == 0 and len(found[fit]) == 1 else None

    def _has(self, place: Thing, readings: frozenset[str]) -> int:
        return len(self._those(place, readings))

    def _those(self, place: Thing, readings: frozenset[str]) -> list[House]:
        return [
            house
            for house in self.region.houses(place)
            if not (house.closed or house.dangling) and numbering.true(house) in readings
        ]

    def _rank(self, claim: Claim, meant: Thing) -> Rank:
        if claim.street is None:
            return (0, 0)
        written = plain(claim.street.name)
        ranks = [(OSA.distance(written, name), way) for name, way in _names_of(meant)]
        return min(ranks)

    def _fitting(
        self, claim: Claim, own: Rank, scopes: list[Thing]
    ) -> Iterable[tuple[Thing, Rank]]:
        for scope in scopes:
            if claim.street is None:
                yield from self._without_street(claim, scope)
                continue
            for place, rank in self._streets(scope, claim.street, own[0]):
                if rank <= own and _in_part(place, claim.part):
                    yield place, rank

    def _without_street(self, claim: Claim, scope: Thing) -> Iterable[tuple[Thing, Rank]]:
        if claim.part is None:
            yield scope, (0, 0)
            return
        for place in self._inside[scope.id]:
            if place.level != 8 and _in_part(place, claim.part):
                yield place, (0, 0)

    def _scopes(self, claim: Claim) -> list[Thing]:
        if claim.town is None:
            return [claim.area or self.region.root]
        written = plain(claim.town.name)
        fit = self._town_names.get(written)
        if not fit:
            near = process.extract(
                written, list(self._town_names), scorer=OSA.distance, score_cutoff=1, limit=None
            )
            fit = [town for name, _, _ in near for town in self._town_names[name]]
        return [
            town
            for town in dict.fromkeys(fit)
            if (claim.town.kinds is None or town.kind in claim.town.kinds)
            and (claim.area is None or claim.area in (*town.above, town.over))
        ]

    def _streets(self, scope: Thing, street: Written, edits: int) -> Iterable[tuple[Thing, Rank]]:
        names = self._names.get(scope.id)
        if names is None:
            names = self._names[scope.id] = defaultdict(list)
            for place in self._inside[scope.id]:
                for name, way in _names_of(place):
                    names[name].append((way, place))
        written = plain(street.name)
        if edits:
            near = process.extract(
                written, list(names), scorer=OSA.distance, score_cutoff=edits, limit=None
            )
            hits = [(name, int(distance)) for name, distance, _ in near]
        else:
            hits = [(written, 0)] if written in names else []
        for name, distance in hits:
            for way, place in names[name]:
                if street.kinds is None or place.kind in street.kinds:
                    yield place, (distance, way)


def _names_of(place: Thing) -> list[tuple[str, int]]:
    """Return the names of a place as they are compared, each with how good a fit it is."""
    found: dict[str, int] = {}
    for n, name in enumerate(spellings(place.name)):
        found.setdefault(plain(name), min(n, 1))
    former = [before.name for before in place.before] + [closed.name for closed in place.origin]
    for old in former:
        for name in spellings(old):
            found.setdefault(plain(name), FORMER)
    return list(found.items())


def _in_part(place: Thing, part: Written | None) -> bool:
    """Say whether a place is, or is in, the microdistrict that a text names."""
    if part is None:
        return True
    name = plain(part.name)
    return any(
        plain(each.name) == name and (part.kinds is None or each.kind in part.kinds)
        for each in (place, *place.above)
    )
