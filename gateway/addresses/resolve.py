"""From a text to a house of the registry, or an honest doubt; pure.

In two steps, because houses lie in the database: a plan says which houses must be looked up
(`asks`), and answers when they are there. The caller lends the look-up:

    plan = resolver.plan(questions)
    answers = plan.answer(houses(plan.asks), flats)
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from gateway.addresses import keys, labels, regions
from gateway.addresses.candidates import ORDER, State, Walk, passed
from gateway.addresses.found import Place, Resolved
from gateway.addresses.gazetteer import NONE
from gateway.addresses.houses import house_variants
from gateway.addresses.parse import parse
from gateway.addresses.readings import further
from gateway.addresses.told import tokens
from gateway.addresses.verdict import ASKED, Hit, Reading, Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gateway.addresses.found import Question
    from gateway.addresses.gazetteer import Gazetteer
    from gateway.addresses.houses import FlatRow, HouseRow
    from gateway.addresses.parts import Parsed

READINGS: Final = 4
PARTS: Final = 16
"""Names in one address; a text with more of them is no address, and is not looked for."""
CANDIDATES: Final = 10
OTHERS: Final = 3
"""What else was possible, where the answer is sure."""

HouseKey = tuple[int, int, str]
"""Region, OBJECTID of what the house stands in, key of the house."""


class Case:
    """A question with its readings."""

    __slots__ = ("asked", "notes", "parsed", "readings")

    def __init__(self, asked: Question) -> None:
        self.asked = asked
        self.parsed: Parsed | None = None
        self.readings: list[Reading] = []
        self.notes: tuple[str, ...] = ()


class Resolver:
    """Answers questions from the names that a gazetteer holds."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        self.gazetteer = gazetteer

    def plan(self, questions: Sequence[Question]) -> Plan:
        """Return what must be looked up to answer.

        Raises:
            ValidationError: a text is longer than an address can be.
        """
        walk = Walk()
        return Plan(self.gazetteer, [self._case(question, walk) for question in questions])

    def _case(self, question: Question, walk: Walk) -> Case:
        case = Case(question)
        parsed = question.parsed or parse(question.text)
        case.parsed = parsed
        for reading in (parsed, *parsed.others)[:READINGS]:
            tops, notes = regions.tops(self.gazetteer, question, reading)
            if not case.readings:
                case.notes = notes
            case.readings.append(_reading(walk, tops, reading))
        if parsed.rest or not any(map(_plain, case.readings)):
            tops, _ = regions.tops(self.gazetteer, question, parsed)
            case.readings += [
                found
                for reading in islice(further(parsed), READINGS)
                if _plain(found := _reading(walk, tops, reading))
            ]
        return case


class Plan:
    """What must be looked up for a batch of questions, and their answers.

    asks: houses to look up.
    """

    def __init__(self, gazetteer: Gazetteer, cases: list[Case]) -> None:
        self._gazetteer = gazetteer
        self._cases = cases
        self.asks: set[HouseKey] = {
            (state.region.code, state.region.id[state.at], key)
            for case in cases
            for reading in case.readings
            if reading.complete
            for state in reading.states[:ASKED]
            for key, _ in reading.keys
        }

    def answer(
        self,
        houses: Mapping[HouseKey, list[HouseRow]],
        flats: Callable[[set[HouseKey]], Mapping[HouseKey, list[FlatRow]]] | None = None,
    ) -> list[Resolved]:
        """Return the answers in order of the questions.

        flats: looks up apartments by (region, OBJECTID of the house, key), once for all.
        """
        decided = [_decide(case, houses) for case in self._cases]
        wanted: set[HouseKey] = set()
        if flats is not None:
            for _, reading, verdict in decided:
                wanted.update(_flat(reading, verdict))
        known = flats(wanted) if flats is not None and wanted else {}
        version = self._gazetteer.version
        return [_resolved(*one, known, version) for one in decided]


def _reading(walk: Walk, tops: list[State], parsed: Parsed) -> Reading:
    named = [part for role in ORDER for part in parsed.all(role)]
    if not tops or len(named) > PARTS or not (named or parsed.first("region")):
        return Reading(parsed, [], (), complete=False)
    states = walk.reach(tops, parsed)
    complete = bool(states) and len(states[0].seen) == len(tops[0].seen) + len(named)
    if complete:
        arrived = [state for state in states if state.at != NONE and _arrived(state)]
        complete, states = bool(arrived), arrived or states
    return Reading(parsed, states, house_variants(parsed), complete=complete)


def _plain(reading: Reading) -> bool:
    """Tell whether a reading arrives without a part passed over."""
    return reading.complete and not passed(reading.states[0])


def _arrived(state: State) -> bool:
    """Tell whether the last part that places a house was found, not passed over."""
    last = state.seen[-1] if state.seen else None
    return last is None or not last[2].startswith("не использовано")


def _decide(case: Case, houses: Mapping[HouseKey, list[HouseRow]]) -> tuple[Case, Reading, Verdict]:
    """Return the first reading that says most; another than the first only when it says more."""
    best: tuple[Case, Reading, Verdict] | None = None
    for reading in case.readings:
        verdict = judge(reading, houses)
        if best is None or (verdict.rank > best[2].rank and _same_place(best[2], verdict)):
            best = case, reading, verdict
        if best[2].outcome == "exact":
            break
    if best is None:  # a question always has a reading
        raise AssertionError
    return best


def _same_place(first: Verdict, other: Verdict) -> bool:
    """Tell whether another reading may take the place of one that led somewhere.

    It may explain words that were left, or read the number of a house otherwise where the first way
    there is none, but not find another street for that.
    """
    if first.outcome == "not_found" or not first.hits:
        return True
    there = {hit.house.id for hit in first.hits if hit.house}
    if there:
        house = other.hits[0].house
        return house is not None and house.id in there
    places = {(hit.state.region.code, hit.state.at) for hit in first.hits}
    best = other.hits[0].state
    return (best.region.code, best.at) in places


def _asks_flat(reading: Reading, verdict: Verdict) -> bool:
    return (
        verdict.outcome == "exact"
        and verdict.hits[0].house is not None
        and reading.parsed.first("apartment") is not None
    )


def _flat(reading: Reading, verdict: Verdict) -> list[HouseKey]:
    part = reading.parsed.first("apartment")
    best = verdict.hits[0].house if verdict.hits and verdict.outcome == "exact" else None
    if part is None or best is None or not verdict.hits[0].state.region.flats:
        return []
    return [(best.region, best.id, keys.flat(part.name))]


def _resolved(
    case: Case, reading: Reading, verdict: Verdict,
    flats: Mapping[HouseKey, list[FlatRow]], version: str,
) -> Resolved:  # fmt: skip
    chosen = verdict.outcome in {"exact", "street_only"}
    hits = verdict.hits[: 1 + OTHERS if chosen else CANDIDATES]
    best = hits[0] if hits else None
    notes = (*case.notes, *verdict.notes)
    if best and best.why:
        notes += (best.why,)
    if case.readings and reading is not case.readings[0]:
        notes += ("текст прочитан иначе: так он находится в реестре",)
    places = []
    for hit in hits:
        asked = _flat(reading, verdict) if hit is best else []
        rows = flats.get(asked[0], []) if asked else []
        if hit is best and len(rows) != 1 and _asks_flat(reading, verdict):
            notes += ("квартиры нет в реестре или она не загружена",)
        places.append(_place(hit, rows[0] if len(rows) == 1 else None))
    return Resolved(
        outcome=verdict.outcome,
        confidence=round(best.score, 3) if best else 0.0,
        best=places[0] if chosen else None,
        candidates=tuple(places[1:] if chosen else places),
        tokens=tokens(reading.parsed, best),
        notes=notes,
        parsed=reading.parsed,
        version=version,
    )


def _place(hit: Hit, flat: FlatRow | None) -> Place:
    state = hit.state
    return labels.place(
        state.region, state.at, hit.score, old=state.old, house=hit.house, flat=flat
    )
