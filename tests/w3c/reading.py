"""Reads an answer as a client sees it: into the terms of a test, and by the grammar of faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lxml import etree

from gateway import ns
from tests.w3c.case import EMPTY, PREFIXES, Answer

if TYPE_CHECKING:
    from lxml.etree import _Element

_VERSIONS: Final = {ns.SOAP11: "1.1", ns.SOAP12: "1.2"}
_NOTICES: Final = ("NotUnderstood", "Upgrade")
_CODES: Final = ("VersionMismatch", "MustUnderstand", "DataEncodingUnknown", "Sender", "Receiver")
_PARTS: Final = ("Code", "Reason", "Node", "Role", "Detail")
_STYLE: Final = ns.tag(ns.SOAP12, "encodingStyle")
_LANG: Final = ns.tag(ns.XML, "lang")


def short(name: str) -> str:
    """Return a Clark name as the page writes it."""
    space, brace, local = name[1:].partition("}") if name.startswith("{") else ("", "", name)
    if not brace:
        return local
    return f"{PREFIXES[space]}:{local}" if space in PREFIXES else name


def read(status: int, media: str, data: bytes) -> Answer:
    """Return what came back; an answer without an envelope has no version."""
    nothing = Answer(
        status=status, media=media, version="", fault="", subcode="", blocks=(), body=""
    )
    if not data.lstrip().startswith((b"<", b"\xff\xfe", b"\xfe\xff")):
        return nothing
    root = etree.fromstring(data)
    space = etree.QName(root).namespace or ""
    if space not in _VERSIONS or etree.QName(root).localname != "Envelope":
        return nothing
    header = root.find(ns.tag(space, "Header"))
    body = root.find(ns.tag(space, "Body"))
    assert body is not None
    children = list(body)
    fault = children[0] if children and children[0].tag == ns.tag(space, "Fault") else None
    code, subcode = _codes(fault) if fault is not None else ("", "")
    return Answer(
        status=status,
        media=media,
        version=_VERSIONS[space],
        fault=code,
        subcode=subcode,
        blocks=tuple(_block(block) for block in header) if header is not None else (),
        body=" ".join(map(_block, children)) if children else EMPTY,
    )


def problems(data: bytes) -> list[str]:
    """Say where a SOAP 1.2 fault message breaks the grammar of SOAP 1.2, Part 1, 5.4."""
    root = etree.fromstring(data)
    body = root.find(ns.tag(ns.SOAP12, "Body"))
    if body is None or [child.tag for child in body] != [ns.tag(ns.SOAP12, "Fault")]:
        return ["a Fault is not the only child of Body (5.4)"]
    fault = body[0]
    found = []
    names = [_own(child) for child in fault]
    if names != [part for part in _PARTS if part in names]:
        found.append(f"children of Fault: {names} (5.4)")
    if names[:2] != ["Code", "Reason"]:
        return [*found, "a Fault begins with Code and Reason (5.4)"]
    code, reason = fault[0], fault[1]
    if _qname(code[0]) not in [ns.tag(ns.SOAP12, name) for name in _CODES]:
        found.append(f"Code: {code[0].text} (5.4.6)")
    found += _code_problems(code)
    texts = [(_own(text), text.get(_LANG), text.text) for text in reason]
    languages = [language for _, language, _ in texts]
    if not texts or any(name != "Text" or not text for name, _, text in texts):
        found.append("Reason holds Text, one or more (5.4.2)")
    if not all(languages) or len(set(languages)) != len(languages):
        found.append(f"languages of the reason: {languages} (5.4.2.1)")
    return found + _notices(root)


def _own(element: _Element) -> str:
    """Return the local name of an element of the envelope's namespace, its Clark name otherwise."""
    name = etree.QName(element)
    return name.localname if name.namespace == ns.SOAP12 else element.tag


def _code_problems(code: _Element) -> list[str]:
    names = [_own(child) for child in code]
    if names not in (["Value"], ["Value", "Subcode"]):
        return [f"children of {_own(code)}: {names} (5.4.1)"]
    if not _qname(code[0]):
        return [f"{code[0].text} is no qualified name (5.4.1)"]
    return _code_problems(code[1]) if len(code) > 1 else []


def _notices(root: _Element) -> list[str]:
    """Check the header blocks NotUnderstood and Upgrade (5.4.7, 5.4.8)."""
    found = []
    for block in root.iterfind(f"{ns.tag(ns.SOAP12, 'Header')}/*"):
        if _own(block) not in _NOTICES:
            continue
        named = [block] if _own(block) == "NotUnderstood" else list(block)
        if not named or block.get(_STYLE) is not None:
            found.append(f"{_own(block)} (5.4.7.1, 5.4.8.1)")
        found += [
            f"qname {each.get('qname')} (5.4.7.3, 5.4.8.2)"
            for each in named
            if not _resolved(each, each.get("qname", ""))
        ]
    return found


def _codes(fault: _Element) -> tuple[str, str]:
    if etree.QName(fault).namespace == ns.SOAP11:
        local = (fault.findtext("faultcode") or "").rpartition(":")[2]
        return f"env:{local}", ""
    code = fault.find(ns.tag(ns.SOAP12, "Code"))
    assert code is not None
    values = [short(_qname(value)) for value in code.iter(ns.tag(ns.SOAP12, "Value"))]
    return values[0], values[1] if len(values) > 1 else ""


def _qname(element: _Element) -> str:
    return _resolved(element, (element.text or "").strip())


def _resolved(element: _Element, name: str) -> str:
    """Return a prefixed name as a Clark one, empty when its prefix is not declared."""
    prefix, colon, local = name.rpartition(":")
    space = element.nsmap.get(prefix if colon else None)
    return ns.tag(space, local) if space else ""


def _block(element: _Element) -> str:
    """Return an element in one line: its name, and what it says."""
    name = short(element.tag)
    if _own(element) in _NOTICES:
        named = [element] if _own(element) == "NotUnderstood" else list(element)
        return " ".join([name, *(short(_resolved(each, each.get("qname", ""))) for each in named)])
    words = " ".join(" ".join(element.itertext()).split())
    return f'{name} "{words}"' if words else name
