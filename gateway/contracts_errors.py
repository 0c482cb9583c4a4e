"""Turns an entry of libxml2's schema log into a `Violation` a peer's developer can act on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from lxml import etree

from gateway import ns
from gateway.errors import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lxml.etree import _Element, _LogEntry

_FOUND: Final = 200
_BEGINNING: Final = etree.XPath("substring(node()[1][self::text()], 1, 2000)", smart_strings=False)
"""What is shown of a value begins here: not all 10 MB of it are made a string of."""


class _Kind(NamedTuple):
    code: str
    message: str
    expected: str
    """Pattern whose first group is what was expected; empty when libxml2 does not tell."""


_NAMES: Final = r"Expected is (?:one of )?\( (.*?) \)"
_QUOTED: Final = r"allowed[^']*'(.*)'"
_KINDS: Final = {
    "SCHEMAV_CVC_ELT_1": _Kind("unknown_element", "no such element in the contract", ""),
    "SCHEMAV_CVC_PATTERN_VALID": _Kind(
        "pattern", "the value does not match the pattern", r"by the pattern '(.*)'\.$"
    ),
    "SCHEMAV_CVC_ENUMERATION_VALID": _Kind(
        "enumeration", "the value is not one of the list", r"of the set \{(.*)\}\.$"
    ),
    "SCHEMAV_CVC_MINLENGTH_VALID": _Kind("min_length", "the value is too short", _QUOTED),
    "SCHEMAV_CVC_MAXLENGTH_VALID": _Kind("max_length", "the value is too long", _QUOTED),
    "SCHEMAV_CVC_LENGTH_VALID": _Kind("length", "the value has a wrong length", _QUOTED),
    "SCHEMAV_CVC_MININCLUSIVE_VALID": _Kind("minimum", "the number is too small", _QUOTED),
    "SCHEMAV_CVC_MAXINCLUSIVE_VALID": _Kind("maximum", "the number is too large", _QUOTED),
    "SCHEMAV_CVC_DATATYPE_VALID_1_2_1": _Kind(
        "type", "the value is not of the type", r"of the atomic type '(.*)'\.$"
    ),
    "SCHEMAV_CVC_TYPE_3_1_1": _Kind("attribute", "the attribute is not allowed", ""),
    "SCHEMAV_CVC_COMPLEX_TYPE_3_2_1": _Kind("attribute", "the attribute is not allowed", ""),
    "SCHEMAV_CVC_TYPE_3_1_2": _Kind("children", "the element holds a value, not elements", ""),
    "SCHEMAV_CVC_COMPLEX_TYPE_2_3": _Kind("text", "the element holds elements, not text", ""),
    "SCHEMAV_CVC_ELT_3_1": _Kind(
        "nil", "the element may not be nil: leave it out when it is absent", ""
    ),
    "SCHEMAV_CVC_ELT_4_2": _Kind("xsi_type", "xsi:type names no type of the contract", ""),
    "SCHEMAV_CVC_ELT_4_3": _Kind("xsi_type", "xsi:type names another type", ""),
}
_OTHER: Final = _Kind("schema", "the element does not follow the schema", "")
_CLARK: Final = re.compile(r"\{[^{}]*[:/][^{}]*\}")
_ABOUT: Final = re.compile(r"Element '([^']*)'")
_LIBXML_NAMES: Final = 10
"""How many expected names libxml2 tells."""


def bases(schema: bytes) -> dict[str, str]:
    """Return the built-in type under each simple type of a schema, by name."""
    root = etree.fromstring(schema)
    return {
        node.get("name", ""): restriction.get("base", "")
        for node in root.findall(f"{{{ns.XSD}}}simpleType")
        for restriction in node.findall(f"{{{ns.XSD}}}restriction")
    }


def lengths(schema: bytes) -> dict[str, int]:
    """Return how long a value may be, by name of its element: the longest, where several have it.

    Elements without a limit are left out.
    """
    found: dict[str, int] = {}
    for name, facets in _facets(schema):
        most = [int(value) for facet, value in facets if facet == "maxLength"]
        if most:
            found[name] = max(most[0], found.get(name, 0))
    return found


def plain(schema: bytes) -> frozenset[str]:
    """Return the names of elements of whose value the schema judges nothing but the length.

    Where several have a name, those with an upper limit agree about it.
    """
    found: dict[str, set[str]] = {}
    other = set()
    for name, facets in _facets(schema):
        found.setdefault(name, set()).update(most for kind, most in facets if kind == "maxLength")
        kinds = {kind for kind, _ in facets} - {"minLength", "maxLength"}
        if kinds != {"base"} or facets[-1][1] != "xs:string":
            other.add(name)
    return frozenset(name for name, most in found.items() if len(most) < 2) - other


def _facets(schema: bytes) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    """Yield each element with the facets of its simple type, the nearest first, and the base."""
    root = etree.fromstring(schema)
    types = {
        node.get("name", ""): node.find(f"{{{ns.XSD}}}restriction")
        for node in root.findall(f"{{{ns.XSD}}}simpleType")
    }
    for node in root.iter(f"{{{ns.XSD}}}element"):
        named, facets = node.get("type", ""), []
        while (base := types.get(named.rpartition(":")[2])) is not None:
            facets += [(each.tag.rpartition("}")[2], each.get("value", "")) for each in base]
            named = base.get("base", "")
        yield node.get("name", ""), (*facets, ("base", named))


def notes(schema: bytes) -> dict[str, str]:
    """Return what the schema's notes say of its patterns, by pattern."""
    root = etree.fromstring(schema)
    return {
        pattern.get("value", ""): (
            node.findtext(f"{{{ns.XSD}}}annotation/{{{ns.XSD}}}documentation") or ""
        ).rstrip(".")
        for node in root.findall(f"{{{ns.XSD}}}simpleType")
        for pattern in node.iter(f"{{{ns.XSD}}}pattern")
    }


def binaries(schema: bytes) -> frozenset[str]:
    """Return the names of elements that hold bytes in base64: files, which are never shown."""
    root, base64 = etree.fromstring(schema), "xs:base64Binary"
    types = {name for name, base in bases(schema).items() if base == base64}
    return frozenset(
        node.get("name", "")
        for node in root.iter(f"{{{ns.XSD}}}element")
        if node.get("type") == base64 or node.get("type", "").rpartition(":")[2] in types
    )


def violation(
    entry: _LogEntry,
    element: _Element,
    root: _Element,
    types: Mapping[str, str],
    files: frozenset[str] = frozenset(),
) -> Violation:
    """Return one violation.

    entry: of the schema log. element: what it is about, or a child of it. root: the element the
    path starts with. types: of `bases`. files: of `binaries`; their bytes are told by number only.
    """
    element = _about(entry.message, element)
    path = path_of(element, root)
    line = cast("int | None", element.sourceline) or 0
    if entry.type_name == "SCHEMAV_ELEMENT_CONTENT":
        return _content(entry.message, element, root, path, line)
    kind = _KINDS.get(entry.type_name, _OTHER)
    expected = ""
    if kind.expected and (match := re.search(kind.expected, entry.message)):
        expected = match[1]
        if kind.code == "type":
            name = _CLARK.sub("", expected)
            expected = types.get(name, name)
    if etree.QName(element).localname in files:
        found = f"{len((element.text or '').strip())} characters"
    else:
        found = cast("str", _BEGINNING(element)).strip()[:_FOUND]
    if kind.code == "unknown_element":
        found = etree.QName(element).text[:_FOUND]
    elif kind.code in {"attribute", "xsi_type"}:
        found = " ".join(
            f'{etree.QName(name).localname}="{element.get(name)}"' for name in element.attrib
        )[:_FOUND]
    return Violation(path, kind.code, kind.message, found, expected, line)


def _about(message: str, element: _Element) -> _Element:
    """Return the element that the message names: text and children are noticed below it."""
    match = _ABOUT.match(message)
    node: _Element | None = element
    while match and node is not None:
        if node.tag == match[1]:
            return node
        node = node.getparent()
    return element


def path_of(element: _Element, root: _Element) -> str:
    """Return the place of an element as `/Root/Child[2]/Leaf`, an index where names repeat."""
    steps: list[str] = []
    node: _Element | None = element
    while node is not None:
        name = etree.QName(node).localname
        parent = node.getparent()
        if node is root or parent is None:
            steps.append(name)
            break
        before = sum(1 for _ in node.itersiblings(node.tag, preceding=True))
        repeated = before or next(node.itersiblings(node.tag), None) is not None
        steps.append(f"{name}[{before + 1}]" if repeated else name)
        node = parent
    return "/" + "/".join(reversed(steps))


def _content(message: str, element: _Element, root: _Element, path: str, line: int) -> Violation:
    """Say which element is missing, out of order, unknown, or in a wrong namespace."""
    match = re.search(_NAMES, message)
    names = _CLARK.sub("", match[1]).split(", ") if match else []
    expected = ", ".join(names) + (", …" if len(names) == _LIBXML_NAMES else "")
    if "Missing child" in message:
        where = f"{path}/{names[0]}" if len(names) == 1 else path
        return Violation(where, "required", "the element is missing", "", expected, line)
    name = etree.QName(element)
    namespace = etree.QName(root).namespace
    if name.namespace != namespace:
        text = "the element is in another namespace than the contract"
        found = f"{name.localname} in {name.namespace or 'no namespace'}"[:_FOUND]
        return Violation(path, "namespace", text, found, f"{expected} in {namespace}".strip(), line)
    text = "the element is not expected here: unknown, repeated, or out of the schema's order"
    return Violation(path, "unexpected", text, name.localname[:_FOUND], expected, line)
