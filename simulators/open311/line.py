"""The app's line to a server: HTTP over a socket of its own, so that it can misbehave on it.

The kinds of `simulators.faults`, seen from the side that sends:

| kind | what the app does with one attempt |
|---|---|
| reset | drops the line in the middle of the form |
| reset_after | drops the line when the first byte of the answer is there: the answer is lost |
| hang_before | sends half of it, waits, drops the line |
| hang_after | sends everything, reads the answer late |
| drip | sends the form in small pieces with pauses |
| garbage | sends what is not HTTP |
| refuse | shows a wrong key |
| error | sends a form with a mistake |
| busy | sends it twice at once |
"""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from http.client import HTTPException, HTTPResponse
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlencode, urlsplit

if TYPE_CHECKING:
    from simulators.faults import Fault

TIMEOUT: Final = 20.0
WRONG_KEY: Final = "gw_0000000000_the-key-of-nobody"
_PIECES: Final = 8


class Lost(Exception):
    """No answer came, or none that counts: the attempt is to be made again."""


class Reply(NamedTuple):
    """An answer; names of headers are lower-cased."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def media(self) -> str:
        """Its media type."""
        return self.headers.get("content-type", "")


class Line:
    """Calls one server. address: of the house; key: of the app's peer."""

    def __init__(self, address: str, key: str, prefix: str = "/open311/v2/") -> None:
        parts = urlsplit(address)
        self._where = (parts.hostname or "127.0.0.1", parts.port or 80)
        self.key = key
        self._prefix = prefix

    def get(self, path: str, *, keyed: bool = True, **query: str) -> Reply:
        """Ask; the key goes in the query, as the standard has it. Raise Lost."""
        if keyed:
            query["api_key"] = self.key
        tail = f"?{urlencode(query)}" if query else ""
        return self._send(self._head("GET", f"{path}{tail}", {}), None)

    def post(
        self,
        path: str,
        fields: list[tuple[str, str]],
        headers: dict[str, str],
        fault: Fault | None = None,
    ) -> Reply:
        """Post a form, the key in it; misbehave as planned. Raise Lost."""
        key, sent = self.key, fields
        if fault is not None and fault.kind == "refuse":
            key = WRONG_KEY
        if fault is not None and fault.kind == "error":
            sent = [(n, v) for n, v in fields if n not in {"lat", "long"}]
            sent.append(("lat", "somewhere"))
        body = urlencode([*sent, ("api_key", key)]).encode()
        more = {
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "Content-Length": str(len(body)),
            **headers,
        }
        return self._send(self._head("POST", path, more) + body, fault)

    def _head(self, method: str, path: str, headers: dict[str, str]) -> bytes:
        host, port = self._where
        lines = [
            f"{method} {self._prefix}{path} HTTP/1.1",
            f"Host: {host}:{port}",
            "User-Agent: EnskCityApp/1.0 (made up)",
            "Connection: close",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        return "\r\n".join([*lines, "", ""]).encode()

    def _send(self, raw: bytes, fault: Fault | None) -> Reply:
        try:
            with socket.create_connection(self._where, timeout=TIMEOUT) as line:
                if fault is None:
                    line.sendall(raw)
                else:
                    self._misbehave(line, raw, fault)
                return _read(line)
        except (OSError, HTTPException) as error:
            raise Lost(str(error)) from error

    def _misbehave(self, line: socket.socket, raw: bytes, fault: Fault) -> None:
        """Send as planned; raise Lost where nobody reads the answer."""
        half = len(raw) // 2
        match fault.kind:
            case "reset":
                line.sendall(raw[:half])
                _drop(line)
            case "reset_after":
                line.sendall(raw)
                line.recv(1)
                _drop(line)
            case "hang_before":
                line.sendall(raw[:half])
                time.sleep(fault.seconds)
                _drop(line)
            case "hang_after":
                line.sendall(raw)
                time.sleep(fault.seconds)
            case "drip":
                step = max(1, len(raw) // _PIECES)
                for start in range(0, len(raw), step):
                    line.sendall(raw[start : start + step])
                    time.sleep(fault.pause)
            case "garbage":
                line.sendall(b"\x16\x03\x01 not HTTP at all\r\n\r\n")
                with contextlib.suppress(OSError):
                    line.recv(100)
                raise Lost("garbage was sent")
            case "busy":
                with socket.create_connection(self._where, timeout=TIMEOUT) as other:
                    other.sendall(raw)
                    line.sendall(raw)
                    _read(other)
            case _:  # `refuse` and `error` are wrong in what is sent, not in how
                line.sendall(raw)


def _drop(line: socket.socket) -> None:
    """Drop the line hard, and call the answer lost."""
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.close()
    raise Lost("the app dropped the line")


def _read(line: socket.socket) -> Reply:
    answer: Any = HTTPResponse(line)
    answer.begin()
    headers = {name.lower(): value for name, value in answer.getheaders()}
    return Reply(answer.status, headers, answer.read())
