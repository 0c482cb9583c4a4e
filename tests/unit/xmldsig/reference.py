"""The transform of СМЭВ once more, slow and plain: a walk over the tree, character by character.

Written from the rules alone (`gateway.xmldsig.transform`), so that both would have to be wrong in
the same way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from lxml.etree import _Element

ATTRIBUTE = {"&": "&amp;", "<": "&lt;", '"': "&quot;", "\t": "&#x9;", "\n": "&#xa;", "\r": "&#xd;"}
TEXT = {"&": "&amp;", "<": "&lt;", "\r": "&#xd;"}


def transform(element: _Element) -> bytes:
    """Return the transform of an element; raise ValueError for what has none."""
    out: list[str] = []
    _element(element, {}, [0], out)
    return "".join(out).encode()


def _element(element: _Element, outer: dict[str, str], counter: list[int], out: list[str]) -> None:
    scope = dict(outer)
    declared = []

    def prefix(uri: str) -> str:
        if uri not in scope:
            counter[0] += 1
            scope[uri] = f"ns{counter[0]}"
            declared.append(f' xmlns:{scope[uri]}="{_attribute(uri)}"')
        return scope[uri]

    name = etree.QName(element)
    if not name.namespace:
        raise ValueError(name.localname)
    own = f"{prefix(name.namespace)}:{name.localname}"
    attributes = [(etree.QName(key), str(value)) for key, value in element.attrib.items()]
    attributes.sort(key=lambda pair: (
        not pair[0].namespace,
        (pair[0].namespace or "").encode("utf-16-be"),
        pair[0].localname.encode("utf-16-be"),
    ))  # fmt: skip
    written = []
    for key, value in attributes:
        if key.namespace == "http://www.w3.org/XML/1998/namespace":
            raise ValueError(key.localname)
        before = f"{prefix(key.namespace)}:" if key.namespace else ""
        written.append(f' {before}{key.localname}="{_attribute(value)}"')
    out.append(f"<{own}{''.join(declared)}{''.join(written)}>")
    _piece(element.text, out)
    for child in element:
        if isinstance(child.tag, str):
            _element(child, scope, counter, out)
        _piece(child.tail, out)
    out.append(f"</{own}>")


def _attribute(value: str) -> str:
    return "".join(ATTRIBUTE.get(char, char) for char in value)


def _piece(text: str | None, out: list[str]) -> None:
    if not text or all(char <= " " for char in text):
        return
    units = sum(2 if char > "\uffff" else 1 for char in text)
    at, before, escaped = 0, "", False
    for char in text:
        if units < 12:
            first, after = at == 0, before == "]"
        else:
            first, after = at % 512 == 0, before == "]" or escaped
        if char in TEXT:
            out.append(TEXT[char])
            escaped = True
        elif char == ">" and (first or after):
            out.append("&gt;")
            escaped = True
        else:
            out.append(char)
            escaped = False
        at += 2 if char > "\uffff" else 1
        before = char
