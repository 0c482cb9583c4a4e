"""A compact JSON Web Token (RFC 7515, 7519): taken apart under limits, its claims compared; pure.

The header is only asked which algorithm to try, among those that the settings allow and for a key
whose kind fits (`verify`). Keys that a header brings or points at (`jwk`, `jku`, `x5c`, `x5u`) are
never looked at.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

import msgspec

from adapters.esia.codes import KIND_OF
from gateway.errors import GatewayError, TrustError
from gateway.jsontext import check_values

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from gateway.errors import TrustReason

TOKEN_CHARS: Final = 32_768
VALUES: Final = 2_000
_PARTS: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
_LAST: Final = 253_402_300_799
"""The end of the year 9999, in seconds."""


class Token(NamedTuple):
    """A token taken apart, believed in nothing yet. signed: the bytes under the signature."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes
    digest: str

    def __repr__(self) -> str:
        """Say which token, and nothing of it."""
        return f"Token({self.digest[:16]})"

    @property
    def algorithm(self) -> str:
        """Name of the algorithm, by the header."""
        return str(self.header["alg"])


def refuse(message: str, reason: TrustReason = "token_wrong", where: str = "") -> NoReturn:
    """Raise TrustError; nothing of a token stands in it."""
    raise TrustError(message, reason, where=where)


def parse(text: Any, allowed: Collection[str]) -> Token:
    """Return the parts of a token; raise TrustError(token_wrong, algorithm_refused).

    allowed: names of algorithms; only those of `codes.KIND_OF` can be.
    """
    if not isinstance(text, str) or len(text) > TOKEN_CHARS or not _PARTS.fullmatch(text):
        refuse("токен не читается · this is no compact token")
    head, body, tail = text.split(".")
    header, claims = _object(head), _object(body)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in allowed or algorithm not in KIND_OF:
        refuse("алгоритм токена не разрешён · its algorithm is not allowed", "algorithm_refused")
    if "crit" in header:
        refuse("токен требует неизвестного · the token wants what we do not know")
    return Token(
        header,
        claims,
        f"{head}.{body}".encode(),
        _bytes(tail),
        hashlib.sha256(text.encode()).hexdigest(),
    )


def _bytes(part: str) -> bytes:
    """Return the bytes of base64url; another spelling of the same bytes is refused."""
    try:
        found = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError):
        refuse("токен не читается · the token cannot be read")
    if base64.urlsafe_b64encode(found).rstrip(b"=") != part.encode():
        refuse("токен не читается · the token cannot be read")
    return found


def _object(part: str) -> dict[str, Any]:
    raw = _bytes(part)
    try:
        check_values(raw, VALUES)
        found = msgspec.json.decode(raw)
    except (GatewayError, msgspec.MsgspecError, ValueError, RecursionError):
        refuse("токен не читается · the token is no JSON")
    if not isinstance(found, dict):
        refuse("токен не читается · the token is no object")
    return found


def instant(claims: Mapping[str, Any], name: str) -> datetime | None:
    """Return a NumericDate, None when it is absent; raise TrustError for what is none."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LAST:
        refuse("время в токене не читается · a time in the token cannot be read", where=name)
    return datetime.fromtimestamp(value, UTC)


def check_times(
    claims: Mapping[str, Any], now: datetime, skew: float, began: datetime | None = None
) -> None:
    """Raise TrustError(token_expired) unless the token is in force.

    began: when the login began; a token that was issued before it is from another login
    (replayed). skew: seconds that clocks may differ by.
    """
    ends, starts = instant(claims, "exp"), instant(claims, "nbf")
    issued = instant(claims, "iat")
    if ends is None:
        refuse("в токене нет срока · the token never ends", where="exp")
    if (now - ends).total_seconds() >= skew:
        refuse("токен просрочен · the token has ended", "token_expired", "exp")
    for name, at in (("nbf", starts), ("iat", issued)):
        if at is not None and (at - now).total_seconds() > skew:
            refuse("токен ещё не действует · the token is not yet in force", "token_expired", name)
    if began is not None and issued is None:
        refuse("в токене нет времени выдачи · the token does not say when it was issued")
    if began is not None and issued and (began - issued).total_seconds() > skew:
        refuse("токен от другого входа · the token is of another login", "replayed", "iat")


def check_issuer(claims: Mapping[str, Any], issuer: str) -> None:
    """Raise TrustError(token_not_ours) unless it is the issuer's, letter by letter."""
    if claims.get("iss") != issuer:
        refuse("токен выдан не тем · the token has another issuer", "token_not_ours", "iss")


def check_audience(claims: Mapping[str, Any], client_id: str) -> None:
    """Raise TrustError(token_not_ours) unless an id token is for us (OpenID Connect, 3.1.3.7)."""
    named = claims.get("aud")
    audience = named if isinstance(named, list) else [named]
    party = claims.get("azp")
    if client_id not in audience or (party or client_id) != client_id:
        refuse("токен выдан не нам · the token is for somebody else", "token_not_ours", "aud")
    if len(audience) > 1 and party != client_id:
        refuse("токен выдан не нам · the token is for somebody else", "token_not_ours", "azp")


def word(claims: Mapping[str, Any], name: str, most: int = 200) -> str:
    """Return a claim that is a short text or a whole number, as text; empty for anything else."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = str(value)
    return text if len(text) <= most and text.isprintable() else ""
