"""XML as plain values: an element is its text, or its children by name, each name a list.

Elements of the document's own namespace go by their local names; those of another by
`{namespace}name`. An attribute is a child whose name begins with `@`; text beside either is `#`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lxml import etree

from adapters.regional.asdou.codes import ORDER, PEER, SPACE
from gateway import limits, ns, xml
from gateway.errors import MalformedError, TooLargeError
from gateway.jsonfields import unescape

if TYPE_CHECKING:
    from lxml.etree import _Element

    from gateway.model.base import Extra

NAMES_CHARS: Final = 2 * limits.MB
"""All names of a document: each is written with its namespace, so that 200 KB made 40 MB."""
Node = dict[str, list[Any]]
_SOAP: Final = (ns.SOAP11, ns.SOAP12)


class Document(NamedTuple):
    """One document. space: its namespace. envelope: that of the envelope around it, or empty."""

    name: str
    node: Any
    space: str
    envelope: str


def parse(body: bytes) -> Document:
    """Return the document in a message; raise MalformedError or TooLargeError."""
    found = xml.parse(body)
    if found.nodes > limits.SOAP_ROOT_NODES:
        raise TooLargeError("too many elements", expected=str(limits.SOAP_ROOT_NODES))
    root, envelope = found.root, ""
    _check_names(root)
    name = etree.QName(root)
    if name.localname == "Envelope" and name.namespace in _SOAP:
        envelope = str(name.namespace)
        root = _only(_only_body(root, envelope))
        root = _only(root)
    name = etree.QName(root)
    space = name.namespace or ""
    if space not in ("", SPACE):
        raise MalformedError("not a document of АС ДОУ", found=str(root.tag)[:200])
    return Document(name.localname, read(root, f"{{{space}}}" if space else ""), space, envelope)


def _check_names(root: _Element) -> None:
    chars = 0
    for element in root.iter("*"):
        chars += len(element.tag)
        if element.attrib:
            chars += sum(map(len, element.attrib))
        if chars > NAMES_CHARS:
            raise TooLargeError("the names of the elements are too long")


def _only_body(root: _Element, space: str) -> _Element:
    body = root.find(f"{{{space}}}Body")
    if body is None:
        raise MalformedError("an envelope without a Body")
    return body


def _only(parent: _Element) -> _Element:
    children: list[Any] = list(parent)
    found = [child for child in children if isinstance(child.tag, str)]
    if len(found) != 1:
        raise MalformedError("one element is expected here", found=str(len(found)))
    only: _Element = found[0]
    return only


def read(element: _Element, own: str) -> Any:
    """Return an element as plain values. own: `{namespace}` of the document, empty for none."""
    if not len(element) and not element.attrib:
        return element.text or ""
    out: Node = {}
    attributes: Any = element.attrib.items()
    for name, value in attributes:
        out[f"@{name}"] = [value]
    text = element.text or ""
    for child in element:
        tag: Any = child.tag
        if not isinstance(tag, str):
            text += child.tail or ""
            continue
        if own:
            tag = tag.removeprefix(own) if tag[0] == "{" else f"{{}}{tag}"
        out.setdefault(tag, []).append(read(child, own))
        text += child.tail or ""
    if text and not text.isspace():
        out["#"] = [text]
    return out or text


def write(name: str, node: Any, space: str) -> _Element:
    """Return the element of plain values; children in the order of the description."""
    element = etree.Element(f"{{{space}}}{name}" if space else name, nsmap=_default(space))
    _fill(element, name, node, space)
    return element


def _default(space: str) -> Any:
    return {None: space} if space else None


def _fill(element: _Element, name: str, node: Any, space: str) -> None:
    if isinstance(node, str):
        element.text = node
        return
    order = {child: place for place, child in enumerate(ORDER.get(name, ()))}
    for child in sorted(node, key=lambda child: order.get(child, len(order))):
        for value in node[child]:
            if child == "#":
                element.text = value
            elif child.startswith("@"):
                element.set(child[1:], value)
            else:
                plain = f"{{{space}}}{child}" if space and child[0] != "{" else child
                plain = plain.removeprefix("{}")
                _fill(etree.SubElement(element, plain), child, value, space)


def put(node: Node, extras: tuple[Extra, ...]) -> None:
    """Put back what a decoder kept, below the element that it belongs to."""
    for extra in extras:
        if extra.peer != PEER:
            continue
        *above, name = (unescape(step) for step in extra.path.split("/")[1:])
        place = node
        for step in above:
            place = place.setdefault(step, [{}])[0]
        place[name] = list(extra.value)
