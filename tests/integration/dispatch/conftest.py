"""A dispatcher over a real database, speaking to a real HTTP peer in a process of its own."""

from __future__ import annotations

import datetime as dt
import json
import random
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import urllib3

from gateway.adapter import EncodeContext
from gateway.dispatch import Destination, Dispatcher, Policy, Snapshot
from gateway.model.appeal import Appeal
from gateway.model.ids import uuid7
from gateway.model.person import Applicant, Person
from gateway.outbound import Outbound
from gateway.retry import Backoff
from gateway.store import arrays, lanes
from gateway.wires.channels.webhook import Addresses, WebhookChannel, WebhookCodec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START = dt.datetime.now(dt.UTC)
SECRET = b"a secret of the tests"


class Clock:
    """The dispatcher's clock; stands still until it is moved."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> dt.datetime:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += dt.timedelta(seconds=seconds)


class Hook:
    """The simulated receiver: `python -m simulators.webhook`."""

    def __init__(self, journal: Path) -> None:
        self.journal_path = journal
        self.process = subprocess.Popen(
            [sys.executable, "-m", "simulators.webhook", "--journal", str(journal)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for line in self.process.stdout:
            if line.startswith("{"):
                self.address = json.loads(line)["address"]
                break

    def control(self, **command: Any) -> dict[str, Any]:
        answer = urllib3.request("POST", f"{self.address}/_control", json=command)
        assert answer.status == 200, answer.data
        return answer.json()

    def fault(self, kind: str, **more: Any) -> None:
        self.control(fault={"kind": kind, **more})

    def held(self) -> dict[str, dict[str, Any]]:
        return {item["key"]: item for item in self.control(holds=True)["items"]}

    def journal(self, method: str = "POST") -> list[dict[str, Any]]:
        if not self.journal_path.exists():
            return []
        lines = [json.loads(line) for line in self.journal_path.read_text().splitlines()]
        return [line for line in lines if line["method"] == method]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()


class Appeals:
    """Stands for triage's reader: the same appeal, with a name in it, under every id."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.texts: dict[Any, str] = {}

    def load(self, deliveries):
        return {
            d.id: Snapshot(
                Appeal(
                    id=d.appeal_id,
                    receipt_number="0123456789A",
                    text=self.texts.get(d.appeal_id, "Течёт крыша, Сидорова Анна"),
                    applicants=(Applicant(person=Person(family="Сидорова", given="Анна")),),
                    received_at=START,
                ),
                None,
                EncodeContext(now=self.clock()),
            )
            for d in deliveries
        }


class Stand:
    """Everything one test needs, under one roof."""

    def __init__(self, url: str, hook: Hook, clock: Clock) -> None:
        self.url, self.hook, self.clock = url, hook, clock
        self.appeals = Appeals(clock)
        self.connection = psycopg.connect(url, autocommit=True, cursor_factory=psycopg.RawCursor)
        arrays.register(self.connection)
        self.outbound = Outbound(
            allowed_hosts=["127.0.0.1"], allow_private=["127.0.0.1"], timeout=1.0
        )
        self.destinations: dict[str, Destination] = {}
        self.made: list[Dispatcher] = []

    def destination(self, code: str = "hook", *, ask: bool = True, **policy: Any) -> Destination:
        channel = WebhookChannel(
            self.outbound,
            Addresses(
                f"{self.hook.address}/{code}",
                f"{self.hook.address}/_received/{{key}}" if ask else "",
            ),
            peer=code,
            secret=SECRET,
            now=self.clock,
        )
        policy = {"timeout": 1.0, "settle_after": 0.0, "backoff": Backoff(base=10, cap=60)} | policy
        made = Destination(code, WebhookCodec("urn:test"), channel, Policy(can_ask=ask, **policy))
        self.destinations[code] = made
        return made

    def dispatcher(
        self, owner: str = "worker-1", *, destinations=None, snapshots=None, **more: Any
    ) -> Dispatcher:
        made = Dispatcher(
            self.url,
            destinations or (lambda: self.destinations),
            snapshots or self.appeals,
            owner=owner,
            now=self.clock,
            poll_seconds=0.05,
            chance=random.Random(7),
            **more,
        )
        self.made.append(made)
        return made

    def owe(self, *lane_keys: str, destination: str = "hook", **more: Any) -> list[Any]:
        rows = [
            lanes.NewDelivery(destination, key, uuid7(), 1, "Registered", **more)
            for key in lane_keys
        ]
        with self.connection.transaction():
            return lanes.enqueue(self.connection, rows, self.clock())

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, values).fetchall()

    def states(self) -> list[str]:
        return [row[0] for row in self.rows("SELECT state FROM delivery ORDER BY id")]

    def state(self, id_: Any) -> str:
        return self.rows("SELECT state FROM delivery WHERE id = $1", id_)[0][0]

    def outcomes(self, id_: Any) -> list[str]:
        found = self.rows("SELECT outcome FROM attempt WHERE delivery_id = $1 ORDER BY id", id_)
        return [row[0] for row in found]

    def leases_run_out(self) -> None:
        """Time passes for the database's clock, which leases go by."""
        self.connection.execute(
            "UPDATE lane SET lease_until = lease_until - interval '1 day' WHERE owner <> ''"
        )

    def close(self) -> None:
        for dispatcher in self.made:
            dispatcher.close()
        self.outbound.close()
        self.connection.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hook(tmp_path: Path) -> Iterator[Hook]:
    made = Hook(tmp_path / "journal.jsonl")
    yield made
    made.stop()


@pytest.fixture
def stand(pg_url: str, hook: Hook, clock: Clock) -> Iterator[Stand]:
    made = Stand(pg_url, hook, clock)
    yield made
    made.close()


@pytest.fixture
def in_thread() -> Iterator[Any]:
    """Run something in a thread and have its exception raised in the test."""
    running: list[tuple[threading.Thread, list[BaseException]]] = []

    def start(work: Any) -> threading.Thread:
        errors: list[BaseException] = []

        def guarded() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - raised below
                errors.append(error)

        thread = threading.Thread(target=guarded)
        thread.start()
        running.append((thread, errors))
        return thread

    yield start
    for thread, errors in running:
        thread.join(30)
        assert not thread.is_alive()
        if errors:
            raise errors[0]
