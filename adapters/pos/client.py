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

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

import msgspec

from gateway.pages import Items, Pages, States, decoded

if TYPE_CHECKING:
    from gateway.outbound import Outbound, Response

NAME: Final = "ПОС"


class State(msgspec.Struct, frozen=True, kw_only=True):
    """How one item stands at the platform."""

    id: str
    stage: str = ""
    decision: str = ""
    modified: str = ""
    error: str = ""


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What the platform says of an update."""

    reference: str = ""
    result: str = "accepted"
    reason: str = ""


class Platform:
    """One platform. base: its address, without a slash at the end. key: a bearer's, or empty."""

    def __init__(self, outbound: Outbound, base: str, key: str = "") -> None:
        self._pages = Pages(outbound, base, NAME, key)

    def items(self, after: str, limit: int) -> Items:
        """Return what there is after a cursor; raise DeliveryError."""
        return self._pages.items(f"/items?{urlencode({'after': after, 'limit': limit})}")

    def states(self, start: str, end: str, after: str) -> States:
        """Return a page of the states that changed within an interval; raise DeliveryError."""
        query = urlencode({"from": start, "to": end, "after": after})
        return self._pages.states(f"/states?{query}")

    def acknowledge(self, results: list[dict[str, Any]]) -> None:
        """Say what became of items; a repeat says the same again. Raises DeliveryError."""
        self._pages.post("/items/ack", msgspec.json.encode({"results": results}), safe=True)

    def update(self, body: bytes, key: str) -> tuple[Response, Taken]:
        """Send one update once; raise PeerRefused, PeerUnavailable or PeerDoubtful."""
        answer = self._pages.post("/updates", body, key)
        return answer, decoded(answer.body, Taken) or Taken()

    def updated(self, key: str) -> tuple[Response, Taken] | None:
        """Return what became of an update, None when it is not there; raise PeerDoubtful."""
        return self._pages.find(f"/updates/{quote(key, safe='')}", Taken)
