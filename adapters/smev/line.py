"""The line to СМЭВ: one call, as an envelope or a package, and its answer taken apart.

Answers come as packages even without files, and the genuine stands split the parameters of a
Content-Type (RFC 2231, 3). What MTOM took out of a signed element is put back as base64 before
anything is verified; the files themselves are not signed and stay beside.
"""

from __future__ import annotations

from email.message import Message
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from lxml import etree

from adapters.smev import retry
from adapters.smev.messages import names, read
from adapters.smev.messages import types as t
from gateway import ns, xml
from gateway.errors import (
    DeliveryError,
    GatewayError,
    MalformedError,
    PeerDoubtful,
    PeerUnavailable,
)
from gateway.outbound import Answered, check
from gateway.soap import mime, xop
from gateway.soap.splitter import Splitter, media_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.smev.messages.types import Operation
    from gateway.outbound import Outbound, Response

_XML: Final = "text/xml; charset=utf-8"
_RELATED: Final = "multipart/related"
_CONTENT: Final = "Content"


class Replied(NamedTuple):
    """An answer, or a fault, and the files that came beside it, by Content-ID.

    envelope: what was read, with what MTOM took out of signed elements put back, in UTF-8.
    """

    answer: t.Answer | t.Fault
    files: Mapping[str, bytes]
    response: Response
    envelope: bytes


class Line:
    """Where the calls of one system go."""

    def __init__(self, outbound: Outbound, url: str) -> None:
        self._outbound = outbound
        self._url = url

    def call(
        self,
        operation: Operation,
        envelope: bytes,
        files: Mapping[str, bytes] | None = None,
        *,
        safe: bool = False,
    ) -> Replied:
        """Call once. files: by their SHA-256 in hex. safe: the call stores nothing at СМЭВ.

        Raises PeerUnavailable or PeerDoubtful where the answer is none of СМЭВ's. A fault is given
        back: what it means depends on what was asked.
        """
        headers = {"content-type": _XML, "soapaction": f'"{names.action(operation)}"'}
        body = envelope
        if files:
            headers["content-type"], body = _packed(envelope, files)
        response = self._outbound.request("POST", self._url, headers=headers, body=body, safe=safe)
        try:
            return self._read(response)
        except GatewayError as error:
            check(response, "СМЭВ", safe=safe)
            kind = PeerUnavailable if safe else PeerDoubtful
            answered = Answered(response)
            answered.__cause__ = error
            raise kind(
                f"СМЭВ: {operation}: the answer cannot be read: {error.message}", found=error.found
            ) from answered

    def _read(self, response: Response) -> Replied:
        content_type = joined(response.headers.get("content-type", ""))
        data, files = response.body, dict[str, bytes]()
        if media_type(content_type).name == _RELATED:
            data, files = _apart(content_type, response.body)
        data = _inlined(data, files)
        return Replied(read.answer(data), files, response, data)


def refuse(fault: t.Fault, what: str, response: Response) -> DeliveryError:
    """Return the error of a fault with the answer behind it, so that its bytes are kept."""
    made = retry.error(fault, what)
    made.__cause__ = Answered(response)
    return made


def joined(content_type: str) -> str:
    """Return a Content-Type whose parameters stand in one piece each; raise MalformedError."""
    if "*0" not in content_type:
        return content_type
    message = Message()
    message["content-type"] = content_type
    try:
        found = message.get_params(failobj=[])
        told = [f'{name}="{_plain(value)}"' for name, value in found[1:]]
    except (TypeError, ValueError, LookupError) as error:  # `email` sorts numbers with no numbers
        raise MalformedError("the Content-Type cannot be read", found=content_type[:200]) from error
    return "; ".join([found[0][0] if found else "", *told])


def _plain(value: str | tuple[str | None, str | None, str]) -> str:
    return value[2] if isinstance(value, tuple) else value


def _packed(envelope: bytes, files: Mapping[str, bytes]) -> tuple[str, bytes]:
    sent = [
        mime.Sent(digest, "application/octet-stream", len(data)) for digest, data in files.items()
    ]
    package = mime.package(envelope, _XML, sent)
    pieces = (files[p.sha256] if isinstance(p, mime.Sent) else p for p in package.pieces)
    return package.content_type, b"".join(pieces)


def content_id(data: bytes) -> str:
    """Return the Content-ID under which a file travels."""
    return mime.Sent(sha256(data).hexdigest(), "", len(data)).content_id


def _apart(content_type: str, body: bytes) -> tuple[bytes, dict[str, bytes]]:
    splitter, parts, name = Splitter(content_type), dict[str, list[bytes]](), ""
    for event in splitter.feed(body):
        if isinstance(event, mime.Head):
            name = event.content_id
            if name in parts:
                raise xop.duplicate(name, event.place)
            parts[name] = []
        elif isinstance(event, mime.Data):
            parts[name].append(event.data)
    splitter.close()
    return splitter.root or b"", {cid: b"".join(data) for cid, data in parts.items()}


def _inlined(data: bytes, files: Mapping[str, bytes]) -> bytes:
    """Put back what belongs to a signed element; the content of files stays where it is."""
    if b"Include" not in data or not files:
        return data
    root = xml.parse(data).root
    includes = [
        one
        for one in root.iter(ns.tag(ns.XOP, "Include"))
        if (holder := one.getparent()) is not None and names.local(holder.tag) != _CONTENT
    ]
    if not includes:
        return data
    wanted = {mime.bare_id(one.get("href", "").removeprefix("cid:")) for one in includes}
    aside = [
        (holder, one)
        for one in root.iter(ns.tag(ns.XOP, "Include"))
        if (holder := one.getparent()) is not None and names.local(holder.tag) == _CONTENT
    ]
    for holder, one in aside:
        holder.remove(one)
    xop.inlined(root, {cid: files[cid] for cid in wanted if cid in files})
    for holder, one in aside:
        holder.append(one)
    return etree.tostring(root, encoding="utf-8")
