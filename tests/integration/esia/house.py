"""A simulated ЕСИА with our system registered at it, and a browser that follows one redirect."""

from __future__ import annotations

import http.client
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from adapters.esia.adapter import Esia
from gateway import registry
from gateway.lent import Lent
from gateway.signing import Signing
from tests import gost_kit

BACK = "http://127.0.0.1:8080/cabinet/return"
MNEMONIC = "SHLYUZ"
SECRET = "выдуманный секрет +/="


class Memory:
    """What an adapter remembers, without a database."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], Any] = {}

    def add(self, kind, key, value):
        known = self.held.get((kind, key))
        self.held.setdefault((kind, key), value)
        return known

    def forget(self, kind, before):
        return 0


def now() -> datetime:
    return datetime.now(UTC)


MADE: list[Esia] = []
"""What the test made; its connections are closed after it."""


def esia(options: dict[str, Any], *, lent: Lent | None = None) -> Esia:
    MADE.append(Esia(options, lent=lent))
    return MADE[-1]


@cache
def signing() -> Signing:
    return gost_kit.opened()


def lent() -> Lent:
    return Lent(memory=Memory(), signing=signing, now=now)


def options(simulator: Any, **given: Any) -> dict[str, Any]:
    manifest = registry.load(("esia",))["esia"].manifest
    return {
        **manifest.options,
        **simulator.facts["options"],
        "client_id": MNEMONIC,
        "sign_with": "ours",
        **given,
    }


def plain(simulator: Any, **given: Any) -> dict[str, Any]:
    manifest = registry.load(("esia",))["esia"].manifest
    return {
        **manifest.options,
        **simulator.facts["oidc"],
        "client_id": MNEMONIC,
        "scope": "profile email",
        "official_scope": "organizations",
        "algorithms": ["RS256"],
        **given,
    }


def register(simulator: Any, **given: Any) -> None:
    row = {"client_id": MNEMONIC, "redirect_uris": [BACK], "secret": SECRET}
    if gost_kit.has_gost():
        row["certificate"] = gost_kit.pki().ours.cert.read_text("utf-8")
    simulator.control(register={**row, **given})


def browse(url: str, person: str = "", form: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Return status, Location and text of one answer."""
    parts = urlsplit(url)
    line = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    headers = {"X-Simulated-Person": person} if person else {}
    body = urlencode(form).encode() if form else None
    try:
        line.request("POST" if form else "GET", target, body, headers)
        answer = line.getresponse()
        return answer.status, answer.headers.get("Location", ""), answer.read().decode()
    finally:
        line.close()


def returned(url: str, person: str) -> dict[str, str]:
    """Log in as a person; return the parameters that the browser comes back with."""
    status, place, text = browse(url, person)
    assert status == 302, text
    assert place.startswith(BACK)
    return dict(parse_qsl(urlsplit(place).query))


def log_in(made: Esia, person: str, *, official: bool = False) -> Any:
    begun = made.begin(now(), redirect_uri=BACK, official=official)
    query = returned(begun.url, person)
    return made.finish(
        begun.secret, begun.state, query, now(), redirect_uri=BACK, official=official
    )
