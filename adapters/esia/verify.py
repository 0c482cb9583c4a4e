"""Whether a token is signed by one of the keys that we believe, by trial."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from adapters.esia import codes, jwt
from gateway.errors import ConfigurationError, TrustError
from gateway.gost.certificates import RSA_BITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from adapters.esia.keys import Key
    from gateway.signing import Backend


def check_signature(
    token: jwt.Token,
    keys: Iterable[Key],
    backend: Callable[[], Backend],
    now: datetime,
    *,
    expired_keys: bool = False,
) -> None:
    """Raise TrustError(signature_wrong) unless a key of the fitting kind made the signature.

    backend: asked only for ГОСТ, so that a provider with RSA needs no engine. expired_keys: keys
    whose certificate has ended are tried as well.
    """
    kind = codes.KIND_OF[token.algorithm]
    for key in keys:
        if key.kind != kind or not (expired_keys or key.holds(now)):
            continue
        if token.header.get("kid") and key.kid and token.header["kid"] != key.kid:
            continue
        if token.algorithm == codes.RSA:
            fits = _rsa(key.public, token.signed, token.signature)
        else:
            fits = _gost(backend(), key.public, token)
        if fits:
            return
    jwt.refuse("подпись токена не подходит · no key of ours made the signature", "signature_wrong")


def _rsa(public: bytes, signed: bytes, signature: bytes) -> bool:
    """Say whether RSASSA-PKCS1-v1_5 with SHA-256 fits (RFC 7518, 3.3)."""
    try:
        key = load_der_public_key(public)
        if not isinstance(key, RSAPublicKey) or not RSA_BITS[0] <= key.key_size <= RSA_BITS[1]:
            return False
        key.verify(signature, signed, PKCS1v15(), SHA256())
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def _gost(backend: Backend, public: bytes, token: jwt.Token) -> bool:
    """Say whether a signature by ГОСТ fits; a key that cannot be used stands in no other's way."""
    try:
        return backend.verify_key(public, token.signed, token.signature)
    except TrustError:
        return False


def no_backend() -> Backend:
    """Stand in for the backend where the house lent none."""
    raise ConfigurationError(
        "нечем проверить подпись ГОСТ · nothing to check a GOST signature with",
        where="adapters.esia",
        todo="`signing_backend`, docs/howto/signing.md",
    )
