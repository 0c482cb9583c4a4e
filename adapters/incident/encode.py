"""Appeal and event → what is told of a message, or put under it: a state, a letter, a closing.

An insult is closed without an answer by a person's word only; one that a rule would send is refused
here too. An answer on a topic that the site's table lists needs photographs "before" and "after".
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from adapters.incident.codes import ABUSIVE, ID, JSON, PEER, TOPICS, Tables
from adapters.incident.fields import told
from gateway import limits
from gateway.adapter import EncodeContext, Wire
from gateway.errors import UnsupportedError, ValidationError, Violation
from gateway.model import facts as f
from gateway.model.answer import Answer, AnswerKind
from gateway.model.attachment import Attachment, AttachmentRole
from gateway.model.events import Event, EventType, State

if TYPE_CHECKING:
    from gateway.jsonfields import Fields
    from gateway.model.appeal import Appeal

_KINDS: Final = {
    AnswerKind.FINAL: "answer",
    AnswerKind.FIRST_REACTION: "first_reaction",
    AnswerKind.INTERIM: "interim",
    AnswerKind.PRIMARY_PUBLIC: "first_reaction",
}
"""How a letter is called there; a notice has no word."""
_STATES: Final = {EventType.REGISTERED: "registered", EventType.TAKEN_TO_WORK: "in_work"}
"""States that the feed's own operators see; nothing of them is put under the message."""
_SIDES: Final = (AttachmentRole.BEFORE, AttachmentRole.AFTER)


class Writing(NamedTuple):
    """What the peer's row says.

    tags: put under every answer. citizen_before: a photograph of the message itself is "before".
    in_order: two pictures of an answer whose sides nobody told are "before" and "after".
    """

    tables: Tables
    tags: tuple[str, ...] = ()
    citizen_before: bool = False
    in_order: bool = False


def encode(appeal: Appeal, event: Event | None, ctx: EncodeContext, how: Writing) -> Wire:
    """Return what is put under the message; raise UnsupportedError or ValidationError.

    Without an event it is how the message stands now, which reconciliation holds against the feed.
    """
    wrong: list[Violation] = []
    item_id = next((r.value for r in appeal.refs if r.peer == PEER and r.kind == ID), "")
    if not item_id:
        message = "the appeal did not come from the feed: there is no message to answer"
        wrong.append(Violation("/id", "required", message))
    facts = event.payload if event else None
    if event is None:
        document = {"kind": "state", "state": _stands(appeal)}
    elif event.type in _STATES:
        document = _state(_STATES[event.type], facts)
    elif event.type is EventType.NOT_AN_APPEAL and isinstance(facts, f.ReasonFacts):
        document = _closed(event, facts, wrong)
    elif (
        event.type in (EventType.ANSWERED, EventType.LETTER_SENT)
        and isinstance(facts, f.AnswerFacts)
        and AnswerKind(facts.kind) in _KINDS
    ):
        if _only_told(event, facts, _letter(appeal, AnswerKind(facts.kind), ctx)):
            raise UnsupportedError(
                "a peer told that an answer was sent; its letter is told of when it comes"
            )
        document = _answer(appeal, AnswerKind(facts.kind), ctx, how, wrong)
    else:
        raise UnsupportedError("the feed has no word for this", found=event.type)
    if wrong:
        raise ValidationError("the message cannot be answered so", tuple(wrong))
    return Wire(media_type=JSON, body=msgspec.json.encode({"id": item_id, **document}))


def _stands(appeal: Appeal) -> str:
    if any(letter.kind is AnswerKind.FINAL for letter in appeal.answers):
        return "answered"
    states = {State(question.state) for question in appeal.questions}
    if states and states <= {State.CLOSED, State.DECLINED, State.TRANSFERRED}:
        return "closed"
    return "new" if states <= {State.RECEIVED} and not appeal.answers else "in_work"


def _state(word: str, facts: f.Facts | None) -> Fields:
    number = facts.number if isinstance(facts, f.RegistrationFacts) else ""
    return told({"kind": "state", "state": word, "number": number})


def _closed(event: Event, facts: f.ReasonFacts, wrong: list[Violation]) -> Fields:
    by_person = event.actor.kind == "person"
    if facts.code == ABUSIVE and not by_person:
        message = "only a person closes a message as an insult"
        wrong.append(Violation("/by_person", "person", message, event.actor.kind, "person"))
    return {"kind": "closed", "closed": facts.code, "by_person": by_person}


def _answer(
    appeal: Appeal, kind: AnswerKind, ctx: EncodeContext, how: Writing, wrong: list[Violation]
) -> Fields:
    letter = _letter(appeal, kind, ctx)
    if not letter.text:
        wrong.append(Violation("/text", "required", "an answer under a message has a text"))
    document: Fields = {"kind": _KINDS[kind], "text": letter.text, "tags": list(how.tags)}
    if kind is AnswerKind.FINAL:
        document["photos"] = _photos(appeal, letter, ctx, how, wrong)
        if letter.number:
            document["number"] = letter.number
    return told(document)


def _letter(appeal: Appeal, kind: AnswerKind, ctx: EncodeContext) -> Answer:
    letters = [a for a in appeal.answers if a.kind is kind]
    named = (a for a in letters if ctx.letter and str(a.id) == ctx.letter)
    return next(named, letters[-1] if letters else Answer(kind=kind))


def _only_told(event: Event, facts: f.AnswerFacts, letter: Answer) -> bool:
    """Whether a peer told that a letter exists and did not bring it («Доклад направлен» of МЭДО).

    Nobody waits for it in the lane: the letter is an answer of its own when it comes.
    """
    told = facts.has_text or facts.attachments or facts.oral
    return event.actor.kind == "peer" and not (told or letter.text or letter.attachments)


def _photos(
    appeal: Appeal, letter: Answer, ctx: EncodeContext, how: Writing, wrong: list[Violation]
) -> dict[str, list[Fields]]:
    """The photographs by their sides; what the topic needs and is not there is named."""
    out: dict[str, list[Fields]] = {}
    for side in _SIDES:
        found = [
            photo
            for number, file in enumerate(_shown(appeal, letter, side, how))
            if (photo := _photo(file, ctx, f"/photos/{side}/{number}", wrong))
        ]
        if found:
            out[side.value] = found
    if not out.get("before") and how.citizen_before and appeal.attachments:
        own = [file for file in appeal.attachments if file.role is AttachmentRole.APPEAL]
        shown = [{"of_message": file.order or n} for n, file in enumerate(own, 1)]
        if shown:
            out["before"] = shown
    topics = {t.code.value for q in appeal.questions for t in q.topics if t.code.system == TOPICS}
    asking = sorted(topics & how.tables.evidence)
    for side in _SIDES if asking else ():
        path = f"/photos/{side.value}"
        if side.value not in out and not any(v.path.startswith(path) for v in wrong):
            message = "an answer on this topic shows the place before and after"
            wrong.append(Violation(path, "evidence", message, ", ".join(asking), "a photograph"))
    return out


def _shown(appeal: Appeal, letter: Answer, side: AttachmentRole, how: Writing) -> list[Attachment]:
    """Files of this side: of the letter, and those that were added to the appeal as such."""
    sided = any(file.role in _SIDES for file in (*letter.attachments, *appeal.attachments))
    if how.in_order and not sided:
        pictures = [file for file in letter.attachments if file.media_type.startswith("image/")]
        return [pictures[_SIDES.index(side)]] if len(pictures) == len(_SIDES) else []
    added = {file.sha256: file for file in appeal.attachments if file.role is side}
    of_letter = [
        added.get(file.sha256, file)
        for file in letter.attachments
        if file.role is side or file.sha256 in added
    ]
    there = {file.sha256 for file in of_letter}
    return [*of_letter, *(file for digest, file in added.items() if digest not in there)]


def _photo(
    file: Attachment, ctx: EncodeContext, path: str, wrong: list[Violation]
) -> dict[str, Any] | None:
    data = ctx.files.get(file.sha256)
    if data is None:
        message = "the bytes of the photograph are not here: name it among the answer's files"
        wrong.append(Violation(path, "file", message, file.sha256))
        return None
    if len(data) > limits.ATTACHMENT_INLINE_BYTES:
        message, most = "the photograph is too large", f"at most {limits.ATTACHMENT_INLINE_BYTES}"
        wrong.append(Violation(path, "size", message, f"{len(data)} bytes", most))
        return None
    return {
        "name": file.declared_name or f"{file.role.value}-{file.sha256[:8]}",
        "mediaType": file.media_type or file.declared_type or "application/octet-stream",
        "content": base64.b64encode(data).decode(),
    }
