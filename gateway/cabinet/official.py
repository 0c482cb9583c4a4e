"""What an official does with the own account: password, second factor, sessions."""

from __future__ import annotations

import asyncio
import base64
import binascii
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from gateway.access import sessions as tokens
from gateway.access import totp
from gateway.cabinet import pages
from gateway.cabinet.answers import Answer, moved, page
from gateway.errors import GatewayError, TrustError, ValidationError, Violation
from gateway.rest.problems import status_of
from gateway.store import sessions

if TYPE_CHECKING:
    from gateway.access.logins import Logins
    from gateway.access.passwords import Pool
    from gateway.access.people import People, Person
    from gateway.cabinet.request import Form, Request
    from gateway.settings import Settings

ISSUER = "Appeals Gateway"


class Official:
    """Pages of people who have an account."""

    def __init__(self, people: People, logins: Logins, settings: Settings, pool: Pool) -> None:
        self._people = people
        self._logins = logins
        self._zone = ZoneInfo(settings.zone)
        self._pool = pool

    async def home(self, _request: Request, person: Person) -> Answer:
        """Show who it is, with the roles and sessions."""
        held = self._people.rules.roles
        titles = [held[name].title if name in held else name for name in person.principal.roles]
        found = await asyncio.to_thread(self._sessions, person)
        return page(pages.official(person, titles, found, self._zone))

    def _sessions(self, person: Person) -> list[sessions.Session]:
        with self._people.pool.connection() as db:
            return sessions.of_person(
                db, self._people.now(), account=person.account.id, subject=None
            )

    async def code(self, request: Request, person: Person, form: Form) -> Answer:
        """Take the code that follows a password."""
        if person.must != "code":
            return moved("/my/")
        try:
            let = await asyncio.wrap_future(
                self._pool.submit(self._logins.code, person, form.get("code"), request.caller)
            )
        except TrustError as error:
            return page(pages.code(person, error), status_of(error))
        return moved(let.next).with_cookie(tokens.COOKIE, let.token, request.secure)

    async def password_page(self, _request: Request, person: Person) -> Answer:
        """Show the form of a new password."""
        self._require_local(person)
        return page(pages.password(person))

    async def password(self, request: Request, person: Person, form: Form) -> Answer:
        """Change the password."""
        self._require_local(person)
        try:
            if form.get("new") != form.get("again"):
                message = "новый пароль введён по-разному · the new ones differ"
                raise ValidationError(message, (Violation("again", "differs", message),))
            let = await asyncio.wrap_future(
                self._pool.submit(
                    self._logins.change_password, person, form.get("old"), form.get("new"),
                    request.caller,
                )
            )  # fmt: skip
        except (TrustError, ValidationError) as error:
            return page(pages.password(person, error), status_of(error))
        return moved(let.next).with_cookie(tokens.COOKIE, let.token, request.secure)

    async def totp_page(self, _request: Request, person: Person) -> Answer:
        """Show a new secret; it is kept by nobody but the form until a code of it came."""
        self._require_local(person)
        return self._enrolment(person, totp.new_secret())

    async def totp(self, request: Request, person: Person, form: Form) -> Answer:
        """Enrol the second factor."""
        self._require_local(person)
        try:
            sealed = base64.urlsafe_b64decode(form.get("secret"))
        except (binascii.Error, ValueError):
            sealed = b""
        secret = tokens.unseal(person.token, sealed)
        if not secret or len(secret) != totp.SECRET_BYTES:
            return moved("/my/totp")
        try:
            let, codes = await asyncio.wrap_future(
                self._pool.submit(
                    self._logins.enrol, person, secret, form.get("code"), form.get("password"),
                    request.caller,
                )
            )  # fmt: skip
        except TrustError as error:
            return self._enrolment(person, secret, error)
        known = await asyncio.to_thread(self._people.who, let.token)
        assert known is not None
        shown = page(pages.enrolled(known, codes))
        return shown.with_cookie(tokens.COOKIE, let.token, request.secure)

    def _enrolment(
        self, person: Person, secret: bytes, error: GatewayError | None = None
    ) -> Answer:
        sealed = base64.urlsafe_b64encode(tokens.seal(person.token, secret)).decode()
        uri = totp.uri(secret, person.account.login, ISSUER)
        shown = pages.enrol(person, totp.spelled(secret), uri, sealed, error)
        return page(shown, status_of(error) if error else 200)

    @staticmethod
    def _require_local(person: Person) -> None:
        """Raise TrustError for who has no password here: a citizen, or an official of ЕСИА."""
        if person.citizen or person.session.provider or not person.account.password:
            raise TrustError(
                "это действие вам недоступно · you may not do that",
                "not_allowed",
                where="a page of local accounts",
            )
