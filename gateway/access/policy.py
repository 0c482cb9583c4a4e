"""The one policy function: who is calling, and may they.

Every wire asks here. What a caller must prove belongs to the peer and holds on every port:
`require` is `key` or `basic` today (API key or HTTP Basic, one secret); a peer whose row asks for
more is refused, because nothing here can check it yet. A refusal is recorded and never says which
part was wrong.
"""

from __future__ import annotations

import threading
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import psycopg
import structlog

from gateway.access import keys
from gateway.access.proxies import parse
from gateway.errors import AccessError, BusyError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

log = structlog.get_logger(__name__)

FRESH_SECONDS = 2.0
"""How long a process may go on with the peers it read: a disabled key ends within it."""

PEERS = """
SELECT p.code, p.name, p.adapter, p.role, p.require, p.test, p.disclosure, p.options,
       p.callback_hosts, c.id, c.secret_sha256
FROM peer p
LEFT JOIN credential c ON c.peer = p.code AND c.kind = 'key' AND c.disabled_at IS NULL
WHERE p.enabled
"""


PROVEN_BY_KEY = frozenset(("key", "basic"))
"""Values of `require` that a key satisfies."""


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """An authenticated peer."""

    peer: str
    role: str = "partner"
    test: bool = False
    disclosure: str = "reference_only"
    options: dict[str, Any] = {}


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """A live key of a peer, and what the peer must prove."""

    caller: Caller
    require: str
    secret_sha256: bytes


class _No(NamedTuple):
    """Why a caller is turned away, for us and for him; peer: the code that he named."""

    reason: str
    error: AccessError
    peer: str = ""


class Gate:
    """Authenticates callers against the peers of the database, read at most every two seconds."""

    def __init__(
        self,
        url: str,
        *,
        trusted_wire: bool,
        refused: Callable[[Refused], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._trusted_wire = trusted_wire
        self._refused = refused
        self._clock = clock
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._credentials: dict[str, Credential] = {}

    def enter(
        self,
        headers: Mapping[str, str],
        address: str,
        *,
        tls: bool,
        path: str,
        correlation: str = "",
    ) -> Caller:
        """Return the caller, or record the refusal and raise AccessError.

        headers: with lower-case names. correlation: id of the call, by which a refusal is found.
        """
        found = self._judge(headers, address, tls=tls)
        if isinstance(found, Caller):
            return found
        self._refused(
            Refused(
                reason=found.reason,
                peer=found.peer[:200],
                address=address,
                path=path[:200],
                correlation=correlation,
            )
        )
        raise found.error

    def _judge(self, headers: Mapping[str, str], address: str, *, tls: bool) -> Caller | _No:
        """Say who is calling, or why nobody may.

        Plain HTTP from beyond loopback is refused before the key is looked at, and without a
        challenge, so that a key never crosses a wire in the clear twice.
        """
        if not tls and not self._trusted_wire and not is_loopback(address):
            error = AccessError(
                "plain HTTP is not accepted from this address",
                todo="use https; the operator names a proxy that ends TLS in trusted_proxies",
            )
            return _No("plain HTTP beyond loopback", error)
        shown = keys.presented(headers.get("authorization", ""), headers.get("x-api-key", ""))
        if shown is None:
            error = AccessError(
                "a credential is required",
                challenge=True,
                todo="send HTTP Basic (peer:key) or X-API-Key",
            )
            return _No("no credential", error)
        credential = self._lookup(shown.id)
        if (
            credential is None
            or not keys.matches(shown, credential.secret_sha256)
            or (shown.peer and shown.peer != credential.caller.peer)
        ):
            error = AccessError("the credential is not accepted", challenge=True)
            return _No("wrong credential", error, shown.peer)
        if credential.require not in PROVEN_BY_KEY:
            error = AccessError(
                "a key alone is not enough for this caller", todo="ask the gateway's operator"
            )
            reason = f"a key, where {credential.require} is required"
            return _No(reason, error, credential.caller.peer)
        return credential.caller

    @property
    def fresh(self) -> bool:
        """Whether `enter` will answer from memory, so that it may be called on the event loop."""
        return self._clock() - self._read_at <= FRESH_SECONDS

    def any_credential(self) -> bool:
        """Whether some peer can authenticate; without one only loopback may be listened on."""
        self._read()
        return any(c.require in PROVEN_BY_KEY for c in self._credentials.values())

    def _lookup(self, key_id: str) -> Credential | None:
        if self._clock() - self._read_at > FRESH_SECONDS:
            self._read()
        return self._credentials.get(key_id)

    def _read(self) -> None:
        with self._lock:
            if self._clock() - self._read_at <= FRESH_SECONDS:
                return
            try:
                with psycopg.connect(self._url, connect_timeout=3) as connection:
                    rows = connection.execute(PEERS).fetchall()
            except psycopg.OperationalError as error:
                if not self._credentials:
                    raise BusyError("the store is away", where="access") from error
                log.warning("access.stale_peers")
                self._read_at = self._clock()
                return
            self._credentials = {
                row[9]: Credential(
                    caller=Caller(
                        peer=row[0], role=row[3], test=row[5], disclosure=row[6], options=row[7]
                    ),
                    require=row[4],
                    secret_sha256=row[10],
                )
                for row in rows
                if row[9] is not None
            }
            self._read_at = self._clock()


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A call turned away before its content was looked at."""

    reason: str
    peer: str
    address: str
    path: str
    correlation: str = ""


@lru_cache(1024)
def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own; an empty one is a unix socket."""
    if not address:
        return True
    found = parse(address)
    return found is not None and found.is_loopback
