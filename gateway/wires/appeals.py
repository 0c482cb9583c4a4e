"""The main contract, `urn:gov:appeals:v1`, as an endpoint of the SOAP wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from gateway import contracts, ns
from gateway.errors import GatewayError
from gateway.soap import envelope
from gateway.wires import binding, parts, places, service
from gateway.wires.contract import OPERATIONS
from gateway.wires.descriptions import Descriptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml.etree import _Element

    from gateway.soap.faults import Typed
    from gateway.wires.endpoint import Described

_INNER: Final = {
    "SubmitAppeal": "/Appeal",
    "AmendAppeal": "/Appeal",
    "SubmitStatus": "/Report",
    "SubmitAnswer": "/Answer",
}
"""Where in an operation the document stands that the mapping speaks of."""


class InvalidError(Exception):
    """The document breaks the schema; where and why is still to be found."""


class Appeals:
    """`/soap/appeals.svc`."""

    def __init__(self, operations: service.Service) -> None:
        self._contract = contracts.appeals()
        self._descriptions = Descriptions(self._contract, ns.APPEALS)
        self._operations = operations
        self.name: Final = self._contract.name
        self.service: Final = msgspec.structs.replace(
            service.appeals_service(), validate=self._check
        )

    def describe(self, query: Mapping[str, str], base: str) -> Described:
        """Serve `?wsdl`, `?singleWsdl` and `?xsd=name`."""
        return self._descriptions.describe(query, base)

    def sections(self, base: str) -> Mapping[str, Mapping[str, bytes]]:
        """Return the WSDL without its import, and the schema."""
        return self._descriptions.sections(base)

    def explain(self, call: envelope.Opened) -> None:
        """Raise ValidationError with the places and reasons; takes a thread."""
        if call.body is not None:
            self._contract.refuse(call.body)

    def read(self, call: envelope.Call) -> Any:
        """Return the struct of the operation."""
        assert call.body is not None
        return binding.read(OPERATIONS[call.operation].request, call.body, call.files)

    async def answer(
        self, request: Any, call: envelope.Call, context: service.Context
    ) -> envelope.Reply:
        """Carry the operation out."""
        answering = self._operations.call(request, context)
        del request
        try:
            response = await answering
        except GatewayError as error:
            places.below(error, f"/{call.operation}{_INNER.get(call.operation, '')}")
            raise
        if context.packs:  # else no file stands in it as such
            context.files = parts.of(response)
        body = binding.write(response)
        service.hold(context.caller, len(body))
        return envelope.Reply(body=body)

    def fault(self, error: GatewayError, correlation: str) -> Typed | None:  # noqa: ARG002
        """The details of the main contract are the engine's own."""
        return None

    def _check(self, element: _Element, nodes: int) -> None:
        """Say no without a reason: finding it may take a thousand times as long, so not here."""
        if not self._contract.valid(element, nodes):
            raise InvalidError
