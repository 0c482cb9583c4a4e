"""Secrets that have to be read again, sealed with a key from the settings (design §2.16).

A password digest (UsernameToken Profile 1.1, 3.1) is checked with the password itself, so its
digest is not enough. AES-256-GCM (NIST SP 800-38D) with a random nonce; what the seal also covers
names the peer and the credential, so that a secret moved into another row does not open.
"""

from __future__ import annotations

import base64
import hmac
import os
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.errors import ConfigurationError

REMEDY: Final = (
    "openssl rand -base64 32 > FILE, and GATEWAY_SEAL_KEY_FILE=FILE for every process of the house"
)
_VERSION: Final = b"\x01"
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class Seals:
    """Seals with the key of `seal_key`; opens also what `seal_key_old` sealed.

    key, old: 32 bytes in base64 or as hexadecimal digits; empty: there is none. Raises
    ConfigurationError for a text of another form.
    """

    def __init__(self, key: str = "", old: str = "") -> None:
        given = [_key(key, "seal_key"), _key(old, "seal_key_old")]
        self._key = AESGCM(given[0]) if given[0] else None
        self._all = [AESGCM(key) for key in given if key]
        self._marking = [hmac.digest(key, b"mark", "sha256") for key in given if key]

    @property
    def ready(self) -> bool:
        """Whether anything can be sealed."""
        return self._key is not None

    def seal(self, secret: bytes, peer: str, credential: str) -> bytes:
        """Seal a secret for one credential of one peer; raise ConfigurationError without a key."""
        if self._key is None:
            raise ConfigurationError(
                "секреты запечатать нечем: нет seal_key · no seal_key to seal secrets with",
                where="seal_key",
                todo=REMEDY,
            )
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + nonce + self._key.encrypt(nonce, secret, _bound_to(peer, credential))

    def open(self, sealed: bytes, peer: str, credential: str) -> bytes | None:
        """Return the secret; None when no key opens it for this credential of this peer."""
        if sealed[:1] != _VERSION:
            return None
        nonce, text = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        for cipher in self._all:
            try:
                return cipher.decrypt(nonce, text, _bound_to(peer, credential))
            except (InvalidTag, ValueError):
                continue
        return None

    def marks(self, text: str) -> tuple[bytes, ...]:
        """Return keyed digests of what must be found again but not read: under each key.

        A person's number at a provider has ten digits, so a plain digest would hide nothing. The
        first is of the key in force; raise ConfigurationError without one.
        """
        if self._key is None:
            raise ConfigurationError(
                "нет seal_key, без него не узнать человека · people are known by seal_key",
                where="seal_key",
                todo=REMEDY,
            )
        return tuple(hmac.digest(key, text.encode(), sha256) for key in self._marking)


def _bound_to(peer: str, credential: str) -> bytes:
    return f"digest\0{peer}\0{credential}".encode()


def _key(text: str, name: str) -> bytes:
    text = text.strip()
    if not text:
        return b""
    try:
        if len(text) == 2 * _KEY_BYTES:
            key = bytes.fromhex(text)
        else:
            key = base64.b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise ConfigurationError(
            "ключ запечатывания не 32 байта · the sealing key is not 32 bytes",
            where=name,
            expected="32 bytes in base64, or 64 hexadecimal digits",
            todo=REMEDY,
        )
    return key
