"""Bounds a document before it is parsed: elements, attributes, namespaces.

Each look stops where a limit is passed, and none keeps the interpreter for long: one call of C over
12 MB that hold nothing but what is looked for takes 30 ms, in which nobody else is served.
"""

from __future__ import annotations

import re
from itertools import chain, islice, pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway import limits
from gateway.errors import TooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterator

_ATTRIBUTE: Final = re.compile(rb"""=[ \t\r\n]*["']""")
_WHOLE_ATTRIBUTE: Final = re.compile(rb"""=[ \t\r\n]*+(?:"[^"]*+"|'[^']*+')""")
_START: Final = re.compile(rb"<(?![/!?])")
_OPAQUE: Final = re.compile(rb"<!\[CDATA\[|<!--|<\?")
_ENDS: Final = {b"<![CDATA[": b"]]>", b"<!--": b"-->", b"<?": b"?>"}
_DECLARES: Final = b"xmlns"
_PREFIX: Final = re.compile(rb"xmlns:([^\s=]*)")
_LONG_DECLARATION: Final = re.compile(
    rb"""xmlns(?::[^\s=]{%d}|(?::[^\s=]*+)?+[ \t\r\n]*+=[ \t\r\n]*+(?:"[^"<]{%d}|'[^'<]{%d}))"""
    % (limits.XML_PREFIX_BYTES + 1, *(limits.XML_NAMESPACE_BYTES + 1,) * 2)
)
_WINDOW: Final = 64 * limits.KB
_NODE_BYTES: Final = 4
"""The shortest element is `<a/>`; no attribute is shorter."""
SHORT_BYTES: Final = 8 * limits.KB
"""Up to it the length alone bounds the nodes well enough: counting costs a tenth of parsing."""
SHORT_NODES: Final = SHORT_BYTES // _NODE_BYTES
"""`Document.nodes` is at most this of a document of up to 8 KB, and more of a longer one."""


class Bounds(NamedTuple):
    """What a document holds at most."""

    nodes: int
    """Elements and attributes."""
    equals: int
    """Signs of equality, of which each attribute and each declaration has one."""


def bounded(text: bytes) -> Bounds:
    """Return the bounds of a document, or raise TooLargeError. text: in UTF-8."""
    equals = count(b"=", text)
    nodes = len(text) // _NODE_BYTES
    if equals > limits.XML_PREFIXES:
        _require_few_prefixes(text)
    if len(text) > SHORT_BYTES:
        nodes = max(count(b"<", text) + equals, SHORT_NODES + 1)
        _require_short_namespaces(text)
    if nodes > limits.SOAP_ROOT_NODES:
        quotes = count(b'"', text) + count(b"'", text)
        if quotes <= limits.SOAP_ROOT_NODES:  # else not all of them were counted
            nodes = max(count(b"<", text) + quotes // 2, SHORT_NODES + 1)
    if nodes > limits.SOAP_ROOT_NODES:
        nodes = max(_nodes(text), SHORT_NODES + 1)
        if nodes > limits.SOAP_ROOT_NODES:
            raise crowded(
                "the document has too many elements and attributes", limits.SOAP_ROOT_NODES
            )
    if equals > limits.XML_ATTRIBUTES and _has_crowded_tag(text):
        raise crowded("an element has too many attributes", limits.XML_ATTRIBUTES)
    return Bounds(nodes, equals)


def count(what: bytes, text: bytes) -> int:
    """Return how often it stands there, stopping beyond the limit of nodes.

    Window by window: 12 MB that hold nothing else would keep the interpreter for 30 ms.
    """
    if len(text) <= _WINDOW:
        return text.count(what)
    found = 0
    for start in range(0, len(text), _WINDOW):
        found += text.count(what, start, start + _WINDOW)
        if found > limits.SOAP_ROOT_NODES:
            break
    return found


def _places(what: bytes, text: bytes) -> Iterator[int]:
    """Yield where it stands, window by window: see `count`."""
    for start in range(0, len(text), _WINDOW):
        end = start + _WINDOW + len(what) - 1
        at = text.find(what, start, end)
        while at >= 0:
            yield at
            at = text.find(what, at + len(what), end)


def _has_crowded_tag(text: bytes) -> bool:
    """Say whether a tag holds too many attributes for certain: parsing 40,000 takes 30 ms.

    A `>` in a value hides what is behind it; the tree is asked too.
    """
    most = limits.XML_ATTRIBUTES
    for at, after in pairwise(chain(_places(b"<", text), [len(text)])):
        if after - at > _NODE_BYTES * most:
            close = text.find(b">", at, after)
            head = text[at + 1 : after if close < 0 else close]
            most_here = most + head.count(_DECLARES)
            found = islice(_WHOLE_ATTRIBUTE.finditer(head), most_here + 1)
            if sum(1 for _ in found) > most_here:
                return True
    return False


def _nodes(text: bytes) -> int:
    """Return an upper bound of elements and attributes, one that is too high when it is passed.

    Only a tag of a start has neither `/`, `!` nor `?` behind its `<`. CDATA sections, comments and
    processing instructions, where one may stand without a meaning, are passed over.
    """
    found = at = passed = 0
    while at < len(text) and found <= limits.SOAP_ROOT_NODES and passed <= limits.XML_OPAQUE:
        # Behind a `>` nothing is torn that is looked for.
        end = text.find(b">", at + _WINDOW, at + 2 * _WINDOW) + 1 or at + 2 * _WINDOW
        opaque = _OPAQUE.search(text, at, end)
        behind = end
        if opaque is not None:
            passed += 1
            end = opaque.start()
            close = text.find(_ENDS[opaque[0]], opaque.end())
            # What has no end is refused by the parser.
            behind = close + len(_ENDS[opaque[0]]) if close >= 0 else len(text)
        for each in (_START, _ATTRIBUTE):
            some = islice(each.finditer(text, at, end), limits.SOAP_ROOT_NODES + 1)
            found += sum(1 for _ in some)
        at = behind
    if passed > limits.XML_OPAQUE:
        raise crowded("the document has too many comments", limits.XML_OPAQUE)
    return found


def _require_short_namespaces(text: bytes) -> None:
    """Bound the names of namespaces and of their prefixes, wherever one may be declared."""
    for seen, at in enumerate(_places(_DECLARES, text)):
        if seen >= limits.SOAP_ROOT_NODES:
            raise crowded("the document declares namespaces too often", limits.SOAP_ROOT_NODES)
        if _LONG_DECLARATION.match(text, at):
            raise TooLargeError(
                "the name of a namespace, or its prefix, is too long",
                expected=f"at most {limits.XML_NAMESPACE_BYTES} bytes",
            )


def _require_few_prefixes(text: bytes) -> None:
    """Bound the declarations, and the different prefixes that they declare.

    The names are looked at only when there are more declarations than there may be names.
    """
    declared = count(b"xmlns:", text)
    if declared > limits.XML_DECLARATIONS:
        raise crowded("the document declares prefixes too often", limits.XML_DECLARATIONS)
    if declared > limits.XML_PREFIXES:
        names = {found[1] for found in _PREFIX.finditer(text)}
        if len(names) > limits.XML_PREFIXES:
            raise crowded("the document declares too many prefixes", limits.XML_PREFIXES)


def crowded(message: str, limit: int) -> TooLargeError:
    """Return the error for more of something than there may be."""
    return TooLargeError(message, found=f"over {limit}", expected=f"at most {limit}")
