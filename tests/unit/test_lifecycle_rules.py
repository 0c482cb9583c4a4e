"""The four rules for peers that skip steps or come late, told as stories with dates."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import msgspec
import pytest

from gateway.errors import AccessError, NotFoundError, StateError
from gateway.lifecycle import (
    Context,
    appeal_state,
    apply,
)
from gateway.model import facts as f
from gateway.model.events import (
    Actor,
    EventType,
    State,
)
from tests.unit.lifecycle_kit import (
    CTX,
    NOW,
    OWN,
    PORTAL,
    answer,
    day,
    number,
    received,
    says,
    tell,
    types,
)


def in_work():
    return tell(received(), says("Registered", 2), says("Assigned", 3), says("TakenToWork", 4))


# (a) ahead


def test_an_answer_while_we_say_received_writes_the_missing_steps_with_the_peers_date():
    outcome = apply(received(), says("Answered", 20), CTX)

    assert outcome.kind == "inferred"
    assert types(outcome) == [
        ("Registered", "inferred"),
        ("Assigned", "inferred"),
        ("Answered", "applied"),
    ]
    assert [e.occurred_at for e in outcome.events] == [day(20)] * 3
    assert outcome.events[0].payload == f.RegistrationFacts()
    question = outcome.state.question(1)
    assert question.state == "answered"
    assert question.registered_on is None
    assert "Registered, Assigned" in outcome.reason


def test_a_number_told_beside_the_answer_is_a_registration_on_its_own_date():
    outcome = apply(received(), says("Answered", 20, registration=number("А-7", 3)), CTX)

    assert types(outcome) == [
        ("Registered", "applied"),
        ("Assigned", "inferred"),
        ("Answered", "applied"),
    ]
    assert outcome.events[0].occurred_at == day(3)
    assert outcome.state.question(1).registered_on == day(3)


def test_an_executor_told_beside_taking_to_work_fills_the_step():
    claim = says("TakenToWork", 4, executor=f.ExecutorFacts(organisation="dept-9"))
    outcome = apply(tell(received(), says("Registered", 2)), claim, CTX)

    assert types(outcome) == [("Assigned", "inferred"), ("TakenToWork", "applied")]
    assert outcome.kind == "inferred"
    assert outcome.state.question(1).executor.facts.organisation == "dept-9"


def test_an_executor_told_beside_registration_assigns():
    claim = says("Registered", 2, executor=f.ExecutorFacts(organisation="dept-9"))
    outcome = apply(received(), claim, CTX)
    assert types(outcome) == [("Registered", "applied"), ("Assigned", "inferred")]
    assert outcome.state.state == "assigned"


# (b) behind


def test_a_registration_that_comes_after_the_answer_fills_number_and_day():
    answered = tell(received(), says("Answered", 20))
    outcome = apply(answered, says("Registered", 2), CTX)

    assert outcome.kind == "late"
    assert types(outcome) == [("Registered", "late")]
    question = outcome.state.question(1)
    assert question.state == "answered"
    assert question.registrations == (number(),)
    assert question.registered_on == day(2)
    assert not question.step(EventType.REGISTERED).inferred


def test_the_letter_after_the_bare_status_fills_number_and_file():
    bare = f.AnswerFacts(kind="final", outcome=f.OutcomeFacts(result="explained"))
    told = tell(in_work(), says("Answered", 20, bare))
    outcome = apply(told, says("Answered", 21, answer(on=20)), CTX)

    assert outcome.kind == "late"
    assert outcome.state.question(1).answer == answer(on=20)


def test_a_later_fact_never_overwrites_a_known_one():
    known = tell(received(), says("Registered", 2, number("А-1", 2)))
    told = f.RegistrationFacts(organisation="org-1", number="А-1", register="ОГ")
    outcome = apply(known, says("Registered", 9, msgspec.structs.replace(told, date=day(2))), CTX)
    assert outcome.kind == "late"
    assert outcome.state.question(1).registrations == (
        msgspec.structs.replace(number(), register="ОГ"),
    )


def test_look_alike_letters_are_one_number_and_another_body_has_its_own():
    known = tell(received(), says("Registered", 2, number("А-1")))
    assert apply(known, says("Registered", 2, number("A–1")), CTX).kind == "late"
    other = apply(known, says("Registered", 4, number("77", 4, "org-2")), CTX)
    assert other.kind == "late"
    assert [r.number for r in other.state.question(1).registrations] == ["А-1", "77"]
    assert other.state.question(1).registered_on == day(2)


def test_words_from_before_a_return_do_not_move_the_new_round():
    story = [
        says("Registered", 2),
        says("Transferred", 5),
        says("ReturnedToUs", 9),
    ]
    returned = tell(received(), *story)
    again = f.TransferFacts(organisation="org-3", date=day(6), number="П-0")
    outcome = apply(returned, says("Transferred", 6, again), CTX)
    assert outcome.kind == "late"
    question = outcome.state.question(1)
    assert question.state == "registered"
    assert question.transfer is None
    assert question.registered_on == day(2)


def test_reassignment_older_than_the_work_in_hand_is_late():
    outcome = apply(in_work(), says("Reassigned", 3), CTX)
    assert outcome.kind == "late"
    assert outcome.state.question(1).state == "in_work"
    newer = apply(in_work(), says("Reassigned", 5), CTX)
    assert newer.kind == "applied"
    assert newer.state.question(1).state == "assigned"
    assert newer.state.question(1).executor.facts.organisation == "dept-2"


def test_the_executor_is_whoever_was_charged_last_whatever_came_first():
    one = says("Assigned", 3, f.ExecutorFacts(organisation="dept-1"))
    two = says("Reassigned", 5, f.ExecutorFacts(organisation="dept-2"))
    done = says("Answered", 20)
    for order in ([one, two, done], [done, one, two], [done, two, one]):
        state = tell(received(), says("Registered", 2), *order)
        assert state.question(1).executor.facts.organisation == "dept-2"


def test_an_instant_and_a_day_of_the_same_day_are_not_one_before_the_other():
    # 23:30 UTC on the 4th is the 5th in Moscow.
    instant = dt.datetime(2026, 6, 4, 23, 30, tzinfo=dt.UTC)
    work = tell(
        received(), says("Registered", 2), says("Assigned", 3), says("TakenToWork", instant)
    )
    assert apply(work, says("Reassigned", 5), CTX).kind == "applied"
    assert apply(work, says("Reassigned", 4), CTX).kind == "late"
    earlier = instant - dt.timedelta(minutes=1)
    assert apply(work, says("Reassigned", earlier), CTX).kind == "late"


# (c) contradiction


CONTRADICTIONS = [
    ("answer after a transfer", ["Transferred:5"], says("Answered", 20), "no_road"),
    ("transfer after an answer", ["Answered:20"], says("Transferred", 21), "no_road"),
    ("work after a decline", ["Declined:6"], says("TakenToWork", 7), "after_end"),
    ("answer after a decline", ["Declined:6"], says("Answered", 20), "no_road"),
    ("another outcome", ["Answered:20"], says("Answered", 20, answer("supported")), "outcome"),
    ("another letter", ["Answered:20"], says("Answered", 20, answer(value="О-2")), "answer"),
    ("another part of art. 11", ["Declined:6"], says(
        "Declined", 6, f.DeclineFacts(article="11", part="3", notice=True)
    ), "decline"),
    ("another receiver", ["Transferred:5"], says(
        "Transferred", 5, f.TransferFacts(organisation="org-9", date=day(5), number="П-1")
    ), "transfer"),
    ("another number", [], says("Registered", 2, number("Б-2")), "registration"),
    ("another day of the number", [], says("Registered", 3, number(on=3)), "registration"),
    ("another executor, later", ["Assigned:3"], says(
        "Assigned", 5, f.ExecutorFacts(organisation="dept-7")
    ), "executor"),
    ("answer before registration", ["Assigned:3"], says("Answered", 1, answer(on=1)),
     "before_registration"),
    ("filed without an end", ["Assigned:3"], says("Filed", 21), "no_road"),
    ("extended after the answer", ["Answered:20"], says("Extended", 22), "after_end"),
    ("registered after it was refused", None, says("Registered", 3), "no_road"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "claim", "code"), [c[1:] for c in CONTRADICTIONS], ids=[c[0] for c in CONTRADICTIONS]
)
def test_a_contradiction_is_kept_for_a_person_and_changes_nothing(before, claim, code):
    if before is None:
        state = tell(received(), says("RegistrationRefused", 2))
    else:
        steps = (step.split(":") for step in before)
        state = tell(received(), says("Registered", 2), *(says(n, int(d)) for n, d in steps))
    outcome = apply(state, claim, CTX)

    assert outcome.kind == "conflict"
    assert types(outcome) == [("ConflictRecorded", "applied")]
    kept = outcome.events[0].payload
    assert (kept.claimed, kept.code) == (claim.type, code)
    assert msgspec.json.decode(kept.claim, type=type(claim.payload)) == claim.payload
    assert kept.occurred_at == claim.occurred_at.isoformat()
    assert outcome.state.questions == state.questions
    assert outcome.state.conflicts == (outcome.events[0].seq,)
    assert outcome.reason


def test_a_contradicting_number_beside_an_answer_keeps_the_answer_out_too():
    state = tell(received(), says("Registered", 2), says("Assigned", 3))
    outcome = apply(state, says("Answered", 20, registration=number("Б-2")), CTX)
    assert types(outcome) == [("ConflictRecorded", "applied")]
    assert outcome.state.question(1).state == "assigned"


def test_nothing_goes_to_the_body_complained_of():
    ctx = Context(now=NOW, complained_of=frozenset({"org-2"}))
    state = tell(received(), says("Registered", 2))
    outcome = apply(state, says("Transferred", 5), ctx)
    assert outcome.kind == "conflict"
    assert "8 ч. 6" in outcome.reason


def test_a_person_resolves_a_conflict():
    state = tell(received(), says("Registered", 2))
    conflict = apply(state, says("Registered", 2, number("Б-2")), CTX)
    head = {"actor": Actor(kind="person", id="p"), "roles": frozenset({"registrar"})}
    seq = str(conflict.events[0].seq)
    state = tell(conflict.state, says("ConflictResolved", 9, f.ReasonFacts(code=seq), **head))
    assert state.conflicts == ()


# (d) repeat


def test_the_same_message_key_is_a_repeat_and_writes_nothing():
    first = apply(received(), says("Registered", 2, key="K-1"), CTX)
    again = apply(first.state, says("Registered", 2, key="K-1"), CTX)
    assert again.kind == "repeat"
    assert again.events == ()
    assert again.state == first.state
    elsewhere = apply(first.state, says("Registered", 2, key="K-1", actor=PORTAL), CTX)
    assert elsewhere.kind == "late"


def test_another_message_under_the_key_is_another_call():
    one, two = UUID(int=1), UUID(int=2)
    first = apply(received(), says("Registered", 2, key="K-1", cause=one), CTX)
    assert apply(first.state, says("Registered", 2, key="K-1", cause=one), CTX).kind == "repeat"
    other = apply(first.state, says("Assigned", 3, key="K-1", cause=two), CTX)
    assert (other.kind, other.state.question(1).state) == ("applied", "assigned")


def test_a_conflicting_report_is_a_repeat_the_second_time():
    state = tell(received(), says("Registered", 2))
    first = apply(state, says("Registered", 2, number("Б-2"), key="K-2"), CTX)
    assert apply(first.state, says("Registered", 2, number("Б-2"), key="K-2"), CTX).kind == "repeat"


# questions


def test_a_report_without_questions_is_about_all_of_them():
    outcome = apply(received(3), says("Registered", 2), CTX)
    assert [e.question for e in outcome.events] == [1, 2, 3]
    assert [e.seq for e in outcome.events] == [2, 3, 4]
    assert outcome.state.state == "registered"


def test_an_answer_to_all_leaves_alone_what_went_to_another_body():
    state = tell(received(2), says("Registered", 2), says("Transferred", 5, questions=(2,)))
    outcome = apply(state, says("Answered", 20), CTX)
    assert outcome.kind == "inferred"
    assert outcome.state.question(1).state == "answered"
    assert outcome.state.question(2).state == "transferred"
    named = apply(state, says("Answered", 20, questions=(2,)), CTX)
    assert named.kind == "conflict"


def test_a_conflict_on_one_question_does_not_hold_up_the_other():
    state = tell(received(2), says("Registered", 2, questions=(1,)))
    outcome = apply(state, says("Registered", 2, number("Б-2")), CTX)
    assert outcome.kind == "conflict"
    assert [(o.ordinal, o.kind) for o in outcome.questions] == [(1, "conflict"), (2, "applied")]
    assert types(outcome) == [("ConflictRecorded", "applied"), ("Registered", "applied")]


def test_a_question_that_is_not_there_is_named():
    with pytest.raises(NotFoundError) as error:
        apply(received(2), says("Registered", 2, questions=(3,)), CTX)
    assert error.value.found == "3"


def test_the_appeal_is_as_far_as_its_least_advanced_open_question():
    state = tell(received(3), says("Registered", 2), says("Answered", 20, questions=(1,)))
    assert state.state == "registered"
    state = tell(state, says("TakenToWork", 4, questions=(3,)))
    assert state.state == "registered"
    state = tell(state, says("Declined", 6, questions=(2,)))
    assert state.state == "in_work"
    state = tell(state, says("Transferred", 7, questions=(3,)))
    assert state.state == "answered"
    assert appeal_state(()) is State.RECEIVED


def test_a_split_question_keeps_state_and_dates_of_its_parent():
    registrar = {"actor": Actor(kind="person", id="p"), "roles": frozenset({"registrar"})}
    state = tell(received(), says("Registered", 2), says("Split", 3, questions=(1,), **registrar))
    assert [q.ordinal for q in state.questions] == [1, 2]
    assert state.question(2).state == "registered"
    assert state.question(2).registered_on == day(2)
    assert tell(state, says("Transferred", 5, questions=(2,))).question(1).state == "registered"


def test_an_amendment_may_bring_questions_and_an_older_one_changes_nothing():
    state = received()
    newer = apply(state, says("Amended", 3, f.AmendmentFacts(revision=3, questions=2)), CTX)
    assert (newer.kind, newer.state.revision, len(newer.state.questions)) == ("applied", 3, 2)
    older = apply(newer.state, says("Amended", 4, f.AmendmentFacts(revision=2, questions=9)), CTX)
    assert (older.kind, older.state.revision, len(older.state.questions)) == ("late", 3, 2)


# particular articles


def test_after_a_refused_transfer_the_first_registration_stands():
    state = tell(
        received(), says("Registered", 2), says("Transferred", 5), says("RefusedByReceiver", 8)
    )
    question = state.question(1)
    assert question.state == "registered"
    assert question.registered_on == day(2)
    assert question.transfer is None
    again = f.TransferFacts(organisation="org-3", date=day(9), number="П-2")
    assert tell(state, says("Transferred", 9, again)).question(1).transfer == again


def test_a_copy_leaves_the_question_with_us():
    copy = f.TransferFacts(organisation="org-2", date=day(5), number="П-1", ground="8.4", copy=True)
    state = tell(received(), says("Registered", 2), says("Transferred", 5, copy))
    assert state.question(1).state == "registered"
    assert state.question(1).copies == (copy,)
    assert apply(state, says("Transferred", 5, copy), CTX).kind == "late"


def test_facts_about_an_end_are_taken_after_filing():
    state = tell(received(), says("Registered", 2), says("Transferred", 5), says("Filed", 6))
    assert state.question(1).state == "closed"
    outcome = apply(state, says("ReceiverRegistered", 8), CTX)
    assert outcome.kind == "late"
    assert outcome.state.question(1).receiver == f.ReceiverFacts(number="Р-1", date=day(8))
    assert apply(state, says("Delivered", 8), CTX).kind == "conflict"


def test_an_extension_is_a_flag_once_per_ground():
    state = tell(in_work(), says("Extended", 20))
    assert state.question(1).state == "in_work"
    assert state.question(1).flags == {"extended"}
    assert apply(state, says("Extended", 20), CTX).kind == "late"
    longer = f.ExtensionFacts(ground="10.2", decided_on=day(21), new_due=dt.date(2026, 8, 1))
    assert apply(state, says("Extended", 21, longer), CTX).kind == "conflict"
    other = f.ExtensionFacts(ground="12.2", decided_on=day(21), new_due=dt.date(2026, 7, 31))
    assert apply(state, says("Extended", 21, other), CTX).kind == "applied"


@pytest.mark.parametrize(
    ("decided", "new_due", "words"),
    [
        (day(30), dt.date(2026, 8, 1), []),
        (dt.date(2026, 7, 3), dt.date(2026, 8, 1), ["после срока"]),
        (day(30), dt.date(2026, 8, 2), ["больше чем на 30 дней"]),
        (day(30), dt.date(2026, 7, 2), ["не позже прежнего"]),
    ],
)
def test_an_unlawful_extension_is_a_warning_for_a_peer_and_refused_to_our_head(
    decided, new_due, words
):
    ctx = Context(now=NOW, due={1: dt.date(2026, 7, 2)}, extension_days=30)
    facts = f.ExtensionFacts(ground="12.2", decided_on=decided, new_due=new_due)
    outcome = apply(in_work(), says("Extended", decided.day, facts), ctx)
    assert outcome.kind == "applied"
    assert len(outcome.warnings) == len(words)
    assert all(word in warning for word, warning in zip(words, outcome.warnings, strict=True))
    head = {"actor": Actor(kind="person", id="p"), "roles": frozenset({"head"})}
    if words:
        with pytest.raises(StateError, match=words[0]):
            apply(in_work(), says("Extended", 20, facts, **head), ctx)
    else:
        assert apply(in_work(), says("Extended", 20, facts, **head), ctx).kind == "applied"


def test_withdrawal_closes_what_is_open_and_is_only_noted_where_all_has_ended():
    state = tell(received(2), says("Registered", 2), says("Answered", 20, questions=(1,)))
    gone = tell(state, says("Withdrawn", 21), ctx=OWN)
    assert [q.state for q in gone.questions] == ["answered", "closed"]
    assert gone.question(2).withdrawn
    late = apply(tell(in_work(), says("Answered", 20)), says("Withdrawn", 21), OWN)
    assert late.kind == "late"
    assert late.state.question(1).state == "answered"
    assert late.state.question(1).withdrawn


def test_whoever_did_not_send_an_appeal_does_not_withdraw_it():
    with pytest.raises(AccessError, match="sender only"):
        apply(in_work(), says("Withdrawn", 21), CTX)
    registrar = {"actor": Actor(kind="person", id="p"), "roles": frozenset({"registrar"})}
    assert apply(in_work(), says("Withdrawn", 21, **registrar), CTX).kind == "applied"


def test_reopening_forgets_the_end_but_not_the_registration():
    state = tell(in_work(), says("Declined", 6), says("Reopened", 12))
    question = state.question(1)
    assert (question.state, question.decline, question.registered_on) == ("in_work", None, day(2))
    assert tell(state, says("Answered", 20)).question(1).state == "answered"
    assert apply(state, says("Declined", 6), CTX).kind == "late"


def test_a_peers_own_word_for_the_state_moves_nothing():
    outcome = apply(in_work(), says("PeerStateReported", 9), CTX)
    assert outcome.events[0].question is None
    assert outcome.state.questions == in_work().questions
    assert outcome.state.peer_states[0].code == "NotRecieved"
