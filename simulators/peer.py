"""What every simulated HTTP peer has: a threaded server, a journal, planned failures, control.

A simulator gives a `Peer` its routes; a handler returns an `Answer`, whose `store` runs exactly
when the planned failure (or its absence) lets the request be stored.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, tzinfo
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Final, NamedTuple, Protocol, get_args
from urllib.parse import unquote

import msgspec

from simulators.faults import STORES, Fault, Faults, Kind, Mix
from simulators.page import CELL_CHARS, POLICY, ROWS, Face, page

MAX_BODY = 64 * 1024 * 1024
_REFUSED: Final = 400
_NOT_THERE: Final = 404
_WHY_BYTES: Final = 4_000
_REASONS: Final = 20
_WHY: Final = ("why", "refused", "reasons", "complaint")
"""Where a record of a journal says why something was refused."""
_WHAT: Final = ("what", "path", "kind", "type", "posted", "asked", "folder")
"""Where a record says what it was."""


def clock(zone: tzinfo = UTC) -> datetime:
    """The simulated peer's own clock: it is a process of its own, like the real one."""
    return datetime.now(zone)


class Request(NamedTuple):
    """One request: path is decoded, headers have lower-cased names; target is the path as it came.

    A decoded query does not tell a plus from a space, nor where a value with `&` ends.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    target: str = ""


class Pieces(Protocol):
    """A body that is too large to be made at once: how long it is said to be, and its bytes."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[bytes]: ...


class Answer(NamedTuple):
    """What to answer, and what to keep. `key` is what failures are planned for."""

    status: int
    body: bytes | Pieces = b""
    media_type: str = "text/plain; charset=utf-8"
    key: str = ""
    store: Callable[[], dict[str, Any]] | None = None
    """Keeps the content and returns what the journal says about it."""
    headers: tuple[tuple[str, str], ...] = ()
    why: tuple[str, ...] = ()
    """The reasons of a refusal, where the body is no plain text that says them."""

    def reasons(self, method: str) -> tuple[str, ...]:
        """Return why this is a refusal; nothing when it is none, as «not there» to a question."""
        if method == "GET" and self.status == _NOT_THERE:
            return ()
        if self.why or self.status < _REFUSED:
            return self.why
        if not self.media_type.startswith("text/plain") or not isinstance(self.body, bytes):
            return (f"{self.status}",)
        return tuple(self.body[:_WHY_BYTES].decode("utf-8", "replace").splitlines())


class Journal:
    """Append-only JSON lines; one write a line, so that lines of threads do not mix.

    Without a path nothing is written, but the newest refusals are kept for the page all the same.
    """

    def __init__(self, path: str = "") -> None:
        flags = os.O_APPEND | os.O_CREAT | os.O_WRONLY
        self._fd = os.open(path, flags, 0o644) if path else -1
        self._troubles: deque[dict[str, Any]] = deque(maxlen=ROWS)
        self._noting = threading.Lock()

    def write(self, **record: Any) -> None:
        """Append one record with the time it was made."""
        line = {"at": clock().isoformat(), **record}
        self._note(line)
        if self._fd >= 0:
            text = json.dumps(line, ensure_ascii=False)
            os.write(self._fd, text.encode("utf-8", "backslashreplace") + b"\n")

    def troubles(self) -> list[dict[str, Any]]:
        """Return the newest refusals and planned failures, the last one first."""
        with self._noting:
            return list(self._troubles)[::-1]

    def _note(self, line: dict[str, Any]) -> None:
        """Keep what a page shows of a refusal or a planned failure."""
        why = next((line[name] for name in _WHY if line.get(name)), ())
        if not why and not line.get("fault"):
            return
        what = next((str(line[name]) for name in _WHAT if line.get(name)), "")
        kept = {name: line.get(name) for name in ("at", "key", "status", "fault")}
        told = [str(reason)[:CELL_CHARS] for reason in why[:_REASONS]]
        with self._noting:
            self._troubles.append({**kept, "what": what[:CELL_CHARS], "why": told})

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


Handler = Callable[[Request], Answer]
Control = Callable[[dict[str, Any]], dict[str, Any]]


class Peer:
    """One simulated system on one port.

    routes: (method, path prefix, handler), the longest prefix first. control: takes a command from
    `POST /_control` that is not about failures. The control address answers loopback callers only.
    face: what `GET /` shows a person (`simulators.page`); no failure is planned for it, none taken.
    """

    def __init__(
        self,
        name: str,
        routes: list[tuple[str, str, Handler]],
        *,
        journal: Journal,
        faults: Faults,
        control: Control,
        face: Face | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.name = name
        self._face = face
        self.journal = journal
        self.faults = faults
        self._routes = sorted(routes, key=lambda r: -len(r[1]))
        self._control = control
        self._in_hand = 0
        self._counting = threading.Lock()
        peer = self

        class Bound(_Connection):
            owner = peer

        self.server = _Server((host, port), Bound)
        self.address = f"http://{host}:{self.server.server_address[1]}"

    def run(self) -> None:
        """Serve until the process is told to stop."""
        self.server.serve_forever(poll_interval=0.1)

    def stop(self) -> None:
        """Stop serving and close the port."""
        self.server.shutdown()
        self.server.server_close()

    @contextmanager
    def in_hand(self) -> Iterator[None]:
        """Count a delivery that is here and not answered yet, for `{"in_hand": true}`."""
        with self._counting:
            self._in_hand += 1
        try:
            yield
        finally:
            with self._counting:
                self._in_hand -= 1

    def answer(self, request: Request) -> Answer:
        """Find the route and ask it."""
        if request.path == "/_control" and request.method == "POST":
            return self._controlled(request)
        for method, prefix, handler in self._routes:
            if method == request.method and request.path.startswith(prefix):
                return handler(request)
        return Answer(404, b"not found")

    def shown(self) -> Answer | None:
        """Return the page for a person, None when there is none."""
        if self._face is None:
            return None
        html = page(self._face, self.journal.troubles(), self.address)
        headers = (("Content-Security-Policy", POLICY), ("Cache-Control", "no-store"))
        return Answer(200, html, "text/html; charset=utf-8", headers=headers)

    def _controlled(self, request: Request) -> Answer:
        try:
            command = json.loads(request.body)
            if not isinstance(command, dict):
                raise TypeError("a command is a JSON object")
            result = self._command(command)
        except (ValueError, TypeError, KeyError, LookupError) as e:
            return Answer(400, str(e).encode())
        return Answer(200, json.dumps(result, ensure_ascii=False).encode(), "application/json")

    def _command(self, command: dict[str, Any]) -> dict[str, Any]:
        if "fault" in command:
            self.faults.plan(msgspec.convert(command["fault"], Fault))
            return {"planned": True}
        if "mix" in command:
            self.faults.mix(msgspec.convert(command["mix"], Mix))
            return {"planned": True}
        if command.get("clear_faults"):
            self.faults.clear()
            return {"cleared": True}
        if command.get("in_hand"):
            return {"deliveries": self._in_hand}
        return self._control(command)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "AppealsGatewaySimulator"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = 65_536
    timeout = 120
    owner: ClassVar[Peer]

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing: the journal is the log."""

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - names of http.server

    def _serve(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        if length > MAX_BODY:
            self._send(Answer(413, b"too large"))
            self.close_connection = True
            return
        body = self.rfile.read(length)
        headers = {k.lower(): v for k, v in self.headers.items()}
        request = Request(self.command, unquote(self.path), headers, body, self.path)
        if request.path == "/_control" and self.client_address[0] not in {"127.0.0.1", "::1"}:
            self._send(Answer(403, b"loopback only"))
            return
        if request.path == "/" and self.command == "GET" and (shown := self.owner.shown()):
            self._send(shown)
            return
        answer = self.owner.answer(request)
        if request.path == "/_control":
            self._send(answer)
            return
        with self.owner.in_hand() if answer.store else nullcontext():
            self._reply(request, answer)

    def _reply(self, request: Request, answer: Answer) -> None:
        """Keep, note and answer, or fail as planned."""
        fault = self.owner.faults.take(answer.key)
        stored = None
        if answer.store and (fault is None or fault.kind in STORES):
            stored = answer.store()
        self.owner.journal.write(
            method=request.method,
            path=request.path,
            key=answer.key,
            bytes=len(request.body),
            status=answer.status,
            fault=fault.kind if fault else None,
            stored=stored,
            why=answer.reasons(request.method),
        )
        if fault is None:
            self._send(answer)
        else:
            self._fail(fault, answer)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.media_type)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        for piece in (answer.body,) if isinstance(answer.body, bytes) else answer.body:
            self.wfile.write(piece)

    def _fail(self, fault: Fault, answer: Answer) -> None:
        match fault.kind:
            case "refuse":
                text = fault.text or "отказано по плану испытания"
                self._send(Answer(fault.status or 400, text.encode()))
            case "error":
                self._send(Answer(fault.status or 500, (fault.text or "failure").encode()))
            case "busy":
                self._send(Answer(503, b"later", headers=(("Retry-After", "1"),)))
            case "hang_before" | "hang_after":
                self._hang(fault.seconds)
            case "garbage":
                self.wfile.write(b"\x00\xffnot HTTP at all\r\n\r\n")
                self.close_connection = True
            case "reset" | "reset_after":
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.close_connection = True
                self.connection.close()
            case "drip":
                self._drip(fault, answer)

    def _hang(self, seconds: float) -> None:
        """Say nothing until the time is over or the caller hangs up."""
        self.close_connection = True
        self.connection.settimeout(seconds)
        try:
            self.connection.recv(1)
        except OSError:
            return

    def _drip(self, fault: Fault, answer: Answer) -> None:
        self.close_connection = True
        body = answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)
        whole = (
            f"HTTP/1.1 {answer.status} OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        )
        end = time.monotonic() + fault.seconds
        for byte in whole:
            if time.monotonic() > end:
                return
            try:
                self.connection.sendall(bytes((byte,)))
            except OSError:
                return
            time.sleep(fault.pause)


def arguments(name: str, description: str | None) -> argparse.ArgumentParser:
    """Return a parser with what every simulator takes; one may add options of its own."""
    parser = argparse.ArgumentParser(prog=f"simulators.{name}", description=description)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--journal", default="", help="append-only JSON lines of every request")
    parser.add_argument("--seed", type=int, default=0, help="of failures and of made-up content")
    parser.add_argument("--fail", type=float, default=0.0, help="0..1 of all requests fail")
    parser.add_argument(
        "--fail-kinds", default=",".join(get_args(Kind)), help="which ways of failing"
    )
    parser.add_argument("--fail-seconds", type=float, default=2.0, help="how long a hang lasts")
    return parser


def faults_of(args: argparse.Namespace) -> Faults:
    """Return the plan that the command line asks for: each kind has the same share."""
    faults = Faults(args.seed)
    kinds: list[Kind] = [msgspec.convert(k, Kind) for k in args.fail_kinds.split(",") if k]
    if args.fail and kinds:
        for kind in kinds:
            faults.plan(
                Fault(kind=kind, rate=args.fail / len(kinds), times=0, seconds=args.fail_seconds)
            )
    return faults


def announce(peer: Peer, sourced: tuple[str, ...], ours: tuple[str, ...], **more: Any) -> None:
    """Print which refusals are sourced and which are ours, then the address as one JSON line."""
    out = [f"{peer.name}: simulated peer, not the real system"]
    out += [f"  sourced: {line}" for line in sourced]
    out += [f"  ours:    {line}" for line in ours]
    out.append(json.dumps({"name": peer.name, "address": peer.address, "pid": os.getpid(), **more}))
    sys.stdout.write("\n".join(out) + "\n")
    sys.stdout.flush()


def run_until_signal(peer: Peer) -> None:
    """Serve; SIGTERM and SIGINT end the process in order."""
    import signal

    def stop(*_: object) -> None:
        threading.Thread(target=peer.server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    peer.run()
    peer.server.server_close()
    peer.journal.close()
