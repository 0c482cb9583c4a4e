"""Properties of the fold: whatever peers say, nothing is lost and the history is the truth."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import InternalError
from gateway.lifecycle import BY_EVENT, EMPTY, ROWS, apply, evolve, fold
from gateway.model import facts as f
from gateway.model.events import Event, EventType, canonical_body
from gateway.model.upcast import load
from tests.unit.lifecycle_kit import (
    APPEAL,
    CTX,
    NOW,
    PAYLOADS,
    PORTAL,
    SED,
    answer,
    day,
    number,
    received,
    says,
    tell,
)

FROM_PEERS = [r.event for r in ROWS if "peer" in r.who and not r.later and r.sources]
PAYLOAD = {t: PAYLOADS.get(t, f.NoFacts()) for t in FROM_PEERS}


@st.composite
def claims(draw):
    kind = draw(st.sampled_from(FROM_PEERS))
    payload = PAYLOAD[kind]
    if kind is EventType.REGISTERED:
        payload = number(draw(st.sampled_from(["А-1", "Б-2"])), body=draw(st.sampled_from("ab")))
    elif kind is EventType.ANSWERED:
        payload = answer(draw(st.sampled_from(["explained", "supported"])), on=25)
    elif kind in {EventType.ASSIGNED, EventType.REASSIGNED}:
        payload = f.ExecutorFacts(organisation=draw(st.sampled_from("xyz")))
    questions = draw(st.sampled_from([(), (1,), (2,), (1, 2)]))
    return says(
        kind,
        draw(st.integers(2, 28)),
        payload,
        questions=questions,
        key=draw(st.sampled_from(["", "k-1", "k-2", "k-3"])),
        actor=draw(st.sampled_from([SED, PORTAL])),
        registration=draw(st.sampled_from([None, number("Б-2", body="a")])),
        executor=draw(st.sampled_from([None, f.ExecutorFacts(organisation="w")])),
    )


def takes(claim, regime):
    """Whether the regime knows the claim's event at all."""
    row = BY_EVENT[claim.type]
    return regime not in row.never and (not row.only or regime in row.only)


@settings(deadline=None)
@given(st.data(), st.lists(claims(), max_size=12))
def test_the_recorded_events_alone_give_the_state_back(data, said):
    regime = data.draw(st.sampled_from(["fz59", "message"]))
    said = [claim for claim in said if takes(claim, regime)]
    first = Event(
        appeal_id=APPEAL,
        seq=1,
        type=EventType.RECEIVED,
        occurred_at=day(1),
        recorded_at=NOW,
        actor=PORTAL,
        payload=f.ReceivedFacts(regime=regime, questions=2),
    )
    state, history = evolve(EMPTY, first), [first]
    for claim in said:
        outcome = apply(state, claim, CTX)
        assert outcome == apply(state, claim, CTX)
        if outcome.kind == "repeat":
            assert outcome.events == ()
            assert outcome.state == state
        else:
            assert outcome.events, "a report was lost"
            named = {e.type for e in outcome.events} | {
                e.payload.claimed for e in outcome.events if isinstance(e.payload, f.ConflictFacts)
            }
            assert claim.type in named or outcome.kind == "conflict"
            assert not claim.key or apply(outcome.state, claim, CTX).kind == "repeat"
        history += outcome.events
        state = outcome.state

    assert [e.seq for e in history] == list(range(1, len(history) + 1))
    assert fold(history) == state
    stored = [(e.seq, e.type.value, canonical_body(e)) for e in history]
    assert fold(load(APPEAL, *row) for row in stored) == state


@settings(deadline=None)
@given(st.lists(claims(), max_size=8), claims())
def test_a_conflict_changes_no_question_and_only_late_or_applied_do(said, claim):
    state = received(2, "message")
    for earlier in said:
        state = apply(state, earlier, CTX).state
    outcome = apply(state, claim, CTX)
    for told in outcome.questions:
        if told.kind == "conflict":
            assert outcome.state.question(told.ordinal) == state.question(told.ordinal)
        if told.kind == "late" and told.ordinal is not None:
            before, after = state.question(told.ordinal), outcome.state.question(told.ordinal)
            assert after.state is before.state
            assert after.end is before.end
            for known, now in zip(before.registrations, after.registrations, strict=False):
                assert known.number
                assert now.number


STORY = [
    says("Registered", 2, key="1"),
    says("Assigned", 3, key="2"),
    says("TakenToWork", 4, key="3"),
    says("Extended", 15, key="4"),
]
ENDS = [
    [says("AnswerPrepared", 18, key="5"), says("Answered", 20, key="6")],
    [says("Transferred", 20, key="5")],
    [says("Declined", 20, key="5")],
    [],
]


LIVELY = [
    says("SentToModeration", 1, key="0"),
    says("ModerationPassed", 1, key="01"),
    says("ClarificationAsked", 2, key="02"),
    says("ClarificationAnswered", 3, key="03"),
    *STORY,
]
"""A message: moderated, asked about, and then worked on as any."""
LIVELY_ENDS = [
    [says("Answered", 20, key="6"), says("Rated", 22, key="7")],
    [says("Answered", 20, key="6"), says("Rated", 22, key="7"), says("Confirmed", 23, key="8")],
    *ENDS,
]


@settings(deadline=None)
@given(st.data())
def test_the_order_of_arrival_does_not_matter_for_a_message_either(data):
    story = LIVELY + data.draw(st.sampled_from(LIVELY_ENDS))
    kept = data.draw(st.lists(st.sampled_from(story), unique_by=lambda c: c.key, min_size=1))
    shuffled = data.draw(st.permutations(kept))
    in_order = sorted(kept, key=lambda c: c.key)
    start = received(regime="message")
    one, two = tell(start, *in_order), tell(start, *shuffled)
    assert msgspec.structs.replace(told(two), rating=None) == msgspec.structs.replace(
        told(one), rating=None
    )


@settings(deadline=None)
@given(st.data())
def test_the_order_of_arrival_does_not_matter_on_one_road(data):
    story = STORY + data.draw(st.sampled_from(ENDS))
    kept = data.draw(st.lists(st.sampled_from(story), unique_by=lambda c: c.key, min_size=1))
    in_order = sorted(kept, key=lambda c: c.key)
    shuffled = data.draw(st.permutations(kept))
    one, two = tell(received(), *in_order), tell(received(), *shuffled)
    assert told(two) == told(one)
    dates = {s.type: s.at for s in one.question(1).steps}
    assert all(dates.get(s.type, s.at) == s.at for s in two.question(1).steps)


def told(state):
    """Return the question without steps that nobody told: which are inferred depends on gaps."""
    question = state.question(1)
    steps = tuple(s for s in question.steps if not s.inferred)
    return msgspec.structs.replace(question, steps=steps)


def test_a_hole_or_a_stranger_in_the_history_is_a_defect():
    state = received()
    event = apply(state, says("Registered", 2), CTX).events[0]
    with pytest.raises(InternalError):
        evolve(state, msgspec.structs.replace(event, seq=3))
    with pytest.raises(InternalError):
        evolve(state, msgspec.structs.replace(event, appeal_id=None))
