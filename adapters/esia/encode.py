"""What is sent to ЕСИА and what of it is signed; pure.

The string under a signature is the values one after another, in UTF-8, with nothing between them.
Two generations differ in its order and in the form of the signature:

| | v1 (`/aas/oauth2/ac`, `/te`) | v2 (`/aas/oauth2/v2/ac`, `/v3/te`) |
|---|---|---|
| start | scope timestamp client_id state | client_id scope scope_org timestamp state redirect_uri |
| token | the same | the same, then the code |
| client_secret | detached PKCS#7, DER | the raw signature |

What is signed when a token is renewed is not certain: two published clients differ, one ends as at
the start (`start`), one puts the refresh token in place of the address (`token`).
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

Generation = Literal["v2", "v1"]
Renewal = Literal["start", "token"]
PATHS: Final = {
    "v1": ("/aas/oauth2/ac", "/aas/oauth2/te"),
    "v2": ("/aas/oauth2/v2/ac", "/aas/oauth2/v3/te"),
}
"""Where the browser is sent, and where the token is asked for."""


class Asked(NamedTuple):
    """What every request of ЕСИА says of itself."""

    client_id: str
    scope: str
    timestamp: str
    state: str
    redirect_uri: str
    scope_org: str = ""


def timestamp(now: datetime, zone: ZoneInfo) -> str:
    """Return an instant as `2025.09.02 13:00:29 +0300`."""
    return now.astimezone(zone).strftime("%Y.%m.%d %H:%M:%S %z")


def signed(asked: Asked, generation: Generation, last: str = "") -> bytes:
    """Return what is signed. last: the code, when it is exchanged for a token (v2)."""
    if generation == "v1":
        parts = (asked.scope, asked.timestamp, asked.client_id, asked.state)
    else:
        parts = (
            asked.client_id + asked.scope + asked.scope_org,
            asked.timestamp,
            asked.state,
            asked.redirect_uri + last,
        )
    return "".join(parts).encode()


def signed_to_renew(
    asked: Asked, generation: Generation, variant: Renewal, refresh_token: str
) -> bytes:
    """Return what is signed when a token is renewed."""
    if generation == "v2" and variant == "token":
        return signed(asked._replace(redirect_uri=refresh_token), generation)
    return signed(asked, generation)


def base64url(data: bytes, *, padded: bool = False) -> str:
    """Return base64url (RFC 4648, 5), without `=` unless told."""
    text = base64.urlsafe_b64encode(data).decode("ascii")
    return text if padded else text.rstrip("=")


def challenge(verifier: str) -> str:
    """Return the S256 challenge of a PKCE verifier (RFC 7636, 4.2)."""
    return base64url(hashlib.sha256(verifier.encode("ascii")).digest())


def begin_fields(
    asked: Asked, generation: Generation, secret: str, certificate_hash: str, verifier: str
) -> dict[str, str]:
    """Return the parameters of the address that the browser is sent to."""
    fields = {
        "client_id": asked.client_id,
        "client_secret": secret,
        "redirect_uri": asked.redirect_uri,
        "scope": asked.scope,
        "response_type": "code",
        "state": asked.state,
        "timestamp": asked.timestamp,
        "access_type": "online",
    }
    if generation == "v2":
        fields["client_certificate_hash"] = certificate_hash
        if asked.scope_org:
            fields["scope_org"] = asked.scope_org
        if verifier:
            fields |= {"code_challenge": challenge(verifier), "code_challenge_method": "S256"}
    return fields


def token_fields(
    asked: Asked, generation: Generation, secret: str, certificate_hash: str, proof: dict[str, str]
) -> dict[str, str]:
    """Return the form that asks for a token. proof: the code and its verifier, or what renews."""
    fields = {
        "client_id": asked.client_id,
        "client_secret": secret,
        "redirect_uri": asked.redirect_uri,
        "scope": asked.scope,
        "state": asked.state,
        "timestamp": asked.timestamp,
        "token_type": "Bearer",
        **proof,
    }
    if generation == "v2":
        fields["client_certificate_hash"] = certificate_hash
        if asked.scope_org:
            fields["scope_org"] = asked.scope_org
    return fields
