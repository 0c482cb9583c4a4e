"""The contract of an adapter: what a system must offer to be spoken to, and what it is given.

Three small protocols; an adapter's `manifest.toml` says which apply (docs/howto/adapter.md).

- `Codec` maps bytes to the canonical model and back. Pure and total: hostile bytes raise only
  `GatewayError`; what is not mapped goes to `extras` and comes back in the same format.
- `Channel` talks to the system: delivers, answers what became of a delivery, lists what it holds.
- `Directory` looks things up (ЕСИА, ФИАС).

Mapping and talking are separate files: `decode.py`, `encode.py` import no driver and no network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, Literal, Protocol, runtime_checkable

import msgspec

from gateway.errors import Violation
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


class EncodeContext(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an encoder may know besides the appeal and the event.

    now: the instant of encoding. key: idempotency key of the delivery, the same for every attempt;
    empty outside dispatch. files: attachment bytes by sha256 hex, already read.
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
    """

    final: bool
    status: int = 0
    reference: str = ""
    body: bytes = b""
    at: datetime | None = None


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
