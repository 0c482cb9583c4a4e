"""What is answered of the places that a reading may mean, once their houses are known.

A wrong house costs more than a doubt. The street is chosen by the text: a house on one that fits
less is only shown. Between streets that fit alike, in a place that the text names, the one that has
the house is meant; where the text names no more than the region that is not enough.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.addresses import beside, keys
from gateway.addresses.candidates import passed
from gateway.addresses.gazetteer import NONE
from gateway.addresses.likeness import named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.addresses.candidates import State
    from gateway.addresses.found import Outcome
    from gateway.addresses.houses import HouseRow
    from gateway.addresses.parts import Parsed

ACCEPT: Final = 0.78
"""What is surer is one object; what is less sure is a doubt, whoever is alone."""
NAMED: Final = 0.62
"""What is less sure is not named as a doubt, only shown."""
MARGIN: Final = 0.055
"""By how much, of one, the next place must be less likely."""
CLOSE: Final = 0.87
"""A house on a street that fits but a little less makes a doubt of a street without it."""
BY_HOUSE: Final = 0.95
"""Decided by where the house stands."""
ASKED: Final = 16
"""Places of one reading whose houses are looked up."""
NEAR: Final = 7
"""Characters between the number of a house and its letter: ` лит. `."""
_PREPOSITIONS: Final = frozenset("всукио")
POSTAL: Final = 6
_CODES: Final = {1: 1.0, 0: 0.97, -1: 0.93}
"""People copy postal codes from old letters: they weigh less than any name."""


class Reading(NamedTuple):
    """One reading of a text: the places it may mean, and the keys of its house."""

    parsed: Parsed
    states: list[State]
    keys: tuple[tuple[str, float], ...]
    complete: bool
    """Whether every part was looked for; otherwise the places are how far it went."""


class Hit(NamedTuple):
    """A place with the house that was found there; postal: 1 the code is its own, -1 another's."""

    state: State
    house: HouseRow | None
    score: float
    postal: int
    why: str = ""


class Verdict(NamedTuple):
    """What is answered: outcome, best first, and notes in Russian."""

    outcome: Outcome
    hits: list[Hit]
    notes: tuple[str, ...] = ()

    @property
    def rank(self) -> int:
        """How much it says: exact 3, street_only 2, ambiguous 1, not_found 0."""
        return {"exact": 3, "street_only": 2, "ambiguous": 1}.get(self.outcome, 0)


def judge(reading: Reading, houses: Mapping[tuple[int, int, str], list[HouseRow]]) -> Verdict:
    """Return what a reading comes to."""
    if not reading.states:
        return Verdict("not_found", [])
    if not reading.complete:
        return _partial(reading)
    hits = _hits(reading, houses)
    top = max(_fit(hit) for hit in hits)
    group = _by_postal_code([hit for hit in hits if _fit(hit) >= top * (1 - MARGIN)])
    found = _among(reading, hits, group)
    if found.outcome == "ambiguous" and found.hits[0].score < NAMED:
        return found._replace(outcome="not_found", notes=(*found.notes, "сходство слишком мало"))
    return found


def _among(reading: Reading, hits: list[Hit], group: list[Hit]) -> Verdict:
    """Return the outcome of the places that fit alike."""
    if group[0].state.many:
        return Verdict("ambiguous", hits, ("таких названий слишком много: назовите место точнее",))
    if reading.keys:
        return _with_house(reading, hits, group)
    if _places(group) > 1:
        return Verdict("ambiguous", group, ("подходит несколько мест",))
    return _exact(reading, hits, group[0])


def _left(reading: Reading, best: Hit) -> str:
    """Return words that nothing explains, where they may name what is meant."""
    region = best.state.region
    rest = [word for text in reading.parsed.rest for word in keys.words(text)]
    if reading.keys and best.house:
        letter = _letter(reading.parsed) if best.house.key.isdigit() else ""
        names = (
            word for word in rest if word.isalpha() and (len(word) == 1 or named(region, word))
        )
        return " ".join([*letter, *names])
    telling = 3
    return " ".join([*passed(best.state), *(word for word in rest if len(word) > telling)])


def _letter(parsed: Parsed) -> str:
    """Return a letter behind the number of a house that was taken for no part of it.

    `14-а`, `14 лит. А`; a preposition with a space before it is none.
    """
    end, behind = -NEAR, 0
    for token in parsed.tokens:
        if token.role == "house" and token.text[-1:].isdigit():
            end, behind = token.end, 0
            continue
        behind += 1
        alone = token.role == "other" and len(token.text) == 1 and token.text.isalpha()
        joined = parsed.text[end : token.start] == "-"
        if alone and 0 <= token.start - end <= NEAR and behind <= 2:
            return "" if token.text in _PREPOSITIONS and not joined else token.text
    return ""


def _partial(reading: Reading) -> Verdict:
    """Nothing at the end of the way: say how far it went."""
    states = [state for state in reading.states if state.at != NONE][:3]
    found = {part.name for state in states for part, at, _ in state.seen if at != NONE}
    wanted = reading.parsed.first("street") or reading.parsed.first("plan")
    missing = wanted or reading.parsed.first("settlement")
    notes = (f"не найдено: {missing.name}",) if missing and missing.name not in found else ()
    return Verdict("not_found", [Hit(s, None, s.score * 0.5, 0) for s in states], notes)


def _hits(
    reading: Reading, houses: Mapping[tuple[int, int, str], list[HouseRow]]
) -> list[Hit]:  # fmt: skip
    code = reading.parsed.first("postal_code")
    wanted = code.name.strip() if code else ""
    found: list[Hit] = []
    for state in reading.states[:ASKED]:
        region = state.region
        rows, factor, why = _house(reading, state, houses)
        for row in rows or (None,):
            own = (row.postal_code if row else "") or region.postal_code(state.at)
            postal = 0 if not wanted or len(own) != POSTAL else 1 if own == wanted else -1
            score = state.score * (factor if row else 1.0)
            found.append(Hit(state, row, score, postal, why if row else ""))
    found.sort(key=lambda hit: (-round(hit.score, 6), -hit.postal, hit.house is None, hit.state.at))
    return found


def _house(
    reading: Reading, state: State, houses: Mapping[tuple[int, int, str], list[HouseRow]]
) -> tuple[list[HouseRow], float, str]:
    """Return the rows of the surest spelling that is there, with how sure it is."""
    region = state.region
    parent = region.id[state.at]
    found: dict[int, HouseRow] = {}
    sure, spelt = 0.0, ""
    for key, factor in reading.keys:
        if found and factor < sure:
            break
        for row in houses.get((region.code, parent, key), ()):
            found.setdefault(row.id, row)
            sure, spelt = factor, key
    rows = list(found.values())
    plain = [row for row in rows if not row.kind]
    if plain and reading.parsed.first("stead") is None:
        rows = plain
    why = "" if sure in {0.0, 1.0} else f"в реестре записан как {spelt}"
    return rows, sure, why


def _fit(hit: Hit) -> float:
    """Return how well a place fits the text beside others: by its names, a little by its code."""
    return hit.state.score * _CODES[hit.postal]


def _by_postal_code(group: list[Hit]) -> list[Hit]:
    """Keep those whose postal code the text has, where the others have another."""
    own = [hit for hit in group if hit.postal > 0]
    if own and all(hit.postal for hit in group):
        return own
    return group


def _with_house(reading: Reading, hits: list[Hit], group: list[Hit]) -> Verdict:
    there = [hit for hit in group if hit.house]
    if _places(group) == 1:
        if len(there) == 1:
            return _exact(reading, hits, there[0])
        if there:
            return Verdict("ambiguous", there, ("в реестре несколько таких домов",))
        return _no_house(reading, hits, group[0])
    if len(there) == 1 and _placed(reading.parsed) and not _crowded(reading):
        best = there[0]._replace(score=there[0].score * BY_HOUSE)
        notes = ("подходит несколько улиц: выбрана та, где есть такой дом",)
        return _exact(reading, hits, best, notes)
    if there:
        return Verdict(
            "ambiguous",
            [*there, *(hit for hit in group if not hit.house)],
            ("подходит несколько мест" if len(there) > 1 else "дом есть только в одном из мест",),
        )
    return Verdict("ambiguous", group, ("подходит несколько мест, дома нет ни в одном",))


def _no_house(reading: Reading, hits: list[Hit], best: Hit) -> Verdict:
    """The place is sure and has no such house; a house on a less likely street is only shown."""
    elsewhere = [hit for hit in hits if hit.house]
    parsed = reading.parsed
    if not (parsed.first("street") or parsed.first("plan")) and _has_streets(best.state):
        return Verdict("not_found", [best, *elsewhere], ("улица не названа",))
    notes: tuple[str, ...] = ("дома нет в реестре",)
    near = [hit for hit in elsewhere if hit.state.score >= best.state.score * CLOSE]
    if near:
        return Verdict("ambiguous", [*near, best], (*notes, "такой дом есть на похожей улице"))
    if elsewhere:
        notes += ("такой дом есть на похожей улице",)
    return _sure("street_only", [best, *elsewhere], notes)


def _exact(reading: Reading, hits: list[Hit], best: Hit, notes: tuple[str, ...] = ()) -> Verdict:
    chosen = [best, *_others(hits, best)]
    if left := _left(reading, best):
        return Verdict("ambiguous", chosen, (*notes, f"не понято: {left}"))
    if best.house and (why := beside.doubt(reading.parsed)):
        return Verdict("ambiguous", chosen, (*notes, why))
    return _sure("exact", chosen, notes)


def _sure(outcome: Outcome, hits: list[Hit], notes: tuple[str, ...] = ()) -> Verdict:
    """Return the outcome, or a doubt when the best is not sure enough."""
    best = hits[0]
    if best.score >= ACCEPT:
        return Verdict(outcome, hits, notes)
    return Verdict("ambiguous", hits, (*notes, "не хватает сходства, чтобы решить"))


def _others(hits: list[Hit], best: Hit) -> list[Hit]:
    """Return what else was possible at places of its own."""
    place = (best.state.region.code, best.state.at)
    return [hit for hit in hits if (hit.state.region.code, hit.state.at) != place]


def _places(group: list[Hit]) -> int:
    return len({(hit.state.region.code, hit.state.at) for hit in group})


def _crowded(reading: Reading) -> bool:
    """Tell whether as likely places as the best were not asked for their houses."""
    states = reading.states
    return len(states) > ASKED and states[ASKED].score >= states[0].score * (1 - MARGIN)


def _placed(parsed: Parsed) -> bool:
    """Tell whether a text says where its street is: then the house may choose between streets."""
    named = {"settlement", "municipality", "district", "plan"}
    return parsed.first("street") is not None and any(part.role in named for part in parsed.parts)


def _has_streets(state: State) -> bool:
    region = state.region
    return 8 in region.level[state.at : region.last[state.at] + 1]
