"""A file in an answer is counted until it was read; a long answer goes piece by piece."""

import asyncio
from datetime import UTC, datetime

import pytest

from gateway import limits
from gateway.access.policy import Caller
from gateway.app import in_pieces
from gateway.errors import BusyError
from gateway.soap.envelope import Call
from gateway.soap.frame import Frame
from gateway.wires import contract as c
from gateway.wires import service
from gateway.wires.appeals import Appeals
from gateway.wires.room import ANSWER, Room


def answered(content):
    return c.GetAttachmentResponse(
        attachment_id="a", file_name="f", media_type="t", size=1, sha256="0", content=content
    )


NOW = datetime.now(UTC)


class Lists:
    """Answers every question with a directory whose version is so long."""

    files = frozenset()

    def __init__(self, version):
        self._version = version

    async def call(self, _request, _context):
        return c.GetDirectoryResponse(version=self._version, items=())


def test_files_that_are_still_being_read_leave_no_room_for_more():
    room, caller = Room(), Caller(peer="portal")
    room = Room(limits.MB * 20, limits.MB * 10)
    bodies = [room.body("") for _ in range(3)]
    ANSWER.set(bodies[0])
    service._hold(answered(b"x" * 4 * limits.MB), caller)
    ANSWER.set(bodies[1])
    with pytest.raises(BusyError):
        service._hold(answered(b"x" * 4 * limits.MB), caller)
    service._hold(answered(b"x" * 4 * limits.MB), Caller(peer="other"))
    bodies[0].free()
    ANSWER.set(bodies[2])
    service._hold(answered(b"x" * 4 * limits.MB), caller)
    for body in bodies:
        body.free()
    assert room.held == 0


def test_a_short_answer_needs_no_room():
    room = Room(10, 10)
    ANSWER.set(room.body(""))
    service._hold(answered(b"x" * 1_000), Caller(peer="portal"))
    assert room.held == 0


@pytest.mark.parametrize("size", [limits.LARGE_ANSWER_BYTES, limits.LARGE_ANSWER_BYTES + 1])
def test_any_long_answer_takes_room_until_it_was_read(size):
    """A list that a peer asks for with MaxBytes may be 10 MB long."""
    room = Room(limits.MB, limits.MB)
    endpoint = Appeals(Lists("x" * size))
    call = Call(frame=Frame(), operation="GetDirectory", action="", body=None)
    context = service.Context(
        caller=Caller(peer="portal"), wire="soap11", correlation="c", now=NOW, body=b"",
        media_type="text/xml",
    )  # fmt: skip
    for already in range(3):
        ANSWER.set(room.body(""))
        reply = asyncio.run(endpoint.answer(None, call, context))
        assert len(reply.body) > size
        assert room.held == (already + 1) * len(reply.body)
    ANSWER.set(room.body(""))
    with pytest.raises(BusyError):
        asyncio.run(endpoint.answer(None, call, context))


@pytest.mark.parametrize("size", [0, 10, 262_144, 262_145, 1_000_000])
@pytest.mark.parametrize("more", [False, True])
def test_a_long_body_is_the_same_in_pieces(size, more):
    sent = []

    async def send(message):
        sent.append(message)

    body = bytes(i % 251 for i in range(size))
    told = {"type": "http.response.body", "body": body, "more_body": more}
    asyncio.run(in_pieces(send)(told))
    assert b"".join(each["body"] for each in sent) == body
    assert [bool(each.get("more_body")) for each in sent] == [True] * (len(sent) - 1) + [more]
    assert max(len(each["body"]) for each in sent) <= limits.ANSWER_PIECE_BYTES
