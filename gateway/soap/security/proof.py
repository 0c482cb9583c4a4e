"""What a Security header proves, and whom it is asked of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, Protocol

import msgspec

from gateway import ns
from gateway.errors import SecurityError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

Kind = Literal["text", "digest", "signature"]
SECURITY: Final = ns.tag(ns.WSSE, "Security")
"""Clark name of the header block."""


class Keys(Protocol):
    """The credentials of the peers."""

    def password(self, user: str, password: str) -> str | None:
        """Return the code of the peer whose key this is."""
        ...

    def secrets(self, user: str) -> Sequence[bytes]:
        """Return the live digest secrets of the peer, in UTF-8; () when there are none."""
        ...

    def certificate(self, der: bytes) -> str | None:
        """Return the code of the peer that this certificate belongs to; it may have ended."""
        ...

    def untimed(self, peer: str) -> bool:
        """Say whether the signature of this peer's messages need not cover a Timestamp: СМЭВ 2."""
        ...

    def issued(self, issuer: str, serial: int) -> bytes | None:
        """Return the DER of a registered certificate; issuer: as written (RFC 4514)."""
        ...

    def by_ski(self, ski: bytes) -> bytes | None:
        """Return the DER of a registered certificate by its SubjectKeyIdentifier."""
        ...

    def by_thumbprint(self, sha1: bytes) -> bytes | None:
        """Return the DER of a registered certificate by the SHA-1 of its DER."""
        ...


class SecurityContext(Protocol):
    """What reading a header may know besides the message; `envelope.Context` is one."""

    @property
    def now(self) -> datetime:
        """The instant."""
        ...

    @property
    def keys(self) -> Keys | None:
        """The credentials, None where no peer may prove itself in the message."""
        ...

    @property
    def seen(self) -> Callable[[bytes, datetime], bool]:
        """Remember these bytes until that instant; True when they were there already."""
        ...

    @property
    def secure_wire(self) -> bool:
        """Whether a password in clear text may travel: TLS, loopback or `trusted_wire`."""
        ...


class UnprovenError(SecurityError):
    """The certificate or the signature of a message is not accepted: its sender is a stranger.

    Says why, for our own record; a stranger is told what `veiled` leaves.
    """

    @classmethod
    def of(cls, error: SecurityError) -> UnprovenError:
        """Return the same refusal as one of a stranger."""
        return cls(
            error.message,
            error.fault,
            found=error.found,
            expected=error.expected,
            where=error.where,
            todo=error.todo,
        )


def why(error: SecurityError) -> str:
    """Return the reason for our record; of a certificate that is nobody's, its SHA-256 too."""
    told = f"WS-Security: {error.fault}: {error.message}"
    nobodys = error.fault == "FailedAuthentication" and error.found
    return f"{told}: {error.found}" if nobodys else told


def veiled(error: SecurityError) -> SecurityError:
    """Return what the sender of a refused message is told.

    A stranger learns by no difference whether a certificate is a peer's, or still holds.
    """
    if not isinstance(error, UnprovenError):
        return error
    return SecurityError(
        "the certificate or the signature is not accepted",
        "FailedAuthentication",
        where="/Envelope/Header/Security/Signature",
        todo="ask the operator with the Correlation-Id: the refusal was recorded with its reason",
    )


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What a Security header proved.

    peer: its code. kinds: by what; all of them prove the same peer. timestamp: the message carried
    a valid wsu:Timestamp, and expects one in the answer. signed: what the signature covers: "body",
    "timestamp", "token" (UsernameToken or certificate), and the Clark names of header blocks.
    certificate: DER of the signer. signature: its value. seen: by what its message is known again.
    """

    peer: str
    kinds: frozenset[Kind]
    timestamp: bool
    signed: frozenset[str] = frozenset()
    certificate: bytes = b""
    signature: bytes = b""
    seen: bytes = b""
