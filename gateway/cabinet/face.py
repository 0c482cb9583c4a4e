"""The face of the cabinet: an ASGI application for `/login`, `/logout`, `/my/`, `/api/v1/my`.

Every change comes by POST with the token of its browser; a page that needs a person sends whoever
is none to log in. What blocks runs in threads: passwords in a pool of their own, so that no
machine's call waits behind them.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import structlog

from gateway import limits
from gateway.access import sessions as tokens
from gateway.access.passwords import Pool
from gateway.cabinet import pages
from gateway.cabinet.answers import Answer, data, left, moved, page, send_answer
from gateway.cabinet.official import Official
from gateway.cabinet.request import FORM_BYTES, base_of, form_of, read, request_of, require_own
from gateway.errors import (
    AccessError,
    BusyError,
    GatewayError,
    TrustError,
    UnknownOperationError,
)
from gateway.rest.problems import status_of
from gateway.wires.edge import Gone
from gateway.wires.service import unexpected

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.access.logins import Let, Logins
    from gateway.access.people import People, Person
    from gateway.cabinet.mine import Mine
    from gateway.cabinet.request import Form, Request
    from gateway.settings import Settings
    from gateway.wires.edge import Edge

log = structlog.get_logger(__name__)

API: Final = "/api/v1/my"
PROVIDER_WORKERS: Final = 4
PROVIDER_WAITING: Final = 64
"""Threads for calls to providers of identity: one that is slow keeps nobody else waiting. With
those for passwords they are fewer than the connections of the store: each may need two."""
STYLE: Final = (Path(__file__).parent / "static" / "cabinet.css").read_bytes()


class Cabinet:
    """Answers browsers of people. people, logins: who they are; mine: a citizen's appeals."""

    def __init__(
        self, edge: Edge, settings: Settings, people: People, logins: Logins, mine: Mine
    ) -> None:
        self._edge = edge
        self._settings = settings
        self._people = people
        self._logins = logins
        self._mine = mine
        self._passwords = Pool()
        self._identity = Pool(PROVIDER_WORKERS, PROVIDER_WAITING)
        self._official = Official(people, logins, settings, self._passwords)
        self._routes: dict[tuple[str, str], Callable[[Request, Person], Awaitable[Answer]]] = {
            ("GET", "/my/"): self._home,
            ("GET", "/my/new"): mine.new,
            ("GET", "/my/password"): self._official.password_page,
            ("GET", "/my/totp"): self._official.totp_page,
            ("GET", API): mine.api,
            ("GET", f"{API}/appeals"): mine.api_list,
        }
        self._posts: dict[str, Callable[[Request, Person, Form], Awaitable[Answer]]] = {
            "/logout": self._logout,
            "/login/code": self._official.code,
            "/my/password": self._official.password,
            "/my/totp": self._official.totp,
            "/my/appeals": mine.submit,
        }

    def close(self) -> None:
        """Let the threads go."""
        self._passwords.close()
        self._identity.close()

    @staticmethod
    def owns(path: str) -> bool:
        """Whether a path is the cabinet's."""
        return path in ("/my", "/login", "/logout", API) or path.startswith(
            ("/my/", "/login/", f"{API}/")
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        request = request_of(scope, self._settings)
        code, person = "", None
        try:
            self._require_wire(request)
            person = await self._who(request)
            answer = await self._answer(request, person, receive)
        except Gone:
            return
        except GatewayError as error:
            code, answer = error.code, self._refused(error, request, person)
        except Exception as error:
            log.exception("cabinet.defect", correlation=request.caller.correlation)
            found = unexpected(error)
            code, answer = found.code, self._refused(found, request, person)
        if self._edge.metrics is not None:
            self._edge.metrics.call("cabinet", request.method, code)
        await send_answer(send, answer, request)

    def _require_wire(self, request: Request) -> None:
        """Refuse plain HTTP from beyond loopback: a password would be read on its way."""
        if not self._edge.secure(request.scope):
            error = AccessError("нужен https · https is needed")
            why, correlation = "plain HTTP beyond loopback", request.caller.correlation
            self._edge.refused(error, why, request.scope, correlation)
            raise error

    async def _who(self, request: Request) -> Person | None:
        token = request.cookie(tokens.COOKIE)
        return await asyncio.to_thread(self._people.who, token) if token else None

    async def _answer(self, request: Request, person: Person | None, receive: Any) -> Answer:
        if request.method == "GET":
            return await self._get(request, person)
        if request.method != "POST":
            raise UnknownOperationError("нет такой страницы · no such page")
        room = self._edge.room
        if person is None:
            body_held = room.strangers.body(request.caller.address)
        else:
            body_held = room.body(f"person {person.principal.id}")
        with body_held as held:
            large = person is not None and person.citizen
            most = limits.REST_BODY_BYTES if large else FORM_BYTES
            body = await read(receive, request, held, most)
            return await self._post(request, person, body)

    async def _get(self, request: Request, person: Person | None) -> Answer:
        path = request.path
        if path == "/my/cabinet.css":
            return Answer(200, STYLE, "text/css; charset=utf-8")
        if path == "/my":
            return moved("/my/")
        if path == "/login":
            return moved("/my/") if person and not person.must else self._login_page(request)
        if path == "/login/code":
            return page(pages.code(person)) if person and person.must == "code" else moved("/login")
        if path.startswith("/login/"):
            return await self._provider(request, person)
        known = self._require_person(request, person)
        handler = self._routes.get(("GET", path)) or self._mine.below(path)
        if handler is None:
            raise UnknownOperationError("нет такой страницы · no such page")
        return self._sent_on(known, path) or await handler(request, known)

    async def _post(self, request: Request, person: Person | None, body: bytes) -> Answer:
        path, media = request.path, request.headers.get("content-type", "")
        if path == f"{API}/appeals":
            known = self._require_person(request, person)
            shown = request.headers.get("x-csrf-token", "")
            require_own(request, self._settings, known.token, shown)
            return self._sent_on(known, path) or await self._mine.api_submit(request, known, body)
        form = form_of(media, body)
        if path == "/login/local":
            browser = request.cookie(tokens.BROWSER)
            require_own(request, self._settings, browser, form.get("token"))
            return await self._local(request, person, form)
        handler = self._posts.get(path)
        if handler is None:
            raise UnknownOperationError("нет такой страницы · no such page")
        known = self._require_person(request, person)
        require_own(request, self._settings, known.token, form.get("token"))
        if path == "/logout" or (path == "/login/code" and known.must == "code"):
            return await handler(request, known, form)
        return self._sent_on(known, path) or await handler(request, known, form)

    def _require_person(self, request: Request, person: Person | None) -> Person:
        if person is None:
            raise TrustError(
                "войдите снова · log in again", "session_ended", challenge=True, where=request.path
            )
        return person

    @staticmethod
    def _sent_on(person: Person, path: str) -> Answer | None:
        """Return where a person must go first, None when nowhere."""
        where = {"code": "/login/code", "password": "/my/password", "totp": "/my/totp"}
        needed = where.get(person.must)
        return moved(needed) if needed and needed != path else None

    def _login_page(self, request: Request, error: GatewayError | None = None) -> Answer:
        browser = request.cookie(tokens.BROWSER) or tokens.new_token()
        onward = self._onward(request)
        shown = page(
            pages.login(browser, tuple(self._logins.providers), onward, error),
            status=status_of(error) if error else 200,
        )
        return shown.with_cookie(tokens.BROWSER, browser, request.secure)

    def _onward(self, request: Request) -> str:
        """Return the page of ours to go to after a login; what leads elsewhere is recorded."""
        asked = request.query.get("next", "")
        onward = tokens.local(asked)
        if asked and asked != onward:
            error = TrustError("elsewhere", "redirect_refused")
            told = f"{error.reason}: next"
            self._edge.refused(error, told, request.scope, request.caller.correlation)
        return onward

    async def _local(self, request: Request, person: Person | None, form: Form) -> Answer:
        """Log in by password; a session that the browser had before ends, whoever's it was."""
        try:
            let: Let = await asyncio.wrap_future(
                self._passwords.submit(
                    self._logins.local, form.get("login"), form.get("password"), request.caller
                )
            )
        except TrustError as error:
            return self._login_page(request, error)
        if person is not None:
            await asyncio.to_thread(self._people.logout, person, request.caller)
        return moved(let.next).with_cookie(tokens.COOKIE, let.token, request.secure)

    async def _provider(self, request: Request, person: Person | None) -> Answer:
        """Begin a login at a provider or end it; a session that the browser had before ends."""
        name, _, rest = request.path.removeprefix("/login/").partition("/")
        if name not in self._logins.providers or rest not in ("", "return"):
            raise UnknownOperationError("нет такой страницы · no such page")
        base = base_of(request, self._settings)
        if not base:
            raise TrustError(
                "этот адрес не наш · this host is not ours", "redirect_refused", where=name
            )
        way_back = f"{base}/login/{name}/return"
        if rest == "return":
            browser = request.cookie(tokens.BROWSER)
            try:
                let = await asyncio.wrap_future(
                    self._identity.submit(
                        self._logins.finish, name, request.query, browser, way_back, request.caller
                    )
                )
            except TrustError as error:
                return self._login_page(request, error)
            if person is not None:
                await asyncio.to_thread(self._people.logout, person, request.caller)
            found = moved(let.next).with_cookie(tokens.COOKIE, let.token, request.secure)
            return found.with_cookie(tokens.BROWSER, "", request.secure)
        onward = self._onward(request)
        official = request.query.get("official", "") == "1"
        begin = partial(self._logins.begin, official=official)
        begun = await asyncio.wrap_future(
            self._identity.submit(begin, name, way_back, onward, request.caller)
        )
        return moved(begun.url).with_cookie(tokens.BROWSER, begun.browser, request.secure)

    async def _home(self, request: Request, person: Person) -> Answer:
        shown = self._mine.home if person.citizen else self._official.home
        return await shown(request, person)

    async def _logout(self, request: Request, person: Person, form: Form) -> Answer:
        """End the session, here and at the provider where it has a page for that."""
        everywhere = form.get("everywhere") == "1"
        await asyncio.to_thread(
            lambda: self._people.logout(person, request.caller, everywhere=everywhere)
        )
        where, provider = "/login", self._logins.providers.get(person.session.provider)
        if provider is not None and (base := base_of(request, self._settings)):
            known = person.identity.session if person.identity else ""
            with suppress(BusyError):
                where = (
                    await asyncio.wrap_future(
                        self._identity.submit(provider.logout_url, known, f"{base}/login")
                    )
                    or where
                )
        gone = moved(where) if where == "/login" else left(pages.leaving(where), where)
        return gone.with_cookie(tokens.COOKIE, "", request.secure)

    def _refused(self, error: GatewayError, request: Request, person: Person | None) -> Answer:
        """Return the answer to what was refused: to a program a problem, to a person a page.

        What names where it was refused was refused here, and is not recorded yet.
        """
        status, correlation = status_of(error), request.caller.correlation
        ended = isinstance(error, TrustError) and error.reason == "session_ended"
        if isinstance(error, TrustError) and error.where and not ended:
            who = person.principal.login if person else ""
            told = f"{error.reason}: {error.where}"
            self._edge.refused(error, told, request.scope, correlation, who)
        if error.who == "operator":
            log.error("cabinet.unable", error=str(error), correlation=correlation)
        if request.path.startswith(API):
            return data(error, status, correlation)
        if ended:
            onward = tokens.local(request.path) if request.method == "GET" else tokens.HOME
            return moved(f"/login?next={onward}")
        found = page(pages.failed(error, correlation, person), status=status)
        if isinstance(error, BusyError):
            return found._replace(headers=(*found.headers, ("retry-after", str(error.retry_after))))
        return found
