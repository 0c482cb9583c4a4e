"""`gateway serve` as a process, peers with keys, and a look into its database.

The folders whose tests call a served gateway import the fixtures into their `conftest.py`. Tests of
one module share a house, so each names its appeals itself.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import psycopg
import pytest

from gateway.model.peer import Peer
from gateway.store import arrays, lanes, peers, schema
from tests.survive import calls

CHECKOUT = Path(__file__).resolve().parents[2]
SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
PEER = "portal"
PEERS = (PEER, "sed", "other")


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
    def json(self):
        return json.loads(self.body)

    @property
    def places(self):
        """Where the refusal says that something is wrong, with the code of each place."""
        return [(error["path"], error["code"]) for error in self.json.get("errors", ())]

    @property
    def receipt(self) -> calls.Receipt:
        return calls.receipt(self.body)


class House:
    """The served gateway. env: settings as `GATEWAY_*`."""

    def __init__(self, url: str, root: Path, **env: str) -> None:
        self.url = url
        now = datetime.now(UTC)
        with self.database() as db:
            db.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
            db.execute("INSERT INTO alembic_version VALUES ($1)", (schema.head(),))
            for code in PEERS:
                peers.add(db, Peer(code=code, name=code), now)
            self.keys = {code: peers.new_key(db, code, now) for code in PEERS}
        self.log = (root / "serve.log").open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "serve"],
            stdout=subprocess.PIPE,
            stderr=self.log,
            cwd=CHECKOUT,
            text=True,
            env={
                "PATH": os.defpath,
                "GATEWAY_DATABASE_URL": url,
                "GATEWAY_DATA_DIR": str(root),
                "GATEWAY_PORT": "0",
                **env,
            },
        )
        self.address = self.process.stdout.readline().strip()
        if not self.address.startswith("http"):
            self.stop()
            pytest.fail((root / "serve.log").read_text("utf-8"))
        where = urlsplit(self.address)
        self.host, self.port = where.hostname, where.port
        self.soap_address = f"{self.address}/soap/appeals.svc"

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.process.stdout.close()
        self.log.close()

    @contextlib.contextmanager
    def database(self):
        with psycopg.connect(
            self.url, autocommit=True, cursor_factory=psycopg.RawCursor
        ) as connection:
            arrays.register(connection)
            yield connection

    def rows(self, statement, *values):
        with self.database() as db:
            return db.execute(statement, values).fetchall()

    def messages(self, key, *columns):
        """Columns of the messages under a key, in the order they came."""
        return self.rows(
            f"SELECT {', '.join(columns)} FROM message WHERE key = $1 ORDER BY id", key
        )

    def defects(self) -> str:
        """What the log holds of our own mistakes."""
        self.log.flush()
        lines = Path(self.log.name).read_text("utf-8").splitlines()
        return "\n".join(line for line in lines if "defect" in line or "Traceback" in line)

    def give(self, external_id: str, peer: str, owner: str = PEER) -> None:
        """Let a peer see an appeal, as dispatch does: by a delivery in one of its lanes."""
        ((appeal_id,),) = self.rows(
            "SELECT id FROM appeal WHERE peer = $1 AND external_id = $2", owner, external_id
        )
        with self.database() as db, db.transaction():
            row = lanes.NewDelivery(peer, lanes.PULL_LANE, appeal_id, 1, "Received", kind="pull")
            lanes.enqueue(db, [row], datetime.now(UTC))

    def call(self, method, path, body=b"", *, peer=PEER, **headers) -> Answer:
        """One request; names of headers as Python spells them, the key of the peer unless empty."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        if peer:
            names["X-API-Key"] = self.keys[peer]
        return self._exchange(method, path, body, names)

    def get(self, path, **options) -> Answer:
        return self.call("GET", f"/api/v1{path}", **options)

    def post(self, path, document, method="POST", **options) -> Answer:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        options.setdefault("Content_Type", "application/json")
        return self.call(method, f"/api/v1{path}", body, **options)

    def soap(self, inner: str, *, peer=PEER, **headers) -> Answer:
        """Call an operation by SOAP 1.1; inner: its element without the namespace."""
        name, _, rest = inner.removeprefix("<").partition(">")
        body = (
            f'<s:Envelope xmlns:s="{SOAP11}"><s:Body>'
            f'<{name.rstrip("/")} xmlns="urn:gov:appeals:v1"{"/" * name.endswith("/")}>{rest}'
            "</s:Body></s:Envelope>"
        ).encode()
        headers.setdefault("Content_Type", "text/xml; charset=utf-8")
        return self.call("POST", "/soap/appeals.svc", body, peer=peer, **headers)

    def send(self, call: calls.Call, peer=PEER, method="POST", **headers) -> Answer:
        """One request that is the same on every wire but for its form, with HTTP Basic."""
        given = {**call.headers, "authorization": self.basic(peer), **headers}
        return self._exchange(method, call.path, call.body, given)

    def submit(self, wire: str, external_id: str, peer=PEER, **content) -> Answer:
        return self.send(calls.submit(wire, external_id, **content), peer)

    def raw(self, call: calls.Call, peer=PEER) -> bytes:
        """The bytes of the request, for clients that misbehave on the connection."""
        headers = {
            "host": f"{self.host}:{self.port}",
            **call.headers,
            "authorization": self.basic(peer),
            "content-length": str(len(call.body)),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST {call.path} HTTP/1.1\r\n{lines}\r\n".encode() + call.body

    def basic(self, peer=PEER) -> str:
        return "Basic " + base64.b64encode(f"{peer}:{self.keys[peer]}".encode()).decode()

    def _exchange(self, method, path, body, headers) -> Answer:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())


@contextlib.contextmanager
def own_database(pg_cluster, pg_template, name):
    """A database for the tests of one module."""
    with psycopg.connect(pg_cluster.admin_url_for("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} OWNER gateway TEMPLATE {pg_template}".encode())
        try:
            yield pg_cluster.url_for(name)
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(scope="module")
def own_house(pg_cluster, pg_template, tmp_path_factory, request):
    """Houses with settings of their own, by name, for all tests of a module."""
    with contextlib.ExitStack() as stack:

        def build(name: str, **env: str) -> House:
            digest = sha256(f"{request.module.__name__} {name}".encode()).hexdigest()[:12]
            url = stack.enter_context(own_database(pg_cluster, pg_template, f"house_{digest}"))
            made = House(url, tmp_path_factory.mktemp("house"), **env)
            stack.callback(made.stop)
            return made

        yield build


@pytest.fixture(scope="module")
def house(own_house):
    """One house for all tests of a module; none of them may find a defect of ours."""
    made = own_house("shared")
    yield made
    assert not made.defects()


@pytest.fixture
def make_house(pg_url, tmp_path):
    """A house of one test, on the database of that test."""
    made: list[House] = []

    def make(**env: str) -> House:
        made.append(House(pg_url, tmp_path, **env))
        return made[-1]

    yield make
    for house in made:
        house.stop()
