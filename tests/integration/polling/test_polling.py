"""A source is asked, what it has is stored, and only then it is told so; killed anywhere."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from structlog.testing import capture_logs

from adapters.sstu.adapter import Sstu
from gateway.adapter import Batch, Taken, Wire
from gateway.dispatch.ports import Destination, Policy
from gateway.errors import BusyError, ConfigurationError, PeerUnavailable
from gateway.model.peer import Peer
from gateway.polling import Asked, Polling
from gateway.store import sources
from gateway.store.blobs import BlobDirectory
from gateway.store.committer import Committer
from gateway.store.pool import Pool

DOCUMENT = json.loads(
    (Path(__file__).parents[2] / "contract/sstu/s01-direct-in-work/wire.json").read_bytes()
)


def wire(number: str, **more) -> Wire:
    body = json.dumps({**DOCUMENT, "number": number, **more}).encode()
    return Wire(media_type="application/json", body=body, name=f"{number}.json")


class Shelf:
    """A source of three a page that keeps what it was told; `trouble` is raised once."""

    def __init__(self, *wires: Wire) -> None:
        self.wires = list(wires)
        self.told = []
        self.asked = []
        self.trouble = {}

    def receive(self, cursor: str) -> Batch:
        self.asked.append(cursor)
        self._raise("receive")
        start = int(cursor or 0)
        page = self.wires[start : start + 3]
        end = start + len(page)
        return Batch(
            messages=tuple(Taken(wire=one, token=one.name) for one in page),
            cursor=str(end),
            more=end < len(self.wires),
        )

    def acknowledge(self, verdicts) -> None:
        self._raise("acknowledge")
        self.told += verdicts

    def _raise(self, call: str) -> None:
        if trouble := self.trouble.pop(call, None):
            raise trouble


class Stand:
    """One poller of one peer `feed` on a real store."""

    def __init__(self, url, root, shelf) -> None:
        self.url, self.shelf = url, shelf
        self.now = datetime.now(UTC)
        self.committer = Committer(url)
        self.committer.start()
        self.pool = Pool(url)
        self.pool.open()
        self.blobs = BlobDirectory(root / "blobs")

    def poller(self, owner="one") -> Polling:
        row = Peer(code="feed", name="feed", adapter="sstu")
        destination = Destination("feed", Sstu({}), self.shelf, Policy(timeout=1.0))
        return Polling(
            self.pool, self.committer, self.blobs, lambda: {"feed": Asked(row, destination)},
            owner=owner, now=lambda: self.now,
        )  # fmt: skip

    def rows(self, statement):
        with psycopg.connect(self.url, autocommit=True) as db:
            return db.execute(statement).fetchall()

    def standing(self):
        with self.pool.connection() as db:
            return sources.standing(db)[0]

    def close(self) -> None:
        self.committer.stop()
        self.pool.close()


@pytest.fixture
def stand(pg_url, tmp_path):
    made = []

    def make(*wires):
        made.append(Stand(pg_url, tmp_path, Shelf(*wires)))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_everything_is_stored_before_the_source_is_told_and_the_cursor_is_kept(stand):
    there = stand(*(wire(f"Н-{n}") for n in range(7)))

    assert there.poller().run_once("feed") == 7

    assert there.rows("SELECT count(*) FROM appeal") == [(7,)]
    assert [v.token for v in there.shelf.told] == [w.name for w in there.shelf.wires]
    assert all(v.items[0].receipt_number and v.error is None for v in there.shelf.told)
    assert there.standing().cursor == "7"


def test_what_is_refused_is_stored_and_the_source_is_told_why_while_the_rest_goes_on(stand):
    there = stand(wire("Н-1"), wire("Н-2", questions=[]), wire("Н-3"))

    there.poller().run_once("feed")

    assert [v.error and v.error.code for v in there.shelf.told] == [None, "validation", None]
    kept = there.rows("SELECT body FROM message WHERE stage = 'undecodable'")
    assert kept == [(there.shelf.wires[1].body,)]


def test_killed_before_it_told_the_source_it_gives_the_first_receipts_again(stand):
    there = stand(wire("Н-1"), wire("Н-2"))
    there.shelf.trouble["acknowledge"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        there.poller().run_once("feed")
    first = dict(there.rows("SELECT external_id, receipt_number FROM appeal"))

    there.now += timedelta(minutes=10)
    there.poller("two").run_once("feed")

    items = [v.items[0] for v in there.shelf.told]
    assert {item.key: item.receipt_number for item in items} == first
    assert all(item.repeat for item in items)


def test_a_source_that_could_not_be_told_is_told_the_next_time(stand):
    there = stand(wire("Н-1"), wire("Н-2"))
    there.shelf.trouble["acknowledge"] = PeerUnavailable("it is down")

    there.poller().run_once("feed")
    assert (there.standing().cursor, there.standing().failures) == ("", 1)
    there.now += timedelta(seconds=3)
    there.poller().run_once("feed")

    assert [v.items[0].repeat for v in there.shelf.told] == [True, True]
    assert there.rows("SELECT count(*) FROM appeal") == [(2,)]
    assert there.standing().cursor == "2"


def test_a_source_that_is_away_is_left_alone_for_a_while_and_asked_from_where_it_was(stand):
    there = stand(wire("Н-1"))
    there.shelf.trouble["receive"] = PeerUnavailable("it is down")
    poller = there.poller()

    assert poller.run_once("feed") == 0
    assert (there.standing().failures, "it is down" in there.standing().error) == (1, True)
    assert poller.run_once("feed") == 0, "asked again at once"
    there.now += timedelta(seconds=3)
    assert poller.run_once("feed") == 1
    assert there.shelf.asked == ["", ""]
    assert (there.standing().failures, there.standing().error) == (0, "")


def test_what_a_source_said_is_kept_for_the_operator_and_stands_in_no_log(stand):
    there = stand(wire("Н-1"))
    trouble = PeerUnavailable("it asks to come later", found="503 Выдуманова В., +7 900 000-00-00")
    there.shelf.trouble["receive"] = trouble

    with capture_logs() as logged:
        there.poller().run_once("feed")

    assert [(line["event"], line["reason"]) for line in logged] == [
        ("polling.failed", "it asks to come later")
    ]
    assert "Выдуманова" not in str(logged)
    assert "Выдуманова" in there.standing().error


def test_a_row_that_cannot_work_is_one_calm_line_that_names_the_option(stand):
    there = stand(wire("Н-1"))
    wrong = ConfigurationError("такой папки нет", where="options.directory")
    there.shelf.trouble["receive"] = wrong

    with capture_logs() as logged:
        assert there.poller().run_once("feed") == 0

    assert [(line["event"], line["log_level"], line["where"]) for line in logged] == [
        ("polling.failed", "warning", "options.directory")
    ]
    assert "exc_info" not in logged[0]
    assert there.standing().failures == 1


def test_a_defect_of_a_source_is_told_and_holds_nobody_up_longer_than_a_failure(stand):
    there = stand(wire("Н-1"))
    there.shelf.trouble["receive"] = ValueError("a defect")

    with pytest.raises(ValueError, match="defect"):
        there.poller().run_once("feed")
    assert there.standing().failures == 1
    there.now += timedelta(seconds=3)
    assert there.poller("two").run_once("feed") == 1


def test_only_one_process_asks_a_peer_at_a_time(stand):
    there = stand(wire("Н-1"))
    with there.pool.connection() as db:
        until = there.now + timedelta(minutes=1)
        assert sources.claim(db, "feed", "another", until, there.now) == ("", 0)

    assert there.poller().run_once("feed") == 0
    there.now += timedelta(minutes=2)
    assert there.poller().run_once("feed") == 1


def test_a_store_that_is_full_keeps_the_cursor_where_it_was(stand):
    there = stand(wire("Н-1"))
    there.committer.stop()
    there.committer = Committer(there.url, queue_items=0)
    there.committer.start()

    with pytest.raises(BusyError):
        there.poller().run_once("feed")

    assert there.standing().cursor == ""
    assert there.shelf.told == []
