"""Files of the contract: their bytes, checked, and how the model names them; pure."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from gateway.adapter import File
from gateway.errors import TooLargeError, ValidationError, Violation
from gateway.limits import ATTACHMENT_INLINE_BYTES
from gateway.model import filenames
from gateway.model.attachment import Attachment, AttachmentRole
from gateway.soap.splitter import Part

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.wires import contract as c

_SHA256: Final = re.compile("[0-9a-f]{64}")


def attachments(
    given: Iterable[c.AttachmentIn],
) -> tuple[tuple[File, ...], tuple[Attachment, ...]]:
    """Return the bytes that came, and every file as the model names it; raise InputError."""
    files: list[File] = []
    named: list[Attachment] = []
    for order, item in enumerate(given, 1):
        path = f"Attachments/AttachmentIn[{order}]"
        role = AttachmentRole(item.role) if item.role else AttachmentRole.APPEAL
        if item.content is not None:
            file = taken(path, item.file_name, item.media_type, item.content, item.sha256)
            files.append(file)
            digest, size = file.sha256, file.size
        elif item.sha256 or item.attachment_id:
            require_name(path, item.file_name)
            digest, size = (item.sha256 or item.attachment_id or "").lower(), None
        else:
            message = "an attachment needs Content, AttachmentId or Sha256"
            raise ValidationError(message, (Violation(path, "required", message),))
        if (item.attachment_id or digest).lower() != digest or not _SHA256.fullmatch(digest):
            message = "AttachmentId is not of this file: it is what AttachFile answered"
            raise ValidationError(
                message,
                (
                    Violation(
                        f"{path}/AttachmentId", "attachment", message, item.attachment_id or ""
                    ),
                ),
            )
        named.append(
            Attachment(
                sha256=digest,
                size=size,
                declared_name=item.file_name,
                declared_type=item.media_type or "",
                role=role,
                order=order,
            )
        )
    return tuple(files), tuple(named)


def taken(
    path: str, name: str, media_type: str | None, content: bytes | Part, told: str | None
) -> File:
    """Return a file that came with the call, checked against the digest it came with.

    content: what was base64, or a part of the call's package, which may be larger.
    """
    require_name(path, name)
    data = content.data if isinstance(content, Part) else content
    if not isinstance(content, Part) and len(content) > ATTACHMENT_INLINE_BYTES:
        raise TooLargeError(
            "a file carried as base64 is too large",
            found=str(len(content)),
            expected=f"at most {ATTACHMENT_INLINE_BYTES} bytes",
            where=path,
            todo="send it as a part of a package (MTOM)",
        )
    digest = content.sha256 if isinstance(content, Part) else sha256(content).hexdigest()
    if told and told.lower() != digest:
        message = "the digest of the bytes received is another"
        raise ValidationError(
            message, (Violation(f"{path}/Sha256".lstrip("/"), "sha256", message, digest, told),)
        )
    if isinstance(content, Part):
        media_type = media_type or content.media_type
    return File(sha256=digest, media_type=media_type or "", name=name, data=data)


def require_name(path: str, name: str, place: str = "FileName") -> None:
    """Raise ValidationError for what is no name of a file. path: of the file; place: in it."""
    message = filenames.flaw(name)
    if message:
        where = f"{path}/{place}" if path else place
        raise ValidationError(
            message,
            (Violation(where, "file_name", message, name, "a name as a person would see it"),),
        )


def by_reference(item: c.AppealIn) -> tuple[c.AppealIn, dict[str, Part]]:
    """Return an appeal whose files of a package are named by their digest, and those files."""
    parts: dict[str, Part] = {}
    attachments = []
    for given in item.attachments:
        part: object = given.content
        if isinstance(part, Part):
            parts[part.content_id] = part
            given = replace(  # noqa: PLW2901 - the same file, named otherwise
                given, content=None, attachment_id=part.sha256, sha256=given.sha256 or part.sha256
            )
        attachments.append(given)
    return (replace(item, attachments=tuple(attachments)) if parts else item), parts


def beside(part: Part) -> File:
    """Return a part as it is archived with the envelope that it came with."""
    return File(sha256=part.sha256, media_type=part.media_type, name="", data=part.data)
