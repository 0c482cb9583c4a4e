"""How people come in: by login and password with a code, or by an identity provider.

Every answer to whoever is not let in is the same, and so is the work: an unknown login, a wrong
password, a locked and a disabled account each cost one count of an attempt and one argon2id.
"""

from __future__ import annotations

import hmac
import os
import re
import time
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

import msgspec

from gateway.access import passwords, totp
from gateway.access import sessions as tokens
from gateway.access.strangers import Strangers
from gateway.errors import ConfigurationError, TrustError
from gateway.roles import CITIZEN
from gateway.store import accounts, sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from psycopg import Connection

    from gateway.access.people import Caller, People, Person
    from gateway.access.seals import Seals
    from gateway.errors import TrustReason
    from gateway.identity import Identity, IdentityProvider
    from gateway.store.accounts import Account, Binding

FREE: Final = 5
"""Wrong tries before a login has to pause."""
PAUSE_SECONDS: Final = 30
LONGEST_PAUSE: Final = 3_600
PER_ADDRESS: Final = 30
"""Tries a minute of one address that come to nothing."""
BEGUN_MINUTES: Final = 10
BEGUN_PER_ADDRESS: Final = 300
"""Logins at a provider a minute that one address begins and does not end: each is a row."""
LOGIN_CHARS: Final = 100
TOTP: Final = "totp"
_NOBODY: Final = UUID(int=0)
_MEMBER: Final = re.compile(r"[^:]+:[0-9a-f]{12}")
"""A login that was made for a member of an organisation: a provider, and a mark."""


class Redirect(NamedTuple):
    """Where to send a browser that logs in at a provider, and the cookie it must bring back."""

    url: str
    browser: str


class Let(NamedTuple):
    """A session that was opened, and where to go."""

    token: str
    next: str = tokens.HOME


class Logins:
    """Lets people in. providers: by name, in the order they are offered."""

    def __init__(
        self,
        people: People,
        hashing: passwords.Passwords,
        seals: Seals,
        providers: Mapping[str, IdentityProvider],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.people = people
        self.hashing = hashing
        self.seals = seals
        self.providers = providers
        self._addresses = Strangers(clock, PER_ADDRESS)
        self._begun = Strangers(clock, BEGUN_PER_ADDRESS)
        self._salt = os.urandom(32)

    def local(self, login: str, password: str, caller: Caller) -> Let:
        """Let a person in by login and password, perhaps to bring a code next; raise TrustError."""
        name = fold_login(login)
        if not self._addresses.admit(caller.address):
            raise self._no("login_locked", "too many tries from this address", "", caller)
        with self.people.pool.connection() as db:
            account = accounts.by_login(db, name)
            counted = self._attempt(db, account)
            right = self.hashing.verify(password, account.password if account else "")
            if account is None:
                raise self._no("login_refused", "no such login", self._unknown(name), caller)
            if not counted:
                raise self._no("login_locked", "locked or disabled", account.login, caller)
            if not right:
                raise self._no("login_refused", "wrong password", account.login, caller)
            if account.password_until and account.password_until <= self.people.now():
                raise self._no("login_refused", "one-time password expired", account.login, caller)
            if self.hashing.outdated(account.password):
                made = self.hashing.hash(password)
                db.execute(accounts.REHASHED, (account.id, account.password, made))
            self._addresses.proven(caller.address)
            if account.totp is not None:
                return Let(self.people.open(db, account=account.id, stage="code", caller=caller))
            return self._in(db, account, caller)

    def code(self, person: Person, given: str, caller: Caller) -> Let:
        """Let a person in by the code that follows the password; raise TrustError.

        A code counts once, also when two come at the same instant; so does a recovery code.
        """
        account: Account = person.account
        with self.people.pool.connection() as db:
            if not self._attempt(db, account):
                raise self._no("login_locked", "locked or disabled", account.login, caller)
            if not self._code_fits(db, account, given):
                raise self._no("login_refused", "wrong or used code", account.login, caller)
            sessions.end(db, person.session.id)
            return self._in(db, account, caller)

    def change_password(self, person: Person, old: str, new: str, caller: Caller) -> Let:
        """Change a password; ends the person's other sessions. Raise TrustError, ValidationError.

        The old one is asked for again, counted as a login is.
        """
        account: Account = person.account
        passwords.require_good(new, account.login)
        with self.people.pool.connection() as db:
            counted = self._attempt(db, account)
            if not (self.hashing.verify(old, account.password) and counted) or old == new:
                raise self._no("login_refused", "password not changed", account.login, caller)
            made = self.hashing.hash(new)
            db.execute(accounts.SET_PASSWORD, (account.id, made, False, None))
            self.people.note(
                db, "access_changed", account.login, caller, what=account.login, reason="password"
            )
        return Let(self.people.renew(person, caller, others=True))

    def enrol(
        self, person: Person, secret: bytes, given: str, password: str, caller: Caller
    ) -> tuple[Let, list[str]]:
        """Enrol a second factor with a first code of it; return its recovery codes, once.

        The password is asked for again, counted as a login is: a session that was left open, or
        stolen, must not become an owner's (OWASP ASVS 5.0, 7.5.1).
        """
        account: Account = person.account
        with self.people.pool.connection() as db:
            counted = self._attempt(db, account)
            right = self.hashing.verify(password, account.password) and counted
            if right:
                db.execute(accounts.UNLOCK, (account.id,))
        if not right:
            raise self.people.refuse(
                "login_refused", "second factor: wrong password", account.login, caller,
                said="пароль не подошёл · the password does not fit",
            )  # fmt: skip
        step = totp.matching_step(secret, given, self.people.now())
        if not step:
            raise self.people.refuse(
                "login_refused", "first code is wrong", account.login, caller,
                said="код не подошёл, сверьте часы · the code does not fit: check the clock",
            )  # fmt: skip
        codes, digests = totp.recovery_codes()
        sealed = self.seals.seal(secret, TOTP, str(account.id))
        with self.people.pool.connection() as db:
            db.execute(accounts.ENROL, (account.id, sealed, step, digests))
            self.people.note(
                db, "access_changed", account.login, caller, what=account.login, reason="totp"
            )
        return Let(self.people.renew(person, caller, others=True)), codes

    def begin(
        self, provider: str, redirect_uri: str, onward: str, caller: Caller, *, official: bool
    ) -> Redirect:
        """Begin a login at a provider; raise ConfigurationError where people cannot be known."""
        if not self._begun.admit(caller.address):
            raise self._no("login_locked", "too many logins begun", "", caller)
        self.seals.marks("")
        now = self.people.now()
        begun = self.providers[provider].begin(now, redirect_uri=redirect_uri, official=official)
        browser = tokens.new_token()
        expires = min(begun.expires_at, now + timedelta(minutes=BEGUN_MINUTES))
        secret = tokens.seal(browser, msgspec.json.encode(dict(begun.secret)))
        with self.people.pool.connection() as db:
            db.execute(sessions.SWEEP_STATES, (now,))
            db.execute(
                sessions.BEGIN,
                (
                    sha256(begun.state.encode()).digest(), tokens.digest(browser), provider,
                    secret, official, tokens.local(onward), expires,
                ),
            )  # fmt: skip
        return Redirect(begun.url, browser)

    def finish(
        self,
        provider: str,
        query: Mapping[str, str],
        browser: str,
        redirect_uri: str,
        caller: Caller,
    ) -> Let:
        """Let in who comes back from a provider; raise TrustError or DeliveryError.

        The state serves once, in the browser that began, within ten minutes.
        """
        state = query.get("state", "")
        with self.people.pool.connection() as db:
            begun = sessions.take(db, sha256(state.encode("utf-8", "replace")).digest())
        now = self.people.now()
        if begun is None or begun.provider != provider:
            raise self._no("state_mismatch", "no such state, or it was used", "", caller)
        if begun.browser != tokens.digest(browser) or begun.expires_at <= now:
            raise self._no("state_mismatch", "another browser, or too late", "", caller)
        plain = tokens.unseal(browser, begun.secret)
        secret = msgspec.json.decode(plain or b"{}", type=dict[str, str])
        try:
            found = self.providers[provider].finish(
                secret, state, query, now, redirect_uri=redirect_uri, official=begun.official
            )
        except TrustError as error:
            raise self._no(error.reason, error.message, "", caller) from error
        self._begun.proven(caller.address)
        marks = self.seals.marks(f"{provider}\0{found.subject}")
        with self.people.pool.connection() as db:
            if begun.official:
                return self._bound(db, found, marks, begun.next, caller)
            db.execute(sessions.REMARK, (marks[0], list(marks)))
            token = self.people.open(
                db, identity=found, subject=marks[0], provider=provider, caller=caller
            )
            who = f"{CITIZEN}:{marks[0].hex()[:12]}"
            self.people.note(db, "login_ok", who, caller, reason=provider)
        return Let(token, begun.next)

    def _bound(
        self,
        db: Connection[Any],
        found: Identity,
        marks: tuple[bytes, ...],
        onward: str,
        caller: Caller,
    ) -> Let:
        """Let in an official whose identity is bound to an account, or whose organisation is."""
        who = f"{found.provider}:{marks[0].hex()[:12]}"
        account = accounts.by_subject(db, marks)
        if account is None or _MEMBER.fullmatch(account.login):
            account = self._by_membership(db, found, marks[0], who, account)
        if account is None:
            raise self._no("identity_refused", f"bound to no account{_of(found)}", who, caller)
        if not account.enabled:
            raise self._no("login_locked", "disabled", account.login, caller)
        if account.subject != marks[0]:
            db.execute(accounts.BIND, (account.id, marks[0], found.provider))
        return self._in(db, account, caller, found.provider)._replace(next=onward)

    def _by_membership(
        self, db: Connection[Any], found: Identity, mark: bytes, who: str, known: Account | None
    ) -> Account | None:
        """Return the account of who belongs to an organisation that is let in; made when missing.

        Asked at each login, so that who has left the organisation has lost its rights.
        """
        fitting = [one for one in accounts.bindings(db) if _fits(one, found)]
        bodies = {one.organisation for one in fitting}
        if len(bodies) != 1:
            return None
        granted = sorted({role for one in fitting for role in one.roles})
        organisation = bodies.pop()
        if known is None:
            accounts.add(
                db, who, self.people.now(), organisation=organisation, roles=granted,
                subject=mark, provider=found.provider,
            )  # fmt: skip
        else:
            db.execute(accounts.GRANT, (known.id, granted, organisation))
        return accounts.by_login(db, known.login if known else who)

    def _in(self, db: Connection[Any], account: Account, caller: Caller, provider: str = "") -> Let:
        db.execute(accounts.SUCCEEDED, (account.id, self.people.now()))
        token = self.people.open(db, account=account.id, provider=provider, caller=caller)
        self.people.note(db, "login_ok", account.login, caller, reason=provider or "local")
        return Let(token)

    def _attempt(self, db: Connection[Any], account: Account | None) -> bool:
        """Count a try; say whether it may be looked at."""
        values = (
            account.id if account else _NOBODY, self.people.now(), FREE, PAUSE_SECONDS,
            LONGEST_PAUSE,
        )  # fmt: skip
        return db.execute(accounts.ATTEMPT, values).fetchone() is not None

    def _code_fits(self, db: Connection[Any], account: Account, given: str) -> bool:
        secret = self.seals.open(bytes(account.totp or b""), TOTP, str(account.id))
        if secret is None:
            raise ConfigurationError(
                "секрет второго фактора не открыть · no key opens the second factor",
                where="seal_key",
                todo="`gateway access reset LOGIN --totp`",
            )
        step = totp.matching_step(secret, given, self.people.now())
        if step:
            return db.execute(accounts.USE_STEP, (account.id, step)).fetchone() is not None
        spent = (account.id, totp.recovery_digest(given))
        return db.execute(accounts.USE_RECOVERY, spent).fetchone() is not None

    def _unknown(self, login: str) -> str:
        """Name a login that is nobody's without its text: people type passwords there.

        Keyed, because a plain digest of a password is guessed from the record. Without a key of
        the house only one process knows the same text again.
        """
        said = f"login\0{login}"
        if self.seals.ready:
            return f"unknown:{self.seals.marks(said)[0].hex()[:12]}"
        return f"unknown:{hmac.digest(self._salt, said.encode(), sha256).hex()[:12]}"

    def _no(self, reason: TrustReason, why: str, who: str, caller: Caller) -> TrustError:
        locked = reason == "login_locked"
        return self.people.refuse(
            reason, why, who, caller, kind="login_locked" if locked else "login_refused"
        )


def fold_login(login: str) -> str:
    """Return a login in its one spelling."""
    return login.strip().lower()[:LOGIN_CHARS].replace("\0", "")


def _fits(one: Binding, found: Identity) -> bool:
    """Whether a binding lets somebody in; a word of the provider's is the same in any case."""
    wanted = one.role.casefold()
    return one.provider == found.provider and any(
        member.oid == one.external
        and (wanted == "*" or wanted in (role.casefold() for role in member.roles))
        for member in found.memberships
    )


def _of(found: Identity) -> str:
    """Return which organisations somebody is of, as `gateway access bind` wants them."""
    bodies = [f"{one.oid} ({', '.join(one.roles) or '-'})" for one in found.memberships[:5]]
    return f"; at {found.provider}: {'; '.join(bodies)}" if bodies else ""
