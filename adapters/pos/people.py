"""Who made an item: the person or the body, the account of ЕСИА, how to reach them."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from adapters.pos.codes import PEER
from adapters.pos.fields import NAME, Fields
from gateway import limits
from gateway.model.address import Address, AddressRole
from gateway.model.base import Extra
from gateway.model.organisation import Organisation
from gateway.model.person import (
    Applicant,
    ContactKind,
    ContactPoint,
    Identification,
    IdentificationLevel,
    IdentificationMethod,
    Person,
)

CONTACTS: Final = {
    "phone": ContactKind.PHONE,
    "email": ContactKind.EMAIL,
    "postal": ContactKind.POSTAL,
    "epgu": ContactKind.EPGU_CABINET,
}
_ESIA: Final = {level.value: level for level in IdentificationLevel}


def applicants(fields: Fields) -> tuple[Applicant, ...]:
    """Return the author of an item, as far as it names one."""
    inner = fields.part("applicant")
    if inner is None:
        return ()
    del fields.obj["applicant"]
    identification, oid = _esia(inner)
    person = Person(
        family=inner.text("lastName", NAME),
        given=inner.text("firstName", NAME),
        patronymic=inner.text("middleName", NAME),
        birth_date=inner.day("birthDate"),
        snils=inner.text("snils"),
        esia_oid=oid,
    )
    address = inner.text("address", NAME)
    consent = inner.part("consent")
    processing = consent.flag("processing") if consent else None
    disclosure = consent.flag("disclosure") if consent else None
    if consent:
        inner.drop("consent")
    contacts, kept = _contacts(inner)
    return (
        Applicant(
            person=None if person == _NOBODY else person,
            organisation=_company(inner),
            anonymous=inner.mark("anonymous"),
            consent_processing=processing,
            consent_disclosure=disclosure,
            identification=identification,
            contacts=contacts,
            addresses=(
                (Address(role=AddressRole.APPLICANT_POSTAL, raw=address),) if address else ()
            ),
            extras=(*inner.rest(), *kept),
        ),
    )


_NOBODY: Final = Person()


def _company(fields: Fields) -> Organisation | None:
    inner = fields.part("organisation")
    if inner is None:
        return None
    found = Organisation(
        full_name=inner.text("name", NAME), ogrn=inner.text("ogrn"), inn=inner.text("inn")
    )
    fields.drop("organisation")
    return found


def _esia(fields: Fields) -> tuple[Identification | None, str]:
    """How the platform knows the applicant: the account of ЕСИА and its level."""
    inner = fields.part("esia")
    if inner is None:
        return None, ""
    oid, word = inner.text("oid"), inner.text("level")
    level = _ESIA.get(word)
    if word and level is None:
        inner.obj["level"] = word  # not one of the three: kept as it is spelt
    found = Identification(method=IdentificationMethod.ESIA, level=level, at=inner.instant("at"))
    fields.drop("esia")
    return found, oid


def _contacts(fields: Fields) -> tuple[tuple[ContactPoint, ...], tuple[Extra, ...]]:
    """Ways to reach the applicant; one of a kind that is not known stays whole, at its place."""
    found: list[ContactPoint] = []
    kept: list[Extra] = []
    for number, raw in enumerate(fields.parts("contacts", limits.ATTACHMENTS_PER_APPEAL)):
        place = f"/contacts/{number}"
        if type(raw) is not dict:
            fields.fault(place[1:], "type", "must be an object", expected="object")
            continue
        inner = Fields(raw, fields.path + place, fields.wrong)
        word = inner.obj.get("kind")
        kind = CONTACTS.get(word) if type(word) is str else None
        if kind is None:
            if inner.storable():
                kept.append(Extra(peer=PEER, path=place, value=raw))
            continue
        del inner.obj["kind"]
        value = inner.text("value", NAME, required=True)
        found.append(
            ContactPoint(
                kind=kind,
                value=value,
                verified=inner.flag("verified"),
                reply_here=inner.mark("reply"),
            )
        )
        if inner.obj:
            kept += [replace(extra, path=place + extra.path) for extra in inner.rest()]
    return tuple(found), tuple(kept)
