"""An event of an appeal → an update of the item on the platform, every rule checked beforehand.

An update tells what happened, at which stage the item is now, and by which of our states; an answer
has a decision, a text, files. What a rule needs and the appeal does not hold is named, all at once.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from adapters.pos.codes import BODY, ITEM_ID, PEER
from gateway.adapter import EncodeContext, Wire
from gateway.errors import UnsupportedError, ValidationError, Violation
from gateway.model import facts as f
from gateway.model.answer import AnswerKind
from gateway.model.attachment import AttachmentRole
from gateway.model.events import EventType, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.pos.codes import Tables
    from gateway.model.answer import Answer
    from gateway.model.appeal import Appeal
    from gateway.model.attachment import Attachment
    from gateway.model.events import Event
    from gateway.model.organisation import Organisation
    from gateway.model.question import Question

F = TypeVar("F", bound=f.Facts)
MEDIA_TYPE: Final = "application/json"
ANSWER_CHARS: Final = 9_999
FILE_BYTES: Final = 10_485_760

_KINDS: Final = frozenset(kind.value for kind in AnswerKind)
_SHOWN: Final = (AttachmentRole.BEFORE, AttachmentRole.AFTER)
"""How the place looked: told of a photograph, of other files not."""
_STAGES: Final[dict[State, str]] = {
    State.RECEIVED: "submitted",
    State.MODERATION: "moderation",
    State.REGISTERED: "coordination",
    State.ASSIGNED: "execution",
    State.WITH_CONTRACTOR: "execution",
    State.IN_WORK: "execution",
    State.INSPECTION: "execution",
    State.ANSWER_PREPARED: "approval",
    State.ANSWERED: "answered",
    State.TRANSFERRED: "redirected",
    State.DECLINED: "answered",
    State.CLOSED: "closed",
}


class Update:
    """One update that is being made: what it is made of, and what is wrong with it."""

    def __init__(
        self, appeal: Appeal, event: Event | None, ctx: EncodeContext, tables: Tables
    ) -> None:
        self.appeal = appeal
        self.event = event
        self.ctx = ctx
        self.tables = tables
        self.wrong: list[Violation] = []

    @property
    def question(self) -> Question:
        """The question that it is about; the first where the event is about all."""
        ordinal = self.event.question if self.event else None
        found = [q for q in self.appeal.questions if ordinal in (None, q.ordinal)]
        return found[0] if found else self.appeal.questions[0]

    def fault(
        self, path: str, code: str, message: str, found: Any = "", expected: str = ""
    ) -> None:
        """Note what is missing or wrong."""
        self.wrong.append(Violation(path, code, message, str(found)[:200], expected))

    def limit(self, name: str, default: int) -> int:
        """Return a bound of the peer's row."""
        return int(self.ctx.options.get(name, default))


def encode(appeal: Appeal, event: Event | None, ctx: EncodeContext, tables: Tables) -> Wire:
    """Return the update that tells of an event; of none, how the item stands now.

    Raises UnsupportedError for an event that the profile has no word for, and for what became of
    the platform's own word; ValidationError naming everything that is missing.
    """
    if ctx.own:
        raise UnsupportedError("the platform is not told what became of its own word")
    if event is not None and event.type not in _OUT:
        raise UnsupportedError("pos-profile/0 has no word for this event", found=event.type)
    if not appeal.questions:
        missing = Violation("/state", "required", "the appeal has no question")
        raise ValidationError("the update cannot be sent", (missing,))
    update = Update(appeal, event, ctx, tables)
    document = _head(update)
    if event is None:
        document |= {"event": "state", "stage": _STAGES[State(update.question.state)]}
    else:
        word, stage, details = _OUT[event.type]
        document |= {"event": word, "stage": stage}
        document |= details(update, event.payload)
    if update.wrong:
        raise ValidationError("the update cannot be sent", tuple(update.wrong))
    kept = {name: value for name, value in document.items() if value not in (None, "", [], {})}
    return Wire(media_type=MEDIA_TYPE, body=msgspec.json.encode(kept))


def _head(update: Update) -> dict[str, Any]:
    appeal, event, ctx = update.appeal, update.event, update.ctx
    ours = {PEER, ctx.peer}
    item_id = next((r.value for r in appeal.refs if r.kind == ITEM_ID and r.peer in ours), "")
    if not item_id:
        update.fault("/id", "required", "the platform gave this appeal no number")
    own_key = f"{appeal.id}/{event.seq if event else 0}"
    several = len(appeal.questions) > 1 and event is not None and event.question is not None
    return {
        "id": item_id,
        "messageKey": ctx.key or own_key,
        "at": (event.occurred_at if event else ctx.now).isoformat(),
        "state": str(update.question.state),
        "question": event.question if several and event else None,
        "receipt": appeal.receipt_number,
    }


def _body(
    update: Update, code: str, known: Organisation | None, *, required: str = ""
) -> dict[str, Any]:
    """A body by the platform's identifier where there is one, and by its name.

    required: its place, where an update cannot go without it.
    """
    told = update.ctx.organisation_ids.get(code, {}).get(BODY, "")
    found = told or (known.id_in(BODY) if known else "")
    name = (known.full_name or known.short_name) if known else ""
    if required and not (found or name or code):
        update.fault(required, "required", "which body")
    return _said({"id": found, "name": name or ("" if found else code)})


def _registered(update: Update, payload: f.Facts) -> dict[str, Any]:
    facts = _told(payload, f.RegistrationFacts())
    if not facts.number:
        update.fault("/registration/number", "required", "the registration number")
    given = next((r for r in update.appeal.registrations if r.number == facts.number), None)
    body = given.organisation if given else None
    return {
        "registration": _said(
            {
                "number": facts.number,
                "date": _iso(facts.date),
                "organisation": _body(update, facts.organisation, body),
            }
        )
    }  # fmt: skip


def _executor(update: Update, payload: f.Facts) -> dict[str, Any]:
    facts = _told(payload, f.ExecutorFacts())
    owner = update.question.owner_org
    body = _body(update, facts.organisation, owner, required="/executor/organisation")
    return {"executor": _said({"organisation": body, "due": _iso(facts.due)})}


def _extended(update: Update, payload: f.Facts) -> dict[str, Any]:
    """A postponed decision: until when, and why."""
    facts = _told(payload, f.ExtensionFacts())
    if facts.new_due is None:
        update.fault("/postponed/due", "required", "until when")
    if not facts.ground:
        update.fault("/postponed/ground", "required", "why")
    return {
        "decision": "postponed",
        "postponed": _said(
            {
                "due": _iso(facts.new_due),
                "ground": facts.ground,
                "decidedOn": _iso(facts.decided_on),
            }
        ),
    }


def _transferred(update: Update, payload: f.Facts) -> dict[str, Any]:
    facts = _told(payload, f.TransferFacts())
    known = [t for t in update.appeal.transfers if t.number == facts.number]
    receiver = known[-1].to_org if known else None
    body = _body(update, facts.organisation, receiver, required="/redirect/organisation")
    redirect = _said({"organisation": body, "date": _iso(facts.date), "number": facts.number})
    if facts.copy:
        return {"event": "copied", "stage": "execution", "redirect": redirect}
    return {"redirect": redirect}


def _refused(update: Update, payload: f.Facts) -> dict[str, Any]:
    """Why it is let through no further, in the platform's words by the table."""
    facts = _told(payload, f.ReasonFacts())
    tables = update.tables
    code = facts.code if facts.code in tables.moderation else ""
    code = code or tables.moderation_of.get(facts.code, tables.moderation_of.get("default", ""))
    if not code:
        update.fault("/reason/code", "required", "why the item is refused", facts.code)
    notice = _letter(update, AnswerKind.NOTICE)
    return {
        "reason": _said({"code": code, "name": tables.moderation.get(code, "")}),
        "text": _text(update, notice.text if notice else "", "/text"),
    }


def _returned(update: Update, payload: f.Facts) -> dict[str, Any]:
    del update
    facts = _told(payload, f.ReasonFacts())
    return {"reason": _said({"code": facts.code})}


def _clarification(update: Update, payload: f.Facts) -> dict[str, Any]:
    asked = update.appeal.clarifications[-1] if update.appeal.clarifications else None
    text = asked.text if asked else ""
    if not text:
        update.fault("/text", "required", "what the author is asked")
    due = getattr(payload, "due", None) or (asked.due if asked else None)
    return {"text": _text(update, text, "/text"), "due": _iso(due)}


def _declined(update: Update, payload: f.Facts) -> dict[str, Any]:
    facts = _told(payload, f.DeclineFacts(article="11", part=""))
    notice = _letter(update, AnswerKind.NOTICE)
    return {
        "decision": "declined",
        "ground": _said({"article": facts.article, "part": facts.part}),
        "text": _text(update, notice.text if notice else "", "/text"),
    }


def _answered(update: Update, payload: f.Facts) -> dict[str, Any]:
    facts = _told(payload, f.AnswerFacts(kind=""))
    if _only_told(update, facts):
        raise UnsupportedError(
            "a peer told that an answer was sent; its letter is told of when it comes"
        )
    decision = _decision(update, facts)
    if not decision:
        update.fault("/decision", "required", "the result of consideration")
    return {"decision": decision, "answer": _answer(update, facts, AnswerKind.FINAL)}


def _only_told(update: Update, facts: f.AnswerFacts) -> bool:
    """Whether a peer told that a letter exists and did not bring it («Доклад направлен» of МЭДО).

    Nobody waits for it in the lane: the letter is an answer of its own when it comes.
    """
    by_peer = update.event is not None and update.event.actor.kind == "peer"
    if not by_peer or facts.has_text or facts.attachments or facts.oral:
        return False
    letter = _letter(update, AnswerKind.FINAL, facts.number)
    return letter is None or not (letter.text or letter.attachments)


def _prepared(update: Update, payload: f.Facts) -> dict[str, Any]:
    facts = _told(payload, f.AnswerFacts(kind=""))
    return {"decision": _decision(update, facts)}


def _lettered(update: Update, payload: f.Facts) -> dict[str, Any]:
    """A letter that ends nothing: a first reaction, an interim answer, a notice."""
    facts = _told(payload, f.AnswerFacts(kind=""))
    if facts.kind not in _KINDS:
        update.fault("/letter/kind", "required", "what letter it is", facts.kind)
        return {}
    letter = _answer(update, facts, AnswerKind(facts.kind))
    return {"letter": {"kind": facts.kind, **letter}}


def _decision(update: Update, payload: f.AnswerFacts) -> str:
    """The platform's word for the outcome; supported without measures is a postponed decision."""
    told, known = payload.outcome, update.question.outcome
    result = told.result if told else str(known.result or "") if known else ""
    taken = told.actions_taken if told else known.actions_taken if known else None
    words = update.tables.outcomes
    if taken and f"{result}_taken" in words:
        return words[f"{result}_taken"]
    return words.get(result, "")


def _answer(update: Update, payload: f.AnswerFacts, kind: AnswerKind) -> dict[str, Any]:
    letter = _letter(update, kind, payload.number)
    path = "/answer" if kind is AnswerKind.FINAL else "/letter"
    text = _text(update, letter.text if letter else "", f"{path}/text")
    files = [
        found
        for number, file in enumerate(letter.attachments if letter else ())
        if (found := _file(update, file, f"{path}/attachments/{number}"))
    ]
    if not (text or (letter and letter.attachments)):
        update.fault(f"{path}/text", "required", "an answer has a text or a file")
    signer = letter.signed_by if letter else None
    return _said(
        {
            "number": payload.number or (letter.number if letter else ""),
            "date": _iso(payload.date or (letter.date if letter else None)),
            "text": text,
            "signedBy": signer.name if signer else "",
            "attachments": files,
        }
    )


def _letter(update: Update, kind: AnswerKind, number: str = "") -> Answer | None:
    """The letter that the event tells of: by its id, its number, else the latest of its kind."""
    ordinal = update.event.question if update.event else None
    letters = [
        a
        for a in reversed(update.appeal.answers)
        if a.kind is kind and (ordinal is None or not a.questions or ordinal in a.questions)
    ]
    tests: tuple[Callable[[Answer], bool], ...] = (
        lambda a: bool(update.ctx.letter) and str(a.id) == update.ctx.letter,
        lambda a: bool(number) and a.number == number,
        lambda _: True,
    )
    return next((a for test in tests for a in letters if test(a)), None)


def _text(update: Update, text: str, path: str) -> str:
    most = update.limit("answer_chars", ANSWER_CHARS)
    if len(text) > most:
        update.fault(path, "size", "the text is too long", f"{len(text)} characters", str(most))
    return text


def _file(update: Update, file: Attachment, path: str) -> dict[str, Any] | None:
    most = update.limit("file_bytes", FILE_BYTES)
    if file.size is not None and file.size > most:
        update.fault(path, "size", "the file is too large", f"{file.size} bytes", str(most))
        return None
    try:
        data = update.ctx.files[file.sha256]
    except KeyError:
        update.fault(path, "file", "the bytes of the file are not here", file.sha256)
        return None
    if len(data) > most:
        update.fault(path, "size", "the file is too large", f"{len(data)} bytes", str(most))
        return None
    return _said(
        {
            "name": file.declared_name,
            "mediaType": file.media_type,
            "role": file.role.value if file.role in _SHOWN else "",
            "sha256": file.sha256,
            "content": base64.b64encode(data).decode(),
        }
    )


def _nothing(update: Update, payload: f.Facts) -> dict[str, Any]:
    del update, payload
    return {}


_OUT: Final[dict[EventType, tuple[str, str, Callable[[Update, f.Facts], dict[str, Any]]]]] = {
    EventType.NOT_AN_APPEAL: ("moderation_refused", "refused", _refused),
    EventType.REGISTERED: ("registered", "coordination", _registered),
    EventType.REGISTRATION_REFUSED: ("moderation_refused", "refused", _refused),
    EventType.TRANSFERRED: ("redirected", "redirected", _transferred),
    EventType.ASSIGNED: ("assigned", "execution", _executor),
    EventType.REASSIGNED: ("reassigned", "execution", _executor),
    EventType.TAKEN_TO_WORK: ("taken_to_work", "execution", _nothing),
    EventType.EXTENDED: ("postponed", "execution", _extended),
    EventType.CLARIFICATION_ASKED: ("clarification_asked", "coordination", _clarification),
    EventType.ANSWER_PREPARED: ("answer_prepared", "approval", _prepared),
    EventType.ANSWER_REJECTED: ("answer_returned", "execution", _returned),
    EventType.ANSWERED: ("answered", "answered", _answered),
    EventType.DECLINED: ("declined", "answered", _declined),
    EventType.LETTER_SENT: ("letter", "execution", _lettered),
    EventType.WITHDRAWN: ("withdrawn", "closed", _nothing),
    EventType.FILED: ("closed", "closed", _nothing),
    EventType.REOPENED: ("reopened", "execution", _nothing),
}
"""Event → word and stage of the update, and what else it tells."""
ENCODED: Final = frozenset(_OUT)


def _told(payload: f.Facts, blank: F) -> F:
    """Return the facts of an event; blank ones where the row lets the platform see none."""
    return payload if isinstance(payload, type(blank)) else blank


def _said(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value not in (None, "", [], {})}


def _iso(moment: Any) -> str | None:
    return moment.isoformat() if moment else None
