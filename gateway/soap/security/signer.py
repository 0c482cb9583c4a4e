"""What a message is signed with: a certificate, its private key and the methods."""

from __future__ import annotations

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from gateway.errors import ConfigurationError
from gateway.soap.security import algorithms
from gateway.soap.security.algorithms import Algorithms


class Signer(msgspec.Struct, frozen=True, kw_only=True):
    """A private key and its certificate.

    certificate: DER, sent as BinarySecurityToken. key: what `algorithms` signs with; nothing else
    looks into it. method, digest: URIs.
    """

    certificate: bytes
    key: object
    method: str
    digest: str = algorithms.SHA256
    algorithms: Algorithms = algorithms.STANDARD


def load(certificate_pem: bytes, key_pem: bytes, password: bytes | None = None) -> Signer:
    """Return the signer of an RSA or EC key in PEM.

    Raise ConfigurationError when one cannot be read, or the certificate is of another key.
    """
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        key = serialization.load_pem_private_key(key_pem, password)
        same = certificate.public_key() == key.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
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
