"""HTTP in raw bytes: requests that no client library would send, and what came back."""

from __future__ import annotations

import contextlib
import re
import socket
import time
from typing import Final, NamedTuple
from urllib.parse import urlsplit

ANSWER_SECONDS: Final = 30.0
_CODE: Final = re.compile(rb"<Code[^>]*>([a-z_]+)</Code>")
_FAULT: Final = re.compile(rb"<faultcode[^>]*>(?:\w+:)?([\w.]+)</faultcode>")
_VALUE: Final = re.compile(rb"<s:Value[^>]*>(?:\w+:)?([\w.]+)</s:Value>")


class Came(NamedTuple):
    """What came back. outcome: `result`, the code of a fault, a status of HTTP, or `closed`."""

    outcome: str
    seconds: float
    body: bytes = b""


def request(
    body: bytes, *headers: str, target: str = "/soap/appeals.svc", verb: str = "POST"
) -> bytes:
    """Return a request; a header given takes the place of one of ours."""
    named = {name.lower() for name, _, _ in (line.partition(":") for line in headers)}
    ours = {
        "host": "127.0.0.1",
        "content-type": "text/xml; charset=utf-8",
        "content-length": str(len(body)),
    }
    if "transfer-encoding" in named:
        del ours["content-length"]
    lines = [
        *filter(None, headers),
        *(f"{name}: {value}" for name, value in ours.items() if name not in named),
    ]
    return "\r\n".join((f"{verb} {target} HTTP/1.1", *lines, "", "")).encode() + body


def connect(address: str) -> socket.socket:
    """Return a connection to the gateway."""
    where = urlsplit(address)
    made = socket.create_connection((where.hostname, where.port), timeout=ANSWER_SECONDS)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def ask(address: str, data: bytes) -> Came:
    """Send bytes on a connection of their own and return what came back."""
    begun = time.monotonic()
    with connect(address) as connection:
        with contextlib.suppress(OSError):  # refused before it was sent whole: the answer says why
            connection.sendall(data)
        answer = _read(connection)
    return Came(outcome(answer), time.monotonic() - begun, answer)


def _read(connection: socket.socket) -> bytes:
    data = b""
    with contextlib.suppress(OSError):
        while not _whole(data) and (piece := connection.recv(65_536)):
            data += piece
    return data


def _whole(data: bytes) -> bool:
    head, gap, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return bool(gap and length and len(body) >= int(length[1]))


def outcome(answer: bytes) -> str:
    """Say what an answer is."""
    if not answer.startswith(b"HTTP/1.1 "):
        return "closed"
    status, body = answer[9:12].decode(), answer.partition(b"\r\n\r\n")[2]
    if b"Fault>" in body:
        if named := _CODE.search(body):  # the first is the detail's own, others are of its errors
            return named[1].decode()
        # The last value of SOAP 1.2 is that of the innermost subcode, which names the fault.
        found = _FAULT.findall(body) or _VALUE.findall(body)
        return found[-1].decode() if found else "fault"
    if status == "200" and b"Envelope" in body:
        return "result"
    return status
