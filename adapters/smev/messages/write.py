"""Calls of СМЭВ3 as whole SOAP 1.1 envelopes, signed and fitting the schema.

What is signed is written once, parsed, signed and put into the envelope as the same text; then the
envelope is parsed as its receiver will parse it, held against the schema, and what was signed is
compared byte by byte in its canonical form. A message of ours that is not what we signed leaves
never.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.smev.messages import fragments, names, schemas
from adapters.smev.messages.names import INCLUDE, OPERATIONS
from gateway import ns, xml
from gateway.errors import InternalError, UnsupportedError, ValidationError, Violation

if TYPE_CHECKING:
    from datetime import datetime

    from lxml.etree import _Element

    from adapters.smev.messages import types as t
    from adapters.smev.messages.types import Operation, Sign, Version

CALLER_ID: Final = "SIGNED_BY_CALLER"
PERSONAL_ID: Final = "PERSONAL_SIGNATURE"
_ONLY_13: Final = "NamespaceUri, FileName and Archive are of version 1.3"


def send_request(
    version: Version, data: t.RequestData, sign: Sign, sign_personal: Sign | None = None
) -> bytes:
    """Return SendRequest. sign_personal: signs the payload too, in the name of an official (ЭП-СП).

    Raises ValidationError naming each place that does not fit the schema.
    """
    _require_known(version, data)
    content, personal = _content(data.content, sign_personal)
    reference, code = data.reference_message_id, data.transaction_code
    if version == "1.2":
        # Its schema wants both; the first message of a chain refers to itself.
        reference = reference or data.message_id
    inner = (
        fragments.element("t:MessageID", data.message_id)
        + fragments.optional("t:ReferenceMessageID", reference)
        + (fragments.element("t:TransactionCode", code) if code or version == "1.2" else "")
        + fragments.optional("t:NodeID", data.node_id)
        + (fragments.element("t:EOL", fragments.instant(data.eol)) if data.eol else "")
        + content
        + personal
        + fragments.headers(data.headers)
        + fragments.ref_headers(data.ref_headers)
        + ("<t:TestMessage/>" if data.test else "")
    )
    return _signed(
        version,
        "SendRequest",
        f'<t:SenderProvidedRequestData{_declared(version)} Id="{_free(data)}">{inner}'
        "</t:SenderProvidedRequestData>",
        sign,
        between=fragments.contents(data.contents),
    )


def send_response(
    version: Version, data: t.ResponseData, sign: Sign, sign_personal: Sign | None = None
) -> bytes:
    """Return SendResponse: with a payload, a rejection or a status, as the data has it."""
    _require_known(version, data)
    inner = fragments.element("t:MessageID", data.message_id) + fragments.element("t:To", data.to)
    if data.rejected:
        inner += fragments.rejected(data.rejected)
    elif data.status is not None:
        inner += fragments.status(data.status)
    elif data.async_status is not None:
        inner += fragments.async_status(data.async_status)
    else:
        content, personal = _content(data.content, sign_personal)
        inner += (
            content
            + personal
            + fragments.headers(data.headers)
            + fragments.ref_headers(data.ref_headers)
        )
    return _signed(
        version,
        "SendResponse",
        f'<t:SenderProvidedResponseData{_declared(version)} Id="{_free(data)}">{inner}'
        "</t:SenderProvidedResponseData>",
        sign,
        between=fragments.contents(data.contents),
    )


def get_request(version: Version, selector: t.Selector, sign: Sign) -> bytes:
    """Return GetRequest: the next message of the queue of requests."""
    return _signed(version, "GetRequest", _selector(version, selector), sign)


def get_response(version: Version, selector: t.Selector, sign: Sign) -> bytes:
    """Return GetResponse: the next message of the queue of responses."""
    return _signed(version, "GetResponse", _selector(version, selector), sign)


def get_status(version: Version, now: datetime, sign: Sign) -> bytes:
    """Return GetStatus: the next word of СМЭВ on what was sent."""
    return _signed(version, "GetStatus", _timestamp(version, now), sign)


def ack(version: Version, message_id: str, sign: Sign, *, accepted: bool = True) -> bytes:
    """Return Ack. accepted: False when the signature of СМЭВ does not hold: it was ignored."""
    word = "true" if accepted else "false"
    return _signed(
        version,
        "Ack",
        f'<b:AckTargetMessage{_declared(version)} Id="{CALLER_ID}" accepted="{word}">'
        f"{xml.escape(message_id)}</b:AckTargetMessage>",
        sign,
    )


def statistics(version: Version, now: datetime, sign: Sign, node_id: str = "") -> bytes:
    """Return GetIncomingQueueStatistics; raise UnsupportedError for 1.3, which has it no more."""
    before = fragments.optional("t:NodeID", node_id)
    return _signed(
        version, "GetIncomingQueueStatistics", _timestamp(version, now), sign, before=before
    )


def _free(data: t.RequestData | t.ResponseData) -> str:
    """Return an Id that the payload does not have: two of one name and no signature is believed."""
    return CALLER_ID if CALLER_ID.encode() not in data.content else f"ID-{data.message_id}"


def _declared(version: Version) -> str:
    """Both namespaces, under the one prefix each that all of a message uses."""
    return f' xmlns:t="{names.types(version)}" xmlns:b="{names.basic(version)}"'


def _selector(version: Version, selector: t.Selector) -> str:
    wanted = ""
    if selector.namespace or selector.local_name:
        wanted = fragments.element("b:NamespaceURI", selector.namespace)
        wanted += fragments.element("b:RootElementLocalName", selector.local_name)
    return (
        f'<b:MessageTypeSelector{_declared(version)} Id="{CALLER_ID}">{wanted}'
        + fragments.element("b:Timestamp", fragments.instant(selector.now))
        + fragments.optional("b:NodeID", selector.node_id)
        + "</b:MessageTypeSelector>"
    )


def _timestamp(version: Version, now: datetime) -> str:
    at = fragments.instant(now)
    return f'<b:Timestamp{_declared(version)} Id="{CALLER_ID}">{at}</b:Timestamp>'


def _content(content: bytes, sign_personal: Sign | None) -> tuple[str, str]:
    """Return MessagePrimaryContent, and PersonalSignature over its child where one is wanted."""
    root = fragments.payload(content)
    personal = ""
    if sign_personal is not None:
        if not root.get("Id"):
            root.set("Id", PERSONAL_ID)
        root = xml.parse(fragments.canonical(root)).root
        signature = fragments.fragment(sign_personal(root))
        personal = f"<t:PersonalSignature>{signature}</t:PersonalSignature>"
    text = fragments.fragment(root)
    return f"<b:MessagePrimaryContent>{text}</b:MessagePrimaryContent>", personal


def _signed(
    version: Version, operation: Operation, text: str, sign: Sign, *, before: str = "",
    between: str = "",
) -> bytes:  # fmt: skip
    """Return the envelope around what is signed, and the signature behind it.

    before, between: elements that stand before what is signed, and between it and its signature.
    """
    if operation not in OPERATIONS[version]:
        raise UnsupportedError(f"СМЭВ {version} has no such operation", found=operation)
    element = xml.parse(text.encode()).root
    canonical = fragments.canonical(element)
    signature = fragments.fragment(sign(element))
    body = (
        f'<soap:Envelope xmlns:soap="{ns.SOAP11}"><soap:Body>'
        f"<t:{operation}Request{_declared(version)}>{before}{text}{between}"
        f"<t:CallerInformationSystemSignature>{signature}</t:CallerInformationSystemSignature>"
        f"</t:{operation}Request></soap:Body></soap:Envelope>"
    ).encode()
    _require_whole(version, body, str(element.tag), canonical)
    return b'<?xml version="1.0" encoding="UTF-8"?>' + body


def _require_whole(version: Version, body: bytes, tag: str, canonical: bytes) -> None:
    """Read an envelope as its receiver will: it fits the schema, and what was signed is the same.

    tag: of the element that was signed.
    """
    call = xml.parse(body).root[0][0]
    found = [element for element in call if element.tag == tag]
    if len(found) != 1 or fragments.canonical(found[0]) != canonical:
        raise InternalError("what was signed changed on its way into the envelope", found=tag)
    _drop_includes(call)
    schemas.require(version, call)


def _drop_includes(call: _Element) -> None:
    """Take the references of XOP out of a tree that is only checked: the schema knows bytes."""
    for include in list(call.iter(INCLUDE)):
        parent = include.getparent()
        if parent is not None:
            parent.remove(include)


def _require_known(version: Version, data: t.RequestData | t.ResponseData) -> None:
    """Raise ValidationError for what only 1.3 can say, before the schema says it less plainly."""
    if version == "1.3":
        return
    told = any(h.namespace or h.archive for h in data.headers)
    if told or any(h.namespace or h.archive or h.file_name for h in data.ref_headers):
        raise ValidationError(
            _ONLY_13, (Violation("AttachmentHeaderList", "version", _ONLY_13, version, "1.3"),)
        )
