"""Where a search begins: the region that a text names, else those that are likelier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.addresses import keys
from gateway.addresses.candidates import State
from gateway.addresses.gazetteer import NONE
from gateway.addresses.likeness import compare

if TYPE_CHECKING:
    from gateway.addresses.found import Question
    from gateway.addresses.gazetteer import Gazetteer, Region
    from gateway.addresses.parts import Parsed, Part

SECOND: Final = 0.99
ELSEWHERE: Final = 0.9
"""A region that is not among those that are likelier, when the text names none."""


def tops(
    gazetteer: Gazetteer, question: Question, parsed: Parsed
) -> tuple[list[State], tuple[str, ...]]:
    """Return where to begin, and notes: a region that is not loaded."""
    likelier = [int(code) for code in question.regions if code.isdigit()]
    allowed = [
        region
        for region in gazetteer.regions.values()
        if not question.strict or region.code in likelier
    ]
    if not allowed:
        return [], ("регион не загружен",)
    part = parsed.first("region")
    if part is not None:
        named = [state for region in allowed if (state := _named(region, part))]
        if named:
            top = max(state.score for state in named)
            return [state for state in named if state.score == top], ()
        return [], (f"регион не загружен или не назван верно: {part.name}",)
    if not likelier:
        return [State(region, NONE, 1.0) for region in allowed], ()
    return [State(region, NONE, _prior(region.code, likelier)) for region in allowed], ()


def _prior(code: int, likelier: list[int]) -> float:
    if code == likelier[0]:
        return 1.0
    return SECOND if code in likelier else ELSEWHERE


def _named(region: Region, part: Part) -> State | None:
    """Return the beginning in a region that bears the name, or a part of its name, or is like."""
    if region.root == NONE:
        return None
    own = keys.name(region.name(region.root)).split()
    asked = keys.name(part.name).split()
    if own == asked:
        return State(region, NONE, 1.0, ((part, region.root, ""),))
    shorter, longer = sorted((asked, own), key=len)
    telling = any(len(word) > 3 for word in shorter)
    if telling and all(word in longer for word in shorter):
        return State(region, NONE, 0.995, ((part, region.root, ""),))
    judged = compare(asked, own)
    if judged:
        return State(region, NONE, judged[0], ((part, region.root, judged[1]),))
    return None
