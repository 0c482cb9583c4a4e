"""Talks to the monitoring system by incident-profile/0.

| call | says |
|---|---|
| `GET {url}/feed?after=…&limit=n` | `{"items": […], "cursor": "…", "more": bool}` |
| `POST {url}/answers`, `Idempotency-Key` | `{"reference": "…"}` |
| `GET {url}/answers/{key}` | `{"reference": "…"}`, 404 |
| `GET {url}/states?from=…&to=…&after=…` | `{"states": [{id, state, modified}], "cursor", "more"}` |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

import msgspec

from gateway.pages import Items, Pages, States, decoded

if TYPE_CHECKING:
    from gateway.outbound import Outbound, Response

NAME: Final = "Инцидент"


class State(msgspec.Struct, frozen=True, kw_only=True):
    """How one message stands there: `new`, `reacted`, `answered`, `closed`."""

    id: str
    state: str = ""
    modified: str = ""


class Taken(msgspec.Struct, frozen=True):
    """What is said of an answer that was taken."""

    reference: str = ""


class Monitor:
    """One monitoring system. base: its address. key: a bearer's, or empty."""

    def __init__(self, outbound: Outbound, base: str, key: str = "") -> None:
        self._pages = Pages(outbound, base, NAME, key)

    def feed(self, after: str, limit: int) -> Items:
        """Return what there is after a cursor; raise DeliveryError."""
        return self._pages.items(f"/feed?{urlencode({'after': after, 'limit': limit})}")

    def states(self, start: str, end: str, after: str) -> States:
        """Return a page of the states that changed within an interval; raise DeliveryError."""
        query = urlencode({"from": start, "to": end, "after": after})
        return self._pages.states(f"/states?{query}")

    def put(self, body: bytes, key: str) -> tuple[Response, Taken]:
        """Send one answer once; raise PeerRefused, PeerUnavailable or PeerDoubtful."""
        answer = self._pages.post("/answers", body, key)
        return answer, decoded(answer.body, Taken) or Taken()

    def find(self, key: str) -> tuple[Response, Taken] | None:
        """Return what became of an answer, None when it is not there; raise PeerDoubtful."""
        return self._pages.find(f"/answers/{quote(key, safe='')}", Taken)
