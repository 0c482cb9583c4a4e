"""Who a person is who is logged in: sessions, and what their account lets them do.

Blocks: to be called in a thread. A disabled account, a changed role and an ended session count from
the next request on, because each request reads them.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import msgspec

from gateway import roles
from gateway.access import sessions as tokens
from gateway.access.policy import Refused
from gateway.access.strangers import Strangers
from gateway.errors import TrustError
from gateway.identity import Identity
from gateway.store import accounts, sessions
from gateway.syslog import SecurityEvent

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from psycopg import Connection

    from gateway.errors import TrustReason
    from gateway.store.accounts import Account
    from gateway.store.pool import Pool
    from gateway.store.sessions import Session
    from gateway.syslog import Kind

Must = Literal["", "code", "password", "totp"]
"""What a person has to do before anything else: bring a code, change the password, enrol one."""
PARENTS_SECONDS: Final = 30.0
PER_ADDRESS: Final = 60
"""Refusals a minute of one address that become security events; a flood costs us no disk."""
TOUCH: Final = timedelta(seconds=60)
CODE_MINUTES: Final = 5
_DECODE: Final = msgspec.json.Decoder(Identity)
SAID: Final = "вход не выполнен · the login was not accepted"
"""To whoever was not let in: the same whatever the reason was."""


class Caller(NamedTuple):
    """Where a request of a person comes from, for records."""

    address: str = ""
    path: str = ""
    correlation: str = ""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A person with a live session.

    must: while it is not empty, principal may do nothing. identity: of a citizen.
    """

    token: str
    session: Any
    principal: roles.Principal
    must: Must = ""
    account: Any = None
    identity: Identity | None = None

    @property
    def citizen(self) -> bool:
        """Whether it is a citizen, who has no account with us."""
        return self.account is None


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What settings say of people."""

    roles: roles.Roles
    idle: timedelta = timedelta(minutes=30)
    longest: timedelta = timedelta(hours=12)
    totp_roles: frozenset[str] = frozenset()
    keep: timedelta = timedelta(days=1_825)
    """How long security events are kept; zero: for ever."""


class People:
    """Sessions of people. tell: takes security events; refused: takes refusals for the record."""

    def __init__(
        self,
        pool: Pool,
        rules: Rules,
        now: Callable[[], datetime],
        *,
        tell: Callable[[SecurityEvent], None],
        refused: Callable[[Refused], None],
    ) -> None:
        self.pool = pool
        self.rules = rules
        self.now = now
        self._tell = tell
        self._refused = refused
        self._noted = Strangers(time.monotonic, PER_ADDRESS)
        self._parents: dict[str, str] = {}
        self._parents_at = float("-inf")

    def who(self, token: str) -> Person | None:
        """Return the person of a session cookie, None when it has ended or never was."""
        if not tokens.is_token(token):
            return None
        now = self.now()
        with self.pool.connection() as db:
            found = sessions.find(db, tokens.digest(token), now, now - self.rules.idle)
            if found is None:
                return None
            if now - found.seen_at > TOUCH:
                db.execute(sessions.SEEN, (found.id, now))
            if found.account is None:
                return self._citizen(token, found)
            account = accounts.by_id(db, found.account)
            if account is None or not account.enabled:
                sessions.end(db, found.id)
                return None
            return self._official(db, token, found, account)

    def open(
        self,
        db: Connection[Any],
        *,
        account: UUID | None = None,
        identity: Identity | None = None,
        subject: bytes | None = None,
        stage: str = "in",
        provider: str = "",
        caller: Caller,
    ) -> str:
        """Open a session and return its cookie; what had ended is taken away."""
        now = self.now()
        sessions.sweep(db, now, now - self.rules.idle)
        if self.rules.keep:
            db.execute(accounts.FORGET_TOLD, (now - self.rules.keep,))
        token = tokens.new_token()
        longest = timedelta(minutes=CODE_MINUTES) if stage == "code" else self.rules.longest
        kept = msgspec.json.encode(identity) if identity is not None else b""
        sessions.add(
            db,
            sessions.Session(
                id=tokens.digest(token), account=account, subject=subject, provider=provider,
                stage=stage, identity=tokens.seal(token, kept) if kept else None,
                address=caller.address[:64], created_at=now, seen_at=now, ends_at=now + longest,
            ),
        )  # fmt: skip
        return token

    def renew(self, person: Person, caller: Caller, *, others: bool = False) -> str:
        """Open a session in the place of another one, after rights have changed; its cookie.

        others: end every other session of the person too.
        """
        with self.pool.connection() as db, db.transaction():
            sessions.end(db, person.session.id)
            if others:
                sessions.end_others(
                    db, account=person.session.account, subject=person.session.subject
                )
            return self.open(
                db, account=person.session.account, subject=person.session.subject,
                identity=person.identity, provider=person.session.provider, caller=caller,
            )  # fmt: skip

    def logout(self, person: Person, caller: Caller, *, everywhere: bool = False) -> None:
        """End a session, or all of the person's."""
        with self.pool.connection() as db:
            sessions.end(db, person.session.id)
            if everywhere:
                sessions.end_others(
                    db, account=person.session.account, subject=person.session.subject
                )
            self.note(
                db, "session_ended", person.principal.login, caller,
                what="everywhere" if everywhere else "",
            )  # fmt: skip

    def allow(self, person: Person, action: str, resource: roles.Resource, caller: Caller) -> None:
        """Return when the person may; else record why not and raise TrustError."""
        decision = roles.may(person.principal, action, resource)
        if not decision.allowed:
            raise self.refuse(
                "not_allowed", f"{action}: {decision.why}", person.principal.login, caller,
                kind="not_allowed",
            )  # fmt: skip

    def note(self, db: Connection[Any], kind: Kind, who: str, caller: Caller, **told: str) -> None:
        """Write a security event and send it on."""
        event = SecurityEvent(
            kind=kind, at=self.now(), who=who, address=caller.address, path=caller.path,
            correlation=caller.correlation, **told,
        )  # fmt: skip
        accounts.tell(db, event)
        self._tell(event)

    def refuse(
        self,
        reason: TrustReason,
        why: str,
        who: str,
        caller: Caller,
        *,
        kind: Kind = "login_refused",
        said: str = "",
    ) -> TrustError:
        """Record a refusal and return the error to raise, which says nothing of the why.

        said: what a person who is logged in already is told all the same.
        """
        self._refused(
            Refused(
                reason=f"{reason}: {why}", peer=who[:200], address=caller.address,
                path=caller.path[:200], correlation=caller.correlation, code="trust", told=True,
            )
        )  # fmt: skip
        if self._noted.admit(caller.address):
            with self.pool.connection() as db:
                self.note(db, kind, who[:200], caller, reason=reason)
        general = "это действие вам недоступно · you may not do that"
        return TrustError(said or (general if kind == "not_allowed" else SAID), reason)

    def _citizen(self, token: str, found: Session) -> Person | None:
        plain = tokens.unseal(token, found.identity) if found.identity else None
        if plain is None or found.subject is None:
            return None
        mark = found.subject.hex()
        principal = roles.principal(self.rules.roles, mark, f"citizen:{mark[:12]}", [roles.CITIZEN])
        return Person(
            token=token, session=found, principal=principal, identity=_DECODE.decode(plain)
        )

    def _official(
        self, db: Connection[Any], token: str, found: Session, account: Account
    ) -> Person:
        must = self._must(found, account)
        principal = roles.principal(
            self.rules.roles,
            str(account.id),
            account.login,
            () if must else account.roles,
            organisation=account.organisation,
            parents=self._directory(db),
        )
        return Person(token=token, session=found, account=account, principal=principal, must=must)

    def _must(self, found: Session, account: Account) -> Must:
        if found.stage == "code":
            return "code"
        if found.provider:
            return ""
        if account.must_change:
            return "password"
        needs = self.rules.totp_roles & set(account.roles)
        return "totp" if needs and account.totp is None else ""

    def _directory(self, db: Connection[Any]) -> dict[str, str]:
        """Return the directory of bodies, read at most every half a minute."""
        if time.monotonic() - self._parents_at > PARENTS_SECONDS:
            self._parents = accounts.parents(db)
            self._parents_at = time.monotonic()
        return self._parents
