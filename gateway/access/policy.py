"""The one policy function: who is calling, and may they.

Every wire asks here. What a caller must prove belongs to the peer and holds on every port: `key` or
`basic` (an API key, in a header of HTTP or as a UsernameToken), `digest` (UsernameToken with
PasswordDigest), `certificate` (of TLS), `signature` (WS-Security). HTTP and TLS are looked at
first; what stands in the message is looked at when it was read, and until then its sender is a
stranger. A refusal is recorded and never says which part was wrong.
"""

from __future__ import annotations

import threading
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import structlog

from gateway import limits
from gateway.access import keys
from gateway.access.certificates import fingerprint
from gateway.access.known import PROVEN_BY_KEY, PROVEN_IN_MESSAGE, Caller, Keys, Known, Reader
from gateway.access.nonces import Nonces
from gateway.access.passed import header_name
from gateway.access.proxies import parse
from gateway.access.seals import Seals
from gateway.access.strangers import Strangers
from gateway.errors import AccessError, BusyError
from gateway.soap.security import smev2

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from gateway.soap.security import Proof

__all__ = ["PROVEN_BY_KEY", "Caller", "Gate", "Refused", "Stranger", "is_loopback"]

log = structlog.get_logger(__name__)

FRESH_SECONDS = 2.0
AHEAD_SECONDS = 1.0
"""When they are so old, peers are read again before anybody has to wait for it."""
"""How long a process may go on with the peers it read: a disabled key ends within it."""
STRANGER_BYTES: Final = limits.MB
"""What is read of a caller before it has proven anything: the envelope, without attachments."""

SIGNED: Final = frozenset(("body", "timestamp"))
"""What a signature has to cover, so that it says what is asked and when."""


class Stranger(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may still say who he is in the message.

    root_bytes: how much of the envelope may be read, unpacked. Past it the stranger is not told
    that it is too large but asked for a credential, by `Gate.prove` without a proof: a client that
    sends HTTP Basic when it is asked would otherwise never learn that it should. peer: code of the
    peer whose key or certificate came and is not enough; the proof has to be of the same one.
    """

    root_bytes: int = STRANGER_BYTES
    peer: str = ""
    address: str = ""


class _No(NamedTuple):
    """Why a caller is turned away, for us and for him.

    peer: the code that he named. nobody: no credential came that is any peer's, so that the
    message may still bring one.
    """

    reason: str
    error: AccessError
    peer: str = ""
    nobody: bool = False


class Gate:
    """Authenticates callers against the peers of the database, read at most every two seconds.

    seals: open the secrets for digests. certificate_header: in which header a trusted proxy hands
    on the certificate of its caller; empty: in none. clock: seconds that never go back; now:
    seconds since 1970.
    """

    def __init__(
        self,
        url: str,
        *,
        trusted_wire: bool,
        refused: Callable[[Refused], None],
        seals: Seals | None = None,
        certificate_header: str = "",
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._reader = Reader(url, seals or Seals())
        self.trusted_wire = trusted_wire
        self._refused = refused
        self.certificate_header = header_name(certificate_header)
        self._clock = clock
        self._now = now
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._known = Known()
        self._strangers = Strangers(clock)
        self._nonces = Nonces(url, now)
        self.keys = Keys(lambda: self._known, now)

    def enter(
        self,
        headers: Mapping[str, str],
        address: str,
        *,
        tls: bool,
        path: str,
        correlation: str = "",
        certificate: bytes = b"",
    ) -> Caller:
        """Return the caller by what HTTP and TLS say, or record the refusal and raise AccessError.

        headers: with lower-case names. correlation: id of the call, by which a refusal is found.
        certificate: of TLS, as DER.
        """
        found = self._judge(headers, address, tls=tls, certificate=certificate)
        if isinstance(found, Caller):
            return found
        if isinstance(found, Stranger):
            found = self._only_in_message(found.peer)
        raise self._refuse(found, address, path, correlation)

    def knock(
        self,
        headers: Mapping[str, str],
        address: str,
        *,
        tls: bool,
        path: str,
        correlation: str = "",
        certificate: bytes = b"",
    ) -> Caller | Stranger:
        """Return the caller as `enter` does, or a stranger who may prove himself in the message.

        A stranger only where some peer could do that, and not too many from one address.
        """
        found = self._judge(headers, address, tls=tls, certificate=certificate)
        if isinstance(found, _No):
            if not (
                found.nobody
                and self._known.in_message
                and _may_fit(headers)
                and self._strangers.admit(address)
            ):
                raise self._refuse(found, address, path, correlation)
            return Stranger(address=address)
        return found

    def prove(
        self,
        found: Caller | Stranger,
        proof: Proof | None,
        *,
        address: str,
        path: str,
        correlation: str = "",
    ) -> Caller:
        """Return the caller by what `knock` found and what the message proved, or refuse.

        A caller who is known already may prove more, but nobody else than himself.
        """
        if proof is None and isinstance(found, Caller):
            return found
        judged = self._weigh(found, proof)
        if isinstance(judged, _No):
            raise self._refuse(judged, address, path, correlation)
        if isinstance(found, Stranger) and not found.peer:
            self._strangers.proven(found.address)
        return judged

    def record(
        self,
        reason: str,
        *,
        peer: str = "",
        address: str,
        path: str,
        correlation: str = "",
        code: str = AccessError.code,
    ) -> None:
        """Record a refusal that was decided elsewhere: a Security header that proves nothing."""
        self._refused(
            Refused(
                reason=reason,
                peer=peer[:200],
                address=address,
                path=path[:200],
                correlation=correlation,
                code=code,
            )
        )

    def seen(self, nonce: bytes, until: datetime, kind: str = "nonce") -> bool:
        """Whether a nonce came before; if not, remember it until then, for all nodes.

        Blocks: to be called in a thread. Raises BusyError when the database is away.
        """
        return self._nonces.seen(nonce, until, kind)

    def close(self) -> None:
        """Let go of the database."""
        self._nonces.close()

    @property
    def age(self) -> float:
        """How many seconds ago peers were read; up to FRESH_SECONDS a call may be judged by it."""
        return self._clock() - self._read_at

    def refresh(self) -> None:
        """Read the peers again ahead of time; takes a thread."""
        self._read(AHEAD_SECONDS)

    def peer(self, code: str) -> Caller | None:
        """Return an enabled peer that this house speaks for itself: the cabinet. Takes a thread."""
        self._read()
        return self._known.callers.get(code)

    def any_credential(self) -> bool:
        """Whether some peer can authenticate; without one only loopback may be listened on."""
        self._read()
        return bool(self._known.able)

    def _judge(
        self, headers: Mapping[str, str], address: str, *, tls: bool, certificate: bytes
    ) -> Caller | Stranger | _No:
        """Say who is calling, or why nobody may.

        Plain HTTP from beyond loopback is refused before the key is looked at, and without a
        challenge, so that a key never crosses a wire in the clear twice. A key decides whose call
        it is; a certificate does where no key came.
        """
        if not tls and not self.trusted_wire and not is_loopback(address):
            error = AccessError(
                "plain HTTP is not accepted from this address",
                todo="use https; the operator names a proxy that ends TLS in trusted_proxies",
            )
            return _No("plain HTTP beyond loopback", error)
        shown = keys.presented(headers.get("authorization", ""), headers.get("x-api-key", ""))
        if self._clock() - self._read_at > FRESH_SECONDS:
            self._read()
        if shown is None:
            return self._by_certificate(certificate)
        credential = self._known.keys.get(shown.id)
        if (
            credential is None
            or not keys.matches(shown, credential.secret_sha256)
            or (shown.peer and shown.peer != credential.caller.peer)
        ):
            named = shown.peer or (credential.caller.peer if credential else "")
            return _No("wrong credential", _not_accepted(), named)
        caller = credential.caller
        if caller.require in PROVEN_BY_KEY:
            return caller
        return self._beyond_key(caller, certificate)

    def _beyond_key(self, caller: Caller, certificate: bytes) -> Caller | Stranger | _No:
        """Look at what came beside the right key of a peer that must prove more."""
        if caller.require in PROVEN_IN_MESSAGE:
            return Stranger(root_bytes=limits.SOAP_ROOT_BYTES, peer=caller.peer)
        if caller.require == "certificate" and self.keys.in_force(certificate) == caller.peer:
            return caller
        error = AccessError(
            "a key alone is not enough for this caller", todo="ask the gateway's operator"
        )
        return _No(f"a key, where {caller.require} is required", error, caller.peer)

    def _by_certificate(self, certificate: bytes) -> Caller | Stranger | _No:
        """Say whose call it is that brought no key."""
        reason = "no credential"
        if certificate:
            peer = self.keys.in_force(certificate)
            caller = self._known.callers.get(peer) if peer is not None else None
            if caller is not None and caller.require == "certificate":
                return caller
            if caller is not None and caller.require in PROVEN_IN_MESSAGE:
                return Stranger(root_bytes=limits.SOAP_ROOT_BYTES, peer=caller.peer)
            reason = (
                f"a certificate, where {caller.require} is required"
                if caller is not None
                else f"a certificate of nobody, or not in force: {fingerprint(certificate)}"
            )
        error = AccessError(
            "a credential is required",
            challenge=True,
            todo="send HTTP Basic (peer:key) or X-API-Key",
        )
        return _No(reason, error, nobody=True)

    def _weigh(self, found: Caller | Stranger, proof: Proof | None) -> Caller | _No:
        """Hold what the message proved against what was found before, and against the row."""
        if proof is None:
            if found.peer:
                return self._only_in_message(found.peer)
            judged = self._by_certificate(b"")
            assert isinstance(judged, _No)
            return judged
        caller = self._known.callers.get(proof.peer)
        if caller is None or (found.peer and found.peer != proof.peer):
            return _No("a proof of another peer, or of one that is disabled", _not_accepted())
        if isinstance(found, Caller) or _meets(caller, proof):
            return caller
        shown = " + ".join(sorted(proof.kinds))
        if "signature" in proof.kinds:
            shown += " over " + " and ".join(sorted(proof.signed) or ("nothing",))
        error = AccessError(
            "this proof is not enough for this caller", todo="ask the gateway's operator"
        )
        return _No(f"{shown}, where {caller.require} is required", error, caller.peer)

    def _only_in_message(self, peer: str) -> _No:
        """Refuse a peer that has to prove itself in the message and did not."""
        caller = self._known.callers.get(peer)
        require = caller.require if caller is not None else "more"
        what = "a signature" if require == "signature" else "a password digest"
        error = AccessError(
            f"a key or a certificate of TLS alone is not enough for this caller: {what} in the"
            " WS-Security header of a SOAP message is",
            todo="call the SOAP service; other ports carry no such proof",
        )
        return _No(f"a key, where {require} is required", error, peer)

    def _refuse(self, no: _No, address: str, path: str, correlation: str) -> AccessError:
        self.record(no.reason, peer=no.peer, address=address, path=path, correlation=correlation)
        return no.error

    def _read(self, older: float = FRESH_SECONDS) -> None:
        with self._lock:
            if self.age <= older:
                return
            try:
                self._known = self._reader.read()
            except BusyError:
                if not self._known.callers:
                    raise
                log.warning("access.stale_peers")
            self._read_at = self._clock()


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A call turned away before its content was looked at.

    told: its security event was written by whoever refused it.
    """

    reason: str
    peer: str
    address: str
    path: str
    correlation: str = ""
    code: str = AccessError.code
    told: bool = False


@lru_cache(1024)
def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own; an empty one is a unix socket."""
    if not address:
        return True
    found = parse(address)
    return found is not None and found.is_loopback


def _meets(caller: Caller, proof: Proof) -> bool:
    """Whether a message proved what a row requires."""
    require = caller.require
    if require in PROVEN_BY_KEY:
        return "text" in proof.kinds
    if require == "digest":
        return "digest" in proof.kinds
    signed = smev2.SIGNED if caller.untimed else SIGNED
    return require == "signature" and "signature" in proof.kinds and proof.signed >= signed


def _not_accepted() -> AccessError:
    return AccessError("the credential is not accepted", challenge=True)


def _may_fit(headers: Mapping[str, str]) -> bool:
    """Whether an envelope may be as short as a stranger's must be, by the length that HTTP says.

    One that cannot be is not sent for nothing: its client waits for `100 Continue`, or is asked for
    a credential at once. A package holds the envelope and more.
    """
    length = headers.get("content-length", "")
    if not length.isdecimal() or headers.get("content-type", "").lower().startswith("multipart/"):
        return True
    return len(length) < 9 and int(length) <= STRANGER_BYTES
