"""A served gateway on a database of its own, and a committer on another."""

from __future__ import annotations

import contextlib
import http.client
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psycopg
import pytest

from gateway import ingest
from gateway.adapter import Inbound
from gateway.model.appeal import Appeal
from gateway.model.peer import Peer
from gateway.store import peers, schema
from gateway.store.blobs import BlobDirectory
from gateway.store.committer import Committer
from tests.survive import calls

CHECKOUT = Path(__file__).resolve().parents[3]
PEER = "portal"


def eventually(condition, seconds=30.0):
    """Wait until the condition holds; the bound is only there so that a broken test ends."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come to pass"
        threading.Event().wait(0.01)
    return found


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def receipt(self) -> calls.Receipt:
        return calls.receipt(self.body)


class House:
    """`gateway serve` as a process, a peer with a key, and a look into its database."""

    def __init__(self, url: str, root: Path, **env: str) -> None:
        self.url = url
        now = datetime.now(UTC)
        with psycopg.connect(url, autocommit=True, cursor_factory=psycopg.RawCursor) as db:
            db.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
            db.execute("INSERT INTO alembic_version VALUES ($1)", (schema.head(),))
            for code in (PEER, "other"):
                peers.add(db, Peer(code=code, name=code), now)
            self.keys = {code: peers.new_key(db, code, now) for code in (PEER, "other")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "serve"],
            stdout=subprocess.PIPE,
            cwd=CHECKOUT,
            text=True,
            env={
                "PATH": os.defpath,
                "GATEWAY_DATABASE_URL": url,
                "GATEWAY_DATA_DIR": str(root),
                "GATEWAY_PORT": "0",
                "GATEWAY_LOG_LEVEL": "warning",
                **env,
            },
        )
        self.address = self.process.stdout.readline().strip()
        if not self.address.startswith("http://"):
            self.stop()
            pytest.fail("serve did not start")
        where = urlsplit(self.address)
        self.host, self.port = where.hostname, where.port

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.process.stdout.close()

    def call(
        self, call: calls.Call, peer: str = PEER, method: str = "POST", **headers: str
    ) -> Answer:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        with contextlib.closing(connection):
            given = {**call.headers, **calls.basic(peer, self.keys[peer]), **headers}
            connection.request(method, call.path, call.body, given)
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, names, answer.read())

    def raw(self, call: calls.Call, peer: str = PEER) -> bytes:
        """The bytes of the request, for clients that misbehave on the connection."""
        headers = {
            "host": f"{self.host}:{self.port}",
            **call.headers,
            **calls.basic(peer, self.keys[peer]),
            "content-length": str(len(call.body)),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST {call.path} HTTP/1.1\r\n{lines}\r\n".encode() + call.body

    def submit(self, wire: str, external_id: str, peer: str = PEER, **content: Any) -> Answer:
        return self.call(calls.submit(wire, external_id, **content), peer)

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as db:
            return db.execute(statement.encode(), values).fetchall()

    def messages(self, key: str, *columns: str) -> list[tuple[Any, ...]]:
        return self.rows(
            f"SELECT {', '.join(columns)} FROM message WHERE key = %s ORDER BY id", key
        )


@contextlib.contextmanager
def own_database(pg_cluster, pg_template, name):
    """A database for the tests of one module; each names its appeals by itself."""
    with psycopg.connect(pg_cluster.admin_url_for("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} OWNER gateway TEMPLATE {pg_template}".encode())
        try:
            yield pg_cluster.url_for(name)
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(scope="module")
def house(pg_cluster, pg_template, tmp_path_factory, request):
    name = "house_" + sha256(request.module.__name__.encode()).hexdigest()[:12]
    with own_database(pg_cluster, pg_template, name) as url:
        made = House(url, tmp_path_factory.mktemp("house"))
        yield made
        made.stop()


@pytest.fixture
def make_house(pg_url, tmp_path):
    made: list[House] = []

    def make(**env: str) -> House:
        made.append(House(pg_url, tmp_path, **env))
        return made[-1]

    yield make
    for house in made:
        house.stop()


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
        if committer._thread.is_alive():
            committer.stop()
