r"""Security events as CEF to a syslog (RFC 5424), off the way of whoever caused them.

CEF:0 (ArcSight Common Event Format, rev. 27): in the header `\` and `|` are escaped, in the
extension `\` and `=`; a line break is written as `\n`, and any other control character becomes a
replacement mark, so that nothing that a stranger sends can begin a line or a field of its own.
The queue is bounded and nothing here blocks or raises: what does not fit is dropped and counted.
Transports: UDP (RFC 5426), TCP and TLS with octet counting (RFC 6587, 3.4.1; RFC 5425), and the
datagram socket of the local syslog.
"""

from __future__ import annotations

import contextlib
import queue
import re
import socket
import ssl
import threading
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

import msgspec
import structlog

from gateway import __version__
from gateway.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

log = structlog.get_logger(__name__)

Kind = Literal[
    "login_ok",
    "login_refused",
    "login_locked",
    "session_ended",
    "access_changed",
    "call_refused",
    "trust_refused",
    "not_allowed",
    "erased",
    "exported",
]
_EVENTS: Final[dict[Kind, tuple[str, int]]] = {
    "login_ok": ("Login", 3),
    "login_refused": ("Login refused", 5),
    "login_locked": ("Login locked", 7),
    "session_ended": ("Session ended", 2),
    "access_changed": ("Access changed", 6),
    "call_refused": ("Call refused", 4),
    "trust_refused": ("Signature, certificate or token refused", 7),
    "not_allowed": ("Action not allowed", 6),
    "erased": ("Personal data erased", 6),
    "exported": ("Evidence exported", 5),
}
"""Kind → name and severity of CEF, 0 to 10."""
WAITING: Final = 1_000
SECONDS: Final = 3.0
VALUE_CHARS: Final = 1_000
DATAGRAM_BYTES: Final = 8_192
_FACILITY: Final = 10
"""authpriv (RFC 5424, 6.2.1)."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PORTS: Final = {"udp": 514, "tcp": 601, "tls": 6514}


class SecurityEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that somebody who guards the house wants to know of. No personal data.

    who: a login, a peer's code or the mark of a citizen. what: the account, role or appeal that it
    was done to. reason: a word of `gateway.errors.TrustReason` or of the refusal.
    """

    kind: Kind
    at: datetime
    who: str = ""
    address: str = ""
    what: str = ""
    reason: str = ""
    path: str = ""
    correlation: str = ""


class Syslog:
    """Sends events to a syslog in a thread.

    target: as the setting `syslog`; empty: to the log only. host: name of this machine. count: is
    called with whether an event was sent or dropped. tls: of the connection, instead of the usual
    one. Raises ConfigurationError for a target that is none.
    """

    def __init__(
        self,
        target: str,
        host: str = "",
        count: Callable[[bool], None] = lambda _sent: None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._wire = _wire(target, tls) if target else None
        self._host = host or socket.gethostname()
        self._count = count
        self._queue: queue.Queue[bytes | None] = queue.Queue(WAITING)
        self._thread: threading.Thread | None = None
        self.dropped = 0

    def start(self) -> None:
        """Start the thread, where there is somebody to send to."""
        if self._wire is not None and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="syslog", daemon=True)
            self._thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        """Send what waits, as far as that is quick, then end."""
        if self._thread is not None:
            with contextlib.suppress(queue.Full):
                self._queue.put(None, timeout=seconds)
            self._thread.join(seconds)
            self._thread = None

    def tell(self, event: SecurityEvent) -> None:
        """Take one event; never blocks, never raises."""
        log.info(
            "security.event", kind=event.kind, who=event.who, client=event.address, what=event.what,
            reason=event.reason, correlation=event.correlation,
        )  # fmt: skip
        if self._wire is None:
            return
        try:
            self._queue.put_nowait(message(event, self._host))
        except queue.Full:
            self._drop()

    def _drop(self) -> None:
        self.dropped += 1
        self._count(False)

    def _run(self) -> None:
        assert self._wire is not None
        while (item := self._queue.get()) is not None:
            try:
                self._wire.send(item)
            except OSError as error:
                self._drop()
                log.warning("syslog.not_sent", error=type(error).__name__)
            except Exception:  # nobody would miss a thread that ended
                self._drop()
                log.exception("syslog.defect")
            else:
                self._count(True)
        self._wire.close()


def message(event: SecurityEvent, host: str) -> bytes:
    """Return an event as one message of RFC 5424 with CEF in it."""
    _, severity = _EVENTS[event.kind]
    level = 4 if severity >= 5 else 6
    head = f"<{_FACILITY * 8 + level}>1 {event.at.isoformat(timespec='milliseconds')}"
    return f"{head} {_word(host)} gateway - {event.kind} - {cef(event)}".encode()


def cef(event: SecurityEvent) -> str:
    """Return an event in CEF:0, on one line."""
    name, severity = _EVENTS[event.kind]
    header = "|".join(
        _header(part)
        for part in ("CEF:0", "Appeals Gateway", "gateway", __version__, event.kind, name)
    )
    fields = {
        "rt": str(int(event.at.timestamp() * 1000)),
        "suser": event.who,
        "src": event.address,
        "duser": event.what,
        "reason": event.reason,
        "request": event.path,
        "externalId": event.correlation,
    }
    told = " ".join(f"{key}={_value(text)}" for key, text in fields.items() if text)
    return f"{header}|{severity}|{told}"


def _clean(text: str) -> str:
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text[:VALUE_CHARS])


def _header(text: str) -> str:
    return _clean(text).replace("\\", "\\\\").replace("|", "\\|")


def _value(text: str) -> str:
    breaks = text[:VALUE_CHARS].replace("\r\n", "\n").replace("\r", "\n").split("\n")
    parts = (_clean(part).replace("\\", "\\\\").replace("=", "\\=") for part in breaks)
    return "\\n".join(parts)


def _word(text: str) -> str:
    """Return printable ASCII without spaces, as HOSTNAME must be (RFC 5424, 6)."""
    return re.sub(r"[^\x21-\x7e]", "_", text)[:255] or "-"


class _Datagrams:
    """UDP, or the local syslog's socket when there is no port."""

    def __init__(self, where: str, port: int = 0) -> None:
        self._where, self._port = where, port
        self._socket: socket.socket | None = None

    def send(self, item: bytes) -> None:
        try:
            self._connected().send(item[:DATAGRAM_BYTES])
        except OSError:
            self.close()
            raise

    def _connected(self) -> socket.socket:
        if self._socket is None:
            family, where = socket.AF_UNIX, self._where
            if self._port:
                family, *_, where = socket.getaddrinfo(  # type: ignore[assignment]
                    self._where, self._port, type=socket.SOCK_DGRAM
                )[0]
            self._socket = socket.socket(family, socket.SOCK_DGRAM)
            self._socket.settimeout(SECONDS)
            self._socket.connect(where)
        return self._socket

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class _Stream:
    """TCP or TLS; each message with its length before it. A lost connection is made again once."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self._host, self._port, self._tls = host, port, tls
        self._socket: socket.socket | None = None

    def send(self, item: bytes) -> None:
        framed = b"%d %b" % (len(item), item)
        fresh = self._socket is None or self._is_closed()
        try:
            self._connected().sendall(framed)
        except OSError:
            self.close()
            if fresh:
                raise
            self._connected().sendall(framed)

    def _is_closed(self) -> bool:
        """Whether the receiver has hung up: the first write after that would be lost in silence."""
        assert self._socket is not None
        self._socket.setblocking(False)
        try:
            gone = self._socket.recv(1) == b""
        except (BlockingIOError, ssl.SSLWantReadError):
            gone = False
        except OSError:
            gone = True
        if gone:
            self.close()
            return True
        self._socket.settimeout(SECONDS)
        return False

    def _connected(self) -> socket.socket:
        if self._socket is None:
            plain = socket.create_connection((self._host, self._port), SECONDS)
            if self._tls is None:
                self._socket = plain
            else:
                try:
                    self._socket = self._tls.wrap_socket(plain, server_hostname=self._host)
                except OSError:
                    plain.close()
                    raise
        return self._socket

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _wire(target: str, tls: ssl.SSLContext | None) -> _Datagrams | _Stream:
    kind, _, path = target.partition(":")
    if kind == "unix" and path.startswith("/"):
        return _Datagrams(path)
    host, port, rest = "", None, "?"
    with contextlib.suppress(ValueError):
        url = urlsplit(target)
        host, port, rest = url.hostname or "", url.port, url.path.strip("/") + url.query
    if port is None:
        port = _PORTS.get(kind, 0)
    if kind not in _PORTS or not host or not port or rest:
        raise ConfigurationError(
            "это не адрес syslog · this is no address of a syslog",
            found=target,
            expected="udp://host:514 | tcp://host:601 | tls://host:6514 | unix:/dev/log",
            where="syslog",
        )
    if kind == "udp":
        return _Datagrams(host, port)
    return _Stream(host, port, (tls or ssl.create_default_context()) if kind == "tls" else None)
