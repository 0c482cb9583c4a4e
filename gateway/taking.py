"""Takes a message in a peer's own format: decodes it, stores its items, says what became of each.

One road for what a peer pushes to `POST /api/v1/inbox` and for what a source gave when it was
asked. An item that is refused is stored as it came and harms no other; a store that is busy refuses
the whole message, whose items that were stored get their first receipts when it comes again.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec
import structlog

from gateway import ingest
from gateway.adapter import Decoded, Inbound, Landed, Rejected, Verdict
from gateway.errors import BusyError, ConflictError, GatewayError, InternalError, ValidationError
from gateway.model.digest import canonical_json

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence
    from datetime import datetime

    from gateway.adapter import Wire
    from gateway.store.blobs import BlobDirectory
    from gateway.store.committer import Committer
    from gateway.store.entries import Accepted

    Decode = Callable[[Wire], Coroutine[Any, Any, Decoded]]

log = structlog.get_logger(__name__)

OPENS = frozenset({"submit", "expect"})
"""Operations that may come before others of their message: those speak of what these bring."""


AT_ONCE = 500
"""Items of one message that wait for the store together: 10,000 of them filled its queue, so that
the message could never be taken and others were told to come later."""
KEPT_APART = 1_000
"""Items of one message that were refused and are stored each by itself, at most."""


class Door(Protocol):
    """Where items go: into the store, with whatever the wire adds to them."""

    async def accept(self, inbound: Inbound, raw: bytes) -> Accepted:
        """Store one item; raise GatewayError."""
        ...

    async def keep(self, error: GatewayError, operation: str, raw: bytes) -> None:
        """Store as received what was refused; raise BusyError."""
        ...

    async def whole(self) -> None:
        """Store a message of several items as it came; raise BusyError."""
        ...


class StoreDoor:
    """The door of a message that no call waits for: straight to the committer.

    beside: what a replay of it needs besides the body (`gateway.notes.of_wire`).
    """

    def __init__(
        self,
        arrival: ingest.Arrival,
        committer: Committer,
        blobs: BlobDirectory,
        beside: Mapping[str, str],
    ) -> None:
        self._beside = beside
        self._arrival = arrival
        self._committer = committer
        self._blobs = blobs

    async def accept(self, inbound: Inbound, raw: bytes) -> Accepted:
        """Store one item."""
        return await self._committer.submit(ingest.entry(self._of(raw), inbound, self._blobs))

    async def keep(self, error: GatewayError, operation: str, raw: bytes) -> None:
        """Store what was refused."""
        await self._committer.submit(
            ingest.kept(self._of(raw), error, operation, self._blobs, self._beside)
        )

    async def whole(self) -> None:
        """Store the message."""
        await self._committer.submit(ingest.whole(self._arrival, self._blobs))

    def _of(self, raw: bytes) -> ingest.Arrival:
        return msgspec.structs.replace(self._arrival, body=raw)


async def take(
    wire: Wire,
    decode: Decode,
    door: Door,
    *,
    now: datetime,
    correlation: str,
    token: str = "",
) -> Verdict:
    """Decode a message, store what is in it, and return what became of it; raise BusyError."""
    message = Message(wire, door, now, correlation, token)
    return await store(message, await read(message, decode))


class Message(NamedTuple):
    """One message on its way in. token: the source's name for it, empty when it was pushed."""

    wire: Wire
    door: Door
    now: datetime
    correlation: str
    token: str = ""


async def read(message: Message, decode: Decode) -> Decoded | GatewayError:
    """Return what a message holds; what cannot be read is kept, and why is returned."""
    error: GatewayError
    try:
        return await decode(message.wire)
    except BusyError:
        raise
    except GatewayError as refused:
        error = refused
    except Exception as defect:
        log.exception("taking.defect", correlation=message.correlation)
        error = InternalError("the adapter failed on this message", where=type(defect).__name__)
    await message.door.keep(error, "submit", message.wire.body)
    return error


def opens(found: Decoded | GatewayError) -> bool:
    """Whether a message only brings what later ones may speak of."""
    return isinstance(found, Decoded) and all(item.operation in OPENS for item in found.items)


async def store(message: Message, found: Decoded | GatewayError) -> Verdict:
    """Store the items of a message that was read; raise BusyError."""
    if isinstance(found, GatewayError):
        items: tuple[Landed, ...] = (Landed(error=found),)
    else:
        items = await _land(message.wire, found, message.door)
    return Verdict(
        token=message.token, items=items, now=message.now, correlation=message.correlation
    )


async def _land(wire: Wire, decoded: Decoded, door: Door) -> tuple[Landed, ...]:
    alone = len(decoded.items) + len(decoded.rejected) == 1
    if not alone and not all(item.raw for item in decoded.items):
        await door.whole()
    first = [item for item in decoded.items if item.operation in OPENS]
    then = [item for item in decoded.items if item.operation not in OPENS]
    landed: dict[int, Landed] = {}
    parts = (part[n : n + AT_ONCE] for part in (first, then) for n in range(0, len(part), AT_ONCE))
    for items in parts:
        told = await asyncio.gather(
            *(_one(item, wire.body if alone else _raw(item), door) for item in items),
            return_exceptions=True,
        )
        for item, outcome in zip(items, told, strict=True):
            if isinstance(outcome, BaseException):
                raise outcome
            landed[id(item)] = outcome
    refused = await _reject(wire, decoded.rejected, door, alone=alone)
    return (*(landed[id(item)] for item in decoded.items), *refused)


def _raw(item: Inbound) -> bytes:
    """Return what is archived of one item of several: its own bytes, or else its canonical JSON."""
    return item.raw or canonical_json(msgspec.structs.replace(item, files=()))


async def _one(item: Inbound, raw: bytes, door: Door) -> Landed:
    key = item.external_id or item.message_key
    try:
        accepted = await door.accept(item, raw)
    except BusyError:
        raise
    except GatewayError as error:
        if not isinstance(error, ConflictError):  # the store has kept what contradicts it
            await door.keep(error, item.operation, raw)
        return Landed(operation=item.operation, key=key, error=error)
    return Landed(
        operation=item.operation,
        key=key,
        receipt_number=accepted.receipt_number,
        accepted_at=accepted.accepted_at,
        repeat=accepted.repeat,
    )


async def _reject(
    wire: Wire, rejected: Sequence[Rejected], door: Door, *, alone: bool
) -> list[Landed]:
    """Store what of a message could not be read, each item by itself unless there are many.

    A file of another system, taken for ours, is kept once and not line by line. Its replay reads
    all of it, and what was taken of it gets its first receipts.
    """
    errors = [_unread(one) for one in rejected]
    if len(rejected) > KEPT_APART:
        why = f"{len(rejected)} items cannot be read, the first of them so"
        await door.keep(ValidationError(why, rejected[0].violations), "submit", wire.body)
    else:
        for one, error in zip(rejected, errors, strict=True):
            raw = wire.body if alone else one.raw or one.where.encode()
            await door.keep(error, "submit", raw)
    return [Landed(where=error.where, operation="submit", error=error) for error in errors]


def _unread(rejected: Rejected) -> ValidationError:
    error = ValidationError("the item cannot be read", rejected.violations)
    error.where = rejected.where
    return error
