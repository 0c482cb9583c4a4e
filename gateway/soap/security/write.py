"""Writes wsse:Security headers: Timestamp, UsernameToken, and a signature over Body and Timestamp.

For our answers and for the requests of the outbound client, SOAP 1.1 and 1.2 alike.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import b64encode
from typing import TYPE_CHECKING, Final

from lxml import etree

from gateway import ns, xml
from gateway.errors import ConfigurationError
from gateway.soap.security import instants, smev2
from gateway.xml import escape

if TYPE_CHECKING:
    from datetime import datetime

    from lxml.etree import _Element

    from gateway.soap.security.signer import Signer

_ID: Final = ns.tag(ns.WSU, "Id")
_BASE64: Final = f"{ns.WSS_MESSAGE}#Base64Binary"
_NAMES: Final = f'xmlns:wsse="{ns.WSSE}" xmlns:wsu="{ns.WSU}"'
_TIMESTAMP: Final = "Timestamp-1"
_CERTIFICATE: Final = "X509-1"
_USER: Final = "UsernameToken-1"
_BODY: Final = "Body-1"
_SPACES: Final = (ns.SOAP11, ns.SOAP12)

# Otherwise the attribute that names the Body would stand there as ns0:Id.
etree.register_namespace("wsu", ns.WSU)


def header(now: datetime) -> str:
    """Return a Security block with a Timestamp alone, for an envelope whose prefix is `s`."""
    return _security(now, "")


def username_token(user: str, password: str, *, digest: bool, now: datetime, nonce: bytes) -> str:
    """Return a wsse:UsernameToken (UsernameToken Profile 1.1, section 3) for `sign_envelope`.

    digest: send the digest of nonce, instant and password instead of the password. nonce: 16 random
    bytes, new for every message; a password in clear text is sent without.
    """
    kind, value, rest = "PasswordText", password, ""
    if digest:
        created = instants.write(now)
        kind = "PasswordDigest"
        value = password_digest(nonce, created, password.encode())
        rest = (
            f'<wsse:Nonce EncodingType="{_BASE64}">{b64encode(nonce).decode()}</wsse:Nonce>'
            f"<wsu:Created>{created}</wsu:Created>"
        )
    return (
        f'<wsse:UsernameToken {_NAMES} wsu:Id="{_USER}">'
        f"<wsse:Username>{escape(user)}</wsse:Username>"
        f'<wsse:Password Type="{ns.WSS_USERNAME}#{kind}">{escape(value)}</wsse:Password>'
        f"{rest}</wsse:UsernameToken>"
    )


def password_digest(nonce: bytes, created: str, password: bytes) -> str:
    """Return Base64(SHA-1(nonce + created + password)): the profile's own, not a free choice."""
    digest = hashlib.sha1(nonce + created.encode() + password, usedforsecurity=False)
    return b64encode(digest.digest()).decode()


def sign_envelope(
    envelope: bytes | _Element, signer: Signer | None, now: datetime, *, token: str = ""
) -> bytes:
    """Return the finished envelope with a Security header: UTF-8, without an XML declaration.

    envelope: SOAP 1.1 or 1.2; an element is changed in place. signer: signs Body, Timestamp and the
    token; None sends them unsigned. By the profile of СМЭВ 2 it signs the Body alone, there is no
    Timestamp, the envelope is of SOAP 1.1, and the Body's name is new each time: nothing else tells
    a repeat from a replay. token: of `username_token`. Nothing of it may be changed afterwards,
    except its encoding. Raise ConfigurationError when it has a Security header
    already, or has no canonical form.
    """
    root = _parse(envelope) if isinstance(envelope, bytes) else envelope
    head, body = _sections(root)
    space = etree.QName(root).namespace
    old = signer is not None and signer.profile == "smev2"
    if old and (space != ns.SOAP11 or token):
        raise ConfigurationError(
            "СМЭВ 2 knows SOAP 1.1 and signatures only",
            expected="no soap12, no login in it",
        )
    block = etree.fromstring(_security(now, token, signer, space))
    head.insert(0, block)
    if signer is not None:
        if body.get(_ID) is None:
            body.set(_ID, f"{_BODY}-{secrets.token_hex(8)}" if old else _BODY)
        signed = [body]
        if not old:
            signed += [block[0], *block.findall(ns.tag(ns.WSSE, "UsernameToken"))]
        try:
            _sign(block, signed, signer)
        except etree.C14NError as error:
            raise ConfigurationError(
                "what is to be signed has no canonical form",
                expected="namespaces that are absolute URIs",
            ) from error
    return etree.tostring(root, encoding="utf-8")


def _parse(envelope: bytes) -> _Element:
    """Parse an envelope of our own, which may be larger than what a stranger may send."""
    try:
        return etree.fromstring(envelope, etree.XMLParser(**{**xml.OPTIONS, "huge_tree": True}))
    except etree.XMLSyntaxError as error:
        raise ConfigurationError("what is to be signed is not well-formed XML") from error


def _sections(root: _Element) -> tuple[_Element, _Element]:
    """Return Header, made when there is none, and Body."""
    space = etree.QName(root).namespace
    bodies = root.findall(f"{{{space}}}Body")
    if space not in _SPACES or len(bodies) != 1:
        raise ConfigurationError("what is to be signed is no SOAP envelope", found=str(root.tag))
    head = root.find(f"{{{space}}}Header")
    if head is None:
        head = etree.SubElement(root, f"{{{space}}}Header")
        root.insert(0, head)
    elif head.find(ns.tag(ns.WSSE, "Security")) is not None:
        raise ConfigurationError("the envelope has a Security header already")
    return head, bodies[0]


def _security(
    now: datetime, token: str, signer: Signer | None = None, space: str | None = None
) -> str:
    declared = f' xmlns:s="{space}"' if space else ""
    certificate = ""
    if signer is not None:
        certificate = (
            f'<wsse:BinarySecurityToken EncodingType="{_BASE64}"'
            f' ValueType="{ns.WSS_X509}#X509v3" wsu:Id="{_CERTIFICATE}">'
            f"{b64encode(signer.certificate).decode()}</wsse:BinarySecurityToken>"
        )
    if signer is not None and signer.profile == "smev2":
        return (
            f'<wsse:Security{declared} {_NAMES} s:actor="{smev2.ACTOR}">'
            f"{certificate}</wsse:Security>"
        )
    return (
        f'<wsse:Security{declared} {_NAMES} s:mustUnderstand="1">'
        f'<wsu:Timestamp wsu:Id="{_TIMESTAMP}">'
        f"<wsu:Created>{instants.write(now)}</wsu:Created>"
        f"<wsu:Expires>{instants.write(now + instants.AGE)}</wsu:Expires></wsu:Timestamp>"
        f"{certificate}{token}</wsse:Security>"
    )


def _sign(block: _Element, signed: list[_Element], signer: Signer) -> None:
    """Append the ds:Signature; what is signed stands in its place already."""
    references = "".join(
        f'<ds:Reference URI="#{element.get(_ID)}"><ds:Transforms>'
        f'<ds:Transform Algorithm="{ns.EXC_C14N}"/></ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{signer.digest}"/><ds:DigestValue>'
        f"{b64encode(signer.algorithms.digest(signer.digest, xml.c14n(element))).decode()}"
        "</ds:DigestValue></ds:Reference>"
        for element in signed
    )
    signature = etree.fromstring(
        f'<ds:Signature xmlns:ds="{ns.DS}" xmlns:wsse="{ns.WSSE}"><ds:SignedInfo>'
        f'<ds:CanonicalizationMethod Algorithm="{ns.EXC_C14N}"/>'
        f'<ds:SignatureMethod Algorithm="{signer.method}"/>{references}</ds:SignedInfo>'
        "<ds:SignatureValue/><ds:KeyInfo><wsse:SecurityTokenReference>"
        f'<wsse:Reference URI="#{_CERTIFICATE}" ValueType="{ns.WSS_X509}#X509v3"/>'
        "</wsse:SecurityTokenReference></ds:KeyInfo></ds:Signature>"
    )
    block.append(signature)
    info, value = signature[0], signature[1]
    made = signer.algorithms.sign(signer.method, signer.key, xml.c14n(info))
    value.text = b64encode(made).decode()
