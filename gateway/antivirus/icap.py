"""ICAP: the method RESPMOD (RFC 3507, 4.9), as the antivirus products of gateways offer it.

The file goes as the body of an HTTP answer. `204` means that nothing had to be changed. Anything
else means that the server put something in its place: the file is infected, or not allowed.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

from gateway.antivirus.ports import Verdict
from gateway.antivirus.wire import connected
from gateway.errors import BusyError, ConfigurationError
from gateway.limits import KB

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.antivirus.wire import Place, Wire

_HEAD_BYTES: Final = 16 * KB
_NAMES: Final = ("x-infection-found", "x-virus-id", "x-violations-found", "x-blocked-by")
"""Headers in which servers say what they found; none of them is of the standard."""
_CHUNK_BYTES: Final = 256 * KB


class Icap:
    """An ICAP server. service: path of its antivirus. seconds: for one file as a whole."""

    def __init__(self, place: Place, service: str, seconds: float) -> None:
        self._place = place
        self._service = service
        self._seconds = seconds

    def scan(self, pieces: Iterable[bytes], size: int) -> Verdict:
        """Return the verdict; see `gateway.antivirus.ports.Scanner`."""
        with connected(self._place, self._seconds) as wire:
            head = self._ask(wire, pieces, size)
        return _verdict(head)

    def _ask(self, wire: Wire, pieces: Iterable[bytes], size: int) -> str:
        asked = b"GET /file HTTP/1.1\r\nHost: gateway\r\n\r\n"
        answered = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
            f"Content-Length: {size}\r\n\r\n"
        ).encode()
        where = f"{self._place.host}:{self._place.port}"
        head = (
            f"RESPMOD icap://{where}/{self._service} ICAP/1.0\r\nHost: {where}\r\n"
            "Allow: 204\r\nConnection: close\r\nEncapsulated: req-hdr=0, "
            f"res-hdr={len(asked)}, res-body={len(asked) + len(answered)}\r\n\r\n"
        ).encode()
        try:
            wire.send(head + asked + answered)
            for chunk in chain.from_iterable(map(_chunks, pieces)):
                wire.send(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            wire.send(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass  # it may have seen enough before the end
        return _head(wire)


def _chunks(piece: bytes) -> Iterable[bytes]:
    return (piece[i : i + _CHUNK_BYTES] for i in range(0, len(piece), _CHUNK_BYTES))


def _head(wire: Wire) -> str:
    """Return the head of the answer; the body in the file's place is not wanted."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = wire.receive()
        if not piece or len(data) > _HEAD_BYTES:
            break
        data += piece
        data = data.removeprefix(b"ICAP/1.0 100 Continue\r\n\r\n")
    return data.partition(b"\r\n\r\n")[0].decode("latin-1")


def _verdict(head: str) -> Verdict:
    status, _, rest = head.partition("\r\n")
    code = status.split(" ", 2)[1:2] if status.startswith("ICAP/1.") else []
    if code == ["204"]:
        return Verdict()
    if code == ["200"]:
        lines = (line.partition(":") for line in rest.split("\r\n"))
        headers = {name.strip().lower(): value.strip() for name, _, value in lines}
        found = next((headers[name] for name in _NAMES if headers.get(name)), "")
        return Verdict(_threat(found)[:200] or "not allowed by the ICAP server")
    if code and code[0].startswith("5"):
        raise BusyError("the antivirus fails now", retry_after=30, where=f"antivirus: {status}")
    raise ConfigurationError(
        "the ICAP server did not check the file",
        found=status[:200] or "no answer",
        expected="ICAP/1.0 204 or 200",
        where="antivirus",
        todo="check the name of its service in the setting",
    )


def _threat(value: str) -> str:
    """`Type=0; Resolution=2; Threat=Eicar;` is how most write it; others write the name alone."""
    for part in value.split(";"):
        name, _, threat = part.strip().partition("=")
        if name.lower() == "threat":
            return threat.strip()
    return value
