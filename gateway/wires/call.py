"""One SOAP call, from its first byte to its answer, around the pure engine of `gateway.soap`.

It goes through five steps: who calls, by HTTP and TLS; the envelope; who calls, by its Security
header, where the peer proves itself there; the rest of the package; the operation. A small body is
opened, decoded and turned into rows on the event loop, because a hop to a thread costs more than
the work; large bodies go to a thread (docs/adr/0003). Every fault is HTTP 500 with a typed detail,
except a missing or wrong credential of HTTP: that is a 401 with a challenge, which WCF, 1С, PHP and
JAX-WS answer with HTTP Basic by themselves.
"""

from __future__ import annotations

import asyncio
import re
import traceback
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
import structlog
from lxml import etree

from gateway.access.keys import CHALLENGE
from gateway.access.policy import Caller
from gateway.errors import (
    WIRE,
    AccessError,
    BusyError,
    GatewayError,
    InputError,
    SecurityError,
    TooLargeError,
)
from gateway.limits import INLINE_DECODE_BYTES, STRANGER_SECONDS
from gateway.soap import envelope, faults, frame, security
from gateway.wires import service
from gateway.wires.appeals import InvalidError
from gateway.wires.edge import Gone, address_of, correlation_of
from gateway.wires.receiving import Incoming
from gateway.wires.replies import require_reachable
from gateway.wires.room import as_it_came
from gateway.wires.sending import send_package, send_sealed, takes_package

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lxml.etree import _Element

    from gateway.access.policy import Stranger
    from gateway.adapter import File
    from gateway.metrics import Metrics
    from gateway.soap.security import Proof
    from gateway.soap.splitter import Part
    from gateway.wires.edge import Edge
    from gateway.wires.endpoint import Endpoint
    from gateway.wires.room import Body

log = structlog.get_logger(__name__)

_PASSWORD: Final = re.compile(
    rb"(<(?:[\w.\-]+:)?Password(?=[\s>])(?![^>]*#PasswordDigest)[^>]*>)[^<]*+(?=</)"
)
"""Of a UsernameToken, in an encoding that spells its marks as ASCII does."""
_BODY: Final = re.compile(rb"<(?:[\w.\-]+:)?Body[\s>]")
WIRES: Final = {"1.1": "soap11", "1.2": "soap12"}
HEAD_BYTES: Final = 200
"""Enough of a document to see its encoding."""
T = TypeVar("T")


class Exchange:
    """One call and its answer. package_bytes: what a package may have in all."""

    def __init__(
        self,
        edge: Edge,
        endpoint: Endpoint,
        scope: Any,
        headers: Mapping[str, str],
        receive: Any,
        package_bytes: int,
    ) -> None:
        self._package_bytes = package_bytes
        self._edge = edge
        self._endpoint = endpoint
        self._scope = scope
        self._headers = headers
        self._receive = receive
        self._correlation = correlation_of(headers)
        self._extra = {"correlation-id": self._correlation}
        self._address = address_of(scope)
        self._operation = "?"
        self._root = b""
        self._peer = ""
        self._frame: frame.Frame | None = None
        self._packed = False
        self._files: tuple[File, ...] = ()

    async def run(self, send: Any, metrics: Metrics) -> None:
        """Answer the call."""
        code, held = "", None
        try:
            found = await self._edge.knock(self._scope, self._headers, self._correlation)
            self._peer = found.peer if isinstance(found, Caller) else ""
            held = self._room(found)
            incoming = await self._receive_root(found, held)
            code, sealed = await self._carry_out(*await self._open(found, incoming))
        except Gone:
            metrics.call("soap", self._operation, "gone")
            return
        except GatewayError as error:
            code, sealed = error.code, await self._refused(error)
            self._extra |= _hints(error)
            if isinstance(error, AccessError) and error.challenge:
                sealed = msgspec.structs.replace(sealed, status=WIRE[error.code].challenge)
            _forget(error)
        except Exception as error:
            log.exception("soap.defect", correlation=self._correlation)
            code = "internal"
            sealed = await self._refused(service.unexpected(error))
        finally:
            if held is not None:
                held.free()
        metrics.call("soap", self._operation, code)
        if sealed.content_type and (self._packed or self._files):
            blobs = self._edge.service.blobs
            await send_package(send, self._receive, sealed, self._files, blobs, self._extra)
            return
        await send_sealed(send, sealed, self._extra, self._headers.get("accept-encoding", ""))

    def _room(self, found: Caller | Stranger) -> Body:
        """Return the count of the body: in the room of its peer, or of strangers at its address."""
        if found.peer:
            return self._edge.room.body(found.peer)
        return self._edge.room.strangers.body(self._address)

    async def _receive_root(self, found: Caller | Stranger, held: Body) -> Incoming:
        """Take the envelope; of a stranger whom it is too long or too slow for, ask who he is.

        He may prove himself in it: where there is no room for it, he is told to come again.
        """
        if found.peer:
            incoming = self._incoming(found, held)
            self._root = await incoming.root()
        else:
            try:
                async with asyncio.timeout(STRANGER_SECONDS):
                    self._receive = as_it_came(self._receive, self._headers, held, found.root_bytes)
                    incoming = self._incoming(found, held)
                    self._root = await incoming.root()
            except (InputError, TimeoutError):
                await self._edge.prove(found, None, self._scope, self._correlation)
                raise
        self._headers, self._packed = incoming.headers, incoming.form == "xop"
        return incoming

    def _incoming(self, found: Caller | Stranger, held: Body) -> Incoming:
        return Incoming(self._receive, self._headers, held, found.root_bytes, self._package_bytes)

    async def _open(
        self, found: Caller | Stranger, incoming: Incoming
    ) -> tuple[Any, envelope.Call, service.Context]:
        """Open and decode the call: the request, and what it came with."""
        context = self._context(found)
        opening = self._opening(context)
        try:
            here = self._here(self._root)
            if here:
                opened = envelope.read(self._root, self._headers, opening)
            else:
                opened = await self._beside(envelope.read, self._root, self._headers, opening)
            self._frame = opened.frame
            proof = None
            if opened.secured or not isinstance(found, Caller) or found.proves_in_message:
                proof = await self._prove(opened, opening, found, context, incoming)
            if context.caller.answers or proof is not None:
                opened = self._protected(opened, proof, context)
            if opened.frame.addressing is not None:
                await self._require_way_back(opened.frame, context.caller)
            context.packs = self._packs(opened, context)
            files = _NO_FILES
            if incoming.packed:
                files = await self._receive_files(incoming, opened, context)
            try:
                if here:
                    call, request = self._accept(opened, files, opening, proof)
                else:
                    call, request = await self._beside(self._accept, opened, files, opening, proof)
            except InvalidError:
                # It is parsed again: names that nobody knows are left behind in the thread.
                await self._beside(self._endpoint.explain, opened)
                raise
        except InputError as error:
            if not context.caller.peer:
                # Nobody whom we know: he is asked who he is, and learns nothing else.
                await self._edge.prove(found, None, self._scope, self._correlation)
            if self._root:
                self._edge.parsing.judged(context.caller.peer, len(self._root), taken=False)
                await self._edge.service.keep(context, error, "?")
            raise
        self._edge.parsing.judged(context.caller.peer, len(self._root), taken=True)
        self._edge.parsing.took(context.caller.peer, self._root)
        self._operation = call.operation
        context.encoding = call.frame.encoding
        # The tree goes with this place, before the call waits for its commit: those of 64 waiting
        # calls push everything else out of the processor's cache.
        return request, call, context

    async def _carry_out(
        self, request: Any, call: envelope.Call, context: service.Context
    ) -> tuple[str, frame.Sealed]:
        """Do what is asked: the code of the fault, if any, and the answer.

        A fault of the call itself is sealed in the call's own frame.
        """
        answering = self._endpoint.answer(request, call, context)
        del request
        try:
            reply = await answering
        except GatewayError as error:
            self._extra |= _hints(error)
            typed = self._endpoint.fault(error, self._correlation)
            sealed = faults.seal_fault(error, call.frame, self._correlation, typed)
            _forget(error)
            return error.code, await self._directed(sealed, call, context, fault=True)
        self._files = context.files
        if context.repeat:
            self._extra["gateway-repeat"] = "true"
        sealed = envelope.seal(reply, call)
        if call.frame.addressing is not None:
            sealed = await self._directed(sealed, call, context, fault=False)
        return "", sealed

    async def _require_way_back(self, asked: frame.Frame, caller: Caller) -> None:
        """Raise AddressingError or BusyError when an answer could not go where it is wanted."""
        require_reachable(asked, caller)
        if self._edge.replies is not None:
            await self._edge.replies.require_room(asked, caller)

    async def _directed(
        self,
        sealed: frame.Sealed,
        call: envelope.Call,
        context: service.Context,
        *,
        fault: bool,
    ) -> frame.Sealed:
        """Return what goes back on the connection."""
        if call.frame.addressing is None or self._edge.replies is None:
            return sealed
        return await self._edge.replies.directed(
            sealed, call.frame, context.caller, context.now, fault=fault
        )

    async def _prove(
        self,
        opened: envelope.Opened,
        opening: envelope.Context,
        found: Caller | Stranger,
        context: service.Context,
        incoming: Incoming,
    ) -> Proof | None:
        """Find out by the Security header who calls; a refusal is recorded."""
        try:
            turn = self._edge.proving.turn(self._sender(found, opened, opening), len(self._root))
            await incoming.inline_signed(
                opened, self._edge.service.blobs, opening, turn, self._edge.room
            )
            proof = await turn.run(envelope.prove, opened, opening)
            if proof is not None and proof.seen:
                self._edge.proving.spent(proof.seen, context.now)
        except SecurityError as error:
            claimed = found.peer or security.claimed(opened.blocks, opening.keys)
            self._edge.refused(error, security.why(error), self._scope, self._correlation, claimed)
            raise security.veiled(error) from error
        context.caller = await self._edge.prove(found, proof, self._scope, self._correlation)
        return proof

    def _sender(
        self, found: Caller | Stranger, opened: envelope.Opened, opening: envelope.Context
    ) -> str:
        """Return whom a proof is counted for: who names another's certificate, at his address."""
        if found.peer:
            return found.peer
        return f"{self._address} {security.named(opened.blocks, opening.keys)}"

    def _opening(self, context: service.Context) -> envelope.Context:
        return envelope.Context(
            now=context.now,
            service=self._endpoint.service,
            keys=self._edge.gate.keys,
            seen=self._edge.gate.seen,
            secure_wire=self._edge.secure(self._scope),
            algorithms=self._edge.algorithms,
        )

    def _protected(
        self, opened: envelope.Opened, proof: Proof | None, context: service.Context
    ) -> envelope.Opened:
        """Return the request with what its answer, or its fault, has to carry of WS-Security."""
        answers = context.caller.answers
        # WCF and Metro want a Timestamp in the answer to a message that has one.
        if not answers and not (proof is not None and proof.timestamp):
            return opened
        signer = self._edge.signer if answers == "signature" else None
        if signer is not None and context.caller.untimed:
            signer = msgspec.structs.replace(signer, profile="smev2")
        protect = partial(security.sign_envelope, signer=signer, now=context.now)
        self._frame = msgspec.structs.replace(opened.frame, protect=protect)
        return msgspec.structs.replace(opened, frame=self._frame)

    async def _receive_files(
        self, incoming: Incoming, opened: envelope.Opened, context: service.Context
    ) -> Mapping[_Element, Part]:
        """Store what comes behind the envelope; what came of it stays with a refused message."""
        try:
            return await incoming.rest(
                opened.body,
                self._endpoint.service.files,
                self._edge.service.blobs,
                context.caller.peer,
            )
        finally:
            context.parts = incoming.parts

    def _packs(self, opened: envelope.Opened, context: service.Context) -> bool:
        """Whether a file may go out beside the envelope: asked for, on this connection, unsigned.

        A signature is over the base64 of a file, so a signed answer holds that.
        """
        found = opened.frame.addressing
        return (
            (self._packed or takes_package(self._headers.get("accept", "")))
            and (found is None or found.target(fault=False) is None)
            and context.caller.answers != "signature"
        )

    def _context(self, found: Caller | Stranger) -> service.Context:
        content_type = self._headers.get("content-type", "")
        wire = WIRES[frame.announced(content_type)]
        caller = found if isinstance(found, Caller) else _NOBODY
        root = _without_password(self._root)
        return self._edge.context(
            caller, wire, self._correlation, root, content_type, self._address
        )

    def _accept(
        self,
        opened: envelope.Opened,
        files: Mapping[_Element, Part],
        opening: envelope.Context,
        proof: Proof | None,
    ) -> tuple[envelope.Call, Any]:
        call = envelope.accept(opened, {}, opening, proof, files)
        request = self._endpoint.read(call)
        return msgspec.structs.replace(call, body=_READ, blocks=(), files={}), request

    def _here(self, read: bytes) -> bool:
        """Whether work on it is done on the event loop: it is small and its sender known.

        A large document would hold up the others; what strangers send, and who had much refused,
        leaves names behind in the thread that parses it (`gateway.wires.parsing`).
        """
        return len(read) <= INLINE_DECODE_BYTES and self._edge.parsing.trusts(self._peer)

    async def _beside(self, work: Callable[..., T], *arguments: Any) -> T:
        """Do work on the envelope in a thread."""
        return await self._edge.parsing.run(len(self._root), work, *arguments)

    async def _refused(self, error: GatewayError) -> frame.Sealed:
        """Seal a fault for what could not be carried out; it goes back on the connection.

        In the frame of the call when its envelope was read; else the frame is made out from what
        came, except of a document that is too large to be looked at twice.
        """
        if self._frame is not None:
            found = frame.here(self._frame)
        else:
            seen = self._root[:HEAD_BYTES] if isinstance(error, TooLargeError) else self._root
            if self._here(seen):
                found = frame.of_request(seen, self._headers)
            else:
                found = await self._edge.parsing.run(
                    len(seen), frame.of_request, seen, self._headers
                )
        typed = self._endpoint.fault(error, self._correlation)
        return faults.seal_fault(error, found, self._correlation, typed)


_NOBODY: Final = Caller(peer="")
_NO_FILES: Final[Mapping[_Element, Part]] = MappingProxyType({})
_READ: Final = etree.Element("read")
"""Stands for a body that was read."""


def _forget(error: BaseException | None) -> None:
    """Let go of what the places that a refusal came through hold: the document, twice.

    Some of them hold the refusal itself, and what is in a cycle waits for the collector of garbage.
    """
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__


def _hints(error: GatewayError) -> dict[str, str]:
    """Return what HTTP says of an error beside the fault."""
    if isinstance(error, AccessError) and error.challenge:
        return {"www-authenticate": CHALLENGE}
    return {"retry-after": str(error.retry_after)} if isinstance(error, BusyError) else {}


def _without_password(root: bytes) -> bytes:
    """Return an envelope as it is archived: a password in it is a key of ours in plain text.

    It is no part of what was said, and no replay wants it.
    """
    if b"UsernameToken" not in root:
        return root
    body = _BODY.search(root)  # the Body is the sender's own and is kept as it came
    at = body.start() if body else len(root)
    return _PASSWORD.sub(rb"\1***", root[:at]) + root[at:]
