"""The one HTTP client of the house: every byte that leaves for a peer goes through `Outbound`.

What it adds to connections of urllib3 (design §2.12, §2.15):

- only hosts named in the peer's row are spoken to, whatever a message or a redirect says;
- a name is resolved once and pinned, private ranges only if listed (`gateway.pinning`);
- `timeout` is a total: from the name look-up to the last byte of the answer, also against a peer
  that sends one byte a second;
- a failure says whether the peer can have stored anything: `PeerUnavailable` when no byte of this
  request can have been processed, `PeerDoubtful` for everything after the first byte.

A request is never repeated by itself after a byte of it was sent, unless it stores nothing.
A body may be too large for memory: a `Body` says its size and gives its bytes piece by piece.
"""

from __future__ import annotations

import ssl
import sys
import threading
from http.client import HTTPException
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn, Protocol

from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import make_headers, parse_url

from gateway import http1, limits
from gateway.echo import hidden
from gateway.errors import (
    ConfigurationError,
    GatewayError,
    InternalError,
    PeerDoubtful,
    PeerRefused,
    PeerUnavailable,
)
from gateway.gost.certificates import require_for_tls
from gateway.http1 import Response
from gateway.pinning import (
    Connection,
    PlainConnection,
    Resolver,
    Target,
    Timed,
    TimedTlsSocket,
    TlsConnection,
    parse_target,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

__all__ = ["Answered", "Body", "ClientCertificate", "Outbound", "Response", "check"]

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
KEEP_ALIVE_SECONDS: Final = 4.0
"""Idle connections older than this are not reused: most servers close theirs after 5 s, and a
request that meets that close is a doubt nobody needed."""
_READ_BYTES: Final = 65_536
_ONE_WRITE_BYTES: Final = 65_536
"""Up to here head and body leave in one packet; copying a larger body costs more than a write."""
_FAILURES: Final = (OSError, HTTPError, HTTPException, ValueError)


class ClientCertificate(NamedTuple):
    """Files of the certificate we show to a peer, PEM; `password` opens the key."""

    cert_file: str
    key_file: str = ""
    password: str = ""

    def __repr__(self) -> str:
        """Say which files, and nothing of the password."""
        return f"ClientCertificate({self.cert_file!r}, {self.key_file!r})"


class Body(Protocol):
    """A request's body that is read while it is sent.

    Its pieces are asked for again when a connection turns out to be stale before a byte was sent.
    """

    @property
    def size(self) -> int:
        """Bytes in all."""
        ...

    def pieces(self) -> Iterator[bytes]:
        """Yield the body from its beginning; raise GatewayError only."""
        ...


class Answered(Exception):
    """The answer behind an error: its cause, so that the bytes can be kept as evidence.

    It says nothing of the content, which may hold personal data.
    """

    def __init__(self, response: Response) -> None:
        super().__init__(f"HTTP {response.status}, {len(response.body)} bytes")
        self.response = response


def check(response: Response, peer: str, *, safe: bool = False) -> Response:
    """Return a 2xx answer; otherwise raise what the status says about our delivery.

    429 and 503 promise that nothing was taken; 408 and other 5xx promise nothing, so they are a
    doubt unless the request is safe; the rest (3xx included: redirects are not followed) is a "no".
    """
    status = response.status
    if 200 <= status < 300:
        return response
    text = response.body[:200].decode("utf-8", "replace").strip()
    found = f"{status} {text}".strip()
    answered = Answered(response)
    if status in {429, 503}:
        raise PeerUnavailable(f"{peer} asks to come later", found=found) from answered
    if status == 408 or status >= 500:
        kind = PeerUnavailable if safe else PeerDoubtful
        raise kind(f"{peer} failed while it had our request", found=found) from answered
    raise PeerRefused(f"{peer} refused", found=found) from answered


class Outbound:
    """A pooled, thread-safe HTTP client bound to one peer's row.

    allowed_hosts: `host` (any port) or `host:port`, exact, no wildcards. allow_private: see
    `Resolver`. ca_bundle: PEM file of the authorities trusted instead of the system's. proxy:
    `http://host:port`; behind it names are resolved by the proxy, so only literal addresses can be
    checked against allow_private. proxy_login: `user:password` for it. timeout: seconds, a total.
    Raises ConfigurationError for settings that cannot work.
    """

    def __init__(
        self,
        *,
        allowed_hosts: Sequence[str],
        allow_private: Sequence[str] = (),
        ca_bundle: str = "",
        proxy: str = "",
        proxy_login: str = "",
        client_cert: ClientCertificate | None = None,
        timeout: float = 30.0,
        max_response_bytes: int = 64 * limits.MB,
        max_idle: int = 8,
    ) -> None:
        self.timeout = timeout
        self.max_response_bytes = max_response_bytes
        self._allowed = frozenset(h.strip().lower() for h in allowed_hosts)
        self._proxy, self._proxy_headers = _proxy(proxy, proxy_login)
        self._resolver = Resolver(allow_private, (self._proxy.host,) if self._proxy else ())
        self._tls = _tls_context(ca_bundle, client_cert)
        self._max_idle = max_idle
        self._idle: dict[tuple[str, str, int], list[Connection]] = {}
        self._lock = threading.Lock()

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | Body = b"",
        timeout: float | None = None,
        safe: bool | None = None,
    ) -> Response:
        """Send once and return the complete answer, whatever its status.

        safe: this request stores nothing at the peer (default: by the method), so a broken answer
        is PeerUnavailable and a connection found stale is replaced once. Raises ConfigurationError
        for an address the peer's row does not allow (nothing was sent), PeerUnavailable when
        nothing can have been stored, PeerDoubtful when it may have been.
        """
        target = parse_target(url)
        self._allow(target)
        deadline = monotonic() + (self.timeout if timeout is None else timeout)
        safe = method in SAFE_METHODS if safe is None else safe
        conn, reused = self._take(target, deadline)
        while True:
            sock = conn.sock
            try:
                return self._exchange(conn, target, method, headers or {}, body)
            except _FAILURES as e:
                conn.close()
                untouched = sock.sent == 0 or (safe and sock.got == 0)
                if not (reused and untouched) or isinstance(e, ValueError):
                    raise _verdict(e, target, sock, reused=reused, safe=safe) from e
                # the peer had closed the idle connection: nothing of this request was processed
                conn, reused = self._open(target, deadline), False
            except BaseException:
                conn.close()
                raise

    def stream(
        self,
        url: str,
        peer: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        headed: Callable[[int, Mapping[str, str]], None] | None = None,
    ) -> Generator[bytes, None, None]:
        """GET, and yield the body of a 2xx answer as it comes, however much; the caller counts.

        timeout: a total too, the caller's own work on what came included. headed: is told status
        and headers of a 2xx answer before its first piece, and may raise. Raises as `request` and
        `check` do, for a request that stores nothing.
        """
        target = parse_target(url)
        self._allow(target)
        deadline = monotonic() + (self.timeout if timeout is None else timeout)
        conn, reused = self._take(target, deadline)
        while True:
            sock = conn.sock
            answer = http1.Answer("GET", sys.maxsize)
            try:
                self._send(conn, target, "GET", headers or {}, b"")
                while not answer.whole:
                    answer.feed(sock.recv(_READ_BYTES))
                    if answer.status >= 300:
                        answer.limit = self.max_response_bytes
                    elif answer.status >= 200:
                        if headed is not None:
                            headed(answer.status, answer.headers)
                            headed = None
                        yield from answer.pieces()
            except _FAILURES as e:
                conn.close()
                if not (reused and sock.got == 0) or isinstance(e, ValueError):
                    raise _verdict(e, target, sock, reused=reused, safe=True) from e
                conn, reused = self._open(target, deadline), False
            except BaseException:  # the caller has seen enough, too
                conn.close()
                raise
            else:
                self._end(conn, target, answer)
                check(answer.response(), peer, safe=True)
                return

    def close(self) -> None:
        """Close the idle connections; those in use are closed when their request ends."""
        with self._lock:
            idle, self._idle, self._max_idle = self._idle, {}, 0
        for conn in (c for stack in idle.values() for c in stack):
            conn.close()

    def _exchange(
        self,
        conn: Connection,
        target: Target,
        method: str,
        headers: Mapping[str, str],
        body: bytes | Body,
    ) -> Response:
        self._send(conn, target, method, headers, body)
        answer = http1.Answer(method, self.max_response_bytes)
        while not answer.whole:
            answer.feed(conn.sock.recv(_READ_BYTES))
        self._end(conn, target, answer)
        return hidden(answer.response(), headers)

    def _send(
        self,
        conn: Connection,
        target: Target,
        method: str,
        headers: Mapping[str, str],
        body: bytes | Body,
    ) -> None:
        path, sock = target.path, conn.sock
        if self._proxy and target.scheme == "http":
            path = f"http://{target.authority}{target.path}"
            headers = {**headers, **self._proxy_headers}
        size = len(body) if isinstance(body, bytes) else body.size
        head = http1.head(method, path, target.named, headers, size)
        try:
            if not isinstance(body, bytes):
                sock.sendall(head)
                for piece in _measured(body):
                    sock.sendall(piece)
            elif size <= _ONE_WRITE_BYTES:
                sock.sendall(head + body)
            else:
                sock.sendall(head)
                sock.sendall(body)
        except (BrokenPipeError, ConnectionResetError):
            # a peer may answer "too large" and close before it has read everything
            if not sock.sent:
                raise

    def _end(self, conn: Connection, target: Target, answer: http1.Answer) -> None:
        if answer.lasts:
            self._give_back(conn, target)
        else:
            conn.close()

    def _allow(self, target: Target) -> None:
        if target.host not in self._allowed and target.authority not in self._allowed:
            raise ConfigurationError(
                "the peer's row does not allow this host",
                found=target.authority,
                expected=", ".join(sorted(self._allowed)),
                where="allowed_hosts",
            )

    def _take(self, target: Target, deadline: float) -> tuple[Connection, bool]:
        """An idle connection that still looks alive, or a new one; True when it was used before."""
        while True:
            with self._lock:
                stack = self._idle.get(target[:3])
                conn = stack.pop() if stack else None
            if conn is None:
                return self._open(target, deadline), False
            if monotonic() - conn.idle_since < KEEP_ALIVE_SECONDS and conn.is_quiet():
                conn.begin(deadline)
                return conn, True
            conn.close()

    def _give_back(self, conn: Connection, target: Target) -> None:
        conn.idle_since = monotonic()
        with self._lock:
            stack = self._idle.setdefault(target[:3], [])
            if len(stack) < self._max_idle:
                stack.append(conn)
                return
        conn.close()

    def _open(self, target: Target, deadline: float) -> Connection:
        host, port = (self._proxy.host, self._proxy.port) if self._proxy else target[1:3]
        self._resolver.refuse_literal(target.host)
        addresses = self._resolver.addresses(host, deadline)
        conn: Connection
        if target.scheme == "https":
            conn = TlsConnection(host, port, ssl_context=self._tls)
            if self._proxy:
                conn.set_tunnel(target.host, target.port, self._proxy_headers, scheme="http")
        else:
            conn = PlainConnection(host, port)
        conn.addresses, conn.deadline = addresses, deadline
        try:
            conn.connect()
            conn.begin(deadline)
        except _FAILURES as e:
            conn.close()
            raise PeerUnavailable(
                f"no connection to {target.authority}: {_say(e)}", where=target.host
            ) from e
        except BaseException:
            conn.close()
            raise
        return conn


def _measured(body: Body) -> Iterator[bytes]:
    """Yield the pieces of a body; raise InternalError rather than send one of another length."""
    size = 0
    for piece in body.pieces():
        size += len(piece)
        if size > body.size:
            break
        yield piece
    if size != body.size:
        raise InternalError(
            "a body is not of the length that was announced",
            found=str(size),
            expected=str(body.size),
        )


def _verdict(
    error: Exception, target: Target, sock: Timed, *, reused: bool, safe: bool
) -> GatewayError:
    """Say whether the peer can have stored anything (module docstring)."""
    name = target.authority
    if sock.sent == 0 and isinstance(error, ValueError):
        return ConfigurationError(f"this request cannot be put on the wire: {error}", where=name)
    if safe or sock.sent == 0 or _certificate_refused(error, sock, reused=reused):
        return PeerUnavailable(f"{name} did not answer: {_say(error)}", where=name)
    return PeerDoubtful(
        f"{name} had {sock.sent} bytes of the request and gave no complete answer: {_say(error)}",
        where=name,
    )


def _certificate_refused(error: Exception, sock: Timed, *, reused: bool) -> bool:
    """Tell a TLS 1.3 handshake that failed late: the alert comes after our first write."""
    if not isinstance(error, ssl.SSLError) or reused or sock.got:
        return False
    reason = error.reason or ""
    return "ALERT" in reason and any(
        word in reason for word in ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED")
    )


def _say(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _proxy(url: str, login: str) -> tuple[Target | None, dict[str, str]]:
    if not url:
        return None, {}
    try:
        parts = parse_url(url)
    except LocationParseError as e:
        raise ConfigurationError("not a URL", where="proxy") from e
    if parts.scheme != "http" or not parts.host or not parts.port:
        raise ConfigurationError(
            "a proxy is http://host:port", found=parts.host or "", where="proxy"
        )
    if parts.auth:
        raise ConfigurationError(
            "имя и пароль не стоят в адресе · credentials do not belong into an address",
            where="proxy",
            todo="proxy_password_file",
        )
    headers = make_headers(proxy_basic_auth=login) if login else {}
    return Target("http", parts.host.strip("[]").lower(), parts.port, "/"), dict(headers)


def _tls_context(ca_bundle: str, client_cert: ClientCertificate | None) -> ssl.SSLContext:
    def fail(where: str, error: Exception) -> NoReturn:
        raise ConfigurationError(f"cannot be loaded: {error}", where=where) from error

    try:
        context = ssl.create_default_context(cafile=ca_bundle or None)
    except OSError as e:
        fail("ca_bundle", e)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = TimedTlsSocket
    if client_cert:
        require_for_tls(Path(client_cert.cert_file), "client_cert")
        try:
            context.load_cert_chain(
                client_cert.cert_file, client_cert.key_file or None, client_cert.password
            )
        except OSError as e:
            fail("client_cert", e)
    return context
