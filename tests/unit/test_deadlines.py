"""Terms of law with days counted by hand on the published calendars of 2024-2026."""

from __future__ import annotations

import datetime as dt

import pytest

from gateway.deadlines import (
    DeadlineSpec,
    Subject,
    changes,
    due,
    extension_days,
    open_for,
    read_calendar,
    read_terms,
)
from gateway.model import facts as f
from gateway.model.events import Event, EventType
from tests.unit.lifecycle_kit import APPEAL, NOW, SED

TERMS = read_terms()
RU = read_calendar()
BY_ID = {t.id: t for t in TERMS}
MOSCOW = dt.timezone(dt.timedelta(hours=3))


def d(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def event(type_, on, payload=None, question=1, **more):
    return Event(
        appeal_id=APPEAL,
        seq=2,
        type=EventType(type_),
        question=question,
        occurred_at=d(on) if isinstance(on, str) else on,
        recorded_at=NOW,
        actor=SED,
        payload=payload or f.NoFacts(),
        **more,
    )


def subject(registered=None, received="2026-06-01", marks=(), regime="fz59", **more):
    return Subject(
        regime=regime,
        received=d(received) if isinstance(received, str) else received,
        registered_on=registered and d(registered),
        marks=frozenset(marks),
        **more,
    )


def opened(type_, on, about, payload=None, **more):
    specs = open_for(event(type_, on, payload, **more), about, TERMS, RU)
    return {s.facts.rule: (s.facts.due_internal, s.facts.due_legal) for s in specs}


# 59-ФЗ, counted by hand


@pytest.mark.parametrize(
    ("received", "internal", "legal"),
    [
        # Monday + 3 = Thursday.
        ("2026-06-01", "2026-06-04", "2026-06-04"),
        # Thursday + 3 = Sunday; Friday 12 June is a holiday, so the day before is the start itself.
        ("2026-06-11", "2026-06-11", "2026-06-15"),
        # 31 December 2025 is off, and so is everything to 11 January.
        ("2025-12-31", "2026-01-12", "2026-01-12"),
        # Wednesday + 3 = the working Saturday of 1 November 2025.
        ("2025-10-29", "2025-11-01", "2025-11-01"),
    ],
)
def test_registration_in_three_days_of_receipt(received, internal, legal):
    about = subject(received=received)
    found = opened("Received", received, about, question=None)
    assert found == {"fz59-registration": (internal, legal)}


@pytest.mark.parametrize(
    ("registered", "internal", "legal"),
    [
        # Tuesday 2 June + 30 = Thursday 2 July.
        ("2026-06-02", "2026-07-02", "2026-07-02"),
        # Friday 5 June + 30 = Sunday 5 July.
        ("2026-06-05", "2026-07-03", "2026-07-06"),
        # 10 April + 30 = Sunday 10 May; 9 May Saturday, 11 May moved.
        ("2026-04-10", "2026-05-08", "2026-05-12"),
        # 28 November 2024 + 30 = the working Saturday of 28 December.
        ("2024-11-28", "2024-12-28", "2024-12-28"),
        # 4 February 2024 + 30 crosses 29 February: 5 March.
        ("2024-02-04", "2024-03-05", "2024-03-05"),
        ("2025-02-04", "2025-03-06", "2025-03-06"),
    ],
)
def test_the_answer_in_thirty_days_of_registration(registered, internal, legal):
    found = opened("Registered", registered, subject(registered))
    assert found["fz59-answer"] == (internal, legal)


def test_registration_opens_the_answer_and_the_windows_each_with_its_article():
    specs = open_for(event("Registered", "2026-06-02"), subject("2026-06-02"), TERMS, RU)
    assert {(s.facts.rule, s.facts.article, s.facts.kind, s.facts.due_legal) for s in specs} == {
        ("fz59-answer", "59-ФЗ ст. 12 ч. 1", "duty", "2026-07-02"),
        ("fz59-forwarding", "59-ФЗ ст. 8 ч. 3", "window", "2026-06-09"),
        ("fz59-art11-window", "59-ФЗ ст. 11 ч. 2, 4, 4.1, 5.1", "window", "2026-06-09"),
    }
    assert {s.question for s in specs} == {1}
    assert {s.facts.confirmed for s in specs} == {True}


def test_migration_is_twenty_and_five_days_instead():
    found = opened("Registered", "2026-06-02", subject("2026-06-02", marks=["migration"]))
    assert found == {
        "fz59-answer-migration": ("2026-06-22", "2026-06-22"),
        "fz59-forwarding-migration": ("2026-06-05", "2026-06-08"),
        "fz59-art11-window": ("2026-06-09", "2026-06-09"),
    }


@pytest.mark.parametrize(
    ("mark", "rule"),
    [("several_bodies", "fz59-copies"), ("only_complained_body", "fz59-return-complaint")],
)
def test_terms_that_need_a_mark(mark, rule):
    assert rule not in opened("Registered", "2026-06-02", subject("2026-06-02"))
    found = opened("Registered", "2026-06-02", subject("2026-06-02", marks=[mark]))
    assert found[rule] == ("2026-06-09", "2026-06-09")


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ("1", {}),
        ("2", {"fz59-notice-11-2": "2026-06-09"}),
        ("3", {}),
        ("4", {"fz59-notice-11-7days": "2026-06-09"}),
        ("4.1", {"fz59-notice-11-7days": "2026-06-09"}),
        ("5", {"fz59-notice-11": "2026-07-02"}),
        ("5.1", {"fz59-notice-11-7days": "2026-06-09"}),
        ("6", {"fz59-notice-11": "2026-07-02"}),
    ],
)
def test_notices_of_article_11_run_from_registration(part, found):
    payload = f.DeclineFacts(article="11", part=part)
    rules = opened("Declined", "2026-06-04", subject("2026-06-02"), payload)
    assert {rule: legal for rule, (_, legal) in rules.items()} == found


def test_the_notice_of_a_transfer_runs_from_registration_not_from_the_transfer():
    payload = f.TransferFacts(organisation="o", ground="8.3")
    found = opened("Transferred", "2026-06-08", subject("2026-06-02"), payload)
    assert found == {"fz59-notice-8-3": ("2026-06-09", "2026-06-09")}
    payload = f.TransferFacts(organisation="o", ground="8.3.1")
    found = opened("Transferred", "2026-06-04", subject("2026-06-02"), payload)
    assert found == {"fz59-notice-8-3-1": ("2026-06-05", "2026-06-08")}


def test_the_day_of_receipt_is_the_bodys_day():
    instant = dt.datetime(2026, 6, 2, 22, 30, tzinfo=dt.UTC)
    about = subject(received=instant, zone=MOSCOW)
    assert opened("Received", instant, about, question=None)["fz59-registration"] == (
        "2026-06-05",
        "2026-06-08",
    )
    about = subject(received=instant, zone=dt.UTC)
    assert opened("Received", instant, about, question=None)["fz59-registration"] == (
        "2026-06-05",
        "2026-06-05",
    )


def test_information_requests_have_their_own_law():
    found = opened("Registered", "2026-06-02", subject("2026-06-02", regime="information_request"))
    assert found == {
        "fz8-answer": ("2026-07-02", "2026-07-02"),
        "fz8-notice-extension-window": ("2026-06-09", "2026-06-09"),
    }
    assert extension_days(TERMS, "information_request") == 15
    assert extension_days(TERMS, "fz59") == 30
    assert extension_days(TERMS, "deputy_request") is None


def test_incidents_count_hours_day_and_night():
    at = dt.datetime(2026, 6, 11, 20, tzinfo=MOSCOW)
    for marks, hours in (([], 8), (["important"], 3), (["important", "emergency"], 1)):
        about = subject(received=at, regime="incident", marks=marks)
        (found,) = opened("Received", at, about, question=None).values()
        assert dt.datetime.fromisoformat(found[1]) == at + dt.timedelta(hours=hours)


def test_a_year_without_a_confirmed_calendar_is_flagged_with_the_deadline():
    (spec,) = open_for(
        event("Received", "2026-12-31", question=None), subject(received="2026-12-31"), TERMS, RU
    )
    assert spec.facts.due_legal == "2027-01-11"
    assert spec.facts.confirmed is False


# other units


def term(unit, count, **more):
    from msgspec.structs import replace

    return replace(BY_ID["fz59-registration"], unit=unit, count=count, **more)


@pytest.mark.parametrize(
    ("start", "count", "after", "last"),
    [
        ("2026-06-11", 3, True, "2026-06-17"),
        ("2026-06-11", 3, False, "2026-06-16"),
        ("2026-06-12", 1, False, "2026-06-15"),
        ("2025-10-31", 1, True, "2025-11-01"),
        ("2025-11-01", 1, True, "2025-11-05"),
    ],
)
def test_working_days(start, count, after, last):
    found = due(term("working_day", count, day_after_start=after), d(start), RU)
    assert found == (d(last), d(last), True)


def test_working_hours_go_on_the_next_working_morning():
    thursday = dt.datetime(2026, 6, 11, 16, tzinfo=MOSCOW)
    assert due(term("working_hour", 4), thursday, RU).legal == dt.datetime(
        2026, 6, 15, 11, tzinfo=MOSCOW
    )
    assert due(term("working_hour", 2), thursday, RU).legal == dt.datetime(
        2026, 6, 11, 18, tzinfo=MOSCOW
    )
    night = dt.datetime(2026, 6, 13, 3, tzinfo=MOSCOW)
    assert due(term("working_hour", 1), night, RU).legal == dt.datetime(
        2026, 6, 15, 10, tzinfo=MOSCOW
    )


def test_the_first_day_may_count():
    assert due(term("calendar_day", 3, day_after_start=False), d("2026-06-01"), RU).legal == d(
        "2026-06-03"
    )
    same = due(term("calendar_day", 3, internal_end="same", legal_end="same"), d("2026-06-11"), RU)
    assert same.legal == same.internal == d("2026-06-14")


# moving and closing


def run(*events_and_subjects):
    """Return what runs after the events, and every change in order."""
    running: dict[tuple, DeadlineSpec] = {}
    log = []
    for happened, about in events_and_subjects:
        for change in changes(happened, about, running.values(), TERMS, RU):
            key = (change.spec.question, change.spec.facts.rule)
            if change.type is EventType.DEADLINE_CLOSED:
                del running[key]
            else:
                running[key] = change.spec
            log.append((change.type.value, change.spec.facts.rule, change.overdue))
    return {rule: spec.facts for (_, rule), spec in running.items()}, log


def test_a_whole_consideration():
    about = subject("2026-06-05")
    running, log = run(
        (event("Received", "2026-06-01", question=None), subject()),
        (event("Registered", "2026-06-05"), about),
        (event("Answered", "2026-07-07"), about),
    )
    assert running == {}
    assert ("DeadlineClosed", "fz59-registration", True) in log  # due on the 4th
    assert ("DeadlineClosed", "fz59-answer", True) in log  # due on Monday the 6th
    assert ("DeadlineClosed", "fz59-forwarding", False) in log  # a window is never overdue


def test_an_answer_on_the_last_legal_day_is_in_time():
    about = subject("2026-06-05")
    _, log = run(
        (event("Registered", "2026-06-05"), about), (event("Answered", "2026-07-06"), about)
    )
    assert ("DeadlineClosed", "fz59-answer", False) in log


@pytest.mark.parametrize(
    ("decided", "internal", "legal"),
    [
        # 6 July + 30 = Wednesday 5 August: as far as it goes, whatever was decided.
        ("2026-07-20", "2026-07-20", "2026-07-20"),
        ("2026-08-02", "2026-07-31", "2026-08-03"),
        ("2026-08-05", "2026-08-05", "2026-08-05"),
        ("2026-09-30", "2026-08-05", "2026-08-05"),
    ],
)
def test_an_extension_moves_the_answer_and_owes_a_notice_the_same_day(decided, internal, legal):
    about = subject("2026-06-05")
    payload = f.ExtensionFacts(ground="10.2", decided_on=d("2026-07-01"), new_due=d(decided))
    running, log = run(
        (event("Registered", "2026-06-05"), about),
        (event("Extended", "2026-07-01", payload), about),
    )
    moved = running["fz59-answer"]
    assert (moved.due_internal, moved.due_legal, moved.ground) == (internal, legal, "10.2")
    assert moved.start == "2026-06-05"
    assert running["fz59-notice-12-2"].due_legal == "2026-07-01"
    assert log[-2:] == [
        ("DeadlineMoved", "fz59-answer", False),
        ("DeadlineOpened", "fz59-notice-12-2", False),
    ]


def test_a_second_extension_does_not_add_another_thirty_days():
    about = subject("2026-06-05")
    first = f.ExtensionFacts(ground="10.2", decided_on=d("2026-07-01"), new_due=d("2026-08-05"))
    second = f.ExtensionFacts(ground="12.2", decided_on=d("2026-08-01"), new_due=d("2026-09-04"))
    running, _ = run(
        (event("Registered", "2026-06-05"), about),
        (event("Extended", "2026-07-01", first), about),
        (event("Extended", "2026-08-01", second), about),
    )
    assert running["fz59-answer"].due_legal == "2026-08-05"


def test_an_extension_never_shortens():
    about = subject("2026-06-05")
    payload = f.ExtensionFacts(ground="10.2", decided_on=d("2026-07-01"), new_due=d("2026-07-01"))
    running, _ = run(
        (event("Registered", "2026-06-05"), about),
        (event("Extended", "2026-07-01", payload), about),
    )
    assert running["fz59-answer"].due_legal == "2026-07-06"


def test_after_a_refused_transfer_the_term_runs_from_the_first_registration():
    about = subject("2026-06-05")
    moved = f.TransferFacts(organisation="o", ground="8.3")
    running, _ = run(
        (event("Registered", "2026-06-05"), about),
        (event("Transferred", "2026-06-08", moved), about),
    )
    assert set(running) == {"fz59-notice-8-3"}
    running, _ = run(
        (event("Registered", "2026-06-05"), about),
        (event("Transferred", "2026-06-08", moved), about),
        (event("RefusedByReceiver", "2026-06-20"), about),
    )
    assert {rule: x.due_legal for rule, x in running.items()} == {"fz59-answer": "2026-07-06"}


def test_a_copy_closes_only_the_term_for_copies():
    about = subject("2026-06-05", marks=["several_bodies"])
    copy = f.TransferFacts(organisation="o", ground="8.4", copy=True)
    running, _ = run(
        (event("Registered", "2026-06-05"), about),
        (event("Transferred", "2026-06-08", copy), about),
    )
    assert set(running) == {"fz59-answer", "fz59-forwarding", "fz59-art11-window"}


def test_a_letter_closes_the_notice_it_is():
    about = subject("2026-06-05")
    moved = f.TransferFacts(organisation="o", ground="8.3")
    history = [
        (event("Registered", "2026-06-05"), about),
        (event("Transferred", "2026-06-08", moved), about),
    ]
    for letter, left in (
        (f.AnswerFacts(kind="notice", notice="8.3"), set()),
        (f.AnswerFacts(kind="notice"), set()),
        (f.AnswerFacts(kind="notice", notice="12.2"), {"fz59-notice-8-3"}),
        (f.AnswerFacts(kind="interim"), {"fz59-notice-8-3"}),
    ):
        running, _ = run(*history, (event("LetterSent", "2026-06-09", letter), about))
        assert set(running) == left


def test_another_questions_answer_closes_nothing():
    about = subject("2026-06-05")
    running, _ = run(
        (event("Registered", "2026-06-05"), about),
        (event("Registered", "2026-06-05", question=2), about),
        (event("Answered", "2026-06-20", question=2), about),
    )
    assert "fz59-answer" in running


def test_a_late_word_opens_and_closes_nothing():
    about = subject("2026-06-05")
    running, log = run(
        (event("Registered", "2026-06-05"), about),
        (event("Transferred", "2026-06-06", f.TransferFacts(organisation="o"), late=True), about),
    )
    assert "fz59-answer" in running
    assert len(log) == 3


def test_a_guessed_registration_is_put_right_by_the_true_one():
    guessed, _ = run((event("Registered", "2026-06-10", inferred=True), subject()))
    assert guessed["fz59-answer"].start == "2026-06-10"
    assert guessed["fz59-answer"].ground == "дата регистрации предположена"
    true = event("Registered", "2026-06-02", f.RegistrationFacts(number="1"), late=True)
    running, log = run(
        (event("Registered", "2026-06-10", inferred=True), subject()),
        (true, subject("2026-06-02")),
    )
    assert running["fz59-answer"].due_legal == "2026-07-02"
    assert running["fz59-answer"].ground == ""
    assert ("DeadlineMoved", "fz59-answer", False) in log


def test_one_unconfirmed_year_is_enough_to_flag_a_deadline():
    about = subject("2027-03-01")
    specs = open_for(event("Registered", "2027-03-01"), about, TERMS, RU)
    assert {s.facts.confirmed for s in specs} == {False}
    # Moved to 31 December 2026, which is off: the legal day is 11 January of a year not confirmed.
    about = subject("2026-11-02")
    payload = f.ExtensionFacts(ground="10.2", decided_on=d("2026-12-01"), new_due=d("2026-12-31"))
    running, _ = run(
        (event("Registered", "2026-11-02"), about),
        (event("Extended", "2026-12-01", payload), about),
    )
    moved = running["fz59-answer"]
    assert (moved.due_internal, moved.due_legal) == ("2026-12-30", "2027-01-11")
    assert moved.confirmed is False


@pytest.mark.parametrize(
    ("type_", "payload"),
    [
        (
            "Extended",
            f.ExtensionFacts(
                ground="12.2", decided_on=d("2026-06-20"), applicant_notified_on=d("2026-06-20")
            ),
        ),
        (
            "Transferred",
            f.TransferFacts(organisation="o", ground="8.3", applicant_notified_on=d("2026-06-03")),
        ),
    ],
)
def test_no_notice_is_owed_to_an_applicant_who_has_been_notified(type_, payload):
    assert not any(
        "notice" in rule for rule in opened(type_, "2026-06-20", subject("2026-06-02"), payload)
    )
