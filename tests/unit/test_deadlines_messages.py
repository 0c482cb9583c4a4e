"""Terms of messages and incidents, which no law has but the body's own rules."""

from __future__ import annotations

import datetime as dt

from gateway.deadlines import DeadlineSpec, changes
from gateway.model import facts as f
from tests.unit.test_deadlines import MOSCOW, RU, TERMS, d, event, opened, subject


def test_a_message_has_the_terms_of_the_bodys_own_rules():
    about = subject("2026-06-02", regime="message")
    assert opened("Registered", "2026-06-02", about) == {
        "message-answer": ("2026-07-02", "2026-07-02")
    }
    assert opened("Answered", "2026-06-05", about) == {
        "message-confirmation": ("2026-06-15", "2026-06-15")
    }
    at = dt.datetime(2026, 6, 11, 16, tzinfo=MOSCOW)  # 12 to 14 June are off
    ((_, legal),) = opened("SentToModeration", at, about).values()
    assert dt.datetime.fromisoformat(legal) == dt.datetime(2026, 6, 15, 16, tzinfo=MOSCOW)
    assert opened("SentToModeration", at, subject(regime="fz59")) == {}


def test_a_day_that_was_named_with_a_rework_counts_as_it_is():
    about = subject("2026-06-02", regime="message")
    bare = opened("ReturnedForRework", "2026-06-05", about, f.ReasonFacts(code="not_solved"))
    assert bare == {"message-rework": ("2026-06-15", "2026-06-15")}
    named = f.ReasonFacts(code="not_solved", due=d("2026-06-13"))  # a Saturday
    found = opened("ReturnedForRework", "2026-06-05", about, named)
    assert found == {"message-rework": ("2026-06-11", "2026-06-13")}


def test_a_decision_on_a_message_may_be_put_off_for_a_year():
    about = subject("2026-06-02", regime="message")
    running = DeadlineSpec(
        question=1,
        facts=f.DeadlineFacts(
            rule="message-answer", kind="duty", start="2026-06-02",
            due_internal="2026-07-02", due_legal="2026-07-02",
        ),
    )  # fmt: skip
    for asked, legal in (("2026-12-01", "2026-12-01"), ("2028-01-01", "2027-07-02")):
        told = f.ExtensionFacts(ground="postponed", decided_on=d("2026-06-20"), new_due=d(asked))
        (moved,) = changes(event("Extended", "2026-06-20", told), about, [running], TERMS, RU)
        assert (moved.type, moved.spec.facts.due_legal) == ("DeadlineMoved", legal)
        assert moved.spec.facts.ground == "postponed"
