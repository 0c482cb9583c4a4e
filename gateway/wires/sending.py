"""An answer on its way out: packed with gzip when the caller takes it."""

from __future__ import annotations

import asyncio
import gzip
import re
from typing import TYPE_CHECKING, Any, Final

from gateway.limits import INLINE_DECODE_BYTES, KB

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.soap.frame import Sealed

PACKED_FROM_BYTES: Final = KB
"""Below it a packed answer is hardly smaller and takes longer."""
_LEVEL: Final = 5
_CODING: Final = re.compile(r"\s*([A-Za-z0-9*-]+)\s*(?:;\s*q\s*=\s*([0-9.]+)\s*)?")


def takes_gzip(accept_encoding: str) -> bool:
    """Say whether Accept-Encoding asks for gzip (RFC 9110, 12.5.3): by name, and not with q=0."""
    for item in accept_encoding.split(","):
        found = _CODING.fullmatch(item)
        if found and found[1].lower() in ("gzip", "x-gzip"):
            return not found[2] or bool(found[2].strip("0."))
    return False


async def send_sealed(
    send: Any, sealed: Sealed, extra: Mapping[str, str], accept_encoding: str = ""
) -> None:
    """Send a sealed answer with the headers given."""
    body, headers = sealed.body, dict(extra)
    if accept_encoding and len(body) >= PACKED_FROM_BYTES and takes_gzip(accept_encoding):
        headers |= {"content-encoding": "gzip", "vary": "Accept-Encoding"}
        if len(body) <= INLINE_DECODE_BYTES:
            body = gzip.compress(body, _LEVEL, mtime=0)
        else:
            body = await asyncio.to_thread(gzip.compress, body, _LEVEL, mtime=0)
    await send_bytes(send, sealed.status, sealed.content_type, body, headers)


async def send_bytes(
    send: Any,
    status: int,
    content_type: str,
    body: bytes,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Send a whole answer. content_type: empty when there is no body to speak of."""
    lines = [(b"content-length", str(len(body)).encode())]
    if content_type:
        lines.insert(0, (b"content-type", content_type.encode("latin-1")))
    lines += [(name.encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})
