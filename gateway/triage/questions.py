"""How a call may name the questions of an appeal; pure.

By our id, by the id that the appeal's sender gave, where the caller is shown it, or by the place in
the appeal, in this order: a sender may number its questions from 0, and its "1" is not our first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from gateway.errors import ValidationError, Violation
from gateway.model.question import Question

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NOTHING: Final[Mapping[str, frozenset[int]]] = {}


class Names(NamedTuple):
    """The questions of one appeal: our id → ordinal, its sender's id → ordinals that bear it."""

    ids: Mapping[str, int]
    given: Mapping[str, frozenset[int]]


NONE: Final = Names({}, NOTHING)


class _Questions(msgspec.Struct):
    """The only part of a content that naming questions needs."""

    questions: tuple[Question, ...] = ()


def read(ids: Mapping[str, int], content: bytes | None) -> Names:
    """Return how the questions of an appeal are named. content: None when it was erased."""
    given: dict[str, frozenset[int]] = {}
    if content is not None:
        for question in msgspec.json.decode(content, type=_Questions).questions:
            for ref in question.refs:
                before = given.get(ref.value, frozenset())
                given[ref.value] = before | {question.ordinal}
    return Names(ids, given)


def ordinals(
    asked: Iterable[str], ids: Mapping[str, int], given: Mapping[str, frozenset[int]]
) -> dict[str, int]:
    """Return name → ordinal of the names that mean a question.

    given: of `Names`, where the caller is shown what the sender calls them, else `NOTHING`. Raises
    ValidationError for an id that the sender gave to two questions.
    """
    places = {str(ordinal): ordinal for ordinal in ids.values()}
    found: dict[str, int] = {}
    for name in asked:
        bearers = given.get(name, frozenset())
        if name in ids:
            found[name] = ids[name]
        elif len(bearers) > 1:
            message = "two questions of the appeal have this id: name one by the id we gave it"
            raise ValidationError(message, (Violation("QuestionId", "ambiguous", message, name),))
        elif bearers:
            [found[name]] = bearers
        elif name in places:
            found[name] = places[name]
    return found
