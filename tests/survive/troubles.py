"""A full disk, a database that is gone, clients that go: clear errors, nothing false, no hands.

A full disk is a real one: a small tmpfs that a file fills to the last byte, with the database and
the blobs on it. Only root may mount it; otherwise this part says that it was left out.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from gateway.embedded import open_cluster, wait_stopped
from gateway.limits import FREE_BYTES, MB
from tests.survive import calls
from tests.survive.clients import request
from tests.survive.say import say
from tests.survive.stand import SENDER, Stand, Store, place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DISK_MB = FREE_BYTES // MB + 256
"""More than must be left free for a large body, or none would ever be taken."""
LARGE = 400_000
"""Characters of a text whose message is a file of the blob directory, not a row."""


class NoDiskError(Exception):
    """A small disk cannot be mounted here."""


class Peer:
    """One peer that speaks REST, one call at a time, and remembers what it was promised."""

    def __init__(self, stand: Stand) -> None:
        where = urlsplit(stand.address)
        self._where = (where.hostname or "", where.port or 0)
        self._credential = calls.basic(SENDER, stand.key)
        self._names = 0
        self.promised: dict[str, calls.Receipt] = {}
        self.unclear: list[str] = []

    def submit(self, size: int = 0, name: str = "") -> int:
        """Submit an appeal and return the HTTP status, 0 for no answer at all."""
        self._names += not name
        name = name or f"trouble-{self._names}"
        text = calls.TEXT + f" {name} " + "я" * min(size, 90_000)
        call = calls.submit("rest-json", name, text=text)
        if size > len(text):  # room that costs bytes of the message and no text
            call = call._replace(body=call.body + b" " * (size - len(text)))
        try:
            with socket.create_connection(self._where, timeout=30) as line:
                line.sendall(request(call, self._credential))
                head, _, body = _read(line)
        except OSError:
            return 0
        status = int(head.split()[1])
        if status in {200, 201}:
            self.promised[name] = calls.receipt(body)
        elif status != 503 or b"retry-after" not in head.lower():
            self.unclear.append(f"{status} {body[:200]!r}")
        return status

    def gone(self) -> str:
        """Submit an appeal and hang up before the answer; return its external id."""
        self._names += 1
        name = f"trouble-{self._names}"
        call = calls.submit("rest-json", name, text=calls.TEXT + f" {name} ")
        with socket.create_connection(self._where, timeout=30) as line:
            line.sendall(request(call, self._credential))
        return name


def _read(line: socket.socket) -> tuple[bytes, bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (block := line.recv(65_536)):
            raise ConnectionResetError("no answer")
        data += block
    head, blank, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split()[0])
    while len(body) < length:
        if not (block := line.recv(65_536)):
            raise ConnectionResetError("half an answer")
        body += block
    return head, blank, body


def _kept(stand: Stand, peer: Peer, rows: Any) -> dict[str, int]:
    """What was promised and is not so; empty when all is well."""
    stored = dict(rows("SELECT external_id, receipt_number FROM appeal"))
    wrong = {
        "promised_and_not_stored": sum(
            stored.get(name) != receipt.number for name, receipt in peer.promised.items()
        ),
        "unclear_answers": len(peer.unclear),
    }
    for text in peer.unclear[:3]:
        say(f"  unclear: {text}")
    return {name: n for name, n in wrong.items() if n}


def gone(root: Path) -> dict[str, Any]:
    """The database goes away for a while and comes back; clients hang up before their answers."""
    nobody = os.geteuid() == 0
    cluster = open_cluster(root / "pg", allow_nobody=nobody)
    stand = Stand(root, GATEWAY_DATABASE_URL=cluster.url)
    try:
        stand.start(peers=False)
        peer = Peer(stand)
        before = [peer.submit() for _ in range(20)]
        cluster.close()
        wait_stopped(root / "pg")
        begun = time.monotonic()
        during = [peer.submit() for _ in range(40)]
        slowest = time.monotonic() - begun
        cluster = open_cluster(root / "pg", allow_nobody=nobody)
        begun = time.monotonic()
        stand.wait(lambda: peer.submit() in {200, 201}, "a submission")
        back = time.monotonic() - begun
        left = [peer.gone() for _ in range(50)]
        for name in left:
            stand.wait(lambda name=name: peer.submit(name=name) in {200, 201}, "a receipt")  # type: ignore[misc]
        wrong = _kept(stand, peer, Store(cluster.url).rows)
    finally:
        stand.stop()
        cluster.close()
    say(
        f"database gone: {before.count(201)} taken before, {during.count(503)} of 40 told to come "
        f"again in {slowest:.1f} s, back {back:.1f} s after the database; {len(left)} clients hung "
        "up and got their receipts by asking again"
    )
    if during.count(503) != len(during):
        wrong["not_told_to_come_again"] = len(during) - during.count(503)
    return wrong


def full_disk(root: Path) -> dict[str, Any]:
    """The disk of database and blobs fills up while appeals come, then has room again."""
    with small_disk(root / "data") as data:
        stand = Stand(root)
        try:
            stand.start(peers=False)
            peer = Peer(stand)
            before = [peer.submit(), peer.submit(LARGE)]
            filler = data / "filler"
            blobs = _fill(filler, 0), peer.submit(LARGE)
            filled = [peer.submit(30_000) for _ in range(400)]
            refused = sum(status not in {200, 201} for status in filled)
            filler.unlink()
            begun = time.monotonic()
            stand.wait(lambda: peer.submit(LARGE) in {200, 201}, "a submission")
            back = time.monotonic() - begun
            with stand.store() as store:
                wrong = _kept(stand, peer, store.rows)
        finally:
            stand.stop()
    say(
        f"disk full: {before.count(201)} taken before; a large one was answered {blobs[1]}; of 400 "
        f"more {refused} were refused; back {back:.1f} s after there was room; "
        f"{len(peer.promised)} promised"
    )
    if before != [201, 201]:
        wrong["refused_while_there_was_room"] = before
    if not refused or blobs[1] in {200, 201}:
        wrong["the_disk_was_not_full"] = 1
    return wrong


@contextmanager
def small_disk(path: Path) -> Iterator[Path]:
    """Mount a small file system of its own."""
    path.mkdir()
    options = f"size={DISK_MB}m,mode=711"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", path], check=False)
    if mounted.returncode:
        raise NoDiskError
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)


def _fill(path: Path, leave: int) -> int:
    """Write a file until the disk has no room; return its size."""
    block = b"\0" * 65_536
    size = 0
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                size += file.write(block)
        except OSError:
            return size


def run(*, keep: bool = False) -> dict[str, Any]:
    """Cause every trouble; return the figures."""
    wrong: dict[str, Any] = {}
    with place(keep=keep) as root:
        wrong |= gone(root)
    try:
        with place(keep=keep) as root:
            wrong |= full_disk(root)
    except NoDiskError:
        say("disk full: LEFT OUT, this account may not mount the small disk it needs")
    return {"wrong": wrong}
