"""Parts of messages, read with tolerance: what is missing is empty, what is odd is noted."""

from __future__ import annotations

import binascii
import datetime as dt
from base64 import b64decode
from typing import TYPE_CHECKING, Final

from adapters.smev.messages import names
from adapters.smev.messages import types as t
from adapters.smev.messages.fragments import canonical
from gateway import limits
from gateway.errors import TooLargeError, ValidationError
from gateway.model.base import only_moments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element


class Reader:
    """Finds children by their local names. odd: what was not as it should be, for the log."""

    def __init__(self) -> None:
        self.odd: list[str] = []

    def child(self, element: _Element | None, *path: str) -> _Element | None:
        """Return the element at a path of local names; the first where there are several."""
        for name in path:
            if element is None:
                return None
            element = next(children(element, name), None)
        return element

    def text(self, element: _Element | None, *path: str) -> str:
        """Return the text of an element, without the spaces around it; empty when it is not there.

        An opaque token is read by `verbatim`.
        """
        return self.verbatim(element, *path).strip()

    def verbatim(self, element: _Element | None, *path: str) -> str:
        """Return the text of an element letter by letter."""
        found = self.child(element, *path)
        return (found.text or "") if found is not None else ""

    def instant(self, element: _Element | None, *path: str) -> dt.datetime | None:
        """Return an aware instant; None, noted, for what is none. Without an offset: Moscow time.

        СМЭВ writes local time of Moscow in some of its messages.
        """
        told = self.text(element, *path)
        if not told:
            return None
        try:
            value = dt.datetime.fromisoformat(told)
            if value.utcoffset() is None:
                self.odd.append(f"{'/'.join(path)}: no offset: {told[:40]}")
                value = value.replace(tzinfo=_MOSCOW)
            only_moments(value)
        except (ValueError, ValidationError):
            self.odd.append(f"{'/'.join(path)}: not an instant: {told[:40]}")
            return None
        return value

    def base64(self, element: _Element | None, *path: str) -> bytes:
        """Return bytes; empty, noted, for what is no base64."""
        told = "".join(self.verbatim(element, *path).split())
        try:
            return b64decode(told, validate=True)
        except (binascii.Error, ValueError):
            self.odd.append(f"{'/'.join(path)}: not base64")
            return b""

    def metadata(self, element: _Element | None) -> t.Metadata:
        """Return MessageMetadata."""
        return t.Metadata(
            message_id=self.text(element, "MessageId"),
            message_type=self.text(element, "MessageType"),
            sender=self.text(element, "Sender", "Mnemonic"),
            sender_name=self.text(element, "Sender", "HumanReadableName"),
            sent_at=self.instant(element, "SendingTimestamp"),
            recipient=self.text(element, "Recipient", "Mnemonic"),
            recipient_name=self.text(element, "Recipient", "HumanReadableName"),
            delivered_at=self.instant(element, "DeliveryTimestamp"),
            status=self.text(element, "Status"),
        )

    def headers(self, data: _Element) -> tuple[t.AttachmentHeader, ...]:
        """Return AttachmentHeaderList."""
        return tuple(
            t.AttachmentHeader(
                content_id=self.text(one, "contentId"),
                mime_type=self.text(one, "MimeType"),
                signature=self.base64(one, "SignaturePKCS7"),
                namespace=self.text(one, "NamespaceUri"),
                archive=self.archive(one),
            )
            for one in self.listed(data, "AttachmentHeaderList", "AttachmentHeader")
        )

    def ref_headers(self, data: _Element) -> tuple[t.RefAttachmentHeader, ...]:
        """Return RefAttachmentHeaderList."""
        return tuple(
            t.RefAttachmentHeader(
                uuid=self.text(one, "uuid"),
                hash=self.text(one, "Hash"),
                mime_type=self.text(one, "MimeType"),
                signature=self.base64(one, "SignaturePKCS7"),
                file_name=self.text(one, "FileName"),
                namespace=self.text(one, "NamespaceUri"),
                archive=self.archive(one),
            )
            for one in self.listed(data, "RefAttachmentHeaderList", "RefAttachmentHeader")
        )

    def archive(self, header: _Element) -> tuple[t.Archived, ...]:
        """Return what a header says of an archive."""
        return tuple(
            t.Archived(name=self.text(one, "Name"), namespace=self.text(one, "NamespaceUri"))
            for one in self.listed(header, "Archive", "File")
        )

    def contents(self, message: _Element) -> tuple[t.AttachmentContent, ...]:
        """Return AttachmentContentList, whose bytes may stand in the message or beside it."""
        found = []
        for one in self.listed(message, "AttachmentContentList", "AttachmentContent"):
            name = self.text(one, "Id")
            include = self.child(one, "Content", "Include")
            if include is not None:
                found.append(t.AttachmentContent(id=name, href=include.get("href", "")))
            else:
                found.append(t.AttachmentContent(id=name, content=self.base64(one, "Content")))
        return tuple(found)

    def storage(self, message: _Element) -> tuple[t.FSAttachment, ...]:
        """Return FSAttachmentsList: where the files of the storage are fetched."""
        return tuple(
            t.FSAttachment(
                uuid=self.text(one, "uuid"),
                user_name=self.verbatim(one, "UserName"),
                password=self.verbatim(one, "Password"),
                file_name=self.verbatim(one, "FileName"),
            )
            for one in self.listed(message, "FSAttachmentsList", "FSAttachment")
        )

    def listed(self, element: _Element, name: str, item: str) -> Iterator[_Element]:
        """Yield the items of a list; raise TooLargeError for more than any message has."""
        listed = self.child(element, name)
        if listed is None:
            return
        for number, one in enumerate(children(listed, item)):
            if number >= limits.ZIP_MEMBERS:
                raise TooLargeError("the list is too long", where=name)
            yield one

    def payload(self, data: _Element) -> tuple[bytes, _Element | None]:
        """Return the single child of MessagePrimaryContent, as bytes and as it stands."""
        outer = self.child(data, "MessagePrimaryContent")
        if outer is None:
            return b"", None
        if len(outer) != 1:
            self.odd.append(f"MessagePrimaryContent: {len(outer)} elements")
        if not len(outer):
            return b"", None
        return canonical(outer[0]), outer[0]

    def async_status(self, element: _Element) -> t.AsyncProcessingStatus:
        """Return AsyncProcessingStatus."""
        fault = self.child(element, "SmevFault")
        routing = self.child(element, "RoutingStatus")
        return t.AsyncProcessingStatus(
            original_message_id=self.text(element, "OriginalMessageId"),
            category=self.text(element, "StatusCategory"),
            details=self.text(element, "StatusDetails"),
            fault=None
            if fault is None
            else t.SmevFault(
                code=self.text(fault, "Code"), description=self.text(fault, "Description")
            ),
            routing=() if routing is None else tuple(self._routing(routing)),
        )

    def _routing(self, routing: _Element) -> Iterator[tuple[str, str]]:
        for number, one in enumerate(routing.iter("*")):
            if number >= limits.LIST_ROWS:
                raise TooLargeError("the list is too long", where="RoutingStatus")
            if names.local(one.tag) == "RoutingStatusCode":
                owner = one.getparent()
                value = next(
                    (self.text(owner, name)
                     for name in ("DynamicValue", "IdentifierValue", "RecordId")
                     if self.child(owner, name) is not None),
                    "",
                )  # fmt: skip
                yield value, (one.text or "").strip()

    def rejected(self, data: _Element) -> tuple[t.RequestRejected, ...]:
        """Return every RequestRejected."""
        return tuple(
            t.RequestRejected(
                code=self.text(one, "RejectionReasonCode"),
                description=self.text(one, "RejectionReasonDescription"),
            )
            for one, _ in zip(children(data, "RequestRejected"), range(limits.ZIP_MEMBERS),
                              strict=False)
        )  # fmt: skip

    def status(self, element: _Element | None) -> t.RequestStatus | None:
        """Return RequestStatus; a code that is no number is noted and taken as 0."""
        if element is None:
            return None
        told = self.text(element, "StatusCode")
        try:
            code = int(told[:_INT_CHARS])
        except ValueError:
            self.odd.append(f"StatusCode: not a number: {told[:40]}")
            code = 0
        return t.RequestStatus(
            code=code,
            description=self.text(element, "StatusDescription"),
            parameters=tuple(
                (self.verbatim(one, "Key"), self.verbatim(one, "Value"))
                for one, _ in zip(children(element, "StatusParameter"), range(limits.ZIP_MEMBERS),
                                  strict=False)
            ),
        )  # fmt: skip


def children(element: _Element, name: str) -> Iterator[_Element]:
    """Yield the children of a local name, whatever their namespace: of one version or another."""
    for child in element:
        if names.local(child.tag) == name:
            yield child


_MOSCOW: Final = dt.timezone(dt.timedelta(hours=3))
_INT_CHARS: Final = 12
