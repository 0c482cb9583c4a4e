"""What ЕСИА or an OIDC provider says of a person → our person, contacts, organisations; pure.

Nothing here refuses: a value of another type or shape is left out, because a login must not fail
for a telephone that is spelled strangely.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from adapters.esia.codes import ADDRESSES, CONTACTS
from gateway.errors import GatewayError
from gateway.identity import Membership
from gateway.model.base import FIRST_YEAR, LAST_YEAR
from gateway.model.fold import clean_text
from gateway.model.person import ContactKind, ContactPoint, IdentificationLevel, Person, Sex

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NAME_CHARS: Final = 200
MOST: Final = 100
"""Contacts or organisations of one person that are looked at."""
_DAY: Final = re.compile(r"(\d{2})\.(\d{2})\.(\d{4})", re.ASCII)
_ISO: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_SEX: Final = {"M": Sex.MALE, "F": Sex.FEMALE, "male": Sex.MALE, "female": Sex.FEMALE}
_SUBJECT: Final = "urn:esia:sbj"


def text(row: Mapping[str, Any], *names: str, most: int = NAME_CHARS) -> str:
    """Return the first of the named fields that is a text or a whole number, cleaned."""
    for name in names:
        value = row.get(name)
        if isinstance(value, bool) or not isinstance(value, str | int):
            continue
        try:
            found = clean_text(str(value).strip(), "", most)
        except GatewayError:
            continue
        if found:
            return found
    return ""


def day(value: Any) -> date | None:
    """Return `31.12.1980` or `1980-12-31` as a date, None for what is none."""
    said = value if isinstance(value, str) else ""
    if found := _DAY.fullmatch(said):
        parts = found[3], found[2], found[1]
    elif found := _ISO.fullmatch(said):
        parts = found[1], found[2], found[3]
    else:
        return None
    try:
        made = date(*map(int, parts))
    except ValueError:
        return None
    return made if FIRST_YEAR <= made.year <= LAST_YEAR else None


def elements(document: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects of a collection of ЕСИА; links in their place are left out."""
    rows = document.get("elements") if isinstance(document, dict) else None
    yield from (
        row for row in (rows if isinstance(rows, list) else ())[:MOST] if isinstance(row, dict)
    )


def person(row: Mapping[str, Any], oid: str) -> Person:
    """Return the person of `/rs/prns/{oid}`."""
    return Person(
        family=text(row, "lastName"),
        given=text(row, "firstName"),
        patronymic=text(row, "middleName"),
        birth_date=day(row.get("birthDate")),
        sex=_sex(row.get("gender")),
        snils=text(row, "snils", most=20),
        esia_oid=oid,
    )


def level(row: Mapping[str, Any], claims: Mapping[str, Any]) -> IdentificationLevel:
    """Return the level of an account.

    Confirmed is what ЕСИА says itself, in the signed token or with the person. That an account is
    standard once СНИЛС and a document are in it is our reading (README).
    """
    subject = claims.get(_SUBJECT)
    said = subject.get(f"{_SUBJECT}:is_tru") if isinstance(subject, dict) else None
    if said in (True, "true") or row.get("trusted") in (True, "true"):
        return IdentificationLevel.CONFIRMED
    if text(row, "snils") and row.get("rIdDoc") and not row.get("verifying"):
        return IdentificationLevel.STANDARD
    return IdentificationLevel.SIMPLIFIED


def contacts(document: Any) -> tuple[ContactPoint, ...]:
    """Return the contacts of `/rs/prns/{oid}/ctts`."""
    found: dict[tuple[ContactKind, str], ContactPoint] = {}
    for row in elements(document):
        kind, value = CONTACTS.get(text(row, "type")), text(row, "value")
        if kind and value:
            point = ContactPoint(kind=kind, value=value, verified=row.get("vrfStu") == "VERIFIED")
            found.setdefault((kind, value), point)
    return tuple(found.values())


def postal(document: Any) -> tuple[ContactPoint, ...]:
    """Return the postal address of `/rs/prns/{oid}/addrs`: where he lives, else is registered."""
    rows = {text(row, "type"): row for row in elements(document)}
    for kind in ADDRESSES:
        row = rows.get(kind)
        if row is None or not (street := text(row, "addressStr", most=1_000)):
            continue
        ends = [
            f"{label} {value}"
            for label, name in (("д.", "house"), ("корп.", "frame"), ("кв.", "flat"))
            if (value := text(row, name))
        ]
        whole = ", ".join(filter(None, (text(row, "zipCode"), street, *ends)))
        return (ContactPoint(kind=ContactKind.POSTAL, value=whole),)
    return ()


def memberships(document: Any) -> tuple[Membership, ...]:
    """Return the organisations of `/rs/prns/{oid}/roles` or `/orgs`; those not active are left out.

    roles: the type of the organisation, `CHIEF` and `ADMIN` where ЕСИА says so.
    """
    found = []
    for row in elements(document):
        oid = text(row, "oid", most=40)
        if not oid or row.get("active") in (False, "false"):
            continue
        said = [name.upper() for name in ("chief", "admin") if row.get(name) in (True, "true")]
        found.append(
            Membership(
                oid=oid,
                name=text(row, "fullName", "shortName", most=1_000),
                ogrn=text(row, "ogrn", most=20),
                inn=text(row, "inn", most=20),
                roles=tuple(filter(None, (text(row, "type", most=40), *said))),
                chief="CHIEF" in said,
            )
        )
    return tuple(found)


def oidc_person(claims: Mapping[str, Any]) -> Person:
    """Return the person of standard claims (OpenID Connect, 5.1)."""
    return Person(
        full_name_as_given="" if text(claims, "family_name") else text(claims, "name"),
        family=text(claims, "family_name"),
        given=text(claims, "given_name"),
        patronymic=text(claims, "middle_name"),
        birth_date=day(claims.get("birthdate")),
        sex=_sex(claims.get("gender")),
    )


def oidc_contacts(claims: Mapping[str, Any]) -> tuple[ContactPoint, ...]:
    """Return e-mail, telephone and address of standard claims."""
    found = []
    for kind, name in ((ContactKind.EMAIL, "email"), (ContactKind.PHONE, "phone_number")):
        if value := text(claims, name):
            sure = claims.get(f"{name}_verified") is True
            found.append(ContactPoint(kind=kind, value=value, verified=sure))
    address = claims.get("address")
    if isinstance(address, dict) and (whole := text(address, "formatted", most=1_000)):
        found.append(ContactPoint(kind=ContactKind.POSTAL, value=whole))
    return tuple(found)


def oidc_level(claims: Mapping[str, Any], name: str, least: str) -> IdentificationLevel:
    """Return the level that a claim says by our words; `least` when it says none of them."""
    said = text(claims, name) if name else ""
    known = {level.value: level for level in IdentificationLevel}
    return known.get(said, IdentificationLevel(least))


def oidc_memberships(claims: Mapping[str, Any], name: str) -> tuple[Membership, ...]:
    """Return the organisations that a claim lists: `{oid, name, ogrn, inn, roles, chief}`."""
    rows = claims.get(name) if name else None
    found = []
    for row in (rows if isinstance(rows, list) else ())[:MOST]:
        if not isinstance(row, dict) or not (oid := text(row, "oid", "id", most=100)):
            continue
        roles = row.get("roles")
        told = roles[:MOST] if isinstance(roles, list) else ()
        found.append(
            Membership(
                oid=oid,
                name=text(row, "name", most=1_000),
                ogrn=text(row, "ogrn", most=20),
                inn=text(row, "inn", most=20),
                roles=tuple(filter(None, (text({"role": each}, "role") for each in told))),
                chief=row.get("chief") is True,
            )
        )
    return tuple(found)


def _sex(value: Any) -> Sex | None:
    return _SEX.get(value) if isinstance(value, str) else None
