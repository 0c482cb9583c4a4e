"""The elements of an envelope that a signature can name.

WS-Security 1.1, section 4: `wsu:Id` on any element, `Id` on those of XML Signature and XML
Encryption. An attribute of any other name or namespace is no id here. An id that two elements carry
is refused wherever they stand: which one is meant would be a matter of taste.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from lxml import etree

from gateway import limits, ns
from gateway.errors import SecurityError

if TYPE_CHECKING:
    from lxml.etree import _Element, _ElementUnicodeResult

WSU_ID: Final = ns.tag(ns.WSU, "Id")
_XML_ID: Final = ns.tag(ns.XML, "id")
_CARRIERS: Final = (f"{{{ns.DS}}}", f"{{{ns.XENC}}}")
_FIND: Final = etree.XPath("descendant-or-self::*/@*[local-name()='Id' or local-name()='id']")
"""The attributes, not their elements: a step back to the parent is quadratic in libxml2."""


def index(envelope: _Element) -> dict[str, _Element]:
    """Return the elements by their ids; raise SecurityError for one that stands twice.

    `xml:id` names nothing here, but may not clash with what does.
    """
    found: dict[str, _Element] = {}
    taken: set[str] = set()
    for value in cast("list[_ElementUnicodeResult]", _FIND(envelope)):
        name, element = value.attrname, value.getparent()
        if element is None or not _is_id(name, element):
            continue
        if value in taken:
            raise SecurityError(
                "an id stands twice in the envelope", found=str(value), where="/Envelope"
            )
        if len(taken) == limits.SECURITY_IDS:
            raise SecurityError(
                "too many elements carry an id",
                expected=f"at most {limits.SECURITY_IDS}",
                where="/Envelope",
            )
        taken.add(value)
        if name != _XML_ID:
            found[value] = element
    return found


def _is_id(name: object, element: _Element) -> bool:
    if name == "Id":
        return element.tag.startswith(_CARRIERS)
    return name in (WSU_ID, _XML_ID)
