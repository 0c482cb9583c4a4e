"""Which objects of the registry a reading of a text may mean: a walk from the region down.

Each part of the text narrows what the walk has reached. A part that is not found costs its price,
by its role; one that would decide everything (a settlement that is not there) costs more than
any later match can pay back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.addresses import gazetteer, keys, kinds
from gateway.addresses.gazetteer import NONE, Named, Region
from gateway.addresses.likeness import alike

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.addresses.likeness import Like
    from gateway.addresses.parts import Parsed, Part, Role

ORDER: Final[tuple[Role, ...]] = ("municipality", "settlement", "district", "plan", "street")
LEVELS: Final[dict[str, dict[int, float]]] = {
    "municipality": {2: 1.0, 3: 1.0, 4: 1.0, 5: 0.96, 6: 0.8},
    "settlement": {1: 1.0, 5: 1.0, 6: 1.0, 4: 0.95, 7: 0.88},
    "district": {2: 1.0, 3: 1.0, 4: 1.0, 5: 1.0, 6: 1.0, 7: 1.0},
    "plan": {7: 1.0, 8: 0.97, 6: 0.95, 5: 0.9},
    "street": {8: 1.0, 7: 0.97, 6: 0.88},
}
PASSED: Final[dict[str, float]] = {
    "municipality": 0.88, "settlement": 0.55, "district": 0.93, "plan": 0.85,
}  # fmt: skip
"""What it costs to go on without a part."""
OLD: Final = 0.93
KINDLY: Final = 0.9
KIND_NOW: Final = 0.98
"""A former name with the type that the street has now."""
KIND_THEN: Final = 0.92
"""A former name with the type it had, where the street has another now."""
CHOSEN: Final = 0.99
NESTED: Final = 0.88
"""A street of a settlement that lies in the one that is named."""
DISTRICT_ONLY: Final = 0.88
NO_SETTLEMENT: Final = 0.83
INNER: Final = 0.97
KEPT: Final = 100
"""Places that a walk keeps at a time."""
MANY: Final = 60
ENOUGH: Final = 0.85
"""What ends the search for other spellings."""
_SETTLEMENTS: Final = frozenset({1, 5, 6})


class State(NamedTuple):
    """Where a walk stands. seen: what each part was found as. street: whether it is at a street."""

    region: Region
    at: int
    score: float
    seen: tuple[tuple[Part, int, str], ...] = ()
    old: bool = False
    many: bool = False
    street: bool = False
    typed: str = kinds.SAME
    """How the type of the last part stands to that of the registry."""


class Walk:
    """Walks of one batch; what is like a misspelt name is looked up once."""

    def __init__(self) -> None:
        self._alike: dict[tuple[int, str], list[Like]] = {}

    def reach(self, tops: list[State], parsed: Parsed) -> list[State]:
        """Return what a reading may mean, likelier first.

        The exact spelling first; then with errors where a part is not found; then with errors in
        the settlement though one of that very name is there.
        """
        parts = [part for role in ORDER for part in parsed.all(role)]
        whole = len(parts) + len(tops[0].seen)
        best: list[State] = []
        for fuzzy in (0, 1, 2):
            found = self._walk(tops, parts, fuzzy)
            if _worth(found) > _worth(best):
                best = found
            if _depth(best) == whole and _settled(best[0], fuzzy):
                break
        return best

    def _walk(self, tops: list[State], parts: list[Part], fuzzy: int) -> list[State]:
        states = tops
        for place, part in enumerate(parts):
            found: dict[tuple[int, int], State] = {}
            street = part.role == "street" or (
                part.role == "plan" and all(p.role == "plan" for p in parts[place:])
            )
            for state in states:
                for further in self._further(state, part, fuzzy, street=street):
                    known = found.get((further.region.code, further.at))
                    if known is None or known.score < further.score:
                        found[further.region.code, further.at] = further
            if not found:
                return states if fuzzy else []
            states = _best(sorted(found.values(), key=_rank))
        return states

    def _further(self, state: State, part: Part, fuzzy: int, *, street: bool) -> Iterator[State]:
        key = keys.name(part.name)
        any_found = False
        for further in self._of(state, part, key, street=street):
            any_found = True
            yield further
        if fuzzy and (not any_found or (fuzzy > 1 and part.role in {"settlement", "street"})):
            for like in self._like(state.region, key):
                for further in self._spelt(state, part, like, street=street):
                    any_found = True
                    yield further
        yield from self._without(state, part, key, fuzzy, found=any_found)

    def _without(
        self, state: State, part: Part, key: str, fuzzy: int, *, found: bool
    ) -> Iterator[State]:
        """Give the walk without a part: where it is not there, or leads nowhere as it is spelt."""
        price, why = PASSED.get(part.role), "не использовано"
        if price is None or (part.role == "settlement" and (found or not fuzzy)):
            return
        if part.role == "municipality" and self._inner(state.region, key):
            price, why = INNER, "район города"
        elif found and not fuzzy:
            return
        if not found and self._confirms(state, part, key):
            price, why = 1.0, ""
        yield state._replace(
            score=state.score * price, seen=(*state.seen, (part, NONE, why)), street=False
        )

    def _of(self, state: State, part: Part, key: str, *, street: bool) -> Iterator[State]:
        number = state.region.keys.get(key)
        many = number is not None and state.region.count_of(number, state.at) > MANY
        named = list(state.region.called(key, state.at))
        ours = {found.at for found in named if found.kind == gazetteer.SYNONYM}
        for found in _likeliest(state.region, named, part) if many else named:
            factor = OLD if ours and found.at not in ours else 1.0
            if further := _judge(state, part, found, factor, "", street=street):
                yield further._replace(many=True) if many and not ours else further

    def _spelt(self, state: State, part: Part, like: Like, *, street: bool) -> Iterator[State]:
        if state.region.count_of(like.key, state.at) > MANY:
            return
        for found in state.region.of_key(like.key, state.at):
            if further := _judge(state, part, found, like.factor, like.why, street=street):
                yield further

    def _like(self, region: Region, key: str) -> list[Like]:
        found = self._alike.get((region.code, key))
        if found is None:
            found = self._alike[region.code, key] = alike(region, key)
        return found

    def _inner(self, region: Region, key: str) -> bool:
        """Tell whether a name is that of a city's own district: streets do not stand under it."""
        own = [found.at for found in region.called(key, NONE) if region.level[found.at] <= 4]
        return bool(own) and all(
            region.last[at] == at and region.mun_last[at] == region.mun[at] for at in own
        )

    def _confirms(self, state: State, part: Part, key: str) -> bool:
        """Tell whether the walk stands in an object of that name already."""
        if state.at == NONE:
            return False
        region = state.region
        above = {*region.above(state.at), *region.above(state.at, municipal=True)}
        spelt = {key, gazetteer.district(key)}
        return any(
            found.at in above and region.level[found.at] in LEVELS[part.role]
            for name in spelt
            for found in region.called(name, NONE)
        )


def passed(state: State) -> list[str]:
    """Return names that were passed over on the way, and say much or may be anything."""
    return [
        part.name
        for part, at, why in state.seen
        if at == NONE and why and (part.role == "settlement" or not part.type)
    ]


def _settled(best: State, fuzzy: int) -> bool:
    """Tell whether no other spelling can be meant; a part passed over may be misspelt."""
    left = any(why.startswith("не") for _, at, why in best.seen if at == NONE)
    return best.score > ENOUGH and not (passed(best) if fuzzy else left)


def _best(ranked: list[State]) -> list[State]:
    """Return the likeliest; all are doubtful when one as likely as they had to go."""
    kept = ranked[:KEPT]
    if len(ranked) > KEPT and ranked[KEPT].score > ranked[0].score * OLD:
        return [state._replace(many=True) for state in kept]
    return kept


def _judge(
    state: State, part: Part, found: Named, factor: float, why: str, *, street: bool
) -> State | None:
    """Return the walk one object further, None when the part cannot be that."""
    region, at = state.region, found.at
    level = LEVELS[part.role].get(region.level[at])
    if level is None or (at == state.at and part.role in {"plan", "street"}):
        return None
    if region.level[at] == 1 and part.role == "settlement" and not _is_city(region, at):
        return None
    typed, how = kinds.factor(part.role, part, found.type or region.type(at))
    chosen = found.kind == gazetteer.SYNONYM
    if chosen:  # whatever type was written, people have said what it means
        typed, how = CHOSEN, kinds.SAME
    elif found.kind != gazetteer.NOW:  # a street keeps its name's old type in some texts only
        now, its = kinds.factor(part.role, part, region.type(at))
        if now > KINDLY > typed:
            typed, how = now * KIND_NOW, its
        elif typed > KINDLY > now:
            typed *= KIND_THEN
    score = state.score * factor * level * typed
    if found.kind in {gazetteer.BEFORE, gazetteer.MERGED}:
        score *= OLD
        why = "; ".join(filter(None, (why, f"прежнее имя, теперь: {region.name(at)}")))
    elif chosen:
        why = "; ".join(filter(None, (why, f"выбор людей: {region.name(at)}")))
    if street and not chosen:
        score *= _nesting(state, at)
    return State(
        region, at, score, (*state.seen, (part, at, why)),
        old=state.old or found.kind in {gazetteer.BEFORE, gazetteer.MERGED},
        many=state.many, street=street, typed=how,
    )  # fmt: skip


def _is_city(region: Region, at: int) -> bool:
    return keys.fold(region.type(at)) in {"город", "город федерального значения"}


def _nesting(state: State, at: int) -> float:
    """Return how much less likely a street is that does not stand right in what was named."""
    region = state.region
    if state.at == NONE:
        return NO_SETTLEMENT
    settlement = region.settlement(at)
    if region.level[state.at] in _SETTLEMENTS:
        return 1.0 if settlement == state.at else NESTED
    if state.at == settlement or region.holds(settlement, state.at):
        return 1.0
    if region.level[state.at] in {2, 3, 4}:
        town = gazetteer.district(keys.name(region.name(state.at)))
        same = keys.name(region.name(settlement)) == town
        return 1.0 if same else DISTRICT_ONLY
    return NESTED


def _likeliest(region: Region, named: list[Named], part: Part) -> list[Named]:
    """Return the largest of very many, those of the right type before others."""
    found = [one for one in named if region.level[one.at] in LEVELS[part.role]]
    found.sort(
        key=lambda one: (
            one.kind != gazetteer.SYNONYM,
            kinds.relation(part, one.type or region.type(one.at)) != kinds.SAME,
            -region.houses[one.at],
            one.at,
        )
    )
    return found[:MANY]


def _rank(state: State) -> tuple[float, int, int]:
    return -round(state.score, 6), state.region.code, state.at


def _depth(states: list[State]) -> int:
    return len(states[0].seen) if states else -1


def _worth(states: list[State]) -> tuple[int, float]:
    return _depth(states), states[0].score if states else 0.0
