"""A bare XML document of the contract: what REST in XML carries and a SOAP body holds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeVar

from gateway import contracts, ns, xml
from gateway.errors import UnknownOperationError
from gateway.wires import binding

if TYPE_CHECKING:
    import msgspec

T = TypeVar("T", bound="msgspec.Struct")

_CHARSET: Final = re.compile(r"charset\s*=\s*\"?([A-Za-z0-9._:-]+)", re.IGNORECASE)


def charset(content_type: str) -> str:
    """Return the charset parameter of a media type, empty when there is none."""
    found = _CHARSET.search(content_type)
    return found[1] if found else ""


def read_document(kind: type[T], body: bytes, content_type: str) -> T:
    """Return the operation that a document holds; raise InputError with path and line."""
    document = xml.parse(body, charset(content_type))
    expected = ns.tag(ns.APPEALS, kind.__name__)
    if document.root.tag != expected:
        raise UnknownOperationError(
            "the document's root is another than this address takes",
            found=str(document.root.tag),
            expected=expected,
        )
    contracts.appeals().validate(document.root, document.nodes)
    return binding.read(kind, document.root)
