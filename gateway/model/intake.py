"""What an appeal must hold to be taken in, and the question that every appeal has.

Rule 1 of the model: nothing is mandatory but a source and one of text, file, external number. Name,
address and text may each be missing: an anonymous letter, a list item of УРОГ, a scan.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from msgspec.structs import replace

from gateway import limits
from gateway.errors import TooLargeError, ValidationError, Violation
from gateway.model.question import Question

if TYPE_CHECKING:
    from gateway.model.appeal import Appeal
    from gateway.model.base import Extra


def check_intake(appeal: Appeal) -> None:
    """Raise ValidationError unless the appeal has a source and one of text, file, number.

    Also checks the counts that protect the process (TooLargeError) and that questions are numbered
    without repetition. What a system needs beyond that is checked by its own codec.
    """
    wrong: list[Violation] = []
    if not (appeal.source_peer or appeal.source_system):
        wrong.append(Violation("source", "required", "the appeal names no source"))
    if not (has_text(appeal) or has_file(appeal) or has_number(appeal)):
        message = "the appeal has neither text, nor file, nor a number of its source"
        wrong.append(Violation("text", "required", message, expected="one of the three"))
    ordinals = [question.ordinal for question in appeal.questions]
    if len(set(ordinals)) != len(ordinals) or any(ordinal < 1 for ordinal in ordinals):
        message = "questions are numbered from 1, each number once"
        wrong.append(Violation("questions", "ordinal", message, found=str(ordinals)))
    if appeal.revision < 1:
        message = "revisions count from 1"
        wrong.append(Violation("revision", "range", message, found=str(appeal.revision)))
    if wrong:
        raise ValidationError("the appeal cannot be taken in", tuple(wrong))
    _check_counts(appeal)


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


def _check_counts(appeal: Appeal) -> None:
    for name, count, most in (
        ("questions", len(appeal.questions), limits.QUESTIONS_PER_APPEAL),
        ("attachments", len(appeal.attachments), limits.ATTACHMENTS_PER_APPEAL),
        ("extras", _most_extras(appeal), limits.EXTRAS_PER_ENTITY),
    ):
        if count > most:
            raise TooLargeError(
                f"too many {name}", found=str(count), expected=str(most), where=name
            )


def _most_extras(appeal: Appeal) -> int:
    families: tuple[tuple[Extra, ...], ...] = (
        appeal.extras,
        *(question.extras for question in appeal.questions),
        *(applicant.extras for applicant in appeal.applicants),
    )
    return max(map(len, families))
