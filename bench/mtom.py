"""`make bench-mtom`: what a file of 500 MB that comes and goes as a part takes of memory.

One `gateway serve` takes the file by AttachFile and gives it back by GetAttachment, each with MTOM,
each in one call. Counted is the highest resident memory of the process during the call (VmHWM,
begun anew before it) over what it had before the first. The figures are judged against 32 MB. Every
file is another one, comes back byte for byte, and lies in the blob directory once.
"""

from __future__ import annotations

import http.client
import os
import re
import time
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from bench.command import Plan, command, say
from bench.figures import Figure, Void, figure
from bench.stand import Database, Served, gateway_serve, stand
from gateway.limits import MB
from gateway.ns import APPEALS, SOAP11, XOP

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT_MB: Final = 32.0
FILE_MB: Final = 500
QUICK_MB: Final = 50
_HEAD: Final = (
    'multipart/related; type="application/xop+xml"; start="<m>"; start-info="text/xml"; boundary=b'
)


class Passed(NamedTuple):
    """What one way of one file took: the highest memory in MB, and seconds."""

    highest: float
    seconds: float


def measure(plan: Plan) -> list[Figure]:
    """Send files, fetch them, and look at the memory."""
    size = QUICK_MB if plan.quick else FILE_MB
    with stand() as standing:
        database = standing.database("mtom")
        with gateway_serve(database, standing.directory, 1) as served:
            client = _Client(served, database)
            client.submit()
            client.both_ways(1, 2)  # what every first call loads is no part of a file
            before = _memory(served, "VmRSS")
            pairs = []
            for turn in range(plan.pairs):
                pairs.append(client.both_ways(2 + turn, size))
                came, went = pairs[-1]
                say(f"{before:.0f} MB; in {came.highest:.0f}, out {went.highest:.0f}")
        _require_stored(database, standing.directory, 1 + plan.pairs)
    figures = []
    for place, name in enumerate(("mtom-in", "mtom-out")):
        ways = [pair[place] for pair in pairs]
        samples = [(max(way.highest - before, 0.1), None, LIMIT_MB) for way in ways]
        detail: dict[str, object] = {
            "file_mb": size,
            "before_mb": round(before, 1),
            "mb_a_second": [round(size / way.seconds) for way in ways],
        }
        figures.append(
            figure(
                name, "MB grown", samples, judged="limit", at_most=True, target=1.0,
                run=plan.run, detail=detail,
            )
        )  # fmt: skip
    return figures


class _Client:
    """Calls by MTOM on one connection."""

    def __init__(self, served: Served, database: Database) -> None:
        self._served = served
        self._key = database.key

    def submit(self) -> None:
        """Hand over the appeal that the files belong to."""
        appeal = "<Appeal><ExternalId>mtom</ExternalId><Text>Нет воды</Text></Appeal>"
        self._call("SubmitAppeal", appeal, iter(()), 0)

    def both_ways(self, number: int, size: int) -> tuple[Passed, Passed]:
        """Send a file of so many MB and fetch it; raise Void when other bytes come back."""
        block = os.urandom(MB - 8) + number.to_bytes(8, "big")
        told = sha256()
        for _ in range(size):
            told.update(block)
        digest = told.hexdigest()
        attach = (
            "<OwnerKey><ExternalId>mtom</ExternalId></OwnerKey><FileName>film.mp4</FileName>"
            f'<Size>{size * MB}</Size><Content><x:Include xmlns:x="{XOP}" href="cid:f"/></Content>'
            f"<MessageKey>file-{number}</MessageKey>"
        )
        came = self._timed("AttachFile", attach, (block for _ in range(size)), size * MB, digest)
        asked = f"<AttachmentId>{digest}</AttachmentId>"
        went = self._timed("GetAttachment", asked, iter(()), 0, digest)
        return came, went

    def _timed(
        self, operation: str, inner: str, blocks: Iterator[bytes], size: int, digest: str
    ) -> Passed:
        _begin_anew(self._served)
        begun = time.monotonic()
        found = self._call(operation, inner, blocks, size)
        seconds = time.monotonic() - begun
        if found != digest:
            raise Void(f"{operation}: other bytes came back")
        return Passed(_memory(self._served, "VmHWM"), seconds)

    def _call(self, operation: str, inner: str, blocks: Iterator[bytes], size: int) -> str:
        """Return the digest of the part that came back, or the one that the answer tells."""
        envelope = (
            f'<s:Envelope xmlns:s="{SOAP11}"><s:Body><{operation} xmlns="{APPEALS}">{inner}'
            f"</{operation}></s:Body></s:Envelope>"
        ).encode()
        before = (
            b'--b\r\nContent-Type: application/xop+xml; charset=utf-8; type="text/xml"\r\n'
            b"Content-ID: <m>\r\n\r\n" + envelope
        )
        if size:
            before += b"\r\n--b\r\nContent-Type: video/mp4\r\nContent-ID: <f>\r\n\r\n"
        after = b"\r\n--b--\r\n"
        connection = http.client.HTTPConnection("127.0.0.1", self._served.port, timeout=300)
        with closing(connection):
            headers = {
                "Content-Type": _HEAD,
                "X-API-Key": self._key,
                "Content-Length": str(len(before) + size + len(after)),
            }
            connection.request("POST", "/soap/appeals.svc", _all(before, blocks, after), headers)
            answer = connection.getresponse()
            if answer.status != http.client.OK:
                raise Void(f"{operation}: {answer.status} {answer.read(2_000)!r}")
            return _digest(answer)


def _all(before: bytes, blocks: Iterator[bytes], after: bytes) -> Iterator[bytes]:
    yield before
    yield from blocks
    yield after


def _digest(answer: http.client.HTTPResponse) -> str:
    """Return the SHA-256 of the last part, without holding it; of an envelope alone, its word."""
    boundary = re.search('boundary="([^"]+)"', answer.getheader("content-type", ""))
    if boundary is None:
        raise Void("the answer is no package")
    tail = len(f"\r\n--{boundary[1]}--\r\n")
    left = int(answer.getheader("content-length", "0")) - tail
    start = answer.read(min(left, 64 * 1024))
    left -= len(start)
    parts = start.split(f"--{boundary[1]}\r\n".encode())
    if len(parts) == 2:
        word = re.search(rb"<Sha256>([0-9a-f]{64})</Sha256>", parts[1])
        return word[1].decode() if word else ""
    told = sha256(parts[2].partition(b"\r\n\r\n")[2])
    while left:
        block = answer.read(min(left, MB))
        told.update(block)
        left -= len(block)
    return told.hexdigest()


def _memory(served: Served, name: str) -> float:
    """Return VmRSS or VmHWM of the process in MB."""
    status = Path(f"/proc/{served.pids[0]}/status").read_text("ascii")
    found = re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)
    if found is None:
        raise Void(f"/proc does not tell {name}")
    return int(found[1]) / 1024


def _begin_anew(served: Served) -> None:
    """Let VmHWM begin again from what is resident now (proc(5), clear_refs)."""
    Path(f"/proc/{served.pids[0]}/clear_refs").write_text("5", "ascii")


def _require_stored(database: Database, directory: Path, files: int) -> None:
    with database.connect() as connection:
        rows = connection.execute("SELECT sha256, size FROM blob WHERE bytes IS NULL").fetchall()
    paths = [path for path in (directory / "var" / "blobs").rglob("*") if path.is_file()]
    sizes = {bytes(row[0]).hex(): row[1] for row in rows}
    if len(rows) != files or {path.name: path.stat().st_size for path in paths} != sizes:
        raise Void(f"{files} files were sent, {len(rows)} rows and {len(paths)} files are there")


if __name__ == "__main__":
    raise SystemExit(command([("mtom", "MB grown", 1.0, measure)]))
