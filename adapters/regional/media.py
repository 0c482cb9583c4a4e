"""What a file is, by its first bytes, and by its name where they tell nothing; a page of HTML."""

from __future__ import annotations

import mimetypes
import re
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


_PAGE: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+)?html\b", re.IGNORECASE
)


def is_page(body: bytes) -> bool:
    """Whether an answer is a page of HTML: the word of a proxy, or a form to log in."""
    return _PAGE.match(body) is not None
