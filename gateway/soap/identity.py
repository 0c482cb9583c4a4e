"""Who we are to a peer that we call, and how a message of ours proves it.

HTTP Basic stands in the head of the request, a UsernameToken and a signature in the envelope. They
are added at the moment of sending and never stored: a stored message holds no secret, and a repeat
gets an instant and a nonce of its own around the same addressing headers and the same Body.
"""

import ipaddress
import secrets
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from gateway.errors import ConfigurationError
from gateway.pinning import parse_target
from gateway.soap.security import Signer, sign_envelope, username_token

LoginKind = Literal["basic", "text", "digest"]
_NONCE_BYTES: Final = 16


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """A user and a password at a peer.

    kind: `basic` in the head of HTTP; `text` and `digest` in a UsernameToken.
    """

    kind: LoginKind
    user: str
    password: str

    def __repr__(self) -> str:
        """Say who, and nothing of the password."""
        return f"Login(kind={self.kind!r}, user={self.user!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Say the same to rich, which shows values in tracebacks."""
        return [("kind", self.kind), ("user", self.user)]


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What we prove ourselves with.

    now: the clock of Created and Expires. trusted_wire: something else protects the wire, so that a
    password in clear text may travel over plain HTTP.
    """

    now: Callable[[], datetime]
    login: Login | None = None
    signer: Signer | None = None
    trusted_wire: bool = False

    @property
    def is_in_message(self) -> bool:
        """Whether the envelope gets a Security header."""
        token = self.login is not None and self.login.kind != "basic"
        return token or self.signer is not None

    def headers(self) -> Mapping[str, str]:
        """Return what the head of the request says of us (RFC 7617, in UTF-8)."""
        login = self.login
        if login is None or login.kind != "basic":
            return {}
        pair = b64encode(f"{login.user}:{login.password}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}

    def protect(self, envelope: bytes) -> bytes:
        """Return the envelope with a Security header when it gets one; raise as `sign_envelope`."""
        if not self.is_in_message:
            return envelope
        now, login, token = self.now(), self.login, ""
        if login is not None and login.kind != "basic":
            token = username_token(
                login.user,
                login.password,
                digest=login.kind == "digest",
                now=now,
                nonce=secrets.token_bytes(_NONCE_BYTES),
            )
        return sign_envelope(envelope, self.signer, now, token=token)

    def require_safe(self, address: str) -> None:
        """Raise ConfigurationError when a password would travel where it can be read.

        In clear text it may over TLS, on this machine, and over a trusted wire.
        """
        if self.login is None or self.login.kind == "digest" or self.trusted_wire:
            return
        target = parse_target(address)
        if target.scheme != "https" and not _is_loopback(target.host):
            raise ConfigurationError(
                "пароль ушёл бы открытым текстом · the password would travel in clear text",
                found=f"login={self.login.kind}, {target.scheme}://{target.authority}",
                expected="https://…, login=digest, trusted_wire = true",
                where="login",
            )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
