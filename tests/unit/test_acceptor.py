"""One connection a turn of the loop, and no spinning when the system has no room for one."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl

import pytest

from gateway import limits, server
from gateway.acceptor import PAUSE_SECONDS, Acceptor


def nobody(_address, _opening):
    return False


class Opened:
    """A task that is done."""

    def add_done_callback(self, done):
        done(self)


class Loop:
    """Remembers what an acceptor asks of a loop; a turn calls the reader once."""

    def __init__(self):
        self.reader = None
        self.opened = []
        self.later = []

    def add_reader(self, _descriptor, reader):
        self.reader = reader

    def remove_reader(self, _descriptor):
        self.reader = None

    def call_later(self, seconds, call):
        self.later.append((seconds, call))

    def create_task(self, opening):
        with pytest.raises(StopIteration):
            opening.send(None)
        return Opened()

    async def connect_accepted_socket(self, _protocol, taken, **_tls):
        self.opened.append(taken)
        taken.close()


@pytest.fixture
def bound():
    listening = server.listen("127.0.0.1", 0)
    yield listening
    listening.close()


def callers(bound, count):
    return [socket.create_connection(bound.getsockname()) for _ in range(count)]


def test_a_turn_takes_one_of_those_who_wait(bound):
    loop = Loop()
    acceptor = Acceptor(loop, bound, asyncio.Protocol, None, nobody)
    acceptor.start()
    waiting = callers(bound, 3)
    for taken in (1, 2, 3, 3):
        loop.reader()  # the fourth finds nobody: another process was quicker
        assert len(loop.opened) == taken
    for caller in waiting:
        caller.close()


def test_without_room_it_pauses_and_begins_again(bound):
    class Full:
        def fileno(self):
            return bound.fileno()

        def accept(self):
            raise OSError(errno.EMFILE, "too many open files")

    loop = Loop()
    acceptor = Acceptor(loop, Full(), asyncio.Protocol, None, nobody)
    acceptor.start()
    loop.reader()
    assert loop.reader is None
    ((seconds, again),) = loop.later
    assert seconds == PAUSE_SECONDS
    again()
    assert loop.reader is not None
    acceptor.close()
    again()
    assert loop.reader is None


def test_handshakes_of_one_address_are_counted_before_they_are_begun(bound):
    class Slow(Loop):
        def create_task(self, opening):
            opening.send(None)
            with pytest.raises(StopIteration):
                opening.send(None)
            return Opened()

        async def connect_accepted_socket(self, _protocol, taken, **tls):
            await asyncio.sleep(0)
            self.opened.append(tls["ssl_handshake_timeout"])
            taken.close()

    asked = []

    def crowded(address, opening):
        asked.append((address, opening))
        return len(asked) > 1

    loop = Slow()
    acceptor = Acceptor(loop, bound, asyncio.Protocol, ssl.create_default_context(), crowded)
    acceptor.start()
    waiting = callers(bound, 2)
    loop.reader()
    loop.reader()
    assert asked == [("127.0.0.1", 0), ("127.0.0.1", 0)]
    assert loop.opened == [limits.HEADER_SECONDS]
    assert waiting[1].recv(1) == b"", "the second one was closed at once"
    for caller in waiting:
        caller.close()


def test_a_caller_is_answered_without_delay_of_small_packets(bound):
    async def accepted():
        made = asyncio.Event()
        seen = []

        class Greeting(asyncio.Protocol):
            def connection_made(self, transport):
                seen.append(transport.get_extra_info("socket"))
                made.set()

        acceptor = Acceptor(asyncio.get_running_loop(), bound, Greeting, None, nobody)
        acceptor.start()
        with socket.create_connection(bound.getsockname()):
            await asyncio.wait_for(made.wait(), 10)
            option = seen[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        acceptor.close()
        await acceptor.wait_closed()
        return option

    assert asyncio.run(accepted()) == 1
