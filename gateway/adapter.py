"""The contract of an adapter: what a system must offer to be spoken to, and what it is given.

Three small protocols; an adapter's `manifest.toml` says which apply (docs/howto/adapter.md).

- `Codec` maps bytes to the canonical model and back. Pure and total: hostile bytes raise only
  `GatewayError`; what is not mapped goes to `extras` and comes back in the same format.
- `Channel` talks to the system: delivers, answers what became of a delivery, lists what it holds.
- `Source` is asked for what it has for us: a feed with a cursor, an inbox, a folder, a queue.
- `Answering` says in the peer's own form what became of a message that the peer pushed to us.
- `Server` speaks a public protocol of its own at an address of its own (Open311).
- `Directory` looks things up (ЕСИА, ФИАС).

Mapping and talking are separate files: `decode.py`, `encode.py` import no driver and no network.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import datetime
from time import monotonic
from typing import Any, Final, Literal, Protocol, runtime_checkable

import msgspec

from gateway.errors import GatewayError, Violation
from gateway.model.appeal import Appeal
from gateway.model.attachment import AttachedFile
from gateway.model.events import Event, PeerReport

SENT_AT: Final = "x-sent-at"
"""Header of a wire given to `settle`, never sent: ISO instant at which the send in doubt began."""


class Wire(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes as they stand, or will stand, on a wire.

    `name` is a file name when the wire is a file, otherwise empty. `headers` are lower-cased.
    """

    media_type: str
    body: bytes
    name: str = ""
    headers: Mapping[str, str] = {}


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes that lie in the store already, in a row or in the blob directory.

    sha256: hex of the bytes, by which they are found. size: how many they are. start: the first of
    them, by which a file shows what it is; empty where nobody has looked at the bytes.
    """

    sha256: str
    size: int
    start: bytes = b""


class File(msgspec.Struct, frozen=True, kw_only=True):
    """One attachment; the model refers to it by `sha256` (hex of the bytes).

    data: its bytes, or where they lie when they were too many to hold in memory.
    """

    sha256: str
    media_type: str
    name: str
    data: bytes | Stored

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return self.data.size if isinstance(self.data, Stored) else len(self.data)


class Inbound(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a peer told us, decoded.

    The idempotency key is (peer, operation, external_id, revision) for `submit` and `amend`, and
    (peer, operation, message_key) for the rest (design §6). `appeal` is set for submit and amend,
    `report` for status, answer and withdraw, `attached` for attach (its bytes are the one of
    `files`), `expectation` for a line of a peer's own list.
    reason: of an amendment, in the sender's words; kept, but no part of the content's digest.
    raw: the item's own bytes, where the message held several; empty: the whole message.
    """

    operation: Literal["submit", "amend", "withdraw", "status", "answer", "attach", "expect"]
    external_id: str = ""
    revision: int = 1
    message_key: str = ""
    reason: str = ""
    appeal: Appeal | None = None
    report: PeerReport | None = None
    attached: AttachedFile | None = None
    expectation: RemoteState | None = None
    files: tuple[File, ...] = ()
    raw: bytes = b""


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """One item of a package or one row of a table that could not be decoded; the rest lands.

    where: member of a zip, row number of a table (1-based, header included), or JSON Pointer.
    """

    where: str
    violations: tuple[Violation, ...]
    raw: bytes = b""


class Decoded(msgspec.Struct, frozen=True, kw_only=True):
    """What one wire message held: a single document, a package, or a table."""

    items: tuple[Inbound, ...]
    rejected: tuple[Rejected, ...] = ()


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """One message that a source gave. token: names it to `acknowledge`; unique within a batch."""

    wire: Wire
    token: str


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """What a source gave at one asking.

    cursor: where to go on next time, kept by the gateway once everything is stored and told; a
    source that needs none (a folder, a queue) gives the one that it got. more: there is more at
    once.
    """

    messages: tuple[Taken, ...]
    cursor: str = ""
    more: bool = False


class Landed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one item of a message: its receipt, or why it was not taken.

    where: as in `Rejected`, empty for a message of one item. key: the item's external id or
    message key as it was decoded, empty when it was not. error: None when the item is stored and
    applied to; what was refused is stored too, as it came. repeat: the receipt is that of the first
    time.
    """

    where: str = ""
    operation: str = ""
    key: str = ""
    receipt_number: str = ""
    accepted_at: datetime | None = None
    repeat: bool = False
    error: GatewayError | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one message, after the commit.

    now: instant of the verdict. correlation: by which the message is found here.
    """

    token: str
    items: tuple[Landed, ...]
    now: datetime
    correlation: str = ""

    @property
    def error(self) -> GatewayError | None:
        """The first reason why something of the message was not taken."""
        return next((item.error for item in self.items if item.error is not None), None)


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a pushed message, as it leaves. headers are lower-cased."""

    status: int
    media_type: str
    body: bytes
    headers: Mapping[str, str] = {}


class EncodeContext(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an encoder may know besides the appeal and the event.

    now: the instant of encoding; where there is an event nothing may depend on it, since an attempt
    made again has to be the same bytes. key: idempotency key of the delivery, the same for every
    attempt; empty outside dispatch. files: attachment bytes by sha256 hex, already read.
    peer: code of the destination. own: the event is what became of the destination's own report,
    which message_key names. letter: id of the letter that the event tells of, the same in every
    channel.
    organisation_ids: our organisation id → {system: value} (`{"sstu": "<GUID>"}`), so that an
    encoder can name a body by the peer's own identifier. options: the peer's `[options]` table.
    """

    now: datetime
    key: str = ""
    peer: str = ""
    own: bool = False
    message_key: str = ""
    letter: str = ""
    files: Mapping[str, bytes] = {}
    organisation_ids: Mapping[str, Mapping[str, str]] = {}
    options: Mapping[str, Any] = {}


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What the peer said when it took a delivery.

    final: True when the peer's word settles it, False when an acknowledgement is still due
    (state `sent` until `ack_due`). reference: the peer's own number. body: its reply, verbatim.
    refused: given by `settle` alone: why the peer, which had taken it, has said no in the end.
    """

    final: bool
    status: int = 0
    reference: str = ""
    body: bytes = b""
    at: datetime | None = None
    refused: str = ""


class RemoteState(msgspec.Struct, frozen=True, kw_only=True):
    """How one appeal looks at the peer, in the peer's own words.

    key: the number both sides know, as the peer spells it; key_folded: the same, homoglyph-folded.
    states: question code or ordinal → the peer's state word. digest: content digest when the peer
    can tell it. stages: received / forwarded / uploaded instants of ССТУ §1.6, where present.
    """

    key: str
    key_folded: str
    organisation: str = ""
    states: Mapping[str, str] = {}
    digest: str = ""
    modified_at: datetime | None = None
    reported_on: str = ""
    stages: Mapping[str, datetime | None] = {}
    exception_message: str = ""
    raw: bytes = b""


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of a probe: reachable or not, in how many seconds, and what to do when not."""

    ok: bool
    seconds: float
    detail: str = ""
    todo: str = ""

    @classmethod
    def of(cls, ask: Callable[[], str], todo: str) -> Health:
        """Ask the peer, which returns a detail or raises GatewayError.

        todo: what to do then, unless the error says it.
        """
        begun = monotonic()
        try:
            detail = ask()
        except GatewayError as error:
            seconds, todo = monotonic() - begun, error.todo or todo
            return cls(ok=False, seconds=seconds, detail=str(error), todo=todo)
        return cls(ok=True, seconds=monotonic() - begun, detail=detail)


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """Half-open interval [start, end) of instants that a reconciliation looks at."""

    start: datetime
    end: datetime


@runtime_checkable
class Codec(Protocol):
    """Maps bytes to the canonical model and back, without clock, network or database."""

    def decode(self, wire: Wire) -> Decoded:
        """Return everything in the message; raise only `GatewayError` when nothing can be read."""
        ...

    def encode(self, appeal: Appeal, event: Event | None, ctx: EncodeContext) -> Wire:
        """Return the bytes to send; raise `ValidationError` naming every rule that is broken."""
        ...


@runtime_checkable
class Channel(Protocol):
    """Talks to the system. Every call ends within `timeout` of the manifest, as a total."""

    def deliver(self, wire: Wire, key: str) -> Receipt:
        """Send once. Raise PeerRefused, PeerUnavailable (not stored) or PeerDoubtful (ask)."""
        ...

    def settle(self, wire: Wire, key: str) -> Receipt | None:
        """Say what became of a doubtful delivery: its receipt, None when it is not there.

        Raise PeerDoubtful when the peer cannot tell (several matches, or it does not answer).
        """
        ...

    def reconcile(self, window: Window) -> Iterator[RemoteState]:
        """List what the peer holds and changed within the window."""
        ...

    def probe(self) -> Health:
        """Say whether the peer can be reached and would accept our credential."""
        ...


@runtime_checkable
class Source(Protocol):
    """Is asked for what it has; each call ends within `timeout` of the manifest, as a total.

    Only one process of all asks a peer at a time. The order: `receive`, everything is stored,
    `acknowledge`, the cursor is kept. When a step fails or the process ends, the same messages come
    again, get their first receipts, and are acknowledged again: `acknowledge` must bear a repeat.
    """

    def receive(self, cursor: str) -> Batch:
        """Return what there is after the cursor, empty at first; raise DeliveryError.

        One message a `Taken` where the peer's page holds several: they are stored each by itself.
        """
        ...

    def acknowledge(self, verdicts: tuple[Verdict, ...]) -> None:
        """Tell the peer what was stored and what was refused, in its own form; raise DeliveryError.

        Every message of the last `receive` has its verdict here, in the same order. A source whose
        peer wants no word does nothing.
        """
        ...


@runtime_checkable
class Answering(Protocol):
    """Answers a message that the peer pushed to `POST /api/v1/inbox`."""

    def reply(self, verdict: Verdict) -> Reply:
        """Return what to say, in the peer's own form; pure, raises nothing."""
        ...


@runtime_checkable
class Server(Protocol):
    """A public face with a protocol of its own, mounted by `app` at `prefix`.

    application: given `gateway.wires.edge.Edge`, returns an ASGI application for every path below
    the prefix. It comes from settings (`adapters`), not from a peer's row; callers are peers all
    the same, and are known by `Edge.enter`.
    """

    prefix: str

    def application(self, edge: Any) -> Callable[[Any, Any, Any], Awaitable[None]]:
        """Return the ASGI application."""
        ...


@runtime_checkable
class Directory(Protocol):
    """A registry that is looked up, and refreshed now and then."""

    def lookup(self, query: Mapping[str, str]) -> tuple[Mapping[str, Any], ...]:
        """Return the records that match, best first."""
        ...

    def refresh(self, since: str) -> Iterator[Mapping[str, Any]]:
        """Return records that changed since a version the registry named before."""
        ...

    def probe(self) -> Health:
        """Say whether the registry answers."""
        ...
