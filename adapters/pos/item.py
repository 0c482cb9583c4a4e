"""An item of the feed → appeal: a message, an appeal under 59-ФЗ, a poll or a vote."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from adapters.pos.codes import (
    BY_API,
    DUE_AS_SENT,
    DUE_BY_TABLE,
    FAST_TRACK,
    ITEM_ID,
    KIND_SYSTEM,
    OPA,
    PEER,
    POLLS,
    REASON,
    REWORK,
    SCALE,
    SOURCE,
)
from adapters.pos.fields import NAME, Fields
from adapters.pos.files import read_files
from adapters.pos.people import applicants
from gateway import limits
from gateway.adapter import File, Inbound
from gateway.errors import ValidationError
from gateway.model.address import Address
from gateway.model.appeal import Appeal, ControlMark, Form, Regime, RepeatKind
from gateway.model.base import Code, ExternalRef
from gateway.model.fold import number_key
from gateway.model.later import Feedback, FeedbackKind
from gateway.model.organisation import Officer, Organisation, OrganisationId
from gateway.model.question import AssignedBy, PeerState, Question, Topic
from gateway.model.registration import Link, LinkKind

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from adapters.pos.codes import Tables

_REFUSAL: Final = "the item breaks pos-profile/0"


def decode_item(fields: Fields, kind: str, tables: Tables, zone: tzinfo, raw: bytes) -> Inbound:
    """Return one item; raise ValidationError naming everything that is wrong.

    A higher `version` is an amendment: the same external id at a higher revision.
    """
    wrong = fields.wrong
    item_id = fields.text("id", required=True)
    revision = fields.whole("version", 1)
    if fields.obj.get("version", "") in (None, "") and revision is None:
        fields.fault("version", "required", "which version of the item", "", "1 or more")
    fz59 = fields.flag("fz59")
    if fz59 is None and kind not in POLLS and fields.obj.get("fz59") is None:
        fields.fault("fz59", "required", "which order it is considered under", "", "true, false")
    regime = Regime.FZ59 if fz59 else Regime.MESSAGE
    if kind in POLLS:
        regime = Regime.NOT_AN_APPEAL
        if fz59 is not None:
            fields.obj["fz59"] = fz59
        if not isinstance(fields.obj.get(kind), dict):
            fields.fault(kind, "required", "what was asked and answered", "", "object")
    appeal, files = _appeal(
        fields, item_id, regime, tables, zone, kind=kind, revision=revision or 1
    )
    if wrong:
        raise ValidationError(_REFUSAL, tuple(wrong))
    return Inbound(
        operation="submit",
        external_id=item_id,
        revision=revision or 1,
        appeal=appeal,
        files=files,
        raw=raw,
    )


def decode_rework(fields: Fields, tables: Tables, zone: tzinfo, raw: bytes) -> Inbound:
    """Return the repeat appeal that a return of a 59-ФЗ answer is; raise ValidationError.

    The law knows no rework: what was answered stays answered, and a new term runs.
    """
    event_id = fields.text("eventId", required=True)
    first = fields.text("id", required=True)
    at = fields.obj.pop("at", None)
    if at is not None:
        fields.obj["submittedAt"] = at
    appeal, files = _appeal(fields, event_id, Regime.FZ59, tables, zone, kind=REWORK, first=first)
    if fields.wrong:
        said = tuple(v._replace(path=v.path.replace("/submittedAt", "/at")) for v in fields.wrong)
        raise ValidationError(_REFUSAL, said)
    return Inbound(
        operation="submit", external_id=event_id, revision=1, appeal=appeal, files=files, raw=raw
    )


def _appeal(
    fields: Fields,
    item_id: str,
    regime: Regime,
    tables: Tables,
    zone: tzinfo,
    *,
    kind: str,
    revision: int = 1,
    first: str = "",
) -> tuple[Appeal, tuple[File, ...]]:
    received = fields.instant("submittedAt", required=True)
    text = fields.text("text", limits.TEXT_CHARS)
    attachments, files = read_files(fields)
    if not (text or attachments or first or kind in POLLS):
        fields.fault("text", "required", "an item has a text or a file")
    links, feedback = _rework(fields, regime, first, text, received)
    priority, marks = _fast_track(fields, received, tables, zone)
    opa = fields.text("opaId")
    question = Question(
        text=text,
        topics=_topics(fields, tables),
        peer_states=_stage(fields, tables),
    )
    rating = _rating(fields)
    return (
        Appeal(
            regime=regime,
            form=Form.ELECTRONIC,
            delivery_method=BY_API,
            source_system=SOURCE,
            received_at=received,
            sent_at=fields.instant("sentAt"),
            direct=True,
            subject=fields.text("subject", limits.SUBJECT_CHARS),
            text=text,
            text_truncated=fields.mark("textTruncated"),
            collective=fields.flag("collective"),
            concerned_count=fields.whole("concerned"),
            repeat=True if links else None,
            repeat_kind=RepeatKind.REPEAT if links else None,
            control_marks=marks,
            priority=priority,
            document_kind=Code(system=KIND_SYSTEM, value=kind),
            consent_publish=fields.flag("publish"),
            test_message=fields.mark("test"),
            revision=revision,
            addressees=(_opa(opa),) if opa else (),
            refs=(reference(ITEM_ID, item_id),) if item_id else (),
            links=links,
            applicants=applicants(fields),
            addresses=_place(fields),
            questions=(question,),
            attachments=attachments,
            feedback=(*feedback, *rating),
            extras=fields.rest(),
        ),
        files,
    )


def reference(kind: str, value: str) -> ExternalRef:
    """Return a number that the platform gave."""
    return ExternalRef(peer=PEER, kind=kind, value=value, value_key=number_key(value))


def _opa(value: str) -> Officer:
    return Officer(organisation=Organisation(ids=(OrganisationId(system=OPA, value=value),)))


def _stage(fields: Fields, tables: Tables) -> tuple[PeerState, ...]:
    word = fields.text("stage")
    if not word:
        return ()
    return (PeerState(peer=PEER, code=word, label=tables.stages.get(word, "")),)


def _topics(fields: Fields, tables: Tables) -> tuple[Topic, ...]:
    """Fact, subcategory, category; a level that was not named comes from the table by a rule."""
    found: list[Topic] = []
    parent = ""
    for system, name, known in tables.levels:
        inner = fields.part(name)
        code = inner.text("code") if inner else ""
        if inner and code:
            title = inner.text("name", NAME)
            fields.drop(name)
            node = known.get(code)
            label = node.label if node else ""
            found.append(
                Topic(code=Code(system=system, value=code, label=label), name_as_given=title)
            )
            parent = node.parent if node else ""
        elif parent:
            node = known.get(parent)
            label = node.label if node else ""
            derived = Code(system=system, value=parent, label=label)
            found.append(Topic(code=derived, assigned_by=AssignedBy.RULE))
            parent = node.parent if node else ""
    return tuple(found)


def _fast_track(
    fields: Fields, received: datetime | None, tables: Tables, zone: tzinfo
) -> tuple[Code | None, tuple[ControlMark, ...]]:
    """The category of the fast track, and by when an answer is wanted: as sent, else by the table.

    It is a wish and no term of law: 59-ФЗ's own terms are counted elsewhere.
    """
    inner = fields.part("fastTrack")
    if inner is None:
        return None, ()
    code = inner.text("code", required=True)
    name = inner.text("name", NAME)
    due = inner.day("due")
    fields.drop("fastTrack")
    if not code:
        return None, ()
    track = tables.fast_track.get(code)
    label = DUE_AS_SENT
    if due is None and track and received:
        label = DUE_BY_TABLE
        due = received.astimezone(zone).date() + timedelta(days=track.days)
    marks = (ControlMark(label=label, due=due),) if due else ()
    return Code(system=FAST_TRACK, value=code, label=name), marks


def _rework(
    fields: Fields, regime: Regime, first: str, text: str, received: datetime | None
) -> tuple[tuple[Link, ...], tuple[Feedback, ...]]:
    """What is returned for rework: an earlier 59-ФЗ appeal, to which this one is a repeat."""
    if first:
        reason = fields.part("reason")
        code = reason.text("code") if reason else ""
        name = reason.text("name", NAME) if reason and code else ""
        if reason:
            fields.drop("reason")
        kind = Code(system=REASON, value=code, label=name) if code else None
        return (Link(kind=LinkKind.REPEAT_OF, number=first),), (
            Feedback(kind=FeedbackKind.REWORK, peer_kind=kind, text=text, occurred_at=received),
        )
    inner = fields.part("rework")
    if inner is None:
        return (), ()
    if regime is not Regime.FZ59:
        fields.fault("rework", "not_allowed", "a message is returned by an event, under its own id")
        return (), ()
    number = inner.text("of", required=True)
    reason_text = inner.text("reason", limits.TEXT_CHARS)
    on = inner.day("answeredOn")
    fields.drop("rework")
    link = Link(kind=LinkKind.REPEAT_OF, number=number, date=on)
    return (link,), ((Feedback(kind=FeedbackKind.REWORK, text=reason_text),) if reason_text else ())


def _rating(fields: Fields) -> tuple[Feedback, ...]:
    inner = fields.part("rating")
    if inner is None:
        return ()
    score = inner.whole("score", 0, 1000)
    if score is None:
        return ()
    scale = inner.whole("scale", 1, 1000)
    found = Feedback(
        score=score,
        scale=Code(system=SCALE, value=str(scale)) if scale else None,
        text=inner.text("text", limits.TEXT_CHARS),
        occurred_at=inner.instant("at"),
    )
    fields.drop("rating")
    return (found,)


def _place(fields: Fields) -> tuple[Address, ...]:
    inner = fields.part("place")
    if inner is None:
        return ()
    del fields.obj["place"]
    return (
        Address(
            raw=inner.text("address", NAME),
            fias_guid=inner.text("fiasGuid"),
            oktmo=inner.text("oktmo"),
            lat=inner.degrees("lat", 90),
            lon=inner.degrees("lon", 180),
            extras=inner.rest(),
        ),
    )
