"""Files of an envelope that lie in other parts of its package: found, checked, put in their place.

XOP 1.0: an element that is base64 by the schema holds `<xop:Include href="cid:…"/>` and nothing
else. SOAP with Attachments has no such element; there the value itself points to a part, as the
text `cid:…` (the way of WS-I swaRef) or by an attribute `href="cid:…"` (the way of the SwA note).

`take_out` empties those elements, so that the schema sees empty base64, and says what they pointed
to; a part that none of them points to need not be received at all. `resolve` finds out whether all
parts came. `inlined` goes the other way: a signature is over the base64 (XOP 1.0, section 5).
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeVar, cast
from urllib.parse import unquote

from lxml import etree

from gateway import limits, ns
from gateway.errors import TooLargeError, ValidationError, Violation

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from lxml.etree import _Element

T = TypeVar("T")
Form = Literal["xop", "swa"]
"""What a package is: MTOM with xop:Include, or SOAP with Attachments."""

INCLUDE: Final = ns.tag(ns.XOP, "Include")
_HREF: Final = "href"
_CID: Final = "cid:"
_NIL: Final = ns.tag(ns.XSI, "nil")
_ID_CHARS: Final = 998
"""Of a Content-ID: a line of a mail is not longer (RFC 5322, 2.1.1)."""
_OUTER: Final = frozenset(
    ns.tag(namespace, name)
    for namespace in (ns.SOAP11, ns.SOAP12)
    for name in ("Envelope", "Header", "Body")
)


class Link(NamedTuple):
    """An element whose bytes lie in another part; it was emptied."""

    element: _Element
    cid: str
    """The part's Content-ID, without brackets and percent-decoded (RFC 2392)."""


def take_out(body: _Element, files: Collection[str], form: Form) -> tuple[Link, ...]:
    """Empty every element under `body` that points to a part, and say where they point.

    files: Clark names of elements that are base64 by the contract. Raises ValidationError with a
    place for each pointer that is none: one that leads out of the package, stands where the
    contract has no file, has other content beside it, or leads where another one leads.
    """
    wrong: list[Violation] = []
    if form == "xop":
        links = _includes(body, files, wrong)
    else:
        holder = next((include.getparent() for include in body.iter(INCLUDE)), None)
        if holder is not None:
            message = "xop:Include stands in a message that is not XOP"
            wrong.append(_violation(holder, "include", message))
        links = _pointers(body, files, wrong) if files else []
    _refuse(wrong or _shared(links))
    return tuple(links)


def resolve(links: Sequence[Link], parts: Mapping[str, T]) -> dict[_Element, T]:
    """Return what each element holds; raise ValidationError for pointers to parts not there.

    parts: those that came, by Content-ID.
    """
    message = "no part of the package has this Content-ID"
    lost = [link for link in links if link.cid not in parts][: limits.VIOLATIONS_REPORTED]
    _refuse([_violation(link.element, "cid", message, link.cid) for link in lost])
    return {link.element: parts[link.cid] for link in links}


def unreferenced(cid: str, place: int) -> ValidationError:
    """Return the refusal of a part that nothing points to. place: which part it is, from 1."""
    message = "no element of the message points to a part" if cid else "a part has no Content-ID"
    return ValidationError(
        message,
        (Violation(f"part {place}", "cid", message, cid),),
        todo="send each file as the part of one element, and nothing besides",
    )


def duplicate(cid: str, place: int) -> ValidationError:
    """Return the refusal of a part whose Content-ID an earlier one has. place: from 1."""
    message = "two parts of the package have one Content-ID"
    return ValidationError(message, (Violation(f"part {place}", "cid", message, cid),))


def inlined(
    envelope: _Element, parts: Mapping[str, bytes], limit: int = limits.SIGNED_PARTS_BYTES
) -> _Element:
    """Put the bytes of all parts where xop:Include points to them, and return the envelope.

    A signature over a message that travels as XOP is over this form (XOP 1.0, section 5). limit:
    bytes of all parts together. Raises TooLargeError past it, ValidationError for an Include that
    leads nowhere and for a part that none leads to.
    """
    if sum(map(len, parts.values())) > limit:
        raise TooLargeError(
            "the parts of a signed message are too large: its signature is over their base64",
            found=str(sum(map(len, parts.values()))),
            expected=f"at most {limit} bytes together",
            where="package",
            todo="send large files by AttachFile over TLS, in a message that is not signed",
        )
    wrong: list[Violation] = []
    links = _includes(envelope, None, wrong)
    _refuse(wrong or _shared(links))
    for element, data in resolve(links, parts).items():
        element.text = b64encode(data).decode("ascii")
    named = {link.cid for link in links}
    for place, cid in enumerate(parts, 2):
        if cid not in named:
            raise unreferenced(cid, place)
    return envelope


def _includes(root: _Element, files: Collection[str] | None, wrong: list[Violation]) -> list[Link]:
    """Take out every xop:Include. files: where one may stand, None for anywhere."""
    links = []
    for include in list(root.iter(INCLUDE)):
        holder = include.getparent()
        if holder is None or len(wrong) >= limits.VIOLATIONS_REPORTED:
            continue
        cid, problem = _cid(include.get(_HREF, "")), _misplaced(include, holder, files)
        if problem:
            wrong.append(_violation(holder, "include", problem))
        elif not cid:
            wrong.append(_outside(holder, include.get(_HREF, "")))
        else:
            holder.remove(include)
            holder.text = None
            links.append(Link(holder, cid))
        if len(links) >= limits.PACKAGE_PARTS:
            raise _many()
    return links


def _misplaced(include: _Element, holder: _Element, files: Collection[str] | None) -> str:
    """Return what is wrong with an Include and the element that it stands in, empty for nothing."""
    if files is not None and holder.tag not in files:
        return "xop:Include stands where the contract has no file"
    text = (holder.text or "").strip() or (include.tail or "").strip()
    if text or len(holder) != 1 or holder.get(_NIL) is not None:
        return "other content stands beside xop:Include"
    if len(include) or (include.text or "").strip():
        return "xop:Include is not empty"
    if any(name != _HREF and not str(name).startswith("{") for name in include.attrib):
        return "xop:Include has another attribute than href"
    return ""


def _pointers(root: _Element, files: Collection[str], wrong: list[Violation]) -> list[Link]:
    """Take out the pointers of SOAP with Attachments: `href="cid:…"`, or `cid:…` as text."""
    links = []
    for element in root.iter(*files):
        text, href = (element.text or "").strip(), element.get(_HREF)
        if len(wrong) >= limits.VIOLATIONS_REPORTED:
            break
        if href is None and text[: len(_CID)].lower() != _CID:
            continue
        pointer = text if href is None else href
        if len(element) or (href is not None and text) or element.get(_NIL) is not None:
            message = "other content stands beside the pointer to a part"
            wrong.append(_violation(element, "href", message))
        elif not _cid(pointer):
            wrong.append(_outside(element, pointer))
        else:
            element.text = None
            if href is not None:
                del element.attrib[_HREF]
            links.append(Link(element, _cid(pointer)))
        if len(links) >= limits.PACKAGE_PARTS:
            raise _many()
    return links


def _cid(href: str) -> str:
    """Return the Content-ID that a `cid:` URL means, empty when it is none."""
    href = href.strip()
    cid = unquote(href[len(_CID) :])
    return cid if href[: len(_CID)].lower() == _CID and len(cid) <= _ID_CHARS else ""


def _shared(links: Sequence[Link]) -> list[Violation]:
    """Return what is wrong with elements that point where another one does."""
    message = "another element points to the same part: a part belongs to one element"
    seen: set[str] = set()
    twice = [link for link in links if link.cid in seen or seen.add(link.cid)]  # type: ignore[func-returns-value]
    return [
        _violation(link.element, "include", message, link.cid)
        for link in twice[: limits.VIOLATIONS_REPORTED]
    ]


def _outside(element: _Element, href: str) -> Violation:
    message = "a file may only be a part of this package: nothing is fetched from elsewhere"
    return _violation(element, "cid", message, href, "cid: and the Content-ID of a part")


def _many() -> TooLargeError:
    return TooLargeError(
        "the message points to too many parts",
        found=f"over {limits.PACKAGE_PARTS - 1}",
        expected=f"at most {limits.PACKAGE_PARTS - 1}",
        where="package",
    )


def _violation(
    element: _Element, code: str, message: str, found: str = "", expected: str = ""
) -> Violation:
    line = cast("int | None", element.sourceline) or 0
    return Violation(_path(element), code, message, found[:200], expected, line)


def _path(element: _Element) -> str:
    """Return the place as `/AttachFile/Content`, from the child of Body down, indexed if need be.

    The same spelling as that of schema violations (`gateway.contracts_errors.path_of`).
    """
    steps: list[str] = []
    node: _Element | None = element
    while node is not None and node.tag not in _OUTER:
        name = etree.QName(node).localname
        before = sum(1 for _ in node.itersiblings(node.tag, preceding=True))
        repeated = before or next(node.itersiblings(node.tag), None) is not None
        steps.append(f"{name}[{before + 1}]" if repeated else name)
        node = node.getparent()
    return "/" + "/".join(reversed(steps))


def _refuse(wrong: Sequence[Violation]) -> None:
    if not wrong:
        return
    more = "" if len(wrong) == 1 else f" (the first of {len(wrong)})"
    raise ValidationError(f"{wrong[0].path}: {wrong[0].message}{more}", tuple(wrong))
