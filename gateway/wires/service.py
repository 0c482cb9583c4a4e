"""The operations of the contract, once for every wire: a request in, its response out.

SOAP, REST in JSON and REST in XML all come here, so both wires work on the same data. Writes end in
the committer; reads run in a thread, because the store is synchronous (docs/adr/0003).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any, cast

import msgspec
import structlog

from gateway import __version__, contracts, ingest, limits, ns, xml
from gateway.access.policy import Caller
from gateway.adapter import File
from gateway.errors import (
    WIRE,
    GatewayError,
    InputError,
    InternalError,
    ValidationError,
    Violation,
    violations_of,
)
from gateway.soap import envelope
from gateway.soap.faults import message_of
from gateway.soap.splitter import Part
from gateway.store.readings import Origin
from gateway.wires import binding, canonical, reported
from gateway.wires import contract as c
from gateway.wires import files as contract_files
from gateway.wires.allowance import Allowance
from gateway.wires.parsing import ShortTurns
from gateway.wires.room import ANSWER
from gateway.wires.spool import on_disk

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.adapter import Inbound
    from gateway.store.blobs import BlobDirectory
    from gateway.store.committer import Committer
    from gateway.store.entries import Accepted, AppealName, Entry
    from gateway.wires.reader import Reader

log = structlog.get_logger(__name__)


class Context(msgspec.Struct, kw_only=True):
    """What a wire knows of a call besides its content. body: the bytes to be archived.

    address: of the caller in the network, empty where the wire does not tell it.
    encoding: of an answer in XML, which goes by it when it must stay under a size.
    beside: what stands outside the body and a replay needs, by name (`gateway.rest.decode.beside`).
    parts: of a package, what came beside its envelope, by Content-ID. packs: an answer may be a
    package, so that a file in it may stand as `File` (`gateway.wires.parts`). files: those of the
    answer, set by whoever makes it.
    repeat: set by the service when the call was understood as a repeat; the receipt itself is the
    first one's, so the wire says it in the header `Gateway-Repeat`.
    """

    caller: Caller
    wire: str
    correlation: str
    now: datetime
    body: bytes
    media_type: str
    address: str = ""
    encoding: str = xml.UTF8
    beside: dict[str, str] = {}
    parts: Mapping[str, Part] = {}
    packs: bool = False
    files: tuple[File, ...] = ()
    repeat: bool = False


class Service:
    """Carries out operations; `call` is the only door.

    blobs: where parts of a package go before the call that they belong to is made.
    """

    def __init__(
        self,
        committer: Committer,
        blobs: BlobDirectory,
        reader: Reader,
        *,
        contract_sha256: str,
    ) -> None:
        self._committer = committer
        self.blobs = blobs
        self._reader = reader
        self._contract_sha256 = contract_sha256
        self.refused = Allowance(limits.REFUSED_OF_DAY_BYTES)
        # Two: one hashes or waits for the disk while the other works. Each more would have its turn
        # of the interpreter before the event loop gets one.
        self._builders = ThreadPoolExecutor(2, thread_name_prefix="build")
        self._writes: dict[type, Callable[[Any, Context], Awaitable[Any]]] = {
            c.SubmitAppeal: self._submit,
            c.SubmitAppeals: self._submit_many,
            c.AmendAppeal: self._amend,
            c.WithdrawAppeal: self._withdraw,
            c.SubmitStatus: self._status,
            c.SubmitAnswer: self._answer,
            c.AttachFile: self._attach,
        }

    async def call(self, request: c.Request, context: Context) -> c.Response:
        """Return the response of the operation that the request belongs to; raise GatewayError."""
        if isinstance(request, c.Ping):
            return c.PingResponse(
                server_time=context.now,
                version=__version__,
                peer_code=context.caller.peer,
                contract_sha256=self._contract_sha256,
            )
        write = self._writes.get(type(request))
        if write is not None:
            # The calls that one turn of the loop opened are built in the next one: a processor's
            # caches do not hold the code of both (docs/adr/0003).
            await asyncio.sleep(0)
            operation, writing = type(request).__name__, write(request, context)
            del request  # what was read need not stay in memory until the commit
            try:
                response: c.Response = await writing
            except InputError as error:
                await self.keep(context, error, operation)
                raise
            return response
        if isinstance(request, c.ResolveAddress) and context.wire == "rest":
            request = _at_length(request)
        read: c.Response = await asyncio.to_thread(
            self._reader.read,
            request,
            context.caller,
            context.encoding,
            packs=context.packs,
            origin=Origin(context.address, context.correlation),
        )
        if isinstance(read, c.GetAttachmentResponse):
            _hold(read, context.caller)
        return read

    async def keep(self, context: Context, error: GatewayError, operation: str) -> None:
        """Store as received what could not be decoded, so that it can be replayed after a fix.

        Past what a peer may have refused in a day, only its beginning. Raise BusyError when there
        is no room for it.
        """
        peer, size, most = context.caller.peer, len(context.body), None
        if not self.refused.spend(peer, size) and size > limits.KEPT_BYTES:
            most = limits.KEPT_BYTES
            log.warning(
                "messages.cut", peer=peer, bytes=size, kept=most, correlation=context.correlation
            )
        entry = await self._build(
            lambda: ingest.kept(
                _arrival(context), error, operation, self.blobs, context.beside, most
            ),
            size if most is None else min(size, limits.BODY_IN_ROW_BYTES),
        )
        await self._committer.submit(entry)

    async def _submit(self, request: c.SubmitAppeal, context: Context) -> c.SubmitAppealResponse:
        accepting = self._accept(canonical.submission(request.appeal), context)
        del request
        return c.SubmitAppealResponse(receipt=await accepting)

    async def _submit_many(
        self, request: c.SubmitAppeals, context: Context
    ) -> c.SubmitAppealsResponse:
        taken = []
        for index, item in enumerate(request.items):
            taken.append(asyncio.ensure_future(self._one_of_many(index, item, context)))
            await asyncio.sleep(0)  # a hundred large items in one turn would hold up the others
        return c.SubmitAppealsResponse(items=tuple(await asyncio.gather(*taken)))

    async def _one_of_many(self, index: int, item: c.AppealIn, context: Context) -> c.SubmitResult:
        """Take one item; its fault is its own. What is archived of it is its own JSON."""
        archived, parts = contract_files.by_reference(item)
        own = msgspec.structs.replace(
            context,
            body=msgspec.json.encode(archived),
            media_type="application/json",
            beside={},
            parts=parts,
        )
        try:
            receipt = await self._accept(canonical.submission(item), own)
        except GatewayError as error:
            if isinstance(error, InputError):
                await self.keep(own, error, "SubmitAppeal")
            return c.SubmitResult(
                index=index, external_id=item.external_id, error=item_error(error)
            )
        return c.SubmitResult(index=index, external_id=item.external_id, receipt=receipt)

    async def _amend(self, request: c.AmendAppeal, context: Context) -> c.AmendAppealResponse:
        for name, mine, theirs in (
            ("ExternalId", request.external_id, request.appeal.external_id),
            ("Revision", request.revision, request.appeal.revision),
        ):
            if mine != theirs and not (name == "Revision" and theirs == 1):
                message = f"{name} of the call and of the appeal differ"
                raise ValidationError(
                    message, (Violation(name, "disagrees", message, str(theirs), str(mine)),)
                )
        given = msgspec.structs.replace(request.appeal, revision=request.revision)
        inbound = canonical.submission(given, "amend", request.reason or "")
        return c.AmendAppealResponse(receipt=await self._accept(inbound, context))

    async def _withdraw(
        self, request: c.WithdrawAppeal, context: Context
    ) -> c.WithdrawAppealResponse:
        inbound = reported.withdrawal(request)
        return c.WithdrawAppealResponse(receipt=await self._accept(inbound, context))

    async def _status(self, request: c.SubmitStatus, context: Context) -> c.SubmitStatusResponse:
        inbound = reported.report(request.report)
        return c.SubmitStatusResponse(receipt=await self._accept(inbound, context))

    async def _answer(self, request: c.SubmitAnswer, context: Context) -> c.SubmitAnswerResponse:
        inbound = reported.answer(request.answer)
        return c.SubmitAnswerResponse(receipt=await self._accept(inbound, context))

    async def _attach(self, request: c.AttachFile, context: Context) -> c.AttachFileResponse:
        inbound = canonical.attachment(request)
        digest = inbound.files[0].sha256
        del request
        accepting = self._accept(inbound, context)
        del inbound
        await accepting
        return c.AttachFileResponse(attachment_id=digest, sha256=digest)

    async def _accept(self, inbound: Inbound, context: Context) -> c.Receipt:
        message_key = inbound.message_key
        accepting = self.accept(inbound, context)
        del inbound
        return receipt(await accepting, message_key)

    async def accept(self, inbound: Inbound, context: Context) -> Accepted:
        """Store one decoded item and return its receipt once it is durable; raise GatewayError."""
        build = partial(ingest.entry, _arrival(context), inbound, self.blobs)
        del inbound
        entry = await self._build(build, len(context.body))
        del build
        accepted = await self._committer.submit(entry)
        context.repeat = accepted.repeat
        return accepted

    async def whole(self, context: Context) -> None:
        """Store a message of several items as it came."""
        build = partial(ingest.whole, _arrival(context), self.blobs)
        await self._committer.submit(await self._build(build, len(context.body)))

    async def _build(self, build: Callable[[], Entry], size: int) -> Entry:
        """Make the rows inline for small bodies: a thread hop costs more than the work."""
        if size <= limits.INLINE_DECODE_BYTES:
            return build()
        if size > limits.BODY_IN_ROW_BYTES:
            await on_disk(self.blobs.require_room, size)
        with ShortTurns():
            return await asyncio.get_running_loop().run_in_executor(self._builders, build)


class ServiceDoor:
    """The door of a message in a peer's own format that a call waits for (`gateway.taking`)."""

    def __init__(self, service: Service, context: Context) -> None:
        self._service = service
        self._context = context

    async def accept(self, inbound: Inbound, raw: bytes) -> Accepted:
        """Store one item."""
        return await self._service.accept(inbound, self._of(raw))

    async def keep(self, error: GatewayError, operation: str, raw: bytes) -> None:
        """Store what was refused."""
        await self._service.keep(self._of(raw), error, operation)

    async def whole(self) -> None:
        """Store the message as it came."""
        await self._service.whole(self._context)

    def _of(self, raw: bytes) -> Context:
        return msgspec.structs.replace(self._context, body=raw)


def hold(caller: Caller, size: int) -> None:
    """Count a long answer until it was read; raise BusyError when there is no room for it.

    size: bytes of it that stand in memory.
    """
    held = ANSWER.get()
    if held is not None and size > limits.LARGE_ANSWER_BYTES:
        held.claim(caller.peer, size)


def _at_length(request: c.ResolveAddress) -> c.ResolveAddress:
    """Let answers by REST be long: the default is there for clients of SOAP."""
    return msgspec.structs.replace(
        request, max_bytes=request.max_bytes or limits.RESPONSE_BYTES_MAX
    )


def _hold(read: c.GetAttachmentResponse, caller: Caller) -> None:
    """Count a file that will stand in its answer as base64, before it does."""
    content = cast("Any", read.content)
    hold(caller, 2 * len(content) if isinstance(content, bytes) else 0)


@cache
def appeals_service() -> envelope.Service:
    """Return the operations and validator of the contract, as the SOAP engine wants them."""
    return envelope.Service(
        actions={ns.tag(ns.APPEALS, name): op.action for name, op in c.OPERATIONS.items()},
        validate=contracts.appeals().validate,
        files=frozenset(binding.FILES),
    )


def receipt(accepted: Accepted, message_key: str = "") -> c.Receipt:
    """Return the receipt of the contract; the same for a repeat, byte for byte."""
    return c.Receipt(
        receipt_number=accepted.receipt_number,
        external_id=accepted.external_id or None,
        revision=accepted.revision or None,
        accepted_at=accepted.accepted_at,
        content_sha256=accepted.content_sha256.hex(),
        message_key=message_key or None,
    )


def item_error(error: GatewayError) -> c.ItemError:
    """Return an error as the item of a package carries it."""
    return c.ItemError(
        code=error.code,
        message=error.message,
        retry=error.retry,
        errors=field_errors(error) or _alone(error),
        receipt_number=getattr(error, "receipt_number", "") or None,
    )


def field_errors(error: GatewayError) -> tuple[c.FieldError, ...]:
    """Return the violations of an error in the contract's form, none when it has none."""
    return tuple(map(_field_error, getattr(error, "violations", ())))


def _alone(error: GatewayError) -> tuple[c.FieldError, ...]:
    """The one place of a sender's error that names no field, as SOAP tells it too."""
    if not isinstance(error, InputError):
        return ()
    return tuple(map(_field_error, violations_of(error)))


def _field_error(violation: Violation) -> c.FieldError:
    return c.FieldError(
        path=violation.path,
        line=violation.line or None,
        code=violation.code,
        found=violation.found or None,
        expected=violation.expected or None,
        message=violation.message,
    )


def fault(error: GatewayError, correlation: str) -> c.Fault:
    """Return the typed fault of an error, the same on every XML wire (model.md §2)."""
    kind = c.FAULTS[WIRE.get(error.code, WIRE["internal"]).fault]
    given: dict[str, Any] = {
        "code": error.code,
        "message": message_of(error),
        "correlation_id": correlation,
        "errors": field_errors(error) or _alone(error),
        "receipt_number": getattr(error, "receipt_number", None) or None,
        "existing_sha256": getattr(error, "existing_sha256", None) or None,
        "existing_revision": getattr(error, "existing_revision", None) or None,
        "current_state": getattr(error, "current_state", None) or None,
        "allowed_events": getattr(error, "allowed_events", ()),
        "retry_after_seconds": getattr(error, "retry_after", 5),
    }
    names = {field.name for field in msgspec.structs.fields(kind)}
    return kind(**{name: value for name, value in given.items() if name in names})


def unexpected(error: Exception) -> GatewayError:
    """Turn a defect into an error that tells a peer nothing of our inside."""
    return InternalError(
        "the gateway failed on this call; it was logged", where=type(error).__name__
    )


def name_of(key: c.AppealKey) -> AppealName:
    """Return how a key names its appeal, for the store."""
    return ingest.name(canonical.key(key))


def _arrival(context: Context) -> ingest.Arrival:
    return ingest.Arrival(
        peer=context.caller.peer,
        wire=context.wire,
        correlation=context.correlation,
        now=context.now,
        body=context.body,
        media_type=context.media_type,
        test=context.caller.test,
        parts={cid: contract_files.beside(part) for cid, part in context.parts.items()},
    )
