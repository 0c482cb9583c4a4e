"""What a person sees with a browser: the front page, the state, and the REST description.

Nothing is fetched from elsewhere and no script stands in a page, so the policy allows our own
files only. Swagger UI is vendored under `static/vendor` (docs/howto/rest.md says how to renew it).
"""

from __future__ import annotations

from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from litestar import Request, Response, get

from gateway import __version__
from gateway.errors import UnknownOperationError
from gateway.rest import docs
from gateway.rest.decode import media_of
from gateway.rest.problems import problem
from gateway.wires.edge import correlation_of, headers_of

if TYPE_CHECKING:
    from collections.abc import Callable

STATIC: Final = Path(__file__).parent / "static"
HTML: Final = "text/html"
MEDIA: Final = {
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
}
"""Litestar adds the charset to a type of text."""
SAFE: Final = {
    "content-security-policy": "default-src 'self'; img-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
"""Swagger UI sets styles from its script, hence 'unsafe-inline' for styles, and for them alone."""


def handlers(ready: Callable[[], tuple[bool, str]]) -> list[Any]:
    """Return the handlers; ready: whether a submission would be taken now, and why not."""

    @get("/", sync_to_thread=False)
    def front() -> Response[str]:
        return _html(_page("index.html"))

    @get("/status", sync_to_thread=True)
    def status() -> Response[str]:
        good, detail = ready()
        says, css = (
            ("Шлюз принимает обращения", "good") if good else ("Шлюз временно не принимает", "bad")
        )
        page = _page("status.html").replace("{says}", says).replace("{css}", css)
        answer = _html(page.replace("{detail}", escape("" if good else detail)))
        answer.status_code = 200 if good else 503
        return answer

    @get("/docs", sync_to_thread=False)
    def description() -> Response[str]:
        return _html(_page("docs.html"))

    @get("/openapi.json", sync_to_thread=False)
    def openapi() -> Response[bytes]:
        return Response(_openapi(), media_type="application/json", headers={"vary": "accept"})

    @get("/static/{name:path}", sync_to_thread=False)
    def static(name: str, request: Request[Any, Any, Any]) -> Response[bytes]:
        found = files().get(name.lstrip("/"))
        if found is None:
            headers = headers_of(request.scope)
            missing = UnknownOperationError("there is no such file", found=name[:200])
            return problem(missing, correlation_of(headers), media=media_of(headers))
        media_type = MEDIA[name.rpartition(".")[2]]
        headers = {**SAFE, "cache-control": "public, max-age=3600"}
        return Response(found, media_type=media_type, headers=headers)

    return [front, status, description, openapi, static]


@cache
def files() -> dict[str, bytes]:
    """Return the files that pages refer to, by their path under `/static/`."""
    return {
        path.relative_to(STATIC).as_posix(): path.read_bytes()
        for path in STATIC.rglob("*")
        if path.suffix[1:] in MEDIA
    }


@cache
def _openapi() -> bytes:
    return msgspec.json.encode(docs.document())


@cache
def _page(name: str) -> str:
    return (STATIC / name).read_text("utf-8").replace("{version}", __version__)


def _html(page: str) -> Response[str]:
    return Response(page, media_type=HTML, headers={**SAFE, "cache-control": "no-cache"})
