"""What is read of an X.509 certificate: how long it holds, and whether it may sign."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from gateway.errors import SecurityError
from gateway.soap.security import instants

if TYPE_CHECKING:
    from datetime import datetime

_CACHED: Final = 256


class Certificate(NamedTuple):
    """What counts of a certificate here. How its key is used is known to the algorithms only.

    may_sign: no KeyUsage (RFC 5280, 4.2.1.3) forbids it. key: SHA-256 of its public key, the same
    in every certificate of that key; of a key that cannot be written again, of the certificate.
    """

    not_before: datetime
    not_after: datetime
    may_sign: bool
    key: bytes


@lru_cache(_CACHED)
def describe(der: bytes) -> Certificate:
    """Return what a certificate says; raise SecurityError(InvalidSecurityToken) when unreadable.

    Cached, so only registered certificates are to be given.
    """
    try:
        found = x509.load_der_x509_certificate(der)
        return Certificate(
            not_before=found.not_valid_before_utc,
            not_after=found.not_valid_after_utc,
            may_sign=_may_sign(found),
            key=_key(found, der),
        )
    except (ValueError, x509.DuplicateExtension) as error:
        raise SecurityError(
            "the certificate cannot be read", "InvalidSecurityToken", expected="X.509 v3 in DER"
        ) from error


def check(der: bytes, now: datetime) -> None:
    """Raise SecurityError when the certificate does not hold now, or may not sign."""
    found = describe(der)
    if not found.not_before <= now <= found.not_after:
        raise SecurityError(
            "the certificate does not hold at this time",
            "InvalidSecurityToken",
            found=f"{instants.write(found.not_before)} to {instants.write(found.not_after)}",
            todo="sign with a new certificate, and have the operator register it before",
        )
    if not found.may_sign:
        raise SecurityError(
            "the certificate is not for signing", "InvalidSecurityToken", expected="KeyUsage"
        )


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return usage.digital_signature or usage.content_commitment


def _key(found: x509.Certificate, der: bytes) -> bytes:
    try:
        written = found.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    except (ValueError, UnsupportedAlgorithm):
        written = der
    return sha256(written).digest()
