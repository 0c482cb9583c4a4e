"""ECDSA signatures side by side, as XML Signature and JWT carry them, and as DER, as X.509 does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import utils

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.signing import Digest

_SIZES: Final[Mapping[Digest, int]] = {"sha256": 32, "sha384": 48, "sha512": 66}
"""Bytes of r and of s on the curve that takes this digest."""


def of(encoded: bytes, method: Digest) -> bytes:
    """Return r ‖ s of a DER signature of our own."""
    size = _SIZES[method]
    return b"".join(part.to_bytes(size) for part in utils.decode_dss_signature(encoded))


def encoded(signature: bytes, method: Digest) -> bytes | None:
    """Return the DER of r ‖ s (RFC 9231, 2.3.6), None for a wrong length."""
    size = _SIZES[method]
    if len(signature) != 2 * size:
        return None
    r, s = int.from_bytes(signature[:size]), int.from_bytes(signature[size:])
    return utils.encode_dss_signature(r, s)
