"""Canonical bytes of an element, as a CanonicalizationMethod or a Transform asks for them.

One algorithm is offered: Exclusive XML Canonicalization 1.0 without comments (W3C 2002), with its
PrefixList. A message has no comments when it comes here, the parser drops them.
"""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Final

from lxml import etree

from gateway import limits, ns, xml
from gateway.errors import SecurityError
from gateway.soap.security import nodes

if TYPE_CHECKING:
    from lxml.etree import _Element

_INCLUSIVE: Final = ns.tag(ns.EXC_C14N, "InclusiveNamespaces")
_DEFAULT: Final = "#default"
_KNOWN_PREFIXES: Final = 1_000
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII)


class _PerThread(threading.local):
    """The prefixes that the parser's dictionary of this thread is known to hold."""

    def __init__(self) -> None:
        self.prefixes: set[str] = set()


_LOCAL = _PerThread()


def method(element: _Element) -> tuple[str, ...]:
    """Return the PrefixList of an algorithm element; raise SecurityError for any other algorithm.

    element: ds:CanonicalizationMethod or ds:Transform.
    """
    if element.get("Algorithm") != ns.EXC_C14N:
        raise SecurityError(
            "the canonicalization or transform is not offered",
            "UnsupportedAlgorithm",
            found=element.get("Algorithm", ""),
            expected=ns.EXC_C14N,
            where=nodes.path(element),
        )
    if not len(element):
        return ()
    (inclusive,) = nodes.expect(element, (_INCLUSIVE,))
    nodes.expect(inclusive, ())
    prefixes = tuple(inclusive.get("PrefixList", "").split())
    chars = sum(map(len, prefixes))
    if len(prefixes) > limits.SECURITY_PREFIXES or chars > limits.SECURITY_PREFIXES_CHARS:
        raise SecurityError(
            "the PrefixList is too long",
            found=f"{len(prefixes)} prefixes, {chars} characters",
            expected=f"at most {limits.SECURITY_PREFIXES} prefixes,"
            f" {limits.SECURITY_PREFIXES_CHARS} characters",
            where=nodes.path(inclusive),
        )
    return prefixes


def canonical(element: _Element, prefixes: tuple[str, ...] = ()) -> bytes:
    """Return the canonical bytes of an element in its place.

    Raise SecurityError for what has none: a namespace that is no absolute URI (Canonical XML 1.0,
    section 1.3).
    """
    if prefixes:
        _learn(element, prefixes)
    try:
        return xml.c14n(element, prefixes)
    except etree.C14NError as error:
        raise SecurityError(
            "the element has no canonical form",
            "FailedCheck",
            found=nodes.local(element.tag),
            expected="namespaces that are absolute URIs",
        ) from error


def _learn(element: _Element, prefixes: tuple[str, ...]) -> None:
    """Make lxml honour the prefixes in this thread.

    lxml looks each prefix up in the dictionary that the parsers of the running thread share, and
    silently leaves out what it does not find: every prefix of a document that another thread
    parsed, and `#default` always. Names get into the dictionary by being parsed, `#default` as the
    default value of an attribute. Only prefixes that are declared for the element are learnt, so
    that a stranger cannot make the dictionary grow beyond what `method` lets through; the threads
    are replaced in time (`gateway.wires.proving`).
    """
    known = _LOCAL.prefixes
    unknown = {prefix for prefix in prefixes if prefix not in known}
    if not unknown:
        return
    scope = element.nsmap
    names = [p for p in unknown if p in scope and _NAME.fullmatch(p)]
    text = "".join(f"<{name}/>" for name in names)
    declared = f'<!DOCTYPE a [<!ATTLIST a b CDATA "{_DEFAULT}">]>' if _DEFAULT in unknown else ""
    try:
        etree.fromstring(f"{declared}<a>{text}</a>", etree.XMLParser(**xml.OPTIONS))
    except etree.XMLSyntaxError as error:  # a thread that keeps 100 MB of names reads no more
        raise SecurityError(
            "the PrefixList cannot be read", "FailedCheck", found=nodes.local(element.tag)
        ) from error
    if len(known) > _KNOWN_PREFIXES:
        known.clear()
    known.update(names)
    if declared:
        known.add(_DEFAULT)
