"""Names in the transform of СМЭВ: rules 4 to 7 and 10 of `gateway.xmldsig.transform`."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from lxml import etree

from gateway.errors import MalformedError
from gateway.xmldsig import text

_ATTRIBUTE: Final = re.compile(rb' ([^="]++)="([^"]*+)"')
_PROBE: Final = etree.fromstring('<a xmlns="urn:a&amp;b"/>')
_BARE_AMPERSAND: Final = b"&amp;" not in etree.tostring(_PROBE, method="c14n", exclusive=True)
"""libxml2 up to 2.14 at least leaves `&` as it is in the name of a namespace. No other character of
such a name has to be escaped: it would be no URI, and have no canonical form."""


_Attribute = tuple[bytes, bytes, bytes]
"""Of the source: prefix, empty for none; local name; value as it is escaped there."""


class Start(NamedTuple):
    """A start tag that was read and written anew. declares: the source declares something in it."""

    name: bytes
    written: bytes
    end: bytes
    declares: bool


class Names:
    """The prefixes of the source and the new ones that hold at a place of the document.

    prefixes: of the source → name of its namespace. numbers: that → the new prefix, colon included.
    known: how a tag begins, `a` or `/a` of the source → how it begins anew.
    """

    __slots__ = ("_last", "_undone", "known", "numbers", "prefixes")

    def __init__(self) -> None:
        self.prefixes: dict[bytes, bytes] = {}
        self.numbers: dict[bytes, bytes] = {}
        self.known: dict[bytes, bytes] = {}
        self._last = 0
        self._undone: list[tuple[dict[bytes, bytes], dict[bytes, bytes], list[bytes]]] = []

    def start(self, tag: bytes) -> Start:
        """Return a start tag anew; what it declares holds until `leave`. Raise MalformedError."""
        name, _, rest = tag[1:-1].partition(b" ")
        declared: dict[bytes, bytes] = {}
        attributes: list[_Attribute] = []
        if rest:
            declared, attributes = _parts(tag)
        made: list[bytes] = []
        if declared:
            before = dict(self.prefixes), self.known, made
            self.prefixes.update(declared)
            written, end = self._written(name, attributes, made)
            self._undone.append(before)
            self.known = dict(self.known)
            for prefix, space in declared.items():
                if prefix:
                    number = self.numbers[space]
                    self.known[prefix] = b"<" + number
                    self.known[b"/" + prefix] = b"</" + number
        else:
            written, end = self._written(name, attributes, made)
        return Start(name, written, end, bool(declared))

    def leave(self) -> None:
        """Forget what the innermost element with declarations declared."""
        self.prefixes, self.known, made = self._undone.pop()
        for each in made:
            del self.numbers[each]

    def _written(
        self, name: bytes, attributes: list[_Attribute], made: list[bytes]
    ) -> tuple[bytes, bytes]:
        """Return both tags of an element; what got a number is added to `made`."""
        prefix, _, local = name.rpartition(b":")
        space = self.prefixes.get(prefix, b"")
        if not space:
            raise refused(name)
        own = self.numbers.get(space) or self._number(space, made)
        parts = [b"<", own, local]
        ordered: list[_Attribute] = []
        if attributes:
            ordered = self._ordered(attributes)
            for key, *_ in ordered:
                if key and key not in self.numbers:
                    self._number(key, made)
        for each in made:
            parts += (b" xmlns:", self.numbers[each][:-1], b'="', _uri(each), b'"')
        for key, attribute, value in ordered:
            number = self.numbers[key] if key else b""
            parts += (b" ", number, attribute, b'="', text.value(value), b'"')
        parts.append(b">")
        return b"".join(parts), b"</" + own + local + b">"

    def _number(self, space: bytes, made: list[bytes]) -> bytes:
        self._last += 1
        self.numbers[space] = number = b"ns%d:" % self._last
        made.append(space)
        return number

    def _ordered(self, attributes: list[_Attribute]) -> list[_Attribute]:
        """Return the attributes in order (rule 6), each with its namespace for its prefix."""
        found = []
        for prefix, local, value in attributes:
            if prefix and prefix not in self.prefixes:  # xml: is the one that nobody declares
                raise refused(b"%b:%b" % (prefix, local))
            found.append((self.prefixes[prefix] if prefix else b"", local, value))
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
