"""What an appeal must hold to be taken in, and the question that every appeal has.

Rule 1 of the model: nothing is mandatory but a source and one of text, file, external number. Name,
address and text may each be missing: an anonymous letter, a list item of УРОГ, a scan.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import chain
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from gateway import limits
from gateway.errors import TooLargeError, ValidationError, Violation
from gateway.model.question import Question

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gateway.model.appeal import Appeal
    from gateway.model.base import Extra

SKEW: Final = timedelta(days=1)
"""How far a peer's clock may be ahead of ours."""
_FIRST_ZONE: Final = timezone(timedelta(hours=14))
"""Where each day begins first."""
PAST: Final = frozenset(
    {
        "received_at",
        "sent_at",
        "registrations.date",
        "referrals.date",
        "referrals.received_date",
        "questions.incoming_date",
        "questions.registration_date",
        "questions.response_date",
        "answers.date",
    }
)
"""Places of the model that tell what has happened already, as paths without the lists' places."""


def check_intake(appeal: Appeal, now: datetime) -> None:
    """Raise ValidationError unless the appeal has a source and one of text, file, number.

    Also checks the counts that protect the process (TooLargeError), that questions are numbered
    without repetition, and that nothing has happened after `now` (`ahead`). What a system needs
    beyond that is checked by its own codec.
    """
    wrong: list[Violation] = []
    if not (appeal.source_peer or appeal.source_system):
        wrong.append(Violation("Source", "required", "the appeal names no source"))
    if not (has_text(appeal) or has_file(appeal) or has_number(appeal)):
        message = "the appeal has neither text, nor file, nor a number of its source"
        wrong.append(Violation("Text", "required", message, expected="one of the three"))
    ordinals = [question.ordinal for question in appeal.questions]
    if len(set(ordinals)) != len(ordinals) or any(ordinal < 1 for ordinal in ordinals):
        message = "questions are numbered from 1, each number once"
        wrong.append(Violation("Questions", "ordinal", message, found=str(ordinals)))
    if appeal.revision < 1:
        message = "revisions count from 1"
        wrong.append(Violation("Revision", "range", message, found=str(appeal.revision)))
    wrong += future(_days(appeal), now)
    if wrong:
        raise ValidationError("the appeal cannot be taken in", tuple(wrong))
    check_counts(len(appeal.questions), len(appeal.attachments), _most_extras(appeal))


def ahead(moment: date | datetime, now: datetime) -> bool:
    """Say whether a day or an instant lies more than a day ahead, wherever on earth it was told.

    A term that began in the future would end later than the law has it, and nobody would see.
    """
    if isinstance(moment, datetime):
        return moment > now + SKEW
    return moment > (now + SKEW).astimezone(_FIRST_ZONE).date()


def future(told: Iterable[tuple[str, date | datetime | None]], now: datetime) -> list[Violation]:
    """Return a violation for each of the places whose day or instant lies ahead."""
    return [
        Violation(
            path, "future", "the date is later than it can be", moment.isoformat(), expected(now)
        )
        for path, moment in told
        if moment is not None and ahead(moment, now)
    ]


def expected(now: datetime) -> str:
    """Return, for a message, until when something can have happened."""
    return f"not after {(now + SKEW).astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def _days(appeal: Appeal) -> Iterator[tuple[str, date | datetime | None]]:
    """Yield what `PAST` names, by its place in the contract."""
    yield "ReceivedAt", appeal.received_at
    yield "SentAt", appeal.sent_at
    for n, number in enumerate(appeal.registrations, 1):
        yield f"Registrations/Registration[{n}]/Date", number.date
    for letter in appeal.referrals:
        yield "Referral/Date", letter.date
        yield "Referral/ReceivedDate", letter.received_date
    for n, question in enumerate(appeal.questions, 1):
        yield f"Questions/QuestionIn[{n}]/IncomingDate", question.incoming_date
        yield f"Questions/QuestionIn[{n}]/RegistrationDate", question.registration_date
        yield f"Questions/QuestionIn[{n}]/ResponseDate", question.response_date
    for n, answer in enumerate(appeal.answers, 1):
        yield f"Answers/Answer[{n}]/Date", answer.date


def with_question(appeal: Appeal) -> Appeal:
    """Return the appeal with at least one question.

    A source that names none (a citizen's message has no topic code) gets exactly one, without
    topic, with the appeal's text; an appeal that has questions is returned as it is.
    """
    if appeal.questions:
        return appeal
    return replace(appeal, questions=(Question(ordinal=1, text=appeal.text or appeal.subject),))


def has_text(appeal: Appeal) -> bool:
    """Say whether the appeal holds words: its own, its subject's or a question's."""
    return any(
        text and not text.isspace()
        for text in chain(
            (appeal.text, appeal.subject),
            *((question.text, question.annotation) for question in appeal.questions),
        )
    )


def has_file(appeal: Appeal) -> bool:
    """Say whether a file came with it, by its bytes, or by a link or name that leads to them."""
    return any(file.sha256 or file.url or file.declared_name for file in appeal.attachments)


def has_number(appeal: Appeal) -> bool:
    """Say whether somebody outside numbered it: by reference, registration or covering letter."""
    return (
        any(ref.value for ref in appeal.refs)
        or any(registration.number for registration in appeal.registrations)
        or any(referral.number for referral in appeal.referrals)
    )


def check_counts(questions: int, attachments: int, extras: int) -> None:
    """Raise TooLargeError for more of something than protects the process.

    extras: of the entity that has the most of them.
    """
    for name, count, most in (
        ("Questions", questions, limits.QUESTIONS_PER_APPEAL),
        ("Attachments", attachments, limits.ATTACHMENTS_PER_APPEAL),
        ("Extra", extras, limits.EXTRAS_PER_ENTITY),
    ):
        if count > most:
            raise TooLargeError(
                f"too many: {name}", found=str(count), expected=str(most), where=name
            )


def _most_extras(appeal: Appeal) -> int:
    families: tuple[tuple[Extra, ...], ...] = (
        appeal.extras,
        *(question.extras for question in appeal.questions),
        *(applicant.extras for applicant in appeal.applicants),
    )
    return max(map(len, families))
