"""Answers of the cabinet: pages, redirects, JSON, files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from gateway.access import sessions as tokens
from gateway.cabinet.html import SAFE
from gateway.rest.problems import MEDIA, document

if TYPE_CHECKING:
    from gateway.cabinet.request import Request
    from gateway.errors import GatewayError

HTML: Final = "text/html; charset=utf-8"
JSON: Final = "application/json"
SEE_OTHER: Final = 303


class Answer(NamedTuple):
    """What to answer. headers: besides those of every answer."""

    status: int
    body: bytes
    media: str = HTML
    headers: tuple[tuple[str, str], ...] = ()

    def with_cookie(self, name: str, value: str, secure: bool) -> Answer:  # noqa: FBT001
        """Return the answer with a cookie; an empty value takes it away."""
        line = tokens.cookie(name, value, secure=secure)
        return self._replace(headers=(*self.headers, ("set-cookie", line)))


def page(body: bytes, status: int = 200) -> Answer:
    """Return a page."""
    return Answer(status, body)


def moved(where: str) -> Answer:
    """Return a redirect, which a browser follows by GET."""
    return Answer(SEE_OTHER, b"", headers=(("location", where),))


def left(body: bytes, where: str) -> Answer:
    """Return a page that a browser leaves at once for another house.

    A redirect will not do: after a form, `form-action` of our policy (CSP 3, §6.4.1) holds for
    where the answer redirects to as well.
    """
    return Answer(200, body, headers=(("refresh", f"0; url={where}"),))


def told(value: Any, status: int = 200) -> Answer:
    """Return JSON."""
    return Answer(status, msgspec.json.encode(value), JSON)


def data(error: GatewayError, status: int, correlation: str) -> Answer:
    """Return a refusal for a program (RFC 9457)."""
    return Answer(status, msgspec.json.encode(document(error, status, correlation)), MEDIA)


async def send_answer(send: Any, answer: Answer, request: Request) -> None:
    """Send an answer with what every answer of the cabinet has."""
    named = [
        ("content-type", answer.media),
        ("content-length", str(len(answer.body))),
        ("correlation-id", request.caller.correlation),
        *SAFE.items(),
        *answer.headers,
    ]
    if request.secure:
        named.append(("strict-transport-security", "max-age=31536000"))
    lines = [(name.encode(), value.encode("latin-1", "replace")) for name, value in named]
    await send({"type": "http.response.start", "status": answer.status, "headers": lines})
    bare = request.scope["method"] == "HEAD"
    await send({"type": "http.response.body", "body": b"" if bare else answer.body})
