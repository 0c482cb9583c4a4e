"""The one policy function: who is calling, and may they.

Every wire asks here. What a caller must prove belongs to the peer and holds on every port:
`require` is `key` today (API key or HTTP Basic); `digest`, `certificate` and `signature` join the
same function. A refusal is recorded and never says which part was wrong.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg
import structlog

from gateway.access import keys
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


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """An authenticated peer."""

    peer: str
    role: str = "partner"
    test: bool = False
    disclosure: str = "reference_only"
    options: dict[str, Any] = {}


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """A live key of a peer."""

    caller: Caller
    secret_sha256: bytes


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

    def enter(self, headers: Mapping[str, str], address: str, *, tls: bool, path: str) -> Caller:
        """Return the caller, or raise AccessError; headers are lower-cased.

        Plain HTTP from beyond loopback is refused before the key is looked at, so that a key never
        crosses a wire in the clear twice.
        """
        if not tls and not self._trusted_wire and not is_loopback(address):
            self._refuse("plain HTTP beyond loopback", "", address, path)
            raise AccessError(
                "plain HTTP is not accepted from this address",
                todo="use https, or set trusted_wire where something else protects the wire",
            )
        shown = keys.presented(headers.get("authorization", ""), headers.get("x-api-key", ""))
        if shown is None:
            self._refuse("no credential", "", address, path)
            raise AccessError(
                "a credential is required", todo="send HTTP Basic (peer:key) or X-API-Key"
            )
        credential = self._lookup(shown.id)
        if (
            credential is None
            or not keys.matches(shown, credential.secret_sha256)
            or (shown.peer and shown.peer != credential.caller.peer)
        ):
            self._refuse("wrong credential", shown.peer, address, path)
            raise AccessError("the credential is not accepted")
        return credential.caller

    @property
    def fresh(self) -> bool:
        """Whether `enter` will answer from memory, so that it may be called on the event loop."""
        return self._clock() - self._read_at <= FRESH_SECONDS

    def any_credential(self) -> bool:
        """Whether some peer can authenticate; without one only loopback may be listened on."""
        self._read()
        return bool(self._credentials)

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
                    secret_sha256=row[10],
                )
                for row in rows
                if row[9] is not None
            }
            self._read_at = self._clock()

    def _refuse(self, reason: str, peer: str, address: str, path: str) -> None:
        self._refused(Refused(reason=reason, peer=peer[:200], address=address, path=path[:200]))


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A call turned away before its content was looked at."""

    reason: str
    peer: str
    address: str
    path: str


@lru_cache(1024)
def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own; an empty one is a unix socket."""
    if not address:
        return True
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False
