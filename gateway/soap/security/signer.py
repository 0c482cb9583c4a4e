"""What a message is signed with: a certificate, its private key and the methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from gateway.errors import ConfigurationError, TrustError
from gateway.soap.security import algorithms
from gateway.soap.security.algorithms import Algorithms
from gateway.soap.security.smev2 import Profile

if TYPE_CHECKING:
    from gateway.signing import Backend, SigningKey


class Signer(msgspec.Struct, frozen=True, kw_only=True):
    """A private key and its certificate.

    certificate: DER, sent as BinarySecurityToken. key: what `algorithms` signs with; nothing else
    looks into it. method, digest: URIs. profile: what is signed, and for whom the header is.
    """

    certificate: bytes
    key: object
    method: str
    digest: str = algorithms.SHA256
    algorithms: Algorithms = algorithms.STANDARD
    profile: Profile = "wss"


def load(certificate_pem: bytes, key_pem: bytes, password: bytes | None = None) -> Signer:
    """Return the signer of an RSA or EC key in PEM, or of GOST R 34.10-2012 where a backend is.

    Raise ConfigurationError when one cannot be read, or the certificate is of another key.
    """
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        key = serialization.load_pem_private_key(key_pem, password)
        same = certificate.public_key() == key.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        found = _gost(certificate_pem, key_pem, password or b"")
        if found is not None:
            return found
        raise ConfigurationError(
            "the certificate or the private key for signing cannot be read",
            expected="PEM, and the password of the key when it has one",
        ) from error
    if not same:
        raise ConfigurationError("the certificate for signing is of another private key")
    return Signer(
        certificate=certificate.public_bytes(serialization.Encoding.DER),
        key=key,
        method=algorithms.method_for(key),
    )


def _gost(certificate_pem: bytes, key_pem: bytes, password: bytes) -> Signer | None:
    """Return the signer of a key by GOST, None for what is no certificate of one."""
    # What signs by GOST knows the methods of XML Signature from here.
    from gateway.gost.algorithms import Gost, methods_for
    from gateway.gost.engine import shared
    from gateway.signing import SigningKey

    try:
        der = x509.load_pem_x509_certificate(certificate_pem).public_bytes(
            serialization.Encoding.DER
        )
        backend = shared()
        info = backend.certificate(der)
        if not info.kind.startswith("gost"):
            return None
        handle = backend.load_key(key_pem, password).handle
    except (ValueError, TypeError, TrustError):
        return None
    key = SigningKey(name="sign_key", certificate=info, handle=handle)
    _require_pair(backend, key)
    method, digest = methods_for(key)
    return Signer(certificate=der, key=key, method=method, digest=digest, algorithms=Gost(backend))


def _require_pair(backend: Backend, key: SigningKey) -> None:
    probe = b"the key fits its certificate"
    if not backend.verify(key.certificate.der, probe, backend.sign(key, probe)):
        raise ConfigurationError("the certificate for signing is of another private key")
