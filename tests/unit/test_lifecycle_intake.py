"""What a report must say before it gets a receipt, whatever its appeal."""

from __future__ import annotations

import datetime as dt

import pytest

from gateway import limits
from gateway.errors import TooLargeError, ValidationError
from gateway.lifecycle import check_report
from gateway.model import facts as f
from gateway.model.base import Extra
from gateway.model.events import AppealKey, EventType, PeerAnswer, PeerReport
from tests.unit.lifecycle_kit import NOW, day


def report(event: str, **more) -> PeerReport:
    values = {
        "message_key": "K-1",
        "key": AppealKey(receipt_number="1"),
        "event": EventType(event),
        "occurred_on": day(20),
    }
    return PeerReport(**(values | more))


def places(told: PeerReport) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as caught:
        check_report(told, NOW)
    return [(v.path, v.code) for v in caught.value.violations]


ONE_TOO_MANY_FILES = limits.ATTACHMENTS_PER_APPEAL + 1
EXTRA = Extra(peer="pos", path="/x", value=1)


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"extras": (EXTRA,) * (limits.EXTRAS_PER_ENTITY + 1)}, "Extra"),
        ({"ordinals": tuple(range(1, limits.QUESTIONS_PER_APPEAL + 2))}, "Questions"),
        ({"questions": ("1",) * (limits.QUESTIONS_PER_APPEAL + 1)}, "Questions"),
        (
            {"answer": PeerAnswer(kind="final", attachments=("a",) * ONE_TOO_MANY_FILES)},
            "Attachments",
        ),
    ],
)
def test_a_report_of_more_than_can_be_kept_is_too_large(more, place):
    with pytest.raises(TooLargeError) as caught:
        check_report(report("Answered", **more), NOW)
    assert caught.value.where == place


EXTENSION = f.ExtensionFacts(ground="10.2", new_due=day(30))
LATER = dt.date(2036, 1, 1)
SUPPORTED = f.OutcomeFacts(result="supported")


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (report("Extended"), [("Extension", "required")]),
        (
            report("Extended", extension=f.ExtensionFacts(new_due=day(30))),
            [("Extension/Ground", "required")],
        ),
        (report("Answered"), [("Outcome", "required")]),
        (report("Answered", outcome=SUPPORTED), [("Outcome/ActionsTaken", "required")]),
        (report("Registered"), [("Registration", "required")]),
        (report("Transferred"), [("Transfer", "required")]),
        (report("ReturnedToUs"), [("Reason", "required")]),
        (report("TopicAssigned"), [("Topic", "required")]),
        (report("ReceiverAnswered"), [("Registration", "required")]),
        (report("PeerStateReported"), [("PeerState", "required")]),
    ],
)
def test_a_fact_that_the_event_needs_is_named(told, found):
    assert places(told) == found


@pytest.mark.parametrize(
    "event", ["ConfirmTermExpired", "NotAnAppeal", "Received", "EvidenceAccepted"]
)
def test_what_no_peer_may_report_is_refused_with_what_may(event):
    with pytest.raises(ValidationError) as caught:
        check_report(report(event), NOW)
    (violation,) = caught.value.violations
    assert (violation.path, violation.found) == ("Event", event)
    taken = violation.expected.split(", ")
    assert "Answered" in taken
    assert event not in taken


@pytest.mark.parametrize(
    ("told", "path"),
    [
        (report("TakenToWork", occurred_on=dt.date(2026, 7, 3)), "OccurredOn"),
        (
            report("Registered", registration=f.RegistrationFacts(number="1", date=LATER)),
            "Registration/Date",
        ),
        (
            report("Answered", occurred_on=LATER, answer=PeerAnswer(kind="interim", date=LATER)),
            "Date",
        ),
    ],
)
def test_a_day_that_is_later_than_it_can_be_is_named(told, path):
    assert places(told) == [(path, "future")]


def test_a_report_that_says_enough_is_taken_whatever_its_questions():
    check_report(report("Extended", extension=EXTENSION, questions=("unknown",)), NOW)
    check_report(report("Answered", answer=PeerAnswer(kind="interim", number="О-1")), NOW)
    check_report(report("Extended", extension=EXTENSION, ordinals=(7,)), NOW)
    new_due = f.ExtensionFacts(ground="10.2", new_due=dt.date(2026, 9, 1))
    check_report(report("Extended", extension=new_due), NOW)
    check_report(report("Rated", rating=f.RatingFacts(score=4)), NOW)
    check_report(report("Rated", comment="спасибо"), NOW)
    check_report(report("ReturnedForRework", comment="не сделано"), NOW)
    check_report(report("SentToModeration", moderation=f.ModerationFacts(stage="portal")), NOW)
