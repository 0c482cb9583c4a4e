"""People in the story: citizens who log in by the simulated ЕСИА, an official, and a thief.

A small browser per person, as far as the pages need one: it follows redirects and keeps cookies.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import re
from html import unescape
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from simulators.channels import crew
from simulators.demo.stage import Failed, until
from simulators.demo.tell import Step
from simulators.smev.keys import Workshop

if TYPE_CHECKING:
    from simulators.demo.stage import Stage
    from simulators.demo.tell import Teller
    from simulators.process import Running

CLIENT: Final = "SHLYUZ"
"""Mnemonic of our system at ЕСИА."""
CITIZENS: Final = 3
OFFICIAL: Final = "vydumanov"
BODY: Final = "gzhi"
ROLE: Final = "registrar"
WAIT_SECONDS: Final = 30.0
TEXT: Final = "Во дворе третью неделю не горит фонарь, прошу починить."
_REDIRECTS: Final = (302, 303)
_OK: Final = 200
_HOPS: Final = 8


def raise_provider(stage: Stage, seed: int) -> Running | None:
    """Start the simulated ЕСИА; None where nothing on this machine signs by ГОСТ."""
    if not crew.is_here(crew.GOST):
        return None
    return stage.simulator("esia", "--seed", str(seed))


def settings(provider: Running | None, secret: str) -> dict[str, Any]:
    """Return what the gateway's settings say of logins. secret: 32 bytes in hexadecimal digits."""
    if provider is None:
        return {}
    return {"login_providers": ["esia"], "seal_key": secret}


def options(provider: Running | None) -> dict[str, dict[str, Any]]:
    """Return the options of the adapter that people log in by."""
    if provider is None:
        return {}
    told = {**provider.facts["options"], "client_id": CLIENT, "sign_with": crew.SYSTEM.lower()}
    return {"esia": told}


def tell(stage: Stage, teller: Teller, provider: Running | None, number: int) -> None:
    """Let citizens submit and follow, and an official in; `number` of the step."""
    if provider is None:
        teller.say(f"ЕСИА: нет {crew.GOST}, пропущено", "left out")
        return
    _register(stage, provider)
    people = provider.control(people=True)["people"]
    citizens = [one for one in people if not one.get("memberships")][:CITIZENS]
    stage.command("peer", "add", "cabinet", "--no-key", "--name", "Кабинет заявителя")
    seen = sum(_submits_and_follows(stage, one["oid"]) for one in citizens)
    teller.step(Step(
        number, "граждане вошли через ЕСИА, подали обращения и видят их номера",
        "citizens logged in by ЕСИА, submitted and see their numbers", len(citizens), seen,
    ))  # fmt: skip
    _official(stage, teller, people[-1]["oid"])
    _thief(stage, teller, citizens[0]["oid"])


def _register(stage: Stage, provider: Running) -> None:
    """Let ЕСИА know our system: its certificate, and where people come back to."""
    made = Workshop(stage.path(crew.KEYS)).issue(crew.SYSTEM.lower(), crew.SYSTEM)
    provider.control(
        register={
            "client_id": CLIENT,
            "redirect_uris": [f"{stage.address}/login/esia/return", f"{stage.address}/login"],
            "certificate": made.cert.read_text("utf-8"),
        }
    )


def _submits_and_follows(stage: Stage, oid: str) -> bool:
    """Log in, submit, and wait until the own list shows a number of registration."""
    browser = Browser(stage.address, oid)
    status, page = browser.get("/login/esia?next=/my/new")
    if status != _OK:
        raise Failed(f"вход через ЕСИА: {status} {page[:300]}")
    key, told = _hidden(page, "key"), [page]

    def taken() -> bool:
        # The running gateway reads the rows of peers every two seconds: until it knows that of the
        # cabinet it refuses. The same key is the same appeal, however often it is sent.
        status, shown = browser.send(page, "/my/appeals", key=key, text=TEXT)
        told.append(f"{status} {shown[-600:]}")
        return status == _OK

    try:
        until(WAIT_SECONDS, taken, "обращение из кабинета принято")
    except Failed as error:
        raise Failed(f"обращение не принято · not taken: {told[-1]}") from error

    def numbered() -> bool:
        _, listed = browser.get("/api/v1/my/appeals")
        for one in json.loads(listed)["items"]:
            _, told = browser.get(f"/api/v1/my/appeals/{one['id']}")
            if json.loads(told)["appeal"].get("registrations"):
                return True
        return False

    return bool(until(WAIT_SECONDS, numbered, "номер в кабинете заявителя"))


def _official(stage: Stage, teller: Teller, oid: str) -> None:
    """An official whose ЕСИА account is bound to his body and role; then he is shut out."""
    stage.command(
        "access", "add", OFFICIAL, "--role", ROLE, "--organisation", BODY, "--provider", "esia",
        "--oid", oid,
    )  # fmt: skip
    browser = Browser(stage.address, oid)
    status, page = browser.get("/login/esia?official=1&next=/my/")
    if status != _OK or "Регистратор" not in page:
        teller.fault(f"сотрудник не вошёл · the official is not in: {status}")
    stage.command("access", "disable", OFFICIAL, "--commit", told=False)
    _, page = browser.get("/my/")
    if "Регистратор" in page:
        teller.fault("отключённый сотрудник остался внутри · a disabled official is still in")
    teller.note(f"сотрудник с ролью {ROLE} в {BODY} вошёл; отключён — вышел сразу · in, shut out")


def _thief(stage: Stage, teller: Teller, oid: str) -> None:
    """Somebody takes the return of a login to a browser of his own; nobody is let in."""
    victim, thief = Browser(stage.address, oid), Browser(stage.address, oid)
    place = victim.until("/login/esia?next=/my/", "/login/esia/return")
    query = dict(parse_qsl(urlsplit(place).query))
    status, _ = thief.get(f"/login/esia/return?{urlencode(query)}")
    if status == _OK and thief.cookies:
        teller.fault("чужой вход удался · a stolen login worked")
    refused = stage.command("refusals", "--limit", "20")
    reasons = {str(one["reason"]) for one in refused}
    if not any("state_mismatch" in reason for reason in reasons):
        teller.fault(f"отказ не записан · the refusal is not recorded: {sorted(reasons)}")
    teller.note("чужое возвращение от ЕСИА отвергнуто и записано · a stolen return is refused")


class Browser:
    """A browser of one person. person: whom ЕСИА lets in without its form."""

    def __init__(self, address: str, person: str) -> None:
        self.address = address
        self.person = person
        self.cookies: dict[str, str] = {}

    def get(self, url: str) -> tuple[int, str]:
        """Return status and text at the end of all redirects."""
        for _ in range(_HOPS):
            status, place, text = self._ask("GET", url)
            if status not in _REDIRECTS:
                return status, text
            url = place
        raise Failed(f"переходы без конца · endless redirects: {url}")

    def until(self, url: str, path: str) -> str:
        """Return the first redirect to a path of ours, without following it."""
        for _ in range(_HOPS):
            status, place, text = self._ask("GET", url)
            if status not in _REDIRECTS:
                raise Failed(f"{url}: {status} {text[:200]}")
            if urlsplit(place).path == path:
                return place
            url = place
        raise Failed(f"переходы без конца · endless redirects: {url}")

    def send(self, page: str, path: str, **fields: str) -> tuple[int, str]:
        """Send the form of a page."""
        fields["token"] = _hidden(page, "token")
        status, place, text = self._ask("POST", path, fields)
        return self.get(place) if status in _REDIRECTS else (status, text)

    def _ask(
        self, method: str, url: str, fields: dict[str, str] | None = None
    ) -> tuple[int, str, str]:
        url = url if "://" in url else self.address + url
        parts, ours = urlsplit(url), url.startswith(self.address)
        headers = {"Origin": self.address} if ours else {"X-Simulated-Person": self.person}
        if ours and self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={v}" for name, v in self.cookies.items())
        if fields is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        with contextlib.closing(line):
            line.request(method, path, urlencode(fields) if fields is not None else None, headers)
            answer = line.getresponse()
            text = answer.read().decode()
            for told in answer.headers.get_all("Set-Cookie") or ():
                name, _, value = told.partition(";")[0].partition("=")
                self.cookies[name] = value
        return answer.status, answer.headers.get("Location", ""), text


def _hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    if found is None:
        raise Failed(f"на странице нет поля {name} · no such field: {page[:300]}")
    return unescape(found[1])
