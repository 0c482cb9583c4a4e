"""Pages of a PDF copied into another one, bounded before they are read, and doing nothing there."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gateway import limits

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader, PdfWriter

_STRUCTURE: Final = 8 * limits.MB
"""What one stream that holds a PDF's own tables may unpack to; pictures are copied as packed."""
_TREE: Final = 100
"""Entries of the tree of pages for each page that may be merged."""
_NODES: Final = 200_000
"""Values that stand directly in the pages of one answer; each page has its own copy of what it
inherits, so that 100 KB of one page that stood 500 times took 55 s and 1 GB."""
_LINKS: Final = ("/URI", "/GoTo")
"""Actions that stay: they only lead somewhere, and a person has to follow them."""


class Bounds(NamedTuple):
    """What may be merged. pages: in all. pixels: of one picture. size: bytes of all files."""

    pages: int = 500
    pixels: int = 40_000_000
    size: int = 64 * limits.MB


class Fault(Exception):
    """What is wrong with one file: code, message, what was found, what was expected."""


def add_pdf(writer: PdfWriter, data: bytes, bounds: Bounds) -> None:
    """Add the pages of a PDF; raise Fault, or what the library says of broken bytes."""
    from pypdf import apply_configuration

    with apply_configuration(
        maximum_declared_stream_length=bounds.size,
        array_based_stream_maximum_output_length=_STRUCTURE,
        zlib_maximum_output_length=_STRUCTURE,
        lzw_maximum_output_length=_STRUCTURE,
        run_length_maximum_output_length=_STRUCTURE,
        stream_decoding_work_maximum_length=4 * _STRUCTURE,
        page_tree_maximum_entries=_TREE * bounds.pages,
        page_tree_maximum_page_entries=_TREE * bounds.pages,
    ):
        _copy_pages(writer, data, bounds)


def _copy_pages(writer: PdfWriter, data: bytes, bounds: Bounds) -> None:
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(data), strict=False)
    if reader.is_encrypted:
        raise Fault("encrypted", "the PDF is encrypted")
    _refuse_structure(reader)
    count = len(reader.pages)
    refuse_pages(len(writer.pages) + count, bounds)
    if not count:
        raise Fault("file", "the PDF has no pages")
    nodes = 0
    for page in reader.pages:
        nodes += _weight(page, _NODES - nodes)
        if nodes > _NODES:
            raise Fault("structure", "the pages of the PDF hold too much", "", f"at most {_NODES}")
        _still(writer.add_page(page))


def _still(page: PageObject) -> None:
    """Take away what a page would do when it is opened or touched; links of it stay.

    What stands in the document as a whole is not copied with its pages.
    """
    from pypdf.generic import ArrayObject, DictionaryObject

    page.pop("/AA", None)
    notes = page.get("/Annots")
    notes = notes.get_object() if notes is not None else None
    for one in notes if isinstance(notes, ArrayObject) else ():
        note = one.get_object()
        if not isinstance(note, DictionaryObject):
            continue
        note.pop("/AA", None)
        action = note.get("/A")
        action = action.get_object() if action is not None else None
        if not isinstance(action, DictionaryObject) or action.get("/S") not in _LINKS:
            note.pop("/A", None)
        else:
            action.pop("/Next", None)


def _refuse_structure(reader: PdfReader) -> None:
    """Refuse streams of objects that unpack to too much in all: 70 KB of ten took 12 s to read."""
    from pypdf.errors import PyPdfError
    from pypdf.generic import StreamObject

    left = _STRUCTURE
    for number in sorted({stream for stream, _ in reader.xref_objStm.values()}):
        try:
            packed = reader.get_object(number)
            left -= len(packed.get_data()) if isinstance(packed, StreamObject) else 0
        except PyPdfError:
            continue  # it is told when something of it is needed
        if left < 0:
            found, most = "objects in streams", f"at most {_STRUCTURE} bytes"
            raise Fault("structure", "the tables of the PDF are too large", found, most)


def _weight(page: PageObject, most: int) -> int:
    """Count the values within a page that are no references; stop past `most`."""
    stack: list[Any] = [page]
    count = 0
    while stack and count <= most:
        node = stack.pop()
        count += 1
        if isinstance(node, dict):
            stack += dict.values(node)
        elif isinstance(node, list):
            stack += list.__iter__(node)
    return count


def refuse_pages(count: int, bounds: Bounds) -> None:
    """Raise Fault for more pages than one answer may have."""
    if count > bounds.pages:
        raise Fault("pages", "too many pages in one answer", str(count), str(bounds.pages))
