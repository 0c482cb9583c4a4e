"""Finds the certificate that a ds:KeyInfo means (X.509 Token Profile 1.1, section 3).

Taken: a BinarySecurityToken of the same header by its id, SubjectKeyIdentifier, ThumbprintSHA1,
issuer and serial number, and the certificate itself. Refused: a bare key (ds:KeyValue), a chain
(X509PKIPathv1, PKCS7), anything embedded or elsewhere. The certificate found proves nothing yet:
it has to be a peer's, and the signature has to fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway import limits, ns
from gateway.errors import SecurityError
from gateway.soap.security import nodes
from gateway.soap.security.ids import WSU_ID

if TYPE_CHECKING:
    from lxml.etree import _Element

    from gateway.soap.security.proof import Keys

BINARY_TOKEN: Final = ns.tag(ns.WSSE, "BinarySecurityToken")
_TOKEN_REFERENCE: Final = ns.tag(ns.WSSE, "SecurityTokenReference")
_REFERENCE: Final = ns.tag(ns.WSSE, "Reference")
_KEY_IDENTIFIER: Final = ns.tag(ns.WSSE, "KeyIdentifier")
_X509_DATA: Final = ns.tag(ns.DS, "X509Data")
_ISSUER_SERIAL: Final = ns.tag(ns.DS, "X509IssuerSerial")
_ISSUER: Final = ns.tag(ns.DS, "X509IssuerName")
_SERIAL: Final = ns.tag(ns.DS, "X509SerialNumber")
_CERTIFICATE: Final = ns.tag(ns.DS, "X509Certificate")
_X509V3: Final = f"{ns.WSS_X509}#X509v3"
_SKI: Final = f"{ns.WSS_X509}#X509SubjectKeyIdentifier"
_THUMBPRINT: Final = f"{ns.WSS_MESSAGE11}#ThumbprintSHA1"
_SERIAL_DIGITS: Final = 50


def certificate(key_info: _Element, security: _Element, keys: Keys) -> bytes:
    """Return the DER of the certificate; raise SecurityError when it is not to be had.

    security: our own Security header, whose BinarySecurityTokens may be referred to.
    """
    child = _only(key_info)
    if child.tag == _X509_DATA:
        return _x509_data(child, keys)
    if child.tag != _TOKEN_REFERENCE:
        raise _not_offered(child)
    reference = _only(child)
    if reference.tag == _REFERENCE:
        return _by_reference(reference, security)
    if reference.tag == _KEY_IDENTIFIER:
        return _by_identifier(reference, keys)
    if reference.tag == _X509_DATA:
        return _x509_data(reference, keys)
    raise _not_offered(reference)


def _by_reference(reference: _Element, security: _Element) -> bytes:
    uri = reference.get("URI", "")
    _require(reference.get("ValueType", _X509V3), _X509V3, reference)
    name = uri[1:] if uri.startswith("#") else ""
    token = next((each for each in security if name and each.get(WSU_ID) == name), None)
    if token is None or token.tag != BINARY_TOKEN:
        raise _unavailable(reference, uri)
    _require(token.get("ValueType", ""), _X509V3, token)
    return nodes.binary(token, fault="InvalidSecurityToken")


def _by_identifier(identifier: _Element, keys: Keys) -> bytes:
    kind = identifier.get("ValueType", "")
    value = nodes.binary(identifier, fault="InvalidSecurityToken")
    if kind == _X509V3:
        return value
    if kind == _SKI:
        found = keys.by_ski(value)
    elif kind == _THUMBPRINT:
        found = keys.by_thumbprint(value)
    else:
        raise _unsupported(identifier, kind, f"{_SKI}, {_THUMBPRINT}")
    if found is None:
        raise _unavailable(identifier, value.hex())
    return found


def _x509_data(data: _Element, keys: Keys) -> bytes:
    child = _only(data)
    if child.tag == _CERTIFICATE:
        return nodes.binary(child, fault="InvalidSecurityToken")
    if child.tag != _ISSUER_SERIAL:
        raise _not_offered(child)
    name, number = nodes.expect(child, (_ISSUER, _SERIAL))
    written = " ".join(nodes.text(name, limits.SECURITY_NAME_CHARS).split())
    serial = nodes.text(number, _SERIAL_DIGITS)
    found = None
    if serial.isascii() and serial.isdecimal():
        found = keys.issued(written, int(serial))
    if found is None:
        raise _unavailable(child, f"{written}, {serial}")
    return found


def _only(element: _Element) -> _Element:
    children = list(element)
    if len(children) != 1:
        raise SecurityError(
            "exactly one reference to a key is expected",
            found=nodes.names(children) or "nothing",
            where=nodes.path(element),
        )
    return children[0]


def _require(kind: str, expected: str, element: _Element) -> None:
    if kind != expected:
        raise _unsupported(element, kind, expected)


def _unsupported(element: _Element, kind: str, expected: str) -> SecurityError:
    return _refused(element, "the type of token is not offered", kind, expected)


def _not_offered(element: _Element) -> SecurityError:
    return _refused(
        element,
        "this way of naming a key is not offered",
        nodes.local(element.tag),
        "SecurityTokenReference to a BinarySecurityToken, KeyIdentifier, X509IssuerSerial",
    )


def _refused(element: _Element, message: str, found: str, expected: str) -> SecurityError:
    return SecurityError(
        message,
        "UnsupportedSecurityToken",
        found=found,
        expected=expected,
        where=nodes.path(element),
        todo="send the certificate as a BinarySecurityToken of type X509v3",
    )


def _unavailable(element: _Element, found: str) -> SecurityError:
    return SecurityError(
        "the token that is referred to is not there",
        "SecurityTokenUnavailable",
        found=found,
        where=nodes.path(element),
    )
