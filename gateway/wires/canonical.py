"""From the contract's appeals, files and keys to the canonical model; pure.

Reports on appeals are in `reported`.

What the contract names and the model has no home for goes to `extras` under the peer `gateway`, so
that nothing is lost between the wire and the store (model.md §0, rule 4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.adapter import Inbound
from gateway.errors import ValidationError, Violation
from gateway.model import events as e
from gateway.model.address import Address, AddressRole
from gateway.model.appeal import Appeal, AppealType, Form, Regime, RepeatKind
from gateway.model.attachment import AttachedFile
from gateway.model.base import Code, ExternalRef, Extra, in_utc
from gateway.model.fold import clean_text, number_key
from gateway.model.organisation import Organisation
from gateway.model.person import (
    Applicant,
    ApplicantRole,
    ContactKind,
    ContactPoint,
    Identification,
    IdentificationLevel,
    IdentificationMethod,
    Person,
)
from gateway.model.question import Question, Topic
from gateway.model.registration import Link, LinkKind, ReferralIn, Registration
from gateway.wires import files as contract_files

if TYPE_CHECKING:
    from gateway.wires import contract as c

PEER = "gateway"
SSTU = "sstu"
"""The classifier of a topic that names none; XML cannot tell an empty name from an absent one."""
DELIVERY = "gateway.delivery"


def submission(given: c.AppealIn, operation: str = "submit", reason: str = "") -> Inbound:
    """Return an appeal of the contract as canonical; raise ValidationError or TooLargeError.

    reason: of an amendment, in the sender's words.
    """
    files, attachments = contract_files.attachments(given.attachments)
    text = clean_text(given.text or "", "Text")
    return Inbound(
        operation="amend" if operation == "amend" else "submit",
        external_id=given.external_id,
        revision=given.revision,
        reason=clean_text(reason, "Reason"),
        appeal=Appeal(
            regime=Regime(given.regime) if given.regime else None,
            type=AppealType(given.type) if given.type else AppealType.UNKNOWN,
            form=Form(given.form) if given.form else None,
            delivery_method=_code(DELIVERY, given.delivery_method),
            received_at=in_utc(given.received_at, "ReceivedAt") if given.received_at else None,
            direct=given.direct,
            subject=clean_text(given.subject or "", "Subject"),
            text=text,
            collective=given.collective or None,
            concerned_count=given.concerned_count,
            repeat_kind=RepeatKind(given.repeat_kind) if given.repeat_kind else None,
            urgency=_code("gateway.urgency", given.urgency),
            test_message=given.test_message,
            revision=given.revision,
            refs=(ExternalRef(peer=PEER, kind="external_id", value=given.external_id),),
            registrations=tuple(map(_registration, given.registrations)),
            referrals=_referrals(given),
            links=tuple(
                Link(kind=LinkKind(link.kind), number=link.number, date=link.date)
                for link in given.links
            ),
            applicants=_applicants(given),
            addresses=_addresses(given.problem_address, AddressRole.PROBLEM),
            questions=tuple(
                _question(ordinal, question) for ordinal, question in enumerate(given.questions, 1)
            ),
            attachments=attachments,
            extras=(
                *(
                    Extra(
                        peer=PEER,
                        path=extra.name,
                        value=clean_text(extra.value, f"Extra/Extra[{place}]/Value"),
                    )
                    for place, extra in enumerate(given.extra, 1)
                ),
                *(() if given.applicants else _reply_beside(given.reply_to)),
            ),
        ),
        files=files,
    )


def attachment(given: c.AttachFile) -> Inbound:
    """Return a file of its own call, checked against the size and digest it came with."""
    file = contract_files.taken("", given.file_name, given.media_type, given.content, given.sha256)
    if given.size is not None and given.size != file.size:
        raise ValidationError(
            "the file is not as long as it was said to be",
            (
                Violation(
                    "Size", "size", "bytes received differ from Size",
                    str(file.size), str(given.size),
                ),
            ),
        )  # fmt: skip
    return Inbound(
        operation="attach",
        message_key=given.message_key,
        attached=AttachedFile(
            key=key(given.owner_key),
            sha256=file.sha256,
            name=file.name,
            media_type=given.media_type or "",  # what its part says may differ from call to call
            role=given.role or "",
        ),
        files=(file,),
    )


def key(given: c.AppealKey) -> e.AppealKey:
    """Return the key; exactly one of the three numbers must be there."""
    named = [
        name for name in ("receipt_number", "external_id", "registration_number")
        if getattr(given, name)
    ]  # fmt: skip
    if len(named) != 1:
        raise ValidationError(
            "the key must hold exactly one number",
            (
                Violation(
                    "Key", "choice", "one of ReceiptNumber, ExternalId, RegistrationNumber",
                    found=", ".join(named) or "none", expected="exactly one",
                ),
            ),
        )  # fmt: skip
    return e.AppealKey(
        receipt_number=given.receipt_number or "",
        external_id=given.external_id or "",
        registration_number=given.registration_number or "",
        organisation=given.organisation_id or "",
    )


def _question(ordinal: int, given: c.QuestionIn) -> Question:
    return Question(
        ordinal=ordinal,
        text=clean_text(given.text or "", f"Questions/QuestionIn[{ordinal}]/Text"),
        topics=tuple(
            Topic(code=Code(system=t.system or SSTU, value=t.code, version=t.version or ""))
            for t in given.topics
        ),
        refs=(ExternalRef(peer=PEER, kind="external_id", value=given.external_id),)
        if given.external_id
        else (),
    )


def _registration(given: c.Registration) -> Registration:
    return Registration(
        organisation=Organisation(full_name=given.organisation) if given.organisation else None,
        register=given.register or "",
        number=given.number,
        number_key=number_key(given.number),
        date=given.date,
    )


def _referrals(given: c.AppealIn) -> tuple[ReferralIn, ...]:
    letter = given.referral
    if letter is None:
        return ()
    return (
        ReferralIn(
            from_org=Organisation(full_name=letter.from_organisation),
            number=letter.number,
            number_key=number_key(letter.number),
            date=letter.date,
            received_date=letter.received_date,
            purpose=_code("urog.purpose", letter.purpose),
            control_term=letter.control_date,
        ),
    )


def beside(owner: str, **values: str | None) -> tuple[Extra, ...]:
    """Return what the model has no home for, under its element's path."""
    return tuple(
        Extra(peer=PEER, path=f"{owner}/{name}", value=value)
        for name, value in values.items()
        if value
    )


def _reply_beside(reply: c.ReplyTo | None) -> tuple[Extra, ...]:
    """Where an appeal without any applicant wants its answer."""
    return beside("ReplyTo", Channel=reply.channel, Address=reply.address) if reply else ()


def _applicants(given: c.AppealIn) -> tuple[Applicant, ...]:
    reply = given.reply_to
    return tuple(
        _applicant(applicant, reply if place == 0 else None)
        for place, applicant in enumerate(given.applicants)
    )


def _applicant(given: c.Applicant, reply: c.ReplyTo | None) -> Applicant:
    contacts = [
        ContactPoint(
            kind=kind,
            value=value,
            reply_here=bool(
                reply and reply.channel == kind.value and (reply.address or value) == value
            ),
        )
        for kind, value in ((ContactKind.PHONE, given.phone), (ContactKind.EMAIL, given.email))
        if value
    ]
    if reply and not any(contact.reply_here for contact in contacts):
        contacts.append(
            ContactPoint(
                kind=ContactKind(reply.channel), value=reply.address or "", reply_here=True
            )
        )
    proof = given.identification
    organisation = given.organisation
    return Applicant(
        role=ApplicantRole(given.role),
        person=_person(given.person) if given.person else None,
        organisation=Organisation(
            full_name=organisation.name, ogrn=organisation.ogrn or "", inn=organisation.inn or ""
        )
        if organisation
        else None,
        anonymous=given.anonymous,
        social_status=_code("gateway.social_status", given.social_status),
        benefit=_code("gateway.benefit", given.benefit),
        citizenship_group=given.citizenship_group or "",
        identification=Identification(
            method=IdentificationMethod(proof.method),
            level=IdentificationLevel(proof.level) if proof.level else None,
        )
        if proof
        else None,
        contacts=tuple(contacts),
        addresses=_addresses(given.postal_address, AddressRole.APPLICANT_POSTAL),
    )


def _person(given: c.Person) -> Person:
    return Person(
        full_name_as_given=clean_text(given.full_name or "", "Person/FullName"),
        family=clean_text(given.family_name or "", "Person/FamilyName"),
        given=clean_text(given.given_name or "", "Person/GivenName"),
        patronymic=clean_text(given.patronymic or "", "Person/Patronymic"),
        birth_date=given.birth_date,
    )


def _addresses(given: c.Address | None, role: AddressRole) -> tuple[Address, ...]:
    if given is None:
        return ()
    return (
        Address(
            role=role,
            raw=clean_text(given.raw or "", "Address/Raw"),
            postal_code=given.postal_code or "",
            region=given.region or "",
            municipality=given.municipality or "",
            settlement=given.settlement or "",
            street=given.street or "",
            house=given.house or "",
            block=given.block or "",
            building=given.building or "",
            apartment=given.apartment or "",
            fias_guid=given.fias_guid or "",
            oktmo=given.oktmo or "",
            lat=given.latitude,
            lon=given.longitude,
        ),
    )


def _code(system: str, value: str | None) -> Code | None:
    return Code(system=system, value=value) if value else None
