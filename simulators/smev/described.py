"""The published description of a version, with the stand's own address in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from gateway import contracts
from gateway.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

_ADDRESS: Final = re.compile(rb'(<[a-z0-9]*:?address\s+location=")[^"]*(")')
_LOCATION: Final = re.compile(rb'(schemaLocation=")(?:[^"]*/)?([^/"]+)(")')


def document(version: str, address: str, query: str) -> bytes | None:
    """Return the WSDL (`wsdl`) or a schema by its file name (`xsd=…`); None when there is none."""
    place = escape(address, {'"': "&quot;"}).encode()
    if query.lower() == "wsdl":
        found = _file("wsdl", version, f"*{version}.wsdl")
        if found is None:
            return None
        text = _ADDRESS.sub(lambda m: m[1] + place + m[2], found.read_bytes())
    elif query.startswith("xsd="):
        found = _file("xsd", version, "*.xsd", query.removeprefix("xsd="))
        if found is None:
            return None
        text = found.read_bytes()
    else:
        return None
    return _LOCATION.sub(lambda m: m[1] + place + b"?xsd=" + m[2] + m[3], text)


def _file(kind: str, version: str, pattern: str, name: str = "") -> Path | None:
    try:
        folder = contracts.folder(kind, "smev")
    except ConfigurationError:
        return None
    for path in sorted(folder.rglob(pattern)):
        if version in str(path.relative_to(folder)) and name in ("", path.name):
            return path
    return None
