"""From an event to the partner's directory: what is kept for whom, and what never leaves."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from gateway import ingest
from gateway.access.policy import Caller
from gateway.adapter import Inbound
from gateway.destinations import Destinations
from gateway.dispatch import Dispatcher
from gateway.errors import StateError
from gateway.model.appeal import Appeal
from gateway.model.events import EventType
from gateway.registry import load
from gateway.settings import Settings
from gateway.snapshots import StoredSnapshots
from gateway.store import deliveries, peers
from gateway.store.pool import Pool
from gateway.wires import contract as c
from gateway.wires.channels.pull import PullChanges
from tests.integration.accept.conftest import PEER
from tests.integration.triage.test_order import ANSWER, SUPPORTED

STATES = "SELECT event_type, state FROM delivery WHERE destination = %s ORDER BY lane, seq"


class House:
    """Triage, and dispatch into directories of `hook` and `archive`, as their rows say."""

    def __init__(self, room) -> None:
        self.room, self.root = room, room.root
        self.pool = Pool(room.url)
        self.pool.open()
        for code in ("hook", "archive"):
            self.row(code, "adapter = 'file'")
            with room.connection() as db:
                peers.set_options(db, code, {"directory": str(self.root / code)})

    def row(self, code, change):
        with self.room.connection() as db:
            db.execute(f"UPDATE peer SET {change} WHERE code = $1", (code,))

    def disable(self, code, **options):
        with self.room.connection() as db:
            peers.set_options(db, code, options)
            peers.disable(db, code, self.room.now)

    def enable(self, code):
        with self.room.connection() as db:
            peers.enable(db, code)

    def dispatch(self):
        known = Destinations(self.pool, load(["sstu"]), Settings(), lambda: self.room.now)
        snapshots = StoredSnapshots(
            self.pool, self.room.blobs, known.options, lambda: self.room.now
        )
        dispatcher = Dispatcher(
            self.room.url, known, snapshots, owner="test", now=lambda: self.room.now
        )
        try:
            while dispatcher.run_once():
                pass
        finally:
            dispatcher.close()

    def got(self, code):
        """Types of the events in a partner's directory, in the order in which they were sent."""
        sent = self.room.rows(
            "SELECT event_type FROM delivery WHERE destination = %s AND state = 'acknowledged'"
            " ORDER BY lane, seq",
            code,
        )
        files = [f for f in (self.root / code).glob("*") if f.is_file()]
        assert len(files) == len(sent)
        assert all(json.loads(file.read_bytes()) for file in files)
        return [kind for (kind,) in sent]

    def changes(self, code):
        snapshots = StoredSnapshots(self.pool, self.room.blobs, lambda _: {}, lambda: self.room.now)
        pulled = PullChanges(self.pool, snapshots, lambda: self.room.now)
        return [item.event_type for item in pulled.get(c.GetChanges(), Caller(peer=code)).items]


@pytest.fixture
def house(room):
    made = House(room)
    yield made
    made.pool.close()


class TestDisabled:
    def test_what_happens_meanwhile_is_kept_and_goes_out_afterwards(self, house, room):
        house.disable("hook")
        room.submit("a")
        room.work_off()
        room.report("a", "k-1")
        room.work_off()
        house.dispatch()
        assert house.got("hook") == []
        assert house.got("archive")
        assert {state for _, state in room.rows(STATES, "hook")} == {"ready"}

        house.enable("hook")
        house.dispatch()
        assert house.got("hook") == house.got("archive")
        assert "TakenToWork" in house.got("hook")

    def test_a_peer_that_pulls_finds_it_in_its_lane(self, house, room):
        house.disable(PEER)
        room.submit("a")
        room.work_off()
        assert "Registered" in house.changes(PEER)

    def test_the_operator_may_have_nothing_kept(self, house, room):
        house.disable("hook", keep_days=0)
        room.submit("a")
        room.work_off()
        assert room.rows(STATES, "hook") == []

    def test_or_begin_anew_with_what_comes_after(self, house, room):
        house.disable("hook")
        for n in range(3):
            room.submit(f"a-{n}")
        room.work_off()
        with room.connection() as db:
            before = deliveries.waiting(db, "hook")
            done = sum(deliveries.skip_unsent(db, "hook", room.now, "kept while away"))
            assert (done, deliveries.waiting(db, "hook")) == (before, 0)
        house.enable("hook")
        room.report("a-1", "k-1")
        room.work_off()
        house.dispatch()
        assert house.got("hook")[-1] == "TakenToWork"
        assert {state for _, state in room.rows(STATES, "hook")} == {"acknowledged", "skipped"}
        assert "Registered" not in house.got("hook")


class TestTestMessages:
    @pytest.fixture
    def trial(self, room):
        arrival = replace(room.arrival(b"trial"), test=True)
        inbound = Inbound(operation="submit", external_id="t", revision=1, appeal=Appeal(text="т"))
        room.accept.submit_sync(ingest.entry(arrival, inbound, room.blobs))

    def test_none_leaves_to_a_production_system_also_when_sent_again(self, house, room, trial):
        house.row("hook", "test = true")
        room.work_off()
        house.dispatch()
        assert house.got("hook")
        assert house.got("archive") == []
        stopped = room.rows("SELECT id, state, error FROM delivery WHERE destination = 'archive'")
        assert {(state, "test message" in error) for _, state, error in stopped} == {
            ("skipped", True)
        }
        with room.connection() as db, db.transaction():
            for id_, _, _ in stopped:
                deliveries.replay(db, id_, room.now)
        house.dispatch()
        assert house.got("archive") == []
        assert {state for _, state in room.rows(STATES, "archive")} == {"skipped"}

    def test_none_is_pulled_by_a_production_system_but_its_own(self, house, room, trial):
        house.row("hook", "adapter = 'pull', test = true")
        house.row("archive", "adapter = 'pull'")
        room.work_off()
        assert house.changes("hook")
        assert house.changes(PEER)
        assert house.changes("archive") == []
        house.row("hook", "test = false")
        assert house.changes("hook") == [], "what was kept for a test system stays out, too"


class TestManifest:
    @pytest.fixture
    def answered(self, house, room):
        """An appeal that was taken to work and answered, told to a web of files and to ССТУ."""
        room.now = datetime(2026, 3, 2, 12, tzinfo=UTC)
        house.row("archive", "adapter = 'sstu'")
        room.submit("a")
        room.report("a", "k-1")
        room.report("a", "k-2", EventType.ANSWERED, answer=ANSWER, outcome=SUPPORTED)
        room.work_off()
        return "SELECT {} FROM delivery WHERE event_type = 'Answered'"

    def test_an_adapter_is_owed_what_it_sends_on_and_marked_as_it_says(self, room, answered):
        marked = dict(room.rows(answered.format("destination, may_reach_citizen")))
        assert marked == {"hook": True, "archive": False, PEER: True}
        kinds = {kind for kind, _ in room.rows(STATES, "archive")}
        assert "TakenToWork" not in kinds
        assert {"Received", "Registered", "Answered"} <= kinds

    def test_what_may_reach_a_citizen_is_sent_again_by_its_id_only(self, room, answered):
        found = room.rows(answered.format("destination, id"))
        letter, report = (dict(found)[code] for code in ("hook", "archive"))
        with room.connection() as db:
            db.execute("UPDATE delivery SET state = 'dead' WHERE event_type = 'Answered'")
            with pytest.raises(StateError, match="by its id"):
                deliveries.replay(db, letter, room.now, by_filter=True)
            deliveries.replay(db, report, room.now, by_filter=True)
            states = [deliveries.get(db, id_).delivery.state for id_ in (letter, report)]
            assert states == ["dead", "retry"]
            deliveries.replay(db, letter, room.now)
            assert deliveries.get(db, letter).delivery.state == "retry"
