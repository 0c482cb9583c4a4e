"""Files of a document that stand in other parts of its package, where its types say bytes.

The types of the contract say `bytes`, on every wire. A document of a package holds a `Part` in such
a place when it comes, a `File` when it goes: only `gateway.wires.files`, which takes what came, and
`gateway.wires.binding`, which writes, ever look into it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from gateway import ns
from gateway.adapter import File
from gateway.soap import mime

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import msgspec
    from lxml.etree import _Element

    from gateway.soap.splitter import Part


class Walk:
    """A walk over elements of which some hold parts."""

    def __init__(self, walk: Iterator[_Element], parts: Mapping[_Element, Part]) -> None:
        self._walk = walk
        self.parts = parts

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> _Element:
        return next(self._walk)


def pointer(file: File) -> str:
    """Return what stands in a document where the file belongs (XOP 1.0, 2.1)."""
    return f'<xop:Include xmlns:xop="{ns.XOP}" href="cid:{sent(file).content_id}"/>'


def sent(file: File) -> mime.Sent:
    """Return how a file is named as a part of a package."""
    return mime.Sent(sha256=file.sha256, media_type=file.media_type, size=file.size)


def of(document: msgspec.Struct) -> tuple[File, ...]:
    """Return the files of an answer, which stand in it itself, not below."""
    held = (getattr(document, name) for name in document.__struct_fields__)
    return tuple(value for value in held if isinstance(value, File))
