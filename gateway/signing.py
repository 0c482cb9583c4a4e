"""What signs and what is believed: the contract of a cryptographic backend; no implementation.

GOST R 34.10-2012 and 34.11-2012 are not in the libraries of Python, and a body that signs for real
uses a certified tool of its own. So everything that signs asks one small interface, `Backend`, and
`gateway.gost` has the implementations: the engine of the system's OpenSSL, its command line, and a
signer outside of this process. Signature values are raw: `s ‖ r`, big-endian, 64 or 128 bytes
(RFC 9215, 2.2), as OpenSSL gives them, XML Signature carries them and ЕСИА takes them.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind = Literal["gost2012_256", "gost2012_512", "rsa", "ec"]
"""Kind of a key. GOST R 34.10-2001 is checked nowhere: its certificates ended in 2019."""
Digest = Literal["streebog256", "streebog512", "sha256", "sha384", "sha512"]
"""GOST R 34.11-2012 (RFC 6986) and SHA-2 (FIPS 180-4)."""


class CertificateInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of an X.509 certificate. All instants are aware.

    subject, issuer: RFC 4514. sha256: hex of the DER. public_key: SubjectPublicKeyInfo as DER.
    may_sign: no KeyUsage forbids it. authority: BasicConstraints says CA.
    """

    der: bytes
    subject: str
    issuer: str
    serial: int
    not_before: datetime
    not_after: datetime
    kind: Kind
    public_key: bytes
    sha256: str
    ski: bytes = b""
    may_sign: bool = True
    authority: bool = False

    def holds(self, at: datetime) -> bool:
        """Whether an instant is within its validity."""
        return self.not_before <= at <= self.not_after


class SigningKey(msgspec.Struct, frozen=True, kw_only=True):
    """A private key that a backend can sign with, and its certificate.

    name: by which settings refer to it. handle: of the backend that loaded it, and of no other;
    nothing else looks into it, it never enters a log.
    """

    name: str
    certificate: CertificateInfo
    handle: Any

    def __repr__(self) -> str:
        """Say whose key it is, without the key."""
        return f"SigningKey({self.name!r}, {self.certificate.kind}, {self.certificate.sha256[:16]})"


class CmsSigned(msgspec.Struct, frozen=True, kw_only=True):
    """Who signed a detached CMS (RFC 5652), whose signature fits.

    signed_at: of the signingTime attribute, its signer's own word; None when there is none. cades:
    the signing certificate is among what is signed (CAdES-BES, ETSI TS 101 733, 4.3.1).
    """

    certificate: CertificateInfo
    signed_at: datetime | None = None
    cades: bool = False


class Trust(Protocol):
    """Which certificates are believed: authorities, revocation lists; read when they change."""

    def check(self, certificate: bytes, now: datetime, extra: Sequence[bytes] = ()) -> None:
        """Return when a chain of the certificate ends in an authority of ours and holds.

        certificate: DER. extra: certificates that came beside it, for building the chain only.
        Raise TrustError: certificate_unknown, certificate_expired, certificate_revoked.
        """
        ...


class Backend(Protocol):
    """Signs and checks. Thread-safe. Every method raises TrustError for hostile input.

    A backend that cannot do a thing at all (an external signer verifies nothing) delegates it to
    the engine where there is one, and raises ConfigurationError where there is none.
    """

    @property
    def name(self) -> str:
        """`openssl-engine`, `openssl-cli` or `external`."""
        ...

    def digest(self, method: Digest, data: bytes) -> bytes:
        """Return the digest."""
        ...

    def sign(self, key: SigningKey, data: bytes) -> bytes:
        """Return the raw signature over the digest of data, of the length of the key's own."""
        ...

    def verify(self, certificate: bytes, data: bytes, signature: bytes) -> bool:
        """Say whether a raw signature fits the key of a certificate (DER), not whether to trust."""
        ...

    def verify_key(self, public_key: bytes, data: bytes, signature: bytes) -> bool:
        """Say the same of a bare key, SubjectPublicKeyInfo as DER."""
        ...

    def cms_sign(self, key: SigningKey, data: bytes, now: datetime, *, cades: bool = True) -> bytes:
        """Return a detached CMS SignedData as DER, with the certificate, CAdES-BES unless told."""
        ...

    def cms_verify(self, cms: bytes, data: bytes) -> CmsSigned:
        """Return who signed; raise TrustError when it does not fit. Trust is asked separately."""
        ...

    def certificate(self, der: bytes) -> CertificateInfo:
        """Read a certificate; raise TrustError(certificate_unreadable)."""
        ...


class Keys(Protocol):
    """Our signing keys by name; several of one name follow each other by their validity."""

    def current(self, name: str, now: datetime) -> SigningKey:
        """Return the key in force that holds the longest; raise ConfigurationError for none.

        Files are read again when they change, so that a renewed key needs no restart.
        """
        ...

    def names(self) -> Sequence[str]:
        """Return the names that settings give."""
        ...


class Signing(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about signing that a process has, put together by `gateway.gost.open_signing`."""

    backend: Backend
    keys: Keys
    trust: Trust
