"""Reads stored events of every version the gateway ever wrote.

A stored body is never rewritten: the chain hashes its bytes. When the shape of a type changes, its
`v` grows by one and a function from the old body to the new one is registered here; reading goes
through all of them in turn. The functions are pure, and once released they are never changed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gateway.errors import MalformedError
from gateway.model.events import Event, EventType, event_of_body

if TYPE_CHECKING:
    from uuid import UUID

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
"""From a decoded body of version v to one of version v + 1; `v` itself is set by the registry."""


class Upcasters:
    """The steps from every old version of every type to the newest."""

    def __init__(self) -> None:
        self._steps: dict[EventType, list[Upcaster]] = {}

    def register(self, type_: EventType, v: int) -> Callable[[Upcaster], Upcaster]:
        """Register the decorated function as the step of a type from version v to v + 1.

        Raises ValueError unless v is the newest version so far: a chain of steps has no holes.
        """
        if v != self.newest(type_):
            raise ValueError(f"{type_}: the newest version is {self.newest(type_)}, not {v}")

        def keep(step: Upcaster) -> Upcaster:
            self._steps.setdefault(type_, []).append(step)
            return step

        return keep

    def newest(self, type_: EventType) -> int:
        """Return the version that new events of the type are written with."""
        return 1 + len(self._steps.get(type_, ()))

    def upcast(self, type_: EventType, body: dict[str, Any]) -> dict[str, Any]:
        """Return the body in the newest version; raise MalformedError for one we do not know."""
        v = body.get("v")
        newest = self.newest(type_)
        if not isinstance(v, int) or not 1 <= v <= newest:
            raise MalformedError(
                f"an event {type_} of a version this program does not know",
                found=str(v),
                expected=f"1 to {newest}",
                todo="run the release that wrote it, or a later one",
            )
        for step in self._steps.get(type_, [])[v - 1 :]:
            body = step(body)
        return body | {"v": newest}


UPCASTERS: Final = Upcasters()
"""The steps of this release; none yet, all types stand at version 1."""


def load(
    appeal_id: UUID, seq: int, type_: str, body: bytes, upcasters: Upcasters = UPCASTERS
) -> Event:
    """Decode one stored event of whatever version; raise MalformedError when it cannot be read."""
    try:
        known = EventType(type_)
        raw = msgspec.json.decode(body)
    except (ValueError, msgspec.DecodeError) as error:
        raise MalformedError(
            f"event {seq} cannot be read", found=str(error), where=str(appeal_id)
        ) from error
    if not isinstance(raw, dict):
        raise MalformedError(f"event {seq} is not an object", where=str(appeal_id))
    return event_of_body(appeal_id, seq, known, upcasters.upcast(known, raw))
