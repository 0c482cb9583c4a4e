"""Talks to the platform by pos-profile/0: a feed with a cursor, updates, states.

| call | says |
|---|---|
| `GET {url}/items?after=…&limit=n` | `{"items": […], "cursor": "…", "more": bool}` |
| `POST {url}/items/ack` | `{"results": [{"id", "version", "result": …, "reason"}]}` |
| `POST {url}/updates`, `Idempotency-Key` | `{"reference": "…"}` |
| `GET {url}/updates/{key}` | `{"reference": "…", "result": …, "reason"}`, 404 |
| `GET {url}/states?from=…&to=…&after=…` | `{"states": […], "cursor": "…", "more": bool}` |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from gateway import limits
from gateway.errors import PeerDoubtful, PeerUnavailable, TooLargeError
from gateway.jsontext import check_values
from gateway.outbound import check

if TYPE_CHECKING:
    from gateway.outbound import Outbound, Response

NAME: Final = "ПОС"
PAGE_VALUES: Final = 20 * limits.JSON_VALUES
PAGE_ITEMS: Final = 1_000
"""Of one page, however many were asked for; each is stored by itself."""
CURSOR_CHARS: Final = 2_000
"""It goes into an address, and is kept."""
T = TypeVar("T", bound="Page | States")
_D = TypeVar("_D")


class Page(msgspec.Struct, frozen=True):
    """One page of the feed; items stay the bytes that they are."""

    items: list[msgspec.Raw]
    cursor: str = ""
    more: bool = False


class State(msgspec.Struct, frozen=True, kw_only=True):
    """How one item stands at the platform."""

    id: str
    stage: str = ""
    decision: str = ""
    modified: str = ""
    error: str = ""


class States(msgspec.Struct, frozen=True):
    """One page of states."""

    states: list[msgspec.Raw]
    cursor: str = ""
    more: bool = False


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What the platform says of an update."""

    reference: str = ""
    result: str = "accepted"
    reason: str = ""


class Platform:
    """One platform. base: its address, without a slash at the end. key: a bearer's, or empty."""

    def __init__(self, outbound: Outbound, base: str, key: str = "") -> None:
        self._outbound = outbound
        self._base = base.rstrip("/")
        self._headers = {"Accept": "application/json"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"

    def items(self, after: str, limit: int) -> Page:
        """Return what there is after a cursor; raise DeliveryError."""
        query = urlencode({"after": after, "limit": limit})
        return self._read(self._get(f"/items?{query}"), Page)

    def states(self, start: str, end: str, after: str) -> States:
        """Return a page of the states that changed within an interval; raise DeliveryError."""
        query = urlencode({"from": start, "to": end, "after": after})
        return self._read(self._get(f"/states?{query}"), States)

    def acknowledge(self, results: list[dict[str, Any]]) -> None:
        """Say what became of items; a repeat says the same again. Raises DeliveryError."""
        self._post("/items/ack", msgspec.json.encode({"results": results}), {}, safe=True)

    def update(self, body: bytes, key: str) -> tuple[Response, Taken]:
        """Send one update once; raise PeerRefused, PeerUnavailable or PeerDoubtful."""
        answer = self._post("/updates", body, {"Idempotency-Key": key})
        return answer, _decoded(answer.body, Taken) or Taken()

    def updated(self, key: str) -> tuple[Response, Taken] | None:
        """Return what became of an update, None when it is not there; raise DeliveryError."""
        answer = self._outbound.request(
            "GET", f"{self._base}/updates/{quote(key, safe='')}", headers=self._headers
        )
        if answer.status == 404:
            return None
        check(answer, NAME, safe=True)
        taken = _decoded(answer.body, Taken)
        if taken is None:
            raise PeerDoubtful("what ПОС says of the update cannot be read")
        return answer, taken

    def _get(self, path: str) -> Response:
        answer = self._outbound.request("GET", self._base + path, headers=self._headers)
        return check(answer, NAME, safe=True)

    def _post(
        self, path: str, body: bytes, headers: dict[str, str], *, safe: bool = False
    ) -> Response:
        answer = self._outbound.request(
            "POST",
            self._base + path,
            headers={**self._headers, "Content-Type": "application/json", **headers},
            body=body,
            safe=safe,
        )
        return check(answer, NAME, safe=safe)

    def _read(self, answer: Response, shape: type[T]) -> T:
        try:
            check_values(answer.body, PAGE_VALUES)
        except TooLargeError as error:
            raise PeerUnavailable("a page of ПОС is too large") from error
        found = _decoded(answer.body, shape)
        if found is None:
            size = f"{len(answer.body)} bytes"  # not the bytes: an item has its author in it
            raise PeerUnavailable("a page of ПОС cannot be read", found=size)
        return _bounded(found)


def _bounded(page: T) -> T:
    """Return a page whose rows and cursor can be kept; raise PeerUnavailable."""
    rows = page.items if isinstance(page, Page) else page.states
    if len(rows) > PAGE_ITEMS:
        raise PeerUnavailable("a page of ПОС is too large", found=f"{len(rows)} rows")
    if len(page.cursor) > CURSOR_CHARS or not page.cursor.isprintable():
        raise PeerUnavailable(
            "a page of ПОС has a cursor that cannot be kept",
            found=f"{len(page.cursor)} characters",
            expected=f"at most {CURSOR_CHARS} that can be printed",
        )
    return page


def _decoded(body: bytes, shape: type[_D]) -> _D | None:
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
