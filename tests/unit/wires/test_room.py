"""One caller with a key fills neither the memory of a process nor the room of the others."""

from __future__ import annotations

import pytest

from gateway import limits
from gateway.errors import BusyError
from gateway.wires.room import Room


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
