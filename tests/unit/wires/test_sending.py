"""A package goes out piece by piece, whole or visibly broken off."""

from __future__ import annotations

import asyncio
from hashlib import sha256

import pytest

from gateway.adapter import File, Stored
from gateway.limits import MB
from gateway.soap.frame import Sealed
from gateway.store.blobs import BlobDirectory
from gateway.wires.sending import send_package, takes_package

DATA = bytes(range(256)) * 4 * 1024 * 3
DIGEST = sha256(DATA).hexdigest()
SEALED = Sealed(status=200, content_type="text/xml; charset=utf-8", body=b"<a/>")
STORED = File(
    sha256=DIGEST, media_type="video/mp4", name="", data=Stored(sha256=DIGEST, size=len(DATA))
)


class Line:
    """Both directions of ASGI; the caller leaves after so many messages."""

    def __init__(self, leaves_after=None):
        self.sent = []
        self._leaves_after = leaves_after
        self._left = asyncio.Event()

    async def send(self, message):
        self.sent.append(message)
        if self._leaves_after is not None and len(self.sent) >= self._leaves_after:
            self._left.set()
        await asyncio.sleep(0)

    async def receive(self):
        await self._left.wait()
        return {"type": "http.disconnect"}

    @property
    def body(self):
        return b"".join(message.get("body", b"") for message in self.sent)

    @property
    def whole(self):
        return not self.sent[-1].get("more_body")

    @property
    def headers(self):
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}


@pytest.fixture
def blobs(tmp_path):
    made = BlobDirectory(tmp_path)
    made.put(DATA)
    return made


def sent(blobs, *files, leaves_after=None):
    async def go():
        line = Line(leaves_after)
        await send_package(line.send, line.receive, SEALED, files, blobs, {"correlation-id": "c"})
        return line

    return asyncio.run(go())


def test_what_is_announced_is_sent_by_the_megabyte(blobs):
    small = File(sha256="ab" * 32, media_type="", name="", data=b"small")
    line = sent(blobs, STORED, small)
    assert line.whole
    assert line.headers["content-length"] == str(len(line.body))
    assert line.headers["correlation-id"] == "c"
    assert DATA in line.body
    assert b"\r\n\r\nsmall\r\n--" in line.body
    assert max(len(message.get("body", b"")) for message in line.sent) <= MB


def test_a_changed_file_breaks_the_answer_off(blobs):
    blobs.path(bytes.fromhex(DIGEST)).write_bytes(DATA[:-1] + b"!")
    line = sent(blobs, STORED)
    assert not line.whole
    assert len(line.body) <= int(line.headers["content-length"]) - MB


def test_nothing_is_read_for_a_caller_that_left(blobs):
    line = sent(blobs, STORED, leaves_after=3)
    assert not line.whole
    assert len(line.body) < 2 * MB


@pytest.mark.parametrize(
    ("accept", "takes"),
    [
        ("", False),
        ("*/*", False),
        ("text/xml, multipart/related, text/html", True),
        ('multipart/related;type="application/xop+xml";q=0.9', True),
        ("multipart/related; type=text/xml", False),
        ("application/xop+xml", True),
        ("application/xop+xml;q=0", False),
        ("multipart/related; q=0.0, text/xml", False),
        ("x" * 5_000 + ", multipart/related", False),
    ],
)
def test_a_package_is_sent_to_who_names_it(accept, takes):
    assert takes_package(accept) is takes
