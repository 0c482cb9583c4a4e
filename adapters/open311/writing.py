"""Documents of GeoReport v2 as bytes: the same tree in XML, or in JSON by the Spark convention.

A tree is what JSON has: dicts, lists, texts, numbers, None. In XML a list becomes children of one
name, which the specification has for each list, and None an empty element.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from gateway import xml

JSON: Final = "json"
XML: Final = "xml"
MEDIA: Final = {XML: "text/xml; charset=utf-8", JSON: "application/json; charset=utf-8"}
CHILDREN: Final = {
    "service_requests": "request",
    "services": "service",
    "attributes": "attribute",
    "values": "value",
    "errors": "error",
    "endpoints": "endpoint",
    "formats": "format",
}
"""Name of a list → name of what is in it."""
_DECLARATION: Final = '<?xml version="1.0" encoding="utf-8"?>\n'
_encode: Final = msgspec.json.Encoder().encode


def write(root: str, tree: Any, form: str) -> bytes:
    """Return a document. root: its name, which JSON does not show. form: `json` or `xml`."""
    if form == JSON:
        return _encode(tree)
    return (_DECLARATION + element(root, tree)).encode()


def element(name: str, value: Any) -> str:
    """Return a value as an element of XML."""
    if value is None or value in ("", []):
        return f"<{name}/>"
    if isinstance(value, dict):
        inner = "".join(element(child, below) for child, below in value.items())
    elif isinstance(value, list):
        inner = "".join(element(CHILDREN[name], one) for one in value)
    elif isinstance(value, bool):
        inner = "true" if value else "false"
    elif isinstance(value, float):
        inner = repr(value).removesuffix(".0")
    else:
        inner = xml.escape(str(value))
    return f"<{name}>{inner}</{name}>"
