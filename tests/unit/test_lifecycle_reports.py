"""What a peer's report becomes: facts in the event, texts in the content."""

from __future__ import annotations

from uuid import UUID

import pytest

from gateway.errors import NotFoundError
from gateway.lifecycle import apply, claim_of_report, content_of_report
from gateway.model import facts as f
from gateway.model.events import Actor, AppealKey, EventType, PeerAnswer, PeerReport
from tests.unit.lifecycle_kit import CTX, SED, day, received, says, tell, types


def report(**more) -> PeerReport:
    values = {
        "message_key": "K-1",
        "key": AppealKey(receipt_number="1"),
        "event": EventType.ANSWERED,
        "occurred_on": day(20),
    }
    return PeerReport(**(values | more))


def test_a_report_becomes_facts_and_its_texts_go_to_the_content():
    told = report(
        questions=("q-2",),
        answer=PeerAnswer(
            kind="final", number="О-1", text="Уважаемый Иван", signed_by="Петров П. П."
        ),
        outcome=f.OutcomeFacts(result="explained"),
        executor_name="Сидоров С. С.",
        comment="звонили",
    )
    cause = UUID(int=7)
    claim = claim_of_report(told, actor=SED, ordinals={"q-2": 2}, cause=cause, content="ab")

    assert claim.questions == (2,)
    assert claim.payload == f.AnswerFacts(
        kind="final",
        number="О-1",
        date=day(20),
        outcome=f.OutcomeFacts(result="explained"),
        has_text=True,
    )
    state = tell(received(2), says("Registered", 2))
    outcome = apply(state, claim, CTX)
    event = outcome.events[-1]
    assert (event.cause, event.key, event.content, event.question) == (cause, "K-1", "ab", 2)
    assert outcome.events[0].content is None
    assert content_of_report(told).decode() == (
        '{"answer_signed_by":"Петров П. П.","answer_text":"Уважаемый Иван",'
        '"comment":"звонили","executor_name":"Сидоров С. С."}'
    )
    assert content_of_report(report()) == b""


def test_a_date_left_out_is_the_day_of_the_report():
    told = report(event=EventType.REGISTERED, registration=f.RegistrationFacts(number="7"))
    claim = claim_of_report(told, actor=SED, ordinals={})
    assert claim.payload == f.RegistrationFacts(number="7", date=day(20))
    told = report(event=EventType.EXTENDED, extension=f.ExtensionFacts(ground="10.2"))
    assert claim_of_report(told, actor=SED, ordinals={}).payload.decided_on == day(20)


def test_a_notice_is_no_answer():
    told = report(answer=PeerAnswer(kind="notice", notice="8.3", number="У-1"))
    claim = claim_of_report(told, actor=SED, ordinals={})
    outcome = apply(tell(received(), says("Registered", 2)), claim, CTX)
    assert types(outcome) == [("LetterSent", "applied")]
    assert outcome.state.state == "registered"


def test_a_decline_with_its_text_has_its_notice():
    told = report(
        event=EventType.DECLINED,
        decline=f.DeclineFacts(article="11", part="3"),
        decline_text="О недопустимости злоупотребления правом",
    )
    claim = claim_of_report(told, actor=SED, ordinals={})
    assert claim.payload.notice
    assert apply(tell(received(), says("Registered", 2)), claim, CTX).warnings == ()


def test_an_unknown_question_of_a_report_is_named():
    with pytest.raises(NotFoundError) as error:
        claim_of_report(report(questions=("q-9",)), actor=SED, ordinals={"q-1": 1})
    assert error.value.found == "q-9"


def test_an_answer_to_all_is_about_the_open_ones_even_if_another_was_answered_otherwise():
    state = tell(received(2), says("Registered", 2), says("Answered", 20, questions=(1,)))
    other = f.AnswerFacts(
        kind="final", number="О-2", date=day(22), outcome=f.OutcomeFacts(result="not_supported")
    )
    outcome = apply(state, says("Answered", 22, other), CTX)
    assert [o.ordinal for o in outcome.questions] == [2]
    assert outcome.kind == "inferred"
    assert outcome.state.question(1).answer.number == "О-1"


def test_deadlines_run_on_the_appeal_or_on_its_question_until_they_are_closed():
    rule = {"actor": Actor(kind="rule", id="terms")}
    whole = f.DeadlineFacts(rule="fz59-registration", kind="duty", due_legal="2026-06-04")
    answer = f.DeadlineFacts(rule="fz59-answer", kind="duty", due_legal="2026-07-02")
    later = f.DeadlineFacts(rule="fz59-answer", kind="duty", due_legal="2026-08-01")
    state = tell(
        received(2),
        says("DeadlineOpened", 1, whole, **rule),
        says("DeadlineOpened", 2, answer, questions=(1,), **rule),
    )
    assert state.deadlines == (whole,)
    assert [q.deadlines for q in state.questions] == [(answer,), ()]
    state = tell(state, says("DeadlineMoved", 3, later, questions=(1,), **rule))
    assert state.question(1).deadlines == (later,)
    state = tell(
        state,
        says("DeadlineClosed", 4, later, questions=(1,), **rule),
        says("DeadlineClosed", 4, whole, **rule),
    )
    assert state.deadlines == ()
    assert state.question(1).deadlines == ()
