"""API keys `gw_<id>_<secret>`: minted once, stored as SHA-256, compared in constant time.

The id finds the row, the secret (256 random bits) proves the holder; a slow password hash would
protect nothing here, since the secret cannot be guessed. HTTP Basic carries the same key as
`peer:key`, which WCF, 1С, PHP and JAX-WS send without code (model.md §2).
"""

from __future__ import annotations

import base64
import hmac
import secrets
from hashlib import sha256
from typing import NamedTuple

PREFIX = "gw_"
CHALLENGE = 'Basic realm="appeals-gateway", charset="UTF-8"'


class Minted(NamedTuple):
    """A new key: `text` is shown once and never again; the rest is stored."""

    text: str
    id: str
    secret_sha256: bytes


class Presented(NamedTuple):
    """What a caller put into its headers. peer is empty unless it came by HTTP Basic."""

    id: str
    secret: str
    peer: str = ""


def mint() -> Minted:
    """Make a new key from the operating system's randomness."""
    key_id, secret = secrets.token_hex(5), secrets.token_urlsafe(32).replace("_", "-")
    return Minted(f"{PREFIX}{key_id}_{secret}", key_id, digest(secret))


def digest(secret: str) -> bytes:
    """Return what is stored of a secret."""
    return sha256(secret.encode()).digest()


def presented(authorization: str, api_key: str) -> Presented | None:
    """Read the key from `Authorization` (Basic or Bearer) or `X-API-Key`; None when there is none.

    What cannot be read counts as a wrong key, not as none: it is refused and recorded.
    """
    if api_key:
        return _split(api_key)
    scheme, _, value = authorization.partition(" ")
    if not value:
        return None
    if scheme.lower() == "bearer":
        return _split(value.strip())
    if scheme.lower() != "basic":
        return Presented("", "")
    try:
        peer, _, key = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError:  # not base64, not even ASCII, or not UTF-8 inside
        return Presented("", "")
    return _split(key)._replace(peer=peer)


def matches(shown: Presented, secret_sha256: bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(digest(shown.secret), secret_sha256)


def _split(text: str) -> Presented:
    if not text.startswith(PREFIX):
        return Presented("", "")
    key_id, _, secret = text[len(PREFIX) :].partition("_")
    return Presented(key_id, secret)
