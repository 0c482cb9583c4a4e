"""Who calls is known without waiting: peers are read again before they are too old."""

import asyncio
import threading

import pytest

from gateway.access.policy import AHEAD_SECONDS, FRESH_SECONDS, Caller, Gate
from gateway.errors import AccessError, BusyError
from gateway.wires.edge import Edge

SCOPE = {"path": "/soap/appeals.svc", "scheme": "http", "client": ("127.0.0.1", 1)}


class Slow(Gate):
    """Reads peers when it may, and counts how often."""

    def __init__(self):
        self.instant, self.reads = 0.0, 0
        self.may, self.trouble = threading.Event(), None
        super().__init__("", trusted_wire=True, refused=lambda _: None, clock=lambda: self.instant)
        self._reader = self

    def read(self):
        assert self.may.wait(10)
        self.reads += 1
        if self.trouble is not None:
            raise self.trouble
        return self._known


@pytest.fixture
def gate():
    made = Slow()
    made.may.set()
    yield made
    made.may.set()


def calls(gate, *steps):
    """Take the steps on one loop, each an instant at which a call comes; end when reading ends."""
    edge = Edge(gate, None, None)

    async def story():
        for step in steps:
            if callable(step):
                await asyncio.to_thread(step)
            else:
                gate.instant = step
                with pytest.raises(AccessError):
                    await asyncio.wait_for(edge.enter(SCOPE, {}, "corr-1"), 5)
        edge.close()

    asyncio.run(story())
    edge._access.shutdown(wait=True)


def test_a_call_does_not_wait_for_peers_that_are_read_ahead(gate):
    later = AHEAD_SECONDS + 0.1
    calls(gate, 0.0, gate.may.clear, later, later, later, gate.may.set, FRESH_SECONDS)
    assert gate.reads == 2


def test_what_is_too_old_is_waited_for(gate):
    calls(gate, 0.0, FRESH_SECONDS + 0.1)
    assert gate.reads == 2


def test_what_is_young_is_not_read_again(gate):
    calls(gate, *(AHEAD_SECONDS * n / 10 for n in range(10)))
    assert gate.reads == 1


def test_the_database_away_for_a_moment_is_noticed_by_nobody(gate):
    gate._known = type(gate._known)(callers={"a": Caller(peer="a")})

    def away():
        gate.trouble = BusyError("the store is away")

    calls(gate, 0.0, away, AHEAD_SECONDS + 0.1, FRESH_SECONDS)
    assert gate.reads >= 1
