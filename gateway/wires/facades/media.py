"""What a file is by its name, where a contract has no field for it."""

from __future__ import annotations

from typing import Final

_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
_TYPES: Final = {
    "pdf": "application/pdf",
    "doc": "application/msword",
    "docx": f"{_OFFICE}.wordprocessingml.document",
    "xls": "application/vnd.ms-excel",
    "xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "rtf": "application/rtf",
    "txt": "text/plain",
    "csv": "text/csv",
    "xml": "application/xml",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "webp": "image/webp",
    "heic": "image/heic",
    "zip": "application/zip",
    "rar": "application/vnd.rar",
    "7z": "application/x-7z-compressed",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "sig": "application/pkcs7-signature",
    "p7s": "application/pkcs7-signature",
}
"""Names of IANA's registry. A table of our own: that of the system differs from one to another."""


def type_of(name: str) -> str | None:
    """Return the media type of a file, None when its name does not say it.

    The name alone decides: a repeat of a call may come with its files in another form, and what the
    part of a package says of itself would make it another content under the same key. Of a name
    that says nothing the part's own word is taken, where there is one (`gateway.wires.files`).
    """
    return _TYPES.get(name.rpartition(".")[2].lower()) if "." in name else None
