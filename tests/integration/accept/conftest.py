"""A served gateway on a database of its own, and a committer on another."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from gateway import ingest
from gateway.adapter import Inbound
from gateway.model.appeal import Appeal
from gateway.store.blobs import BlobDirectory
from gateway.store.committer import Committer
from tests.integration.house import PEER, eventually, house, make_house, own_house
from tests.survive import calls

__all__ = ["PEER", "Store", "eventually", "house", "make_house", "own_house"]


class Store:
    """Entries as the wires make them, and a look at what became of them."""

    def __init__(self, url: str, root: Path) -> None:
        self.url, self.root = url, root
        self.blobs = BlobDirectory(root / "blobs")
        self.made: list[Committer] = []
        self.now = datetime.now(UTC)

    def committer(self, *, start: bool = True, **options: Any) -> Committer:
        made = Committer(self.url, **options)
        if start:
            made.start()
        self.made.append(made)
        return made

    def arrival(self, body: bytes = b"{}", now: datetime | None = None) -> ingest.Arrival:
        return ingest.Arrival(
            peer=PEER, wire="rest", correlation="test", now=now or self.now, body=body
        )

    def entry(self, external_id: str, revision: int = 1, text: str = calls.TEXT, **more: Any):
        body = f"{external_id} {revision} {text}".encode()
        return ingest.entry(
            self.arrival(body, **more),
            Inbound(
                operation="submit",
                external_id=external_id,
                revision=revision,
                appeal=Appeal(text=text),
            ),
            self.blobs,
        )

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as db:
            return db.execute(statement.encode(), values).fetchall()

    def count(self, table: str) -> int:
        return self.rows(f"SELECT count(*) FROM {table}")[0][0]


@pytest.fixture
def store(pg_url, tmp_path):
    made = Store(pg_url, tmp_path)
    yield made
    for committer in made.made:
        committer.stop()
