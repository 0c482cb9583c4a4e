"""What is read of a certificate, the same for every backend.

Parsed by `cryptography`: a certificate comes from whoever sent the message, and that parser is safe
by its language. Only the arithmetic of GOST R 34.10-2012, which it lacks, is asked elsewhere.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from gateway.errors import ConfigurationError, TrustError
from gateway.gost import der as asn1
from gateway.signing import CertificateInfo, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gateway.signing import Digest

CERTIFICATE_BYTES: Final = 16 * 1024
"""Largest certificate that is looked at; a qualified one is about 2 KB."""
_RUSSIAN: Final = "1.2.643."
"""Object identifiers of Russia: every algorithm of GOST has one below it."""
KEY_BYTES: Final = 4 * 1024
"""Largest public key; RSA of 8192 bits takes 1,062 bytes."""
RSA_BITS: Final = (2048, 8192)
_CACHED: Final = 1024
_E = TypeVar("_E", bound=x509.ExtensionType)

REFUSED: Final = (
    ValueError,
    TypeError,
    OverflowError,
    Warning,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What `cryptography` raises for bytes that are not what they should be."""
KINDS: Final[Mapping[bytes, Kind]] = {
    bytes.fromhex("2a85030701010101"): "gost2012_256",  # 1.2.643.7.1.1.1.1
    bytes.fromhex("2a85030701010102"): "gost2012_512",  # 1.2.643.7.1.1.1.2
    bytes.fromhex("2a864886f70d010101"): "rsa",  # 1.2.840.113549.1.1.1
    bytes.fromhex("2a8648ce3d0201"): "ec",  # 1.2.840.10045.2.1
}
"""Content of the OID of a key → its kind (RFC 9215, 4; RFC 3279, 2.3)."""
SIGNED_BY: Final[Mapping[str, tuple[tuple[Kind, ...], Digest]]] = {
    "1.2.643.7.1.1.3.2": (("gost2012_256",), "streebog256"),
    "1.2.643.7.1.1.3.3": (("gost2012_512",), "streebog512"),
    "1.2.840.113549.1.1.11": (("rsa",), "sha256"),
    "1.2.840.113549.1.1.12": (("rsa",), "sha384"),
    "1.2.840.113549.1.1.13": (("rsa",), "sha512"),
    "1.2.840.10045.4.3.2": (("ec",), "sha256"),
    "1.2.840.10045.4.3.3": (("ec",), "sha384"),
    "1.2.840.10045.4.3.4": (("ec",), "sha512"),
}
"""OID of the signature of a certificate or list → kinds of its issuer's key, and the digest."""
CURVES: Final[Mapping[str, Digest]] = {
    "secp256r1": "sha256",
    "secp384r1": "sha384",
    "secp521r1": "sha512",
}
LENGTHS: Final[Mapping[Kind, int]] = {"gost2012_256": 64, "gost2012_512": 128}
"""Bytes of a raw signature."""


def parsed(der: bytes) -> x509.Certificate:
    """Return a certificate of `cryptography`; raise TrustError(certificate_unreadable)."""
    if len(der) > CERTIFICATE_BYTES:
        raise unreadable(f"{len(der)} bytes", f"at most {CERTIFICATE_BYTES}")
    try:
        return x509.load_der_x509_certificate(der)
    except REFUSED as error:
        raise unreadable(str(error), "an X.509 certificate in DER") from error


@lru_cache(_CACHED)
def read(der: bytes) -> CertificateInfo:
    """Return what a certificate says; raise TrustError(certificate_unreadable)."""
    found = parsed(der)
    try:
        usage = _extension(found, x509.KeyUsage)
        basic = _extension(found, x509.BasicConstraints)
        ski = _extension(found, x509.SubjectKeyIdentifier)
        key = asn1.public_key(found.tbs_certificate_bytes)
        return CertificateInfo(
            der=der,
            subject=found.subject.rfc4514_string(),
            issuer=found.issuer.rfc4514_string(),
            serial=found.serial_number,
            not_before=found.not_valid_before_utc,
            not_after=found.not_valid_after_utc,
            kind=kind(key),
            public_key=key,
            sha256=hashlib.sha256(der).hexdigest(),
            ski=ski.digest if ski else b"",
            may_sign=usage is None or usage.digital_signature or usage.content_commitment,
            authority=basic is not None and bool(basic.ca),
        )
    except REFUSED as error:
        raise unreadable(str(error), "an X.509 certificate in DER, by RFC 5280") from error


def _extension(found: x509.Certificate, of: type[_E]) -> _E | None:
    try:
        return found.extensions.get_extension_for_class(of).value
    except x509.ExtensionNotFound:
        return None


def kind(key: bytes) -> Kind:
    """Return the kind of a SubjectPublicKeyInfo; raise ValueError for one that is not taken."""
    if len(key) > KEY_BYTES:
        raise ValueError("the public key is too long")
    found = KINDS.get(asn1.algorithm(key))
    if found is None:
        raise ValueError("keys of this kind are not taken: GOST R 34.10-2012, RSA and EC are")
    return found


def require_for_tls(pem: Path, where: str) -> None:
    """Raise ConfigurationError for a certificate by GOST: Python's TLS has no ciphers for its key.

    With the engine loaded it would take the file and fail at the first connection. What cannot be
    read as a certificate is left to who loads it. where: name of the setting or option.
    """
    try:
        [first, *_] = x509.load_pem_x509_certificates(pem.read_bytes())
        oid = first.public_key_algorithm_oid.dotted_string
    except (OSError, ValueError):
        return
    if oid.startswith(_RUSSIAN):
        raise ConfigurationError(
            "TLS по ГОСТ здесь нет · TLS by GOST is not spoken here",
            found=f"{pem}: {first.subject.rfc4514_string()}",
            expected="RSA, ECDSA",
            where=where,
            todo="ведите соединение через прокси, знающий ГОСТ · let a proxy that knows GOST do it",
        )


class Method(NamedTuple):
    """How a key signs. length: bytes of its signature, 0 where DER makes it vary (EC)."""

    digest: Digest
    length: int


@lru_cache(_CACHED)
def method(key: bytes) -> Method:
    """Return how a key signs by itself. key: SubjectPublicKeyInfo.

    By RFC 9215 a key of GOST R 34.10-2012 has the digest of its own size; RSA takes SHA-256, an
    elliptic curve the SHA-2 of its size. Raise TrustError(algorithm_refused) for RSA under 2,048
    bits and curves other than P-256, P-384, P-521, TrustError(certificate_unreadable) for what is
    no key.
    """
    try:
        of = kind(key)
        if of == "gost2012_256":
            return Method("streebog256", LENGTHS[of])
        if of == "gost2012_512":
            return Method("streebog512", LENGTHS[of])
        public = load_der_public_key(key)
    except REFUSED as error:
        raise unreadable(str(error), "SubjectPublicKeyInfo in DER") from error
    if isinstance(public, rsa.RSAPublicKey) and RSA_BITS[0] <= public.key_size <= RSA_BITS[1]:
        return Method("sha256", (public.key_size + 7) // 8)
    if isinstance(public, ec.EllipticCurvePublicKey) and public.curve.name in CURVES:
        return Method(CURVES[public.curve.name], 0)
    raise TrustError(
        "ключ слишком слаб · the key is too weak",
        "algorithm_refused",
        found=of,
        expected="GOST R 34.10-2012, RSA of 2048 to 8192 bits, P-256, P-384 or P-521",
    )


def digest_for(key: bytes) -> Digest:
    """Return the digest that a signature by a key is made over; raise TrustError as `method`."""
    return method(key).digest


def unreadable(found: str, expected: str) -> TrustError:
    """Return the refusal of bytes that are no certificate or key."""
    return TrustError(
        "сертификат не читается · the certificate cannot be read",
        "certificate_unreadable",
        found=found,
        expected=expected,
    )
