"""What a browser holds: the cookie of a session, the token of its forms, where it may go next.

A cookie is 256 random bits; the database has its SHA-256. What else follows from it is made from it
with a key of its own (HKDF would say the same of a uniform secret): the token of forms, and the key
that seals what only a live session may read.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HOME: Final = "/my/"
COOKIE: Final = "gw_session"
BROWSER: Final = "gw_browser"
"""Cookie of a browser that has not logged in: the token of its forms, and the login it began."""
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_NEXT: Final = re.compile(r"/my/(?:[a-z0-9-]{1,60}/?){0,4}")
_NONCE_BYTES: Final = 12


def new_token() -> str:
    """Return 256 random bits as a cookie carries them."""
    return secrets.token_urlsafe(32)


def is_token(text: str) -> bool:
    """Whether it looks like a token of ours."""
    return _TOKEN.fullmatch(text) is not None


def digest(token: str) -> bytes:
    """Return what is stored of a token."""
    return sha256(token.encode()).digest()


def form_token(token: str) -> str:
    """Return what every form of this browser must bring back."""
    return hmac.new(token.encode(), b"form", sha256).hexdigest()


def fits(token: str, shown: str) -> bool:
    """Whether a form is of this browser; in constant time."""
    return hmac.compare_digest(form_token(token).encode(), shown.encode("utf-8", "replace"))


def seal(token: str, secret: bytes) -> bytes:
    """Seal what is to be read only while its browser is there."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + _cipher(token).encrypt(nonce, secret, b"session")


def unseal(token: str, sealed: bytes) -> bytes | None:
    """Return what was sealed with a token, None when it was another."""
    try:
        return _cipher(token).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], b"session")
    except (InvalidTag, ValueError):
        return None


def local(path: str) -> str:
    """Return a path of ours to go to, the front page for anything else: no redirect leaves us."""
    return path if _NEXT.fullmatch(path) else HOME


def cookie(name: str, value: str, *, secure: bool, seconds: int | None = None) -> str:
    """Return a Set-Cookie; an empty value takes the cookie away.

    Over TLS the name begins with `__Host-` (RFC 6265bis, 4.1.3.2): no other host of the domain
    can set it. Lax, because the way back from a provider is a navigation from another site.
    """
    ends = "; Max-Age=0" if not value else f"; Max-Age={seconds}" if seconds else ""
    told = f"{_named(name, secure=secure)}={value}; Path=/; HttpOnly; SameSite=Lax{ends}"
    return f"{told}; Secure" if secure else told


def read_cookie(header: str, name: str, *, secure: bool) -> str:
    """Return the token of a cookie, empty when there is none or it is no token."""
    wanted = _named(name, secure=secure)
    found = [
        value.strip()
        for part in header.split(";")
        for given, _, value in [part.partition("=")]
        if given.strip() == wanted
    ]
    return found[0] if len(found) == 1 and is_token(found[0]) else ""


def _named(name: str, *, secure: bool) -> str:
    return f"__Host-{name}" if secure else name


def _cipher(token: str) -> AESGCM:
    return AESGCM(hmac.digest(token.encode(), b"seal", "sha256"))
