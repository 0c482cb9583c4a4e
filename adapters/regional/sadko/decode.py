"""САДКО.ОГ JSON → appeal: a card of the inbox, with its resolution or without; a letter; an answer.

What came goes into the model in its own spelling; what the model has no place for stays as extras.
`CitizenName` holds the family name and `CitizenSurname` the given name, as the known client reads
them. In a document of the outbox author and executor have changed places, and change back here.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from adapters.regional.media import media_type
from adapters.regional.sadko.codes import (
    CARD,
    DETAIL,
    GUID,
    LETTER,
    LETTER_GUID,
    PEER,
    REGISTER,
    RESOLUTION,
    RESULT,
    SOURCE,
    Tables,
)
from adapters.regional.sadko.fields import Taker
from gateway import limits
from gateway.adapter import Decoded, File, Inbound, Wire
from gateway.errors import MalformedError, ValidationError
from gateway.jsonfields import Fields, parse
from gateway.model.address import Address, AddressRole
from gateway.model.answer import Answer, AnswerDelivery, Outcome
from gateway.model.appeal import Appeal, ControlMark, Regime
from gateway.model.assignment import Assignment
from gateway.model.attachment import Attachment, AttachmentRole
from gateway.model.base import Code, ExternalRef
from gateway.model.filenames import cleaned
from gateway.model.fold import number_key
from gateway.model.organisation import Officer, Organisation, OrganisationId
from gateway.model.person import Applicant, ContactKind, ContactPoint, Person
from gateway.model.question import PeerState, Question, Topic
from gateway.model.registration import ReferralIn, Registration

if TYPE_CHECKING:
    from datetime import tzinfo

_APPLICANTS: Final = ("CitizenAnswerSendTypeId", "CitizenBenefitId", "CitizenSocialStatusId")
"""Fields of the card that are the applicant's: what is left of them stays with the applicant."""


class Reading(NamedTuple):
    """What a site's own settings say of its documents. classifier: system of the themes' codes."""

    zone: tzinfo
    classifier: str
    tables: Tables


def decode(wire: Wire, how: Reading) -> Decoded:
    """Return the one thing that a document holds.

    Raises MalformedError, TooLargeError, or ValidationError that names every place.
    """
    document = parse(wire.body)
    if type(document) is not dict:
        raise MalformedError("not a document of САДКО.ОГ", expected="an object")
    take = Taker(how.zone)
    item = _item(document, take, how)
    if take.wrong:
        raise ValidationError("the document breaks the contract", tuple(take.wrong))
    return Decoded(items=(item,))


def _item(document: Fields, take: Taker, how: Reading) -> Inbound:
    name = CARD if CARD in document else LETTER
    path = f"/{name}"
    card = take.part(document, name, "")
    if card is None:
        take.fault(f"/{CARD}", "required", "neither a card nor a letter", expected="Card, Letter")
        return Inbound(operation="submit")
    guid = take.text(card, "Guid", path, limits.ID_CHARS)
    if not guid:
        take.fault(f"{path}/Guid", "required", "a card is known by its Guid")
    files: list[File] = []
    answered = document.get(DETAIL) is not None or document.get(RESULT) is not None
    text = take.text(card, "Message", path, limits.TEXT_CHARS)
    assignment, questions = _resolution(document, take, how, files, answered=answered)
    if not questions:
        questions = (Question(text="" if answered else text),)
    answer, states = _detail(document, take)
    outcome, responded = _result(document, take)
    if states or outcome is not None or responded is not None:
        questions = (_with(questions[0], states, outcome, responded), *questions[1:])
    appeal = Appeal(
        regime=Regime.FZ59,
        source_system=SOURCE,
        refs=(ExternalRef(peer=PEER, kind=GUID if name == CARD else LETTER_GUID, value=guid),),
        text=text,
        questions=questions,
        assignments=assignment,
        answers=answer,
        **_card(card, take, how, files, path),
        extras=(*take.extras(card, path, path), *take.extras(document, "")),
    )
    return Inbound(operation="submit", external_id=guid, appeal=appeal, files=tuple(files))


def _card(card: Fields, take: Taker, how: Reading, files: list[File], path: str) -> dict[str, Any]:
    sent, told = take.day(card, "ControlOrgSendDate", path), take.text
    number, on = told(card, "RegistrationNumber", path, limits.ID_CHARS), None
    on = take.day(card, "RegistrationDate", path)
    attachments = _files(card, take, path, files, AttachmentRole.APPEAL)
    form = card.get("ConsiderationFormId")
    known = how.tables.forms.get(str(form)) if type(form) is int else None
    if known is not None and how.tables.form_id(known) == form:
        del card["ConsiderationFormId"]
    referral = _referral(card, take, path)
    return {
        "applicants": (_applicant(card, take, path),),
        "document_kind": take.code(card, "LetterTypeId", path),
        "delivery_method": take.code(card, "DeliveryTypeId", path),
        "form": known,
        "direct": False if referral else None,
        "referrals": referral,
        "under_control": True if sent else None,
        "control_marks": (ControlMark(date=sent),) if sent else (),
        "registrations": (
            Registration(register=REGISTER, number=number, number_key=number_key(number), date=on),
        )
        if number or on
        else (),
        "previous_count": take.count(card, "PreviousCardsCount", path),
        "sheet_count": take.count(card, "DocSheetNumber", path),
        "copy_count": take.count(card, "DocCopyNumber", path),
        "concerned_count": take.count(card, "ConcernedCitizensNumber", path),
        "attachments": attachments,
    }


def _applicant(card: Fields, take: Taker, path: str) -> Applicant:
    text = take.text
    person = Person(
        family=text(card, "CitizenName", path),
        given=text(card, "CitizenSurname", path),
        patronymic=text(card, "CitizenPatronymic", path),
    )
    area = take.code(card, "CitizenAddressAreaId", path)
    address = Address(
        role=AddressRole.APPLICANT_POSTAL,
        raw=text(card, "CitizenAddress", path),
        postal_code=text(card, "CitizenAddressPost", path, limits.ID_CHARS),
        codes=(area,) if area else (),
    )
    phone, email = text(card, "CitizenPhone", path), text(card, "CitizenEmail", path)
    contacts = []
    if phone:
        contacts.append(ContactPoint(kind=ContactKind.PHONE, value=phone))
    if email:
        contacts.append(ContactPoint(kind=ContactKind.EMAIL, value=email))
    return Applicant(
        person=person if person.family or person.given or person.patronymic else None,
        social_status=take.code(card, "CitizenSocialStatusId", path),
        benefit=take.code(card, "CitizenBenefitId", path),
        contacts=tuple(contacts),
        addresses=(address,) if address.raw or address.postal_code or address.codes else (),
        extras=take.extras(card, path, path, _APPLICANTS),
    )


def _referral(card: Fields, take: Taker, path: str) -> tuple[ReferralIn, ...]:
    """The covering letter with which a body sent it; () when the card tells nothing of one."""
    sender = take.code(card, "CorrespondentId", path)
    name = take.text(card, "ReceivedFrom", path)
    number = take.text(card, "LetterNumber", path, limits.ID_CHARS)
    received = take.day(card, "ReceiveDate", path)
    if not (sender or name or number or received):
        return ()
    ids = (OrganisationId(system=sender.system, value=sender.value),) if sender else ()
    return (
        ReferralIn(
            from_org=Organisation(full_name=name, ids=ids) if sender or name else None,
            number=number,
            number_key=number_key(number) if number else "",
            received_date=received,
        ),
    )


def _files(
    obj: Fields, take: Taker, path: str, files: list[File], role: AttachmentRole
) -> tuple[Attachment, ...]:
    found = []
    listed = take.parts(obj, "Files", path, limits.ATTACHMENTS_PER_APPEAL)
    for order, entry in enumerate(listed, 1):
        place = f"{path}/Files/{order - 1}"
        data = take.content(entry, "Data", place) if entry.get("Data") is not None else None
        told = take.text(entry, "Name", place, limits.ID_CHARS)
        name = cleaned(told)
        if name != told and told:
            entry["Name"] = told
        guid = take.text(entry, "Guid", place, limits.ID_CHARS)
        digest = ""
        if data is not None:
            digest = hashlib.sha256(data).hexdigest()
            files.append(
                File(sha256=digest, media_type=media_type(data, name), name=name, data=data)
            )
        found.append(
            Attachment(
                sha256=digest,
                size=None if data is None else len(data),
                media_type="" if data is None else files[-1].media_type,
                declared_name=name if told else "",
                role=role,
                order=order,
                refs=(ExternalRef(peer=PEER, kind=GUID, value=guid),) if guid else (),
                extras=take.extras(entry, place),
            )
        )
    return tuple(found)


def _resolution(
    document: Fields, take: Taker, how: Reading, files: list[File], *, answered: bool
) -> tuple[tuple[Assignment, ...], tuple[Question, ...]]:
    path = f"/{RESOLUTION}"
    part = take.part(document, RESOLUTION, "")
    if part is None:
        return (), ()
    author, executor = take.text(part, "Author", path), take.text(part, "Executor", path)
    if answered:
        author, executor = executor, author
    guid = take.text(part, "Guid", path, limits.ID_CHARS)
    questions = _themes(part, take, how, path)
    assignment = Assignment(
        refs=(ExternalRef(peer=PEER, kind=GUID, value=guid),) if guid else (),
        author=Officer(name=author) if author else None,
        executors=(Officer(name=executor),) if executor else (),
        responsible=True,
        decision=take.code(part, "DecisionId", path),
        text=take.text(part, "ResolutionText", path, limits.TEXT_CHARS),
        issued_at=take.local(part, "CreatedTime", path),
        due=take.day(part, "ControlDate", path),
        attachments=_files(part, take, path, files, AttachmentRole.COVERING),
        extras=take.extras(part, path),
    )
    return (assignment,), questions


def _themes(part: Fields, take: Taker, how: Reading, path: str) -> tuple[Question, ...]:
    found = []
    listed = take.parts(part, "Themes", path, limits.QUESTIONS_PER_APPEAL)
    for ordinal, theme in enumerate(listed, 1):
        place = f"{path}/Themes/{ordinal - 1}"
        if not theme:
            take.fault(place, "required", "an empty theme", expected="Code")
        code = take.text(theme, "Code", place, limits.ID_CHARS)
        name = take.text(theme, "Name", place) if code else ""
        topic = Topic(code=Code(system=how.classifier, value=code), name_as_given=name)
        found.append(
            Question(
                ordinal=ordinal,
                topics=(topic,) if code else (),
                annotation=take.text(theme, "Annotation", place, limits.TEXT_CHARS),
                extras=take.extras(theme, place),
            )
        )
    return tuple(found)


def _detail(document: Fields, take: Taker) -> tuple[tuple[Answer, ...], tuple[PeerState, ...]]:
    path = f"/{DETAIL}"
    part = take.part(document, DETAIL, "")
    if part is None:
        return (), ()
    status = take.code(part, "StatusId", path)
    label = take.text(part, "Status", path) if status else ""
    channel = take.code(part, "SendTypeId", path)
    deliveries: tuple[AnswerDelivery, ...] = ()
    if channel is not None:
        by = take.text(part, "EmployeeSended", path)
        deliveries = (
            AnswerDelivery(
                channel=channel,
                sent_at=take.local(part, "Sended", path),
                sent_by=Officer(name=by) if by else None,
            ),
        )
    answer = Answer(
        text=take.text(part, "TextAnswer", path, limits.TEXT_CHARS),
        deliveries=deliveries,
        extras=take.extras(part, path),
    )
    states = (PeerState(peer=PEER, code=status.value, label=label),) if status else ()
    return (answer,), states


def _result(document: Fields, take: Taker) -> tuple[Outcome | None, Any]:
    path = f"/{RESULT}"
    part = take.part(document, RESULT, "")
    if part is None:
        return None, None
    responded = take.day(part, "ResponseDate", path)
    head = take.text(part, "HeadSign", path)
    outcome = Outcome(
        peer_result=take.code(part, "ResultId", path),
        inspection_type=take.code(part, "InspectionTypeId", path),
        additional_control=take.code(part, "AddControlMeasureId", path),
        measures=take.code(part, "TakenMeasuresId", path),
        decided_by=Officer(name=head) if head else None,
        extras=take.extras(part, path),
    )
    return outcome, responded


def _with(
    question: Question, states: tuple[PeerState, ...], outcome: Outcome | None, responded: Any
) -> Question:
    return Question(
        ordinal=question.ordinal,
        text=question.text,
        topics=question.topics,
        annotation=question.annotation,
        extras=question.extras,
        peer_states=states,
        outcome=outcome,
        response_date=responded,
    )
