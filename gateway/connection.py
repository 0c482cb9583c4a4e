"""One connection of `gateway.server`: uvicorn's, with bounds, deadlines and the caller's address.

uvicorn with httptools took 150 MB of headers on one request before the application saw it, and its
only deadline starts after the headers. `GuardedProtocol` counts what the parser takes and what it
swallows without a word, ends a connection whose headers or body are late, refuses more than so many
connections from one address, and puts the TLS peer certificate into the scope. A request that
arrives in one piece, which is nearly every one, arms no timer.

A connection of a proxy that is trusted (`gateway.access.proxies`) is not counted; each call that it
passes on is, for as long as it is carried out, under the address of its caller.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import unquote

import httptools
import structlog
from httptools import parse_url
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway import limits
from gateway.access.passed import PROXY, tls_extension
from gateway.access.policy import is_loopback
from gateway.access.proxies import UNKNOWN, Origin, Proxies, pretends
from gateway.exchange import Cycle, closing_unread, leave, one_of
from gateway.unread import bound_silence, unread_of

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

log = structlog.get_logger(__name__)

_PER_HEADER: Final = 4
"""Bytes of one header line beside its name and value: colon, space, line end."""
_CODING: Final = b"transfer-encoding"
_WATCHED: Final = frozenset((_CODING, b"expect", b"host"))
_OFFERS: Final = 8
"""Offers of another protocol that one piece of a stream may hold."""
_UPGRADE: Final = (b"upgrade", b"http2-settings")


class _EnoughError(Exception):
    """Ends the parser's way through a piece of a stream that is not answered."""


class GuardedProtocol(HttpToolsProtocol):
    """One connection, with limits on what it may send and how long it may take.

    A refusal is answered in plain text, because no wire is known yet; then the connection is
    drained for a moment, so that a client still busy sending can read the answer.
    """

    connections_of: ClassVar[Counter[str]] = Counter()
    header_seconds: ClassVar[float] = limits.HEADER_SECONDS
    body_seconds: ClassVar[float] = limits.BODY_SECONDS
    body_floor: ClassVar[int] = limits.BODY_FLOOR_BYTES
    write_seconds: ClassVar[float] = limits.WRITE_SECONDS
    per_address: ClassVar[int] = limits.CONNECTIONS_PER_ADDRESS
    proxies: ClassVar[Proxies] = Proxies()

    _begun = False
    _in_headers = False
    _hosted = False
    _ended = False
    _told = False
    _silent = 0
    _header_bytes = 0
    _body_bytes = 0
    _deadline: asyncio.TimerHandle | None = None
    _write_deadline: asyncio.TimerHandle | None = None
    _idle_since: float | None = None
    _unread = 0
    _address = ""
    _counted = False
    _trusted = False
    _tls: dict[object, object] | None = None

    @classmethod
    def crowded(cls, address: str, opening: int) -> bool:
        """Whether an address has more handshakes under way than it may have connections.

        One connection too many is refused in words; a handshake too many has no words yet.
        """
        return opening > cls.per_address and not cls.proxies.trusts(address)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection, start the clock for its first header."""
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""
        self._tls = tls_extension(transport.get_extra_info("ssl_object"))
        bound_silence(transport, self.write_seconds)
        self._trusted = self.proxies.trusts(self._address)
        self._counted = not self._trusted
        self.connections_of[self._address] += self._counted
        if self._counted and self.connections_of[self._address] > self.per_address:
            self._end(503, "too many connections from this address")
            return
        self._arm(self.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._disarm()
        self._unset_keepalive_if_required()
        self._stop_write_clock()
        if self._counted:
            leave(self.connections_of, self._address)
        cycle = self.cycle
        unread = not self._answered and not cycle.more_body and cycle.message_event.is_set()
        super().connection_lost(exc)
        self.pipeline.clear()  # each of them leads back to us: memory that only a collection finds
        if unread:
            # The request came whole before its client left: it is carried out, as it would be had
            # the client left a moment later. uvicorn would tell the application that it is gone.
            cycle.disconnected = False

    def pause_writing(self) -> None:
        """Start the clock of an answer whose client is slow to read it."""
        super().pause_writing()
        self._start_write_clock()

    def resume_writing(self) -> None:
        """Stop that clock: nearly everything was read."""
        super().resume_writing()
        self._stop_write_clock()

    def _start_write_clock(self) -> None:
        self._stop_write_clock()
        self._unread = unread_of(self.transport)
        self._write_deadline = self.loop.call_later(self.write_seconds, self._unread_still)

    def _stop_write_clock(self) -> None:
        if self._write_deadline is not None:
            self._write_deadline.cancel()
            self._write_deadline = None

    def _unread_still(self) -> None:
        """Let go of an answer that nobody reads: it is held in memory for as long."""
        if self._unread - unread_of(self.transport) >= self.body_floor:
            self._start_write_clock()
            return
        log.info("server.unread", client=self._address)
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Feed the parser; end the connection when it swallows too much without a word."""
        if self._ended:
            return
        self._told = False
        self._idle_since = None
        if not self._feed(data):
            return
        # What the parser keeps to itself is an unfinished header or trailer, or chunk extensions.
        self._silent = 0 if self._told else self._silent + len(data)
        if self._silent > limits.HEADER_BYTES:
            self._end(431, "the headers are larger than 64 KB")
        elif self._deadline is None:
            if self._begun:
                self._arm(self.header_seconds if self._in_headers else self.body_seconds)
            elif self._answered:
                # Blank lines ended the time of idleness, and no request came of them.
                self._arm(self.header_seconds)

    def _feed(self, data: bytes) -> bool:
        """Parse, and say whether the connection goes on.

        An offer of another protocol is taken back and its request read without it:
        httptools stops at the headers of such a request and its body would be lost. Java's client
        offers HTTP/2 in this way with every POST over plain HTTP.
        """
        for _ in range(_OFFERS):
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as offer:
                if self._ended:
                    return False
                data = self._head_without_offer() + data[offer.args[0] :]
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            except httptools.HttpParserError:
                if not self._ended:  # then it was we who stopped the parser, and said why
                    self._end(400, "this is not HTTP")
                return False
            else:
                return not self._ended
        self._end(400, "too many offers of another protocol")
        return False

    def _head_without_offer(self) -> bytes:
        """Return the head that was just read, without what offers another protocol."""
        version = self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, version)]
        for name, value in self.headers:
            if name == b"connection":
                kept = [t for t in value.split(b",") if t.strip().lower() not in _UPGRADE]
                lines += [b"connection: " + b",".join(kept)] if kept else []
            elif name not in _UPGRADE:
                lines.append(name + b": " + value)
        return b"\r\n".join((*lines, b"", b""))

    def on_message_begin(self) -> None:
        """Begin to count."""
        self._told = self._begun = self._in_headers = True
        self._hosted = False
        self._header_bytes = self._body_bytes = 0
        if len(self.pipeline) >= limits.REQUESTS_AHEAD:
            self._end(429, "too many requests sent ahead")
        if self._ended:
            # The parser would go on to the end of what it was given: 14,000 requests in one piece.
            raise _EnoughError
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Count the request line."""
        self._told = True
        if self._count(len(url)):
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count the header; a trailer behind the body is counted too, and not taken."""
        self._told = True
        if self._count(len(name) + len(value) + _PER_HEADER) and self._in_headers:
            if len(self.headers) >= limits.HEADER_COUNT:
                self._end(431, "more than 100 headers")
                return
            name = name.lower()
            if name in _WATCHED and not self._watch(name, value):
                return
            self.headers.append((name, value))

    def _watch(self, name: bytes, value: bytes) -> bool:
        """Look at a header of `_WATCHED`; end the connection when it is not as it must be."""
        if name == _CODING and value.lower() != b"chunked":
            self._end(501, "no transfer coding but chunked is read")
        elif name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        elif name == b"host":
            if self._hosted:  # a proxy before us may have taken the other one (RFC 9112 3.2)
                self._end(400, "more than one Host")
            self._hosted = True
        return not self._ended

    def on_headers_complete(self) -> None:
        """Hand the request to the application; the body has its own deadline."""
        self._told = True
        if self._ended:
            return
        method = self.parser.get_method()
        if method == b"CONNECT":
            self._end(405, "this is not a proxy")
            return
        self._in_headers = False
        if self.parser.should_upgrade():
            return
        self._disarm()
        if self._tls is not None:
            self.scope["extensions"] = {"tls": self._tls}
        self.app = self.config.loaded_app
        self._find_origin()
        if self.expect_100_continue:
            self.app = closing_unread(self.app)
        self._begin(method.decode("ascii"))

    def _begin(self, method: str) -> None:
        """Start the application, or let the request wait for the answers before its own."""
        scope, version, asked = self.scope, self.parser.get_http_version(), parse_url(self.url)
        scope["method"], scope["http_version"] = method, version
        scope["raw_path"], scope["query_string"] = asked.path, asked.query or b""
        path = asked.path.decode("ascii")
        scope["path"] = unquote(path) if "%" in path else path
        waits = not self._answered
        self.cycle = cycle = Cycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        cycle.tasks = self.tasks
        if waits:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))
        else:
            self._start_asgi_task(cycle, self.app)

    def _find_origin(self) -> None:
        """Write into the scope who calls, by whose word; count who is behind a trusted proxy.

        What somebody else passes on from this very machine has lost what the machine itself may
        do: the proxy that nobody named would lend that to the whole world.
        """
        if self._trusted:
            peer = Origin(self._address, self.scheme or "http")
            origin = self.proxies.origin(peer, self.headers)
            self.scope.setdefault("extensions", {})[PROXY] = {"passed": origin is not peer}
            if origin is not peer:
                self.scope["client"] = (origin.address, 0)
                self.scope["scheme"] = origin.scheme
                self.app = one_of(self.connections_of, origin.address, self.per_address, self.app)
        elif is_loopback(self._address) and pretends(self.headers):
            self.scope["client"] = (UNKNOWN, 0)

    def on_body(self, body: bytes) -> None:
        """Ignore what comes after the connection was ended."""
        self._told = True
        self._body_bytes += len(body)
        cycle = self.cycle
        if self._ended or cycle.response_complete:
            return
        cycle.body += body
        if len(cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.message_event.set()

    def on_message_complete(self) -> None:
        """Stop the clock: the request is here."""
        self._told = True
        if not (self._ended or self.parser.should_upgrade()):
            self._begun = False
            self._disarm()
            cycle = self.cycle
            if not cycle.response_complete:
                cycle.more_body = False
                cycle.message_event.set()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Start a task that takes itself off the list: uvicorn has the loop call back for that."""
        self.tasks.add(self.loop.create_task(cycle.run_asgi(app)))

    def on_response_complete(self) -> None:
        """Go on with the next request, or let the connection be idle for so long.

        uvicorn makes a timer for each answer and drops it with the next request, which costs as
        much as writing the answer's head; here one goes on, and is set again when it ends early.
        """
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._keep_alive(self.timeout_keep_alive)

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that has been idle for so long."""
        self.timeout_keep_alive_task = None
        if self._idle_since is None:
            return  # a request is under way: the clock starts again with its answer
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._keep_alive(left)
        else:
            super().timeout_keep_alive_handler()

    def _keep_alive(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            seconds, self.timeout_keep_alive_handler
        )

    def _count(self, size: int) -> bool:
        if self._ended:
            return False
        self._header_bytes += size
        if self._header_bytes > limits.HEADER_BYTES:
            self._end(431, "the headers are larger than 64 KB")
            return False
        return True

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._deadline = self.loop.call_later(seconds, self._late)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        """End what is late; a large body on a slow line goes on while it moves."""
        self._deadline = None
        if not self._begun:
            self._close()
            return
        in_body = not self._in_headers
        moving = in_body and not self._answered and self._body_bytes >= self.body_floor
        if self.flow.read_paused or moving:
            self._body_bytes = 0
            self._arm(self.body_seconds)
            return
        self._end(408, "the request did not arrive in time")

    def _end(self, status: int, reason: str) -> None:
        """Answer when no other answer is under way, and close."""
        log.info("server.ended", status=status, reason=reason, client=self._address)
        self._disarm()
        answer = self._may_answer()
        self._ended = True
        if not self._answered:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.transport.is_closing():
            return
        if not answer:
            self._close()
            return
        body = reason.encode()
        self.transport.write(
            b"HTTP/1.1 %d %s\r\ncontent-type: text/plain; charset=utf-8\r\n"
            b"content-length: %d\r\nconnection: close\r\n\r\n%s"
            % (status, b"Refused", len(body), body)
        )
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(limits.LINGER_SECONDS, self._close)

    def _may_answer(self) -> bool:
        """Whether bytes written now would be read as the answer to the request being refused."""
        if self.pipeline or self._ended:
            return False
        if self._answered:
            return self._in_headers or not self._begun
        return self._begun and not self._in_headers and not self.cycle.response_started

    @property
    def _answered(self) -> bool:
        """Whether no request waits for its answer."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _close(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
