"""The parts of a document as they are written: the card, its files, the resolution, themes."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

from adapters.regional.sadko.codes import GUID, LETTER_GUID, PEER, REGISTER
from adapters.regional.sadko.fields import local, midnight, number, put
from gateway.model.person import ContactKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from adapters.regional.sadko.decode import Reading
    from gateway.jsonfields import Fields
    from gateway.model.appeal import Appeal
    from gateway.model.assignment import Assignment
    from gateway.model.attachment import Attachment
    from gateway.model.base import Day, ExternalRef
    from gateway.model.person import Applicant
    from gateway.model.question import Question
    from gateway.model.registration import ReferralIn

_NOTHING: Final[tuple[Any, ...]] = ("", None, [], ())


def told(values: Mapping[str, Any]) -> Fields:
    """Return the fields that say something."""
    return {name: value for name, value in values.items() if value not in _NOTHING}


def card_guid(appeal: Appeal) -> tuple[str, str]:
    """Return kind and value of the reference by which САДКО.ОГ knows the appeal; empty without."""
    for ref in appeal.refs:
        if ref.peer == PEER and ref.kind in (GUID, LETTER_GUID):
            return ref.kind, ref.value
    return "", ""


def guid_of(refs: Iterable[ExternalRef]) -> str:
    """Return the Guid among references."""
    return next((ref.value for ref in refs if ref.peer == PEER and ref.kind == GUID), "")


def card(appeal: Appeal, how: Reading, files: Mapping[str, bytes]) -> Fields:
    """Return the card as it came, without its extras; a file whose bytes are not here has none."""
    own = next((r for r in appeal.registrations if r.register == REGISTER), None)
    mark = next(iter(appeal.control_marks), None)
    out: dict[str, Any] = {"Guid": card_guid(appeal)[1]}
    if appeal.applicants:
        out |= _citizen(appeal.applicants[0])
    out |= {
        "LetterTypeId": number(appeal.document_kind),
        "DeliveryTypeId": number(appeal.delivery_method),
        "ConsiderationFormId": how.tables.form_id(appeal.form) if appeal.form else None,
        **(_letter(appeal.referrals[0]) if appeal.referrals else {}),
        "ControlOrgSendDate": _day(mark.date) if mark else None,
        "RegistrationNumber": own.number if own else None,
        "RegistrationDate": _day(own.date) if own else None,
        "PreviousCardsCount": appeal.previous_count,
        "DocSheetNumber": appeal.sheet_count,
        "DocCopyNumber": appeal.copy_count,
        "ConcernedCitizensNumber": appeal.concerned_count,
        "Message": appeal.text,
        "Files": written_files(appeal.attachments, files),
    }
    return told(out)


def _citizen(applicant: Applicant) -> dict[str, Any]:
    out: dict[str, Any] = {}
    if person := applicant.person:
        out["CitizenName"], out["CitizenSurname"] = person.family, person.given
        out["CitizenPatronymic"] = person.patronymic
    if applicant.addresses:
        address = applicant.addresses[0]
        out["CitizenAddress"], out["CitizenAddressPost"] = address.raw, address.postal_code
        out["CitizenAddressAreaId"] = number(next(iter(address.codes), None))
    for contact in applicant.contacts:
        if contact.kind is ContactKind.PHONE:
            out["CitizenPhone"] = contact.value
        elif contact.kind is ContactKind.EMAIL:
            out["CitizenEmail"] = contact.value
    out["CitizenSocialStatusId"] = number(applicant.social_status)
    out["CitizenBenefitId"] = number(applicant.benefit)
    return out


def _letter(referral: ReferralIn) -> dict[str, Any]:
    sender = referral.from_org
    known = sender.id_in(f"{PEER}.CorrespondentId") if sender else ""
    return {
        "CorrespondentId": int(known) if known.isdecimal() and known.isascii() else known,
        "ReceivedFrom": sender.full_name if sender else "",
        "LetterNumber": referral.number,
        "ReceiveDate": _day(referral.received_date),
    }


def written_files(attachments: Iterable[Attachment], files: Mapping[str, bytes]) -> list[Fields]:
    """Return the entries of `Files`; Data only of those whose bytes are here."""
    out = []
    for file in attachments:
        data = files.get(file.sha256) if file.sha256 else None
        entry = told({"Name": file.declared_name, "Guid": guid_of(file.refs)})
        if data is not None:
            entry["Data"] = base64.b64encode(data).decode()
        put(entry, file.extras)
        out.append(entry)
    return out


def themes(questions: Iterable[Question], how: Reading) -> list[Fields]:
    """Return the entries of `Themes`: one a question that has a topic, or came as a theme."""
    out = []
    for question in questions:
        topic = next((t for t in question.topics if t.code.system == how.classifier), None)
        entry = told(
            {
                "Code": topic.code.value if topic else None,
                "Name": (topic.name_as_given or topic.code.label) if topic else None,
                "Annotation": question.annotation,
            }
        )
        put(entry, question.extras)
        if entry:
            out.append(entry)
    return out


def resolution(
    assignment: Assignment,
    questions: Iterable[Question],
    how: Reading,
    files: Mapping[str, bytes],
) -> Fields:
    """Return a resolution as it came: author and executor in their own places, without extras."""
    author, executor = assignment.author, next(iter(assignment.executors), None)
    issued, due = assignment.issued_at, assignment.due
    return told(
        {
            "Guid": guid_of(assignment.refs),
            "CreatedTime": local(issued, how.zone) if issued else None,
            "Author": author.name if author else None,
            "Executor": executor.name if executor else None,
            "DecisionId": number(assignment.decision),
            "ResolutionText": assignment.text,
            "ControlDate": _day(due),
            "Themes": themes(questions, how),
            "Files": written_files(assignment.attachments, files),
        }
    )


def _day(day: Day | None) -> str | None:
    return midnight(day) if day else None
