"""What events add to the content of an appeal: letters to the applicant, and files that came later.

Their facts stand in the events; names and texts are read from the contents that the events name by
their digest, and are empty once these were erased.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID, uuid5

import msgspec
from msgspec.structs import replace

from gateway.model.answer import Answer, AnswerKind
from gateway.model.attachment import Attachment, AttachmentRole
from gateway.model.events import EventType
from gateway.model.facts import AnswerFacts, FileFacts
from gateway.model.organisation import Officer
from gateway.store import files
from gateway.store.arrays import ByteaArray, UuidArray

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from psycopg import Connection

    from gateway.model.appeal import Appeal
    from gateway.model.base import Day
    from gateway.model.events import Event
    from gateway.model.facts import OutcomeFacts

    Texts = Mapping[str, Mapping[str, str]]

LETTERS = (EventType.ANSWERED, EventType.LETTER_SENT)

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
        if event.content and event.type in (*LETTERS, EventType.FILE_ATTACHED)
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
    """Return appeal → SHA-256 → the file, of the files of answers and those that came later."""
    named = {
        appeal_id: {file.sha256 for answer in appeal.answers for file in answer.attachments}
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
            attachments=tuple(
                Attachment(sha256=digest, role=AttachmentRole.ANSWER, order=order)
                for order, digest in enumerate(facts.attachments, 1)
            ),
        )
        day = facts.date or (at.date() if isinstance(at, datetime) else at)
        found[key] = Letter(answer, facts.outcome, day, event.cause)
    return list(found.values())


def letter_id(event: Event) -> UUID:
    """Return the id of the letter that an event is about, one for all the questions it answers."""
    facts = event.payload
    told = (facts.kind, facts.number) if isinstance(facts, AnswerFacts) else ()
    return uuid5(event.appeal_id, "\0".join((str(event.cause or event.seq), *told)))


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
