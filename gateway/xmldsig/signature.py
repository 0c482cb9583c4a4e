"""Makes a ds:Signature by the profile of СМЭВ 3.

One reference to one element by its Id, two transforms (exclusive canonicalization and that of
СМЭВ), SignedInfo canonical by exclusive canonicalization, the certificate beside. There is no
space between the elements of a signature: SignedInfo is not transformed, so one space more after
signing breaks it.
"""

from __future__ import annotations

import re
from base64 import b64encode
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from lxml import etree

from gateway import ns
from gateway.errors import ConfigurationError, MalformedError
from gateway.gost.algorithms import DIGESTS, SIGNATURES, methods_for
from gateway.soap.security.algorithms import RSA_SHA256, SHA256
from gateway.xmldsig.transform import digested

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml.etree import _Element

    from gateway.signing import Backend, Digest, Kind, SigningKey

TRANSFORM: Final = "urn://smev-gov-ru/xmldsig/transform"
SIGNATURE_METHODS: Final[Mapping[str, Kind]] = {**SIGNATURES, RSA_SHA256: "rsa"}
DIGEST_METHODS: Final[Mapping[str, Digest]] = {**DIGESTS, SHA256: "sha256"}
IDS: Final = ("Id", "ID", "id")
"""Attributes without a namespace by which a reference finds an element, the usual one first."""
_PLAIN_ID: Final = re.compile(r"[^\s\"<>&#%]{1,200}")
_KEPT: Final = 64
"""Certificates and methods whose constant parts of a signature are kept."""


def sign(target: _Element, key: SigningKey, backend: Backend) -> _Element:
    """Return the ds:Signature over an element, for the caller to put into its place.

    target: carries the attribute Id, stands in its message already, and what MTOM would take out of
    it is in it as base64. Nothing of the signature may be changed afterwards, no space be added.
    Where the namespace of signatures has a prefix around the target already, that one is written:
    lxml would rename ours on the way into the tree. Raise MalformedError for an element without an
    Id or without a form in the transform, ConfigurationError for a key that is not for СМЭВ.
    """
    name = identifier(target)
    if _PLAIN_ID.fullmatch(name) is None:
        raise MalformedError(
            "the element to be signed has no Id that a reference can name",
            found=name,
            expected="an attribute Id: a letter, then letters, digits, _ and -",
            where=str(target.tag),
        )
    prefix = _prefix(target)
    methods = methods_for(key)
    if methods[0] not in SIGNATURE_METHODS:
        raise ConfigurationError(
            "СМЭВ takes no signature by a key of this kind",
            where=key.name,
            found=key.certificate.kind,
            expected=", ".join(sorted({*SIGNATURE_METHODS.values()})),
        )
    digest = backend.digest(DIGEST_METHODS[methods[1]], digested(target))
    opening, inner, rest, closing = _frame(prefix, *methods, key.certificate.der)
    info = inner % (name.encode(), b64encode(digest))
    value = b64encode(backend.sign(key, opening[1] + info))
    return etree.fromstring(b"".join((opening[0], info, rest, value, closing)))


def identifier(element: _Element) -> str:
    """Return by what a reference names an element, empty when it has nothing of the kind."""
    return next((element.get(name, "") for name in IDS if name in element.attrib), "")


def _prefix(target: _Element) -> str | None:
    around = target.getparent()
    for prefix, uri in (target if around is None else around).nsmap.items():
        if uri == ns.DS:
            return prefix
    return "ds"


@lru_cache(_KEPT)
def _frame(
    prefix: str | None, method: str, digest: str, certificate: bytes
) -> tuple[tuple[bytes, bytes], bytes, bytes, bytes]:
    """Return what is the same in every signature by one certificate.

    The beginning, as it is sent and as SignedInfo begins in its canonical form; the rest of
    SignedInfo, for Id and digest; what follows before the value, and after it.
    """
    p = f"{prefix}:" if prefix else ""
    declared = f' xmlns{":" + prefix if prefix else ""}="{ns.DS}"'
    inner = (
        f'<{p}CanonicalizationMethod Algorithm="{ns.EXC_C14N}"></{p}CanonicalizationMethod>'
        f'<{p}SignatureMethod Algorithm="{method}"></{p}SignatureMethod>'
        f'<{p}Reference URI="#%b"><{p}Transforms>'
        f'<{p}Transform Algorithm="{ns.EXC_C14N}"></{p}Transform>'
        f'<{p}Transform Algorithm="{TRANSFORM}"></{p}Transform></{p}Transforms>'
        f'<{p}DigestMethod Algorithm="{digest}"></{p}DigestMethod>'
        f"<{p}DigestValue>%b</{p}DigestValue></{p}Reference></{p}SignedInfo>"
    )
    closing = (
        f"</{p}SignatureValue><{p}KeyInfo><{p}X509Data><{p}X509Certificate>"
        f"{b64encode(certificate).decode()}</{p}X509Certificate></{p}X509Data></{p}KeyInfo>"
        f"</{p}Signature>"
    )
    return (
        (
            f"<{p}Signature{declared}><{p}SignedInfo>".encode(),
            f"<{p}SignedInfo{declared}>".encode(),
        ),
        inner.encode(),
        f"<{p}SignatureValue>".encode(),
        closing.encode(),
    )
