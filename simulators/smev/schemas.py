"""The schemas of the exchange, compiled once, and why a message breaks them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, cast

from lxml import etree

from gateway import contracts
from simulators.smev.rules import invalid

if TYPE_CHECKING:
    from pathlib import Path

    from lxml.etree import _Element


class Schemas:
    """One schema a version, and one a namespace of content where it is known. Thread-safe.

    folder: of the operator's own schemas (`v1.3/…types-1.3.xsd`); None for those of ours.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._compiled: dict[str, etree.XMLSchema] = {}
        self._contents: dict[str, etree.XMLSchema] = {}

    def content(self, path: Path) -> str:
        """Take the schema of a kind of content; return its namespace."""
        tree = etree.parse(path)
        namespace = str(tree.getroot().get("targetNamespace", ""))
        with self._lock:
            self._contents[namespace] = etree.XMLSchema(tree)
        return namespace

    def check(self, version: str, root: _Element) -> None:
        """Raise Refusal for a call that is not as the schema of its version says."""
        with self._lock:
            if version not in self._compiled:
                self._compiled[version] = etree.XMLSchema(etree.parse(self._path(version)))
            _validate(self._compiled[version], root)

    def check_content(self, content: _Element) -> None:
        """Raise Refusal for a content that its own schema does not allow."""
        with self._lock:
            schema = self._contents.get(str(content.tag).rpartition("}")[0][1:])
            if schema is not None:
                _validate(schema, content)

    def _path(self, version: str) -> Path:
        if self._folder is None:
            return contracts.folder("xsd", f"smev/{version}") / f"smev-{version}.xsd"
        (path,) = self._folder.glob(f"*{version}/*types-{version}.xsd")
        return path


def _validate(schema: etree.XMLSchema, element: _Element) -> None:
    if schema.validate(element):
        return
    first = cast("Any", schema.error_log)[0]
    raise invalid(f"{first.message} (строка {first.line})", first.line)
