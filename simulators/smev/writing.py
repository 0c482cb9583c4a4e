"""Writes what СМЭВ answers: messages that it signs, faults, packages with their attachments."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final, NamedTuple

from lxml import etree

from gateway import xml
from gateway.xml import escape, quote
from simulators.smev.names import SOAP, XOP, Names

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from lxml.etree import _Element

    from simulators.smev.keys import Signer
    from simulators.smev.rules import Refusal

ROOT: Final = "application/xop+xml"
_WIDTH: Final = 40
"""Of one piece of a parameter that is split by RFC 2231."""


class Reply(NamedTuple):
    """What to send. cut: without its end, as a line that broke in the middle."""

    media_type: str
    body: bytes


class Party(NamedTuple):
    """A sender or recipient as MessageMetadata names it."""

    mnemonic: str
    title: str


def moment(at: datetime) -> str:
    """Return an instant as xs:dateTime with milliseconds and its zone."""
    return at.isoformat(timespec="milliseconds")


def element(name: str, text: str) -> str:
    """Return an element with a text. name: with its prefix."""
    return f"<{name}>{escape(text)}</{name}>"


def metadata(
    names: Names,
    message_id: str,
    kind: str,
    sender: Party,
    sent: datetime,
    *,
    recipient: Party | None = None,
    delivered: datetime | None = None,
    status: str = "",
    name: str = "SIGNED_BY_SMEV",
) -> str:
    """Return MessageMetadata. kind: MessageTypeType. name: its Id, where it is what is signed."""
    out = [element("t:MessageId", message_id), element("t:MessageType", kind)]
    out.append(f"<t:Sender>{_party(sender)}</t:Sender>")
    out.append(element("t:SendingTimestamp", moment(sent)))
    old = names.version < "1.3"
    if old:
        out.append(element("t:DestinationName", recipient.mnemonic if recipient else "unknown"))
    if recipient is not None:
        out.append(f"<t:Recipient>{_party(recipient)}</t:Recipient>")
    if old:
        inside = element("t:InteractionType", "OIV2OIV")
        out.append(f"<t:SupplementaryData>{inside}</t:SupplementaryData>")
    if delivered is not None:
        out.append(element("t:DeliveryTimestamp", moment(delivered)))
    if status:
        out.append(element("t:Status", status))
    mark = f' Id="{name}"' if name else ""
    return f"<t:MessageMetadata{mark}>{''.join(out)}</t:MessageMetadata>"


def answered(names: Names, inside: str) -> bytes:
    """Return an envelope around the answer to an operation."""
    return (
        f'<s:Envelope xmlns:s="{SOAP}"><s:Body>{opened(names, inside)}</s:Body></s:Envelope>'
    ).encode()


def opened(names: Names, inside: str) -> str:
    """Return an element that starts with `<t:Name` with the namespaces it needs."""
    end = min(inside.index(">"), *(i for i in (inside.find("/"), inside.find(" ")) if i > 0))
    return (
        f'{inside[:end]} xmlns:t="{names.types}" xmlns:b="{names.basic}" '
        f'xmlns:r="{names.routing}"{inside[end:]}'
    )


def signed(names: Names, inside: str, target: str, signer: Signer) -> bytes:
    """Return the envelope with СМЭВ's own signature over an element of it.

    target: the Clark name of what is signed; SMEVSignature goes behind its last sibling. The text
    is parsed before it is signed, so that what is signed is what the receiver will parse.
    """
    envelope = xml.parse(answered(names, inside)).root
    found = next(envelope.iter(target))
    parent = found.getparent()
    assert parent is not None
    place = etree.SubElement(parent, names.t("SMEVSignature"))
    place.append(signer.sign(found))
    return etree.tostring(envelope, encoding="utf-8")


def spoiled(envelope: bytes, names: Names) -> bytes:
    """Return an envelope whose SMEVSignature does not fit any more."""
    root = xml.parse(envelope).root
    for place in root.iter(names.t("SMEVSignature")):
        for value in place.iter("{*}SignatureValue"):
            text = value.text or ""
            value.text = ("B" if text[:1] == "A" else "A") + text[1:]
    return etree.tostring(root, encoding="utf-8")


def fault(names: Names, refusal: Refusal) -> bytes:
    """Return a SOAP fault with its detail element."""
    inside = "" if refusal.void else _fields(refusal)
    spaces = f'xmlns:f="{names.faults}" xmlns:b="{names.basic}"'
    detail = f"<f:{refusal.detail} {spaces}>{inside}</f:{refusal.detail}>"
    side = "s:Server" if refusal.detail == "SMEVFailure" else "s:Client"
    return _fault(refusal.text, side, detail)


def unreadable(text: str) -> bytes:
    """Return the fault for what is no call at all."""
    return _fault(text, "s:Client", "")


def package(
    envelope: bytes, parts: Mapping[str, bytes], *, split: bool = False, cut: bool = False
) -> Reply:
    """Return `multipart/related` with the envelope and its parts by Content-ID.

    split: parameters are told in pieces (RFC 2231, 3). cut: the last part and the closing boundary
    are not all there.
    """
    boundary = f"uuid:{secrets.token_hex(16)}"
    start = f"<rootpart*{secrets.token_hex(8)}@smev.simulator>"
    pieces = [
        f'--{boundary}\r\nContent-Type: {ROOT};charset=utf-8;type="text/xml"\r\n'
        f"Content-Transfer-Encoding: binary\r\nContent-ID: {start}\r\n\r\n".encode(),
        envelope,
    ]
    for name, data in parts.items():
        head = (
            f"\r\n--{boundary}\r\nContent-Type: application/octet-stream\r\n"
            f"Content-Transfer-Encoding: binary\r\nContent-ID: <{name}>\r\n\r\n"
        )
        pieces += [head.encode(), data]
    pieces.append(f"\r\n--{boundary}--\r\n".encode())
    body = b"".join(pieces)
    if cut:
        body = body[: len(body) - len(boundary) - 20]
    parameters = {"start": start, "type": ROOT, "boundary": boundary, "start-info": "text/xml"}
    told = [_parameter(name, value, split=split) for name, value in parameters.items()]
    return Reply("; ".join(("multipart/related", *told)), body)


def included(cid: str) -> str:
    """Return xop:Include of a part."""
    return f'<x:Include xmlns:x="{XOP}" href="cid:{quote(cid)}"/>'


def raw(node: _Element) -> str:
    """Return an element as it can stand in another document."""
    return etree.tostring(node, encoding="unicode", with_tail=False)


def _parameter(name: str, value: str, *, split: bool) -> str:
    if not split or len(value) <= _WIDTH // 2:
        return f'{name}="{value}"'
    pieces = [value[at : at + _WIDTH // 2] for at in range(0, len(value), _WIDTH // 2)]
    return "; ".join(f'{name}*{place}="{piece}"' for place, piece in enumerate(pieces))


def _party(party: Party) -> str:
    return element("t:Mnemonic", party.mnemonic) + element("t:HumanReadableName", party.title)


def _fields(refusal: Refusal) -> str:
    """Return `Code`, `Description` and what the fault's own type has behind them."""
    code = element("b:Code", refusal.code) if refusal.code else ""
    fields = dict(refusal.fields)
    line = fields.pop("errorPosition", None)
    out = "".join(element(f"f:{name}", str(value)) for name, value in fields.items())
    if line is not None:
        out = out.replace("<f:ValidationError>", f'<f:ValidationError errorPosition="{line}">')
    return code + element("b:Description", refusal.text) + out


def _fault(text: str, code: str, detail: str) -> bytes:
    inside = f"<detail>{detail}</detail>" if detail else ""
    return (
        f'<s:Envelope xmlns:s="{SOAP}"><s:Body><s:Fault><faultcode>{code}</faultcode>'
        f"<faultstring>{escape(text)}</faultstring>{inside}</s:Fault></s:Body></s:Envelope>"
    ).encode()
