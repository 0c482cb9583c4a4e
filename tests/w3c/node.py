"""The node of the collection: a test-only service behind the gateway's SOAP engine.

It carries out what the collection calls header blocks, body blocks and procedures (section 3.2 to
3.4), those without SOAP encoding. Node C is the ultimate receiver in a role of that name; the same
node at `/B` has the role of the collection's relay, and relays nothing. What the SOAP wire itself
decides, before any engine, is asked of the gateway's own application at `/soap/appeals.svc`.

    python -m tests.w3c.node      serves it on a free port of loopback and prints the port
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urljoin

from lxml import etree

from gateway import logs, ns, server
from gateway.access.known import Caller
from gateway.access.proxies import Proxies
from gateway.connection import GuardedProtocol
from gateway.errors import BusyError, GatewayError, InputError
from gateway.metrics import Metrics
from gateway.settings import Settings
from gateway.soap import envelope, faults, frame
from gateway.soap.envelope import Context, Service
from gateway.wires.appeals import Appeals
from gateway.wires.edge import headers_of
from gateway.wires.parsing import Parsing
from gateway.wires.proving import Proving
from gateway.wires.room import Room
from gateway.wires.sending import send_sealed
from gateway.wires.soap import SoapApp
from gateway.xml import escape
from tests.w3c.case import BUILDERS, ECHO, ROLES, RPC, TESTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml.etree import _Element

    from gateway.soap.frame import Sealed

_OPERATIONS: Final = {
    TESTS: (
        "echoOk echoHeader returnVoid echoString echoStruct echoStructArray echoNestedStruct "
        "echoStructAsSimpleTypes echoSimpleTypesAsStruct echoNestedArray echoFloatArray "
        "echoStringArray echoIntegerArray echoBase64 echoBoolean echoDate echoDecimal echoFloat "
        "countItems isNil echoSimpleTypesAsStructOfSchemaTypes"
    ),
    BUILDERS: (
        "echoVoid echoSenderFault echoReceiverFault echoString echoStringArray echoInteger "
        "echoIntegerArray echoFloat echoFloatArray echoStruct echoStructArray echoBase64 echoDate "
        "echoHexBinary echoDecimal echoBoolean echoStructAsSimpleTypes echoSimpleTypesAsStruct "
        "echo2DStringArray echoNestedStruct echoNestedArray"
    ),
}
_BLOCKS: Final = {
    TESTS: (
        "echoOk Ignore requiredHeader DataHolder concatAndForwardEchoOk "
        "concatAndForwardEchoOkArg1 concatAndForwardEchoOkArg2 validateCountryCode echoResolvedRef"
    ),
    ECHO: "echoMeStringRequest echoMeStructRequest",
}
_COUNTRY: Final = "validateCountryCode"
_LETTERS: Final = 2


def _names(spaces: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(space, name) for space, text in spaces.items() for name in text.split()]


def service(node: str) -> Service:
    """Return what the engine has to know of Node B or C."""
    return Service(
        actions={
            ns.tag(space, name): f"{space.rstrip('/')}/{name}"
            for space, name in _names(_OPERATIONS)
        },
        validate=lambda _element, _nodes: None,
        understood=frozenset(ns.tag(space, name) for space, name in _names(_BLOCKS)),
        roles=frozenset((ROLES[node],)),
        bodiless=frozenset(("",)),
    )


class _OpenEdge:
    """Lets everybody in: the tests of the binding are not about who calls."""

    def __init__(self) -> None:
        self.room = Room()
        self.parsing = Parsing()
        self.proving = Proving()

    async def knock(self, *_: object) -> Caller:
        return Caller(peer="w3c")


NODES: Final = {f"/{node}": service(node) for node in "BC"}
GATEWAY: Final = SoapApp(
    cast("Any", _OpenEdge()), Settings(), Metrics(), [Appeals(cast("Any", None))]
)


def reply(root: bytes, headers: Mapping[str, str], service: Service) -> Sealed:
    """Return the node's answer to an envelope. headers: of HTTP, with lower-case names."""
    context = Context(now=datetime(2026, 1, 31, tzinfo=UTC), service=service)
    try:
        call = envelope.open(root, headers, {}, context)
    except GatewayError as error:
        return faults.seal_fault(error, frame.of_request(root, headers), "w3c")
    try:
        body = _body(call)
        header = "".join(_answered(block) for block in call.blocks)
    except _CountryError as error:
        return _with_block(faults.seal_fault(error, call.frame, "w3c"), error.message)
    except GatewayError as error:
        return faults.seal_fault(error, call.frame, "w3c")
    return frame.wrap(call.frame, header, body.encode())


class _CountryError(InputError):
    """The header block validateCountryCode holds no country code (section 3.2.9)."""


def _answered(block: _Element) -> str:
    """Return the block that answers a block, empty when none does."""
    name = etree.QName(block)
    text = "".join(block.itertext())
    if block.tag == ns.tag(TESTS, "echoOk"):
        return _element(TESTS, "responseOk", escape(text))
    if block.tag == ns.tag(TESTS, "echoResolvedRef"):
        found = block.find(ns.tag(TESTS, "RelativeReference"))
        assert found is not None
        target = urljoin(
            found.get(ns.tag(ns.XML, "base"), ""), found.get("{http://www.w3.org/1999/xlink}href")
        )
        return _element(TESTS, "responseResolvedRef", escape(target))
    if block.tag == ns.tag(TESTS, _COUNTRY):
        code = text.strip()
        if len(code) != _LETTERS or not code.isalpha():
            raise _CountryError("a country code has two letters", found=code)
    if name.namespace == ECHO:
        inside = escape(block.text or "") + "".join(
            _element("", etree.QName(child).localname, escape(child.text or "")) for child in block
        )
        return _element(ECHO, name.localname.replace("Request", "Response"), inside)
    return ""


def _body(call: envelope.Call) -> str:
    """Carry out the body block and return what answers it, empty for an empty Body."""
    if call.body is None:
        return ""
    space = etree.QName(call.body).namespace or ""
    match call.operation:
        case "echoOk":
            return _element(space, "responseOk", escape(call.body.text or ""))
        case "echoHeader":
            header = ns.tag(TESTS, "requiredHeader")
            text = next((block.text or "" for block in call.blocks if block.tag == header), "")
            return _element(space, "echoHeaderResponse", escape(text))
        case "echoString":
            value = escape("".join(call.body.itertext()))
            inside = f'<r:result xmlns:r="{RPC}">return</r:result>' + _element("", "return", value)
            return _element(space, "echoStringResponse", inside)
        case "echoSenderFault":
            raise InputError("this is a fault of the sender")
        case "echoReceiverFault":
            raise BusyError("this is a fault of the receiver")
        case "echoVoid" | "returnVoid":
            return _element(space, f"{call.operation}Response", "")
    raise InputError("the procedure needs SOAP encoding", found=call.operation)


def _element(space: str, name: str, inside: str) -> str:
    prefix, declared = ("n:", f' xmlns:n="{space}"') if space else ("", "")
    return f"<{prefix}{name}{declared}>{inside}</{prefix}{name}>"


def _with_block(sealed: Sealed, text: str) -> Sealed:
    """Return a fault with the block of section 3.2.10 in its Header."""
    root = etree.fromstring(sealed.body)
    header = etree.Element(ns.tag(ns.SOAP12, "Header"))
    root.insert(0, header)
    etree.SubElement(header, ns.tag(TESTS, f"{_COUNTRY}Fault")).text = text
    return frame.Sealed(
        status=sealed.status,
        content_type=sealed.content_type,
        body=etree.tostring(root, xml_declaration=True, encoding="utf-8"),
    )


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Serve the nodes over HTTP."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    if scope["path"].startswith("/soap/"):
        await GATEWAY(scope, receive, send)
        return
    root, more = b"", True
    while more:
        message = await receive()
        root += message.get("body", b"")
        more = message.get("more_body", False)
    sealed = await asyncio.to_thread(reply, root, headers_of(scope), NODES[scope["path"]])
    await send_sealed(send, sealed, {})


def main() -> None:
    """Serve until SIGTERM."""
    logs.configure("error")
    GuardedProtocol.proxies = Proxies()
    bound = server.listen("127.0.0.1", 0)
    port = bound.getsockname()[1]
    server.run(app, bound, ready=lambda: print(port, flush=True))  # noqa: T201 - for who started it


if __name__ == "__main__":
    main()
