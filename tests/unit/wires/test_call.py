"""A call that was refused leaves nothing of its document behind."""

import asyncio
import gc
import gzip
import threading
import time
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from gateway import limits, ns
from gateway.access.policy import Caller, Stranger
from gateway.errors import AccessError
from gateway.metrics import Metrics
from gateway.settings import Settings
from gateway.soap.security.algorithms import STANDARD
from gateway.wires.appeals import Appeals
from gateway.wires.call import Exchange
from gateway.wires.parsing import Parsing
from gateway.wires.proving import Proving
from gateway.wires.room import Room
from gateway.wires.service import Context
from gateway.wires.soap import SoapApp


class Edge:
    """Knows a caller, or nobody."""

    class gate:  # noqa: N801 - stands for an attribute
        keys = seen = None

    def __init__(self, found):
        self.found, self.room, self.parsing, self.replies = found, Room(), Parsing(), None
        self.proving = Proving()
        self.service = cast("Any", self)
        self.kept = []
        self.blobs = None
        self.algorithms = STANDARD

    async def knock(self, *_):
        return self.found

    async def prove(self, *_):
        raise AccessError("a credential is required", challenge=True)

    async def keep(self, context, error, operation):
        self.kept.append(error.code)

    def secure(self, _scope):
        return True

    def context(self, caller, wire, correlation, body, media_type, address):
        return Context(
            caller=caller, wire=wire, correlation=correlation, now=datetime.now(UTC), body=body,
            media_type=media_type, address=address,
        )  # fmt: skip


def post(found, body):
    return asked(Edge(found), gzip.compress(body))[0]


def asked(edge, *pieces, looked=lambda: None):
    """Return status and headers of the answer to a packed body. looked: called at each piece."""
    app = SoapApp(cast("Any", edge), Settings(), Metrics(), [Appeals(cast("Any", None))])
    headers = [(b"content-type", b"text/xml"), (b"content-encoding", b"gzip")]
    scope = {
        "type": "http", "method": "POST", "path": "/soap/appeals.svc", "headers": headers,
        "query_string": b"", "client": ("192.0.2.1", 1),
    }  # fmt: skip
    sent, left = [], list(pieces)

    async def story():
        async def receive():
            looked()
            piece = left.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(left)}

        async def send(message):
            sent.append(message)

        await app(scope, receive, send)
        edge.parsing.close()
        edge.proving.close()

    asyncio.run(story())
    return sent[0]["status"], dict(sent[0]["headers"])


@pytest.mark.parametrize(
    ("found", "status"), [(Stranger(), 401), (Caller(peer="portal"), 500)], ids=["nobody", "peer"]
)
@pytest.mark.parametrize(
    "body",
    [
        b"<e/>",
        b"<e" + b" " * 100_000 + b"/>",
        b"not XML",
        f'<s:Envelope xmlns:s="{ns.SOAP11}"><s:Body><Ping xmlns="{ns.APPEALS}">x</Ping></s:Body>'
        "</s:Envelope>".encode(),
    ],
    ids=["short", "long", "malformed", "invalid"],
)
def test_its_document_does_not_wait_for_the_collector_of_garbage(found, status, body):
    gc.freeze()  # what other tests left is not looked at
    gc.disable()
    try:
        assert post(found, body) == status
        deadline = time.monotonic() + 5  # a thread that has answered lets go a moment later
        while left := [each for each in gc.get_objects() if isinstance(each, Exchange)]:
            assert time.monotonic() < deadline, left
            del left
            time.sleep(0.01)
    finally:
        gc.enable()
        gc.unfreeze()


def test_a_stranger_for_whom_there_is_no_room_is_told_to_come_again():
    edge = Edge(Stranger())
    edge.room.strangers._held = limits.STRANGERS_BODIES_BYTES
    status, headers = asked(edge, gzip.compress(b"<e/>"))
    assert (status, headers.get(b"retry-after")) == (500, b"1")
    assert b"www-authenticate" not in headers
    assert edge.room.strangers.held == limits.STRANGERS_BODIES_BYTES


def test_what_a_stranger_packed_is_not_unpacked_before_it_is_whole():
    edge = Edge(Stranger())
    body = gzip.compress(b" " * 900_000)
    middle, held = len(body) // 2, []

    def looked():
        held.append(edge.room.strangers.held)

    assert asked(edge, body[:middle], body[middle:], looked=looked)[0] == 401
    assert held == [0, middle]


def test_what_is_explained_is_parsed_in_a_thread_that_is_replaced(monkeypatch):
    """Its names are anybody's, and a thread keeps them as long as it lives."""
    threads = []
    real = Appeals.explain

    def explain(self, opened):
        threads.append(threading.current_thread().name)
        real(self, opened)

    monkeypatch.setattr(Appeals, "explain", explain)
    wrong = f'<GetStatus xmlns="{ns.APPEALS}"><New/></GetStatus>'
    body = f'<s:Envelope xmlns:s="{ns.SOAP11}"><s:Body>{wrong}</s:Body></s:Envelope>'
    assert post(Caller(peer="portal"), body.encode()) == 500
    assert [name.partition("_")[0] for name in threads] == ["parse"]
