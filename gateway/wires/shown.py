"""What a caller is shown of an appeal: projections of the store as documents of the contract.

The sender of an appeal sees its own in full. Whoever was given it sees what its level of disclosure
allows (docs/adr/0014), by the same function that dispatch sends by.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

import msgspec

from gateway.disclosure import Level, disclose
from gateway.model.appeal import Appeal
from gateway.model.person import ContactKind
from gateway.wires import contract as c

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from gateway.access.policy import Caller
    from gateway.model.address import Address
    from gateway.model.attachment import Attachment
    from gateway.model.base import Code
    from gateway.model.person import Applicant, Person


def level_for(head: Any, caller: Caller) -> Level:
    """Return how much of an appeal a caller may see. head: a row with `peer`, who sent it."""
    return Level.FULL if head.peer == caller.peer else Level(caller.disclosure)


def content_of(stored: Sequence[Any]) -> Appeal | None:
    """Return the canonical appeal; None after its personal data was erased. stored: its row."""
    if not stored or stored[0].bytes is None:
        return None
    return msgspec.json.decode(stored[0].bytes, type=Appeal)


def disclosed(content: Appeal, head: Any, caller: Caller) -> Appeal:
    """Return what a caller may see of an appeal's content."""
    redacted = bool(caller.options.get("text_is_redacted", False))
    return disclose(content, level_for(head, caller), peer=caller.peer, text_is_redacted=redacted)


def status_item(
    key: c.AppealKey,
    found: Sequence[tuple[UUID, str, str]],
    into: dict[UUID, UUID],
    heads: dict[UUID, Any],
    questions: dict[UUID, list[Any]],
    due: dict[UUID, dict[int, Any]],
    *,
    caller: Caller,
) -> c.StatusItem:
    """Return where one appeal stands; not found also when the key names several.

    into: a merged appeal stands where the one stands that it was merged into, and says so. That
    one may be another's, so what is told of its outcome goes by its own level.
    """
    ids = {row[0] for row in found}
    if len(ids) != 1:
        return c.StatusItem(key=key, found=False)
    own = heads[ids.pop()]
    head = heads[into.get(own.id, own.id)]
    merged = head.id != own.id
    terms = due.get(head.id, {})
    told = level_for(head, caller) is not Level.REFERENCE_ONLY
    return c.StatusItem(
        key=key,
        found=True,
        state=head.state,
        questions=tuple(
            c.QuestionState(
                question_id=str(q.id),
                ordinal=q.ordinal,
                state=q.state,
                extended="extended" in q.flags,
                overdue="overdue" in q.flags,
                on_control="on_control" in q.flags,
                due_date=terms.get(q.ordinal) or terms.get(0),
                outcome=outcome_of(q.facts) if told else None,
            )
            for q in questions.get(head.id, [])
        ),
        due_date=min(terms.values(), default=None),
        updated_at=head.changed_at.astimezone(UTC),
        receipt_number=own.receipt_number,
        merged_into=head.receipt_number if merged else None,
    )


def outcome_of(facts: dict[str, Any]) -> c.OutcomeOut | None:
    """Return how a question was decided; facts: of its row."""
    told = (facts.get("answer") or {}).get("outcome")
    if not told:
        return None
    return c.OutcomeOut(result=told.get("result", ""), actions_taken=told.get("actions_taken"))


def file_out(file: Attachment) -> c.AttachmentOut:
    """Return a file of a disclosed appeal; one whose name was erased goes by its digest."""
    return c.AttachmentOut(
        attachment_id=file.sha256,
        file_name=file.declared_name or file.sha256[:12],
        media_type=file.media_type or "application/octet-stream",
        size=file.size or 0,
        sha256=file.sha256,
        role=file.role.value,
    )


def address_out(content: Appeal) -> c.Address | None:
    """Return the place of the problem, as far as a disclosed appeal names it."""
    place = next((a for a in content.addresses if a.role.value == "problem"), None)
    return place_out(place) if place is not None else None


def place_out(place: Address) -> c.Address:
    """Return an address of a disclosed appeal; below `full` it goes no further than the house."""
    return c.Address(
        raw=place.raw or None, postal_code=place.postal_code or None,
        fias_guid=place.fias_guid or None, oktmo=place.oktmo or None, region=place.region or None,
        municipality=place.municipality or None, settlement=place.settlement or None,
        street=place.street or None, house=place.house or None, block=place.block or None,
        building=place.building or None, apartment=place.apartment or None,
        latitude=place.lat, longitude=place.lon,
    )  # fmt: skip


def due_of(found: Iterable[Any]) -> dict[UUID, dict[int, Any]]:
    """Return appeal → question (0: the appeal as a whole) → the nearest day it is due."""
    due: dict[UUID, dict[int, Any]] = {}
    for row in found:
        due.setdefault(row.appeal_id, {})[row.question] = row.due
    return due


def applicant_out(given: Applicant) -> c.Applicant:
    """Return an applicant as the sender gave it, in the contract's names."""
    told = {contact.kind: contact.value for contact in given.contacts}
    proof, body = given.identification, given.organisation
    return c.Applicant(
        role=given.role.value,
        person=_person(given.person) if given.person else None,
        organisation=c.ApplicantOrganisation(
            name=body.full_name, ogrn=body.ogrn or None, inn=body.inn or None
        )
        if body and body.full_name
        else None,
        anonymous=given.anonymous,
        identification=c.Identification(
            method=proof.method.value, level=proof.level.value if proof.level else None
        )
        if proof
        else None,
        phone=told.get(ContactKind.PHONE) or None,
        email=told.get(ContactKind.EMAIL) or None,
        postal_address=place_out(given.addresses[0]) if given.addresses else None,
        social_status=code_out(given.social_status),
        benefit=code_out(given.benefit),
        citizenship_group=given.citizenship_group or None,
    )


def _person(given: Person) -> c.Person:
    return c.Person(
        family_name=given.family or None,
        given_name=given.given or None,
        patronymic=given.patronymic or None,
        full_name=given.full_name_as_given or None,
        birth_date=given.birth_date,
    )


def code_out(code: Code | None) -> str | None:
    """Return the value of a code of a system that the contract does not name."""
    return code.value or None if code else None
