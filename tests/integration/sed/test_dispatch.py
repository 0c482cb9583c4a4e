"""Deliveries through the dispatcher: sent when the folder appears, settled by the receipt."""

import random
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from adapters.sed.adapter import Sed
from gateway.adapter import EncodeContext
from gateway.dispatch import Destination, Dispatcher, Policy, Snapshot
from gateway.model.appeal import Appeal
from gateway.model.ids import receipt_of, uuid7
from gateway.store import arrays, lanes
from simulators.sed import messages, rules


class Exchange:
    """One delivery to a partner whose part the test plays."""

    def __init__(self, url, tmp_path) -> None:
        self.now = datetime.now(UTC)
        self.root = tmp_path / "exchange"
        options = {
            "directory": str(self.root), "settle_seconds": 0, "organization": "Инспекция (тест)",
            "uid": "99999999-9999-4999-8999-999999999999", "addressee": messages.BODY,
        }  # fmt: skip
        self.sed = Sed(options)
        self.connection = psycopg.connect(url, autocommit=True, cursor_factory=psycopg.RawCursor)
        arrays.register(self.connection)
        policy = Policy(can_ask=True, idempotent=True, settle_after=60.0, ack_within=300.0)
        made = {"ensk": Destination("ensk", self.sed, self.sed, policy)}
        self.dispatcher = Dispatcher(
            url, lambda: made, self, owner="one", now=lambda: self.now, poll_seconds=0.05,
            chance=random.Random(7),
        )  # fmt: skip
        row = lanes.NewDelivery("ensk", "appeal-1", uuid7(), 1, "Received")
        with self.connection.transaction():
            lanes.enqueue(self.connection, [row], self.now)

    def load(self, deliveries):
        """Stand for triage's reader."""
        appeal = Appeal(receipt_number=receipt_of(9), text="Не горит фонарь")
        context = EncodeContext(now=self.now)
        return {d.id: Snapshot(appeal, None, context) for d in deliveries}

    def work(self, later=0):
        """Let time pass, work, and return the state and the reason."""
        self.now += timedelta(seconds=later)
        self.dispatcher.run_once()
        ((state, error),) = self.connection.execute("SELECT state, error FROM delivery").fetchall()
        return state, error

    def folders(self):
        return [p for p in (self.root / "out").iterdir() if not p.name.startswith(".")]

    def answer(self, *, accepted, comment=""):
        """Lay the partner's receipt of the one folder into `in/`, and let it be read."""
        (folder,) = self.folders()
        draw = random.Random(1)
        files = messages.receipt(
            messages.new_uid(draw), folder.name, accepted=accepted, comment=comment
        )
        place = self.root / "in" / "receipt"
        place.mkdir(parents=True)
        for name, data in files.items():
            (place / name).write_bytes(data)
        assert self.sed.receive("").messages == ()

    def close(self):
        self.dispatcher.close()
        self.connection.close()


@pytest.fixture
def exchange(pg_url, tmp_path):
    made = Exchange(pg_url, tmp_path)
    yield made
    made.close()


def test_a_delivery_waits_for_its_receipt_and_is_then_acknowledged(exchange):
    assert exchange.work()[0] == "sent"
    (folder,) = exchange.folders()
    assert rules.refusals({p.name: p.read_bytes() for p in folder.iterdir()}) == []

    assert exchange.work(later=301)[0] == "sent"
    assert exchange.work(later=301)[0] == "sent"
    assert len(exchange.folders()) == 1

    exchange.answer(accepted=True)
    assert exchange.work(later=301)[0] == "acknowledged"


def test_a_refusing_receipt_leaves_it_to_a_person(exchange):
    exchange.work()
    exchange.answer(accepted=False, comment="Неверный адресат")
    state, error = exchange.work(later=301)
    assert state == "refused"
    assert "refused it afterwards" in error
    assert exchange.work(later=3000)[0] == "refused"
    assert len(exchange.folders()) == 1
