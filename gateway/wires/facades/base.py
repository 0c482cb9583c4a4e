"""What every façade needs beside its declaration: an endpoint, and a desk for its methods.

A method of a façade gets the desk as its first argument. What it asks of the gateway it asks there,
in the structs of the main contract, so that access, disclosure, idempotency, the archive and the
audit hold as on every other wire: `gateway.wires.service.Service.call` is the only door.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import msgspec

from gateway.errors import GatewayError, InputError, violations_of
from gateway.soap import envelope
from gateway.soap.facade_wsdl import fault_action
from gateway.soap.faults import Typed, message_of
from gateway.store.blobs import BlobDirectory
from gateway.store.committer import Committer
from gateway.store.pool import Pool
from gateway.wires import contract as c
from gateway.wires.appeals import InvalidError
from gateway.wires.descriptions import Descriptions
from gateway.wires.service import Context, Service

if TYPE_CHECKING:
    from pathlib import Path

    from lxml.etree import _Element

    from gateway.soap.facade import Asked, ComplexModel, Facade
    from gateway.wires.endpoint import Described
    from gateway.wires.reader import Reader

T = TypeVar("T", bound=c.Response)
Explain = Callable[[GatewayError, str], "ComplexModel"]
"""Makes the detail of a fault from an error and the correlation id."""


class Parts:
    """What `app` gives to a façade.

    pool: connections for a question that no operation of the contract answers.
    """

    def __init__(self, service: Service, pool: Pool) -> None:
        self.service: Final = service
        self.pool: Final = pool


def unconnected(blobs: Path) -> Parts:
    """Return parts to make an endpoint with that is never called: nothing is opened."""
    service = Service(Committer(""), BlobDirectory(blobs), cast("Reader", None), contract_sha256="")
    return Parts(service, Pool(""))


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """Where a method of a façade works: the gateway, and what is known of this call.

    own: what the façade's endpoint keeps between calls. kept: refusals whose message is stored.
    """

    gateway: Service
    context: Context
    pool: Any
    own: Any = None
    kept: list[InputError] = []

    @property
    def address(self) -> str:
        """The caller's network address, empty where the wire does not tell it."""
        return self.context.address

    async def ask(self, request: c.Request, kind: type[T]) -> T:
        """Return the gateway's response to an operation of the main contract; raise GatewayError.

        kind: of the response, for the reader and the type checker.
        """
        try:
            response = await self.gateway.call(request, self.context)
        except InputError as error:
            self.kept.append(error)
            raise
        assert isinstance(response, kind)
        return response

    async def keep(self, error: InputError, operation: str) -> None:
        """Store as received what a method refuses by itself; what `ask` refused is stored already.

        A refusal that is raised need not be kept by the method: the endpoint does it.
        """
        if all(error is not known for known in self.kept):
            self.kept.append(error)
            await self.gateway.keep(self.context, error, operation)


class FacadeEndpoint:
    """One façade as the SOAP wire sees it (`gateway.wires.endpoint.Endpoint`).

    explain: makes the detail of a fault in the contract's own type; without it the façade's one
    type is `ServiceFault` (`gateway.soap.facade.field_faults`). own: what it keeps between calls.
    """

    def __init__(
        self, facade: Facade, parts: Parts, explain: Explain | None = None, own: Any = None
    ) -> None:
        self.name: Final = facade.name
        self.service: Final = msgspec.structs.replace(facade.engine, validate=self._check)
        self._descriptions = Descriptions(facade.contract, facade.namespace)
        self._facade = facade
        self._parts = parts
        self._own = own
        self._explain: Explain = explain or self._service_fault

    def describe(self, query: Mapping[str, str], base: str) -> Described:
        """Serve `?wsdl`, `?singleWsdl` and `?xsd`, as the main contract does."""
        return self._descriptions.describe(query, base)

    def sections(self, base: str) -> Mapping[str, Mapping[str, bytes]]:
        """Return the WSDL without its import, and the schema."""
        return self._descriptions.sections(base)

    def explain(self, call: envelope.Opened) -> None:
        """Raise ValidationError with the places and reasons; takes a thread."""
        if call.body is not None:
            self._facade.engine.validate(call.body, call.nodes)

    def read(self, call: envelope.Call) -> Asked:
        """Return the call in values of Python; raise InputError."""
        assert call.body is not None
        return self._facade.read(call.body, call.files)

    async def answer(self, request: Asked, call: envelope.Call, context: Context) -> envelope.Reply:
        """Return the answer of the façade's method; raise GatewayError."""
        del call
        desk = Desk(
            gateway=self._parts.service, context=context, pool=self._parts.pool, own=self._own
        )
        try:
            result = self._facade.invoke(request, desk)
            if inspect.isawaitable(result):
                result = await result
        except InputError as error:
            await desk.keep(error, request.operation)
            raise
        return envelope.Reply(body=self._facade.write(request.operation, result))

    def fault(self, error: GatewayError, correlation: str) -> Typed | None:
        """Return the detail of a fault, qualified in the façade's namespace."""
        told = self._explain(error, correlation)
        action = fault_action(self._facade.namespace, type(told).__name__)
        return Typed(action, self._facade.detail(told).decode())

    def _check(self, element: _Element, nodes: int) -> None:
        """Say no without a reason: finding it may take a thousand times as long, so not here."""
        if not self._facade.valid(element, nodes):
            raise InvalidError

    def _service_fault(self, error: GatewayError, correlation: str) -> ComplexModel:
        kind: Any = self._facade.faults[0]
        errors = violations_of(error) if isinstance(error, InputError) else ()
        field = kind.FieldError
        told: ComplexModel = kind(
            Code=error.code,
            Message=message_of(error),
            CorrelationId=correlation,
            RetryAfterSeconds=getattr(error, "retry_after", None),
            Errors=[
                field(
                    Path=each.path,
                    Code=each.code,
                    Found=each.found or None,
                    Expected=each.expected or None,
                    Message=each.message,
                )
                for each in errors
            ]
            or None,
        )
        return told
