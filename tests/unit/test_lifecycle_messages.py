"""A message from its moderator to the author's last word on the answer."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from gateway.lifecycle import Claim, apply, claim_of_report
from gateway.model import facts as f
from gateway.model.events import PAYLOADS, AppealKey, EventType, PeerReport, canonical_body
from gateway.model.upcast import load
from tests.unit.lifecycle_kit import APPEAL, CTX, SED, answer, day, received, says, tell, types

ANSWERED = (says("Registered", 2), says("Assigned", 3), says("Answered", 10, answer(on=10)))
NEW = ("ModerationFacts", "ClarificationFacts", "RatingFacts")


def message(*claims: Claim):
    return tell(received(regime="message"), *claims)


def question(state):
    return state.question(1)


def test_a_moderated_message_is_received_again_and_goes_on_as_any():
    state = message(says("SentToModeration", 1), says("ModerationPassed", 2), *ANSWERED)
    assert question(state).state == "answered"
    assert question(state).floor is None, "nothing was taken back"
    assert [s.type for s in question(state).steps][:2] == ["ModerationPassed", "SentToModeration"]


def test_a_registration_out_of_moderation_implies_the_pass():
    outcome = apply(message(says("SentToModeration", 1)), says("Registered", 2), CTX)
    assert types(outcome) == [("ModerationPassed", "inferred"), ("Registered", "applied")]


def test_a_message_that_was_let_through_is_not_sent_back_by_an_older_word():
    state = message(says("SentToModeration", 1), says("ModerationPassed", 3))
    outcome = apply(state, says("SentToModeration", 2, key="late"), CTX)
    assert (outcome.kind, question(outcome.state).state) == ("late", "received")
    outcome = apply(state, says("SentToModeration", 4), CTX)
    assert (outcome.kind, question(outcome.state).state) == ("applied", "moderation")


def test_what_a_moderator_refuses_is_closed():
    outcome = apply(message(says("SentToModeration", 1)), says("RegistrationRefused", 2), CTX)
    assert question(outcome.state).state == "closed"


def test_an_answer_that_was_sent_back_begins_a_new_round():
    again = answer(value="О-2", on=20)
    state = message(*ANSWERED, says("Rated", 11), says("ReturnedForRework", 12))
    assert question(state).state == "in_work"
    assert (question(state).answer, question(state).rating) == (None, None)
    outcome = apply(state, says("Answered", 20, again), CTX)
    assert (outcome.kind, question(outcome.state).answer.number) == ("applied", "О-2")
    late = apply(outcome.state, says("Rated", 11, key="late"), CTX)
    assert question(late.state).rating is None, "it was said of the answer before"


def test_a_rework_of_an_answer_nobody_told_of_implies_it():
    outcome = apply(message(says("Registered", 2)), says("ReturnedForRework", 12), CTX)
    assert types(outcome) == [
        ("Assigned", "inferred"), ("Answered", "inferred"), ("ReturnedForRework", "applied"),
    ]  # fmt: skip


@pytest.mark.parametrize(("first", "second"), [("Confirmed", "Filed"), ("Filed", "Confirmed")])
def test_confirmed_and_filed_are_one_end_whichever_comes_first(first, second):
    outcome = apply(message(*ANSWERED, says(first, 12)), says(second, 13), CTX)
    assert outcome.kind == "late"
    assert (question(outcome.state).state, question(outcome.state).end) == ("closed", "answered")


def test_a_rating_after_the_case_was_closed_is_kept():
    outcome = apply(message(*ANSWERED, says("Filed", 12)), says("Rated", 20), CTX)
    assert outcome.kind == "late"
    assert question(outcome.state).rating == f.RatingFacts(score=4, scale="1-5")


def test_what_was_confirmed_is_not_sent_back():
    outcome = apply(message(*ANSWERED, says("Confirmed", 12)), says("ReturnedForRework", 13), CTX)
    assert outcome.kind == "conflict"


def test_an_author_is_asked_and_answers_while_it_is_open_and_nothing_moves():
    state = message(says("Registered", 2), says("ClarificationAsked", 3))
    outcome = apply(state, says("ClarificationAnswered", 5), CTX)
    assert (outcome.kind, question(outcome.state).state) == ("applied", "registered")
    silent = apply(state, says("ClarificationAnswered", 5, text=False), CTX)
    assert silent.warnings == ("не указано: что спрошено или отвечено",)


@pytest.mark.parametrize(
    ("event", "facts"),
    [
        ("Rated", {"rating": f.RatingFacts(score=3, scale="1-5")}),
        ("Confirmed", {"rating": f.RatingFacts(score=5, scale="1-5")}),
        ("ReturnedForRework", {"reason": f.ReasonFacts(code="not_solved", due=day(20))}),
        ("SentToModeration", {"moderation": f.ModerationFacts(stage="body")}),
        ("ClarificationAsked", {"clarification": f.ClarificationFacts(due=day(20))}),
    ],
)
def test_what_a_peer_reports_is_what_the_event_says(event, facts):
    report = PeerReport(
        message_key="k", key=AppealKey(receipt_number="1"), event=EventType(event),
        occurred_on=day(12), comment="слова", **facts,
    )  # fmt: skip
    claim = claim_of_report(report, actor=SED, ordinals={})
    assert claim.payload == next(iter(facts.values()))
    assert claim.text


def test_an_event_that_was_stored_before_it_had_facts_is_read():
    stored = apply(message(*ANSWERED), says("Rated", 12, f.RatingFacts()), CTX).events[0]
    for type_, shape in PAYLOADS.items():
        if shape.__name__ in NEW:
            body = json.loads(canonical_body(replace(stored, type=type_, payload=f.NoFacts())))
            assert body["payload"] == {}
            read = load(APPEAL, stored.seq, type_, json.dumps(body).encode())
            assert read.payload == shape()
