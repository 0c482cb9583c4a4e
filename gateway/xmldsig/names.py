"""Names in the transform of СМЭВ: rules 4 to 7 and 10 of `gateway.xmldsig.transform`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from lxml import etree

from gateway.errors import MalformedError
from gateway.xmldsig import text

_ATTRIBUTE: Final = re.compile(rb' ([^="]++)="([^"]*+)"')
_PROBE: Final = etree.fromstring('<a xmlns="urn:a&amp;b"/>')
_BARE_AMPERSAND: Final = b"&amp;" not in etree.tostring(_PROBE, method="c14n", exclusive=True)
"""libxml2 up to 2.14 at least leaves `&` as it is in the name of a namespace. No other character of
such a name has to be escaped: it would be no URI, and have no canonical form."""


_KEPT: Final = 256
_KEPT_BYTES: Final = 300
_KEPT_NAMES: Final = 16
"""Start tags that stay written, how long they are at most, and in how many namespaces."""
_Attribute = tuple[bytes, bytes, bytes]
"""Of the source: prefix, empty for none; local name; value as it is escaped there."""


class Start(NamedTuple):
    """A start tag that was read and written anew. declares: the source declares something in it."""

    name: bytes
    written: bytes
    end: bytes
    declares: bool


class _Scope:
    """What holds inside an element that declares something; never changed once it is made.

    prefixes: of the source → name of its namespace. numbers: that → the new prefix, colon included.
    known: how a tag begins, `a` or `/a` of the source → how it begins anew.
    """

    __slots__ = ("known", "numbers", "outer", "prefixes")

    def __init__(
        self,
        prefixes: dict[bytes, bytes],
        numbers: dict[bytes, bytes],
        known: dict[bytes, bytes],
        outer: _Scope | None,
    ) -> None:
        self.prefixes = prefixes
        self.numbers = numbers
        self.known = known
        self.outer = outer


_OUTSIDE: Final = _Scope({}, {}, {}, None)


class Names:
    """The prefixes of the source and the new ones that hold at a place of the document."""

    __slots__ = ("_last", "scope")

    def __init__(self) -> None:
        self.scope = _OUTSIDE
        self._last = 0

    def start(self, tag: bytes) -> Start:
        """Return a start tag anew; what it declares holds until `leave`. Raise MalformedError."""
        small = len(tag) <= _KEPT_BYTES and len(self.scope.numbers) <= _KEPT_NAMES
        make = _remembered if small else _started
        found, self.scope, self._last = make(self.scope, self._last, tag)
        return found

    def leave(self) -> None:
        """Forget what the innermost element with declarations declared."""
        assert self.scope.outer is not None
        self.scope = self.scope.outer


def _started(scope: _Scope, last: int, tag: bytes) -> tuple[Start, _Scope, int]:
    """Return a start tag anew, what holds inside, and the last number that was given."""
    name, _, rest = tag[1:-1].partition(b" ")
    declared, attributes = _parts(tag) if rest else ({}, [])
    prefixes, numbers = scope.prefixes, scope.numbers
    if declared:
        prefixes, numbers = {**prefixes, **declared}, dict(numbers)
    prefix, _, local = name.rpartition(b":")
    space = prefixes.get(prefix, b"")
    if not space:
        raise refused(name)
    ordered = _ordered(attributes, prefixes) if attributes else []
    made = []
    for each in (space, *(key for key, *_ in ordered if key)):
        if each not in numbers:
            if not declared:  # the form was no exclusive one; what others see is not changed
                raise refused(name)
            last += 1
            numbers[each] = b"ns%d:" % last
            made.append(each)
    own = numbers[space]
    parts = [b"<", own, local]
    for each in made:
        parts += (b" xmlns:", numbers[each][:-1], b'="', _uri(each), b'"')
    for key, attribute, value in ordered:
        parts += (b" ", numbers[key] if key else b"", attribute, b'="', text.value(value), b'"')
    parts.append(b">")
    end = b"</" + own + local + b">"
    if declared:
        known = dict(scope.known)
        for prefix, uri in declared.items():
            if prefix:
                known[prefix] = b"<" + numbers[uri]
                known[b"/" + prefix] = b"</" + numbers[uri]
        scope = _Scope(prefixes, numbers, known, scope)
    return Start(name, b"".join(parts), end, bool(declared)), scope, last


_remembered = lru_cache(_KEPT)(_started)
"""The outer elements of messages are the same again and again."""


def _ordered(attributes: list[_Attribute], prefixes: dict[bytes, bytes]) -> list[_Attribute]:
    """Return the attributes in order (rule 6), each with its namespace for its prefix."""
    found = []
    for prefix, local, value in attributes:
        if prefix and prefix not in prefixes:  # xml: is the one that nobody declares
            raise refused(b"%b:%b" % (prefix, local))
        found.append((prefixes[prefix] if prefix else b"", local, value))
    if len(found) > 1:
        found.sort(key=_order)
    return found


def _parts(tag: bytes) -> tuple[dict[bytes, bytes], list[_Attribute]]:
    """Return what is declared in a start tag (prefix → namespace), and its attributes."""
    declared: dict[bytes, bytes] = {}
    attributes: list[_Attribute] = []
    for key, value in _ATTRIBUTE.findall(tag):
        prefix, colon, local = key.partition(b":")
        if key == b"xmlns":
            declared[b""] = value
        elif prefix == b"xmlns":
            declared[local] = value
        elif colon:
            attributes.append((prefix, local, value))
        else:
            attributes.append((b"", key, value))
    return declared, attributes


def _uri(space: bytes) -> bytes:
    """Return the name of a namespace as it stands in a declaration."""
    return space.replace(b"&", b"&amp;") if _BARE_AMPERSAND else space


def _order(attribute: _Attribute) -> tuple[bool, bytes, bytes]:
    space, local, _ = attribute
    return not space, text.units(text.meant(_uri(space).decode())), text.units(local.decode())


def refused(name: bytes) -> MalformedError:
    """Return the error for an element or an attribute that has no form (rule 10)."""
    return MalformedError(
        "the transform of СМЭВ has no form for this name",
        found=name.decode(),
        expected="elements of a namespace, attributes without xml:",
        todo="СМЭВ takes no such content under a signature: give the element a namespace",
    )
