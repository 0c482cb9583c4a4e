"""XML documents as flat dicts of leaves and back.

`document/signatories/signatory[0]/person`; attributes `@name`; a leaf is the text of an element
without children. Elements that a mapping lists (`[*]`) always carry their number, others only from
the second on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lxml import etree

from gateway.errors import MalformedError
from tests.contract.mappings.table import Leaves

Order = Mapping[str, tuple[str, ...]]
"""Order of child elements by the parent's name; from the format's schema."""

_INDEXED = re.compile(r"(.*)\[(\d+)\]\Z", re.DOTALL)


class Xml:
    """One XML format: its namespaces by prefix (`""` is the one names go without), order, encoding.

    qualified: attributes carry the namespace too (МЭДО). repeated: `parent/child` names that always
    carry a number.
    """

    def __init__(
        self,
        root: str,
        *,
        namespaces: Mapping[str, str],
        order: Order,
        repeated: frozenset[str],
        encoding: str = "utf-8",
        qualified: bool = False,
        prefix: str | None = None,
    ) -> None:
        self.root, self.namespaces, self.order = root, dict(namespaces), order
        self.repeated, self.encoding, self.qualified = repeated, encoding, qualified
        self.prefix = prefix

    def read(self, body: bytes) -> Leaves:
        """Return the leaves of a document; MalformedError when it is not this format's XML."""
        parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_blank_text=True)
        try:
            root = etree.fromstring(body, parser)
        except etree.XMLSyntaxError as error:
            raise MalformedError(f"not XML: {error}") from error
        if self._short(root.tag) != self.root:
            raise MalformedError("another root element", found=str(root.tag), expected=self.root)
        leaves: Leaves = {}
        self._read(root, "", leaves)
        return leaves

    def _short(self, tag: Any) -> str:
        name = etree.QName(tag)
        for prefix, uri in self.namespaces.items():
            if uri == (name.namespace or ""):
                return f"{prefix}:{name.localname}" if prefix else name.localname
        raise MalformedError("an unknown namespace", found=str(tag))

    def _read(self, element: Any, at: str, leaves: Leaves) -> None:
        for key, value in element.attrib.items():
            name = self._short(key) if self.qualified or "{" in key else key
            leaves[f"{at}@{name}"] = value
        counts: dict[str, int] = {}
        for child in element:
            name = self._short(child.tag)
            number = counts.get(name, 0)
            counts[name] = number + 1
            path = f"{at}{name}"
            if number or name in self.repeated:
                path += f"[{number}]"
            if not len(child) and (child.text or not child.attrib):
                leaves[path] = child.text or ""
            self._read(child, f"{path}/", leaves)

    def write(self, leaves: Leaves) -> bytes:
        """Return the document of the leaves, children in the order of the schema."""
        declared: Any = {p or self.prefix: uri for p, uri in self.namespaces.items() if uri}
        root = etree.Element(self._long(self.root), nsmap=declared)
        made: dict[str, Any] = {"": root}
        numbers: dict[Any, int] = {}
        for path, value in leaves.items():
            owner, _, last = path.rpartition("/")
            if last.startswith("@"):
                name = self._long(last[1:]) if self.qualified or ":" in last else last[1:]
                self._element(owner, made, numbers).set(name, value)
            else:
                self._element(path, made, numbers).text = value or None
        self._sort(root, numbers)
        body: Any = etree.tostring(root, encoding=self.encoding, xml_declaration=True)
        return body  # type: ignore[no-any-return]

    def _long(self, short: str) -> str:
        prefix, _, local = short.rpartition(":")
        uri = self.namespaces[prefix]
        return f"{{{uri}}}{local}" if uri else local

    def _element(self, path: str, made: dict[str, Any], numbers: dict[Any, int]) -> Any:
        if path not in made:
            owner, _, last = path.rpartition("/")
            match = _INDEXED.match(last)
            element = etree.SubElement(
                self._element(owner, made, numbers), self._long(match[1] if match else last)
            )
            numbers[element] = int(match[2]) if match else 0
            made[path] = element
        return made[path]

    def _sort(self, element: Any, numbers: dict[Any, int]) -> None:
        names = self.order.get(self._short(element.tag), ())
        ranks = {name: rank for rank, name in enumerate(names)}
        children = sorted(
            element,
            key=lambda child: (ranks.get(self._short(child.tag), len(ranks)), numbers[child]),
        )
        for child in children:
            element.append(child)
            self._sort(child, numbers)
