"""What a question about an address is answered with."""

from __future__ import annotations

from typing import Literal

import msgspec

from gateway.addresses.parts import Parsed, Token

Outcome = Literal["exact", "street_only", "ambiguous", "not_found"]
"""exact: one object, the house where the text names one. street_only: the street (or the settlement
where there are no streets) is sure, the house is not in the registry. ambiguous: several objects
fit and nothing in the text decides. not_found: nothing fits well enough to be named."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A text to resolve. regions: codes (`36`) that are likelier, the first most of all.

    strict: only those regions may answer. parsed: given instead of text where the parts are known
    already (an address that came in fields).
    """

    text: str = ""
    regions: tuple[str, ...] = ()
    strict: bool = False
    parsed: Parsed | None = None


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One object of the registry.

    guid: OBJECTGUID, lower case. level: of OBJECT_LEVELS (8 street, 10 house, 11 apartment).
    region: two-digit code. label: full name in the administrative division, municipal_label in the
    municipal one, both from the region down. house_guid: of the house an apartment is in, or its
    own. street_guid: of the street or place that the house stands in. oktmo: 8 or 11 digits.
    lat, lon: degrees, WGS 84, where known. mkd: an apartment building (parameter 19 of ГАР), None
    when unknown.
    historical: found by a name that is no longer in use.
    """

    guid: str
    level: int
    region: str
    label: str
    municipal_label: str = ""
    house_guid: str = ""
    street_guid: str = ""
    oktmo: str = ""
    okato: str = ""
    postal_code: str = ""
    cadastral_number: str = ""
    lat: float | None = None
    lon: float | None = None
    mkd: bool | None = None
    confidence: float = 0.0
    historical: bool = False


class Resolved(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a question.

    best: set for `exact` and `street_only`. candidates: what else was possible, or what is in
    doubt, best first, at most 10. confidence: 0…1, of best (of the first candidate when ambiguous).
    tokens: every word of the text and what it was taken for or found as. notes: in
    Russian, why it is not exact, or what was passed over. version: VersionId of the registry.
    """

    outcome: Outcome
    confidence: float = 0.0
    best: Place | None = None
    candidates: tuple[Place, ...] = ()
    tokens: tuple[Token, ...] = ()
    notes: tuple[str, ...] = ()
    parsed: Parsed | None = None
    version: str = ""
