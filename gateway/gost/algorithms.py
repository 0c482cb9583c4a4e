"""Algorithms of XML Signature with GOST R 34.10-2012, behind the protocol that RSA stands behind.

The names are those of RFC 9215's authors for XML (`urn:ietf:params:xml:ns:cpxmlsec:algorithms:…`),
which СМЭВ writes, and those under `xmldsig-more#`, which some toolkits write and which are only
read. Names of GOST R 34.10-2001 and 34.11-94 are not offered: those keys ended in 2019. A method
has to fit the key: a message cannot make a key be used by another algorithm than its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway import ns
from gateway.errors import ConfigurationError, SecurityError, TrustError
from gateway.gost.certificates import digest_for
from gateway.signing import SigningKey
from gateway.soap.security import algorithms as standard

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.signing import Backend, Digest, Kind

CPXMLSEC: Final = "urn:ietf:params:xml:ns:cpxmlsec:algorithms:"
GOST256: Final = f"{CPXMLSEC}gostr34102012-gostr34112012-256"
GOST512: Final = f"{CPXMLSEC}gostr34102012-gostr34112012-512"
STREEBOG256: Final = f"{CPXMLSEC}gostr34112012-256"
STREEBOG512: Final = f"{CPXMLSEC}gostr34112012-512"

DIGESTS: Final[Mapping[str, Digest]] = {
    STREEBOG256: "streebog256",
    STREEBOG512: "streebog512",
    f"{ns.DS_MORE}gostr34112012-256": "streebog256",
    f"{ns.DS_MORE}gostr34112012-512": "streebog512",
}
SIGNATURES: Final[Mapping[str, Kind]] = {
    GOST256: "gost2012_256",
    GOST512: "gost2012_512",
    f"{ns.DS_MORE}gostr34102012-gostr34112012-256": "gost2012_256",
    f"{ns.DS_MORE}gostr34102012-gostr34112012-512": "gost2012_512",
}
_OURS: Final[Mapping[Kind, tuple[str, str]]] = {
    "gost2012_256": (GOST256, STREEBOG256),
    "gost2012_512": (GOST512, STREEBOG512),
    "rsa": (standard.RSA_SHA256, standard.SHA256),
}
_CURVES: Final = {
    "sha256": (standard.ECDSA_SHA256, standard.SHA256),
    "sha384": (standard.ECDSA_SHA384, standard.SHA384),
    "sha512": (standard.ECDSA_SHA512, standard.SHA512),
}


class Gost:
    """GOST R 34.10-2012 and 34.11-2012 by a backend; everything else as `standard.STANDARD`."""

    def __init__(self, backend: Backend) -> None:
        """Keep what signs and checks by GOST."""
        self._backend = backend

    def digest(self, uri: str, data: bytes) -> bytes:
        """Return the digest; raise SecurityError(UnsupportedAlgorithm) for an unknown method."""
        method = DIGESTS.get(uri)
        if method is None:
            return standard.STANDARD.digest(uri, data)
        return self._backend.digest(method, data)

    def verify(self, uri: str, certificate: bytes, data: bytes, signature: bytes) -> bool:
        """Say whether the signature fits the key of a certificate in DER.

        Raise SecurityError(UnsupportedAlgorithm) for a method that is unknown or not for this key,
        SecurityError(InvalidSecurityToken) for a certificate that cannot be read.
        """
        kind = SIGNATURES.get(uri)
        if kind is None:
            return standard.STANDARD.verify(uri, certificate, data, signature)
        try:
            info = self._backend.certificate(certificate)
            if info.kind != kind:
                raise SecurityError(
                    "the signature method is not one for the key of the certificate",
                    "UnsupportedAlgorithm",
                    found=uri,
                    expected=info.kind,
                )
            return self._backend.verify(certificate, data, signature)
        except TrustError as error:
            raise SecurityError(
                "the key of the certificate cannot be read",
                "InvalidSecurityToken",
                found=error.found,
            ) from error

    def sign(self, uri: str, key: object, data: bytes) -> bytes:
        """Return the signature by a SigningKey; a key of `cryptography` signs as it always did."""
        if not isinstance(key, SigningKey):
            return standard.STANDARD.sign(uri, key, data)
        if uri != methods_for(key)[0]:
            raise ConfigurationError(
                "the signature method is not one for our key",
                where=key.name,
                found=uri,
                expected=methods_for(key)[0],
            )
        return self._backend.sign(key, data)


def methods_for(key: SigningKey) -> tuple[str, str]:
    """Return the signature method and the digest method that a key of ours signs by."""
    ours = _OURS.get(key.certificate.kind)
    return ours or _CURVES[digest_for(key.certificate.public_key)]
