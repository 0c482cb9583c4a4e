"""Mutations of a parsed envelope: what comes out is well-formed and wrong in what it says."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Final

from lxml import etree

from gateway import ns, xml
from tests.fuzz.corpus import DS, SPACES, WSSE, WSU, XOP

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from lxml.etree import _Element

NAMESPACES: Final = (
    "", ns.APPEALS, ns.SOAP11, ns.SOAP12, ns.WSA, ns.XSI, "urn:x", "urn:gov:appeals:v2", WSSE, WSU,
    DS, XOP, "http://schemas.xmlsoap.org/ws/2004/08/addressing",
)  # fmt: skip
LOCALS: Final = (
    "Envelope", "Header", "Body", "Fault", "Appeal", "ExternalId", "Text", "Security", "Timestamp",
    "Signature", "Include", "Action", "MessageID", "ReplyTo", "Surprise", "ж", "a-b.c", "_",
)  # fmt: skip
VALUES: Final = (
    "", " ", "\n\t", "0", "1", "-1", "99999999999999999999", "1e999", "NaN", "INF", "-0", "true",
    "TRUE",
    "2026-13-45", "24:00:00", "2026-01-01T24:00:00Z", "0000-01-01", "-0001-01-01", "2026-02-30",
    "9999-12-31T23:59:59.999999999+14:00", "10000-01-01T00:00:00Z", "2026-01-01+14:00",
    "2026-01-01",
    "2026-01-01T00:00:00", "2026-01-01T00:00:60Z", "2026-11-20T09:15:30.1234567890Z", "QUJD",
    "QUJD=",
    "Q", "====", "QQ==QQ==", "a" * 201, "a" * 2001, "я" * 100_001, "a b", "a  b", " a", "../../etc",
    "file:///etc/passwd", "cid:file@x", "http://127.0.0.1:9/", "\u0085", "\u2028", "\ufeff",
    "\u202e",
    "\U0001d51b", "e\u0301", "\ud7ff", "\ue000", "{x}y", "s:Body", "zz:zz", "%00", "&",
    "<a/>", "]]>",
)  # fmt: skip
ATTRIBUTES: Final = (
    (ns.tag(ns.XSI, "nil"), ("true", "1", "false", "x")),
    (ns.tag(ns.XSI, "type"), ("AppealIn", "s:Body", "zz:x", "", "a b")),
    (ns.tag(ns.XSI, "schemaLocation"), ("urn:x file:///etc/passwd", "x")),
    (ns.tag(ns.XML, "lang"), ("ru", "", "!")),
    (ns.tag(ns.XML, "id"), ("body", "ts")),
    (ns.tag(ns.XML, "base"), ("http://x/",)),
    (ns.tag(WSU, "Id"), ("body", "ts", "cert", "")),
    ("Id", ("body", "ts", "")),
    ("URI", ("", "#body", "#x", "#xpointer(/)", "http://127.0.0.1:9/", "cid:file@x", "#" * 300)),
    ("Algorithm", ("http://www.w3.org/TR/1999/REC-xslt-19991116", "", "urn:x")),
    ("href", ("cid:file@x", "cid:none", "http://127.0.0.1:9/", "", "cid:%66ile%40x")),
    ("Type", ("", "urn:x")),
    ("a", ("1",)),
    ("ж", ("ё",)),
)  # fmt: skip
OPTIONS: Final = {**xml.OPTIONS, "remove_comments": False, "remove_pis": False}


def mutate(random: Random, envelope: bytes) -> bytes:
    """Return the envelope with a few changes; one that cannot be parsed comes back as it is."""
    try:
        root = etree.fromstring(envelope, etree.XMLParser(**OPTIONS))
    except etree.XMLSyntaxError:
        return envelope
    for _ in range(random.choice((1, 1, 1, 1, 2, 3, 6))):
        elements = list(root.iter(etree.Element))
        random.choice(CHANGES)(random, random.choice(elements))
        while root.getparent() is not None:
            root = root.getparent()
    return etree.tostring(root, encoding="utf-8")


def _drop(_random: Random, element: _Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _repeat(random: Random, element: _Element) -> None:
    times = random.choice((1, 1, 2, 20, 101, 501))
    if len(etree.tostring(element)) * times < 400_000 and element.getparent() is not None:
        for _ in range(times):
            element.addnext(copy.deepcopy(element))


def _rename(random: Random, element: _Element) -> None:
    space, _, local = element.tag.rpartition("}")
    if random.random() < 0.5:
        local = random.choice(LOCALS)
    else:
        space = "{" + random.choice(NAMESPACES)
    element.tag = local if space in ("", "{") else f"{space}}}{local}"


def _attribute(random: Random, element: _Element) -> None:
    name, values = random.choice(ATTRIBUTES)
    element.set(name, random.choice(values))


def _soap_attribute(random: Random, element: _Element) -> None:
    space = random.choice(tuple(SPACES.values()))
    name, values = random.choice(
        (
            ("mustUnderstand", ("1", "0", "true", "false", "maybe", "", " 1 ")),
            ("actor", ("", "urn:x", "http://schemas.xmlsoap.org/soap/actor/next")),
            ("role", (f"{ns.SOAP12}/role/next", f"{ns.SOAP12}/role/none", "urn:x")),
            ("relay", ("true", "x")),
            ("encodingStyle", ("http://schemas.xmlsoap.org/soap/encoding/", "")),
        )
    )
    element.set(ns.tag(space, name), random.choice(values))


def _change_attribute(random: Random, element: _Element) -> None:
    if element.attrib:
        name = random.choice(list(element.attrib))
        if random.random() < 0.3:
            del element.attrib[name]
        else:
            element.set(name, random.choice(VALUES))


def _text(random: Random, element: _Element) -> None:
    leaves = [each for each in element.iter(etree.Element) if not len(each)]
    random.choice(leaves or [element]).text = random.choice(VALUES)


def _tail(random: Random, element: _Element) -> None:
    if element.getparent() is not None:
        element.tail = random.choice(VALUES)


def _child(random: Random, element: _Element) -> None:
    made = etree.Element(ns.tag(random.choice(NAMESPACES[1:]), random.choice(LOCALS)))
    made.text = random.choice(VALUES)
    element.insert(random.randint(0, len(element)), made)


def _remark(random: Random, element: _Element) -> None:
    made = etree.Comment("c") if random.random() < 0.5 else etree.ProcessingInstruction("p", "i")
    element.insert(random.randint(0, len(element)), made)


def _wrap(random: Random, element: _Element) -> None:
    parent = element.getparent()
    if parent is None:
        return
    at = parent.index(element)
    outer = inner = etree.Element(random.choice((element.tag, "n")))
    for _ in range(random.choice((0, 1, 30, 95, 120))):
        inner = etree.SubElement(inner, "n")
    inner.append(element)
    parent.insert(at, outer)


def _move(random: Random, element: _Element) -> None:
    """Move or copy an element to anywhere: what wraps a signed element does so."""
    root = element.getroottree().getroot()
    inside = set(element.iter())
    places = [each for each in root.iter(etree.Element) if each not in inside]
    if not places:
        return
    place = random.choice(places)
    moved = copy.deepcopy(element) if random.random() < 0.5 else element
    moved.tail = None
    place.insert(random.randint(0, len(place)), moved)


def _shuffle(random: Random, element: _Element) -> None:
    children = list(element)
    random.shuffle(children)
    element[:] = children


CHANGES: Final[tuple[Callable[[Random, _Element], None], ...]] = (
    _drop, _drop, _repeat, _repeat, _rename, _rename, _attribute, _attribute, _soap_attribute,
    _change_attribute, _text, _text, _text, _text, _tail, _child, _child, _remark, _wrap, _move,
    _move, _shuffle,
)  # fmt: skip
