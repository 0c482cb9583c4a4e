"""Tokens of the stand: honest ones, and by command such as nobody should believe."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from datetime import datetime

    from simulators.esia.ring import Ring
    from simulators.esia.store import Grant

LIVES: Final = 3600
_HOUR: Final = 3600
CLAIMS: Final[dict[str, dict[str, Any]]] = {
    "issuer": {"iss": "http://esia.example/"},
    "slashless": {},
    "client": {"client_id": "ЧУЖАЯ", "aud": "ЧУЖАЯ"},
    "person": {"sub": 1000000999},
    "session": {"urn:esia:sid": "00000000-0000-4000-8000-000000000000"},
    "nonce": {"nonce": "0"},
    "scope": {"scope": "openid"},
    "no_expiry": {"exp": None},
}
"""What a command changes in the claims before they are signed."""
WAYS: Final = (
    *CLAIMS, "expired", "early", "tampered", "none", "hs256", "swapped", "stranger", "kind",
    "replay",
)  # fmt: skip


class Issuer:
    """Makes tokens. The next ones are altered as `alter` says: (which token, how)."""

    def __init__(self, ring: Ring) -> None:
        self.ring = ring
        self.alter: list[tuple[str, str]] = []
        self._before: dict[str, str] = {}

    def esia(self, grant: Grant, now: datetime, issuer: str) -> dict[str, Any]:
        """Return the tokens of ЕСИА for a login."""
        person = grant.person
        assert person is not None
        at = int(now.timestamp())
        common = {"iss": issuer, "nbf": at, "iat": at, "exp": at + LIVES, "urn:esia:sid": grant.sid}
        access = {
            **common,
            "scope": " ".join(f"{name}?oid={person.oid}" for name in grant.scopes),
            "client_id": grant.system.client_id,
            "urn:esia:sbj_id": int(person.oid),
        }
        subject: dict[str, Any] = {
            "urn:esia:sbj:typ": "P",
            "urn:esia:sbj:oid": int(person.oid),
            "urn:esia:sbj:nam": f"OID.{person.oid}",
        }
        if person.row["trusted"]:
            subject["urn:esia:sbj:is_tru"] = True
        identity = {
            **common,
            "aud": grant.system.client_id,
            "sub": int(person.oid),
            "auth_time": at,
            "amr": "PWD",
            "urn:esia:amd": "PWD",
            "urn:esia:sbj": subject,
        }
        algorithm = grant.system.algorithm
        made = {
            "access_token": self._made("access", access, algorithm),
            "expires_in": LIVES,
            "token_type": "Bearer",
        }
        if "openid" in grant.scopes:
            made["id_token"] = self._made("id", identity, algorithm)
        if grant.sent.get("access_type") == "offline":
            made["refresh_token"] = secrets.token_urlsafe(32)
        return made

    def oidc(self, grant: Grant, now: datetime, issuer: str) -> dict[str, Any]:
        """Return the tokens of the plain provider for a login."""
        person = grant.person
        assert person is not None
        at = int(now.timestamp())
        access = secrets.token_urlsafe(32)
        claims = {
            "iss": issuer,
            "sub": person.oid,
            "aud": grant.system.client_id,
            "iat": at,
            "exp": at + LIVES,
            "nonce": grant.sent.get("nonce", ""),
            "sid": grant.sid,
            "jti": secrets.token_urlsafe(8),
            "at_hash": _url(hashlib.sha256(access.encode()).digest()[:16]),
        }
        return {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": LIVES,
            "id_token": self._made("id", claims, "RS256"),
            "scope": grant.sent.get("scope", ""),
        }

    def _made(self, kind: str, claims: dict[str, Any], algorithm: str) -> str:
        """Return one token, altered when a command says so."""
        how = next((how for which, how in self.alter if which == kind), "")
        if how:
            self.alter.remove((kind, how))
        changed = {name: value for name, value in CLAIMS.get(how, {}).items() if name in claims}
        claims = {name: v for name, v in {**claims, **changed}.items() if v is not None}
        at = claims["iat"]
        if how == "expired":
            claims |= {"nbf": at - 3 * _HOUR, "exp": at - 2 * _HOUR}
        elif how == "early":
            claims |= {"nbf": at + _HOUR, "exp": at + 2 * _HOUR}
        elif how == "slashless":
            claims["iss"] = claims["iss"].rstrip("/")
        sbt = {"access": "id", "id": "access"}[kind] if how == "kind" else kind
        header = {"ver": 1, "typ": "JWT", "sbt": sbt, "alg": algorithm}
        made = self._signed(header, claims, algorithm, how)
        if how == "replay":
            return self._before[kind]
        self._before[kind] = made
        return made

    def _signed(
        self, header: dict[str, Any], claims: dict[str, Any], algorithm: str, how: str
    ) -> str:
        pair = self.ring.signer(algorithm)
        header = {**header, "kid": pair.name} if algorithm == "RS256" else header
        if how in {"none", "hs256", "swapped"}:
            swapped = {"RS256": "GOST3410_2012_256"}.get(algorithm, "RS256")
            header["alg"] = {"none": "none", "hs256": "HS256"}.get(how, swapped)
        signed = f"{_url(_json(header))}.{_url(_json(claims))}"
        if how == "none":
            return f"{signed}."
        if how == "hs256":
            mac = hmac.new(pair.public.read_bytes(), signed.encode(), hashlib.sha256).digest()
            return f"{signed}.{_url(mac)}"
        if how == "stranger":
            pair = self.ring.stranger(algorithm)
        signature = _url(self.ring.sign(pair, signed.encode()))
        if how == "tampered":
            other = {**claims, "urn:esia:sbj_id": 1000000999, "sub": 1000000999}
            signed = f"{_url(_json(header))}.{_url(_json(other))}"
        return f"{signed}.{signature}"


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
