"""A process that asks is killed between storing a message and acknowledging it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from gateway.model.peer import Peer
from gateway.store import peers
from tests.gost_kit import needs_gost
from tests.integration.house import CHECKOUT, eventually
from tests.integration.smev.talk import state

pytestmark = needs_gost
PEER = "region"


class Gate(ThreadingHTTPServer):
    """Passes calls on to the stand. closed: one that comes to acknowledge waits and never passes.

    waits: somebody stands before it.
    """

    daemon_threads = True

    def __init__(self, url):
        super().__init__(("127.0.0.1", 0), _Passing)
        self.beyond = urlsplit(url)
        self.closed, self.waits, self.over = True, threading.Event(), threading.Event()


class _Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        gate = self.server
        if gate.closed and self.headers["soapaction"] == '"urn:Ack"':
            gate.waits.set()
            gate.over.wait(60)
            return
        there = http.client.HTTPConnection(gate.beyond.hostname, gate.beyond.port, timeout=30)
        names = ("content-type", "soapaction")
        given = {name: self.headers[name] for name in names}
        there.request("POST", self.path, body, given)
        answer = there.getresponse()
        said = answer.read()
        self.send_response(answer.status)
        self.send_header("content-type", answer.headers["content-type"])
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)
        there.close()

    def log_message(self, *given):
        """Say nothing."""


@pytest.fixture
def gate(stand):
    made = Gate(stand.facts["options"]["url"])
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.over.set()
    made.shutdown()
    made.server_close()
    thread.join(10)


@pytest.fixture
def works(stand, gate, make_house, pg_url, tmp_path):
    """Return a maker of processes that ask the stand through the gate, and the house beside."""
    given = stand.facts["settings"]
    env = {
        "GATEWAY_ADAPTERS": "smev",
        "GATEWAY_SIGNING_KEYS": json.dumps(given["signing_keys"]),
        "GATEWAY_TRUSTED_AUTHORITIES": ",".join(given["trusted_authorities"]),
        "GATEWAY_REVOCATION_REQUIRED": "false",
        "GATEWAY_POLL_SECONDS": "0.2",
    }
    house = make_house(**env)
    url = f"http://127.0.0.1:{gate.server_address[1]}{gate.beyond.path}"
    options = {**stand.facts["options"], "url": url, "poll_every": 0.3, "timeout": 5}
    row = Peer(
        code=PEER, name="СМЭВ", adapter="smev", disclosure="full", disclosure_ground="проба",
        options=options,
    )  # fmt: skip
    with house.database() as db:
        peers.add(db, row, datetime.now(UTC))
    env |= {"PATH": os.defpath, "GATEWAY_DATABASE_URL": pg_url, "GATEWAY_DATA_DIR": str(tmp_path)}
    started = []

    def work():
        command = [sys.executable, "-m", "gateway", "work"]
        with (tmp_path / f"work-{len(started)}.log").open("w") as log:
            made = subprocess.Popen(command, env=env, cwd=CHECKOUT, stdout=log, stderr=log)
        started.append(made)
        return made

    yield work, house
    for each in started:
        if each.poll() is None:
            each.terminate()
            each.wait(30)


def test_killed_before_the_acknowledgement_it_loses_none_and_takes_none_twice(stand, gate, works):
    """What is stored and not acknowledged comes again, to a process that finds it stored."""
    work, house = works
    sent = stand.control(emit=3, seed=5)
    killed = work()
    assert gate.waits.wait(30), "it never came to acknowledge"
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait(30)
    count = "SELECT count(*) FROM appeal WHERE external_id = ANY($1)"
    assert house.rows(count, sent["keys"]) == [(3,)], "stored before anything is acknowledged"
    assert {state(stand, number) for number in sent["ids"]} == {"given"}

    gate.closed = False
    stand.control(overdue=True)
    with house.database() as db:
        db.execute("UPDATE source SET leased_until = now()")
    work()

    eventually(lambda: {state(stand, number) for number in sent["ids"]} == {"accepted"})
    assert house.rows(count, sent["keys"]) == [(3,)]
    assert house.rows("SELECT count(*) FROM appeal") == [(3,)], "none twice"
