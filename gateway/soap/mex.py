"""WS-MetadataExchange: the description of a service as an answer to a SOAP message.

svcutil asks like this before it asks for `?wsdl`: WS-Transfer's Get, whose body is empty, or
GetMetadata (WS-MetadataExchange, September 2004 submission, sections 4.1 and 4.2). The sections of
the answer are the WSDL without its imports of schemas, which follow as sections of their own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import structlog

from gateway import ns
from gateway.errors import GatewayError, InternalError, UnsupportedError
from gateway.soap import envelope, faults, frame
from gateway.xml import quote

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from lxml.etree import _Element

log = structlog.get_logger(__name__)

GET: Final = f"{ns.TRANSFER}/Get"
GET_METADATA: Final = f"{ns.MEX}/GetMetadata/Request"
_ANSWERS: Final = {
    GET: f"{ns.TRANSFER}/GetResponse",
    GET_METADATA: f"{ns.MEX}/GetMetadata/Response",
}
_DIALECTS: Final = {"wsdl": ns.WSDL, "xsd": ns.XSD}
_DECLARATION: Final = re.compile(rb"^\s*<\?xml[^>]*\?>\s*")


def _any(_element: _Element, _nodes: int) -> None:
    """GetMetadata is two optional elements, read below."""


SERVICE: Final = envelope.Service(
    actions={ns.tag(ns.MEX, "GetMetadata"): GET_METADATA},
    validate=_any,
    bodiless=frozenset((GET,)),
)


def answer(
    root: bytes,
    headers: Mapping[str, str],
    now: datetime,
    sections: Mapping[str, Mapping[str, bytes]],
    correlation: str,
) -> frame.Sealed:
    """Return the answer or fault to a request for metadata. Never fails.

    root: the envelope. headers: of HTTP, with lower-case names. sections: `wsdl` and `xsd` →
    identifier (a target namespace) → document.
    """
    try:
        call = envelope.open(root, headers, {}, envelope.Context(now=now, service=SERVICE))
        body = _metadata(_wanted(call.body, sections))
    except GatewayError as error:
        return faults.seal_fault(error, frame.of_request(root, headers), correlation)
    except Exception as error:
        log.exception("soap.defect", correlation=correlation)
        defect = InternalError(
            "the gateway failed on this call; it was logged", where=type(error).__name__
        )
        return faults.seal_fault(defect, frame.of_request(root, headers), correlation)
    return envelope.seal(envelope.Reply(body=body, action=_ANSWERS[call.action]), call)


def _wanted(
    asked: _Element | None, sections: Mapping[str, Mapping[str, bytes]]
) -> list[tuple[str, str, bytes]]:
    """Return dialect, identifier and document of the sections that were asked for."""
    dialect = _child(asked, "Dialect")
    identifier = _child(asked, "Identifier")
    if dialect and dialect not in _DIALECTS.values():
        raise UnsupportedError(
            "there is no metadata in this dialect",
            found=dialect,
            expected=", ".join(_DIALECTS.values()),
            where="/Envelope/Body/GetMetadata/Dialect",
        )
    return [
        (_DIALECTS[kind], name, document)
        for kind, documents in sections.items()
        for name, document in documents.items()
        if dialect in ("", _DIALECTS[kind]) and identifier in ("", name)
    ]


def _child(asked: _Element | None, name: str) -> str:
    return "" if asked is None else (asked.findtext(ns.tag(ns.MEX, name)) or "").strip()


def _metadata(found: list[tuple[str, str, bytes]]) -> bytes:
    parts = [f'<m:Metadata xmlns:m="{ns.MEX}">'.encode()]
    for dialect, name, document in found:
        opened = f'<m:MetadataSection Dialect="{dialect}" Identifier="{quote(name)}">'
        parts += [opened.encode(), _DECLARATION.sub(b"", document), b"</m:MetadataSection>"]
    parts.append(b"</m:Metadata>")
    return b"".join(parts)
