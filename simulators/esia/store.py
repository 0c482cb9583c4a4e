"""What the stand knows: systems, logins that go on, codes, tokens. One lock for all of it."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Final

from simulators.esia.rules import KNOWN_SCOPES, Refused

if TYPE_CHECKING:
    from simulators.esia.people import Human
    from simulators.esia.rules import Sent

CODE_LIVES: Final = timedelta(seconds=120)
TOKEN_LIVES: Final = timedelta(seconds=3600)


@dataclass(frozen=True, kw_only=True)
class System:
    """A registered information system.

    certificate: file in PEM. algorithm: of the tokens that it gets. renewal: what it signs when it
    renews. secret: of a client of OIDC.
    """

    client_id: str
    redirect_uris: tuple[str, ...]
    certificate: Path = Path()
    algorithm: str = "GOST3410_2012_256"
    scopes: frozenset[str] = KNOWN_SCOPES
    renewal: str = "start"
    secret: str = ""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A login that a person allowed, or is asked about. generation: v2, v1 or oidc."""

    system: System
    generation: str
    sent: dict[str, str]
    at: datetime
    person: Human | None = None
    sid: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def scopes(self) -> list[str]:
        """What was asked for."""
        return self.sent.get("scope", "").split()


class Store:
    """Everything of the stand that changes."""

    def __init__(self, people: list[Human], place: Path) -> None:
        self.people = {human.oid: human for human in people}
        self._place = place
        self._lock = RLock()
        self._systems: dict[str, System] = {}
        self._asked: dict[str, Grant] = {}
        self._codes: dict[str, Grant] = {}
        self._access: dict[str, tuple[Grant, datetime]] = {}
        self._refresh: dict[str, Grant] = {}
        self.issued: list[dict[str, Any]] = []
        self.ended: list[str] = []

    def register(self, row: dict[str, Any]) -> System:
        """Register a system; its certificate comes as PEM text."""
        name = str(row["client_id"])
        cert = self._place / f"system-{uuid.uuid4().hex}.pem"
        cert.write_text(str(row.get("certificate", "")), "utf-8")
        system = System(
            client_id=name,
            redirect_uris=tuple(map(str, row["redirect_uris"])),
            certificate=cert,
            algorithm=str(row.get("algorithm", "GOST3410_2012_256")),
            scopes=frozenset(row.get("scopes", KNOWN_SCOPES)),
            renewal=str(row.get("renewal", "start")),
            secret=str(row.get("secret", "")),
        )
        with self._lock:
            self._systems[name] = system
        return system

    def system(self, sent: Sent) -> System:
        """Return who asks; raise Refused: such a one is answered by a page only."""
        found = self._systems.get(sent.get("client_id"))
        if found is None:
            raise Refused("007002", "no such system")
        if sent.get("redirect_uri") not in found.redirect_uris:
            raise Refused("007023", f"redirect_uri {sent.get('redirect_uri')!r} is not registered")
        return found

    def ask(self, grant: Grant) -> str:
        """Keep a login until the person chooses; return its id."""
        key = secrets.token_urlsafe(16)
        with self._lock:
            self._asked[key] = grant
        return key

    def chosen(self, key: str) -> Grant | None:
        """Return a login that goes on, once."""
        with self._lock:
            return self._asked.pop(key, None)

    def allow(self, grant: Grant, oid: str, now: datetime) -> str:
        """Give a code for a person; raise KeyError for nobody."""
        code = secrets.token_urlsafe(48)
        with self._lock:
            self._codes[code] = replace(grant, person=self.people[oid], at=now)
        return code

    def exchange(self, sent: Sent, now: datetime) -> Grant:
        """Take a code, once; raise Refused(007011)."""
        with self._lock:
            grant = self._codes.pop(sent.get("code"), None)
        if grant is None:
            raise Refused("007011", "the code is unknown or used")
        if now - grant.at > CODE_LIVES:
            raise Refused("007011", "the code has expired")
        if grant.system.client_id != sent.get("client_id"):
            raise Refused("007011", "the code is of another system")
        if grant.sent["redirect_uri"] != sent.get("redirect_uri"):
            raise Refused("007011", "the code was asked for another redirect_uri")
        return grant

    def renewed(self, token: str, client_id: str) -> Grant:
        """Take a refresh token, once; raise Refused(007011)."""
        with self._lock:
            grant = self._refresh.pop(token, None)
        if grant is None or grant.system.client_id != client_id:
            raise Refused("007011", "the refresh token is unknown or used")
        return grant

    def keep(self, access: str, refresh: str, grant: Grant, now: datetime) -> None:
        """Remember tokens that were given."""
        with self._lock:
            self._access[access] = (grant, now + TOKEN_LIVES)
            if refresh:
                self._refresh[refresh] = grant
            self.issued.append(
                {
                    "at": now.isoformat(),
                    "client_id": grant.system.client_id,
                    "person": grant.person.oid if grant.person else "",
                    "scope": grant.sent.get("scope", ""),
                    "generation": grant.generation,
                }
            )

    def bearer(self, header: str, now: datetime) -> Grant | None:
        """Return what an access token stands for, None for an unknown or ended one."""
        scheme, _, token = header.partition(" ")
        grant, until = self._access.get(token, (None, now))
        return grant if scheme == "Bearer" and now < until else None
