"""Documents about addresses: what is asked of the register (ГАР), and what it answers."""

from __future__ import annotations

import msgspec

from gateway.wires.words import (
    AddressText,
    Confidence,
    Int,
    Latitude,
    Longitude,
    RegionCode,
    Request,
    Response,
)


class AddressQuestion(Request, frozen=True, kw_only=True):
    """An address as a person wrote it.

    region_code: two digits of the region that is likelier (`36`); others may still be found.
    """

    text: AddressText
    region_code: RegionCode | None = msgspec.field(name="region", default=None)


class AddressToken(Response, frozen=True, kw_only=True):
    """A word of the text and what it was taken for.

    start, end: where it stands, in characters. role: postal_code, region, settlement, street,
    house, …; other when it says nothing of a place. why: in Russian, in a few words.
    """

    text: str
    start: Int
    end: Int
    role: str
    why: str | None = None


class AddressCandidate(Response, frozen=True, kw_only=True):
    """An object that was possible.

    level: of OBJECT_LEVELS: 8 a street, 10 a house, 11 an apartment. full_name: in the
    administrative division, municipal_name: in the municipal one. house_guid: of the house, also
    when it is an apartment that was found.
    """

    confidence: Confidence
    fias_guid: str
    level: Int
    full_name: str
    municipal_name: str | None = None
    region_code: str = msgspec.field(name="region")
    oktmo: str | None = None
    postal_code: str | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    house_guid: str | None = None
    street_guid: str | None = None
    historical: bool = False


class AddressOut(Response, frozen=True, kw_only=True):
    """What a text was resolved to.

    outcome: exact, street_only (the street is sure, the house is not in the register), ambiguous
    (several fit) or not_found. confidence: 0 to 1. fias_guid, level and the names: of what was
    found, absent when it is in doubt. level: of OBJECT_LEVELS: 8 a street, 10 a house, 11 an
    apartment. full_name: in the administrative division, municipal_name: in the municipal one.
    house_guid: of the house, also when it is an apartment that was found. apartment_building:
    absent when unknown. historical: found by a name that is no longer in use. candidates: what was
    possible too, or what is in doubt, the likeliest first, at most 10. notes: in Russian, why it
    is not exact. gar_version: VersionId of the register.
    """

    outcome: str
    confidence: Confidence
    fias_guid: str | None = None
    level: Int | None = None
    full_name: str | None = None
    municipal_name: str | None = None
    region_code: str | None = msgspec.field(name="region", default=None)
    oktmo: str | None = None
    okato: str | None = None
    postal_code: str | None = None
    cadastral_number: str | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    house_guid: str | None = None
    street_guid: str | None = None
    apartment_building: bool | None = None
    historical: bool = False
    candidates: tuple[AddressCandidate, ...] = ()
    tokens: tuple[AddressToken, ...] = ()
    notes: tuple[str, ...] = ()
    gar_version: str


class AddressSuggestion(Response, frozen=True, kw_only=True):
    """What a text that is being typed may become.

    label: to be shown. value: to stand in the field when it is chosen; it ends in a comma and a
    space where something may follow. level: of OBJECT_LEVELS. complete: nothing has to follow.
    """

    label: str
    value: str
    fias_guid: str
    level: Int
    region_code: str = msgspec.field(name="region")
    oktmo: str | None = None
    complete: bool
