"""X.509 certificates of callers: how one is read, found again and told from another.

A certificate counts when it is registered for a peer, byte for byte, and within its validity. The
names by which a signature refers to one (X.509 Token Profile 1.1, 3.2) only find it: what it proves
is decided by the bytes that were found. Pure.
"""

from __future__ import annotations

from hashlib import sha1, sha256
from typing import TYPE_CHECKING, Final

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.utils import CryptographyDeprecationWarning

from gateway.access import names
from gateway.errors import ConfigurationError, MalformedError, TrustError
from gateway.gost import certificates as gost
from gateway.gost.engine import shared

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

DER_BYTES: Final = 16_384
"""A certificate is some two thousand bytes; one of GOST with its extensions some four."""
RSA_BITS: Final = 2_048
"""NIST SP 800-131A and BSI TR-02102 allow no shorter key of RSA."""


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked at in a certificate. not_before, not_after: seconds since 1970.

    ski: its SubjectKeyIdentifier (RFC 5280, 4.2.1.2), empty when it has none. key: digest of its
    public key, the same in a renewed certificate of the same key.
    """

    der: bytes
    subject: str
    issuer: names.Issuer
    serial: int
    not_before: float
    not_after: float
    ski: bytes
    sha1: bytes
    key: bytes

    def holds(self, at: float) -> bool:
        """Whether an instant is within the certificate's validity."""
        return self.not_before <= at <= self.not_after

    def alike(self, other: Certificate) -> bool:
        """Whether a signature could name either by the same words, or was made by either's key."""
        return (
            self.key == other.key
            or (self.ski != b"" and self.ski == other.ski)
            or (self.issuer, self.serial) == (other.issuer, other.serial)
        )


def fingerprint(der: bytes) -> str:
    """Return the SHA-256 of a certificate as hexadecimal digits, as OpenSSL shows it."""
    return sha256(der).hexdigest()


def read(der: bytes) -> Certificate:
    """Read a certificate; raise MalformedError for bytes that are none."""
    if len(der) > DER_BYTES:
        raise MalformedError("not a certificate: it is too long", expected=f"≤ {DER_BYTES} bytes")
    try:
        found = x509.load_der_x509_certificate(der)
        subject, issuer = found.subject.rfc4514_string(), names.of(found.issuer)
        ski, key, serial = _ski(found), _key(found), found.serial_number
        after, before = found.not_valid_after_utc, found.not_valid_before_utc
    except (
        ValueError,
        TypeError,
        x509.DuplicateExtension,
        x509.InvalidVersion,
        CryptographyDeprecationWarning,
    ) as error:
        # The warning (a serial number of zero, say) is an error where warnings are.
        raise MalformedError("these bytes are not an X.509 certificate") from error
    return Certificate(
        der=der,
        subject=subject,
        issuer=issuer,
        serial=serial,
        not_before=before.timestamp(),
        not_after=after.timestamp(),
        ski=ski,
        sha1=sha1(der, usedforsecurity=False).digest(),
        key=key,
    )


def from_file(text: bytes, where: str, now: datetime) -> Certificate:
    """Read the one certificate of a PEM or DER file that is to be registered.

    Raises ConfigurationError for a file of none or several, one that has ended, and a key that is
    too short or of an algorithm that nothing here can check.
    """
    found = _only(text, where)
    key: object = None
    try:
        key = x509.load_der_x509_certificate(found.der).public_key()
    except (UnsupportedAlgorithm, ValueError) as error:
        if not _is_gost(found.der):
            raise ConfigurationError(
                "ключ этого алгоритма здесь не проверить"
                " · a key of this algorithm is not checked here",
                where=where,
                expected=f"RSA ≥ {RSA_BITS}, ECDSA, GOST R 34.10-2012",
            ) from error
        _require_engine(where)
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < RSA_BITS:
        raise ConfigurationError(
            "ключ RSA слишком короткий · the RSA key is too short",
            where=where,
            found=f"{key.key_size} bits",
            expected=f"≥ {RSA_BITS}",
            todo="попросите сертификат с новым ключом · ask the peer for one with a new key",
        )
    if found.not_after < now.timestamp():
        raise ConfigurationError(
            "срок сертификата истёк · the certificate has expired",
            where=where,
            found=found.subject,
            todo="попросите действующий · ask the peer for the one in force",
        )
    return found


def first(path: Path) -> Certificate:
    """Read the first certificate of a PEM file of ours; raise ConfigurationError."""
    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            "сертификат не читается · the certificate cannot be read", found=str(path)
        ) from error
    return read(found.public_bytes(Encoding.DER))


def several(pem: bytes) -> list[Certificate]:
    """Read every certificate of a PEM file; raise ValueError or MalformedError for one of none."""
    found = x509.load_pem_x509_certificates(pem)
    return [read(one.public_bytes(Encoding.DER)) for one in found]


def _only(text: bytes, where: str) -> Certificate:
    try:
        if b"-----BEGIN" not in text:
            return read(text)
        found = x509.load_pem_x509_certificates(text)
    except (ValueError, MalformedError) as error:
        raise ConfigurationError(
            "в файле нет сертификата X.509 · no X.509 certificate in the file",
            where=where,
            expected="PEM: -----BEGIN CERTIFICATE-----",
        ) from error
    if len(found) != 1:
        raise ConfigurationError(
            "в файле несколько сертификатов · several certificates in the file",
            where=where,
            found=str(len(found)),
            expected="1",
            todo="оставьте сертификат самой системы · leave the peer's own, not those of the CA",
        )
    return read(found[0].public_bytes(Encoding.DER))


def _is_gost(der: bytes) -> bool:
    try:
        return gost.read(der).kind.startswith("gost")
    except TrustError:
        return False


def _require_engine(where: str) -> None:
    """Refuse to register what could not be checked when it is used."""
    try:
        shared()
    except ConfigurationError as error:
        raise ConfigurationError(
            "подпись ГОСТ на этой машине не проверить · GOST is not checked on this machine",
            where=where,
            found=error.message,
            todo=error.todo or "install libengine-gost-openssl",
        ) from error


def _ski(found: x509.Certificate) -> bytes:
    try:
        return found.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        return b""


def _key(found: x509.Certificate) -> bytes:
    """Return a digest of the public key; of an algorithm unknown here, of the certificate."""
    try:
        bytes_ = found.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (UnsupportedAlgorithm, ValueError):
        bytes_ = found.public_bytes(Encoding.DER)
    return sha256(bytes_).digest()
