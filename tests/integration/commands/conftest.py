"""A small installation for commands: a real database, appeals accepted and triaged for real."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import msgspec
import psycopg
import pytest
from typer.testing import CliRunner

from gateway import ingest, policies, settings
from gateway.commands import output
from gateway.model.peer import Peer
from gateway.store import arrays, peers, schema
from gateway.store.blobs import BlobDirectory
from gateway.store.committer import Committer
from gateway.triage import Triage
from gateway.wires import canonical, reported
from gateway.wires import contract as c

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


class House:
    """One installation of the gateway, with the commands as an engineer runs them."""

    def __init__(self, url: str, environ: dict[str, str]) -> None:
        self.url = url
        self.environ = environ
        self.settings = settings.load(environ)
        self.blobs = BlobDirectory(self.settings.blobs)
        self.committer = Committer(url)
        self.committer.start()

    def connection(self) -> psycopg.Connection[Any]:
        connection = psycopg.connect(self.url, autocommit=True, cursor_factory=psycopg.RawCursor)
        arrays.register(connection)
        return connection

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.connection() as db:
            return db.execute(query, values).fetchall()

    def change(self, statement: str, *values: Any) -> None:
        with self.connection() as db:
            db.execute(statement, values)

    def peer(self, code: str, **fields: Any) -> None:
        with self.connection() as db:
            peers.add(db, Peer(code=code, name=code, **fields), NOW)

    def submit(self, external_id: str, *, peer: str = "epgu", wire: str = "rest", **fields: Any):
        given = msgspec.convert(
            {"externalId": external_id, "text": "Во дворе нет света.", **fields}, c.AppealIn
        )
        return self.take(canonical.submission(given), msgspec.json.encode(given), peer, wire)

    def report(self, message_key: str, receipt: str, event: str, *, peer: str = "epgu", **fields):
        given = msgspec.convert(
            {
                "messageKey": message_key,
                "key": {"receiptNumber": receipt},
                "event": event,
                "occurredOn": "2026-11-20",
                **fields,
            },
            c.StatusReport,
        )
        return self.take(reported.report(given), msgspec.json.encode(given), peer, "rest")

    def take(self, inbound: Any, body: bytes, peer: str, wire: str):
        return self.committer.submit_sync(
            ingest.entry(self.arrival(body, peer, wire), inbound, self.blobs)
        )

    def keep(self, body: bytes, error: Exception, operation: str, *, peer="epgu", **more):
        beside, most = more.pop("beside", {}), more.pop("most", None)
        arrival = self.arrival(body, peer, more.pop("wire", "rest"), **more)
        entry = ingest.kept(arrival, error, operation, self.blobs, beside, most)
        return self.committer.submit_sync(entry)

    def arrival(
        self, body: bytes, peer: str, wire: str, media_type: str = "application/json", parts=None
    ):
        return ingest.Arrival(
            peer=peer,
            wire=wire,
            correlation="test-correlation",
            now=datetime.now(UTC),
            body=body,
            media_type=media_type,
            parts=parts or {},
        )

    def triage(self) -> None:
        worker = Triage(self.url, policies.rules(self.settings), lambda: datetime.now(UTC))
        try:
            while worker.run_once().items:
                pass
        finally:
            worker.close()

    def run(self, name: str, *arguments: str, code: int = 0) -> str:
        """Run a command; return its standard output, or all it said when it should fail."""
        result = CliRunner().invoke(_app(name), [name, *arguments], env=self.environ)
        assert result.exit_code == code, (result.output, result.exception)
        return result.stdout if code == 0 else result.output

    def json(self, name: str, *arguments: str, code: int = 0) -> Any:
        result = CliRunner().invoke(_app(name), [name, *arguments, "--json"], env=self.environ)
        assert result.exit_code == code, (result.output, result.exception)
        return json.loads(result.stdout)


def _app(name: str) -> Any:
    """The commands of a module below a root, as `gateway.cli` joins them."""
    found = import_module(f"gateway.commands.{name}").app
    root = output.app("gateway", "gateway")
    root.callback()(lambda: None)
    if len(found.registered_commands) == 1:
        root.command(name)(found.registered_commands[0].callback)
    else:
        root.add_typer(found, name=name)
    return root


@pytest.fixture
def house(pg_url, tmp_path, monkeypatch):
    with psycopg.connect(pg_url, autocommit=True) as db:
        db.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        db.execute("INSERT INTO alembic_version VALUES (%s)", (schema.head(),))
    monkeypatch.chdir(tmp_path)
    made = House(
        pg_url,
        {
            "GATEWAY_DATABASE_URL": pg_url,
            "GATEWAY_DATA_DIR": str(tmp_path / "var"),
            "GATEWAY_ORGANISATION": "gzhi",
            "COLUMNS": "240",
        },
    )
    made.peer("epgu")
    made.peer("sed")
    yield made
    made.committer.stop()
