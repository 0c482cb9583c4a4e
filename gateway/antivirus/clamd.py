"""clamd: the command INSTREAM of its protocol (clamd(8), COMMANDS)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.antivirus.ports import Verdict
from gateway.antivirus.wire import connected
from gateway.errors import ConfigurationError
from gateway.limits import KB

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.antivirus.wire import Place, Wire

_ANSWER_BYTES: Final = 4 * KB
_CHUNK_BYTES: Final = 256 * KB


class Clamd:
    """A clamd. seconds: for one file as a whole."""

    def __init__(self, place: Place, seconds: float) -> None:
        self._place = place
        self._seconds = seconds

    def scan(self, pieces: Iterable[bytes], size: int) -> Verdict:
        """Return the verdict; see `gateway.antivirus.ports.Scanner`."""
        with connected(self._place, self._seconds) as wire:
            try:
                _say(wire, pieces)
            except (BrokenPipeError, ConnectionResetError):
                # Past StreamMaxLength clamd answers and hangs up before it has read everything.
                answer = _heard(wire, b"INSTREAM size limit exceeded. ERROR")
            else:
                answer = _heard(wire, b"")
        return _verdict(answer.decode("utf-8", "replace"), size)


def _say(wire: Wire, pieces: Iterable[bytes]) -> None:
    wire.send(b"zINSTREAM\0")
    for piece in pieces:
        for start in range(0, len(piece), _CHUNK_BYTES):
            chunk = piece[start : start + _CHUNK_BYTES]
            wire.send(len(chunk).to_bytes(4, "big") + chunk)
    wire.send(bytes(4))


def _heard(wire: Wire, otherwise: bytes) -> bytes:
    """Return the answer up to its NUL; `otherwise` when the connection broke before it."""
    answer = b""
    try:
        while b"\0" not in answer and len(answer) <= _ANSWER_BYTES:
            piece = wire.receive()
            if not piece:
                break
            answer += piece
    except ConnectionResetError:
        if not otherwise:
            raise
    return answer.partition(b"\0")[0] or otherwise


def _verdict(answer: str, size: int) -> Verdict:
    told = answer.removeprefix("stream: ").strip()
    if told == "OK":
        return Verdict()
    if told.endswith(" FOUND"):
        return Verdict(told.removesuffix(" FOUND")[:200] or "unnamed")
    todo = ""
    if "size limit" in told:
        told = f"{told}; the file has {size} bytes"
        todo = "raise StreamMaxLength (and MaxFileSize, MaxScanSize) in clamd.conf"
    raise ConfigurationError(
        "clamd did not check the file", found=told[:200], where="antivirus", todo=todo
    )
