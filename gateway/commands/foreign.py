"""Tells a stored message of a façade from one of the main contract.

It follows a partner's own schema, and its method asks the gateway for what it makes of it, so the
second opinion on the main contract says nothing of it, and nothing of ours can carry it out again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lxml import etree

from gateway import ns, xml
from gateway.errors import ConfigurationError, GatewayError, UnsupportedError
from gateway.masking import looks_like_xml
from gateway.wires import facades
from gateway.wires.xmlbody import charset

if TYPE_CHECKING:
    from gateway.settings import Settings

_BODIES: Final = tuple(ns.tag(space, "Body") for space in (ns.SOAP11, ns.SOAP12))
_TODO: Final = (
    "партнёр повторяет вызов сам; почему отказано, сказано в note сообщения"
    " · the partner sends it again: replay is not offered for façades; why it was refused stands in"
    " the note of `gateway messages show`"
)


def check(body: bytes, media_type: str, settings: Settings) -> None:
    """Raise UnsupportedError for a SOAP message of another contract than the main one."""
    tag = _asked(body, media_type)
    space = etree.QName(tag).namespace if tag else ns.APPEALS
    if space == ns.APPEALS:
        return
    name = _owner(space or "", settings)
    raise UnsupportedError(
        f"это сообщение фасада {name} · this is a message of the façade {name}"
        if name
        else "это сообщение другого контракта: фасада, который сейчас не назначен"
        " · this is a message of another contract, such as a façade that is not served now",
        found=tag,
        expected=ns.APPEALS,
        todo=_TODO,
    )


def _asked(body: bytes, media_type: str) -> str:
    """Return the tag of what an envelope carries, empty for anything else."""
    if not looks_like_xml(body):
        return ""
    try:
        root = xml.parse(body, charset(media_type)).root
    except GatewayError:
        return ""  # what is wrong with it is told by who reads it
    body_of = next((each for each in root if each.tag in _BODIES), None)
    asked = next(body_of.iterchildren("*"), None) if body_of is not None else None
    return str(asked.tag) if asked is not None else ""


def _owner(namespace: str, settings: Settings) -> str:
    """Return the name of the façade whose operations are in a namespace, empty for none."""
    if not settings.facades:
        return ""
    from gateway.wires.facades.base import unconnected

    parts = unconnected(settings.blobs)
    for name in settings.facades:
        try:
            (made,) = facades.endpoints((name,), parts)
        except ConfigurationError:
            continue  # `gateway doctor` tells
        if any(etree.QName(tag).namespace == namespace for tag in made.service.actions):
            return name
    return ""
