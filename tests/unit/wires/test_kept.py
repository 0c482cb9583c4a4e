"""A peer's refused messages do not fill the disk, and what is not kept of them is told."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, cast

import msgspec
import pytest
import structlog

from gateway import limits
from gateway.access.policy import Caller
from gateway.errors import BusyError, ValidationError
from gateway.store.blobs import BlobDirectory, no_room
from gateway.wires.allowance import Allowance
from gateway.wires.service import Context, Service

LARGE = b"<e>" + b"x" * limits.BODY_IN_ROW_BYTES + b"</e>"


class Committer:
    def __init__(self):
        self.entries = []

    async def submit(self, entry):
        self.entries.append(entry)


@pytest.fixture
def made(tmp_path):
    committer, blobs = Committer(), BlobDirectory(tmp_path / "blobs")
    service = Service(cast("Any", committer), blobs, cast("Any", None), contract_sha256="")
    service.entries = committer.entries
    return service


def keep(service, body, peer="portal"):
    context = Context(
        caller=Caller(peer=peer), wire="soap11", correlation="corr-1", now=datetime.now(UTC),
        body=body, media_type="text/xml",
    )  # fmt: skip
    asyncio.run(service.keep(context, ValidationError("wrong"), "?"))
    message = service.entries[-1].message
    return message, msgspec.json.decode(message.note)


def files(service):
    return [path for path in service.blobs.root.rglob("*") if path.is_file()]


def test_what_is_refused_is_kept_whole_for_replay(made):
    message, note = keep(made, LARGE)
    assert message.body is None
    assert made.blobs.get(message.blob) == LARGE
    assert "cut" not in note


def test_past_the_day_of_a_peer_its_beginning_size_and_digest_are_kept_and_told(made):
    made.refused = Allowance(len(LARGE))
    keep(made, LARGE)
    other = LARGE.replace(b"<e>", b"<f>")
    with structlog.testing.capture_logs() as logs:
        message, note = keep(made, other)
    assert (message.body, message.blob) == (other[: limits.KEPT_BYTES], None)
    assert note["cut"] == {"size": len(other), "sha256": sha256(other).hexdigest()}
    assert message.body_sha256 == sha256(other).digest()
    assert note["code"] == "validation"
    assert len(files(made)) == 1
    assert [(log["event"], log["bytes"], log["peer"]) for log in logs] == [
        ("messages.cut", len(other), "portal")
    ]
    message, _ = keep(made, other, peer="another")
    assert made.blobs.get(message.blob) == other


def test_a_short_one_is_kept_whole_whatever_its_peer_has_sent(made):
    made.refused = Allowance(1)
    message, note = keep(made, b"x" * limits.KEPT_BYTES)
    assert len(message.body) == limits.KEPT_BYTES
    assert "cut" not in note


def test_where_the_disk_is_short_of_space_its_sender_is_told_to_come_again(made, monkeypatch):
    asked = []

    def short(_self, size):
        asked.append(size)
        raise no_room("ENOSPC")

    monkeypatch.setattr(BlobDirectory, "require_room", short)
    with pytest.raises(BusyError) as caught:
        keep(made, LARGE)
    assert caught.value.retry_after == 30
    assert (asked, made.entries) == ([len(LARGE)], [])
    keep(made, LARGE[: limits.BODY_IN_ROW_BYTES])
    assert len(made.entries) == 1


def test_an_honest_peer_keeps_thousands_of_wrong_messages_a_day():
    assert 10_000 * 300 * limits.KB <= limits.REFUSED_OF_DAY_BYTES
