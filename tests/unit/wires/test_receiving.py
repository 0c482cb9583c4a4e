"""A package is taken in order: the envelope, then what it points to, never more than is asked."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from hashlib import sha256

import pytest
from lxml import etree

from gateway import limits, ns
from gateway.adapter import Stored
from gateway.errors import BusyError, MalformedError, TooLargeError, ValidationError
from gateway.store.blobs import BlobDirectory
from gateway.wires import spool
from gateway.wires.allowance import Allowance
from gateway.wires.edge import Gone
from gateway.wires.inflate import PIECE_BYTES, in_pieces
from gateway.wires.receiving import Incoming
from gateway.wires.room import Room

FILES = frozenset({ns.tag(ns.APPEALS, "Content")})
HEAD = 'multipart/related; type="application/xop+xml"; start-info="text/xml"; boundary=b'
LARGE = b"0123456789abcdef" * (limits.BODY_IN_ROW_BYTES // 16) + b"!"
SMALL = b"scan"


def root(*cids):
    contents = "".join(
        f'<Content><x:Include xmlns:x="{ns.XOP}" href="cid:{cid}"/></Content>' for cid in cids
    )
    return f'<A xmlns="{ns.APPEALS}">{contents}</A>'.encode()


def package(envelope, *parts):
    body = b"--b\r\nContent-Type: application/xop+xml\r\n\r\n" + envelope
    for cid, data in parts:
        body += f"\r\n--b\r\nContent-ID: <{cid}>\r\nContent-Type: a/b\r\n\r\n".encode() + data
    return body + b"\r\n--b--\r\n"


class Sender:
    """What ASGI's receive gives: a body in pieces, whole or broken off."""

    def __init__(self, body, step=50_000, *, leaves=False):
        self.pieces = [body[start : start + step] for start in range(0, len(body), step)] or [b""]
        self.leaves = leaves
        self.asked = 0

    async def __call__(self):
        self.asked += 1
        if not self.pieces:
            return {"type": "http.disconnect"}
        body = self.pieces.pop(0)
        more = bool(self.pieces) or self.leaves
        return {"type": "http.request", "body": body, "more_body": more}


class Taken:
    def __init__(self, tmp_path, sender, room=None, **headers):
        self.room = room or Room()
        self.held = self.room.body("portal")
        self.blobs = BlobDirectory(tmp_path / "blobs")
        named = {"content-type": HEAD, **headers}
        self.incoming = Incoming(sender, named, self.held, package_bytes=limits.MB)

    def run(self, files=FILES):
        async def both():
            self.root = await self.incoming.root()
            self.body = etree.fromstring(self.root)
            return await self.incoming.rest(self.body, files, self.blobs, self.held.peer)

        return asyncio.run(both())

    @property
    def stored(self):
        return [path for path in self.blobs.root.rglob("*") if path.is_file()]


@pytest.mark.parametrize("step", [1_000, 50_000, 10_000_000])
def test_small_parts_stay_in_memory_and_large_ones_go_to_the_disk(tmp_path, step):
    sender = Sender(package(root("s", "l"), ("s", SMALL), ("l", LARGE)), step)
    taken = Taken(tmp_path, sender)
    small, large = taken.run().values()
    assert (small.data, small.size) == (SMALL, 4)
    told = Stored(sha256=sha256(LARGE).hexdigest(), size=len(LARGE), start=LARGE[:16])
    assert large.data == told
    assert taken.blobs.get(bytes.fromhex(large.sha256)) == LARGE
    assert len(taken.stored) == 1
    assert taken.room.held < step + 10_000, "what is on the disk is not held"
    assert set(taken.incoming.parts) == {"s", "l"}
    assert not list(taken.body.iter(ns.tag(ns.XOP, "Include")))


def test_the_envelope_is_there_before_the_rest_is_asked_for(tmp_path):
    sender = Sender(package(root("l"), ("l", LARGE)), 1_000)
    taken = Taken(tmp_path, sender)
    assert asyncio.run(taken.incoming.root()) == root("l")
    assert sender.asked == 1
    assert taken.incoming.headers["content-type"] == "text/xml"
    assert (taken.incoming.packed, taken.incoming.form) == (True, "xop")


@pytest.mark.parametrize(
    ("cids", "parts"),
    [(["a"], []), ([], ["a"]), (["a"], ["b"]), (["a"], ["a", "a"]), (["a"], ["a", "b"])],
)
def test_what_does_not_belong_together_leaves_no_part_half_way(tmp_path, cids, parts):
    taken = Taken(tmp_path, Sender(package(root(*cids), *((cid, LARGE) for cid in parts))))
    with pytest.raises(ValidationError):
        taken.run()
    assert len(taken.stored) <= 1, "the whole first one waits for the collector"
    taken.held.free()
    assert taken.room.held == 0


def test_of_a_client_that_leaves_nothing_stays(tmp_path):
    body = package(root("l"), ("l", LARGE * 3))
    taken = Taken(tmp_path, Sender(body[: len(body) // 2], leaves=True))
    with pytest.raises(Gone):
        taken.run()
    assert taken.stored == []
    with taken.room.package("portal"):
        pass


def test_a_full_disk_is_told_as_busy_before_the_first_part(tmp_path, monkeypatch):
    taken = Taken(
        tmp_path, Sender(package(root("l"), ("l", LARGE))), **{"content-length": "9" * 18}
    )
    with pytest.raises(BusyError):
        taken.run()
    assert taken.stored == []

    def full(_file, _chunks):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spool, "_write_all", full)
    taken = Taken(tmp_path, Sender(package(root("l"), ("l", LARGE))))
    with pytest.raises(BusyError) as caught:
        taken.run()
    assert caught.value.where == "ENOSPC"


def test_packages_at_once_are_bounded_by_peer_and_in_all():
    room = Room()
    with pytest.raises(BusyError):
        _many(room, ["greedy"] * (limits.PACKAGES_OF_PEER + 1))
    with room.package("greedy"):
        pass
    with pytest.raises(BusyError):
        _many(room, [f"peer-{n}" for n in range(limits.PACKAGES_AT_ONCE + 1)])


def _many(room, peers):
    if peers:
        with room.package(peers[0]):
            _many(room, peers[1:])


def test_a_service_that_reads_base64_gets_it_as_far_as_memory_goes(tmp_path):
    taken = Taken(tmp_path, Sender(package(root("s"), ("s", SMALL))))
    assert taken.run(files=frozenset()) == {}
    assert taken.body[0].text == "c2Nhbg=="
    assert taken.stored == []


def test_a_signed_envelope_gets_its_parts_back_before_it_is_looked_at(tmp_path, monkeypatch):
    taken = Taken(tmp_path, Sender(package(root("s", "l"), ("s", SMALL), ("l", LARGE))))

    async def signed():
        body = etree.fromstring(await taken.incoming.root())
        await taken.incoming.inline(body, taken.blobs)
        return body, await taken.incoming.rest(body, FILES, taken.blobs, "portal")

    body, files = asyncio.run(signed())
    assert (body[0].text, len(body[1].text), files) == ("c2Nhbg==", 349_528, {})
    assert taken.stored == []
    monkeypatch.setattr("gateway.wires.receiving.SIGNED_PARTS_BYTES", len(LARGE))
    taken = Taken(tmp_path, Sender(package(root("s", "l"), ("s", SMALL), ("l", LARGE))))
    with pytest.raises(TooLargeError, match="signature"):
        asyncio.run(signed())


def test_a_package_may_come_packed_and_has_the_same_bounds(tmp_path):
    body = package(root("l"), ("l", LARGE))
    taken = Taken(tmp_path, Sender(gzip.compress(body), 100), **{"content-encoding": "gzip"})
    assert [part.size for part in taken.run().values()] == [len(LARGE)]
    bomb = gzip.compress(package(root("l"), ("l", bytes(3 * limits.MB))))
    taken = Taken(tmp_path, Sender(bomb), **{"content-encoding": "gzip"})
    with pytest.raises(TooLargeError):
        taken.run()


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress], ids=["gzip", "deflate"])
def test_what_unpacks_to_much_comes_in_small_pieces(pack):
    data = bytes(5 * PIECE_BYTES) + b"end"
    coding = "gzip" if pack is gzip.compress else "deflate"
    pieces, close = in_pieces(coding, len(data))
    packed = pack(data)
    found = [piece for start in range(0, len(packed), 7) for piece in pieces(packed[start:][:7])]
    close()
    assert b"".join(found) == data
    assert max(map(len, found)) <= PIECE_BYTES
    pieces, close = in_pieces(coding, len(data))
    list(pieces(packed[:-3]))
    with pytest.raises(MalformedError):
        close()


def test_the_files_of_a_day_are_bounded_by_peer(tmp_path, monkeypatch):
    monkeypatch.setattr(spool, "ALLOWANCE", Allowance(len(LARGE) * 3 // 2))
    package_of = package(root("l"), ("l", LARGE))
    Taken(tmp_path, Sender(package_of)).run()
    taken = Taken(tmp_path, Sender(package_of))
    with pytest.raises(BusyError):
        taken.run()
    assert len(taken.stored) == 1
    other = Taken(tmp_path, Sender(package_of))
    other.held.peer = "other"
    other.run()
    monkeypatch.setattr(spool, "ALLOWANCE", Allowance(len(SMALL) * 2 - 1))
    assert Taken(tmp_path, Sender(package(root("s"), ("s", SMALL)))).run()
    with pytest.raises(BusyError):
        Taken(tmp_path, Sender(package(root("s"), ("s", SMALL)))).run()
