"""Lanes of dispatch onto a real broker: order, the level of disclosure, doubts that go again."""

import contextlib
import random

import psycopg
import pytest

from gateway.dispatch import Destination, Dispatcher, Policy
from gateway.model.ids import uuid7
from gateway.retry import Backoff
from gateway.store import arrays, lanes
from tests.integration.dispatch.conftest import Appeals, Clock


class Office:
    """A dispatcher over a real database whose only destination is the bus."""

    def __init__(self, url, side) -> None:
        self.clock = Clock()
        self.connection = psycopg.connect(url, autocommit=True, cursor_factory=psycopg.RawCursor)
        arrays.register(self.connection)
        channel = side.channel(timeout=5.0)
        policy = Policy(
            timeout=5.0, max_in_flight=4, idempotent=True, settle_after=0.0,
            backoff=Backoff(base=10, cap=60), disclosure="problem_only",
        )  # fmt: skip
        destination = Destination("bus", channel, channel, policy)
        self.dispatcher = Dispatcher(
            url, lambda: {"bus": destination}, Appeals(self.clock), owner="one", now=self.clock,
            poll_seconds=0.05, chance=random.Random(7),
        )  # fmt: skip

    def owe(self, *lane_keys):
        rows = [lanes.NewDelivery("bus", key, uuid7(), 1, "Registered") for key in lane_keys]
        with self.connection.transaction():
            return [str(id_) for id_ in lanes.enqueue(self.connection, rows, self.clock())]

    def states(self):
        found = self.connection.execute("SELECT DISTINCT state FROM delivery").fetchall()
        return {state for (state,) in found}

    def work(self, rounds=30):
        """Until nothing is left to do; what failed becomes due again."""
        for _ in range(rounds):
            self.dispatcher.run_once()
            if self.states() == {"acknowledged"}:
                return
            self.clock.move(120)

    def close(self):
        self.dispatcher.close()
        self.connection.close()


@pytest.fixture
def office(pg_url, side):
    with contextlib.closing(Office(pg_url, side)) as made:
        yield made


def test_the_events_of_a_lane_stand_in_the_queue_in_their_order_and_show_the_problem_alone(
    office, side
):
    owed = {"a": [], "b": []}
    for _ in range(5):
        for key, id_ in zip(owed, office.owe(*owed), strict=True):
            owed[key].append(id_)

    office.work()

    found = side.events()
    came = list(dict.fromkeys(properties.message_id for properties, _ in found))
    for ids in owed.values():
        assert [id_ for id_ in came if id_ in ids] == ids
    assert not any("Сидорова".encode() in body for _, body in found)
    assert office.states() == {"acknowledged"}


def test_while_the_broker_is_away_the_lane_waits_and_nothing_is_lost(office, side, broker):
    first = office.owe("a")
    office.work()
    broker.halt()
    second = office.owe("a", "b")
    office.dispatcher.run_once()
    assert office.states() == {"acknowledged", "retry"}
    broker.start()

    office.work()

    assert office.states() == {"acknowledged"}
    assert {p.message_id for p, _ in side.events()} == {*first, *second}
