"""Bytes of GeoReport v2 → the model: a posted form, or a list of requests in XML or JSON.

What it is is told by the media type of a form, else by the first character. One bad request of a
list goes to `rejected`; one that stands alone is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from lxml import etree

from adapters.open311.codes import NAMESPACE
from adapters.open311.form import decode_form
from adapters.open311.items import item
from gateway import limits, xml
from gateway.adapter import Decoded, Inbound, Rejected, Wire
from gateway.errors import MalformedError, TooLargeError, ValidationError, Violation
from gateway.jsontext import check_values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lxml.etree import _Element

    from adapters.open311.options import Options
    from adapters.open311.services import Services

FORM: Final = "application/x-www-form-urlencoded"
ROOT: Final = "service_requests"
VERBATIM: Final = "#xml"
"""Key of an extra that holds a piece of XML as it stood: one with attributes, or several."""
_BOM: Final = b"\xef\xbb\xbf"
_PREFIX: Final = f"{{{NAMESPACE}}}"
_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw] | dict[str, Any])
_BLANK: Final = b" \t\r\n"
_COPIES: Final = 4
"""How many times the length of a document, and a megabyte more, pieces of it may have."""
_PLAIN_BYTES: Final = limits.MB


def decode(wire: Wire, services: Services, options: Options) -> Decoded:
    """Return what a document holds; raise GatewayError when nothing of it can be read."""
    media = wire.media_type.partition(";")[0].strip().lower()
    if media == FORM:
        return Decoded(items=(decode_form(wire.body, services, options),))
    first = wire.body[:64].removeprefix(_BOM).lstrip(_BLANK)[:1]
    if first in (b"[", b"{"):
        return _json(wire.body, options)
    if first in (b"<", b"\xff", b"\xfe", b"\0"):
        return _xml(wire.body, _charset(wire.media_type), options)
    return Decoded(items=(decode_form(wire.body, services, options),))


def _json(body: bytes, options: Options) -> Decoded:
    if len(body) > limits.REST_BODY_BYTES:
        raise TooLargeError("the list is too large", expected=str(limits.REST_BODY_BYTES))
    check_values(body)
    body = body.removeprefix(_BOM)
    try:
        found = _LIST.decode(body)
        if isinstance(found, dict):
            return _landed([("", found, body)], options, in_xml=False)
        read = [
            (f"/{n}", msgspec.json.decode(raw), b"[%b]" % bytes(raw)) for n, raw in enumerate(found)
        ]
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise MalformedError("the list is not JSON in UTF-8", found=str(error)) from error
    except RecursionError as error:
        raise MalformedError("the list is nested too deep") from error
    return _landed(read, options, in_xml=False)


def _xml(body: bytes, charset: str, options: Options) -> Decoded:
    root = xml.parse(body, charset).root
    copies = _Copies(_COPIES * len(body) + _PLAIN_BYTES)
    name = local(root.tag)
    if name not in (ROOT, "request"):
        message = "не список заявок · not a list of requests"
        raise ValidationError(message, (Violation("/", "root", message, name, ROOT),))
    if name == "request":
        alone = ("request[1]", _fields(root, copies), etree.tostring(root))
        return _landed([alone], options, in_xml=True)
    xmlns = f' xmlns="{NAMESPACE}"' if root.tag.startswith(_PREFIX) else ""
    head, tail = f"<{ROOT}{xmlns}>".encode(), f"</{ROOT}>".encode()
    read = []
    for n, child in enumerate(root, 1):
        own = copies.of(child)
        fields = _fields(child, copies) if local(child.tag) == "request" else child.tag
        read.append((f"request[{n}]", fields, head + own + tail))
    return _landed(read, options, in_xml=True)


def _landed(read: Iterable[tuple[str, Any, bytes]], options: Options, *, in_xml: bool) -> Decoded:
    """Return the requests that can be taken and those that cannot. read: place, fields, bytes."""
    items: list[Inbound] = []
    rejected: list[Rejected] = []
    for at, obj, raw in read:
        wrong: list[Violation] = []
        if not isinstance(obj, dict):
            message = "не заявка · not a request"
            wrong.append(Violation(at, "type", message, str(obj)[:200], "request"))
            rejected.append(Rejected(where=at, violations=tuple(wrong), raw=raw))
            continue
        found = item(obj, xml=in_xml, at=at, wrong=wrong, raw=raw, regime=options.regime)
        if wrong:
            rejected.append(Rejected(where=at, violations=tuple(wrong[:20]), raw=raw))
        else:
            items.append(found)
    if len(rejected) == 1 and not items:
        raise ValidationError(
            "заявка не читается · the request is not taken", rejected[0].violations
        )
    return Decoded(items=tuple(items), rejected=tuple(rejected))


def local(tag: Any) -> str:
    """Return an element's name without the specification's namespace."""
    return str(tag).removeprefix(_PREFIX)


class _Copies:
    """Copies pieces of a document that are kept; each has the prefixes declared around it again.

    left: bytes that all of them may have; 480 KB of 250 prefixes and 400 requests made 190 MB.
    """

    def __init__(self, left: int) -> None:
        self._left = left

    def of(self, element: _Element) -> bytes:
        """Return an element in UTF-8; raise TooLargeError."""
        piece = etree.tostring(element, encoding="utf-8", with_tail=False)
        self._left -= len(piece)
        if self._left < 0:
            message = "слишком много префиксов · too many prefixes around the requests"
            raise TooLargeError(message, expected="fewer declarations of namespaces")
        return piece


def _fields(request: _Element, copies: _Copies) -> dict[str, Any]:
    """Return the fields of a request by name; what is no plain text stays a piece of XML."""
    named: dict[str, list[_Element]] = {}
    for child in request:
        named.setdefault(local(child.tag), []).append(child)
    return {
        name: _tree(same[0], copies)
        if len(same) == 1 and "{" not in name
        else _verbatim(same, copies)
        for name, same in named.items()
    }


def _tree(element: _Element, copies: _Copies) -> Any:
    """Return an element as its text, or a dict of its children where that says everything."""
    if element.attrib:
        return _verbatim([element], copies)
    if not len(element):
        return element.text or ""
    children = {local(child.tag): child for child in element}
    plain = len(children) == len(element) and not any("{" in name for name in children)
    between = (element.text, *(child.tail for child in element))
    if not plain or any(text and not text.isspace() for text in between):
        return _verbatim([element], copies)
    return {name: _tree(child, copies) for name, child in children.items()}


def _verbatim(elements: list[_Element], copies: _Copies) -> dict[str, str]:
    return {VERBATIM: b"".join(map(copies.of, elements)).decode()}


def _charset(media_type: str) -> str:
    _, _, after = media_type.lower().partition("charset=")
    return after.partition(";")[0].strip(" \"'")
