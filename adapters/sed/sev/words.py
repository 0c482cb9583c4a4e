"""Names, orders and small parts of SEV documents, read and written side by side.

The schema is of one vendor (namespace http://www.eos.ru/2010/sev), after the model of
ГОСТ Р 53898-2013; attributes have no namespace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.model.address import Address, AddressRole
from gateway.model.organisation import Officer, Organisation, OrganisationId
from gateway.model.person import Applicant, ContactKind, ContactPoint, Person, Sex

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.sed.edc.leaves import Leaves

NS: Final = "http://www.eos.ru/2010/sev"
VERSION: Final = "1.0"
SOURCE: Final = "sev"
IDS: Final = "sev"
"""System of identifiers of organisations (`Organization/@UID`)."""
FILE: Final = "document.xml"
DOC_INFO: Final = "DocInfo"
REPORT: Final = "Report"
HEADER: Final = "Header"
DOCUMENTS: Final = f"{DOC_INFO}/DocumentList/Document"
REPEATED: Final = frozenset({
    "ResourceList/Resource", "Recipient/Contact", "Contact/Address", "Contact/Econtact",
    "PrivatePerson/Address", "PrivatePerson/Econtact", "DocumentList/Document", "Document/Rubric",
    "Document/File", "Document/Author", "Document/Addressee", "Document/Visa", "Document/Approval",
    "Document/Writer", "Document/AdditionalField", "Document/Link", "File/EDS", "TaskList/Task",
    "Task/Executor", "Task/File", "Executor/File", "Notification/Forwarding",
    "Notification/Consideration", "Notification/Report", "Notification/Redirection",
    "Notification/Answer",
})  # fmt: skip
ORDER: Final = {
    "DocInfo": ("Header", "DocumentList", "TaskList", "Subscriptions", "Expansion"),
    "Report": ("Header", "Notification", "DocumentList", "TaskList", "Expansion"),
    "Header": ("Sender", "Recipient", "ResourceList"),
    "Sender": ("Contact", "EDMS"),
    "Recipient": ("Contact", "EDMS"),
    "Contact": ("Organization", "Department", "OfficialPerson", "Address", "Econtact"),
    "Organization": ("ShortName", "FullName", "INN", "OKPO"),
    "Department": ("Name", "Index"),
    "OfficialPerson": ("FIO", "Post", "Index"),
    "Address": ("ZipCode", "Region", "Settlement", "Text"),
    "PrivatePerson": ("FIO", "Sex", "INN", "Passport", "Address", "Econtact", "SNILS"),
    "Passport": ("Series", "Number", "GivenBy"),
    "Document": (
        "RegistrationInfo", "Control", "Group", "Access", "Consists", "Annotation", "Note",
        "Collective", "Rubric", "File", "Author", "Visa", "Approval", "Addressee", "Writer",
        "AdditionalField", "Link",
    ),
    "RegistrationInfo": ("Number", "Date"),
    "Control": ("Contact", "Deadline", "Summary", "FactDate", "Resume"),
    "File": ("Description", "Extension", "EDS"),
    "Author": ("Contact", "RegistrationInfo", "PrivatePerson", "SignDate"),
    "Addressee": ("Contact", "PrivatePerson"),
    "Writer": ("Contact", "AddInfo"),
    "Task": (
        "Number", "Author", "Text", "File", "Executor", "Control", "Note", "Category", "Parent",
        "IsProject",
    ),
    "Executor": ("Contact", "Text", "Date", "Status", "File"),
    "Subscriptions": (
        "Reception", "Registration", "Forwarding", "Consideration", "TaskDecoration", "Report",
        "Redirection", "Answer",
    ),
    "Notification": (
        "InitialDoc", "Reception", "Failure", "Registration", "Forwarding", "Consideration",
        "Report", "Redirection", "Answer", "Direction", "SignInformation",
    ),
    "InitialDoc": ("Number", "Date", "Group"),
    "Forwarding": ("Contact", "Date"),
    "Redirection": ("Contact", "PrivatePerson", "Date", "Type"),
    "Answer": ("Date", "Type"),
}  # fmt: skip
"""Order of child elements by the schema; the parts of `Direction` have a blank in their names there
and are kept as they come."""

_SEXES: Final = {"Male": Sex.MALE, "Female": Sex.FEMALE}
_PHONE_DIGITS: Final = 5
Pairs = "Iterator[tuple[str, str]]"


def organisation_in(leaves: Leaves, at: str) -> Organisation | None:
    """Take an `Organization`; None when there is none."""
    uid = leaves.text(f"{at}/@UID")
    found = Organisation(
        short_name=leaves.text(f"{at}/ShortName"),
        full_name=leaves.text(f"{at}/FullName"),
        inn=leaves.text(f"{at}/INN"),
        ids=(OrganisationId(system=IDS, value=uid),) if uid else (),
    )
    return None if found == Organisation() else found


def organisation_out(at: str, body: Organisation | None) -> Iterator[tuple[str, str]]:
    """Yield the leaves of an `Organization`; its short name is the one that must be there."""
    if body is not None:
        yield f"{at}/@UID", body.id_in(IDS)
        yield f"{at}/ShortName", body.short_name
        yield f"{at}/FullName", body.full_name
        yield f"{at}/INN", body.inn


def officer_in(leaves: Leaves, at: str) -> Officer:
    """Take a `Contact` of somebody in office."""
    return Officer(
        organisation=organisation_in(leaves, f"{at}/Organization"),
        name=leaves.text(f"{at}/OfficialPerson/FIO"),
        post=leaves.text(f"{at}/OfficialPerson/Post"),
    )


def officer_out(at: str, officer: Officer) -> Iterator[tuple[str, str]]:
    """Yield the leaves of a `Contact`."""
    yield from organisation_out(f"{at}/Organization", officer.organisation)
    yield f"{at}/OfficialPerson/FIO", officer.name
    yield f"{at}/OfficialPerson/Post", officer.post


def citizen_in(leaves: Leaves, at: str) -> Applicant:
    """Take a `PrivatePerson`: who turned to the body, where they live, how to reach them."""
    told = leaves.values.get(f"{at}/Sex", "")
    if told in _SEXES:
        leaves.text(f"{at}/Sex")
    return Applicant(
        person=Person(
            full_name_as_given=leaves.text(f"{at}/FIO"),
            sex=_SEXES.get(told),
            snils=leaves.text(f"{at}/SNILS"),
        ),
        contacts=tuple(_contacts_in(leaves, at)),
        addresses=tuple(
            Address(
                role=AddressRole.APPLICANT_POSTAL,
                postal_code=leaves.text(f"{at}/Address[{n}]/ZipCode"),
                region=leaves.text(f"{at}/Address[{n}]/Region"),
                settlement=leaves.text(f"{at}/Address[{n}]/Settlement"),
                raw=leaves.text(f"{at}/Address[{n}]/Text"),
            )
            for n in range(leaves.count(f"{at}/Address"))
        ),
    )


def _contacts_in(leaves: Leaves, at: str) -> Iterator[ContactPoint]:
    """Yield addresses of mail and telephones up to the first that is neither."""
    for n in range(leaves.count(f"{at}/Econtact")):
        path = f"{at}/Econtact[{n}]"
        told = leaves.values.get(path, "").strip()
        if "@" in told:
            kind = ContactKind.EMAIL
        elif sum(map(str.isdigit, told)) >= _PHONE_DIGITS and not any(map(str.isalpha, told)):
            kind = ContactKind.PHONE
        else:
            return
        yield ContactPoint(kind=kind, value=leaves.text(path))


def citizen_out(at: str, one: Applicant) -> Iterator[tuple[str, str]]:
    """Yield the leaves of a `PrivatePerson`."""
    person = one.person or Person()
    parts = (person.family, person.given, person.patronymic)
    yield f"{at}/FIO", person.full_name_as_given or " ".join(filter(None, parts))
    yield f"{at}/Sex", next((word for word, sex in _SEXES.items() if sex is person.sex), "")
    yield f"{at}/SNILS", person.snils
    for n, address in enumerate(one.addresses):
        yield f"{at}/Address[{n}]/ZipCode", address.postal_code
        yield f"{at}/Address[{n}]/Region", address.region
        yield f"{at}/Address[{n}]/Settlement", address.settlement
        yield f"{at}/Address[{n}]/Text", address.raw
    for n, contact in enumerate(one.contacts):
        yield f"{at}/Econtact[{n}]", contact.value
