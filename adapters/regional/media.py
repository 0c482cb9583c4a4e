"""What a file is, by its first bytes, and by its name where they tell nothing."""

from __future__ import annotations

import mimetypes
from typing import Final

_MAGIC: Final = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"{\\rtf", "application/rtf"),
)
_TYPES: Final = mimetypes.MimeTypes()
"""The table of the standard library alone: the machine's own would change what we decode to."""


def media_type(data: bytes, name: str) -> str:
    """Return the media type of a file."""
    for magic, found in _MAGIC:
        if data.startswith(magic):
            return found
    return _TYPES.guess_type(name)[0] or "application/octet-stream"
