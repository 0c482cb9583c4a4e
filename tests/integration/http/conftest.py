"""`gateway serve` as a process, two peers with keys, and a look into its database."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import psycopg
import pytest

from gateway.model.peer import Peer
from gateway.store import arrays, lanes, peers, schema

CHECKOUT = Path(__file__).resolve().parents[3]
SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"


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


class House:
    """The served gateway. `portal` and `sed` are peers; every test names its appeals itself."""

    def __init__(self, url: str, root: Path, **env: str) -> None:
        self.url = url
        now = datetime.now(UTC)
        with self.database() as db:
            db.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
            db.execute("INSERT INTO alembic_version VALUES ($1)", (schema.head(),))
            for code in ("portal", "sed"):
                peers.add(db, Peer(code=code, name=code), now)
            self.keys = {code: peers.new_key(db, code, now) for code in ("portal", "sed")}
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

    def defects(self) -> str:
        """What the log holds of our own mistakes."""
        self.log.flush()
        lines = Path(self.log.name).read_text("utf-8").splitlines()
        return "\n".join(line for line in lines if "defect" in line or "Traceback" in line)

    def give(self, external_id: str, peer: str, owner: str = "portal") -> None:
        """Let a peer see an appeal, as dispatch does: by a delivery in one of its lanes."""
        ((appeal_id,),) = self.rows(
            "SELECT id FROM appeal WHERE peer = $1 AND external_id = $2", owner, external_id
        )
        with self.database() as db, db.transaction():
            row = lanes.NewDelivery(peer, lanes.PULL_LANE, appeal_id, 1, "Received", kind="pull")
            lanes.enqueue(db, [row], datetime.now(UTC))

    def call(self, method, path, body=b"", *, peer="portal", **headers) -> Answer:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        if peer:
            names["X-API-Key"] = self.keys[peer]
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request(method, path, body or None, names)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())

    def get(self, path, **options) -> Answer:
        return self.call("GET", f"/api/v1{path}", **options)

    def post(self, path, document, method="POST", **options) -> Answer:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        options.setdefault("Content_Type", "application/json")
        return self.call(method, f"/api/v1{path}", body, **options)

    def soap(self, inner: str, *, peer="portal", **headers) -> Answer:
        """Call an operation by SOAP 1.1; inner: its element without the namespace."""
        name, _, rest = inner.removeprefix("<").partition(">")
        body = (
            f'<s:Envelope xmlns:s="{SOAP11}"><s:Body>'
            f'<{name.rstrip("/")} xmlns="urn:gov:appeals:v1"{"/" * name.endswith("/")}>{rest}'
            "</s:Body></s:Envelope>"
        ).encode()
        headers.setdefault("Content_Type", "text/xml; charset=utf-8")
        return self.call("POST", "/soap/appeals.svc", body, peer=peer, **headers)

    def basic(self, peer="portal") -> str:
        return "Basic " + base64.b64encode(f"{peer}:{self.keys[peer]}".encode()).decode()


@contextlib.contextmanager
def own_database(pg_cluster, pg_template, name):
    with psycopg.connect(pg_cluster.admin_url_for("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} OWNER gateway TEMPLATE {pg_template}".encode())
        try:
            yield pg_cluster.url_for(name)
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(scope="module")
def house(pg_cluster, pg_template, tmp_path_factory, request):
    name = "http_" + sha256(request.module.__name__.encode()).hexdigest()[:12]
    with own_database(pg_cluster, pg_template, name) as url:
        made = House(url, tmp_path_factory.mktemp("house"))
        try:
            yield made
            assert not made.defects()
        finally:
            made.stop()
