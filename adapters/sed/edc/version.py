"""What differs between the versions of the container exchange; the reader and writer are one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gateway import xml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lxml.etree import _Element

    from gateway.errors import Violation

CONTAINER: Final = "document.edc.zip"
PASSPORT: Final = "passport.xml"
KIND: Final = "Транспортный контейнер"
"""`header/@type` of a message that brings a container."""
ZONE: Final = "Europe/Moscow"
"""Of instants without an offset; a peer's `zone` says otherwise."""


class Version(NamedTuple):
    """One version of the format.

    name: `communication/@version`. message, container: namespaces of the two documents.
    passport: `container/@version`. file: name of the message in its folder. reads: encodings that
    are read, the first is written. source: value of `Appeal.source_system`. check: holds a document
    against a body's own schema, or does nothing.
    """

    name: str
    message: str
    container: str
    passport: str
    file: str
    reads: tuple[str, ...]
    source: str
    check: Callable[[_Element, str, Mapping[str, Any]], tuple[Violation, ...]]


def unchecked(
    root: _Element,  # noqa: ARG001 - the shape of `Version.check`
    name: str,  # noqa: ARG001
    options: Mapping[str, Any],  # noqa: ARG001
) -> tuple[Violation, ...]:
    """Find nothing wrong: no schema of this version is public."""
    return ()


def written(text: bytes, leaves: Iterable[str], version: Version) -> bytes:
    """Return a document of a version in its encoding; in UTF-8 when the names of it need that.

    leaves: the places of the document; a name, unlike a text, cannot be a character reference.
    """
    encoding = version.reads[0]
    try:
        "".join(leaves).encode(encoding)
    except UnicodeEncodeError:
        encoding = xml.UTF8
    return xml.encode(text, encoding)


V27: Final = Version(
    name="2.7",
    message="http://www.infpres.com/IEDMS",
    container="http://minsvyaz.ru/container",
    passport="1.0",
    file="document.xml",
    reads=("windows-1251", xml.UTF8),
    source="medo27",
    check=unchecked,
)
