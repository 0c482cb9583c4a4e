"""A payload with its files as one body: what the exchange and the codec hand each other.

A zip without compression: `payload.xml` (of what came, the envelope: `kept`), `files.json` with a
line for each file, `files/…` with its
bytes. It never leaves this process but into the archive of messages, where a person can open it.
"""

from __future__ import annotations

import io
import zipfile
from base64 import b64decode, b64encode
from typing import Annotated, Final

import msgspec

from adapters.smev.messages.types import PACKAGE_TYPE
from gateway import limits
from gateway.adapter import Wire
from gateway.archives import BROKEN, MAGIC, opened
from gateway.errors import MalformedError, TooLargeError, UnsupportedError

XML: Final = "application/xml"
PAYLOAD: Final = "payload.xml"
LISTED: Final = "files.json"
_AT: Final = (1980, 1, 1, 0, 0, 0)


class Packed(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a message.

    id: contentId or uuid of its header. name: empty where the header has none. signature: detached
    PKCS#7, DER. storage: it goes, or came, by the file storage.
    """

    id: str
    data: bytes
    media_type: str = ""
    name: str = ""
    signature: bytes = b""
    storage: bool = False


class _Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    member: str
    media_type: str = ""
    name: str = ""
    signature: str = ""
    storage: bool = False


_Lines = Annotated[list[_Line], msgspec.Meta(max_length=limits.ATTACHMENTS_PER_APPEAL)]


def pack(payload: bytes, files: tuple[Packed, ...]) -> bytes:
    """Return the package; the same payload and files give the same bytes."""
    lines = [
        _Line(
            id=file.id,
            member=f"files/{number}",
            media_type=file.media_type,
            name=file.name,
            signature=b64encode(file.signature).decode(),
            storage=file.storage,
        )
        for number, file in enumerate(files, 1)
    ]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(PAYLOAD, _AT), payload)
        archive.writestr(zipfile.ZipInfo(LISTED, _AT), msgspec.json.encode(lines))
        for line, file in zip(lines, files, strict=True):
            archive.writestr(zipfile.ZipInfo(line.member, _AT), file.data)
    return out.getvalue()


def wired(payload: bytes, files: tuple[Packed, ...], name: str = "") -> Wire:
    """Return a payload as it is handed over: by itself, or with its files as a package."""
    if not files:
        return Wire(media_type=XML, body=payload, name=name)
    body = pack(payload, files)
    return Wire(media_type=PACKAGE_TYPE, body=body, name=f"{name}.zip" if name else "")


def is_package(body: bytes) -> bool:
    """Whether a body is a package and no bare payload."""
    return body.startswith(MAGIC)


def unpack(body: bytes) -> tuple[bytes, tuple[Packed, ...]]:
    """Return payload and files; raise MalformedError, TooLargeError, UnsupportedError."""
    archive, infos = opened(body)
    members: dict[str, bytes] = {}
    for info in infos:
        if info.compress_type != zipfile.ZIP_STORED or info.file_size > limits.ZIP_MEMBER_BYTES:
            raise UnsupportedError("a package holds stored members only", where=info.filename[:200])
        if info.filename in members:
            raise MalformedError("a member stands twice", where=info.filename[:200])
        try:
            members[info.filename] = archive.read(info)
        except BROKEN as error:
            raise MalformedError("a member cannot be read", where=info.filename[:200]) from error
    try:
        listed = msgspec.json.decode(members.get(LISTED, b"[]"), type=_Lines)
        files = tuple(
            Packed(
                id=line.id,
                data=members[line.member],
                media_type=line.media_type,
                name=line.name,
                signature=b64decode(line.signature, validate=True),
                storage=line.storage,
            )
            for line in listed
        )
        return members[PAYLOAD], files
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, ValueError) as error:
        raise MalformedError("not a package of a message", where=LISTED) from error
    except RecursionError as error:
        raise TooLargeError("nested too deeply", where=LISTED) from error
