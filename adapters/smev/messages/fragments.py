"""Pieces of messages as text; every value is escaped here and nowhere else.

A message is put together as text and not as a tree: lxml can write a tree that it was given piece
by piece, with prefixes that clash, as something that is no XML, and what is signed has to be the
bytes that leave.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from lxml import etree

from gateway import ns, xml
from gateway.errors import MalformedError, ValidationError, Violation

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from lxml.etree import _Element

    from adapters.smev.messages import types as t


def element(name: str, text: str) -> str:
    """Return an element with a text."""
    return f"<{name}>{xml.escape(text)}</{name}>"


def optional(name: str, text: str) -> str:
    """Return an element with a text, nothing when there is none."""
    return element(name, text) if text else ""


def instant(value: dt.datetime) -> str:
    """Return xs:dateTime with its offset, to the millisecond."""
    if value.utcoffset() is None:
        message = "an instant needs its offset"
        raise ValidationError(message, (Violation("", "date_time", message, str(value)),))
    return value.isoformat(timespec="milliseconds")


def payload(content: bytes) -> _Element:
    """Return the root of a payload; raise ValidationError when there is none."""
    if not content:
        message = "the message has no content"
        raise ValidationError(message, (Violation("MessagePrimaryContent", "required", message),))
    return xml.parse(content).root


def canonical(element: _Element) -> bytes:
    """Return an element in its canonical form; raise MalformedError where it has none.

    Canonical XML knows no relative name of a namespace (section 1.3), which parses all the same.
    """
    try:
        return xml.c14n(element)
    except etree.C14NError as error:
        raise MalformedError(
            "the element has no canonical form: a namespace is named relatively",
            where=str(element.tag)[:200],
        ) from error


def fragment(root: _Element) -> str:
    """Return an element as text that stands by itself, wherever it is put."""
    return canonical(root).decode()


def headers(found: Iterable[t.AttachmentHeader]) -> str:
    """Return AttachmentHeaderList, nothing when there is no file."""
    inner = "".join(
        "<b:AttachmentHeader>"
        + element("b:contentId", one.content_id)
        + optional("b:NamespaceUri", one.namespace)
        + element("b:MimeType", one.mime_type)
        + _signature(one.signature)
        + _archive(one.archive)
        + "</b:AttachmentHeader>"
        for one in found
    )
    return f"<b:AttachmentHeaderList>{inner}</b:AttachmentHeaderList>" if inner else ""


def ref_headers(found: Iterable[t.RefAttachmentHeader]) -> str:
    """Return RefAttachmentHeaderList, nothing when there is no file."""
    inner = "".join(
        "<b:RefAttachmentHeader>"
        + element("b:uuid", one.uuid)
        + optional("b:FileName", one.file_name)
        + optional("b:NamespaceUri", one.namespace)
        + element("b:Hash", one.hash)
        + element("b:MimeType", one.mime_type)
        + _signature(one.signature)
        + _archive(one.archive)
        + "</b:RefAttachmentHeader>"
        for one in found
    )
    return f"<b:RefAttachmentHeaderList>{inner}</b:RefAttachmentHeaderList>" if inner else ""


def contents(found: Iterable[t.AttachmentContent]) -> str:
    """Return AttachmentContentList, nothing when there is no file."""
    inner = "".join(
        "<b:AttachmentContent>"
        + element("b:Id", one.id)
        + f"<b:Content>{_bytes(one)}</b:Content></b:AttachmentContent>"
        for one in found
    )
    return f"<b:AttachmentContentList>{inner}</b:AttachmentContentList>" if inner else ""


def rejected(found: Iterable[t.RequestRejected], prefix: str = "t:", declared: str = "") -> str:
    """Return RequestRejected, once for each reason. declared: declarations of namespaces."""
    return "".join(
        f"<{prefix}RequestRejected{declared}>"
        + element(f"{prefix}RejectionReasonCode", one.code)
        + element(f"{prefix}RejectionReasonDescription", one.description)
        + f"</{prefix}RequestRejected>"
        for one in found
    )


def status(one: t.RequestStatus, prefix: str = "t:", declared: str = "") -> str:
    """Return RequestStatus."""
    parameters = "".join(
        f"<{prefix}StatusParameter>"
        + element(f"{prefix}Key", key)
        + element(f"{prefix}Value", value)
        + f"</{prefix}StatusParameter>"
        for key, value in one.parameters
    )
    return (
        f"<{prefix}RequestStatus{declared}>"
        + element(f"{prefix}StatusCode", str(one.code))
        + parameters
        + element(f"{prefix}StatusDescription", one.description)
        + f"</{prefix}RequestStatus>"
    )


def async_status(one: t.AsyncProcessingStatus) -> str:
    """Return AsyncProcessingStatus, as a stand writes it."""
    fault = ""
    if one.fault is not None:
        inner = optional("b:Code", one.fault.code)
        inner += optional("b:Description", one.fault.description)
        fault = f"<t:SmevFault>{inner}</t:SmevFault>"
    return (
        "<t:AsyncProcessingStatus>"
        + element("t:OriginalMessageId", one.original_message_id)
        + element("t:StatusCategory", one.category)
        + optional("t:StatusDetails", one.details)
        + fault
        + "</t:AsyncProcessingStatus>"
    )


def _signature(value: bytes) -> str:
    return element("b:SignaturePKCS7", b64encode(value).decode()) if value else ""


def _archive(found: tuple[t.Archived, ...]) -> str:
    inner = "".join(
        f"<b:File>{element('b:Name', one.name)}{element('b:NamespaceUri', one.namespace)}</b:File>"
        for one in found
    )
    return f"<b:Archive>{inner}</b:Archive>" if inner else ""


def _bytes(one: t.AttachmentContent) -> str:
    if one.href:
        return f'<xop:Include xmlns:xop="{ns.XOP}" href="{xml.quote(one.href)}"/>'
    return b64encode(one.content).decode()
