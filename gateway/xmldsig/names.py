"""Names in the transform of СМЭВ: rules 4 to 7 and 10 of `gateway.xmldsig.transform`."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from gateway.errors import MalformedError
from gateway.xmldsig import text

_ATTRIBUTE: Final = re.compile(rb' ([^="]++)="([^"]*+)"')


class _Attribute(NamedTuple):
    """An attribute of the source: prefix, empty for none; local name; value as it is escaped."""

    prefix: bytes
    local: bytes
    value: bytes


class Start(NamedTuple):
    """A start tag that was read and written anew. declares: the source declares something in it."""

    name: bytes
    written: bytes
    end: bytes
    declares: bool


class Names:
    """The prefixes of the source and the new ones that hold at a place of the document.

    prefixes: of the source → name of its namespace. numbers: that → the new prefix, colon included.
    """

    __slots__ = ("_last", "_undone", "numbers", "prefixes")

    def __init__(self) -> None:
        self.prefixes: dict[bytes, bytes] = {}
        self.numbers: dict[bytes, bytes] = {}
        self._last = 0
        self._undone: list[tuple[dict[bytes, bytes], tuple[bytes, ...]]] = []

    def start(self, tag: bytes) -> Start:
        """Return a start tag anew; what it declares holds until `leave`. Raise MalformedError."""
        name, _, rest = tag[1:-1].partition(b" ")
        declared: dict[bytes, bytes] = {}
        attributes: list[_Attribute] = []
        if rest:
            declared, attributes = _parts(tag)
        before = {key: self.prefixes[key] for key in declared if key in self.prefixes}
        self.prefixes.update(declared)
        made: list[bytes] = []
        written, end = self._written(name, attributes, made)
        if declared:
            gone = tuple(key for key in declared if key not in before)
            self._undone += [(before, gone), ({}, tuple(made))]
        return Start(name, written, end, bool(declared))

    def leave(self) -> None:
        """Forget what the innermost element with declarations declared."""
        for each in self._undone.pop()[1]:
            del self.numbers[each]
        before, gone = self._undone.pop()
        for each in gone:
            del self.prefixes[each]
        self.prefixes.update(before)

    def _written(
        self, name: bytes, attributes: list[_Attribute], made: list[bytes]
    ) -> tuple[bytes, bytes]:
        """Return both tags of an element; what got a number is added to `made`."""
        prefix, _, local = name.rpartition(b":")
        space = self.prefixes.get(prefix, b"")
        if not space:
            raise refused(name)
        parts = [b"<", b"", local]
        ordered = self._ordered(attributes) if attributes else ()
        numbers = self.numbers
        for needed in (space, *(key for key, _ in ordered if key)):
            if needed not in numbers:
                self._last += 1
                made.append(needed)
                numbers[needed] = b"ns%d:" % self._last
                parts.append(b' xmlns:ns%d="%b"' % (self._last, text.value(needed)))
        parts[1] = own = numbers[space]
        for key, each in ordered:
            number = numbers[key] if key else b""
            parts.append(b' %b%b="%b"' % (number, each.local, text.value(each.value)))
        parts.append(b">")
        return b"".join(parts), b"</%b%b>" % (own, local)

    def _ordered(self, attributes: list[_Attribute]) -> list[tuple[bytes, _Attribute]]:
        """Return the attributes in order (rule 6), each behind its namespace, empty for none."""
        found = []
        for each in attributes:
            if each.prefix and each.prefix not in self.prefixes:  # xml: is the one not declared
                raise refused(b"%b:%b" % (each.prefix, each.local))
            found.append((self.prefixes[each.prefix] if each.prefix else b"", each))
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
            attributes.append(_Attribute(prefix, local, value))
        else:
            attributes.append(_Attribute(b"", key, value))
    return declared, attributes


def _order(pair: tuple[bytes, _Attribute]) -> tuple[bool, bytes, bytes]:
    space, attribute = pair
    return not space, text.units(text.meant(space.decode())), text.units(attribute.local.decode())


def refused(name: bytes) -> MalformedError:
    """Return the error for an element or an attribute that has no form (rule 10)."""
    return MalformedError(
        "the transform of СМЭВ has no form for this name",
        found=name.decode(),
        expected="elements of a namespace, attributes without xml:",
        todo="СМЭВ takes no such content under a signature: give the element a namespace",
    )
