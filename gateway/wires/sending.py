"""An answer on its way out: packed with gzip when the caller takes it, or with files beside it."""

from __future__ import annotations

import asyncio
import gzip
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import structlog

from gateway.adapter import Stored
from gateway.errors import GatewayError
from gateway.limits import INLINE_DECODE_BYTES, KB
from gateway.soap import mime
from gateway.soap.splitter import XOP_MEDIA, media_type
from gateway.wires.descriptions import Kept
from gateway.wires.parts import sent
from gateway.wires.spool import on_disk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from gateway.adapter import File
    from gateway.soap.frame import Sealed
    from gateway.store.blobs import BlobDirectory

log = structlog.get_logger(__name__)

PACKED_FROM_BYTES: Final = KB
"""Below it a packed answer is hardly smaller and takes longer."""
_LEVEL: Final = 5
_NONE: Final[Mapping[str, str]] = MappingProxyType({})
_CODING: Final = re.compile(r"\s*([A-Za-z0-9*-]+)\s*(?:;\s*q\s*=\s*([0-9.]+)\s*)?")


def takes_gzip(accept_encoding: str) -> bool:
    """Say whether Accept-Encoding asks for gzip (RFC 9110, 12.5.3): by name, and not with q=0."""
    for item in accept_encoding.split(","):
        found = _CODING.fullmatch(item)
        if found and found[1].lower() in ("gzip", "x-gzip"):
            return not found[2] or bool(found[2].strip("0."))
    return False


def takes_package(accept: str) -> bool:
    """Say whether Accept asks for a package of MTOM: by name, and not with q=0.

    Java's JAX-WS names it with every call, and reads both forms.
    """
    if not accept or len(accept) > KB:
        return False
    for item in accept.split(","):
        media = media_type(item)
        name = media.name
        if name == "multipart/related":
            name = media_type(media.parameters.get("type", XOP_MEDIA)).name
        if name == XOP_MEDIA:
            return bool(media.parameters.get("q", "1").strip("0."))
    return False


async def send_package(
    send: Any,
    receive: Any,
    sealed: Sealed,
    files: Sequence[File],
    blobs: BlobDirectory,
    extra: Mapping[str, str],
) -> None:
    """Send a sealed answer as a package of MTOM with the files that it points to.

    Files come from the disk by the megabyte, and the next one when the caller has taken most of the
    last. The answer breaks off when the caller leaves, and when a file turns out to be changed: its
    last megabyte is not sent, and the length that was announced says so.
    """
    by_id = {sent(file).content_id: file for file in files}
    package = mime.package(sealed.body, sealed.content_type, [sent(f) for f in by_id.values()])
    headers = {"content-type": package.content_type, "content-length": str(package.length), **extra}
    lines = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": sealed.status, "headers": lines})
    gone = asyncio.ensure_future(_until_gone(receive))
    try:
        for piece in package.pieces:
            if isinstance(piece, bytes):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                continue
            async for block in _blocks(by_id[piece.content_id], blobs):
                if gone.done():
                    return
                await send({"type": "http.response.body", "body": block, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    except GatewayError as error:
        # The head is out: nothing but a broken answer can tell that something is wrong.
        log.exception("sending.broken_off", code=error.code)
    finally:
        gone.cancel()


async def _blocks(file: File, blobs: BlobDirectory) -> AsyncIterator[bytes]:
    if not isinstance(file.data, Stored):
        yield file.data
        return
    blocks = blobs.blocks(bytes.fromhex(file.sha256))
    while block := await on_disk(next, blocks, b""):
        yield block


async def _until_gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def send_sealed(
    send: Any, sealed: Sealed, extra: Mapping[str, str], accept_encoding: str = ""
) -> None:
    """Send a sealed answer with the headers given."""
    body = sealed.body
    if accept_encoding and len(body) >= PACKED_FROM_BYTES:
        worth = not isinstance(body, Kept) or body.pack
        if worth and takes_gzip(accept_encoding):
            extra = {**extra, "content-encoding": "gzip", "vary": "Accept-Encoding"}
            body = await _packed(body)
    await send_bytes(send, sealed.status, sealed.content_type, body, extra)


async def _packed(body: bytes) -> bytes:
    if isinstance(body, Kept) and body.packed:
        return body.packed
    if len(body) <= INLINE_DECODE_BYTES:
        packed = gzip.compress(body, _LEVEL, mtime=0)
    else:
        packed = await asyncio.to_thread(gzip.compress, body, _LEVEL, mtime=0)
    if isinstance(body, Kept):
        body.packed = packed
    return packed


async def send_bytes(
    send: Any,
    status: int,
    content_type: str,
    body: bytes,
    headers: Mapping[str, str] = _NONE,
) -> None:
    """Send a whole answer. content_type: empty when there is no body to speak of."""
    lines = [(b"content-type", content_type.encode("latin-1"))] if content_type else []
    lines.append((b"content-length", b"%d" % len(body)))
    for name, value in headers.items():
        lines.append((name.encode(), value.encode("latin-1")))
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})
