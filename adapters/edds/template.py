"""A document with named places: filled by value, never by pasting text; pure.

A JSON template is read as JSON and an XML template as XML, once, at start. What is filled in
becomes a value of the tree, and the tree is written by msgspec or lxml, so no text of a citizen can
end a string or open an element. `{{` and `}}` stand for braces.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import quote

import msgspec
from lxml import etree

from gateway import xml
from gateway.errors import ConfigurationError, GatewayError
from gateway.model.fold import FORBIDDEN

Value = str | int | float | bool | None
Fields = Mapping[str, Value]
_PLACE: Final = re.compile(r"\{\{|\}\}|\{([a-z_]+)\}|[{}]")
_encode: Final = msgspec.json.Encoder().encode


class Line(NamedTuple):
    """A text with places: literals and names in turn; a name is a tuple of one."""

    parts: tuple[str | tuple[str], ...]

    @property
    def alone(self) -> str:
        """The name, when the text is one place and nothing else."""
        return self.parts[0][0] if len(self.parts) == 1 and self.parts[0].__class__ is tuple else ""

    @property
    def is_plain(self) -> bool:
        """Whether it has no place at all."""
        return all(isinstance(part, str) for part in self.parts)

    def text(self, fields: Fields) -> str:
        """Return it filled; what is nothing is empty."""
        return "".join(
            part if isinstance(part, str) else spelled(fields.get(part[0])) for part in self.parts
        )

    def path(self, fields: Fields) -> str:
        """Return it as part of a URL: values are percent-encoded, also their slashes."""
        return "".join(
            part if isinstance(part, str) else quote(spelled(fields.get(part[0])), safe="")
            for part in self.parts
        )

    def header(self, fields: Fields) -> str:
        """Return it as value of a header: values keep printable ASCII, the rest percent-encoded."""
        return "".join(
            part if isinstance(part, str) else quote(spelled(fields.get(part[0])), safe=_PRINTABLE)
            for part in self.parts
        )


_PRINTABLE: Final = " !\"#$&'()*+,-./:;<=>?@[]^_`{|}~"


def spelled(value: Value) -> str:
    """Return a value as text, without the characters that no document may hold."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", str(value))


def line(text: str, known: Collection[str], where: str) -> Line:
    """Read a text with places; raise ConfigurationError for an unknown name or a stray brace."""
    parts: list[str | tuple[str]] = []
    literal, start = "", 0
    for found in _PLACE.finditer(text):
        literal += text[start : found.start()]
        start = found.end()
        name = found[1]
        if found[0] in ("{{", "}}"):
            literal += found[0][0]
            continue
        if name is None or name not in known:
            raise ConfigurationError(
                "нет такого поля · no such field of a card",
                found=name or f"{found[0]} at {found.start()}",
                expected=", ".join(sorted(known)) if name else "{{ or }} for a brace",
                where=where,
            )
        if literal:
            parts.append(literal)
        literal = ""
        parts.append((name,))
    literal += text[start:]
    if literal or not parts:
        parts.append(literal)
    return Line(tuple(parts))


class Body(Protocol):
    """A template of a document."""

    def fill(self, fields: Fields) -> bytes:
        """Return the document."""
        ...


class Json:
    """A JSON document whose strings have places. text: of the template."""

    def __init__(self, text: str, known: Collection[str], where: str) -> None:
        try:
            tree = json.loads(text)
        except ValueError as error:
            raise ConfigurationError(
                f"шаблон не JSON · the template is not JSON: {error}", where=where
            ) from error
        self._tree = _compiled(tree, known, where)

    def fill(self, fields: Fields) -> bytes:
        """Return the document in UTF-8; members whose value is nothing are left out."""
        return _encode(_filled(self._tree, fields))


def _compiled(node: Any, known: Collection[str], where: str) -> Any:
    if isinstance(node, dict):
        return {name: _compiled(value, known, f"{where}/{name}") for name, value in node.items()}
    if isinstance(node, list):
        return [_compiled(item, known, f"{where}/{place}") for place, item in enumerate(node)]
    return line(node, known, where) if isinstance(node, str) else node


def _filled(node: Any, fields: Fields) -> Any:
    if isinstance(node, Line):
        if not node.alone:
            return node.text(fields)
        value = fields.get(node.alone)
        return spelled(value) or None if isinstance(value, str) else value
    if isinstance(node, dict):
        made = {name: _filled(value, fields) for name, value in node.items()}
        kept = {name: value for name, value in made.items() if value not in (None, {}, [])}
        return kept or (None if made else {})
    if isinstance(node, list):
        return [value for item in node if (value := _filled(item, fields)) is not None]
    return node


class Xml:
    """An XML document whose texts and attributes have places. text: of the template."""

    def __init__(self, text: str, known: Collection[str], where: str) -> None:
        try:
            self._root = xml.parse(text.strip().encode()).root
        except GatewayError as error:
            raise ConfigurationError(
                f"шаблон не XML · the template is not XML: {error.message}", where=where
            ) from error
        self._texts: list[tuple[int, str, Line]] = []
        for number, element in enumerate(self._root.iter()):
            if element.text and element.text.strip():
                self._texts.append((number, "", line(element.text, known, where)))
            for name, value in element.attrib.items():
                self._texts.append((number, str(name), line(str(value), known, where)))
            if element.tail and element.tail.strip():
                raise ConfigurationError(
                    "текст между элементами · text between elements", where=where
                )

    def fill(self, fields: Fields) -> bytes:
        """Return the document in UTF-8; an element that only holds nothing is left out."""
        root = copy.deepcopy(self._root)
        elements = list(root.iter())
        empty = []
        for number, attribute, text in self._texts:
            element = elements[number]
            if attribute:
                value = text.text(fields)
                if value or not text.alone:
                    element.set(attribute, value)
                else:
                    del element.attrib[attribute]
                continue
            element.text = text.text(fields)
            if text.alone and not element.text:
                empty.append(element)
        for element in empty:
            parent = element.getparent()
            if parent is not None:
                parent.remove(element)
        return etree.tostring(root, xml_declaration=True, encoding="utf-8")


FORMS: Final[Mapping[str, type[Json | Xml]]] = {"json": Json, "xml": Xml}
