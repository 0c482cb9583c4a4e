"""Bodies and the people who act for them: one directory for all systems."""

from __future__ import annotations

import uuid

from gateway.model.address import Address
from gateway.model.base import NIL, Code, Day, Entity, Extra, only_days


class OrganisationId(Entity, frozen=True, kw_only=True):
    """The identifier of a body in one system: `sstu`, `medo`, `smev`, `gisgkh`, `esia` …."""

    system: str
    value: str


class Organisation(Entity, frozen=True, kw_only=True):
    """A body, its division, or an enterprise, as named; only one of name and ids need be known.

    kind: фоив, роив, осв, орган мсу, подразделение, уо, тсж, рсо, подвед as a code. zone: IANA
    time zone; calendar: name of its production calendar (region or body). parent: id in our
    directory. schedule (режим работы) and functions come later and stay additive.
    """

    id: uuid.UUID = NIL
    full_name: str = ""
    short_name: str = ""
    parent: uuid.UUID | None = None
    kind: Code | None = None
    ogrn: str = ""
    inn: str = ""
    kpp: str = ""
    oktmo: str = ""
    address: Address | None = None
    valid_from: Day | None = None
    valid_to: Day | None = None
    ids: tuple[OrganisationId, ...] = ()
    zone: str = ""
    calendar: str = ""
    extras: tuple[Extra, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a datetime in the validity."""
        only_days(self.valid_from, self.valid_to)

    def id_in(self, system: str) -> str:
        """Return the identifier of this body in `system`, empty when it has none."""
        return next((item.value for item in self.ids if item.system == system), "")


class Officer(Entity, frozen=True, kw_only=True):
    """A person in office: signatory, addressee, executor, head.

    name: as given, often surname and initials; family, given, patronymic where a system tells them
    apart. signed_on: the day this officer signed the document that names them.
    """

    organisation: Organisation | None = None
    name: str = ""
    family: str = ""
    given: str = ""
    patronymic: str = ""
    post: str = ""
    phone: str = ""
    email: str = ""
    signed_on: Day | None = None
    extras: tuple[Extra, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a datetime as the day of signature."""
        only_days(self.signed_on)
