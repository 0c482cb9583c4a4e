"""Files of an item or of an answer: bytes with their digest, or where the platform keeps them."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Final

from adapters.pos.codes import PEER
from adapters.pos.fields import NAME, Fields
from gateway import limits
from gateway.adapter import File
from gateway.model.attachment import Attachment, AttachmentGroup
from gateway.model.base import ExternalRef
from gateway.model.filenames import cleaned

_HEX: Final = frozenset("0123456789abcdef")
_MAGIC: Final = (
    (b"\x89PNG\r\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"%PDF-", "application/pdf"),
)


def read_files(fields: Fields) -> tuple[tuple[Attachment, ...], tuple[File, ...]]:
    """Return the attachments of an item, and the files that came with it, each once."""
    raw = fields.parts("attachments", limits.ATTACHMENTS_PER_APPEAL)
    if not raw:
        return (), ()
    found: list[Attachment] = []
    files: dict[str, File] = {}
    for number, one in enumerate(raw):
        if type(one) is not dict:
            fields.fault(f"attachments/{number}", "type", "must be an object", expected="object")
            continue
        inner = Fields(one, f"{fields.path}/attachments/{number}", fields.wrong)
        attachment, file = _attachment(inner, number + 1)
        found.append(attachment)
        if file:
            files[file.sha256] = file
    return tuple(found), tuple(files.values())


def _attachment(fields: Fields, order: int) -> tuple[Attachment, File | None]:
    """One file: its bytes, or where the platform keeps it; a digest that differs is refused."""
    given = fields.text("name", NAME, required=True)
    name = cleaned(given)
    if name != given:
        fields.obj["name"] = given
    declared, digest = fields.text("mediaType"), fields.text("sha256")
    if digest and (len(digest) != 64 or not _HEX.issuperset(digest)):
        fields.fault("sha256", "pattern", "not a SHA-256 in small hex", digest)
    came = bool(fields.obj.get("content"))
    data = attached_bytes(fields)
    url = fields.text("url", NAME)
    if not came and not url:
        fields.fault("content", "required", "the file's bytes, or where they are", "", "base64")
    if data and not digest:
        fields.fault("sha256", "required", "a file that came needs its digest", "", "SHA-256")
    actual = hashlib.sha256(data).hexdigest() if data else digest
    if digest and actual != digest:
        fields.fault("sha256", "digest", "not the digest of the content", digest, actual)
    media = sniffed(data or b"", declared)
    attachment = Attachment(
        sha256=actual if data else "",
        size=len(data) if data else None,
        media_type=media,
        declared_name=name,
        declared_type=declared,
        url=url,
        group=AttachmentGroup.PHOTO if fields.mark("photo") else None,
        description=fields.text("description", NAME),
        order=order,
        refs=(ExternalRef(peer=PEER, kind="sha256", value=digest),) if digest and not data else (),
        extras=fields.rest(),
    )
    file = File(sha256=actual, media_type=media, name=name, data=data) if data else None
    return attachment, file


def attached_bytes(fields: Fields) -> bytes | None:
    """Take the content of a file, in base64; None when there is none."""
    value = fields.obj.get("content")
    if value is None or value == "":
        return None
    if type(value) is not str:
        fields.fault("content", "type", "must be a string", type(value).__name__, "base64")
        return None
    del fields.obj["content"]
    if len(value) > limits.ATTACHMENT_INLINE_BYTES // 3 * 4 + 4:
        most = f"{limits.ATTACHMENT_INLINE_BYTES} bytes"
        fields.fault("content", "size", "the file is too large", f"{len(value)} characters", most)
        return None
    try:
        return base64.b64decode(value, validate=True) or None
    except (binascii.Error, ValueError) as error:
        fields.fault("content", "base64", "not base64", error, "base64")
        return None


def sniffed(data: bytes, declared: str) -> str:
    """Return the media type by the first bytes, else the declared one."""
    for magic, found in _MAGIC:
        if data.startswith(magic):
            return found
    return declared or "application/octet-stream"
