"""Decodes stored messages again, each by the road of the wire it came on.

A body is a SOAP envelope, a document of REST in XML or JSON, a row of a file, or a document of an
adapter; how it looks decides, with the operation and media type that were stored beside it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

import msgspec
from lxml.etree import _Element

from gateway import limits, notes, ns, registry, xml
from gateway.adapter import Codec, Decoded
from gateway.errors import UnsupportedError, ValidationError, Violation
from gateway.masking import looks_like_xml
from gateway.model.peer import Peer
from gateway.rest import decode
from gateway.rest.routes import ROUTES, Route
from gateway.settings import FileInbox, Settings
from gateway.soap import envelope, xop
from gateway.soap.frame import MEDIA
from gateway.soap.splitter import Part
from gateway.wires import binding, service
from gateway.wires import contract as c
from gateway.wires.xmlbody import charset
from import_export import profile as profiles
from import_export.bundle import Bundle
from import_export.csvfile import Table, require_profile
from import_export.documents import Documents
from import_export.profile import Profile

HTTP: Final = ("rest", "soap11", "soap12")
FILE: Final = "file"
WRITES: Final = (
    c.SubmitAppeal,
    c.SubmitAppeals,
    c.AmendAppeal,
    c.WithdrawAppeal,
    c.SubmitStatus,
    c.SubmitAnswer,
    c.AttachFile,
)
"""Operations that leave something here; a question that was not understood is not asked again."""

_ENVELOPES: Final = {ns.tag(ns.SOAP11, "Envelope"): "1.1", ns.tag(ns.SOAP12, "Envelope"): "1.2"}
LEFT: Final = 20
"""Items that still cannot be read and are named."""
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_PATH: Final = re.compile(r"\{(\w+):")


def request(
    body: bytes,
    media_type: str,
    operation: str,
    now: datetime,
    beside: Mapping[str, str] = _NOTHING,
) -> c.Request:
    """Return the operation that a stored call of SOAP or REST asks for; raise InputError.

    beside: what was kept with it of headers and path (`gateway.rest.decode.beside`), and which
    parts came in its package (`gateway.ingest.kept`).
    """
    if not looks_like_xml(body):
        return _document(body, decode.JSON, operation, beside)
    root = xml.parse(body, charset(media_type)).root
    version = _ENVELOPES.get(str(root.tag))
    if version is None:
        return _document(body, media_type, root.tag.rpartition("}")[2], beside)
    # What was stored is the root part; the media type may be that of the package around it.
    told = charset(media_type)
    content_type = MEDIA[version] + (f"; charset={told}" if told else "")  # type: ignore[index]
    context = envelope.Context(now=now, service=service.appeals_service(), proven=True)
    opened = envelope.read(body, {"content-type": content_type}, context)
    assert opened.body is not None
    links = _links(opened.body, beside)
    files = xop.resolve(links, {link.cid: _part(link.cid, beside) for link in links})
    call = envelope.accept(opened, {}, context)
    found: c.Request = binding.read(c.OPERATIONS[call.operation].request, opened.body, files)
    return found


def parts(body: bytes, media_type: str, beside: Mapping[str, str]) -> dict[str, Part]:
    """Return the parts that came with a stored envelope, by Content-ID; raise InputError."""
    if not looks_like_xml(body) or not any(name.startswith(notes.PART) for name in beside):
        return {}
    links = _links(xml.parse(body, charset(media_type)).root, beside)
    return {link.cid: _part(link.cid, beside) for link in links}


def _links(body: _Element, beside: Mapping[str, str]) -> tuple[xop.Link, ...]:
    """Take out what points to parts; of a message that came without any, nothing."""
    if not any(name.startswith(notes.PART) for name in beside):
        return ()
    form: xop.Form = "xop" if next(body.iter(xop.INCLUDE), None) is not None else "swa"
    return xop.take_out(body, service.appeals_service().files, form)


def _part(cid: str, beside: Mapping[str, str]) -> Part:
    """Return a part as its message keeps it."""
    told = beside.get(notes.part_key(cid))
    if told is None:
        raise ValidationError("no such part came with the message", (Violation("", "cid", cid),))
    stored = notes.part_of(told)
    return Part(cid, "", stored.sha256, stored)


def _document(body: bytes, media_type: str, operation: str, beside: Mapping[str, str]) -> c.Request:
    route = next((r for r in ROUTES if r.operation.__name__ == operation), None)
    if route is None or route.operation not in WRITES:
        raise UnsupportedError(
            "this operation leaves nothing here, so there is nothing to replay", found=operation
        )
    headers = {"content-type": media_type, decode.KEY_NAME: beside.get(decode.KEY_NAME, "")}
    path = _parameters(route, body, beside)
    return decode.request(route, decode.Call(body, headers, path, ""))


def _parameters(route: Route, body: bytes, beside: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of the path, from the document itself where they were not kept."""
    names = _PATH.findall(route.path)
    kept = {name: beside[name] for name in names if name in beside}
    if len(kept) == len(names) or looks_like_xml(body):
        return kept
    try:
        document = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {}
    told = document if isinstance(document, dict) else {}
    spelled = {"external_id": "externalId"}
    return {n: quote(str(told[k]), safe="") for n in names if (k := spelled.get(n, n)) in told}


def codec_of(settings: Settings, peer: Peer | None, wire: str) -> Codec:
    """Return the codec of a stored message, with the options that its peer's row has now."""
    own = peer.options if peer is not None and peer.adapter == wire else {}
    return registry.codec_of(wire, settings.adapters, settings.adapter_options, own)


def documents(
    body: bytes, media_type: str, codec: Codec, beside: Mapping[str, str] = _NOTHING
) -> Decoded:
    """Return what a stored message of an adapter holds; raise GatewayError.

    beside: what was kept with it of its name and headers (`gateway.notes.of_wire`).
    """
    return codec.decode(notes.wire_of(beside, media_type, body))


def require_read(found: Decoded) -> None:
    """Raise ValidationError for a message of which some items still cannot be read."""
    if found.rejected:
        raise ValidationError(
            f"{len(found.rejected)} of {len(found.rejected) + len(found.items)} items of the "
            "message cannot be read",
            tuple(
                violation._replace(path=f"{one.where}{violation.path}")
                for one in found.rejected[:LEFT]
                for violation in one.violations
            ),
        )


def open_file(
    settings: Settings, peer: str, body: bytes, note: Mapping[str, Any]
) -> Table | Bundle | Documents:
    """Open a stored file as what it is, by the profile or codec that its inbox names now.

    A file that came by `gateway import --codec` is read by that codec.

    Rows are read from the whole file, because a row means nothing without its header and
    neighbours. note: of the message that holds the file. Raises GatewayError.
    """
    if looks_like_xml(body):
        return Bundle(BytesIO(body))
    inbox = _inbox(settings, peer)
    codec_name = (inbox.codec if inbox else "") or str(note.get("codec") or "")
    if codec_name:
        codec = registry.codec_of(codec_name, settings.adapters, settings.adapter_options)
        most = inbox.document_bytes if inbox else limits.DOCUMENT_FILE_BYTES
        return Documents(BytesIO(body), codec, str(note.get("name") or ""), most)
    return Table(BytesIO(body), require_profile(profile_of(settings, peer, note)), peer=peer)


def profile_of(settings: Settings, peer: str, note: Mapping[str, Any]) -> Profile | None:
    """Return the profile of a peer's files: of its inbox, else the one that was used then."""
    inbox = _inbox(settings, peer)
    name = (inbox.profile if inbox else "") or str(note.get("profile") or "")
    return profiles.load(name) if name else None


def _inbox(settings: Settings, peer: str) -> FileInbox | None:
    return next((inbox for inbox in settings.inboxes if inbox.peer == peer), None)
