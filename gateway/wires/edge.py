"""What every HTTP wire does before it looks at a message: who calls, under which correlation id."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, TypeVar

import structlog

from gateway.access.passed import shown
from gateway.access.policy import AHEAD_SECONDS, FRESH_SECONDS, is_loopback
from gateway.errors import GatewayError
from gateway.model.ids import uuid7_bytes
from gateway.soap.security.algorithms import STANDARD
from gateway.wires.parsing import Parsing
from gateway.wires.proving import Proving
from gateway.wires.room import Room
from gateway.wires.service import Context

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from gateway.access.policy import Caller, Gate, Stranger
    from gateway.errors import AccessError
    from gateway.metrics import Metrics
    from gateway.soap.security import Proof, Signer
    from gateway.soap.security.algorithms import Algorithms
    from gateway.wires.replies import Replies
    from gateway.wires.service import Service

log = structlog.get_logger(__name__)

T = TypeVar("T")
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


def address_of(scope: Any) -> str:
    """Return the caller's address, as far as it is known; empty for a unix socket."""
    client = scope.get("client")
    return client[0] if client else ""


class Edge:
    """The parts an HTTP wire needs, given once by `app`.

    replies: send the answers that do not go back on the connection; None: none is sent.
    signer: signs the answers to peers that ask for it; None where the house has no key for it.
    algorithms: what the signatures of messages are checked with.
    metrics: where a face with a protocol of its own counts its calls.
    """

    def __init__(
        self,
        gate: Gate,
        service: Service,
        clock: Callable[[], datetime],
        *,
        replies: Replies | None = None,
        signer: Signer | None = None,
        algorithms: Algorithms = STANDARD,
        metrics: Metrics | None = None,
    ) -> None:
        self.gate = gate
        self.metrics = metrics
        self.service = service
        self.replies = replies
        self.signer = signer
        self.algorithms = algorithms
        self.room = Room()
        self.parsing = Parsing()
        self.proving = Proving()
        self.now = clock
        # A thread of its own: however busy the others are, it can be told who calls.
        self._access = ThreadPoolExecutor(1, thread_name_prefix="access")
        self._reading = False

    async def enter(self, scope: Any, headers: Mapping[str, str], correlation: str) -> Caller:
        """Return who is calling, or raise AccessError. Peers are read in a thread when stale."""
        if self._fresh():
            return self._ask(self.gate.enter, scope, headers, correlation)
        return await asyncio.get_running_loop().run_in_executor(
            self._access, self._ask, self.gate.enter, scope, headers, correlation
        )

    async def knock(
        self, scope: Any, headers: Mapping[str, str], correlation: str
    ) -> Caller | Stranger:
        """Return who is calling by what HTTP and TLS say, or raise AccessError.

        A stranger may still say who he is in the message: then `prove`.
        """
        if self._fresh():
            return self._ask(self.gate.knock, scope, headers, correlation)
        return await asyncio.get_running_loop().run_in_executor(
            self._access, self._ask, self.gate.knock, scope, headers, correlation
        )

    def _fresh(self) -> bool:
        """Whether peers were read lately; before they are too old they are read again."""
        age = self.gate.age
        if AHEAD_SECONDS < age <= FRESH_SECONDS and not self._reading:
            self._reading = True
            self._access.submit(self._refresh)
        return age <= FRESH_SECONDS

    def _refresh(self) -> None:
        try:
            self.gate.refresh()
        except GatewayError as error:  # whoever calls next asks again, and is told
            log.info("access.not_read", reason=error.message)
        finally:
            self._reading = False

    def _ask(
        self, ask: Callable[..., T], scope: Any, headers: Mapping[str, str], correlation: str
    ) -> T:
        """Ask the gate by what HTTP and TLS say of a call."""
        return ask(
            headers,
            address_of(scope),
            tls=scope.get("scheme") == "https",
            path=scope["path"],
            correlation=correlation,
            certificate=shown(scope, self.gate.certificate_header),
        )

    async def prove(
        self, found: Caller | Stranger, proof: Proof | None, scope: Any, correlation: str
    ) -> Caller:
        """Return who is calling by what the message proves; raise AccessError."""
        address, known = self._known(scope, correlation)
        return self.gate.prove(found, proof, address=address, **known)

    def refused(
        self, error: AccessError, reason: str, scope: Any, correlation: str, peer: str = ""
    ) -> None:
        """Record a refusal that was decided by the message: a header that proves nothing."""
        address, known = self._known(scope, correlation)
        self.gate.record(reason, peer=peer, address=address, code=error.code, **known)

    def close(self) -> None:
        """Let the threads go."""
        self.parsing.close()
        self.proving.close()
        self._access.shutdown(wait=False)

    def _known(self, scope: Any, correlation: str) -> tuple[str, dict[str, Any]]:
        return address_of(scope), {"path": scope["path"], "correlation": correlation}

    def secure(self, scope: Any) -> bool:
        """Whether nobody can read the call on its way, so that a password may stand in it."""
        return (
            scope.get("scheme") == "https"
            or self.gate.trusted_wire
            or is_loopback(address_of(scope))
        )

    def context(
        self,
        caller: Caller,
        wire: str,
        correlation: str,
        body: bytes,
        media_type: str,
        address: str = "",
    ) -> Context:
        """Return the context of one call, stamped with the clock."""
        return Context(
            caller=caller,
            wire=wire,
            correlation=correlation,
            now=self.now(),
            body=body,
            media_type=media_type[:1000],
            address=address,
        )
