"""Who turned to the body: applicants, persons, how they proved who they are, how to reach them."""

from __future__ import annotations

from enum import StrEnum

from gateway.model.address import Address
from gateway.model.base import Code, Day, Entity, Extra, Moment, only_days, only_moments
from gateway.model.organisation import Organisation


class ApplicantRole(StrEnum):
    """The part an applicant has in the appeal; the first applicant is its author."""

    AUTHOR = "author"
    COAUTHOR = "coauthor"
    REPRESENTATIVE = "representative"
    ON_BEHALF_OF = "on_behalf_of"
    CONTACT = "contact"


class Sex(StrEnum):
    """Sex, where a form asks for it."""

    MALE = "male"
    FEMALE = "female"


class IdentificationMethod(StrEnum):
    """How the applicant proved who they are (59-ФЗ as amended by 547-ФЗ; 248-ФЗ art. 58-59)."""

    NONE = "none"
    LOGIN = "login"
    ESIA = "esia"
    UKEP = "ukep"
    IN_PERSON = "in_person"
    PHONE = "phone"


class IdentificationLevel(StrEnum):
    """Level of the ЕСИА account."""

    SIMPLIFIED = "simplified"
    STANDARD = "standard"
    CONFIRMED = "confirmed"


class ContactKind(StrEnum):
    """Where an answer can be sent."""

    PHONE = "phone"
    EMAIL = "email"
    POSTAL = "postal"
    EPGU_CABINET = "epgu_cabinet"
    SYSTEM_CABINET = "system_cabinet"
    SOCIAL = "social"


class Person(Entity, frozen=True, kw_only=True):
    """A person as named; systems that know one string fill only `full_name_as_given`.

    snils and esia_oid are stored apart, encrypted or hashed by setting.
    """

    full_name_as_given: str = ""
    family: str = ""
    given: str = ""
    patronymic: str = ""
    birth_date: Day | None = None
    sex: Sex | None = None
    nickname: str = ""
    profile_url: str = ""
    snils: str = ""
    esia_oid: str = ""

    def __post_init__(self) -> None:
        """Refuse a datetime as the day of birth."""
        only_days(self.birth_date)


class Identification(Entity, frozen=True, kw_only=True):
    """How and when the applicant was identified; evidence_ref names the proof we keep."""

    method: IdentificationMethod = IdentificationMethod.NONE
    level: IdentificationLevel | None = None
    at: Moment | None = None
    evidence_ref: str = ""

    def __post_init__(self) -> None:
        """Refuse a naive instant."""
        only_moments(self.at)


class ContactPoint(Entity, frozen=True, kw_only=True):
    """One way to reach the applicant; `reply_here` marks where the answer goes (art. 10 ч. 4)."""

    kind: ContactKind
    value: str
    verified: bool | None = None
    reply_here: bool = False


class Applicant(Entity, frozen=True, kw_only=True):
    """One of those who signed, or for whom it was signed; person and organisation may be absent.

    citizenship_group: РФ or ДГ (УРОГ). addresses: the applicant's own, by role; the place of the
    problem lies on the appeal.
    """

    role: ApplicantRole = ApplicantRole.AUTHOR
    person: Person | None = None
    organisation: Organisation | None = None
    anonymous: bool = False
    social_status: Code | None = None
    benefit: Code | None = None
    citizenship_group: str = ""
    consent_processing: bool | None = None
    consent_disclosure: bool | None = None
    identification: Identification | None = None
    contacts: tuple[ContactPoint, ...] = ()
    addresses: tuple[Address, ...] = ()
    extras: tuple[Extra, ...] = ()
