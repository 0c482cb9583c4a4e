"""What events add to the content of an appeal.

Letters to the applicant, files that came later, what a moderator said of it, what its author was
asked, and what the author thinks of the answer. Their facts stand in the events; names and texts
are read from the contents that the events name by their digest, and are empty once these were
erased.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID, uuid5

import msgspec
from msgspec.structs import replace

from gateway.disclosure import files_of
from gateway.model.answer import Answer, AnswerKind
from gateway.model.attachment import Attachment, AttachmentRole
from gateway.model.base import Code
from gateway.model.events import EventType
from gateway.model.facts import (
    AnswerFacts,
    ClarificationFacts,
    FileFacts,
    ModerationFacts,
    RatingFacts,
    ReasonFacts,
)
from gateway.model.later import (
    Clarification,
    Feedback,
    FeedbackKind,
    Moderation,
    ModerationStage,
    Verdict,
)
from gateway.model.organisation import Officer
from gateway.store import files
from gateway.store.arrays import ByteaArray, UuidArray

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from psycopg import Connection

    from gateway.model.appeal import Appeal
    from gateway.model.base import Day
    from gateway.model.events import Event
    from gateway.model.facts import OutcomeFacts

    Texts = Mapping[str, Mapping[str, str]]

LETTERS = (EventType.ANSWERED, EventType.LETTER_SENT)
FEEDBACK = {
    EventType.RATED: FeedbackKind.RATING,
    EventType.CONFIRMED: FeedbackKind.CONFIRMATION,
    EventType.RETURNED_FOR_REWORK: FeedbackKind.REWORK,
}
VERDICTS = {
    EventType.MODERATION_PASSED: Verdict.ACCEPTED,
    EventType.NOT_AN_APPEAL: Verdict.REJECTED,
    EventType.REGISTRATION_REFUSED: Verdict.REJECTED,
}
"""What ends a moderation, and how; the last two may come without any."""
WORDS = frozenset(
    (
        *LETTERS, *FEEDBACK, *VERDICTS, EventType.FILE_ATTACHED, EventType.SENT_TO_MODERATION,
        EventType.CLARIFICATION_ASKED, EventType.CLARIFICATION_ANSWERED, EventType.ADDRESS_RESOLVED,
    )
)  # fmt: skip
"""Types whose contents are read."""

CONTENTS = """
SELECT digest, bytes FROM content
WHERE appeal_id = ANY($1::uuid[]) AND digest = ANY($2::bytea[])
"""


class Letter(NamedTuple):
    """One letter with all the questions it answers.

    day: of the letter, or the day on which it was said to be sent. cause: the message that told it.
    """

    answer: Answer
    outcome: OutcomeFacts | None
    day: Day
    cause: UUID | None


def texts(
    connection: Connection[Any], events: Mapping[UUID, Sequence[Event]]
) -> dict[str, dict[str, str]]:
    """Return the personal parts of what is added, by the digest that their events name."""
    digests = {
        bytes.fromhex(event.content)
        for history in events.values()
        for event in history
        if event.content and event.type in WORDS
    }
    if not digests:
        return {}
    rows = connection.execute(
        CONTENTS, (UuidArray.of(list(events)), ByteaArray.of(list(digests))), binary=True
    )
    return {digest.hex(): msgspec.json.decode(data) for digest, data in rows if data is not None}


def known_files(
    connection: Connection[Any],
    appeals: Mapping[UUID, Appeal],
    events: Mapping[UUID, Iterable[Event]],
) -> dict[UUID, dict[str, files.Known]]:
    """Return appeal → SHA-256 → the file, of everything it names and of what came later."""
    named = {
        appeal_id: files_of(appeal)
        | {e.payload.sha256 for e in events[appeal_id] if isinstance(e.payload, FileFacts)}
        for appeal_id, appeal in appeals.items()
    }
    reporters = {
        appeal_id: {e.actor.id for e in events[appeal_id] if e.actor.kind == "peer"}
        for appeal_id in appeals
    }
    return files.known(connection, named, reporters)


def letters(events: Iterable[Event], told: Texts) -> list[Letter]:
    """Return the letters among the events of one appeal, each once with all its questions."""
    found: dict[UUID, Letter] = {}
    for event in events:
        facts = event.payload
        if event.type not in LETTERS or not isinstance(facts, AnswerFacts):
            continue
        personal = told.get(event.content or "", {})
        key = letter_id(event)
        before = found.get(key)
        ordinals = before.answer.questions if before else ()
        signer = personal.get("answer_signed_by", "")
        at = event.occurred_at
        answer = Answer(
            id=key,
            questions=(*ordinals, event.question) if event.question else ordinals,
            kind=AnswerKind(facts.kind),
            number=facts.number,
            date=facts.date,
            signed_by=Officer(name=signer) if signer else None,
            text=personal.get("answer_text", ""),
            attachments=tuple(_enclosed(facts)),
        )
        day = facts.date or (at.date() if isinstance(at, datetime) else at)
        found[key] = Letter(answer, facts.outcome, day, event.cause)
    return list(found.values())


def _enclosed(facts: AnswerFacts) -> Iterator[Attachment]:
    """Yield the files of a letter, each with what it is for."""
    for order, digest in enumerate(facts.attachments, 1):
        told = facts.roles[order - 1] if order <= len(facts.roles) else ""
        role = AttachmentRole(told) if told in _ROLES else AttachmentRole.ANSWER
        yield Attachment(sha256=digest, role=role, order=order)


_ROLES = frozenset(AttachmentRole)


def letter_id(event: Event) -> UUID:
    """Return the id of the letter that an event is about, one for all the questions it answers."""
    facts = event.payload
    told = (facts.kind, facts.number) if isinstance(facts, AnswerFacts) else ()
    return uuid5(event.appeal_id, "\0".join((str(event.cause or event.seq), *told)))


def feedback(events: Iterable[Event], told: Texts) -> list[Feedback]:
    """Return what the applicant said of answers, each word once with all its questions."""
    found: dict[tuple[UUID | int, EventType], Feedback] = {}
    for event in events:
        kind = FEEDBACK.get(event.type)
        if kind is None or event.inferred:
            continue
        key = (event.cause or event.seq, event.type)
        before = found.get(key)
        ordinals = before.questions if before else ()
        rating, reason = event.payload, event.payload
        found[key] = Feedback(
            **_times(event),
            questions=(*ordinals, event.question) if event.question else ordinals,
            kind=kind,
            peer_kind=_code(event, reason.system, reason.code)
            if isinstance(reason, ReasonFacts)
            else None,
            score=rating.score if isinstance(rating, RatingFacts) else None,
            scale=_code(event, "", rating.scale) if isinstance(rating, RatingFacts) else None,
            text=_said(event, told),
            due=reason.due if isinstance(reason, ReasonFacts) else None,
        )
    return list(found.values())


def moderations(events: Iterable[Event], told: Texts) -> list[Moderation]:
    """Return what became of the appeal with its moderators, one for each time it was sent to one.

    A refusal tells of moderation only where there was one.
    """
    found: dict[UUID | int, Moderation] = {}
    waits: dict[int | None, UUID | int] = {}
    for event in events:
        key = event.cause or event.seq
        if event.type is EventType.SENT_TO_MODERATION and isinstance(
            event.payload, ModerationFacts
        ):
            stage = event.payload.stage
            found[key] = Moderation(
                **_times(event),
                stage=ModerationStage(stage) if stage in _STAGES else ModerationStage.PORTAL,
                reason=_said(event, told) or event.payload.reason,
                by=event.actor.id,
            )
            waits[event.question] = key
        elif event.type in VERDICTS and not event.inferred and event.question in waits:
            sent = waits.pop(event.question)
            found[sent] = replace(
                found[sent],
                verdict=VERDICTS[event.type],
                reason=_said(event, told) or _coded(event) or found[sent].reason,
                by=event.actor.id,
                at=event.occurred_at if isinstance(event.occurred_at, datetime) else None,
            )
    return list(found.values())


def clarifications(events: Iterable[Event], told: Texts) -> list[Clarification]:
    """Return what the author was asked, with the answer to it where one came."""
    found: dict[UUID | int, Clarification] = {}
    answers: set[UUID | int] = set()
    for event in events:
        at = event.occurred_at if isinstance(event.occurred_at, datetime) else None
        key = event.cause or event.seq
        if event.type is EventType.CLARIFICATION_ASKED:
            facts = event.payload
            found[key] = Clarification(
                **_times(event),
                asked_at=at,
                text=_said(event, told),
                due=facts.due if isinstance(facts, ClarificationFacts) else None,
            )
        elif event.type is EventType.CLARIFICATION_ANSWERED and key not in answers:
            answers.add(key)
            asked = next((k for k, c in found.items() if c.answered_at is None), key)
            found[asked] = replace(
                found.get(asked) or Clarification(**_times(event)),
                answered_at=at or event.recorded_at,
                answer=_said(event, told),
            )
    return list(found.values())


_STAGES = frozenset(ModerationStage)


def _times(event: Event) -> dict[str, Any]:
    at = event.occurred_at
    return {
        "occurred_at": at if isinstance(at, datetime) else None,
        "reported_at": event.reported_at,
        "recorded_at": event.recorded_at,
    }


def _said(event: Event, told: Texts) -> str:
    return told.get(event.content or "", {}).get("comment", "")


def _coded(event: Event) -> str:
    facts = event.payload
    if isinstance(facts, ModerationFacts):
        return facts.reason
    return facts.code if isinstance(facts, ReasonFacts) else ""


def _code(event: Event, system: str, value: str) -> Code | None:
    return Code(system=system or event.actor.id, value=value) if value else None


def attached(events: Iterable[Event], told: Texts) -> dict[str, Attachment]:
    """Return the files that came later, by SHA-256; of a repeated one the last word counts."""
    found: dict[str, Attachment] = {}
    for event in events:
        facts = event.payload
        if not isinstance(facts, FileFacts):
            continue
        personal = told.get(event.content or "", {})
        found[facts.sha256] = Attachment(
            sha256=facts.sha256,
            declared_name=personal.get("file_name", ""),
            declared_type=personal.get("media_type", ""),
            role=AttachmentRole(facts.role),
        )
    return found


def with_files(
    appeal: Appeal, later: Mapping[str, Attachment], known: Mapping[str, files.Known]
) -> Appeal:
    """Return an appeal with the files that came later after its own; one it has only gets its role.

    known: of `known_files`; the files of its answers are named by it too.
    """
    if not later and not any(answer.attachments for answer in appeal.answers):
        return appeal
    own = tuple(
        replace(file, role=later[file.sha256].role) if file.sha256 in later else file
        for file in appeal.attachments
    )
    there = {file.sha256 for file in own}
    new = [_sized(file, known) for digest, file in later.items() if digest not in there]
    return replace(
        appeal,
        attachments=(*own, *(replace(f, order=n) for n, f in enumerate(new, len(own) + 1))),
        answers=tuple(
            replace(answer, attachments=tuple(_named(file, known) for file in answer.attachments))
            if answer.attachments
            else answer
            for answer in appeal.answers
        ),
    )


def _sized(file: Attachment, known: Mapping[str, files.Known]) -> Attachment:
    there = known.get(file.sha256)
    if there is None:
        return file
    return replace(file, media_type=there.media_type, size=there.size)


def _named(file: Attachment, known: Mapping[str, files.Known]) -> Attachment:
    there = known.get(file.sha256)
    return replace(_sized(file, known), declared_name=there.name) if there else file
