"""Postal addresses and places: what was written, what it was resolved to, and how surely."""

from __future__ import annotations

from enum import StrEnum

from gateway.model.base import Code, Entity, Extra, Moment


class AddressRole(StrEnum):
    """What an address is to the appeal."""

    APPLICANT_POSTAL = "applicant_postal"
    APPLICANT_RESIDENCE = "applicant_residence"
    PROBLEM = "problem"
    ORGANISATION = "organisation"


class Candidate(Entity, frozen=True, kw_only=True):
    """One address the resolver thought possible; confidence is 0…1."""

    fias_guid: str
    label: str = ""
    confidence: float | None = None


class Resolution(Entity, frozen=True, kw_only=True):
    """How raw text became a FIAS object: outcome `exact`, `street_only`, `ambiguous`, `not_found`.

    by: resolver or person; gar_version: VersionId of the registry it was looked up in.
    """

    outcome: str
    confidence: float | None = None
    candidates: tuple[Candidate, ...] = ()
    by: str = ""
    at: Moment | None = None
    gar_version: str = ""


class Address(Entity, frozen=True, kw_only=True):
    """An address as given (`raw`) and in parts; every part may be missing.

    oktmo: 8 or 11 digits as text, because leading zeros count. lat, lon: degrees, WGS 84;
    accuracy: metres. fias_level: level of the ГАР object (8 street, 10 building, …).
    """

    role: AddressRole = AddressRole.PROBLEM
    raw: str = ""
    postal_code: str = ""
    country: str = ""
    region: str = ""
    federal_district: str = ""
    municipality: str = ""
    settlement: str = ""
    street: str = ""
    house: str = ""
    block: str = ""
    building: str = ""
    apartment: str = ""
    fias_guid: str = ""
    fias_level: int | None = None
    oktmo: str = ""
    okato: str = ""
    codes: tuple[Code, ...] = ()
    lat: float | None = None
    lon: float | None = None
    accuracy: float | None = None
    resolution: Resolution | None = None
    extras: tuple[Extra, ...] = ()
