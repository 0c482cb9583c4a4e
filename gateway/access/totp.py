"""The second factor: one-time codes by time (RFC 6238), and codes for a lost telephone.

SHA-1, 6 digits, 30 seconds, because authenticator programs offer nothing else reliably. The secret
is sealed (`gateway.access.seals`); of a recovery code only its SHA-256 is kept.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP

if TYPE_CHECKING:
    from datetime import datetime

STEP_SECONDS: Final = 30
DIGITS: Final = 6
DRIFT: Final = 1
"""Steps before and after, for clocks that differ."""
SECRET_BYTES: Final = 20
RECOVERY_CODES: Final = 8


def new_secret() -> bytes:
    """Return a secret of 160 random bits (RFC 4226, section 4, R6)."""
    return secrets.token_bytes(SECRET_BYTES)


def spelled(secret: bytes) -> str:
    """Return a secret as a person types it into a program."""
    return base64.b32encode(secret).decode()


def uri(secret: bytes, login: str, issuer: str) -> str:
    """Return the address by which a program takes a secret."""
    label = quote(f"{issuer}:{login}")
    return (
        f"otpauth://totp/{label}?secret={spelled(secret)}&issuer={quote(issuer)}"
        f"&digits={DIGITS}&period={STEP_SECONDS}"
    )


def code(secret: bytes, step: int) -> str:
    """Return the code of a step."""
    return HOTP(secret, DIGITS, SHA1()).generate(step).decode()  # noqa: S303 - RFC 6238


def step_of(now: datetime) -> int:
    """Return the number of the step that an instant is in."""
    return int(now.timestamp()) // STEP_SECONDS


def matching_step(secret: bytes, given: str, now: datetime) -> int:
    """Return the step that a code is of, 0 when it is of none near; every step is looked at.

    That a step is not used twice is the table's to say (`accounts.USE_STEP`).
    """
    shown, middle, found = given.replace(" ", ""), step_of(now), 0
    for step in range(middle - DRIFT, middle + DRIFT + 1):
        if hmac.compare_digest(code(secret, step).encode(), shown.encode("utf-8", "replace")):
            found = step
    return found


def recovery_codes() -> tuple[list[str], list[bytes]]:
    """Return new recovery codes, of 80 random bits each, and what is kept of them."""
    spelt = [
        base64.b32encode(secrets.token_bytes(10)).decode().lower() for _ in range(RECOVERY_CODES)
    ]
    codes = ["-".join(made[n : n + 4] for n in range(0, 16, 4)) for made in spelt]
    return codes, [recovery_digest(made) for made in codes]


def recovery_digest(given: str) -> bytes:
    """Return what is kept of a recovery code, however it is typed."""
    return sha256(given.strip().lower().replace("-", "").replace(" ", "").encode()).digest()
