"""What СМЭВ answers, read with tolerance, and the elements whose signatures have to be verified.

The genuine stands of СМЭВ send what their own schemas forbid, so nothing but the signature decides
whether a message is taken; where it is not as the schema has it stands in `deviations`, for the
log. Elements are found by their places and never by an Id: in use are `SIGNED_BY_SMEV`,
`SIGNED_BY_CONSUMER`, `SENDER_OV_SIGNATURE` and others, and a message may repeat one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from adapters.smev.messages import names, schemas
from adapters.smev.messages import types as t
from adapters.smev.messages.names import INCLUDE, SIGNATURE
from adapters.smev.messages.parts import Reader, children
from gateway import ns, xml
from gateway.errors import MalformedError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml.etree import _Element

    from adapters.smev.messages.types import Version

_TEXT: Final = 2_000
_DETAILS: Final = 20
_COMPARED: Final = 5_000
"""libxml2 takes time quadratic in the number of errors; a line in the log is not worth it."""


def answer(body: bytes) -> t.Answer | t.Fault:
    """Return what an envelope holds: an answer, or the fault.

    body: with `SignaturePKCS7` inlined where it came as XOP; the files themselves need not be.
    Raises MalformedError, TooLargeError, or UnsupportedError for a message of no known version.
    """
    document = xml.parse(body)
    root = body_child(document.root)
    if names.local(root.tag) == "Fault":
        return fault(root)
    version = names.version_of(str(root.tag).rpartition("}")[0].lstrip("{"))
    make = _ANSWERS.get(names.local(root.tag))
    if version is None or make is None:
        raise UnsupportedError(
            "not an answer of СМЭВ 1.1, 1.2 or 1.3", found=str(root.tag)[:200], where="Body"
        )
    reader = Reader()
    found = make(version, root, reader)
    odd = _compared(version, root, document.nodes)
    if odd or reader.odd:
        found = _noted(found, (*odd, *reader.odd)[: schemas.MOST])
    return found


def _compared(version: Version, root: _Element, nodes: int) -> list[str]:
    """Return where an answer is not as the schema has it.

    The bytes of files that stand beside count as bytes: what points at them is taken out, once it
    is read; it is not signed.
    """
    if nodes > _COMPARED:
        return [f"not compared with the schema: over {_COMPARED} elements and attributes"]
    for include in list(root.iter(INCLUDE)):
        holder = include.getparent()
        if holder is not None and names.local(holder.tag) == "Content":
            holder.remove(include)
    found = schemas.violations(schemas.schema(version), root)
    return [f"{one.path}: {one.message}" for one in found]


def body_child(envelope: _Element) -> _Element:
    """Return the element in the Body of a SOAP 1.1 envelope; raise MalformedError."""
    if envelope.tag != ns.tag(ns.SOAP11, "Envelope"):
        raise MalformedError("not a SOAP 1.1 envelope", found=str(envelope.tag)[:200])
    body = next((child for child in envelope if child.tag == ns.tag(ns.SOAP11, "Body")), None)
    if body is None or len(body) != 1:
        raise MalformedError("the Body holds one element", where="Body")
    return body[0]


def fault(root: _Element) -> t.Fault:
    """Return a SOAP fault by the first element of its detail."""
    reader = Reader()
    text = reader.text(root, "faultstring")[:_TEXT]
    detail = reader.child(root, "detail")
    if detail is None or not len(detail):
        return t.Fault(text=text)
    told = detail[0]
    details = tuple(
        (_place(one), (one.text or "").strip()[:_TEXT])
        for one in told
        if names.local(one.tag) not in ("Code", "Description")
    )
    return t.Fault(
        name=names.local(told.tag),
        code=reader.text(told, "Code")[:100],
        description=reader.text(told, "Description")[:_TEXT],
        text=text,
        details=details[:_DETAILS],
    )


def _place(one: _Element) -> str:
    """Name what a fault says; a ValidationError says at which position of the content."""
    at = one.get("errorPosition")
    return f"{names.local(one.tag)}@{at}" if at else names.local(one.tag)


def _noted(found: t.Answer, odd: tuple[str, ...]) -> t.Answer:
    given: dict[str, Any] = {name: getattr(found, name) for name in found.__struct_fields__}
    return type(found)(**{**given, "deviations": odd})


def _signed(who: Any, element: _Element | None, holder: _Element | None) -> tuple[t.Signed, ...]:
    """Return what has to be verified. holder: the element that holds ds:Signature."""
    if element is None:
        return ()
    found = [] if holder is None else [child for child in holder if child.tag == SIGNATURE]
    signature = found[0] if len(found) == 1 else None
    return (t.Signed(who=who, element=element, signature=signature),)


def _sent(version: Version, root: _Element, reader: Reader) -> t.Answer:
    told = reader.child(root, "MessageMetadata")
    return t.Sent(
        version=version,
        root=root,
        metadata=reader.metadata(told),
        signed=_signed("smev", told, reader.child(root, "SMEVSignature")),
    )


def _request(version: Version, root: _Element, reader: Reader) -> t.Answer:
    message = reader.child(root, "RequestMessage")
    request = reader.child(message, "Request")
    data = reader.child(request, "SenderProvidedRequestData")
    if message is None:
        return t.Empty(version=version, root=root)
    if request is None and reader.child(message, "Cancel") is not None:
        return _cancelled(version, root, message, reader)
    if request is None or data is None:
        raise MalformedError("a message without Request", where="RequestMessage")
    content, child = reader.payload(data)
    personal = reader.child(data, "PersonalSignature")
    return t.RequestMessage(
        version=version,
        root=root,
        data=t.RequestData(
            message_id=reader.text(data, "MessageID"),
            content=content,
            reference_message_id=reader.text(data, "ReferenceMessageID"),
            transaction_code=reader.text(data, "TransactionCode"),
            node_id=reader.text(data, "NodeID"),
            eol=reader.instant(data, "EOL"),
            headers=reader.headers(data),
            ref_headers=reader.ref_headers(data),
            contents=reader.contents(message),
            test=reader.child(data, "TestMessage") is not None,
            personal=personal is not None,
        ),
        metadata=reader.metadata(reader.child(request, "MessageMetadata")),
        reply_to=reader.verbatim(request, "ReplyTo"),
        storage=reader.storage(request),
        signed=_three(reader, message, request, data, child, personal),
    )


def _response(version: Version, root: _Element, reader: Reader) -> t.Answer:
    message = reader.child(root, "ResponseMessage")
    response = reader.child(message, "Response")
    data = reader.child(response, "SenderProvidedResponseData")
    if message is None:
        return t.Empty(version=version, root=root)
    if response is None or data is None:
        raise MalformedError("a message without Response", where="ResponseMessage")
    content, child = reader.payload(data)
    personal = reader.child(data, "PersonalSignature")
    told = reader.child(data, "AsyncProcessingStatus")
    return t.ResponseMessage(
        version=version,
        root=root,
        data=t.ResponseData(
            message_id=reader.text(data, "MessageID"),
            to=reader.verbatim(data, "To"),
            content=content,
            headers=reader.headers(data),
            ref_headers=reader.ref_headers(data),
            contents=reader.contents(message),
            rejected=reader.rejected(data),
            status=reader.status(reader.child(data, "RequestStatus")),
            async_status=None if told is None else reader.async_status(told),
            personal=personal is not None,
        ),
        metadata=reader.metadata(reader.child(response, "MessageMetadata")),
        original_message_id=reader.text(response, "OriginalMessageId"),
        original_transaction_code=reader.text(response, "OriginalTransactionCode"),
        reference_message_id=reader.text(response, "ReferenceMessageID"),
        storage=reader.storage(response),
        signed=_three(reader, message, response, data, child, personal),
    )


def _three(
    reader: Reader,
    message: _Element,
    inner: _Element,
    data: _Element,
    child: _Element | None,
    personal: _Element | None,
) -> tuple[t.Signed, ...]:
    """Return the three signatures of a message; that of an official only where there is one."""
    return (
        *_signed("smev", inner, reader.child(message, "SMEVSignature")),
        *_signed("sender", data, reader.child(inner, "SenderInformationSystemSignature")),
        *(_signed("personal", child, personal) if personal is not None else ()),
    )


def _cancelled(version: Version, root: _Element, message: _Element, reader: Reader) -> t.Answer:
    cancel = reader.child(message, "Cancel")
    return t.Cancelled(
        version=version,
        root=root,
        message_id=reader.text(cancel, "MessageID"),
        reference=reader.text(cancel, "MessageReference"),
        metadata=reader.metadata(reader.child(cancel, "MessageMetadata")),
        signed=(
            *_signed("smev", cancel, reader.child(message, "SMEVSignature")),
            *_signed(
                "sender",
                reader.child(cancel, "MessageReference"),
                reader.child(cancel, "SenderInformationSystemSignature"),
            ),
        ),
    )


def _status(version: Version, root: _Element, reader: Reader) -> t.Answer:
    message = reader.child(root, "SmevAsyncProcessingMessage")
    if message is None:
        return t.Empty(version=version, root=root)
    data = reader.child(message, "AsyncProcessingStatusData")
    told = reader.child(data, "AsyncProcessingStatus")
    if data is None or told is None:
        raise MalformedError("no AsyncProcessingStatusData", where="SmevAsyncProcessingMessage")
    return t.StatusMessage(
        version=version,
        root=root,
        status=reader.async_status(told),
        signed=_signed("smev", data, reader.child(message, "SMEVSignature")),
    )


def _acknowledged(version: Version, root: _Element, reader: Reader) -> t.Answer:
    del reader
    return t.Acknowledged(version=version, root=root)


def _statistics(version: Version, root: _Element, reader: Reader) -> t.Answer:
    found = []
    for one, _ in zip(children(root, "QueueStatistics"), range(_MOST_QUEUES), strict=False):
        number = one.get("pendingMessageNumber", "")
        if not number.isascii() or not number.isdigit() or len(number) > _DIGITS:
            reader.odd.append(f"pendingMessageNumber: not a number: {number[:40]}")
            number = "0"
        found.append((one.get("queueName", ""), int(number)))
    return t.Statistics(version=version, root=root, queues=tuple(found))


_MOST_QUEUES: Final = 10_000
_DIGITS: Final = 18
_ANSWERS: Final[dict[str, Callable[[Version, _Element, Reader], t.Answer]]] = {
    "SendRequestResponse": _sent,
    "SendResponseResponse": _sent,
    "GetRequestResponse": _request,
    "GetResponseResponse": _response,
    "GetStatusResponse": _status,
    "AckResponse": _acknowledged,
    "GetIncomingQueueStatisticsResponse": _statistics,
}
