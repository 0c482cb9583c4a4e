"""One call of the face: what is asked, in which format, and by whom."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, quote_plus, unquote_plus

import msgspec

from adapters.open311 import writing
from adapters.open311.form import API_KEY, FIELDS, FORM_BYTES, JURISDICTION, check_jurisdiction
from gateway.errors import MalformedError, TooLargeError, UnknownOperationError, ValidationError
from gateway.limits import STRANGER_SECONDS
from gateway.wires.edge import Edge, Gone, address_of, correlation_of, headers_of
from gateway.wires.inflate import in_pieces

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.open311.options import Options
    from gateway.access.policy import Caller
    from gateway.wires.room import Body

_CREDENTIALS: Final = ("authorization", "x-api-key")
_QUERY_CHARS: Final = 8_000


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request to the face.

    resource: `services`, `requests`, `tokens`, `discovery`. name: what stands behind it in the
    path. form: `json` or `xml`, by the extension alone, as the specification has it. query: the
    last of each name, those left empty out.
    """

    method: str
    resource: str
    name: str
    form: str
    query: dict[str, str]
    headers: dict[str, str]
    correlation: str
    scope: Any

    @property
    def address(self) -> str:
        """Address of the caller in the network."""
        return address_of(self.scope)

    @property
    def has_credential(self) -> bool:
        """Whether something was shown outside of the body."""
        return bool(self.query.get(API_KEY)) or any(map(self.headers.get, _CREDENTIALS))

    def check_jurisdiction(self, options: Options) -> None:
        """Raise ValidationError for a jurisdiction that is not served, or was to be told."""
        wrong = check_jurisdiction(self.query.get(JURISDICTION, ""), options)
        if wrong is not None:
            raise ValidationError(wrong.message, (wrong,))

    async def enter(self, edge: Edge, key: str = "") -> Caller:
        """Return who is calling, or raise AccessError. key: `api_key` of the form."""
        headers: Mapping[str, str] = self.headers
        given = key or self.query.get(API_KEY, "")
        if given and not any(map(headers.get, _CREDENTIALS)):
            headers = {**headers, "x-api-key": given}
        return await edge.enter(self.scope, headers, self.correlation)


def form_of(path: str) -> str:
    """Return the format that a path asks for; XML, which every server has, where it is unclear."""
    return writing.JSON if path.endswith(".json") else writing.XML


def call_of(scope: Any, prefix: str) -> Call:
    """Return the call; raise UnknownOperationError for a path of no format."""
    path = scope["path"].removeprefix(prefix)
    stem, _, form = path.rpartition(".")
    resource, _, name = stem.partition("/")
    if form not in writing.MEDIA or not resource:
        raise UnknownOperationError(
            "нет такого адреса · there is no such address",
            found=path[:200],
            expected="services.xml, services/….json, requests.json, tokens/….xml, discovery.json",
        )
    headers = headers_of(scope)
    return Call(
        method="GET" if scope["method"] == "HEAD" else scope["method"],
        resource=resource,
        name=name,
        form=form,
        query=_query(scope["query_string"]),
        headers=headers,
        correlation=correlation_of(headers),
        scope=scope,
    )


def _query(raw: bytes) -> dict[str, str]:
    if len(raw) > _QUERY_CHARS:
        raise TooLargeError("the query is too long", expected=f"at most {_QUERY_CHARS} bytes")
    try:
        return dict(parse_qsl(raw.decode("ascii"), errors="strict"))
    except ValueError as error:
        raise MalformedError("the query is not in UTF-8", found=str(error)) from error


async def body_of(receive: Any, headers: Mapping[str, str], held: Body, *, known: bool) -> bytes:
    """Return the form, unpacked; raise TooLargeError as soon as it passes the limit.

    known: the caller has proven who it is; anybody else has to be done soon (MalformedError).
    """
    if known:
        return await _read(receive, headers, held)
    try:
        async with asyncio.timeout(STRANGER_SECONDS):
            return await _read(receive, headers, held)
    except TimeoutError as error:
        raise MalformedError("the form did not come in time") from error


async def _read(receive: Any, headers: Mapping[str, str], held: Body) -> bytes:
    pieces, close = in_pieces(headers.get("content-encoding", ""), FORM_BYTES)
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Gone
        for piece in pieces(message.get("body", b"")):
            chunks.append(held.add(piece))
            size += len(piece)
            if size > FORM_BYTES:
                raise TooLargeError("the form is too large", expected=f"at most {FORM_BYTES} bytes")
        if not message.get("more_body"):
            close()
            return b"".join(chunks)


def without_key(body: bytes) -> tuple[bytes, str]:
    """Return the form without its `api_key`, which is stored nowhere, and the key."""
    if body.count(b"&") >= FIELDS:
        raise TooLargeError("the form has too many fields", expected=f"at most {FIELDS}")
    kept, key = [], ""
    for pair in body.strip().split(b"&"):
        name, _, value = pair.partition(b"=")
        if unquote_plus(name.decode("latin-1")) == API_KEY:
            key = key or unquote_plus(value.decode("latin-1"))
        else:
            kept.append(pair)
    return b"&".join(kept), key


def with_field(body: bytes, name: str, value: str) -> bytes:
    """Return the form with one field more."""
    pair = f"{quote_plus(name)}={quote_plus(value)}".encode()
    return body + b"&" + pair if body else pair
