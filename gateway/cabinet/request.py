"""A request of a browser: whose it is, and what its form says; nothing of it is believed.

A form is taken when it comes from a page of ours: it has the token of its browser, and `Origin`,
where the browser sends one, is our own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from gateway import limits
from gateway.access import sessions as tokens
from gateway.access.people import Caller
from gateway.errors import MalformedError, TooLargeError, TrustError
from gateway.wires.edge import Gone, address_of, correlation_of, headers_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.settings import Settings
    from gateway.wires.room import Body

FORM_BYTES: Final = 64 * limits.KB
"""A form without files."""
FIELDS: Final = 60
_BOUNDARY: Final = re.compile(r'boundary="?([A-Za-z0-9\'()+_,./:=?-]{1,70})"?')
_HOST: Final = re.compile(r"([^:/@]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?", re.ASCII)
"""A host with its port (RFC 9110, 7.2), and nothing after it that an address would read."""
_PARAMETER: Final = re.compile(r'\b(name|filename)="([^"\r\n]*)"')


class Upload(NamedTuple):
    """A file of a form."""

    name: str
    media_type: str
    content: bytes


class Form(NamedTuple):
    """A form that was read."""

    fields: Mapping[str, str]
    files: tuple[Upload, ...] = ()

    def get(self, name: str) -> str:
        """Return a field, empty when it is not there."""
        return self.fields.get(name, "")


class Request(NamedTuple):
    """One request, before its body. secure: the browser came by TLS."""

    scope: Any
    method: str
    path: str
    headers: Mapping[str, str]
    caller: Caller
    secure: bool

    @property
    def query(self) -> dict[str, str]:
        """The query; of a repeated parameter the last counts."""
        text = self.scope["query_string"].decode("latin-1")
        try:
            return dict(parse_qsl(text[:8_000], keep_blank_values=True, max_num_fields=FIELDS))
        except ValueError as error:
            raise MalformedError("адрес не читается · the address cannot be read") from error

    def cookie(self, name: str) -> str:
        """Return the token of a cookie, empty without a good one."""
        return tokens.read_cookie(self.headers.get("cookie", ""), name, secure=self.secure)

    @property
    def from_elsewhere(self) -> bool:
        """Whether the browser says that another site made it send this."""
        return self.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")


def request_of(scope: Any, settings: Settings) -> Request:
    """Return a request by its scope."""
    headers = headers_of(scope)
    correlation = correlation_of(headers)
    method = "GET" if scope["method"] == "HEAD" else scope["method"]
    secure = scope.get("scheme") == "https" or settings.public_url.startswith("https://")
    caller = Caller(address_of(scope), scope["path"], correlation)
    return Request(scope, method, scope["path"], headers, caller, secure)


def base_of(request: Request, settings: Settings) -> str:
    """Return our own address as this browser knows it, empty when Host is none of ours."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    host = request.headers.get("host", "")
    found = _HOST.fullmatch(host)
    if found is None or found[1] not in settings.allowed_hosts:
        return ""
    return f"{request.scope.get('scheme', 'http')}://{host}"


def require_own(request: Request, settings: Settings, browser: str, shown: str) -> None:
    """Raise TrustError for a form that is not of a page of ours. shown: the token it brought."""
    origin = request.headers.get("origin", "")
    base = urlsplit(base_of(request, settings))
    ours = f"{base.scheme}://{base.netloc}"
    if (
        not browser
        or not tokens.fits(browser, shown)
        or request.from_elsewhere
        or (origin and origin != ours)
    ):
        raise TrustError(
            "форма не с этой страницы или устарела, откройте её снова"
            " · the form is not of this page, or too old: open it again",
            "state_mismatch",
            where="form of another page",
        )


async def read(receive: Any, request: Request, held: Body, most: int) -> bytes:
    """Return the body; raise TooLargeError as soon as it passes the limit."""
    told = request.headers.get("content-length", "")
    if told.isdecimal() and (len(told) > 12 or int(told) > most):
        raise _too_large(most)
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Gone
        chunks.append(held.add(message.get("body", b"")))
        size += len(chunks[-1])
        if size > most:
            raise _too_large(most)
        if not message.get("more_body"):
            return b"".join(chunks)


def form_of(content_type: str, body: bytes) -> Form:
    """Return a form, as `x-www-form-urlencoded` or `multipart/form-data` (RFC 7578)."""
    media = content_type.partition(";")[0].strip().lower()
    if media == "multipart/form-data":
        return _multipart(content_type, body)
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=FIELDS, errors="strict"
        )
    except ValueError as error:
        raise MalformedError("форма не читается · the form cannot be read") from error
    return Form(_once(pairs))


def _multipart(content_type: str, body: bytes) -> Form:
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise MalformedError("форма не читается · the form has no boundary")
    mark = b"\r\n--" + found[1].encode("ascii")
    parts = (b"\r\n" + body).split(mark, FIELDS + 2)
    if len(parts) > FIELDS + 1 or len(parts) < 2 or not parts[-1].startswith(b"--"):
        raise MalformedError("форма не читается · the form does not end, or has too many parts")
    pairs: list[tuple[str, str]] = []
    files: list[Upload] = []
    for part in parts[1:-1]:
        head, blank, content = part.partition(b"\r\n\r\n")
        if not blank or len(head) > limits.KB * 4:
            raise MalformedError("форма не читается · a part of the form has no head")
        lines = {
            name.strip().lower(): value.strip()
            for line in head.decode("utf-8", "replace").split("\r\n")
            for name, colon, value in [line.partition(":")]
            if colon
        }
        named = dict(_PARAMETER.findall(lines.get("content-disposition", "")))
        if "filename" not in named:
            try:
                pairs.append((named.get("name", ""), content.decode("utf-8")))
            except UnicodeDecodeError as error:
                raise MalformedError("форма не в UTF-8 · the form is not UTF-8") from error
        elif named["filename"] or content:
            files.append(
                Upload(named["filename"], lines.get("content-type", "")[:200], bytes(content))
            )
    return Form(_once(pairs), tuple(files))


def _once(pairs: list[tuple[str, str]]) -> dict[str, str]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise MalformedError("поле формы повторяется · a field of the form is given twice")
    return {name: text.replace("\r\n", "\n") for name, text in fields.items()}


def _too_large(most: int) -> TooLargeError:
    return TooLargeError(
        "слишком большая форма или файлы · the form or its files are too large",
        expected=f"≤ {most // limits.MB} MB" if most >= limits.MB else f"≤ {most // limits.KB} KB",
    )
