"""Nothing is mandatory but a source and one of text, file, number; every appeal has a question."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings

from gateway import limits
from gateway.errors import TooLargeError, ValidationError
from gateway.model.answer import Answer
from gateway.model.appeal import Appeal
from gateway.model.attachment import Attachment
from gateway.model.base import Code, ExternalRef, Extra
from gateway.model.intake import check_intake, with_question
from gateway.model.question import Question
from gateway.model.registration import ReferralIn, Registration
from tests.unit.model.appeals import entity

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ENOUGH = {
    "text": {"text": "Прошу убрать снег"},
    "question": {"questions": (Question(text="Снег"),)},
    "file": {"attachments": (Attachment(sha256="ab" * 32),)},
    "link": {"attachments": (Attachment(url="https://photos.example.org/1.jpg"),)},
    "number": {"refs": (ExternalRef(peer="p", kind="id", value="7"),)},
    "registration": {"registrations": (Registration(number="ОГ-1"),)},
    "letter": {"referrals": (ReferralIn(number="А26-1"),)},
}


@pytest.mark.parametrize("fields", ENOUGH.values(), ids=ENOUGH)
def test_one_of_text_file_and_number_is_enough(fields):
    check_intake(Appeal(source_peer="portal", **fields), NOW)
    check_intake(Appeal(source_system=Code(system="gateway.source", value="file"), **fields), NOW)


@pytest.mark.parametrize(
    "fields", [{}, {"text": " \n\u00a0"}, {"attachments": (Attachment(),)}, {"collective": True}]
)
def test_an_appeal_about_nothing_is_refused(fields):
    with pytest.raises(ValidationError) as caught:
        check_intake(Appeal(source_peer="portal", **fields), NOW)

    assert [violation.code for violation in caught.value.violations] == ["required"]


def test_every_fault_is_named_at_once():
    with pytest.raises(ValidationError) as caught:
        check_intake(Appeal(questions=(Question(ordinal=1), Question(ordinal=1)), revision=0), NOW)

    assert [v.path for v in caught.value.violations] == ["Source", "Text", "Questions", "Revision"]


def test_counts_are_bounded():
    base = {"source_peer": "p", "text": "т"}
    many = tuple(Question(ordinal=n + 1) for n in range(limits.QUESTIONS_PER_APPEAL + 1))
    files = (Attachment(sha256="ab" * 32),) * (limits.ATTACHMENTS_PER_APPEAL + 1)
    extras = (Extra(peer="p", path="x"),) * (limits.EXTRAS_PER_ENTITY + 1)

    for fields in (
        {"questions": many},
        {"attachments": files},
        {"extras": extras},
        {"questions": (Question(extras=extras),)},
    ):
        with pytest.raises(TooLargeError):
            check_intake(Appeal(**base, **fields), NOW)


def test_a_letter_without_topic_gets_one_question_with_its_text():
    appeal = with_question(Appeal(source_peer="p", subject="О снеге", text="Прошу убрать снег"))

    assert appeal.questions == (Question(ordinal=1, text="Прошу убрать снег"),)
    assert appeal.questions[0].topics == ()
    assert appeal.questions[0].state == "received"
    assert with_question(appeal) is appeal


@settings(max_examples=50, suppress_health_check=list(HealthCheck), deadline=None)
@given(entity(Appeal, depth=2))
def test_every_appeal_has_a_question(appeal):
    assert with_question(appeal).questions


AHEAD = {
    "ReceivedAt": {"received_at": NOW + timedelta(days=1, minutes=1)},
    "SentAt": {"sent_at": datetime(2036, 1, 1, tzinfo=UTC)},
    "Registrations/Registration[1]/Date": {
        "registrations": (Registration(number="1", date=date(2026, 3, 4)),)
    },
    "Referral/Date": {"referrals": (ReferralIn(number="1", date=date(2027, 1, 1)),)},
    "Questions/QuestionIn[2]/IncomingDate": {
        "questions": (Question(ordinal=1), Question(ordinal=2, incoming_date=date(2026, 3, 5)))
    },
    "Answers/Answer[1]/Date": {"answers": (Answer(number="О-1", date=date(2026, 3, 5)),)},
}


@pytest.mark.parametrize(("path", "fields"), AHEAD.items())
def test_what_has_happened_is_not_more_than_a_day_ahead(path, fields):
    with pytest.raises(ValidationError) as caught:
        check_intake(Appeal(source_peer="p", text="т", **fields), NOW)

    assert [(v.path, v.code) for v in caught.value.violations] == [(path, "future")]
    assert caught.value.violations[0].expected == "not after 2026-03-03T09:00Z"


def test_a_clock_that_is_ahead_and_a_day_that_has_begun_in_the_east_are_taken():
    east = timezone(timedelta(hours=12))
    fields = {
        "received_at": (NOW + timedelta(hours=23)).astimezone(east),
        "registrations": (Registration(number="1", date=date(2026, 3, 3)),),
        "questions": (Question(ordinal=1, incoming_date=date(1998, 5, 6)),),
    }
    check_intake(Appeal(source_peer="p", text="т", **fields), NOW)
