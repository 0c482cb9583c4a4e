"""An identity provider for tests: whoever it is told to be logs in, without a network."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from gateway.errors import TrustError
from gateway.identity import Begun, Identity, Membership
from gateway.model.person import ContactKind, ContactPoint, IdentificationLevel, Person

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

PLACE = "https://identity.example/authorize"


class FakeIdentity:
    """A provider that believes a browser that brings the right code.

    name: by which identities call their provider. people: code → who comes in by it.
    """

    def __init__(self, name: str = "esia") -> None:
        self.name = name
        self.people: dict[str, dict[str, Any]] = {}

    def begin(self, now: datetime, *, redirect_uri: str, official: bool) -> Begun:
        """Begin a login."""
        state, verifier = secrets.token_hex(16), secrets.token_hex(16)
        asked = {"state": state, "redirect_uri": redirect_uri, "official": str(int(official))}
        return Begun(
            url=f"{PLACE}?{urlencode(asked)}",
            state=state,
            secret={"verifier": verifier, "redirect_uri": redirect_uri},
            expires_at=now + timedelta(hours=1),
        )

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
        """Return who logged in; raise TrustError as a provider's adapter does."""
        if not state or len(begun_secret.get("verifier", "")) != 32:
            raise TrustError("the secret is not the one that was kept", "state_mismatch")
        if begun_secret["redirect_uri"] != redirect_uri:
            raise TrustError("another way back", "redirect_refused")
        found = self.people.get(query.get("code", ""))
        if found is None:
            raise TrustError("the person declined", "identity_refused")
        return Identity(
            provider=self.name,
            subject=found["subject"],
            level=IdentificationLevel.CONFIRMED,
            person=found.get("person", Person(family="Иванова", given="Анна")),
            contacts=(ContactPoint(kind=ContactKind.EMAIL, value="anna@example.org"),),
            memberships=tuple(
                Membership(oid=oid, roles=roles)
                for oid, *roles_ in (found.get("memberships", ()) if official else ())
                for roles in [tuple(roles_)]
            ),
            session="sid-1",
            evidence=f"token sha256:{found['subject']}",
            at=now,
        )

    def logout_url(self, identity_session: str, back: str) -> str:
        """Return where the provider's session ends."""
        return (
            f"https://identity.example/logout?{urlencode({'sid': identity_session, 'back': back})}"
        )
