"""Of another's appeal that one's letter was merged into, nothing is shown that its sender gave."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from msgspec.structs import replace

from gateway.disclosure import Level, disclose
from gateway.model.answer import Answer, Outcome, Result
from gateway.model.appeal import Appeal
from gateway.model.base import ExternalRef
from gateway.model.events import Actor, Event, EventType
from gateway.model.facts import AmendmentFacts, AnswerFacts, NoFacts, RatingFacts, RegistrationFacts
from gateway.model.question import Question
from gateway.model.registration import Registration
from gateway.sharing import share, share_event, shared
from tests.unit.test_disclosure import WHOLE, places

NUMBERS = {"receipt_number", "questions.state", "deadlines.rule", "deadlines.article"}
ANSWER = ("answers.number", "answers.text", "answers.signed_by.", "answers.attachments.")
DECIDED = ("questions.owner_org.", "questions.outcome.ground.", "transfers.number",
           "transfers.to_org.")  # fmt: skip


@pytest.mark.parametrize(
    ("level", "more"),
    [
        (Level.REFERENCE_ONLY, ()),
        (Level.PROBLEM_ONLY, DECIDED),
        (Level.FULL, (*DECIDED, *ANSWER)),
    ],
)
def test_where_it_stands_is_shown_and_by_its_level_how_it_was_decided(level, more):
    seen = places(shared(WHOLE, level))
    allowed = ("registrations.", *more)
    assert {place for place in seen - NUMBERS if not place.startswith(allowed)} == set()
    assert all(any(place.startswith(part) for place in seen) for part in more)


@pytest.mark.parametrize("level", list(Level))
def test_no_more_is_shown_than_to_whom_it_was_given(level):
    assert places(shared(WHOLE, level)) <= places(disclose(WHOLE, level))


def test_ones_own_stands_where_the_other_stands():
    outcome = Outcome(result=Result.EXPLAINED)
    mine = Appeal(
        text="моё", refs=(ExternalRef(peer="a", kind="external_id", value="1"),),
        questions=(Question(text="мой"), Question(ordinal=2, text="второй")),
        registrations=(Registration(number="1-ж"),),
    )  # fmt: skip
    theirs = Appeal(
        text="чужое", registrations=(Registration(number="1-ж"), Registration(number="2-ж")),
        questions=(
            Question(id=uuid.UUID(int=9), text="чужой", state="answered", outcome=outcome),
        ),
        answers=(Answer(text="Меры приняты"),),
    )  # fmt: skip
    seen = share(mine, theirs, Level.FULL)
    first, second = seen.questions
    assert (seen.text, seen.refs) == (mine.text, mine.refs)
    assert (first.text, first.state, first.outcome) == ("мой", "answered", outcome)
    assert second == mine.questions[1]
    assert [r.number for r in seen.registrations] == ["1-ж", "2-ж"]
    assert [a.text for a in seen.answers] == ["Меры приняты"]
    assert share(mine, theirs, Level.REFERENCE_ONLY).answers == ()


def test_an_event_is_told_as_below_full_and_an_answer_by_the_level():
    now = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    event = Event(
        appeal_id=uuid.UUID(int=1), seq=2, type=EventType.AMENDED, occurred_at=now,
        recorded_at=now, actor=Actor(kind="peer", id="portal"), key="theirs",
        payload=AmendmentFacts(revision=2, digest="ab" * 32),
    )  # fmt: skip
    shown = share_event(event, Level.FULL)
    assert (shown.actor, shown.key) == (Actor(kind="system"), "")
    assert shown.payload == AmendmentFacts(revision=2)
    answer = replace(event, payload=AnswerFacts(kind="final", attachments=("ab" * 32,)))
    assert share_event(answer, Level.FULL).payload == answer.payload
    assert share_event(answer, Level.PROBLEM_ONLY).payload == AnswerFacts(kind="final")
    number = replace(event, payload=RegistrationFacts(number="17"))
    assert {share_event(number, level).payload for level in Level} == {number.payload}
    assert share_event(event, Level.REFERENCE_ONLY).payload == NoFacts()


@pytest.mark.parametrize("level", list(Level))
def test_how_an_answer_was_rated_is_said_to_whom_it_was_said(level):
    confirmed = Event(
        appeal_id=uuid.UUID(int=1), seq=9, type=EventType.CONFIRMED,
        occurred_at=dt.date(2026, 6, 1),
        recorded_at=dt.datetime(2026, 6, 1, tzinfo=dt.UTC), actor=Actor(kind="peer", id="portal"),
        payload=RatingFacts(score=1, scale="1-5"),
    )  # fmt: skip
    assert share_event(confirmed, level).payload in (RatingFacts(), NoFacts())
