"""What the committer takes and gives back: one `Entry` a call, one `Accepted` a stored entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

APPEAL = "appeal"
AMEND = "amend"
"""Ledger kinds whose key is an external id; the others are keyed by their MessageKey."""
KEEP = "keep"
"""No key at all: the message is only kept, because it could not be decoded or was refused."""


class MessageRow(NamedTuple):
    """One row of `message`, in the order of its columns."""

    id: UUID
    peer: str
    wire: str
    operation: str
    key: str
    revision: int
    recorded_at: datetime
    correlation: str
    media_type: str
    body: bytes | None
    blob: bytes | None
    body_sha256: bytes
    content_sha256: bytes | None
    decoded: bytes | None
    appeal_id: UUID | None
    stage: str
    note: str | None


class AppealRow(NamedTuple):
    """The columns of `appeal` that accept writes."""

    id: UUID
    peer: str
    external_id: str
    receipt_number: str
    revision: int
    regime: str
    state: str
    recorded_at: datetime
    head_seq: int
    head_hash: bytes
    content_id: UUID
    content_sha256: bytes
    test: bool
    historical: bool


class QuestionRow(NamedTuple):
    """The columns of `question` that accept writes."""

    appeal_id: UUID
    ordinal: int
    id: UUID
    state: str
    topic: str


class EventRow(NamedTuple):
    """One row of `event`."""

    appeal_id: UUID
    seq: int
    type: str
    v: int
    recorded_at: datetime
    message_id: UUID | None
    body: bytes
    prev: bytes
    hash: bytes


class ContentRow(NamedTuple):
    """The columns of `content` that accept writes."""

    appeal_id: UUID
    id: UUID
    digest: bytes
    salt: bytes
    bytes: bytes


class BlobRow(NamedTuple):
    """An attachment or large body; `bytes` is None when the blob directory holds it already."""

    sha256: bytes
    size: int
    media_type: str
    bytes: bytes | None
    owner: UUID
    name: str


class NewAppeal(NamedTuple):
    """Everything a new appeal brings, written only when its key was free."""

    appeal: AppealRow
    questions: tuple[QuestionRow, ...]
    events: tuple[EventRow, ...]
    contents: tuple[ContentRow, ...]


class AppealName(NamedTuple):
    """How a call names an existing appeal; exactly one of the first three is set (AppealKey)."""

    receipt_number: str = ""
    external_id: str = ""
    registration_key: str = ""
    organisation: str = ""


class Accepted(NamedTuple):
    """The receipt: what a repeat gets too, byte for byte, except `repeat` itself."""

    receipt_number: str
    external_id: str
    revision: int
    accepted_at: datetime
    content_sha256: bytes
    message_id: UUID
    appeal_id: UUID | None
    repeat: bool


class Entry:
    """One call on its way into the store.

    kind: `appeal` for a submission, `amend`, or the operation for calls with a MessageKey.
    key, revision: the idempotency key within (peer, kind). new: the rows of a new appeal, for
    `appeal` only. name: which existing appeal the call is about. resolve: called once, from the
    committer's thread, with an `Accepted` or an exception; use `Committer.submit` rather than it.
    amended: set by the commit: it changed an appeal that was there. origin: the submission that
    this amendment was found to be, within one attempt to write it.
    """

    __slots__ = (
        "amended", "blobs", "error", "key", "kind", "message", "name", "new", "origin", "outcome",
        "resolve", "revision", "size", "slot", "target",
    )  # fmt: skip

    def __init__(
        self,
        *,
        kind: str,
        key: str,
        revision: int,
        message: MessageRow,
        new: NewAppeal | None = None,
        name: AppealName | None = None,
        blobs: tuple[BlobRow, ...] = (),
    ) -> None:
        self.kind = kind
        self.key = key
        self.revision = revision
        self.slot = revision if kind == AMEND else 0
        self.message = message
        self.new = new
        self.name = name
        self.blobs = blobs
        self.size = len(message.body or b"") + sum(len(blob.bytes or b"") for blob in blobs) + 2_048
        self.target: Target | None = None
        self.origin: Entry | None = None
        self.amended = False
        self.outcome: Accepted | None = None
        self.error: Exception | None = None
        self.resolve: Callable[[Any], None] | None = None

    @property
    def place(self) -> tuple[str, str, str, int]:
        """The primary key in the ledger; batches are sorted by it so that nodes cannot deadlock."""
        return (self.message.peer, self.kind, self.key, self.slot)


class Target(NamedTuple):
    """The existing appeal a call is about."""

    appeal_id: UUID
    receipt_number: str
    external_id: str
