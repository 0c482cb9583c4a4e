"""Folders of a simulated СЭД into a real store: acknowledged only after the commit."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from adapters.sed.adapter import Sed
from gateway.dispatch.ports import Destination, Policy
from gateway.model.peer import Peer
from gateway.polling import Asked, Polling
from gateway.store.blobs import BlobDirectory
from gateway.store.committer import Committer
from gateway.store.pool import Pool
from simulators.process import running

PATIENCE = 20.0
CASES = Path(__file__).parents[2] / "contract" / "sed"


class Store:
    """A gateway's database and a poller of the simulated СЭД on it."""

    def __init__(self, url, root, options) -> None:
        self.url = url
        self.later = timedelta()
        self.committer, self.pool = Committer(url), Pool(url)
        self.committer.start()
        self.pool.open()
        made = Sed(options)
        row = Peer(code="ensk", name="Энск", adapter="sed")
        asked = {"ensk": Asked(row, Destination("ensk", made, made, Policy(timeout=10.0)))}
        self.polling = Polling(
            self.pool, self.committer, BlobDirectory(root / "blobs"), lambda: asked,
            owner="one", now=lambda: datetime.now(UTC) + self.later,
        )  # fmt: skip

    def poll(self):
        """Ask at once, as if a minute had passed since the last asking."""
        self.later += timedelta(minutes=1)
        return self.polling.run_once("ensk")

    def rows(self, statement):
        with psycopg.connect(self.url, autocommit=True) as db:
            return db.execute(statement).fetchall()

    def close(self):
        self.committer.stop()
        self.pool.close()


@pytest.fixture
def sed(tmp_path):
    with running("sed", "--directory", str(tmp_path / "exchange")) as simulator:
        yield simulator


@pytest.fixture
def store(pg_url, tmp_path, sed):
    made = Store(pg_url, tmp_path, sed.facts["options"])
    yield made
    made.close()


def receipts(sed):
    return [item["receipt"] for item in sed.holds()]


def until(found):
    end = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


def test_what_was_dropped_is_stored_and_has_its_receipts(store, sed):
    keys = sed.control(emit=3, seed=5)["keys"]
    store.poll()
    assert sorted(k for (k,) in store.rows("SELECT external_id FROM appeal")) == sorted(keys)
    until(lambda: receipts(sed) == ["true"] * 3)


def test_the_same_message_again_is_the_first_appeal(store, sed):
    sed.control(emit=1, seed=5, odd="duplicate")
    store.poll()
    store.poll()
    assert store.rows("SELECT count(*) FROM appeal") == [(1,)]
    until(lambda: receipts(sed) == ["true"])


def test_instead_of_what_was_sent_is_an_amendment(store, sed):
    (key,) = sed.control(emit=1, seed=5)["keys"]
    store.poll()
    sed.control(emit=1, seed=6, replace=key)
    store.poll()
    told = store.rows("SELECT operation, key FROM message ORDER BY recorded_at")
    assert told == [("submit", key), ("amend", key)]


def test_instead_of_what_never_came_is_an_appeal(store, sed, tmp_path):
    (key,) = sed.control(emit=1, seed=5)["keys"]
    for folder in (tmp_path / "exchange" / "in").iterdir():
        folder.rename(tmp_path / "lost")
    sed.control(emit=1, seed=6, replace=key)
    store.poll()
    ((found, revision),) = store.rows("SELECT external_id, revision FROM appeal")
    assert found == key
    assert revision > 1


def test_a_partner_who_cannot_be_told_is_told_later_and_once(store, sed, tmp_path):
    (key,) = sed.control(emit=1, seed=5)["keys"]
    barred = tmp_path / "exchange" / "out" / ".pending"
    barred.write_bytes(b"")  # nothing can be written to `out/`
    store.poll()
    assert store.rows("SELECT external_id FROM appeal") == [(key,)]
    ((cursor, failures),) = store.rows("SELECT cursor, failures FROM source")
    assert (cursor, failures) == ("", 1)
    assert receipts(sed) == [None]

    barred.unlink()
    store.later += timedelta(hours=1)
    store.poll()
    until(lambda: receipts(sed) == ["true"])
    assert store.rows("SELECT count(*) FROM appeal") == [(1,)]
    assert store.rows("SELECT failures FROM source") == [(0,)]


@pytest.fixture
def alone(pg_url, tmp_path):
    """A directory in which nobody takes anything."""
    options = {
        "directory": str(tmp_path / "alone"), "uid": "99999999-9999-4999-8999-999999999999",
        "organization": "Инспекция (тест)", "settle_seconds": 0, "batch": 1,
    }  # fmt: skip
    made = Store(pg_url, tmp_path, options)
    yield made
    made.close()


def drop(root, name, case):
    folder = root / "alone" / "in" / name
    folder.mkdir(parents=True)
    for path in (CASES / case / "wire").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())


def test_one_asking_goes_on_by_its_cursor_and_tells_every_sender_in_his_own_form(alone, tmp_path):
    for name, case in (
        ("a", "sev-docinfo"), ("b", "e27-pdf-missing"), ("c", "sev-resource-missing"),
        ("d", "e27-letter"),
    ):  # fmt: skip
        drop(tmp_path, name, case)
    assert alone.poll() == 4
    assert alone.rows("SELECT count(*) FROM appeal") == [(2,)]
    assert alone.rows("SELECT cursor FROM source") == [("",)]
    out = [p for p in (tmp_path / "alone" / "out").iterdir() if not p.name.startswith(".")]
    told = sorted((p / "envelope.ini").read_bytes().decode("cp1251").split("(")[0] for p in out)
    assert [one.splitlines()[1] for one in told] == [
        "ТЕМА=Failure ", "ТЕМА=Reception ", "ТЕМА=Квитанция ", "ТЕМА=Квитанция ",
        "ТЕМА=Уведомление ",
    ]  # fmt: skip
    assert alone.poll() == 0
