"""A card of МЭДО as places and values, and back: nothing of it is lost, whatever it holds.

A place is a path of local names below the root, `document/links/link[1]/@uid`; the first of several
elements of one name has no index. Names of other namespaces stand as `{namespace}local`, with the
slashes of the namespace as `%2F`. `#text` is text beside elements.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from adapters.sed.codes import NS
from gateway import xml
from gateway.errors import MalformedError, TooLargeError
from gateway.model.fold import clean_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml.etree import _Element

_ANYONE: Final = ("region", "organization", "person", "department", "post", "contactInfo")
_WITH_COMMENT: Final = (*_ANYONE, "comment")
_REFERENCE: Final = ("region", "organization", "person", "department", "post", "num", "comment")
_NOTICE: Final = ("time", "foundation", "clause", "correspondent")
ORDER: Final[dict[str, tuple[str, ...]]] = {
    "": ("header", "document", "files", "notification", "acknowledgment", "deliveryIndex"),
    "header": ("source", "operator", "comment"),
    "source": ("organization", "comment"),
    "destination": ("organization", "destination", "files", "comment"),
    "document": (
        "type", "kind", "num", "classification", "urgency", "insteadOfDistributed", "specialMark",
        "signatories", "addressees", "pages", "enclosuresPages", "annotation", "enclosures",
        "correspondents", "links", "clauses", "executor", "files", "comment",
    ),
    "num": ("number", "date"),
    "signatory": (*_ANYONE, "signed", "comment"),
    "addressee": _WITH_COMMENT,
    "executor": _WITH_COMMENT,
    "principal": _WITH_COMMENT,
    "secretary": _WITH_COMMENT,
    "manager": _WITH_COMMENT,
    "parcipant": _WITH_COMMENT,
    "signer": _ANYONE,
    "correspondent": (*_ANYONE, "num", "comment"),
    "enclosure": ("title", "reference", "pages", "files", "enclosures", "comment"),
    "link": ("linkType", "document", "reference"),
    "reference": _REFERENCE,
    "foundation": _REFERENCE,
    "report": _REFERENCE,
    "clause": (
        "designation", "text", "deadline", "principal", "principals", "parcipants", "comment",
    ),
    "principals": ("name", "contents"),
    "parcipants": ("name", "contents"),
    "file": ("group", "description", "pages", "signedData"),
    "signerInfo": ("digestTime", "signer", "comment"),
    "notification": (
        "documentAccepted", "documentRefused", "executorAssigned", "reportPrepared", "reportSent",
        "courseChanged", "documentPublished", "comment",
    ),
    "documentAccepted": (*_NOTICE, "num"),
    "documentRefused": (*_NOTICE, "reason"),
    "executorAssigned": (*_NOTICE, "secretary", "manager", "executor"),
    "reportPrepared": (*_NOTICE, "signatory"),
    "reportSent": (*_NOTICE, "report"),
    "courseChanged": (*_NOTICE, "courseText", "reference"),
    "documentPublished": (*_NOTICE, "num", "publicationPoint"),
    "acknowledgment": ("time", "accepted", "comment", "hashCodes"),
    "item": ("name", "code"),
}  # fmt: skip
"""Order of the children of each element, by the schema; names that are not here come last."""
_RANK: Final = {
    parent: {name: rank for rank, name in enumerate(names)} for parent, names in ORDER.items()
}
ROOT: Final = "communication"
PLACE_CHARS: Final = 400
"""Of a place: the longest of the schema have 200, an enclosure of an enclosure 25 more each."""


class Card(NamedTuple):
    """A document taken apart.

    values: by place. namespace: of its elements. plain: attributes are without one. note: what was
    wrong with its encoding, empty when nothing was.
    """

    root: str
    values: dict[str, str]
    namespace: str = NS
    plain: bool = False
    note: str = ""


def parse(body: bytes) -> tuple[_Element, str]:
    """Return the root of a document and what was wrong with its encoding.

    Bytes of windows-1251 that are declared as UTF-8, or as nothing, and UTF-8 that is declared as
    windows-1251 are read as what they are. Raises MalformedError, TooLargeError, UnsupportedError.
    """
    told = xml.encoding_of(body)
    if told == "windows-1251" and not body.isascii() and _is_utf8(body):
        return xml.parse(body, xml.UTF8).root, "utf-8, объявлено windows-1251"
    try:
        return xml.parse(body).root, ""
    except MalformedError:
        if told != xml.UTF8 or not xml.looks_like_1251(body):
            raise
    return xml.parse(body, "windows-1251").root, "windows-1251, объявлено utf-8"


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def card(root: _Element, note: str = "") -> Card:
    """Take a document apart; raise ValidationError for characters that no text may hold."""
    namespace, name = _split(root.tag)
    qualified = f"{{{namespace or NS}}}"
    first = next((e for e in islice(root.iter(), 2) if e.attrib), None)
    plain = first is not None and not any(str(a).startswith("{") for a in first.attrib)
    values: dict[str, str] = {}
    _walk(root, "", values, (f"{{{namespace}}}" if namespace else "", "" if plain else qualified))
    return Card(name, values, namespace, plain, note)


def _split(tag: object) -> tuple[str, str]:
    namespace, _, local = str(tag).rpartition("}")
    return namespace[1:], local


def _name(tag: str, own: str) -> str:
    """The name as it stands in a place: local when it is of the document's own namespace."""
    if own:
        if tag.startswith(own):
            return tag[len(own) :]
        if not tag.startswith("{"):
            return f"{{}}{tag}"
    elif not tag.startswith("{"):
        return tag
    return tag.replace("/", "%2F")


def _walk(element: _Element, path: str, values: dict[str, str], own: tuple[str, str]) -> None:
    at = f"{path}/" if path else ""
    if len(at) > PLACE_CHARS:
        raise TooLargeError(
            "элементы вложены слишком глубоко · the elements are nested too deeply",
            expected=f"places of at most {PLACE_CHARS} characters",
            where=at[:100],
        )
    for name, value in element.attrib.items():
        place = f"{at}@{_name(str(name), own[1])}"
        values[place] = clean_text(str(value), place)
    text = element.text or ""
    seen: dict[str, int] = {}
    for child in element:
        name = _name(str(child.tag), own[0])
        number = seen.get(name, 0)
        seen[name] = number + 1
        _walk(child, f"{at}{name}[{number}]" if number else f"{at}{name}", values, own)
        if child.tail:
            text += child.tail
    if seen:
        if not text.isspace() and text:
            values[f"{at}#text"] = clean_text(text.strip(), path)
    elif text or not element.attrib:
        values[path] = clean_text(text, path)


class _Node:
    """An element to be written: children by name and index."""

    __slots__ = ("attributes", "children", "text")

    def __init__(self) -> None:
        self.attributes: dict[str, str] = {}
        self.children: dict[tuple[str, int], _Node] = {}
        self.text = ""


def write(
    values: Mapping[str, str],
    *,
    root: str = ROOT,
    namespace: str = NS,
    plain: bool = False,
    encoding: str = "windows-1251",
) -> bytes:
    """Return a document in windows-1251 or UTF-8, in the order of the schema.

    Characters that windows-1251 lacks become character references; a name cannot be one, so that
    a document with such names is written in UTF-8, whatever was asked for.
    """
    top = _Node()
    for place, value in values.items():
        node = top
        for part in place.split("/") if place else ():
            if part.startswith("@"):
                node.attributes[part[1:]] = value
                break
            if part == "#text":
                node.text = value
                break
            name, _, index = part.partition("[") if not part.startswith("{") else _indexed(part)
            node = node.children.setdefault((name, int(index[:-1] or 0) if index else 0), _Node())
        else:
            node.text = value
    prefix = "xdms:" if namespace else ""
    declared = f' xmlns:xdms="{xml.quote(namespace or NS)}"' if namespace or not plain else ""
    out: list[str] = []
    _put(out, root, "", top, (prefix, "" if plain else "xdms:", declared))
    try:
        "".join((root, *values)).encode(encoding)
    except UnicodeEncodeError:
        encoding = xml.UTF8
    return xml.encode("".join(out).encode("utf-8"), encoding)


def _indexed(part: str) -> tuple[str, str, str]:
    namespace, _, local = part.rpartition("}")
    name, mark, index = local.partition("[")
    return f"{namespace}}}{name}", mark, index


def _put(out: list[str], name: str, own: str, node: _Node, style: tuple[str, str, str]) -> None:
    prefix, marked, declared = style
    tag, more = _spelt(name, prefix, 0)
    out.append(f"<{tag}{more}{declared}")
    for number, (attribute, value) in enumerate(node.attributes.items(), 1):
        label, bound = _spelt(attribute, marked, number)
        out.append(f'{bound} {label}="{xml.quote(value)}"')
    if not node.children and not node.text:
        out.append("/>")
        return
    out.append(f">{xml.escape(node.text)}")
    rank = _RANK.get(own, {})
    for (child, _), below in sorted(
        node.children.items(), key=lambda pair: (rank.get(pair[0][0], len(rank)), pair[0][1])
    ):
        _put(out, child, child, below, (prefix, marked, ""))
    out.append(f"</{tag}>")


def _spelt(name: str, prefix: str, number: int) -> tuple[str, str]:
    """The name as it is written, and the declaration that it needs."""
    if not name.startswith("{"):
        return f"{prefix}{name}", ""
    namespace, local = _split(name)
    namespace = namespace.replace("%2F", "/")
    if not namespace:
        return local, ""
    if namespace == "http://www.w3.org/XML/1998/namespace":
        return f"xml:{local}", ""
    return f"n{number}:{local}", f' xmlns:n{number}="{xml.quote(namespace)}"'
