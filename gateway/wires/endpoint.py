"""What stands under `/soap/`: one service, however it is made.

The SOAP wire opens and seals messages for all of them (`gateway.wires.soap`); an endpoint says what
its operations are, how a body is read, and what an operation does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.errors import GatewayError
    from gateway.soap import envelope
    from gateway.soap.faults import Typed
    from gateway.wires.service import Context


class Described(NamedTuple):
    """A description of a service as it is served."""

    content_type: str
    body: bytes


class Endpoint(Protocol):
    """One service."""

    @property
    def name(self) -> str:
        """Part of its address: `/soap/<name>.svc`."""
        ...

    @property
    def service(self) -> envelope.Service:
        """What the engine has to know of it."""
        ...

    def describe(self, query: Mapping[str, str], base: str) -> Described:
        """Return what a GET asks for; raise NotFoundError.

        query: parameters, names in lower case. base: scheme and host of the address in it.
        """
        ...

    def sections(self, base: str) -> Mapping[str, Mapping[str, bytes]]:
        """Return the description for WS-MetadataExchange; see `gateway.soap.mex.answer`."""
        ...

    def explain(self, call: envelope.Opened) -> None:
        """Raise ValidationError with every reason why the body was refused; in a thread."""
        ...

    def read(self, call: envelope.Call) -> Any:
        """Return the request in the body as `answer` takes it; raise InputError.

        Pure; a small one is read on the event loop, a large one in a thread.
        """
        ...

    async def answer(self, request: Any, call: envelope.Call, context: Context) -> envelope.Reply:
        """Carry the request out; raise GatewayError."""
        ...

    def fault(self, error: GatewayError, correlation: str) -> Typed | None:
        """Return the detail of a fault in words of its own; None: as the main contract does."""
        ...
