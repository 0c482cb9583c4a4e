"""Opens a request envelope and seals an answer; pure functions between bytes and a call.

`open` follows SOAP 1.1 and 1.2 on one address: version by the envelope's namespace, checked against
the media type; mandatory headers; exactly one body child; dispatch by its name, checked against
SOAPAction, the action parameter and wsa:Action; then the contract's schema.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
from lxml import etree
from lxml.etree import _Element

from gateway import ns, xml
from gateway.errors import (
    MalformedError,
    MustUnderstandError,
    UnknownOperationError,
    ValidationError,
    VersionMismatchError,
    Violation,
)
from gateway.soap import addressing
from gateway.soap.frame import NAMESPACES, Frame, Sealed, Version, announced, wrap
from gateway.soap.splitter import Part, media_type

_TRUE: Final = ("1", "true")
_ENVELOPES: Final[dict[str, Version]] = {
    ns.tag(namespace, "Envelope"): version for version, namespace in NAMESPACES.items()
}
_MUST: Final = {v: ns.tag(namespace, "mustUnderstand") for v, namespace in NAMESPACES.items()}
_ROLE: Final = {"1.1": ns.tag(ns.SOAP11, "actor"), "1.2": ns.tag(ns.SOAP12, "role")}
_HEADER: Final = {v: ns.tag(namespace, "Header") for v, namespace in NAMESPACES.items()}
_BODY: Final = {v: ns.tag(namespace, "Body") for v, namespace in NAMESPACES.items()}
_STYLE: Final = ns.tag(ns.SOAP12, "encodingStyle")
_OURS: Final = frozenset(
    (
        "",
        "http://schemas.xmlsoap.org/soap/actor/next",
        f"{ns.SOAP12}/role/next",
        f"{ns.SOAP12}/role/ultimateReceiver",
    )
)
"""Actors and roles that mean us."""


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine has to know of a contract.

    actions: Clark name of each request's body element → its action URI. validate: takes the element
    and an upper bound of its nodes, raises ValidationError.
    """

    actions: Mapping[str, str]
    validate: Callable[[_Element, int], None]


def _never_seen(_nonce: str) -> bool:
    return False


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What opening and sealing may know besides the message.

    now: the instant. service: the contract. keys: material for WS-Security. seen: remembers a nonce
    and says whether it was there before.
    """

    now: datetime
    service: Service
    keys: Mapping[str, Any] = {}
    seen: Callable[[str], bool] = _never_seen


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request that may be executed: checked, dispatched and valid.

    operation: local name of the body element. body: that element. action: its action URI.
    soap_action: what HTTP said, without quotes, empty when nothing. blocks: header blocks meant for
    us. parts: other parts of the package by Content-ID.
    """

    frame: Frame
    operation: str
    action: str
    body: _Element
    soap_action: str = ""
    blocks: tuple[_Element, ...] = ()
    parts: Mapping[str, Part] = {}


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An answer to a call.

    body: the body element in UTF-8. message_id: of the answer, for WS-Addressing; derived from the
    request's when empty.
    """

    body: bytes
    message_id: str = ""


def open(  # noqa: A001 - the counterpart of seal, as in `envelope.open`
    root: bytes, headers: Mapping[str, str], parts: Mapping[str, Part], ctx: Context
) -> Call:
    """Return the call that an envelope holds.

    root: the root part. headers: of HTTP, with lower-case names. parts: of the splitter. Raises
    only errors of `gateway.errors` whose `who` is the peer; `frame.of_request` tells how to answer.
    """
    content_type = headers.get("content-type", "")
    media = media_type(content_type)
    document = xml.parse(root, media.charset)
    envelope = document.root
    version = _version(envelope, announced(content_type))
    header, body = _sections(envelope, version)
    blocks = _blocks(header, version) if header is not None else ()
    found = addressing.read(blocks) if blocks else None
    child = _only_child(body)
    action = ctx.service.actions.get(child.tag)
    if action is None:
        raise _unknown(child, ctx.service)
    soap_action = _soap_action(headers, media.parameters, version)
    _same_action(action, soap_action, found)
    ctx.service.validate(child, document.nodes)
    return Call(
        frame=Frame(version=version, encoding=document.encoding, addressing=found),
        operation=child.tag.rpartition("}")[2],
        action=action,
        body=child,
        soap_action=soap_action,
        blocks=blocks,
        parts=parts,
    )


def seal(reply: Reply, call: Call) -> Sealed:
    """Return the answer in the version, encoding and addressing of its call."""
    frame = call.frame
    header = ""
    if frame.addressing is not None:
        header = addressing.write(
            f"{call.action}Response", frame.addressing.message_id, reply.message_id
        )
    return wrap(frame, header, reply.body)


def _version(envelope: _Element, expected: Version) -> Version:
    version = _ENVELOPES.get(envelope.tag)
    if version == expected:
        return version
    name = etree.QName(envelope)
    if name.localname != "Envelope":
        raise MalformedError("not a SOAP envelope", found=envelope.tag, expected="Envelope")
    if version is None:
        raise VersionMismatchError(
            "the envelope's namespace is of no SOAP version we speak",
            found=name.namespace or "no namespace",
            expected=f"{ns.SOAP11} or {ns.SOAP12}",
        )
    raise VersionMismatchError(
        f"the media type announces SOAP {expected}, the envelope is of SOAP {version}",
        found=NAMESPACES[version],
        expected=NAMESPACES[expected],
    )


def _sections(envelope: _Element, version: Version) -> tuple[_Element | None, _Element]:
    """Return Header, if any, and Body; nothing else may stand in an envelope."""
    children = list(envelope)
    header = children.pop(0) if children and children[0].tag == _HEADER[version] else None
    if len(children) != 1 or children[0].tag != _BODY[version]:
        tags = ", ".join(etree.QName(child).localname for child in envelope)
        raise _refuse(
            "/Envelope", "unexpected", "an envelope holds Header, if any, and one Body", tags
        )
    body = children[0]
    if version == "1.2" and (envelope.attrib or body.attrib):
        for element, path in ((envelope, "/Envelope"), (body, "/Envelope/Body")):
            if element.get(_STYLE) is not None:
                raise _refuse(
                    path, "attribute", "encodingStyle is not allowed here (SOAP 1.2, 5.1.1)"
                )
    return header, body


def _blocks(header: _Element, version: Version) -> tuple[_Element, ...]:
    """Return the header blocks meant for us; raise MustUnderstandError for those we do not know."""
    role, must = _ROLE[version], _MUST[version]
    ours = []
    unknown = []
    for block in header:
        if block.get(role, "").strip() not in _OURS:
            continue
        ours.append(block)
        mandatory = block.get(must, "").strip() in _TRUE
        if mandatory and block.tag not in addressing.NAMES:
            unknown.append(block.tag)
    if unknown:
        names = ", ".join(unknown)
        raise MustUnderstandError(
            f"mandatory headers are not processed here: {names}", tuple(unknown)
        )
    return tuple(ours)


def _only_child(body: _Element) -> _Element:
    if len(body) != 1:
        names = ", ".join(etree.QName(child).localname for child in body)
        code, message = (
            ("unexpected", "the body holds more than one element")
            if len(body)
            else ("required", "the body is empty")
        )
        raise _refuse("/Envelope/Body", code, message, names[:200])
    child = body[0]
    if (body.text or "").strip() or (child.tail or "").strip():
        raise _refuse("/Envelope/Body", "text", "text stands beside the element of the body")
    return child


def _soap_action(
    headers: Mapping[str, str], parameters: Mapping[str, str], version: Version
) -> str:
    """Return the action that HTTP names: a header of its own in 1.1, a parameter in 1.2."""
    if version == "1.2":
        return parameters.get("action", "").strip()
    return headers.get("soapaction", "").strip().strip('"')


def _same_action(action: str, soap_action: str, found: addressing.Addressing | None) -> None:
    """Refuse a call whose HTTP or addressing action names another operation than its body.

    An action that is absent or empty says nothing: PHP, 1С and old clients leave SOAPAction out.
    With addressing headers it has to stand in one of the two places (WS-Addressing 1.0, 3.2).
    """
    given = [("SOAPAction", soap_action)] if soap_action else []
    if found is not None:
        if found.action:
            given.append(("wsa:Action", found.action))
        elif not given:
            path, message = "/Envelope/Header/Action", "the addressing headers lack wsa:Action"
            raise _refuse(path, "required", message)
    for where, value in given:
        if value != action:
            raise UnknownOperationError(
                f"{where} names another operation than the body",
                found=value,
                expected=action,
                where=where,
            )


def _unknown(child: _Element, service: Service) -> UnknownOperationError:
    names = ", ".join(tag.rpartition("}")[2] for tag in service.actions)
    namespaces = {tag[1:].partition("}")[0] for tag in service.actions}
    return UnknownOperationError(
        "no such operation",
        found=child.tag,
        expected=f"{names} in {', '.join(sorted(namespaces))}",
        where="/Envelope/Body",
    )


def _refuse(path: str, code: str, message: str, found: str = "") -> ValidationError:
    return ValidationError(message, (Violation(path, code, message, found),))
