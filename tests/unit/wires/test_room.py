"""One caller with a key fills neither the memory of a process nor the room of the others."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from gateway import limits
from gateway.errors import BusyError
from gateway.wires.room import Room, as_it_came


def test_a_peer_has_its_share_and_all_have_theirs():
    room = Room(in_all=10, of_one=6)
    greedy, other, third = room.body("greedy"), room.body("other"), room.body("third")
    assert greedy.add(b"123456") == b"123456"
    with pytest.raises(BusyError):
        greedy.add(b"7")
    with pytest.raises(BusyError):
        room.body("greedy").add(b"7")
    other.add(b"1234")
    with pytest.raises(BusyError):
        third.add(b"1")
    assert room.held == 10
    greedy.free()
    third.add(b"1")
    assert room.held == 5


def test_what_is_freed_is_freed_once_and_also_after_a_failure():
    room = Room(in_all=10, of_one=10)
    with room.body("one") as held:
        held.add(b"123456")
        with pytest.raises(BusyError):
            held.add(b"1234567")
        assert room.held == 6
    assert room.held == 0
    held.free()
    assert room.held == 0


def test_strangers_take_neither_the_room_of_peers_nor_all_of_each_others():
    room = Room()
    full = room.strangers.body("192.0.2.1")
    full.add(bytes(limits.STRANGER_BODIES_BYTES))
    with pytest.raises(BusyError):
        room.strangers.body("192.0.2.1").add(b"x")
    other = room.strangers.body("192.0.2.2")
    other.add(b"x")
    own = room.body("portal")
    own.add(bytes(limits.MB))
    assert room.held == limits.MB
    for body in (full, other, own):
        body.free()
    assert (room.held, room.strangers.held) == (0, 0)


def held_by(strangers, address, piece=10_000):
    """Take all that an address can get, and return its body."""
    body = strangers.body(address)
    with contextlib.suppress(BusyError):
        while True:
            body.add(bytes(piece))
    return body


def test_a_customer_of_ipv6_and_his_site_have_a_small_part_together():
    room = Room().strangers
    for n in range(200):
        held_by(room, f"2001:db8::{n:x}")
    assert room.held <= limits.STRANGER_BODIES_BYTES
    for n in range(200):
        held_by(room, f"2001:db8:0:{n:x}::1")
    assert room.held <= limits.STRANGER_SITE * limits.STRANGER_BODIES_BYTES
    assert room.held <= limits.STRANGERS_BODIES_BYTES // 8
    for address in ("2001:db8:1::1", "192.0.2.1"):
        room.body(address).add(bytes(limits.MB))


@pytest.mark.parametrize(("floods", "honest"), [(10, 1_500_000), (40, 300_000), (200, 20_000)])
def test_addresses_that_take_all_they_can_leave_room_for_those_that_come_later(floods, honest):
    room = Room().strangers
    bodies = [held_by(room, f"192.0.{n >> 8}.{n & 255}") for n in range(floods)]
    last = room.body("198.51.100.1")
    last.add(bytes(honest))
    for body in (last, *bodies):
        body.free()
    assert room.held == 0
    assert not room._by_peer


def test_packages_of_strangers_are_counted_by_network():
    room = Room().strangers
    with contextlib.ExitStack() as stack:
        for n in range(limits.PACKAGES_OF_PEER):
            stack.enter_context(room.package(f"2001:db8::{n:x}"))
        with pytest.raises(BusyError):
            stack.enter_context(room.package("2001:db8::ffff"))
        stack.enter_context(room.package("2001:db8:0:1::1"))


class Sender:
    """Gives pieces, and remembers what was held when each was asked for."""

    def __init__(self, pieces, held):
        self.pieces, self.held, self.seen = list(pieces), held, []

    async def __call__(self):
        self.seen.append(self.held.room.held)
        if not self.pieces:
            return {"type": "http.disconnect"}
        piece = self.pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(self.pieces)}


def came(headers, pieces, most=1000):
    held = Room().strangers.body("192.0.2.1")
    sender = Sender(pieces, held)
    receive = as_it_came(sender, headers, held, most)

    async def story():
        given = []
        while (message := await receive())["type"] != "http.disconnect":
            given.append(message["body"])
            held.add(b"unpacked")
        return given

    return asyncio.run(story()), sender.seen


def test_what_a_stranger_packed_is_held_as_it_came_until_it_is_whole():
    packed = {"content-encoding": "gzip"}
    assert came(packed, [b"ab", b"cd", b"e"]) == ([b"abcde"], [0, 2, 4, 8])
    assert came({}, [b"ab", b"cd"]) == ([b"ab", b"cd"], [0, 8, 16])
    assert came(packed, [b"ab", b"cd", b"e", b"f"], most=3)[0] == [b"abcde", b"f"]


def test_of_a_packed_package_the_beginning_is_waited_for():
    size = limits.STRANGER_PACKED_BYTES
    package = {"content-encoding": "gzip", "content-type": "Multipart/related; boundary=b"}
    given, _ = came(package, [bytes(size), b"a", b"b"], most=limits.MB)
    assert [len(piece) for piece in given] == [size + 1, 1]


def test_who_leaves_before_his_body_is_whole_is_gone():
    held = Room().strangers.body("192.0.2.1")
    sender = Sender([b"ab"], held)
    asyncio.run(sender())
    receive = as_it_came(sender, {"content-encoding": "gzip"}, held, 1000)
    assert asyncio.run(receive())["type"] == "http.disconnect"


def test_of_who_sent_nothing_nothing_stays():
    room = Room().strangers
    with room.body("192.0.2.1") as held:
        assert held.add(b"") == b""
    assert not room._by_peer
