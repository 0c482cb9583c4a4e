"""Opens a request envelope and seals an answer; pure functions between bytes and a call.

A request is opened in three steps, because more may have to happen between them: `read` finds out
what is asked for, `prove` who asks, `accept` whether the body follows the contract. `read` follows
SOAP 1.1 and 1.2 on one address: version by the envelope's namespace, checked against the media
type; mandatory headers; exactly one body child; dispatch by its name, checked against SOAPAction,
the action parameter and wsa:Action.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

import msgspec
from lxml import etree
from lxml.etree import _Element

from gateway import limits, ns, xml
from gateway.errors import (
    MalformedError,
    MustUnderstandError,
    TooLargeError,
    UnknownOperationError,
    VersionMismatchError,
)
from gateway.soap import addressing, construct, security
from gateway.soap.frame import NAMESPACES, Frame, Sealed, Version, announced, wrap
from gateway.soap.security import SECURITY, Keys, Proof
from gateway.soap.security.algorithms import STANDARD, Algorithms
from gateway.soap.splitter import Part, media_type

_ENVELOPES: Final[dict[str, Version]] = {
    ns.tag(namespace, "Envelope"): version for version, namespace in NAMESPACES.items()
}
_MUST: Final = {v: ns.tag(namespace, "mustUnderstand") for v, namespace in NAMESPACES.items()}
_ROLE: Final = {"1.1": ns.tag(ns.SOAP11, "actor"), "1.2": ns.tag(ns.SOAP12, "role")}
_HEADER: Final = {v: ns.tag(namespace, "Header") for v, namespace in NAMESPACES.items()}
_BODY: Final = {v: ns.tag(namespace, "Body") for v, namespace in NAMESPACES.items()}
_OURS: Final = frozenset(
    (
        "",
        "http://schemas.xmlsoap.org/soap/actor/next",
        f"{ns.SOAP12}/role/next",
        f"{ns.SOAP12}/role/ultimateReceiver",
        security.SMEV2_ACTOR,
    )
)
"""Actors and roles that mean us."""
_NAMED: Final = 10
_NAME_CHARS: Final = 500
"""So many mandatory headers that we do not know are named, unless their names are too long."""
_NO_FILES: Final[Mapping[_Element, Part]] = MappingProxyType({})


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine has to know of a contract.

    actions: Clark name of each request's body element → its action URI. validate: takes the element
    and an upper bound of its nodes, raises ValidationError. understood: Clark names of header
    blocks that the service processes by itself, besides those of the engine. roles: actors and
    roles that mean us, besides those of SOAP. bodiless: actions of requests whose body is empty
    (WS-Transfer's Get), known by wsa:Action alone. files: Clark names of elements that are base64
    and may come as parts of a package, which go to the store as they come; none: a service that
    reads its messages whole, parts and all.
    """

    actions: Mapping[str, str]
    validate: Callable[[_Element, int], None]
    understood: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    bodiless: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()


def _never_seen(_nonce: bytes, _until: datetime) -> bool:
    return False


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What opening and sealing may know besides the message.

    now: the instant. service: the contract. keys: who holds which password and certificate, None
    where nobody can prove anything in a message. seen: remembers a nonce until an instant and says
    whether it was there before. secure_wire: nobody can read the message on its way, so that a
    password may stand in it. proven: the message was proven when it came (a stored one is opened
    again), so its Security header is passed over. algorithms: what signatures are checked with.
    """

    now: datetime
    service: Service
    keys: Keys | None = None
    seen: Callable[[bytes, datetime], bool] = _never_seen
    secure_wire: bool = False
    proven: bool = False
    algorithms: Algorithms = STANDARD


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A request whose envelope was read: version, headers and dispatch are in order.

    It is not known yet who sent it, nor whether its body follows the contract. envelope: the root.
    body: the element of the body, None for a bodiless request. soap_action: what HTTP said, without
    quotes, empty when nothing. blocks: header blocks meant for us. nodes: upper bound of elements
    and attributes. secured: there is a Security header for us.
    """

    frame: Frame
    envelope: _Element
    body: _Element | None
    action: str
    soap_action: str
    blocks: tuple[_Element, ...]
    nodes: int
    secured: bool


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request that may be executed: checked, dispatched and valid.

    operation: local name of the body element, or what follows the last slash of the action when the
    body is empty. body: that element. action: its action URI. soap_action, blocks: of `Opened`.
    parts: other parts of the package by Content-ID. files: those parts by the element whose bytes
    they are; it stands empty in the body. proof: what the Security header proved.
    """

    frame: Frame
    operation: str
    action: str
    body: _Element | None
    soap_action: str = ""
    blocks: tuple[_Element, ...] = ()
    parts: Mapping[str, Part] = {}
    files: Mapping[_Element, Part] = {}
    proof: Proof | None = None


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An answer to a call.

    body: the body element in UTF-8. message_id: of the answer, for WS-Addressing; derived from the
    request's when empty. action: of the answer, when it is not the request's with `Response`.
    """

    body: bytes
    message_id: str = ""
    action: str = ""


def open(  # noqa: A001 - the counterpart of seal, as in `envelope.open`
    root: bytes, headers: Mapping[str, str], parts: Mapping[str, Part], ctx: Context
) -> Call:
    """Return the call that an envelope holds: `read`, `prove` and `accept` in one.

    root: the root part. headers: of HTTP, with lower-case names. parts: of the splitter. Raises
    only errors of `gateway.errors` whose `who` is the peer; `frame.of_request` tells how to answer.
    """
    opened = read(root, headers, ctx)
    proof = prove(opened, ctx) if opened.secured else None
    return accept(opened, parts, ctx, proof)


def read(root: bytes, headers: Mapping[str, str], ctx: Context) -> Opened:
    """Read the envelope and its headers and find out what is asked for; see `open`."""
    media = media_type(headers.get("content-type", ""))
    document = xml.parse(root, media.charset)
    envelope = document.root
    version = _version(envelope, announced(headers.get("content-type", "")))
    header, body = _sections(envelope, version)
    blocks = _blocks(header, version, ctx) if header is not None else ()
    if version == "1.2" and (b"encodingStyle" in root or document.encoding != xml.UTF8):
        # The search of the bytes spares nearly every message the search of the tree.
        processed = [block for block in blocks if _understood(block.tag, ctx)]
        construct.require_literal([*processed, *body])
    found = addressing.read(blocks) if blocks else None
    soap_action = _soap_action(headers, media.parameters, version)
    asked = found.action if found is not None else ""
    if asked in ctx.service.bodiless and not len(body):
        child, action = None, asked
    else:
        child = _only_child(body)
        action = ctx.service.actions.get(child.tag, "")
        if not action:
            raise _unknown(child, ctx.service)
    _same_action(action, soap_action, found)
    return Opened(
        frame=Frame(version=version, encoding=document.encoding, addressing=found),
        envelope=envelope,
        body=child,
        action=action,
        soap_action=soap_action,
        blocks=blocks,
        nodes=document.nodes,
        secured=bool(blocks) and any(block.tag == SECURITY for block in blocks),
    )


def prove(opened: Opened, ctx: Context) -> Proof | None:
    """Return what the Security header proves; raise SecurityError.

    Takes a thread: it may ask the store whether a nonce was seen.
    """
    if ctx.proven:
        return None
    return security.read(opened.envelope, opened.blocks, opened.frame.version, ctx, ctx.algorithms)


def accept(
    opened: Opened,
    parts: Mapping[str, Part],
    ctx: Context,
    proof: Proof | None = None,
    files: Mapping[_Element, Part] = _NO_FILES,
) -> Call:
    """Check the body against the contract and return the call; raise ValidationError."""
    body = opened.body
    if body is not None:
        try:
            ctx.service.validate(body, opened.nodes)
        except Exception:
            # SOAP's own attributes may stand in a body and mean nothing there; no schema has them.
            if not construct.without_marks(body):
                raise
            ctx.service.validate(body, opened.nodes)
    return Call(
        frame=opened.frame,
        operation=opened.action.rpartition("/")[2] if body is None else _local(body),
        action=opened.action,
        body=body,
        soap_action=opened.soap_action,
        blocks=opened.blocks,
        parts=parts,
        files=files,
        proof=proof,
    )


def seal(reply: Reply, call: Call) -> Sealed:
    """Return the answer in the version, encoding and addressing of its call."""
    frame = call.frame
    header = action = ""
    if frame.addressing is not None:
        action = reply.action or f"{call.action}Response"
        header = addressing.write(action, frame.addressing, reply.message_id)
    return wrap(frame, header, reply.body, action=action)


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
        raise construct.refuse(
            "/Envelope", "unexpected", "an envelope holds Header, if any, and one Body", tags
        )
    body = children[0]
    if version == "1.2":
        construct.check(envelope, header, body)
    return header, body


def _blocks(header: _Element, version: Version, ctx: Context) -> tuple[_Element, ...]:
    """Return the header blocks meant for us; raise MustUnderstandError for those we do not know."""
    role, must = _ROLE[version], _MUST[version]
    if len(header) > limits.HEADER_BLOCKS:
        raise TooLargeError(
            "the message has too many header blocks",
            found=str(len(header)),
            expected=f"at most {limits.HEADER_BLOCKS}",
            where="/Envelope/Header",
        )
    ours = []
    unknown = []
    for block in header:
        named = block.get(role)
        if named is not None:
            target = construct.target(block, named)
            if target not in _OURS and target not in ctx.service.roles:
                continue
        ours.append(block)
        said = block.get(must)
        if said is None or not construct.mandatory(block, said):
            continue
        if not _understood(block.tag, ctx):
            unknown.append(block.tag)
    if unknown:
        told = tuple(tag for tag in unknown if len(tag) <= _NAME_CHARS)[:_NAMED]
        names = ", ".join(told) + (", …" if len(told) < len(unknown) else "")
        raise MustUnderstandError(f"mandatory headers are not processed here: {names}", told)
    return tuple(ours)


def _understood(tag: str, ctx: Context) -> bool:
    if tag == SECURITY:
        return ctx.proven or ctx.keys is not None
    return tag in addressing.NAMES or tag in ctx.service.understood


def _only_child(body: _Element) -> _Element:
    if len(body) != 1:
        names = ", ".join(etree.QName(child).localname for child in body)
        code, message = (
            ("unexpected", "the body holds more than one element")
            if len(body)
            else ("required", "the body is empty")
        )
        raise construct.refuse("/Envelope/Body", code, message, names[:200])
    child = body[0]
    if (body.text or "").strip() or (child.tail or "").strip():
        raise construct.refuse(
            "/Envelope/Body", "text", "text stands beside the element of the body"
        )
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
    if found is not None:
        if not found.action and not soap_action:
            addressing.required(found.version, "Action")
        if found.action and found.action != (soap_action or action):
            expected, declared = soap_action or action, bool(soap_action)
            addressing.mismatch(found.version, found.action, expected, declared=declared)
    if soap_action and soap_action != action:
        raise UnknownOperationError(
            "SOAPAction names another operation than the body",
            found=soap_action,
            expected=action,
            where="SOAPAction",
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


def _local(element: _Element) -> str:
    name: str = element.tag
    return name.rpartition("}")[2]
