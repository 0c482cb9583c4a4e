"""What every HTTP wire does before it looks at a message: who calls, under which correlation id."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, Final

from gateway.model.ids import uuid7_bytes
from gateway.wires.room import Room
from gateway.wires.service import Context

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from gateway.access.policy import Caller, Gate
    from gateway.wires.service import Service

_CORRELATION: Final = re.compile(r"[A-Za-z0-9._:-]{8,64}")
CORRELATION_HEADERS: Final = ("x-correlation-id", "correlation-id", "x-request-id")


class Gone(Exception):
    """The client closed the connection before its request was whole; nobody waits for an answer."""


def headers_of(scope: Any) -> dict[str, str]:
    """Return the headers with lower-case names; of a repeated one the last counts."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def correlation_of(headers: Mapping[str, str]) -> str:
    """Return the caller's correlation id when it is a decent one, otherwise a new one."""
    for name in CORRELATION_HEADERS:
        given = headers.get(name)
        if given and _CORRELATION.fullmatch(given):
            return given
    return uuid7_bytes().hex()


class Edge:
    """The parts an HTTP wire needs, given once by `app`."""

    def __init__(self, gate: Gate, service: Service, clock: Callable[[], datetime]) -> None:
        self.gate = gate
        self.service = service
        self.room = Room()
        self._clock = clock

    async def enter(self, scope: Any, headers: Mapping[str, str], correlation: str) -> Caller:
        """Return who is calling, or raise AccessError. Peers are read in a thread when stale."""
        client = scope.get("client")
        address = client[0] if client else ""
        known: dict[str, Any] = {
            "tls": scope.get("scheme") == "https",
            "path": scope["path"],
            "correlation": correlation,
        }
        if self.gate.fresh:
            return self.gate.enter(headers, address, **known)
        return await asyncio.to_thread(self.gate.enter, headers, address, **known)

    def context(
        self, caller: Caller, wire: str, correlation: str, body: bytes, media_type: str
    ) -> Context:
        """Return the context of one call, stamped with the clock."""
        return Context(
            caller=caller,
            wire=wire,
            correlation=correlation,
            now=self._clock(),
            body=body,
            media_type=media_type[:200],
        )
