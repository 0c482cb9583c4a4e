"""Algorithms of XML Signature behind one small protocol: digest, verify, sign.

References, canonical forms and KeyInfo know algorithms by their URIs only; everything that knows a
kind of key stands here. Another implementation (GOST R 34.10-2012) answers the same three calls.

Offered: RSA (PKCS #1 v1.5 and PSS) and ECDSA over SHA-256, SHA-384, SHA-512, URIs of RFC 9231. Not
offered: SHA-1, HMAC, DSA, RSA under 2,048 bits, curves other than P-256, P-384, P-521.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from gateway import ns
from gateway.errors import ConfigurationError, SecurityError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SHA256: Final = f"{ns.XENC}sha256"
SHA384: Final = f"{ns.DS_MORE}sha384"
SHA512: Final = f"{ns.XENC}sha512"
RSA_SHA256: Final = f"{ns.DS_MORE}rsa-sha256"
RSA_SHA384: Final = f"{ns.DS_MORE}rsa-sha384"
RSA_SHA512: Final = f"{ns.DS_MORE}rsa-sha512"
PSS_SHA256: Final = f"{ns.DS_MORE_2007}sha256-rsa-MGF1"
PSS_SHA384: Final = f"{ns.DS_MORE_2007}sha384-rsa-MGF1"
PSS_SHA512: Final = f"{ns.DS_MORE_2007}sha512-rsa-MGF1"
ECDSA_SHA256: Final = f"{ns.DS_MORE}ecdsa-sha256"
ECDSA_SHA384: Final = f"{ns.DS_MORE}ecdsa-sha384"
ECDSA_SHA512: Final = f"{ns.DS_MORE}ecdsa-sha512"

RSA_BITS: Final = 2048
"""Floor of an RSA modulus."""
_RSA_BITS_MAX: Final = 8192
_CURVES: Final = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_CACHED_KEYS: Final = 256


class Algorithms(Protocol):
    """What a signature is made and checked with."""

    def digest(self, uri: str, data: bytes) -> bytes:
        """Return the digest; raise SecurityError(UnsupportedAlgorithm) for an unknown method."""
        ...

    def verify(self, uri: str, certificate: bytes, data: bytes, signature: bytes) -> bool:
        """Say whether the signature over `data` fits the key of a certificate in DER.

        Raise SecurityError(UnsupportedAlgorithm) for a method that is unknown or not for this key,
        SecurityError(InvalidSecurityToken) for a key that is too weak.
        """
        ...

    def sign(self, uri: str, key: object, data: bytes) -> bytes:
        """Return the signature as ds:SignatureValue holds it.

        key: whatever this implementation loaded; raise ConfigurationError when it does not fit.
        """
        ...


class _Method(NamedTuple):
    kind: Literal["rsa", "pss", "ecdsa"]
    digest: hashes.HashAlgorithm


_DIGESTS: Final[Mapping[str, Callable[[bytes], hashlib._Hash]]] = {
    SHA256: hashlib.sha256,
    SHA384: hashlib.sha384,
    SHA512: hashlib.sha512,
}
_METHODS: Final[Mapping[str, _Method]] = {
    RSA_SHA256: _Method("rsa", hashes.SHA256()),
    RSA_SHA384: _Method("rsa", hashes.SHA384()),
    RSA_SHA512: _Method("rsa", hashes.SHA512()),
    PSS_SHA256: _Method("pss", hashes.SHA256()),
    PSS_SHA384: _Method("pss", hashes.SHA384()),
    PSS_SHA512: _Method("pss", hashes.SHA512()),
    ECDSA_SHA256: _Method("ecdsa", hashes.SHA256()),
    ECDSA_SHA384: _Method("ecdsa", hashes.SHA384()),
    ECDSA_SHA512: _Method("ecdsa", hashes.SHA512()),
}
_PKCS1: Final = padding.PKCS1v15()


class Standard:
    """RSA and ECDSA of the `cryptography` library."""

    def digest(self, uri: str, data: bytes) -> bytes:
        """Return the digest by one of the SHA-2 methods."""
        method = _DIGESTS.get(uri)
        if method is None:
            raise _unsupported("the digest method is not offered", uri, _DIGESTS)
        return method(data).digest()

    def verify(self, uri: str, certificate: bytes, data: bytes, signature: bytes) -> bool:
        """Say whether the signature fits; ECDSA is r and s side by side (RFC 9231, 2.3.6)."""
        method = _method(uri)
        key = _public_key(certificate)
        try:
            if method.kind != "ecdsa" and isinstance(key, rsa.RSAPublicKey):
                key.verify(signature, data, _padding(method), method.digest)
            elif method.kind == "ecdsa" and isinstance(key, ec.EllipticCurvePublicKey):
                encoded = _to_der(signature, key.curve)
                if encoded is None:
                    return False
                key.verify(encoded, data, ec.ECDSA(method.digest))
            else:
                raise SecurityError(
                    "the signature method is not one for the key of the certificate",
                    "UnsupportedAlgorithm",
                    found=uri,
                )
        except InvalidSignature:
            return False
        return True

    def sign(self, uri: str, key: object, data: bytes) -> bytes:
        """Return the signature by an RSA or EC private key of `cryptography`."""
        method = _METHODS.get(uri)
        if method is not None:
            if isinstance(key, rsa.RSAPrivateKey) and method.kind != "ecdsa":
                return key.sign(data, _padding(method), method.digest)
            if isinstance(key, ec.EllipticCurvePrivateKey) and method.kind == "ecdsa":
                return _to_raw(key.sign(data, ec.ECDSA(method.digest)), key.curve)
        raise ConfigurationError(
            "the signature method is not one for our key",
            found=uri,
            expected=", ".join(_METHODS),
        )


STANDARD: Final = Standard()


def method_for(key: object) -> str:
    """Return the signature method that fits a private key best; raise ConfigurationError."""
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size >= RSA_BITS:
            return RSA_SHA256
    elif isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, _CURVES):
        return {256: ECDSA_SHA256, 384: ECDSA_SHA384}.get(key.curve.key_size, ECDSA_SHA512)
    raise ConfigurationError(
        "messages cannot be signed with this private key",
        found=type(key).__name__,
        expected=f"RSA of {RSA_BITS} bits or more, or EC on P-256, P-384, P-521",
    )


def _method(uri: str) -> _Method:
    method = _METHODS.get(uri)
    if method is None:
        raise _unsupported("the signature method is not offered", uri, _METHODS)
    return method


def _padding(method: _Method) -> padding.AsymmetricPadding:
    """Of RSA; a PSS salt is as long as the digest (RFC 9231, 2.3.10)."""
    if method.kind == "rsa":
        return _PKCS1
    return padding.PSS(padding.MGF1(method.digest), method.digest.digest_size)


@lru_cache(_CACHED_KEYS)
def _public_key(certificate: bytes) -> object:
    """Return the key of a certificate; only certificates of known peers come so far."""
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SecurityError(
            "the key of the certificate cannot be read", "UnsupportedAlgorithm"
        ) from error
    if isinstance(key, rsa.RSAPublicKey) and not RSA_BITS <= key.key_size <= _RSA_BITS_MAX:
        raise _weak(f"RSA {key.key_size}", f"RSA of {RSA_BITS} to {_RSA_BITS_MAX} bits")
    if isinstance(key, ec.EllipticCurvePublicKey) and not isinstance(key.curve, _CURVES):
        raise _weak(key.curve.name, "P-256, P-384 or P-521")
    return key


def _weak(found: str, expected: str) -> SecurityError:
    return SecurityError(
        "the key of the certificate is not accepted",
        "InvalidSecurityToken",
        found=found,
        expected=expected,
    )


def _to_der(signature: bytes, curve: ec.EllipticCurve) -> bytes | None:
    size = (curve.key_size + 7) // 8
    if len(signature) != 2 * size:
        return None
    r, s = (int.from_bytes(part) for part in (signature[:size], signature[size:]))
    return utils.encode_dss_signature(r, s)


def _to_raw(signature: bytes, curve: ec.EllipticCurve) -> bytes:
    size = (curve.key_size + 7) // 8
    r, s = utils.decode_dss_signature(signature)
    return r.to_bytes(size) + s.to_bytes(size)


def _unsupported(message: str, uri: str, offered: Mapping[str, object]) -> SecurityError:
    return SecurityError(
        message,
        "UnsupportedAlgorithm",
        found=uri,
        expected=", ".join(offered),
        todo="sign with SHA-256 and RSA or ECDSA; in WCF choose the suite Basic256Sha256",
    )
