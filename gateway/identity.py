"""Who a person is by the word of an identity provider (ЕСИА, or a solution that speaks OIDC).

The contract between the login of people (`gateway.cabinet`) and the adapters of kind `identity`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol, runtime_checkable

import msgspec

from gateway.model.person import ContactPoint, IdentificationLevel, Person


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """An organisation that a person acts for, as the provider names it.

    oid: the provider's id of it. roles: the provider's words; which rights they give is decided by
    `grants` of ours. chief: the provider says that he is its head.
    """

    oid: str
    name: str = ""
    ogrn: str = ""
    inn: str = ""
    roles: tuple[str, ...] = ()
    chief: bool = False


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """A person who has just logged in. Personal data: never logged, kept in `content` only.

    provider: name of the adapter. subject: the provider's stable id (ЕСИА: oid). level: of the
    account. session: the provider's id of its session, for logging out. evidence: what proves it
    later: id of the token and digest, never the token.
    """

    provider: str
    subject: str
    level: IdentificationLevel
    person: Person
    contacts: tuple[ContactPoint, ...] = ()
    memberships: tuple[Membership, ...] = ()
    session: str = ""
    evidence: str = ""
    at: datetime


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """A login that was begun: where to send the browser, and what has to be known when it returns.

    state: unguessable; comes back as a parameter. secret: what only we keep (PKCE verifier, nonce),
    given back to `finish` as it is. The caller binds both to the browser and forgets them in
    `expires_at`.
    """

    url: str
    state: str
    secret: Mapping[str, str]
    expires_at: datetime


@runtime_checkable
class IdentityProvider(Protocol):
    """Lets people log in elsewhere. Blocks: to be called in a thread."""

    def begin(self, now: datetime, *, redirect_uri: str, official: bool) -> Begun:
        """Begin a login. official: organisations and roles are asked for too."""
        ...

    def finish(
        self,
        begun_secret: Mapping[str, str],
        state: str,
        query: Mapping[str, str],
        now: datetime,
        *,
        redirect_uri: str,
        official: bool,
    ) -> Identity:
        """Return who logged in, by the parameters of the return.

        state: as `begin` gave it. Raise TrustError (state_mismatch, identity_refused, token_wrong,
        token_expired, token_not_ours, scope_wrong) or DeliveryError when the provider is away.
        """
        ...

    def logout_url(self, identity_session: str, back: str) -> str:
        """Return where to send the browser to end the provider's session too."""
        ...
