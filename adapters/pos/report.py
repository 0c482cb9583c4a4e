"""An event of an item → what the platform reports: verdicts, answers, ratings, withdrawals."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING, Any, Final, Literal

from msgspec.structs import replace

from adapters.pos.codes import EVENTS, MODERATION, PEER, REASON, RESULTS, RETURNED
from adapters.pos.fields import NAME, Fields
from adapters.pos.files import attached_bytes
from adapters.pos.item import decode_rework
from gateway import limits
from gateway.adapter import File, Inbound
from gateway.errors import ValidationError
from gateway.model import facts as f
from gateway.model.events import AppealKey, EventType, PeerAnswer, PeerReport
from gateway.model.filenames import cleaned

if TYPE_CHECKING:
    from adapters.pos.codes import Tables
    from gateway.model.base import Extra

_OPERATIONS: Final[dict[EventType, Literal["answer", "withdraw"]]] = {
    EventType.ANSWERED: "answer",
    EventType.WITHDRAWN: "withdraw",
}
MODERATED: Final = (EventType.SENT_TO_MODERATION, EventType.MODERATION_PASSED)
RATINGS: Final = (EventType.RATED, EventType.CONFIRMED)
CLARIFIED: Final = (EventType.CLARIFICATION_ASKED, EventType.CLARIFICATION_ANSWERED)
REASONED: Final = (
    EventType.REGISTRATION_REFUSED,
    EventType.ANSWER_REJECTED,
    EventType.RETURNED_FOR_REWORK,
    EventType.WITHDRAWN,
)
ANSWERS: Final = (EventType.ANSWERED, EventType.ANSWER_PREPARED)


def decode_event(fields: Fields, tables: Tables, zone: dt.tzinfo, raw: bytes) -> Inbound:
    """Return one event of an item; raise ValidationError naming everything that is wrong.

    A word that is not known is kept: it becomes a state in the platform's own words.
    """
    word = fields.text("event", required=True)
    if word == RETURNED and fields.mark("fz59"):
        return decode_rework(fields, tables, zone, raw)
    type_ = EVENTS.get(word)
    if word and type_ is None:
        fields.obj["event"] = word
    report, files = _report(fields, type_ or EventType.PEER_STATE_REPORTED, word, tables, zone)
    if fields.wrong:
        raise ValidationError("the event breaks pos-profile/0", tuple(fields.wrong))
    return Inbound(
        operation=_OPERATIONS.get(report.event, "status"),
        message_key=report.message_key,
        report=report,
        files=files,
        raw=raw,
    )


def _report(
    fields: Fields, type_: EventType, word: str, tables: Tables, zone: dt.tzinfo
) -> tuple[PeerReport, tuple[File, ...]]:
    item_id = fields.text("id", required=True)
    key = fields.text("eventId", required=True)
    at = fields.instant("at", required=True)
    report = PeerReport(
        message_key=key,
        key=AppealKey(external_id=item_id),
        event=type_,
        occurred_on=at.astimezone(zone).date() if at else dt.date.min,
        occurred_at=at,
        peer_state=_state(fields, word, tables),
        comment=fields.text("text", limits.TEXT_CHARS),
    )
    report, files, kept = _told(fields, report, type_)
    return replace(report, extras=(*fields.rest(), *kept)), files


def _told(
    fields: Fields, report: PeerReport, type_: EventType
) -> tuple[PeerReport, tuple[File, ...], tuple[Extra, ...]]:
    """Return the report with the facts of its event; facts of another event stay extras."""
    if type_ in ANSWERS:
        return _answered(fields, report, required=type_ is EventType.ANSWERED)
    told: dict[str, Any] = {}
    if type_ in (EventType.ASSIGNED, EventType.REASSIGNED):
        told["executor"], told["executor_name"] = _executor(fields)
    elif type_ is EventType.EXTENDED:
        told["extension"] = _extension(fields)
    elif type_ is EventType.TRANSFERRED:
        told["transfer"] = _transfer(fields)
    elif type_ is EventType.DELIVERED:
        told["delivery"] = f.DeliveryFacts(channel="epgu_cabinet", at=report.occurred_at)
    elif type_ in RATINGS:
        told["rating"] = _rating(fields, required=type_ is EventType.RATED)
    elif type_ in CLARIFIED:
        told["clarification"] = f.ClarificationFacts(due=fields.day("due"))
    elif type_ in MODERATED:
        verdict = "accepted" if type_ is EventType.MODERATION_PASSED else ""
        code = _reason(fields, required=False)
        told["moderation"] = f.ModerationFacts(stage="portal", verdict=verdict, reason=code)
    elif type_ in REASONED:
        refused = type_ is EventType.REGISTRATION_REFUSED
        code = _reason(fields, required=refused)
        system = (MODERATION if refused else REASON) if code else ""
        due = fields.day("due") if type_ is EventType.RETURNED_FOR_REWORK else None
        told["reason"] = f.ReasonFacts(code=code, system=system, due=due)
    return replace(report, **told), (), ()


def _state(fields: Fields, word: str, tables: Tables) -> f.PeerStateFacts | None:
    """The stage the item is at now, or an unknown event's own word."""
    stage = fields.text("stage")
    if stage:
        if stage == word and word not in EVENTS:
            fields.obj["stage"] = stage  # else nobody could tell later that it was named
        label = tables.stages.get(stage, "")
        return f.PeerStateFacts(peer=PEER, code=stage, label=label)
    if EVENTS.get(word, EventType.PEER_STATE_REPORTED) is not EventType.PEER_STATE_REPORTED:
        return None
    if word in EVENTS:
        fields.fault("stage", "required", "which stage the item is at")
    return f.PeerStateFacts(peer=PEER, code=word)


def _reason(fields: Fields, *, required: bool) -> str:
    inner = fields.part("reason", required=required)
    if inner is None:
        return ""
    code = inner.text("code", required=required)
    fields.drop("reason")
    return code


def _body(fields: Fields, name: str, *, required: bool = True) -> str:
    """The platform's identifier of a body; its title stays beside, as it was written."""
    inner = fields.part(name, required=required)
    if inner is None:
        return ""
    found = inner.text("id", required=required)
    fields.drop(name)
    return found


def _executor(fields: Fields) -> tuple[f.ExecutorFacts | None, str]:
    inner = fields.part("executor", required=True)
    if inner is None:
        return None, ""
    body = _body(inner, "organisation")
    due, officer = inner.day("due"), inner.text("officer", NAME)
    fields.drop("executor")
    return f.ExecutorFacts(organisation=body, due=due), officer


def _extension(fields: Fields) -> f.ExtensionFacts | None:
    inner = fields.part("postponed", required=True)
    if inner is None:
        return None
    ground = inner.text("ground", NAME, required=True)
    decided, due = inner.day("decidedOn"), inner.day("due")
    if due is None:
        inner.fault("due", "required", "until when")
    fields.drop("postponed")
    return f.ExtensionFacts(ground=ground, decided_on=decided, new_due=due)


def _transfer(fields: Fields) -> f.TransferFacts | None:
    inner = fields.part("redirect", required=True)
    if inner is None:
        return None
    body = _body(inner, "organisation")
    on, number = inner.day("date"), inner.text("number", required=True)
    fields.drop("redirect")
    return f.TransferFacts(organisation=body, date=on, number=number)


def _rating(fields: Fields, *, required: bool) -> f.RatingFacts | None:
    inner = fields.part("rating", required=required)
    if inner is None:
        return None
    score = inner.whole("score", 0, 1000)
    if score is None and required:
        inner.fault("score", "required", "how the applicant rates the answer")
    scale = inner.whole("scale", 1, 1000)
    fields.drop("rating")
    return f.RatingFacts(score=score, scale="" if scale is None else str(scale))


def _answered(
    fields: Fields, report: PeerReport, *, required: bool
) -> tuple[PeerReport, tuple[File, ...], tuple[Extra, ...]]:
    """An answer that another body gave on the platform: decision, letter, files."""
    word = fields.text("decision", required=required)
    result, taken = RESULTS.get(word, ("", None))
    if word and not result:
        fields.fault("decision", "enumeration", "no such decision", word, ", ".join(RESULTS))
    outcome = f.OutcomeFacts(result=result, actions_taken=taken) if result else None
    inner = fields.part("answer", required=required)
    if inner is None:
        return replace(report, outcome=outcome), (), ()
    files, kept = _files(inner)
    text = inner.text("text", limits.TEXT_CHARS)
    answer = PeerAnswer(
        kind="final",
        number=inner.text("number"),
        date=inner.day("date"),
        text=text,
        signed_by=inner.text("signedBy", NAME),
        attachments=tuple(file.sha256 for file in files),
        has_text=bool(text),
    )
    if required and not (text or files):
        inner.fault("text", "required", "an answer has a text or a file")
    fields.drop("answer")
    return replace(report, outcome=outcome, answer=answer), files, kept


def _files(fields: Fields) -> tuple[tuple[File, ...], tuple[Extra, ...]]:
    """Files of an answer; what is not known of one is kept at its place."""
    files: list[File] = []
    kept: list[Extra] = []
    for number, raw in enumerate(fields.parts("attachments", limits.ATTACHMENTS_PER_APPEAL)):
        place = f"/attachments/{number}"
        if type(raw) is not dict:
            fields.fault(place[1:], "type", "must be an object", expected="object")
            continue
        inner = Fields(raw, fields.path + place, fields.wrong)
        given = inner.text("name", NAME, required=True)
        name = cleaned(given)
        if name != given:
            inner.obj["name"] = given
        media = inner.text("mediaType", required=True)
        digest, data = inner.text("sha256", required=True), attached_bytes(inner)
        if data is None:
            inner.fault("content", "required", "the file's bytes", "", "base64")
            continue
        if digest != hashlib.sha256(data).hexdigest():
            inner.fault("sha256", "digest", "not the digest of the content", digest)
        files.append(File(sha256=digest, media_type=media, name=name, data=data))
        kept += [replace(e, path=f"/answer{place}{e.path}") for e in inner.rest()]
    return tuple(files), tuple(kept)
