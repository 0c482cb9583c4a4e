"""Where a connection may go and how long it may take: the low half of `gateway.outbound`.

A name is resolved once, the addresses are checked against the ranges the peer's row allows, and
the connection is opened at exactly those addresses, while SNI, the certificate check and the Host
header keep the name. Sockets carry a total deadline, because a timeout per read lets a peer that
sends one byte a second hold a worker for hours.
"""

from __future__ import annotations

import contextlib
import ipaddress
import queue
import socket
import ssl
import threading
from functools import lru_cache
from select import POLLIN, poll
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from gateway.errors import ConfigurationError, PeerUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

TOLERANCE_SECONDS: Final = 0.02
"""How exactly a socket keeps the deadline: setting its timeout is a system call each time."""
RESOLVED_SECONDS: Final = 60.0
"""How long a checked address is kept for new connections."""
_PORTS: Final = {"http": 80, "https": 443}
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_NOT_PUBLIC: Final = tuple(
    map(ipaddress.IPv6Network, ("64:ff9b:1::/48", "::ffff:0:0:0/96", "::/96", "fec0::/10"))
)
"""Local NAT64 (RFC 8215), SIIT (RFC 2765), IPv4-compatible and site-local addresses, which were
given up: Python calls some of them global, and a translator takes them into the inner network."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Target(NamedTuple):
    """A parsed absolute URL: host is lower case and without brackets, path holds the query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """`host:port`, an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def named(self) -> str:
        """What stands in Host: the authority without the scheme's own port (RFC 9110 §4.2)."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == _PORTS[self.scheme] else f"{name}:{self.port}"


@lru_cache(maxsize=512)
def parse_target(url: str) -> Target:
    """Return the parts of an absolute http or https URL; raise ConfigurationError otherwise."""
    try:
        parts = parse_url(url)
    except LocationParseError as e:
        raise ConfigurationError("not a URL", found=url) from e
    if parts.scheme not in {"http", "https"} or not parts.host:
        raise ConfigurationError(
            "an outbound address must be absolute", found=url, expected="http://… or https://…"
        )
    if parts.auth:
        raise ConfigurationError(
            "credentials do not belong into an address", found=parts.host, where="url"
        )
    port = parts.port or _PORTS[parts.scheme]
    return Target(parts.scheme, parts.host.strip("[]").lower(), port, parts.request_uri)


class Resolver:
    """Finds the addresses of names and keeps those that may be spoken to, for a minute.

    allow_private: addresses or networks outside the public Internet that may be spoken to
    (`10.1.0.0/16`, `127.0.0.1`). trusted: names whose address is not checked (the proxy's).
    """

    def __init__(self, allow_private: Sequence[str] = (), trusted: Sequence[str] = ()) -> None:
        try:
            self._private = tuple(ipaddress.ip_network(n, strict=False) for n in allow_private)
        except ValueError as e:
            raise ConfigurationError(str(e), where="allow_private") from e
        self._trusted = frozenset(trusted)
        self._known: dict[str, tuple[float, tuple[Address, ...]]] = {}

    def addresses(self, host: str, deadline: float) -> tuple[Address, ...]:
        """The allowed addresses of a name or literal.

        Raises PeerUnavailable when the name service gives none before `deadline` (monotonic
        seconds), ConfigurationError when it gives only addresses that are not allowed.
        """
        if literal := _literal(host):
            return self._checked(host, (literal,))
        known = self._known.get(host)
        if known and known[0] > monotonic():
            return known[1]
        found = _look_up(host, deadline - monotonic())
        if isinstance(found, OSError):
            raise PeerUnavailable(f"no address for {host}: {found}", where=host) from found
        addresses = self._checked(host, found)
        self._known[host] = (monotonic() + RESOLVED_SECONDS, addresses)
        return addresses

    def refuse_literal(self, host: str) -> None:
        """Raise ConfigurationError when the host is a literal address that is not allowed."""
        if literal := _literal(host):
            self._checked(host, (literal,))

    def _checked(self, host: str, addresses: Sequence[Address]) -> tuple[Address, ...]:
        if host in self._trusted:
            return tuple(addresses)
        good = tuple(a for a in addresses if _public(a) or any(a in n for n in self._private))
        if not good:
            raise ConfigurationError(
                f"{host} is at an address outside the public Internet that is not listed",
                found=", ".join(map(str, addresses)),
                where="allow_private",
            )
        return good


class Timed:
    """Adds a total deadline and byte counts to a socket class; the counts are of one request."""

    deadline: float = 0.0
    sent: int = 0
    got: int = 0
    _armed: float = 0.0

    def left(self) -> float:
        """Seconds until the deadline; TimeoutError when it has passed."""
        left = self.deadline - monotonic()
        if left <= 0:
            raise TimeoutError("the total deadline has passed")
        return left

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Read what is there, within what is left of the deadline."""
        self._arm()
        data: bytes = super().recv(buflen, flags)  # type: ignore[misc]
        self.got += len(data)
        return data

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        """Read what is there, within what is left of the deadline."""
        self._arm()
        count: int = super().recv_into(buffer, nbytes or 0, flags)  # type: ignore[misc]
        self.got += count
        return count

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send everything within what is left of the deadline, counting what the kernel took."""
        self._arm()
        count: int = self.send(data, flags)  # type: ignore[attr-defined]
        self.sent += count
        if count == len(data):
            return
        with memoryview(data) as view, view.cast("B") as rest:
            while count < len(rest):
                self._arm()
                more = self.send(rest[count:], flags)  # type: ignore[attr-defined]
                count += more
                self.sent += more

    def _arm(self) -> None:
        """Let the next call wait for what is left; the same within TOLERANCE needs no call."""
        left = self.left()
        if abs(left - self._armed) > TOLERANCE_SECONDS:
            self.settimeout(left)  # type: ignore[attr-defined]
            self._armed = left


class TimedSocket(Timed, socket.socket):
    """A plain socket with a total deadline."""


class TimedTlsSocket(Timed, ssl.SSLSocket):
    """A TLS socket with a total deadline; `SSLContext.sslsocket_class` makes it."""


class _Pinned:
    """Opens the connection at addresses that were checked, not at what the name says by now."""

    addresses: Sequence[Address] = ()
    deadline: float = 0.0
    idle_since: float = 0.0
    _poll: Any = None
    sock: Any
    port: int

    def _new_conn(self) -> socket.socket:
        failure: OSError = OSError("no address")
        for index, address in enumerate(self.addresses):
            family = socket.AF_INET if address.version == 4 else socket.AF_INET6
            sock = TimedSocket(family, socket.SOCK_STREAM)
            sock.deadline = self.deadline
            try:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                # a dead first address must leave time for the second
                sock.settimeout(sock.left() / (len(self.addresses) - index))
                sock.connect((str(address), self.port))
                sock.settimeout(sock.left())
            except OSError as e:
                sock.close()
                failure = e
            else:
                return sock
        raise failure

    def begin(self, deadline: float) -> None:
        """Start one request: its deadline, its counts."""
        self.sock.deadline = deadline
        self.sock.sent = self.sock.got = 0
        if self._poll is None:
            self._poll = poll()
            self._poll.register(self.sock, POLLIN)

    def is_quiet(self) -> bool:
        """Whether an idle connection may be used: a peer that closed it has something to read."""
        return self._poll is not None and not self._poll.poll(0)


class PlainConnection(_Pinned, HTTPConnection):
    """HTTP to a pinned address."""


class TlsConnection(_Pinned, HTTPSConnection):
    """HTTPS to a pinned address, the certificate checked against the name."""


Connection = PlainConnection | TlsConnection


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _public(address: Address) -> bool:
    """Whether an address is public, also the IPv4 address that hides in an IPv6 one."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return _public(inner)
        if address.teredo is not None or any(address in net for net in _NOT_PUBLIC):
            return False
    return address.is_global and not address.is_multicast


def _look_up(host: str, seconds: float) -> tuple[Address, ...] | OSError:
    """Resolve within a time: getaddrinfo knows none, so it runs in a thread we may leave behind."""
    answer: queue.SimpleQueue[tuple[Address, ...] | OSError] = queue.SimpleQueue()

    def look() -> None:
        try:
            rows = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            answer.put(tuple(dict.fromkeys(ipaddress.ip_address(r[4][0]) for r in rows)))
        except (OSError, UnicodeError, ValueError) as e:
            answer.put(e if isinstance(e, OSError) else OSError(str(e)))

    threading.Thread(target=look, daemon=True, name="gateway-resolve").start()
    with contextlib.suppress(queue.Empty):
        return answer.get(timeout=max(seconds, 0.001))
    return TimeoutError("the name service did not answer in time")
