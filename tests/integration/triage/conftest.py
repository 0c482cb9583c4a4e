"""Triage on a real database, with messages put there by the real accept."""

from __future__ import annotations

import contextlib
import threading
from datetime import date
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace

from gateway import ingest, policies
from gateway.adapter import Inbound
from gateway.model.appeal import Appeal
from gateway.model.events import AppealKey, EventType, PeerReport
from gateway.model.peer import Peer
from gateway.settings import Settings
from gateway.store import arrays, peers, verification
from gateway.triage import Triage
from tests.integration.accept.conftest import PEER, Store
from tests.integration.triage.land import city

__all__ = ["city"]

OURS = "gzhi"
ROUTING = """
[[rule]]
id = "all"
executor = "gzhi"
destinations = ["hook", "archive"]
reason = "Всё"
"""


SAME_LETTERS = {"same_letters": "urog"}
"""Options of peers that bring the same letters, as the portal of these tests does."""


class Room(Store):
    """A store with a committer, and as many triage workers as a test wants."""

    def __init__(self, url, root) -> None:
        super().__init__(url, root)
        routing = root / "routing.toml"
        routing.write_text(ROUTING)
        self.rules = policies.rules(
            Settings(organisation=OURS, register_channels=("*",), routing_file=str(routing))
        )
        self.accept = self.committer()
        with self.connection() as db:
            peers.add(db, Peer(code=PEER, name=PEER, options=SAME_LETTERS), self.now)
            for code in ("hook", "archive"):
                peers.add(db, Peer(code=code, name=code, adapter="webhook"), self.now)

    @contextlib.contextmanager
    def connection(self):
        with psycopg.connect(self.url, autocommit=True, cursor_factory=psycopg.RawCursor) as db:
            arrays.register(db)
            yield db

    def triage(self, **options: Any) -> Triage:
        return Triage(self.url, self.rules, lambda: self.now, **options)

    def submit(self, external_id: str, revision: int = 1, **content: Any):
        return self.accept.submit_sync(self.entry(external_id, revision, **content))

    def submit_appeal(
        self, external_id: str, appeal: Appeal, operation="submit", revision=1, peer=PEER
    ):
        inbound = Inbound(
            operation=operation, external_id=external_id, appeal=appeal, revision=revision
        )
        arrival = replace(self.arrival(f"{external_id} {revision}".encode()), peer=peer)
        return self.accept.submit_sync(ingest.entry(arrival, inbound, self.blobs))

    def amend(self, external_id: str, revision: int, appeal: Appeal):
        return self.submit_appeal(external_id, appeal, "amend", revision)

    def report(
        self, external_id: str, message_key: str, event=EventType.TAKEN_TO_WORK, peer=PEER, **facts
    ):
        """Report on an appeal; a peer that did not send it names it by its receipt."""
        rows = self.rows(
            "SELECT peer, receipt_number FROM appeal WHERE external_id = %s", external_id
        )
        own = not rows or any(sent == peer for sent, _ in rows)
        key = AppealKey(external_id=external_id) if own else AppealKey(receipt_number=rows[0][1])
        report = PeerReport(
            message_key=message_key,
            key=key,
            event=event,
            occurred_on=date(2026, 3, 2),
            **facts,
        )
        inbound = Inbound(operation="status", message_key=message_key, report=report)
        arrival = replace(self.arrival(message_key.encode()), peer=peer)
        return self.accept.submit_sync(ingest.entry(arrival, inbound, self.blobs))

    def work_off(self, workers: int = 1, **options: Any) -> int:
        """Let so many workers, each with its own connection, empty the queue at the same time."""
        done: list[int] = []
        errors: list[BaseException] = []
        begin = threading.Barrier(workers)

        def work() -> None:
            triage = self.triage(**options)
            try:
                begin.wait()
                while (found := triage.run_once()).items:
                    done.append(found.items)
            except BaseException as error:  # noqa: BLE001 - raised again by the test's own thread
                errors.append(error)
            finally:
                triage.close()

        threads = [threading.Thread(target=work) for _ in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]
        return sum(done)

    def verified(self) -> verification.Verified:
        with self.connection() as db:
            parts = [verification.verify(db, ids) for ids in verification.batches(db)]
            lost = tuple(verification.lost(db))
        return verification.total([*parts, verification.Verified(0, 0, 0, 0, lost)])

    def deadlocks(self) -> int:
        return self.rows(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )[0][0]


@pytest.fixture
def room(pg_url, tmp_path):
    made = Room(pg_url, tmp_path)
    yield made
    for committer in made.made:
        committer.stop()
