"""Whatever happens in whatever order, a lane keeps its order and its count, and loses nothing."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.errors import BusyError, StateError
from gateway.model.ids import uuid7
from gateway.store import arrays, deliveries, lanes

NOW = dt.datetime.now(dt.UTC)
WANT = [lanes.Want("d", 10, 10, 60)]
LANES = ("a", "b")
OUTCOMES: dict[str, dict[str, Any]] = {
    "acknowledged": {"gone": True},
    "sent": {"gone": True, "ack_due": NOW - dt.timedelta(seconds=1)},
    "retry": {"due": NOW},
    "unknown": {"due": NOW},
    "refused": {"closes": True},
    "dead": {"closes": True},
}
STEPS = st.one_of(
    st.tuples(st.just("owe"), st.sampled_from(LANES)),
    st.tuples(st.just("claim"), st.sampled_from(["w1", "w2"])),
    st.tuples(st.just("begin"), st.integers(0, 3)),
    st.tuples(st.just("settle"), st.integers(0, 3), st.sampled_from(sorted(OUTCOMES))),
    st.tuples(st.just("work"), st.integers(0, 3), st.sampled_from(sorted(OUTCOMES))),
    st.tuples(st.just("crash"), st.none()),
    st.tuples(st.just("late settle"), st.integers(0, 3)),
    st.tuples(st.just("sweep"), st.none()),
    st.tuples(st.just("replay"), st.integers(0, 9)),
    st.tuples(st.just("skip"), st.integers(0, 9)),
)


class Model:
    """What must be true, kept beside the database."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.db = connection
        self.owed: list[Any] = []
        self.in_hand: list[tuple[str, lanes.Claimed]] = []
        self.lost: list[tuple[str, lanes.Claimed]] = []
        self.touched: set[Any] = set()

    def do(self, step: tuple[Any, ...]) -> None:
        name, at, *rest = step
        match name:
            case "work":
                self.do(("claim", "w1"))
                self.do(("settle", at, *rest))
            case "owe":
                row = lanes.NewDelivery("d", at, uuid7(), 1, "Registered")
                self.owed += lanes.enqueue(self.db, [row], NOW)
            case "claim":
                for claimed in lanes.claimed(lanes.claim(self.db, WANT, at, NOW)):
                    self.is_the_head(claimed)
                    self.in_hand.append((at, claimed))
            case "begin" if self.in_hand:
                self.begin(*self.in_hand[at % len(self.in_hand)])
            case "settle" if self.in_hand:
                self.settle(*self.in_hand.pop(at % len(self.in_hand)), rest[0])
            case "crash":
                self.lost, self.in_hand = self.lost + self.in_hand, []
                self.db.execute("UPDATE lane SET lease_until = now() - interval '1 s'")
                lanes.sweep(self.db, {}, [], NOW)
            case "late settle" if self.lost:
                before = self.rows()
                self.settle(*self.lost[at % len(self.lost)], "acknowledged")
                assert self.rows() == before, "a worker without its lease changes nothing"
            case "sweep":
                lanes.sweep(self.db, {}, [], NOW)
            case "replay" | "skip" if self.owed:
                self.decide(name, self.owed[at % len(self.owed)])

    def is_the_head(self, claimed: lanes.Claimed) -> None:
        """Everything before it in its lane is over, unless a person decided otherwise."""
        d = claimed.delivery
        earlier = self.db.execute(
            "SELECT id, state FROM delivery WHERE lane = $1 AND seq < $2 ORDER BY seq",
            (d.lane, d.seq),
        ).fetchall()
        assert {s for _, s in earlier} <= {"acknowledged", "sent", "skipped"}
        assert d.lane not in [c.delivery.lane for _, c in self.in_hand], "one in flight a lane"

    def begin(self, owner: str, claimed: lanes.Claimed) -> None:
        begun = lanes.Begun(
            attempt=uuid7(), claimed=claimed, n=claimed.delivery.attempts + 1, sha256=b"x",
            request=b"x", head="{}", needed=1, ask=False,
        )  # fmt: skip
        assert lanes.begun(lanes.begin(self.db, [begun], owner, NOW)) == {begun.attempt}

    def settle(self, owner: str, claimed: lanes.Claimed, state: str) -> None:
        item = lanes.Settled(claimed=claimed, state=state, attempts=1, **OUTCOMES[state])
        lanes.lock(self.db, [claimed])
        lanes.settle(self.db, [item], owner, NOW)

    def decide(self, name: str, id_: Any) -> None:
        try:
            with self.db.transaction():
                if name == "replay":
                    deliveries.replay(self.db, id_, NOW)
                else:
                    deliveries.skip(self.db, id_, NOW, "no")
        except (StateError, BusyError):
            return

    def rows(self) -> list[Any]:
        return self.db.execute(
            "SELECT d.id, d.state, l.waiting, l.head_seq, l.owner, l.fence, l.closed_by "
            "FROM delivery d JOIN lane l ON l.key = d.lane ORDER BY d.id"
        ).fetchall()

    def check(self) -> None:
        for key, waiting, head, closed_by, owner in self.db.execute(
            "SELECT key, waiting, head_seq, closed_by, owner FROM lane"
        ).fetchall():
            states = dict(
                self.db.execute(
                    "SELECT seq, state FROM delivery WHERE lane = $1 ORDER BY seq", (key,)
                ).fetchall()
            )
            open_ = [seq for seq, state in states.items() if state in deliveries.OPEN]
            assert waiting == len(open_)
            assert all(seq >= head for seq in open_), "nothing is left behind the head"
            assert list(states) == list(range(1, len(states) + 1))
            if not owner:
                assert "sending" not in states.values()
            if closed_by:
                assert {"refused", "dead"} & set(states.values())

    def finish(self) -> None:
        """In the end everything can be brought to its end."""
        self.do(("crash", None))
        for id_ in self.owed:
            self.decide("replay", id_)
        for _ in range(len(self.owed) * 2 + 2):
            self.do(("claim", "w1"))
            while self.in_hand:
                self.settle(*self.in_hand.pop(), "acknowledged")
        found = {row[0] for row in self.db.execute("SELECT state FROM delivery")}
        assert found <= {"acknowledged", "sent"}
        assert len(self.rows()) == len(self.owed)


@pytest.fixture
def database(pg_url: str):
    with psycopg.connect(pg_url, autocommit=True, cursor_factory=psycopg.RawCursor) as connection:
        arrays.register(connection)
        yield connection


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(  # the acknowledgement of the first runs out while the second is on the wire
    owed=["a", "a"],
    steps=[("work", 0, "sent"), ("claim", "w1"), ("sweep", None), ("settle", 0, "acknowledged")],
)
@example(  # one is skipped, the next goes, the first is brought back
    owed=["a", "a"],
    steps=[("skip", 0), ("work", 0, "acknowledged"), ("replay", 0)],
)
@example(  # a worker comes back after another has taken its lane
    owed=["a"],
    steps=[("claim", "w1"), ("crash", None), ("claim", "w1"), ("late settle", 0)],
)
@example(owed=["a"], steps=[("work", 0, "sent"), ("sweep", None)])
@given(owed=st.lists(st.sampled_from(LANES), max_size=6), steps=st.lists(STEPS, max_size=30))
def test_a_lane_keeps_its_promises(database, owed, steps):
    database.execute("TRUNCATE lane, delivery, attempt")
    model = Model(database)
    for key in owed:
        model.do(("owe", key))
    for step in steps:
        model.do(step)
        model.check()
    model.finish()
    model.check()
