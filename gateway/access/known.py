"""Who can prove what: the peers of the database and what proves them, as they were last read.

`Known` is one reading, never changed; `Reader` makes it, and parses a certificate or opens a secret
once, not at every reading. `Keys` is what the reader of a Security header asks
(`gateway.soap.security`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
import psycopg
import structlog

from gateway import limits
from gateway.access import certificates, keys, names
from gateway.access.certificates import Certificate
from gateway.errors import BusyError, MalformedError
from gateway.soap.security import smev2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gateway.access.seals import Seals

log = structlog.get_logger(__name__)

PROVEN_BY_KEY: Final = frozenset(("key", "basic"))
"""Values of `require` that a key satisfies."""
PROVEN_IN_MESSAGE: Final = frozenset(("digest", "signature"))
"""Values of `require` that only the Security header of a message satisfies."""

PEERS: Final = """
SELECT code, role, require, answers, test, disclosure, options, callback_hosts
FROM peer WHERE enabled
"""
CREDENTIALS: Final = """
SELECT c.id, c.peer, c.kind, c.secret_sha256 FROM credential c JOIN peer p ON p.code = c.peer
WHERE p.enabled AND c.disabled_at IS NULL
"""
BODIES: Final = "SELECT id, peer, kind, sealed, der FROM credential WHERE id = ANY(%s)"


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """An authenticated peer.

    require: what it had to prove. answers: what the answers to it must carry: `timestamp`,
    `signature` (a timestamp and a signature over it and the body), or nothing. callback_hosts:
    where answers may go that are not wanted on the same connection, `host` or `host:port`.
    """

    peer: str
    role: str = "partner"
    test: bool = False
    disclosure: str = "reference_only"
    options: dict[str, Any] = {}
    require: str = "key"
    answers: str = ""
    callback_hosts: tuple[str, ...] = ()

    @property
    def root_bytes(self) -> int:
        """How long an envelope of this caller may be."""
        return limits.SOAP_ROOT_BYTES

    @property
    def untimed(self) -> bool:
        """Whether its signatures need not cover a Timestamp: its row says СМЭВ 2."""
        return self.options.get(smev2.OPTION) == "smev2"

    @property
    def proves_in_message(self) -> bool:
        """Whether its proof stands in the Security header of its messages."""
        return self.require in PROVEN_IN_MESSAGE


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """A live key of a peer."""

    caller: Caller
    secret_sha256: bytes


class Owned(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate and the code of the peer it is registered for."""

    peer: str
    certificate: Certificate


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """One reading. certificates: by their DER."""

    callers: dict[str, Caller] = {}
    keys: dict[str, Credential] = {}
    secrets: dict[str, tuple[bytes, ...]] = {}
    certificates: dict[bytes, Owned] = {}
    able: frozenset[str] = frozenset()
    """Codes of the peers that have what their rows require."""
    in_message: bool = False
    """Whether one of them could prove itself in the Security header of a message."""


class Reader:
    """Reads the peers; remembers what it parsed. Used by one thread at a time."""

    def __init__(self, url: str, seals: Seals) -> None:
        self._url = url
        self._seals = seals
        self._secrets: dict[str, tuple[str, bytes]] = {}
        self._certificates: dict[str, Owned] = {}
        self._unreadable: set[str] = set()

    def read(self) -> Known:
        """Return who can prove what now; raise BusyError when the database is away."""
        try:
            with psycopg.connect(self._url, connect_timeout=3) as connection:
                peers = connection.execute(PEERS).fetchall()
                rows = connection.execute(CREDENTIALS).fetchall()
                ids = {row[0] for row in rows if row[2] != "key"}
                fresh = ids - self._secrets.keys() - self._certificates.keys() - self._unreadable
                bodies = connection.execute(BODIES, (list(fresh),)).fetchall() if fresh else ()
        except psycopg.OperationalError as error:
            raise BusyError("the store is away", where="access") from error
        for body in bodies:
            self._parse(*body)
        self._forget(ids)
        return self._known(peers, rows)

    def _known(self, peers: Iterable[Any], rows: Iterable[Any]) -> Known:
        callers = {
            code: Caller(
                peer=code, role=role, require=require, answers=answers, test=test,
                disclosure=disclosure, options=options, callback_hosts=tuple(hosts),
            )
            for code, role, require, answers, test, disclosure, options, hosts in peers
        }  # fmt: skip
        live = {
            id_: Credential(caller=callers[peer], secret_sha256=secret)
            for id_, peer, kind, secret in rows
            if kind == "key" and peer in callers
        }
        secrets: dict[str, tuple[bytes, ...]] = {}
        for peer, secret in self._secrets.values():
            if peer in callers:
                secrets[peer] = (*secrets.get(peer, ()), secret)
        owned = {o.certificate.der: o for o in self._certificates.values() if o.peer in callers}
        with_key = {found.caller.peer for found in live.values()}
        with_certificate = {found.peer for found in owned.values()}
        has = {
            "key": with_key,
            "basic": with_key,
            "digest": secrets.keys(),
            "certificate": with_certificate,
            "signature": with_certificate,
        }
        able = {code for code, found in callers.items() if code in has.get(found.require, ())}
        return Known(
            callers=callers,
            keys=live,
            secrets=secrets,
            certificates=owned,
            able=frozenset(able),
            in_message=any(callers[code].require != "certificate" for code in able),
        )

    def _parse(
        self, id_: str, peer: str, kind: str, sealed: bytes | None, der: bytes | None
    ) -> None:
        if kind == "digest" and sealed is not None:
            secret = self._seals.open(sealed, peer, id_)
            if secret is not None:
                self._secrets[id_] = (peer, secret)
                return
        elif kind == "certificate" and der is not None:
            try:
                self._certificates[id_] = Owned(peer=peer, certificate=certificates.read(der))
            except MalformedError:
                pass
            else:
                return
        self._unreadable.add(id_)
        log.warning("access.credential_unreadable", peer=peer, credential=id_, kind=kind)

    def _forget(self, ids: set[str]) -> None:
        """Let go of what is disabled."""
        self._unreadable &= ids
        for remembered in (self._secrets, self._certificates):
            for id_ in remembered.keys() - ids:
                del remembered[id_]


class Keys:
    """What a Security header is checked against, always by the last reading.

    known: returns it. now: seconds since 1970.
    """

    def __init__(self, known: Callable[[], Known], now: Callable[[], float]) -> None:
        self._known = known
        self._now = now

    def password(self, user: str, password: str) -> str | None:
        """Return the code of the peer that has this code and this API key, None for nobody."""
        shown = keys.presented("", password)
        found = self._known().keys.get(shown.id) if shown is not None else None
        if found is None or shown is None or found.caller.peer != user:
            return None
        return user if keys.matches(shown, found.secret_sha256) else None

    def secrets(self, user: str) -> Sequence[bytes]:
        """Return the live secrets of a peer for password digests, as UTF-8."""
        return self._known().secrets.get(user, ())

    def certificate(self, der: bytes) -> str | None:
        """Return the code of the peer that a certificate is registered for, in force or not."""
        found = self._known().certificates.get(der)
        return found.peer if found is not None else None

    def in_force(self, der: bytes) -> str | None:
        """Return the code of the peer that a certificate in force is registered for."""
        found = self._known().certificates.get(der)
        return found.peer if found is not None and found.certificate.holds(self._now()) else None

    def untimed(self, peer: str) -> bool:
        """Say whether a peer's row allows signatures without a Timestamp (`options.wsse`)."""
        found = self._known().callers.get(peer)
        return found is not None and found.untimed

    def issued(self, issuer: str, serial: int) -> bytes | None:
        """Return the registered certificate of this issuer and serial number."""
        name = names.written(issuer)
        return self._first(lambda c: c.serial == serial and c.issuer == name)

    def by_ski(self, ski: bytes) -> bytes | None:
        """Return the registered certificate with this SubjectKeyIdentifier."""
        return self._first(lambda c: c.ski == ski) if ski else None

    def by_thumbprint(self, sha1: bytes) -> bytes | None:
        """Return the registered certificate with this SHA-1 of its bytes."""
        return self._first(lambda c: c.sha1 == sha1)

    def _first(self, wanted: Callable[[Certificate], bool]) -> bytes | None:
        """Return the certificate wanted; of several the one in force that holds the longest."""
        now = self._now()
        found = [
            owned.certificate
            for owned in self._known().certificates.values()
            if wanted(owned.certificate)
        ]
        best = max(found, key=lambda c: (c.holds(now), c.not_after), default=None)
        return best.der if best is not None else None
