"""Files of messages, both ways: inside of the message by MTOM, or by the file storage.

What is signed of a file is its header: the id and the detached signature inside (PKCS#7 by the key
of an official), of a file in the storage its digest, too. So headers and files are held against
each other here, and a file whose signature does not fit is refused with its message.
"""

from __future__ import annotations

import uuid
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from adapters.smev.line import content_id
from adapters.smev.messages import types as t
from adapters.smev.messages.package import Packed
from gateway import limits
from gateway.errors import TooLargeError, TrustError, ValidationError, Violation
from gateway.soap import mime

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from adapters.smev.options import Options
    from adapters.smev.proof import Proof
    from adapters.smev.storage import Storage

_OCTETS: Final = "application/octet-stream"
MESSAGE_BYTES: Final = 256 * limits.MB
"""Files of one message together: they are in memory, and once more in the package of them."""
_GROUPS: Final = ("text", "image", "audio", "video", "application")


class Outgoing(NamedTuple):
    """Files of a message as it names them. inside: by SHA-256 in hex, what goes with it."""

    headers: tuple[t.AttachmentHeader, ...]
    ref_headers: tuple[t.RefAttachmentHeader, ...]
    contents: tuple[t.AttachmentContent, ...]
    inside: Mapping[str, bytes]


def outgoing(
    files: tuple[Packed, ...],
    message_id: str,
    options: Options,
    proof: Proof,
    storage: Storage,
    now: datetime,
) -> Outgoing:
    """Sign the files where an official's key is set, and put into the storage what is too large.

    The names in the storage follow from the message, so that a repeat writes over itself.
    """
    by_storage = sum(len(file.data) for file in files) > options.attached_bytes
    headers: list[t.AttachmentHeader] = []
    refs: list[t.RefAttachmentHeader] = []
    contents: list[t.AttachmentContent] = []
    inside: dict[str, bytes] = {}
    for number, file in enumerate(files, 1):
        signature = _signature(file, options, proof, now)
        media = media_type(file.media_type)
        if by_storage or file.storage:
            name = str(uuid.uuid5(uuid.UUID(message_id), file.id))
            storage.put(name, f"file-{number}", file.data)
            digest = proof.signing.backend.digest("streebog256", file.data)
            refs.append(
                t.RefAttachmentHeader(
                    uuid=name,
                    hash=b64encode(digest).decode(),
                    mime_type=media,
                    signature=signature,
                    file_name=f"file-{number}" if options.version == "1.3" else "",
                )
            )
            continue
        headers.append(t.AttachmentHeader(content_id=file.id, mime_type=media, signature=signature))
        digest_hex = sha256(file.data).hexdigest()
        if digest_hex in inside:  # a part is pointed to once: the same file again stands inline
            contents.append(t.AttachmentContent(id=file.id, content=file.data))
            continue
        inside[digest_hex] = file.data
        contents.append(t.AttachmentContent(id=file.id, href=f"cid:{content_id(file.data)}"))
    return Outgoing(tuple(headers), tuple(refs), tuple(contents), inside)


def incoming(
    data: t.RequestData | t.ResponseData,
    passes: tuple[t.FSAttachment, ...],
    parts: Mapping[str, bytes],
    storage: Storage,
    proof: Proof,
    now: datetime,
) -> tuple[Packed, ...]:
    """Return the files of a message that came.

    parts: of its package, by Content-ID. Raises ValidationError where headers and files do not
    agree, TrustError for a digest or a signature that does not fit, TooLargeError,
    PeerUnavailable for a storage that is away.
    """
    _require_alike(data)
    if len(data.headers) + len(data.ref_headers) > limits.ATTACHMENTS_PER_APPEAL:
        raise TooLargeError(
            "too many files",
            found=str(len(data.headers) + len(data.ref_headers)),
            expected=f"at most {limits.ATTACHMENTS_PER_APPEAL}",
        )
    found: list[Packed] = []
    _require_own_parts(data)
    contents = {one.id: one for one in data.contents}
    for header in data.headers:
        content = _content(contents[header.content_id], parts)
        found.append(
            Packed(
                id=header.content_id,
                data=content,
                media_type=header.mime_type,
                signature=header.signature,
            )
        )
    by_uuid = {one.uuid.lower(): one for one in passes}
    for ref in data.ref_headers:
        one = by_uuid.get(ref.uuid.lower())
        if one is None:
            raise _disagree("RefAttachmentHeader", ref.uuid, "FSAttachmentsList names no such file")
        content = storage.fetch(one)
        _require_digest(ref, content, proof)
        _require_little(sum(len(file.data) for file in found) + len(content))
        name = ref.file_name or one.file_name.rpartition("/")[2]
        found.append(
            Packed(
                id=ref.uuid,
                data=content,
                media_type=ref.mime_type,
                name=name,
                signature=ref.signature,
                storage=True,
            )
        )
    for file in found:
        if file.signature:
            proof.cms(file.signature, file.data, now)
    return tuple(found)


def media_type(given: str) -> str:
    """Return a media type as the schema takes it: of five groups, and of plain characters."""
    group, _, rest = given.partition(";")[0].strip().partition("/")
    plain = rest.isascii() and all(sign.isalnum() or sign in "-+." for sign in rest)
    return f"{group}/{rest}" if group in _GROUPS and rest and plain else _OCTETS


def _signature(file: Packed, options: Options, proof: Proof, now: datetime) -> bytes:
    if file.signature or not options.personal_key:
        return file.signature
    key = proof.signing.keys.current(options.personal_key, now)
    return proof.signing.backend.cms_sign(key, file.data, now)


def _content(one: t.AttachmentContent, parts: Mapping[str, bytes]) -> bytes:
    if not one.href:
        return one.content
    name = mime.bare_id(one.href.removeprefix("cid:"))
    if name not in parts:
        raise _disagree("AttachmentContent", one.id, "no part of the package has its bytes")
    return parts[name]


def _require_alike(data: t.RequestData | t.ResponseData) -> None:
    named = [one.content_id for one in data.headers]
    there = [one.id for one in data.contents]
    if len(set(named)) != len(named) or sorted(named) != sorted(there):
        odd = sorted(set(named) ^ set(there)) or named
        raise _disagree("AttachmentHeader", ", ".join(odd)[:200], "headers and files do not agree")


def _require_own_parts(data: t.RequestData | t.ResponseData) -> None:
    """Refuse a part that several files point to: fifty times 60 MB would be one of them."""
    seen: set[str] = set()
    for one in data.contents:
        if one.href and one.href in seen:
            raise _disagree("AttachmentContent", one.id, "another file points to the same part")
        seen.add(one.href)


def _require_little(size: int) -> None:
    if size > MESSAGE_BYTES:
        raise TooLargeError(
            "the files of the message are too large together",
            found=f"over {MESSAGE_BYTES} bytes",
            expected=f"at most {MESSAGE_BYTES} bytes",
            where="RefAttachmentHeaderList",
        )


def _require_digest(ref: t.RefAttachmentHeader, content: bytes, proof: Proof) -> None:
    """Hold a file against the digest in its header: Streebog-256, as the guides have it."""
    try:
        told = b64decode(ref.hash, validate=True)
    except ValueError:
        told = b""
    if proof.signing.backend.digest("streebog256", content) != told:
        raise TrustError(
            "a file of the storage is not the one that was signed",
            "digest_mismatch",
            found=ref.uuid,
            where="RefAttachmentHeader/Hash",
        )


def _disagree(where: str, found: str, message: str) -> ValidationError:
    return ValidationError(message, (Violation(where, "attachment", message, found),))
