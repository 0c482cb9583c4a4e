"""Files of an appeal or an answer; the bytes live apart and are named by their SHA-256."""

from __future__ import annotations

import uuid
from enum import StrEnum

import msgspec

from gateway.model.base import NIL, Entity, ExternalRef, Extra, Moment
from gateway.model.events import AppealKey


class AttachmentGroup(StrEnum):
    """What a file is within a document (МЭДО `group`)."""

    TEXT = "text"
    ENCLOSURE = "enclosure"
    DATA = "data"
    PHOTO = "photo"


class AttachmentRole(StrEnum):
    """What a file is for."""

    APPEAL = "appeal"
    ANSWER = "answer"
    EVIDENCE = "evidence"
    COVERING = "covering"
    BEFORE = "before"
    AFTER = "after"


class Signature(Entity, frozen=True, kw_only=True):
    """A detached signature file, or one a peer only tells of."""

    sha256: str = ""
    declared_name: str = ""
    type: str = ""
    signer: str = ""
    at: Moment | None = None
    extras: tuple[Extra, ...] = ()


class Stamp(Entity, frozen=True, kw_only=True):
    """Where a visible stamp stands on a page: millimetres from the top left corner, page from 1.

    kind: `registration` or `signature`; image: name of the picture file beside the document.
    """

    kind: str = ""
    page: int | None = None
    x: float | None = None
    y: float | None = None
    width: float | None = None
    height: float | None = None
    image: str = ""
    image_sha256: str = ""


class Exif(Entity, frozen=True, kw_only=True):
    """What a photograph says of itself: device time and degrees, WGS 84."""

    taken_at: Moment | None = None
    lat: float | None = None
    lon: float | None = None


class Attachment(Entity, frozen=True, kw_only=True):
    """One file. sha256: hex of its bytes, empty while only its name or address is known.

    media_type: by content; declared_name, declared_type: the peer's word. size: bytes. order: from
    1, as listed by the peer. url: where a peer keeps it, when it sent a link. scan_verdict:
    antivirus, empty when not scanned.
    """

    id: uuid.UUID = NIL
    sha256: str = ""
    size: int | None = None
    media_type: str = ""
    declared_name: str = ""
    declared_type: str = ""
    url: str = ""
    group: AttachmentGroup | None = None
    role: AttachmentRole = AttachmentRole.APPEAL
    pages: int | None = None
    description: str = ""
    order: int | None = None
    signatures: tuple[Signature, ...] = ()
    stamps: tuple[Stamp, ...] = ()
    scan_verdict: str = ""
    exif: Exif | None = None
    refs: tuple[ExternalRef, ...] = ()
    extras: tuple[Extra, ...] = ()


class AttachedFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a peer says of a file that it adds to an appeal (model.md §2, AttachFile).

    sha256: hex of the bytes, which lie apart. name, media_type: the peer's word, kept in the
    event's content only. role: a word of `AttachmentRole`, empty when not told.
    """

    key: AppealKey
    sha256: str
    name: str = ""
    media_type: str = ""
    role: str = ""
