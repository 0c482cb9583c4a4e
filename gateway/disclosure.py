"""What of an appeal a destination may see (59-ФЗ art. 6; docs/adr/0014). Pure.

| | full | problem_only | reference_only |
|---|---|---|---|
| receipt and registration numbers, states, terms of law | yes | yes | yes |
| numbers the destination itself gave | yes | yes | yes |
| who sent it, the numbers that its sender gave, digests of the content | yes | no | no |
| topics, annotations written by a body | yes | yes | no |
| place of the problem, down to the house | yes | yes | no |
| pictures that the source marked as photographs | yes | yes | no |
| flat, subject, texts of appeal and questions | yes | no (1) | no |
| outcome, transfers: codes, numbers and dates | yes | yes | no |
| applicants, contacts, answers, officers, extras, everything else | yes | no | no |

(1) yes when the destination's `text_is_redacted` says that somebody took the names out.

The lower levels are built from named fields, so a field added to the model stays hidden until a
line here shows it. A file's name and an address as typed may hold a surname or a flat: both go.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from gateway.errors import ConfigurationError
from gateway.model import facts as f
from gateway.model.address import Address, AddressRole
from gateway.model.answer import Outcome
from gateway.model.appeal import Appeal
from gateway.model.assignment import TransferOut
from gateway.model.attachment import Attachment, AttachmentGroup, AttachmentRole, Exif
from gateway.model.events import Actor
from gateway.model.facts import NoFacts
from gateway.model.organisation import Organisation
from gateway.model.question import Question
from gateway.model.registration import Registration

if TYPE_CHECKING:
    from gateway.model.base import ExternalRef
    from gateway.model.deadline import Deadline
    from gateway.model.events import Event

_HOUSE_LEVEL: Final = 10
"""Level of a building in ГАР; 11 and more are flats and rooms."""
_PICTURE_ROLES: Final = frozenset(
    {AttachmentRole.APPEAL, AttachmentRole.EVIDENCE, AttachmentRole.BEFORE, AttachmentRole.AFTER}
)


class Level(StrEnum):
    """How much a destination may see."""

    FULL = "full"
    PROBLEM_ONLY = "problem_only"
    REFERENCE_ONLY = "reference_only"


def level_of(disclosure: str, ground: str) -> Level:
    """Return the level; raise ConfigurationError for an unknown one, or `full` without a ground."""
    try:
        level = Level(disclosure)
    except ValueError as error:
        raise ConfigurationError(
            "no such disclosure level",
            found=disclosure,
            expected=", ".join(Level),
            where="disclosure",
        ) from error
    if level is Level.FULL and not ground.strip():
        raise ConfigurationError(
            "full disclosure needs a recorded ground",
            where="disclosure_ground",
            todo="name the article or agreement by which this destination decides the appeal",
        )
    return level


def disclose(
    appeal: Appeal, level: Level, *, peer: str = "", text_is_redacted: bool = False
) -> Appeal:
    """Return what a destination of this level may see of an appeal.

    peer: code of the destination, whose own numbers it may always see. text_is_redacted: whoever
    keeps this destination's configuration answers for texts being without names.
    """
    if level is Level.FULL:
        return appeal
    seen = _reference(appeal, peer)
    if level is Level.REFERENCE_ONLY:
        return seen
    return _problem(appeal, seen, text=text_is_redacted)


def disclose_event(event: Event, level: Level) -> Event:
    """Return what a destination of this level may see of an event.

    Facts hold no personal data (gateway.model.facts); below `full` the names of actors, the keys
    of other peers and the digest of personal data go too. Of the facts `problem_only` gets what
    `_SHOWN` names, and references registration numbers alone.
    """
    if level is Level.FULL:
        return event
    shown = replace(event, actor=Actor(kind="system"), key="", content=None, cause=None)
    if level is not Level.PROBLEM_ONLY and not isinstance(event.payload, _NUMBERS):
        return replace(shown, payload=NoFacts())
    return replace(shown, payload=_facts(event.payload))


_NUMBERS: Final = (f.RegistrationFacts, f.AnnulmentFacts)
"""Registration numbers, which every level is told."""


_SHOWN: Final[dict[type[f.Facts], tuple[str, ...]]] = {
    f.ReceivedFacts: (
        "regime", "revision", "receipt_number", "questions", "test", "urgency", "priority",
    ),
    f.AmendmentFacts: ("revision", "questions"),
    f.RegistrationFacts: ("organisation", "number", "number_key", "date", "register"),
    f.AnnulmentFacts: ("organisation", "number", "number_key"),
    f.ReasonFacts: ("code", "system", "regime", "due"),
    f.ModerationFacts: ("stage", "verdict"),
    f.ClarificationFacts: ("due",),
    f.RatingFacts: ("score", "scale"),
    f.TopicFacts: ("system", "code", "version", "by"),
    f.SplitFacts: ("ordinal",),
    f.TransferFacts: (
        "organisation", "date", "number", "ground", "copy", "keeps_control",
        "applicant_notified_on",
    ),
    f.ReceiverFacts: ("organisation", "number", "date"),
    f.ExecutorFacts: ("organisation", "due"),
    f.ExtensionFacts: ("ground", "decided_on", "new_due", "applicant_notified_on"),
    f.DeclineFacts: ("article", "part", "notice"),
    f.AnswerFacts: ("kind", "notice", "number", "date", "outcome"),
    f.DeliveryFacts: ("channel", "at", "failure"),
    f.LinkFacts: ("kind",),
    f.FileFacts: ("role",),
    f.RefusalFacts: ("claimed", "code", "reason", "places"),
    f.ConflictFacts: ("claimed", "code", "reason", "state", "occurred_at", "claim"),
}  # fmt: skip
"""What `problem_only` is told of each kind of fact; a kind that is not here says nothing there.

Digests of contents and files go: an unsalted one can be guessed, and tells who has the same. A
link names another appeal, perhaps somebody else's. A conflict is told only to whoever made it.
"""


def _facts(told: f.Facts) -> f.Facts:
    names = _SHOWN.get(type(told))
    if names is None:
        return NoFacts()
    return type(told)(**{name: getattr(told, name) for name in names})


def files_of(appeal: Appeal) -> frozenset[str]:
    """Return the digests of the files that a disclosed appeal still names."""
    listed = list(appeal.attachments)
    for answer in appeal.answers:
        listed += answer.attachments
    for assignment in appeal.assignments:
        listed += assignment.attachments
        for report in assignment.reports:
            listed += report.attachments
    for note in appeal.feedback:
        listed += note.attachments
    for notice in appeal.contractor_notices:
        listed += notice.evidence
    signatures = [s.sha256 for a in listed for s in a.signatures]
    stamps = [s.image_sha256 for a in listed for s in a.stamps]
    return frozenset([a.sha256 for a in listed] + signatures + stamps) - {""}


def _reference(appeal: Appeal, peer: str) -> Appeal:
    return Appeal(
        id=appeal.id,
        receipt_number=appeal.receipt_number,
        regime=appeal.regime,
        type=appeal.type,
        received_at=appeal.received_at,
        test_message=appeal.test_message,
        revision=appeal.revision,
        historical=appeal.historical,
        registrations=tuple(_registration(r) for r in appeal.registrations),
        refs=_own(appeal.refs, peer),
        questions=tuple(_state(q, peer) for q in appeal.questions),
        deadlines=tuple(_deadline(d) for d in appeal.deadlines),
    )


def _problem(appeal: Appeal, seen: Appeal, *, text: bool) -> Appeal:
    return replace(
        seen,
        form=appeal.form,
        delivery_method=appeal.delivery_method,
        subject=appeal.subject if text else "",
        text=appeal.text if text else "",
        text_truncated=appeal.text_truncated and text,
        collective=appeal.collective,
        concerned_count=appeal.concerned_count,
        repeat=appeal.repeat,
        repeat_kind=appeal.repeat_kind,
        urgency=appeal.urgency,
        priority=appeal.priority,
        addresses=tuple(
            _place(a, whole=text) for a in appeal.addresses if a.role is AddressRole.PROBLEM
        ),
        questions=tuple(
            _asked(question, state, text=text)
            for question, state in zip(appeal.questions, seen.questions, strict=True)
        ),
        transfers=tuple(_transfer(t) for t in appeal.transfers),
        attachments=_pictures(appeal.attachments),
    )


def _own(refs: tuple[ExternalRef, ...], peer: str) -> tuple[ExternalRef, ...]:
    return tuple(ref for ref in refs if peer and ref.peer == peer)


def _body(organisation: Organisation | None) -> Organisation | None:
    """A body as its numbers and name; where it lies and what peers wrote about it is not needed."""
    if organisation is None:
        return None
    return Organisation(
        id=organisation.id,
        full_name=organisation.full_name,
        short_name=organisation.short_name,
        ogrn=organisation.ogrn,
        inn=organisation.inn,
        ids=organisation.ids,
    )


def _registration(given: Registration) -> Registration:
    return Registration(
        occurred_at=given.occurred_at,
        organisation=_body(given.organisation),
        register=given.register,
        number=given.number,
        number_key=given.number_key,
        date=given.date,
        is_ours=given.is_ours,
    )


def _state(question: Question, peer: str) -> Question:
    return Question(
        id=question.id,
        ordinal=question.ordinal,
        state=question.state,
        extended=question.extended,
        overdue=question.overdue,
        on_control=question.on_control,
        incoming_date=question.incoming_date,
        registration_date=question.registration_date,
        response_date=question.response_date,
        refs=_own(question.refs, peer),
    )


def _deadline(term: Deadline) -> Deadline:
    return replace(term, changed_by="", extras=())


def _asked(question: Question, state: Question, *, text: bool) -> Question:
    return replace(
        state,
        text=question.text if text else "",
        annotation=question.annotation,
        topics=question.topics,
        kind=question.kind,
        owner_org=_body(question.owner_org),
        competence=question.competence,
        outcome=_outcome(question.outcome),
    )


def _outcome(outcome: Outcome | None) -> Outcome | None:
    if outcome is None:
        return None
    return Outcome(
        occurred_at=outcome.occurred_at,
        result=outcome.result,
        actions_taken=outcome.actions_taken,
        ground=outcome.ground,
        on=outcome.on,
    )


def _place(address: Address, *, whole: bool) -> Address:
    """The place down to the house: a flat names its tenant as surely as a surname."""
    guid_is_house = address.fias_level is not None and address.fias_level <= _HOUSE_LEVEL
    return Address(
        role=address.role,
        raw=address.raw if whole else "",
        postal_code=address.postal_code,
        country=address.country,
        region=address.region,
        federal_district=address.federal_district,
        municipality=address.municipality,
        settlement=address.settlement,
        street=address.street,
        house=address.house,
        block=address.block,
        building=address.building,
        apartment=address.apartment if whole else "",
        fias_guid=address.fias_guid if guid_is_house or whole else "",
        fias_level=address.fias_level if guid_is_house or whole else None,
        oktmo=address.oktmo,
        okato=address.okato,
        lat=address.lat,
        lon=address.lon,
        accuracy=address.accuracy,
    )


def _transfer(transfer: TransferOut) -> TransferOut:
    return TransferOut(
        occurred_at=transfer.occurred_at,
        id=transfer.id,
        questions=transfer.questions,
        to_org=_body(transfer.to_org),
        date=transfer.date,
        number=transfer.number,
        ground=transfer.ground,
        copy=transfer.copy,
    )


def _pictures(attachments: tuple[Attachment, ...]) -> tuple[Attachment, ...]:
    """Photographs of the problem; a scanned letter is a picture too, but not marked as a photo."""
    kept = [
        a
        for a in attachments
        if a.group is AttachmentGroup.PHOTO
        and a.media_type.startswith("image/")
        and a.role in _PICTURE_ROLES
    ]
    return tuple(
        Attachment(
            id=a.id,
            sha256=a.sha256,
            size=a.size,
            media_type=a.media_type,
            declared_name=f"photo-{n}.{a.media_type.removeprefix('image/')[:4]}",
            group=a.group,
            role=a.role,
            order=n,
            exif=Exif(taken_at=a.exif.taken_at) if a.exif else None,
        )
        for n, a in enumerate(kept, start=1)
    )
