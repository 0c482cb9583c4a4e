"""Finds out which elements a schema complains of, in time linear in the size of the document.

While it streams, libxml2 gives neither line nor path with a complaint. A parser with a target in
Python knows where it is, and takes the interpreter lock for every element of a document that has
50,000. So the document is checked twice by the parser alone: in large pieces, to learn which of
them bring complaints, then those tag by tag. What a text brings is noticed at the `<` behind it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from lxml import etree

from gateway import limits, xml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element, _LogEntry

_ENOUGH: Final = 2 * limits.VIOLATIONS_REPORTED
"""Entries after which nothing more is looked for; some of them say the same."""
_PIECE: Final = 4 * limits.KB
"""One piece holds at most a thousand wrong elements, each an entry."""


class Place(NamedTuple):
    """Where an entry came: at the element that began as number `begun`, or `up` levels above it."""

    begun: int
    up: int


class _Reader:
    """A parser that is fed and tells what its log has grown by."""

    def __init__(self, schema: etree.XMLSchema) -> None:
        self._parser = etree.XMLParser(schema=schema, **xml.OPTIONS)
        self._seen = 0

    def feed(self, piece: bytes) -> list[_LogEntry]:
        """Parse a piece and return the new entries of the log."""
        with suppress(etree.XMLSyntaxError):
            self._parser.feed(piece)
        return self._new()

    def close(self) -> list[_LogEntry]:
        """Return what came with the end, which of a tiny document is everything.

        Without it lxml keeps the tree of what was read for good.
        """
        with suppress(etree.XMLSyntaxError, etree.XMLSchemaValidateError):
            self._parser.close()
        return self._new()

    def _new(self) -> list[_LogEntry]:
        log = self._parser.feed_error_log
        new = list(log)[self._seen :] if len(log) > self._seen else []
        self._seen += len(new)
        return new


def valid(text: bytes, schema: etree.XMLSchema) -> bool:
    """Say whether a document follows the schema; stops where it does not.

    text: as `etree.tostring` writes it.
    """
    reader = _Reader(schema)
    sound = not any(reader.feed(text[start:end]) for start, end in _pieces(text))
    return not reader.close() and sound


def complaints(text: bytes, schema: etree.XMLSchema) -> list[tuple[_LogEntry, Place]]:
    """Return the first entries of the schema's log, some 40 of them, each with its place.

    text: as `etree.tostring` writes it, so that `<` and `>` stand in tags only.
    """
    reader, wrong, count, start = _Reader(schema), set(), 0, 0
    for start, end in _pieces(text):
        new = len(reader.feed(text[start:end]))
        if new:
            wrong.add(start)
        count += new
        if count >= _ENOUGH:
            break
    if reader.close() and count < _ENOUGH:
        wrong.add(start)
    return _placed(text, wrong, schema) if wrong else []


def _pieces(text: bytes) -> Iterator[tuple[int, int]]:
    """Yield the bounds of pieces that end behind a tag."""
    start = 0
    while start < len(text):
        end = text.find(b">", start + _PIECE) + 1 or len(text)
        yield start, end
        start = end


def _placed(text: bytes, wrong: set[int], schema: etree.XMLSchema) -> list[tuple[_LogEntry, Place]]:
    """Parse again as far as the last of the pieces that bring entries, those tag by tag."""
    reader, last, opened = _Reader(schema), max(wrong), 0
    found: list[tuple[_LogEntry, Place]] = []
    for start, end in _pieces(text):
        if start not in wrong:
            reader.feed(text[start:end])
            opened += text.count(b"<", start, end) - text.count(b"</", start, end)
            continue
        at = start
        while at < end and len(found) < _ENOUGH:
            tag, behind = text.index(b"<", at), text.index(b">", at) + 1
            if tag > at:
                new = reader.feed(text[at : tag + 1])
                found += [(entry, _place(text, at, opened)) for entry in new]
                at = tag + 1
            opened += text[tag + 1 : tag + 2] != b"/"
            new = reader.feed(text[at:behind])
            found += [(entry, _place(text, behind, opened)) for entry in new]
            at = behind
        if start == last or len(found) >= _ENOUGH:
            break
    new = reader.close()
    if end == len(text):
        found += [(entry, _place(text, end, opened)) for entry in new]
    return found


def _place(text: bytes, end: int, opened: int) -> Place:
    """Return the element of the tag that ends at `end`; opened: elements begun until there."""
    closed, at = 0, text.rindex(b"<", 0, end)
    while text.startswith(b"</", at):
        closed, at = closed + 1, text.rindex(b"<", 0, at)
    whole = text.startswith(b"/>", text.index(b">", at) - 1)
    return Place(opened - 1, closed if whole or not closed else closed - 1)


def above(element: _Element, up: int) -> _Element:
    """Return the element itself, or the one so many levels above it."""
    for _ in range(up):
        parent = element.getparent()
        element = element if parent is None else parent
    return element
