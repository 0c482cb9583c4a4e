"""The desk that speaks SOAP 1.1: its envelopes, read and written."""

from __future__ import annotations

from typing import Any, Final
from xml.sax.saxutils import escape

from lxml import etree

SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
DISPATCH: Final = "urn:example:dispatch:1"
KINDS: Final = {"RegisterCard": "card", "UpdateCard": "amend", "CancelCard": "cancel"}
_NAMES: Final = {
    "MessageId": "key", "SourceNumber": "number", "Urgency": "urgency", "Address": "address",
    "Latitude": "lat", "Longitude": "lon", "Due": "due", "Revision": "revision", "Text": "text",
    "Reason": "reason",
}  # fmt: skip


def read(body: bytes) -> tuple[str, dict[str, Any]]:
    """Return operation and fields of a call; raise ValueError."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(str(error)) from error
    call = root.find(f"{{{SOAP}}}Body/{{{DISPATCH}}}*")
    if root.tag != f"{{{SOAP}}}Envelope" or call is None:
        raise ValueError("это не вызов диспетчерской")
    told: dict[str, Any] = {}
    for element in call:
        name = etree.QName(element).localname
        if name == "IncidentType":
            told |= {"type": element.get("code"), "title": element.text}
        elif name in _NAMES:
            told[_NAMES[name]] = element.text or ""
    return etree.QName(call).localname, told


def envelope(inner: str) -> bytes:
    """Return an envelope around an element of the desk."""
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<s:Envelope xmlns:s="{SOAP}" xmlns:d="{DISPATCH}"><s:Body>{inner}</s:Body></s:Envelope>'
    ).encode()


def accepted(card: int) -> bytes:
    """Return the answer to a card that is taken."""
    return envelope(f"<d:CardAccepted><d:CardNumber>{card}</d:CardNumber></d:CardAccepted>")


def found(card: int | None) -> bytes:
    """Return the answer to a question about a delivery."""
    number = f"<d:CardNumber>{card}</d:CardNumber>" if card is not None else ""
    return envelope(f"<d:DeliveryFound>{number}</d:DeliveryFound>")


def fault(reason: str, side: str = "Client") -> bytes:
    """Return a refusal."""
    return envelope(
        f"<s:Fault><faultcode>s:{side}</faultcode><faultstring>{escape(reason)}</faultstring>"
        "</s:Fault>"
    )


def state(told: dict[str, Any]) -> bytes:
    """Return a call-back."""
    return envelope(
        f"<d:CardState><d:MessageId>{told['event']}</d:MessageId>"
        f"<d:SourceNumber>{escape(told['number'])}</d:SourceNumber>"
        f"<d:CardNumber>{told['card']}</d:CardNumber><d:State>{escape(told['state'])}</d:State>"
        f"<d:At>{told['at']}</d:At></d:CardState>"
    )
