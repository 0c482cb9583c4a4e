"""Makes documents by a schema, whole and broken, so that two schemas can be asked about each."""

from __future__ import annotations

import random
import uuid
from copy import deepcopy
from pathlib import Path

from lxml import etree

XS = "{http://www.w3.org/2001/XMLSchema}"
DS = "http://www.w3.org/2000/09/xmldsig#"
_DEEP = 14


class Maker:
    """Walks a set of schemas, from one file and what it imports, and makes instances at random."""

    def __init__(self, start: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.globals: dict[tuple[str, str], etree._Element] = {}
        self.ids = 0
        self._read: set[Path] = set()
        self._load(start)

    def roots(self) -> list[str]:
        """Return every global element that a message or a fault may begin with."""
        return sorted(name for kind, name in self.globals if kind == "element")

    def make(self, name: str) -> etree._Element:
        """Return an instance of a global element, as valid as its schema lets it be."""
        self.ids = 0
        return self._element(self.globals["element", name], 0)

    def broken(self, whole: etree._Element) -> etree._Element:
        """Return a copy with one thing changed; it may happen to be valid all the same."""
        copy = deepcopy(whole)
        nodes = list(copy.iter("*"))
        node = self.random.choice(nodes)
        self.random.choice(_CHANGES)(self, node)
        return etree.fromstring(etree.tostring(copy))  # an empty text is no text any more

    def _load(self, path: Path) -> None:
        path = path.resolve()
        if path in self._read:
            return
        self._read.add(path)
        root = etree.parse(str(path)).getroot()
        for child in root:
            if not isinstance(child.tag, str):
                continue
            kind = child.tag.removeprefix(XS)
            if kind == "import":
                self._load(path.parent / child.get("schemaLocation"))
            elif child.get("name"):
                self.globals[kind, f"{{{root.get('targetNamespace')}}}{child.get('name')}"] = child

    def _named(self, node: etree._Element, qname: str) -> str:
        prefix, _, local = qname.rpartition(":")
        return f"{{{node.nsmap[prefix or None]}}}{local}"

    def _element(self, decl: etree._Element, deep: int) -> etree._Element:
        if ref := decl.get("ref"):
            return self._element(self.globals["element", self._named(decl, ref)], deep)
        space = decl.getroottree().getroot().get("targetNamespace")
        made = etree.Element(f"{{{space}}}{decl.get('name')}")
        kind = decl.get("type")
        if kind is None:
            inner = next(c for c in decl if c.tag in (f"{XS}complexType", f"{XS}simpleType"))
            self._fill(made, inner, deep)
        else:
            self._typed(made, self._named(decl, kind), deep)
        return made

    def _typed(self, made: etree._Element, name: str, deep: int) -> None:
        if name.startswith(XS):
            made.text = self._builtin(name.removeprefix(XS))
            return
        found = self.globals.get(("complexType", name))
        if found is None:
            made.text = self._simple(self.globals["simpleType", name])
        else:
            self._fill(made, found, deep)

    def _fill(self, made: etree._Element, kind: etree._Element, deep: int) -> None:
        if kind.tag == f"{XS}simpleType":
            made.text = self._simple(kind)
            return
        for child in kind:
            tag = str(child.tag).removeprefix(XS)
            if tag in ("sequence", "choice", "group"):
                self._particle(made, child, deep + 1)
            elif tag == "attribute":
                self._attribute(made, child)
            elif tag in ("complexContent", "simpleContent"):
                extension = child.find(f"{XS}extension")
                self._typed(made, self._named(extension, extension.get("base")), deep)
                self._fill(made, extension, deep)

    def _attribute(self, made: etree._Element, decl: etree._Element) -> None:
        if decl.get("use") == "required" or self.random.random() < 0.7:
            holder = etree.Element("a")
            self._typed(holder, self._named(decl, decl.get("type")), 0)
            made.set(decl.get("name"), holder.text or "")

    def _particle(self, made: etree._Element, node: etree._Element, deep: int) -> None:
        least, most = int(node.get("minOccurs", "1")), node.get("maxOccurs", "1")
        bound = 3 if most == "unbounded" else min(int(most), 3)
        times = least if deep > _DEEP else self.random.randint(least, max(bound, least))
        tag = str(node.tag).removeprefix(XS)
        for _ in range(times):
            if tag == "element":
                made.append(self._element(node, deep))
            elif tag == "any":
                made.append(self._any(node))
            elif tag == "group":
                name = self._named(node, node.get("ref"))
                for part in self.globals["group", name]:
                    if isinstance(part.tag, str):
                        self._particle(made, part, deep)
            else:
                parts = [c for c in node if str(c.tag).removeprefix(XS) in _PARTICLES]
                for part in [self.random.choice(parts)] if tag == "choice" and parts else parts:
                    self._particle(made, part, deep)

    def _any(self, node: etree._Element) -> etree._Element:
        if node.get("namespace") == DS:
            made = etree.Element(f"{{{DS}}}Signature")
            etree.SubElement(made, f"{{{DS}}}SignedInfo")
            return made
        made = etree.Element("{urn:example:payload}Payload")
        etree.SubElement(made, "{urn:example:payload}Text").text = self._words(20)
        return made

    def _simple(self, kind: etree._Element) -> str:
        restriction = kind[-1]
        facets = [c for c in restriction if isinstance(c.tag, str)]
        listed = [c.get("value") for c in facets if c.tag == f"{XS}enumeration"]
        if listed:
            return self.random.choice(listed)
        name = kind.get("name", "")
        if name == "UUID":
            return str(uuid.UUID(int=self.random.getrandbits(128)))
        if "Mime" in name:
            return self.random.choice(("text/plain", "application/pdf", "image/svg+xml"))
        most = next((int(c.get("value")) for c in facets if c.tag == f"{XS}maxLength"), 20)
        return self._words(self.random.choice((1, most, most)))

    def _builtin(self, name: str) -> str:
        self.ids += 1
        number = self.random.randint(0, 10_000)
        return {
            "ID": f"id-{self.ids}",
            "NCName": f"name{number}",
            "anyURI": f"urn:example:{number}",
            "base64Binary": self.random.choice(("", "QUJD", "QUI=")),
            "boolean": self.random.choice(("true", "false", "1", "0")),
            "dateTime": "2026-03-02T09:00:00" + self.random.choice(("", "Z", ".123+03:00")),
            "int": str(number),
            "long": str(number * 1_000_000),
        }.get(name) or (self._words(number % 30) if name == "string" else "")

    def _words(self, length: int) -> str:
        return "".join(self.random.choice("абвгд xyz-01") for _ in range(length))


_PARTICLES = ("element", "any", "sequence", "choice", "group")


def _drop(maker: Maker, node: etree._Element) -> None:
    parent = node.getparent()
    if parent is not None:
        parent.remove(node)


def _double(maker: Maker, node: etree._Element) -> None:
    if node.getparent() is not None:
        node.addnext(deepcopy(node))


def _swap(maker: Maker, node: etree._Element) -> None:
    following = node.getnext()
    if following is not None:
        following.addnext(node)


def _long(maker: Maker, node: etree._Element) -> None:
    length = maker.random.choice((11, 51, 101, 201, 501, 1501, 4001))
    node.text = "я" * length


def _longer(maker: Maker, node: etree._Element) -> None:
    """One letter more than the longest value of the tree, which most often is at its limit."""
    most = max(node.getroottree().getroot().iter("*"), key=lambda one: len(one.text or ""))
    most.text = (most.text or "") + "я"


def _upper(maker: Maker, node: etree._Element) -> None:
    node.text = (node.text or "").upper()


def _blank(maker: Maker, node: etree._Element) -> None:
    node.text = maker.random.choice(("", " ", None))


def _other(maker: Maker, node: etree._Element) -> None:
    node.text = maker.random.choice((
        "0", "-1", "99999999999", "99999999999999999999", "yes", "true", "2026-02-30T00:00:00",
        "2026-03-02", "text/", "model/x", "a/b", "FAILURE", "REQUEST", "CANCEL", "requestIsQueued",
        "responseIsDelivered", "messageIsArchived", "не base64", "QUJDR", "1a", "urn:x y",
        "123e4567-e89b-12d3-a456-42661417400", "123e4567-e89b-12d3-a456-426614174000 ",
    ))  # fmt: skip


def _stranger(maker: Maker, node: etree._Element) -> None:
    space = maker.random.choice(("", "{urn:example:other}", node.tag.partition("}")[0] + "}"))
    node.insert(maker.random.randint(0, len(node)), etree.Element(f"{space}Stranger"))


def _renamed(maker: Maker, node: etree._Element) -> None:
    space, _, local = node.tag.rpartition("}")
    node.tag = maker.random.choice((
        f"{space}}}{local}X", f"{space}}}{local[0].swapcase()}{local[1:]}", f"{{urn:other}}{local}",
    ))  # fmt: skip


def _attributed(maker: Maker, node: etree._Element) -> None:
    name = maker.random.choice(("Id", "accepted", "errorPosition", "queueName", "other"))
    node.set(name, maker.random.choice(("id-1", "1x", "true", "maybe", "7", "")))


def _bare(maker: Maker, node: etree._Element) -> None:
    for name in list(node.attrib):
        del node.attrib[name]


def _moved(maker: Maker, node: etree._Element) -> None:
    """Takes a node of one branch to another, which is how choices are mixed."""
    nodes = list(node.getroottree().getroot().iter("*"))
    target = maker.random.choice(nodes)
    if node not in target.iterancestors() and target is not node:
        target.append(deepcopy(node))


_CHANGES = (
    _drop, _double, _swap, _long, _upper, _blank, _other, _stranger, _renamed, _attributed, _bare,
    _moved, _longer, _longer,
)  # fmt: skip
