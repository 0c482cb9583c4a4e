"""A call that was refused leaves nothing of its document behind."""

import asyncio
import gc
import gzip
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from gateway import ns
from gateway.access.policy import Caller, Stranger
from gateway.errors import AccessError
from gateway.metrics import Metrics
from gateway.settings import Settings
from gateway.wires.appeals import Appeals
from gateway.wires.call import Exchange
from gateway.wires.parsing import Parsing
from gateway.wires.room import Room
from gateway.wires.service import Context
from gateway.wires.soap import SoapApp


class Edge:
    """Knows a caller, or nobody."""

    class gate:  # noqa: N801 - stands for an attribute
        keys = seen = None

    def __init__(self, found):
        self.found, self.room, self.parsing, self.replies = found, Room(), Parsing(), None
        self.service = cast("Any", self)
        self.kept = []
        self.blobs = None

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
    edge = Edge(found)
    app = SoapApp(cast("Any", edge), Settings(), Metrics(), [Appeals(cast("Any", None))])
    headers = [(b"content-type", b"text/xml"), (b"content-encoding", b"gzip")]
    scope = {
        "type": "http", "method": "POST", "path": "/soap/appeals.svc", "headers": headers,
        "query_string": b"", "client": ("192.0.2.1", 1),
    }  # fmt: skip
    sent = []

    async def story():
        async def receive():
            return {"type": "http.request", "body": gzip.compress(body), "more_body": False}

        async def send(message):
            sent.append(message)

        await app(scope, receive, send)
        edge.parsing.close()

    asyncio.run(story())
    return sent[0]["status"]


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
    gc.collect()
    gc.disable()
    try:
        assert post(found, body) == status
        assert not [each for each in gc.get_objects() if isinstance(each, Exchange)]
    finally:
        gc.enable()
