"""What may stand where in a SOAP message (SOAP 1.2, Part 1, 5 and 6; SOAP 1.1, 4).

SOAP 1.2 makes any malformation of the message construct a fault of the sender (2.8). SOAP 1.1 has
most of the same rules, but its clients were never held to them, so only what tells a mandatory
header from another is checked there.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urljoin

from lxml import etree

from gateway import limits, ns
from gateway.errors import EncodingStyleError, ValidationError, Violation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lxml.etree import _Element

STYLE: Final = ns.tag(ns.SOAP12, "encodingStyle")
NO_CLAIM: Final = f"{ns.SOAP12}/encoding/none"
"""The encoding style of a message that claims none (5.1.1)."""
BLOCKS: Final = "/Envelope/Header/"
"""Where a path begins that leads to a header block."""
_BASE: Final = ns.tag(ns.XML, "base")
_WHITE: Final = " \t\r\n"
_NAME_CHARS: Final = 200
"""So much of a name is told."""
_BOOLEANS: Final = {"1": True, "true": True, "0": False, "false": False}
_IGNORED: Final = (
    *(ns.tag(ns.SOAP11, name) for name in ("actor", "mustUnderstand", "encodingStyle")),
    *(ns.tag(ns.SOAP12, name) for name in ("role", "mustUnderstand", "relay", "encodingStyle")),
)
_STYLED: Final = etree.XPath("descendant-or-self::*/@e:encodingStyle", namespaces={"e": ns.SOAP12})
_MARKED: Final = etree.XPath(
    "descendant-or-self::*[@o:* or @e:*]", namespaces={"o": ns.SOAP11, "e": ns.SOAP12}
)


def check(envelope: _Element, header: _Element | None, body: _Element) -> None:
    """Check the attributes, text and header blocks of a SOAP 1.2 envelope; raise ValidationError.

    Attributes of Envelope, Header and Body have a namespace and none is encodingStyle; nothing but
    white space stands beside their elements; a header block has a namespace (5.1, 5.2, 5.3).
    """
    sections = [(envelope, "/Envelope"), (body, "/Envelope/Body")]
    texts = [envelope.text, body.tail]
    if header is not None:
        sections.append((header, "/Envelope/Header"))
        texts += [header.text, header.tail]
        for block in header:
            texts.append(block.tail)
            if block.tag[0] != "{":
                raise refuse(
                    "/Envelope/Header", "namespace", "a header has no namespace", block.tag
                )
    for element, path in sections:
        for name in element.attrib:
            if name == STYLE:
                raise refuse(path, "attribute", "encodingStyle is not allowed here (5.1.1)")
            if name[0] != "{":
                raise refuse(path, "attribute", "an attribute here has a namespace", str(name))
    for text in texts:
        if text and text.strip(_WHITE):
            raise refuse("/Envelope", "text", "text stands beside the elements", text.strip())


def mandatory(block: _Element, said: str) -> bool:
    """Say whether a header block must be understood; said: its mustUnderstand.

    All forms of xs:boolean in both versions, though SOAP 1.1, 4.2.3 has 0 and 1 only; raise
    ValidationError for anything else.
    """
    found = _BOOLEANS.get(said.strip(_WHITE))
    if found is None:
        local = etree.QName(block).localname[:_NAME_CHARS]
        message = f"mustUnderstand of {local} is 1, true, 0 or false"
        raise refuse(f"{BLOCKS}{local}", "attribute", message, said)
    return found


def target(block: _Element, said: str) -> str:
    """Return whom a header block is for; said: its actor or role.

    A relative one is made absolute by its xml:base (SOAP 1.2, Part 1, 6). Too long a base or role
    makes none that could mean us: one of 30,000 characters took 5 ms for each block.
    """
    role = said.strip(_WHITE)
    if role and ":" not in role and len(role) <= limits.ROLE_CHARS and _based(block):
        with suppress(ValueError):  # a base that is no URI makes nothing absolute
            return urljoin(block.base or "", role)
    return role


def _based(block: _Element) -> bool:
    """Say whether the block has an xml:base, each part of which is short."""
    bases = [base for each in (block, *block.iterancestors()) if (base := each.get(_BASE))]
    return bool(bases) and max(map(len, bases)) <= limits.ROLE_CHARS


def require_literal(elements: Iterable[_Element]) -> None:
    """Raise EncodingStyleError when an element or one below it is in an encoding (5.4.6)."""
    for element in elements:
        for style in cast("list[str]", _STYLED(element)):
            if style.strip(_WHITE) not in ("", NO_CLAIM):
                raise EncodingStyleError(
                    "data encodings are not known here; send document/literal",
                    found=str(style),
                    expected=NO_CLAIM,
                    where=f"encodingStyle of {etree.QName(element).localname}",
                )


def without_marks(element: _Element) -> bool:
    """Take off what SOAP lets stand on any element and tells a receiver to ignore (5.2.2 to 5.2.4).

    Returns whether there was anything: a schema would refuse it.
    """
    marked = cast("list[_Element]", _MARKED(element))
    for each in marked:
        for name in _IGNORED:
            if each.get(name) is not None:
                del each.attrib[name]
    return bool(marked)


def refuse(path: str, code: str, message: str, found: str = "") -> ValidationError:
    """Return the error for a message that is no SOAP."""
    return ValidationError(message, (Violation(path, code, message, found[:200]),))
