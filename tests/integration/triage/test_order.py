"""Messages about one appeal may reach triage in any order; history comes without a clock."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from gateway.model.answer import Outcome, Result
from gateway.model.appeal import Appeal
from gateway.model.events import EventType, PeerAnswer
from gateway.model.facts import ExtensionFacts, OutcomeFacts, RegistrationFacts
from gateway.model.question import Question
from tests.integration.triage.test_triage import REFUSE, execute

ANSWER = PeerAnswer(kind="final", number="О-1", date=date(2026, 3, 2), has_text=True)
SUPPORTED = OutcomeFacts(result="supported", actions_taken=True)


@pytest.fixture
def late_submission(room):
    """An appeal whose submission is put off, so that what comes after it is applied before it."""
    room.submit("a-2")
    execute(room, *REFUSE)
    room.work_off()
    execute(room, "DROP TRIGGER refuse ON appeal")
    assert room.rows("SELECT attempts FROM work") == [(1,)]
    return room


def test_an_answer_applied_before_its_appeal_does_not_park_the_appeal(late_submission):
    room = late_submission
    room.report("a-2", "answer", EventType.ANSWERED, answer=ANSWER, outcome=SUPPORTED)
    room.work_off()
    room.now += timedelta(hours=1)
    assert room.work_off() == 1
    assert room.rows("SELECT state FROM appeal") == [("answered",)]
    assert room.count("work") == 0
    assert room.rows("SELECT DISTINCT stage FROM message") == [("applied",)]
    assert room.rows("SELECT rule FROM deadline WHERE closed_at IS NULL") == []
    assert room.verified().faults == ()


def test_a_registration_applied_before_its_appeal_leaves_ours_beside_it(late_submission):
    room = late_submission
    theirs = RegistrationFacts(organisation="sed", number="17-ж", date=date(2026, 3, 2))
    room.report("a-2", "number", EventType.REGISTERED, registration=theirs)
    room.work_off()
    room.now += timedelta(hours=1)
    room.work_off()
    found = room.rows("SELECT organisation, is_ours FROM registration ORDER BY 1")
    assert found == [("gzhi", True), ("sed", False)]
    assert room.count("work") == 0
    assert room.verified().faults == ()


def test_imported_history_keeps_its_states_and_runs_no_term(room):
    told = Question(
        ordinal=1, text="Нет воды", state="answered", registration_date=date(2020, 2, 3),
        response_date=date(2020, 2, 20), outcome=Outcome(result=Result.EXPLAINED),
    )  # fmt: skip
    room.submit_appeal("old", Appeal(text="Нет воды", historical=True, questions=(told,)))
    room.work_off()
    assert room.rows("SELECT state, historical FROM appeal") == [("answered", True)]
    assert room.count("deadline") == 0
    assert room.count("delivery") == 0
    assert room.count("registration") == 0
    assert room.verified().faults == ()


def test_a_report_on_imported_history_opens_no_term_and_tells_nobody(room):
    room.submit_appeal("old", Appeal(text="Нет воды", historical=True))
    theirs = RegistrationFacts(organisation="sed", number="17-ж", date=date(2026, 3, 2))
    room.report("old", "number", EventType.REGISTERED, registration=theirs)
    room.work_off()
    assert room.rows("SELECT state FROM appeal") == [("registered",)]
    assert room.count("deadline") == 0
    assert room.count("delivery") == 0


def test_an_amendment_may_add_questions_and_each_has_an_id(room):
    one, two = (Question(ordinal=n, text=f"Вопрос {n}") for n in (1, 2))
    room.submit_appeal("a", Appeal(text="Вопросы", questions=(one,)))
    room.work_off()
    room.amend("a", 2, Appeal(text="Вопросы", questions=(one, two)))
    room.work_off()
    rows = room.rows("SELECT ordinal, id FROM question ORDER BY ordinal")
    assert [ordinal for ordinal, _ in rows] == [1, 2]
    assert len({id_ for _, id_ in rows}) == 2
    assert room.rows("SELECT state FROM appeal") == [("assigned",)], "under the same number"
    assert room.count("registration") == 1
    answers = room.rows("SELECT question, start FROM deadline WHERE rule = 'fz59-answer'")
    assert len(answers) == 2
    assert len({start for _, start in answers}) == 1
    assert room.verified().faults == ()


def test_an_extension_past_the_law_is_taken_with_a_warning(room):
    room.submit("a")
    room.work_off()
    [(due,)] = room.rows("SELECT due_legal FROM deadline WHERE rule = 'fz59-answer'")
    told = ExtensionFacts(
        ground="12.2", decided_on=date(2026, 3, 2), new_due=due + timedelta(days=90)
    )
    room.report("a", "long", EventType.EXTENDED, extension=told)
    room.work_off()
    [(note,)] = room.rows("SELECT note FROM message WHERE key = 'long'")
    assert "продление больше чем на 30 дней" in note["warnings"]
