"""Reads elements of a Security header: text, bytes and children, each under its limit."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Final

from gateway import limits, ns
from gateway.errors import SecurityError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lxml.etree import _Element

    from gateway.errors import WsseFault

HEADER: Final = "/Envelope/Header/Security"
_BASE64: Final = ("", f"{ns.WSS_MESSAGE}#Base64Binary")


def text(element: _Element, limit: int = limits.SECURITY_CHARS) -> str:
    """Return the text without the space around it; raise SecurityError past `limit` characters."""
    found = element.text or ""
    if len(element):
        raise SecurityError("text was expected, not elements", where=path(element))
    if len(found) > limit:
        raise SecurityError(
            "the text is too long",
            found=f"{len(found)} characters",
            expected=f"at most {limit}",
            where=path(element),
        )
    return found.strip()


def binary(
    element: _Element,
    limit: int = limits.SECURITY_TOKEN_CHARS,
    fault: WsseFault = "InvalidSecurity",
) -> bytes:
    """Return what the element holds in base64, broken into lines or not."""
    coding = element.get("EncodingType", "")
    if coding not in _BASE64:
        raise SecurityError(
            "the encoding is not offered",
            "UnsupportedSecurityToken",
            found=coding,
            expected=_BASE64[1],
            where=path(element),
        )
    value = text(element, limit)
    try:
        return b64decode("".join(value.split()), validate=True)
    except ValueError as error:
        raise SecurityError("not base64", fault, where=path(element)) from error


def expect(element: _Element, tags: Sequence[str]) -> list[_Element]:
    """Return the children, which have to be exactly these, in this order."""
    children = list(element)
    if [child.tag for child in children] != list(tags):
        raise SecurityError(
            "the element is not built as expected",
            found=names(children[: limits.SECURITY_BLOCKS]) or "nothing",
            expected=", ".join(local(tag) for tag in tags) or "nothing",
            where=path(element),
        )
    return children


def path(element: _Element) -> str:
    """Return the place of an element of the Security header, for a person."""
    steps = [local(element.tag)]
    for parent in element.iterancestors():
        if local(parent.tag) == "Security":
            break
        steps.append(local(parent.tag))
    return "/".join((HEADER, *reversed(steps)))


def names(elements: Sequence[_Element]) -> str:
    """Return the local names of elements."""
    return ", ".join(local(element.tag) for element in elements)


def local(tag: object) -> str:
    """Return the local part of a Clark name."""
    return str(tag).rpartition("}")[2]
