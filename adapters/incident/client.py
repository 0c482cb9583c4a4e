"""Talks to the monitoring system by incident-profile/0.

| call | says |
|---|---|
| `GET {url}/feed?after=…&limit=n` | `{"items": […], "cursor": "…", "more": bool}` |
| `POST {url}/answers`, `Idempotency-Key` | `{"reference": "…"}` |
| `GET {url}/answers/{key}` | `{"reference": "…"}`, 404 |
| `GET {url}/states?from=…&to=…&after=…` | `{"states": [{id, state, modified}], "cursor", "more"}` |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from adapters.incident.codes import JSON
from gateway import limits
from gateway.errors import PeerDoubtful, PeerUnavailable, TooLargeError
from gateway.jsontext import check_values
from gateway.outbound import check

if TYPE_CHECKING:
    from gateway.outbound import Outbound, Response

NAME: Final = "Инцидент"
PAGE_VALUES: Final = 20 * limits.JSON_VALUES
PAGE_ITEMS: Final = 1_000
"""Of one page, however many were asked for; each is stored by itself."""
CURSOR_CHARS: Final = 2_000
"""It goes into an address, and is kept."""
T = TypeVar("T", bound="Page | States")
_D = TypeVar("_D")


class Page(msgspec.Struct, frozen=True):
    """One page of the feed; messages stay the bytes that they are."""

    items: list[msgspec.Raw]
    cursor: str = ""
    more: bool = False


class State(msgspec.Struct, frozen=True, kw_only=True):
    """How one message stands there: `new`, `reacted`, `answered`, `closed`."""

    id: str
    state: str = ""
    modified: str = ""


class States(msgspec.Struct, frozen=True):
    """One page of states."""

    states: list[msgspec.Raw]
    cursor: str = ""
    more: bool = False


class Taken(msgspec.Struct, frozen=True):
    """What is said of an answer that was taken."""

    reference: str = ""


class Monitor:
    """One monitoring system. base: its address. key: a bearer's, or empty."""

    def __init__(self, outbound: Outbound, base: str, key: str = "") -> None:
        self._outbound = outbound
        self._base = base.rstrip("/")
        self._headers = {"Accept": JSON}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"

    def feed(self, after: str, limit: int) -> Page:
        """Return what there is after a cursor; raise DeliveryError."""
        return self._read(f"/feed?{urlencode({'after': after, 'limit': limit})}", Page)

    def states(self, start: str, end: str, after: str) -> States:
        """Return a page of the states that changed within an interval; raise DeliveryError."""
        query = urlencode({"from": start, "to": end, "after": after})
        return self._read(f"/states?{query}", States)

    def put(self, body: bytes, key: str) -> tuple[Response, Taken]:
        """Send one answer once; raise PeerRefused, PeerUnavailable or PeerDoubtful."""
        answer = self._outbound.request(
            "POST",
            f"{self._base}/answers",
            headers={**self._headers, "Content-Type": JSON, "Idempotency-Key": key},
            body=body,
        )
        return check(answer, NAME), _decoded(answer.body, Taken) or Taken()

    def find(self, key: str) -> tuple[Response, Taken] | None:
        """Return what became of an answer, None when it is not there; raise DeliveryError."""
        answer = self._outbound.request(
            "GET", f"{self._base}/answers/{quote(key, safe='')}", headers=self._headers
        )
        if answer.status == 404:
            return None
        check(answer, NAME, safe=True)
        taken = _decoded(answer.body, Taken)
        if taken is None:
            raise PeerDoubtful("what the feed says of the answer cannot be read")
        return answer, taken

    def _read(self, path: str, shape: type[T]) -> T:
        answer = self._outbound.request("GET", self._base + path, headers=self._headers)
        check(answer, NAME, safe=True)
        try:
            check_values(answer.body, PAGE_VALUES)
        except TooLargeError as error:
            raise PeerUnavailable("a page of the feed is too large") from error
        found = _decoded(answer.body, shape)
        if found is None:
            raise PeerUnavailable("a page of the feed cannot be read")
        return _bounded(found)


def _bounded(page: T) -> T:
    """Return a page whose rows and cursor can be kept; raise PeerUnavailable."""
    rows = page.items if isinstance(page, Page) else page.states
    if len(rows) > PAGE_ITEMS:
        raise PeerUnavailable("a page of the feed is too large", found=f"{len(rows)} rows")
    if len(page.cursor) > CURSOR_CHARS or not page.cursor.isprintable():
        raise PeerUnavailable(
            "a page of the feed has a cursor that cannot be kept",
            found=f"{len(page.cursor)} characters",
            expected=f"at most {CURSOR_CHARS} that can be printed",
        )
    return page


def _decoded(body: bytes, shape: type[_D]) -> _D | None:
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
