"""A question is found by what its caller may call it, and by nothing that might mean another."""

from __future__ import annotations

import pytest

from gateway.errors import ValidationError
from gateway.model.appeal import Appeal
from gateway.model.base import ExternalRef
from gateway.model.digest import canonical_json
from gateway.model.question import Question
from gateway.triage import questions

OURS = {"uuid-1": 1, "uuid-2": 2, "uuid-3": 3}


def names(*given: str) -> questions.Names:
    """Three questions with such ids of their sender."""
    asked = tuple(
        Question(ordinal=n, refs=(ExternalRef(peer="p", kind="external_id", value=value),))
        for n, value in enumerate(given, 1)
    )
    return questions.read(OURS, canonical_json(Appeal(questions=asked)))


def found(asked: str, known: questions.Names, *, shown: bool = True) -> int | None:
    given = known.given if shown else questions.NOTHING
    return questions.ordinals((asked,), known.ids, given).get(asked)


def test_the_senders_own_number_is_not_taken_for_a_place():
    known = names("0", "1", "2")
    assert [found(asked, known) for asked in ("0", "1", "2", "3")] == [1, 2, 3, 3]


def test_whoever_is_not_shown_the_senders_ids_means_places_by_numbers():
    known = names("0", "1", "2")
    assert [found(asked, known, shown=False) for asked in ("0", "1", "2")] == [None, 1, 2]


def test_our_own_id_is_always_the_question_we_gave_it_to():
    assert found("uuid-2", names("uuid-3", "uuid-2", "uuid-2")) == 2


def test_an_id_that_two_questions_bear_names_neither():
    with pytest.raises(ValidationError, match="two questions"):
        found("a", names("a", "b", "a"))


def test_of_an_erased_content_places_and_our_ids_are_left():
    known = questions.read(OURS, None)
    assert [found(asked, known) for asked in ("uuid-3", "1", "a")] == [3, 1, None]
