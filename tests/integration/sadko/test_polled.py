"""The inbox of the simulated site, polled into a real store: killed, repeated, answered."""

import json
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import psycopg
import pytest

from adapters.regional.sadko.adapter import Sadko
from adapters.regional.sadko.inbox import TRIES
from gateway.adapter import EncodeContext
from gateway.dispatch.ports import Destination, Policy
from gateway.model import facts as f
from gateway.model.appeal import Appeal
from gateway.model.events import Actor, Event, EventType
from gateway.model.peer import Peer
from gateway.outbound import Outbound
from gateway.polling import Asked, Polling
from gateway.store import sources
from gateway.store.blobs import BlobDirectory
from gateway.store.committer import Committer
from gateway.store.pool import Pool
from simulators.process import running
from tests.integration.house import eventually

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
CONTENT = """
SELECT c.bytes FROM appeal a JOIN content c ON c.appeal_id = a.id AND c.id = a.content_id
ORDER BY a.external_id
"""


@pytest.fixture
def site():
    with running("sadko") as simulator:
        yield simulator


class Stand:
    """One poller of the site on a real store; three items at one asking."""

    def __init__(self, url, root, site) -> None:
        self.url = url
        self.committer, self.pool = Committer(url), Pool(url)
        self.committer.start()
        self.pool.open()
        self.blobs = BlobDirectory(root / "blobs")
        self.out = Outbound(allowed_hosts=["127.0.0.1"], allow_private=["127.0.0.1"])
        table = dict(site.facts["options"])
        self.adapter = Sadko({**table, "batch": 3}, base=table.pop("url"), outbound=self.out)

    def poll(self):
        row = Peer(code="kaluga", name="kaluga", adapter="sadko", options={"poll_every": 0.001})
        policy = Policy(timeout=10.0)
        made = Destination("kaluga", self.adapter, self.adapter, policy)
        return Polling(
            self.pool, self.committer, self.blobs, lambda: {"kaluga": Asked(row, made)},
            owner="one", now=lambda: datetime.now(UTC),
        ).run_once("kaluga")  # fmt: skip

    def rows(self, statement):
        with psycopg.connect(self.url, autocommit=True) as db:
            return db.execute(statement).fetchall()

    def close(self) -> None:
        self.committer.stop()
        self.pool.close()
        self.out.close()


@pytest.fixture
def stand(pg_url, tmp_path, site):
    made = Stand(pg_url, tmp_path, site)
    yield made
    made.close()


def test_the_whole_inbox_is_stored_once_whatever_the_cursor_was(stand, site):
    keys = site.control(emit=7, seed=5)["keys"]

    assert stand.poll() == 7
    with stand.pool.connection() as db:
        sources.set_cursor(db, "kaluga", "", datetime.now(UTC))
    stand.poll()

    assert sorted(k for (k,) in stand.rows("SELECT external_id FROM appeal")) == sorted(keys)
    assert stand.rows("SELECT count(*) FROM message WHERE stage = 'undecodable'") == [(0,)]


def test_an_item_that_is_refused_there_is_kept_for_a_person(stand, site):
    keys = site.control(emit=3, seed=6)["keys"]
    site.plan("refuse", key=f"item:{keys[0]}", times=TRIES)

    def kept():
        stand.poll()
        return stand.rows("SELECT body FROM message WHERE stage = 'undecodable'")

    ((line,),) = eventually(kept)
    assert stand.rows("SELECT count(*) FROM appeal") == [(2,)]
    assert json.loads(line)["Guid"] == keys[0]


def test_what_lies_in_the_store_goes_back_as_the_site_wants_it(stand, site):
    site.control(emit=5, seed=7)
    stand.poll()
    event = Event(
        appeal_id=UUID(int=1), seq=2, type=EventType.REGISTERED, occurred_at=NOW, recorded_at=NOW,
        actor=Actor(kind="rule"), payload=f.RegistrationFacts(number="ИЖН-5", date=NOW.date()),
    )  # fmt: skip

    for (stored,) in stand.rows(CONTENT):
        appeal = msgspec.json.decode(stored, type=Appeal)
        wire = stand.adapter.encode(appeal, event, EncodeContext(now=NOW))
        assert stand.adapter.deliver(wire, "k").final

    assert len(site.holds()) == 5
