"""The head of an answer goes out with the first bytes of its body, and never stays behind."""

from __future__ import annotations

import asyncio
import logging

import pytest
from uvicorn.protocols.http.flow_control import FlowControl

from gateway.exchange import Cycle
from tests.unit.server_kit import Stand, get, read_answer


class Recorded:
    """A transport that remembers its writes."""

    def __init__(self):
        self.writes = []
        self.closed = False

    def write(self, data):
        assert not self.closed
        self.writes.append(data)

    def close(self):
        self.closed = True

    def is_closing(self):
        return self.closed


def cycle(method="GET", **more):
    """A request that waits for its answer; what was written when the answer was told complete."""
    transport, told = Recorded(), []
    made = Cycle(
        scope={"type": "http", "method": method},
        transport=transport,
        flow=FlowControl(transport),
        logger=logging.getLogger("test"),
        access_logger=logging.getLogger("test"),
        access_log=False,
        default_headers=[(b"date", b"now")],
        message_event=asyncio.Event(),
        expect_100_continue=False,
        keep_alive=True,
        on_response=lambda: told.append(list(transport.writes)),
    )
    made.tasks = set()
    for name, value in more.items():
        setattr(made, name, value)
    return transport, made, told


def start(*headers, status=200):
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def piece(body, *, more=False):
    return {"type": "http.response.body", "body": body, "more_body": more}


def answer(made, *messages):
    async def app(_scope, _receive, send):
        for message in messages:
            await send(message)

    asyncio.run(made.run_asgi(app))


HEAD = b"HTTP/1.1 200 OK\r\ndate: now\r\n"
LENGTH = (b"Content-Length", b"8")


def test_head_and_body_are_one_write_and_what_follows_goes_at_once():
    transport, made, told = cycle()
    answer(made, start(LENGTH), piece(b"body", more=True), piece(b"more"))
    written = [HEAD + b"content-length: 8\r\n\r\nbody", b"more"]
    assert (transport.writes, told, transport.closed) == (written, [written], False)


def test_a_body_without_a_length_goes_in_chunks():
    transport, made, told = cycle()
    answer(made, start(), piece(b"body", more=True), piece(b"", more=True), piece(b"more"))
    written = [
        HEAD + b"transfer-encoding: chunked\r\n\r\n4\r\nbody\r\n",
        b"4\r\nmore\r\n0\r\n\r\n",
    ]
    assert (transport.writes, told) == (written, [written])


@pytest.mark.parametrize(
    ("method", "status", "line"), [("HEAD", 200, b"200 OK"), ("GET", 204, b"204 No Content")]
)
def test_a_head_without_a_body_is_written_before_the_answer_is_told_complete(method, status, line):
    transport, made, told = cycle(method)
    answer(made, start(status=status), piece(b"" if status == 204 else b"left out"))
    assert told == [transport.writes] == [[b"HTTP/1.1 " + line + b"\r\ndate: now\r\n\r\n"]]


@pytest.mark.parametrize(("headers", "kept"), [([], False), ([(b"connection", b"x, Close")], True)])
def test_a_connection_that_is_not_kept_is_closed_behind_its_answer(headers, kept):
    transport, made, told = cycle(keep_alive=kept)
    answer(made, start(LENGTH, *headers), piece(b"whole..."))
    assert transport.writes[0].lower().count(b"close\r\n") == 1
    assert (transport.closed, len(told)) == (True, 1)


def test_a_head_is_written_before_the_connection_is_closed():
    transport, made, told = cycle()
    answer(made, start(LENGTH))
    assert transport.writes == [HEAD + b"content-length: 8\r\n\r\n"]
    assert (transport.closed, told) == (True, [])


@pytest.mark.parametrize("body", [b"short", b"too long a body"])
def test_a_body_of_another_length_breaks_the_answer_off(body):
    transport, made, told = cycle()
    answer(made, start(LENGTH), piece(body))
    assert (transport.closed, told) == (True, [])


@pytest.mark.parametrize(
    "header",
    [(b"x y", b"1"), (b"x\r\ny", b"1"), (b"x", b"1\r\nset-cookie: a=b"), (b"x", b"\0")],
)
def test_a_header_that_would_become_two_ends_the_answer(header):
    transport, made, _ = cycle()
    answer(made, start(LENGTH, header), piece(b"whole..."))
    assert b"set-cookie" not in b"".join(transport.writes)
    assert transport.closed


def test_an_application_that_fails_before_its_answer_gets_one():
    transport, made, told = cycle()
    answer(made)
    assert transport.writes[0].startswith(b"HTTP/1.1 500 ")
    assert transport.writes[0].endswith(b"\r\n\r\nInternal Server Error")
    assert (transport.closed, len(told)) == (True, 1)


@pytest.mark.parametrize("message", [piece(b"first"), {"type": "http.response.trailers"}])
def test_what_does_not_belong_into_an_answer_is_refused(message):
    _, made, _ = cycle()
    with pytest.raises(RuntimeError, match="but got"):
        asyncio.run(made.send(message))


def test_nothing_is_written_to_a_caller_who_has_left():
    transport, made, told = cycle()
    transport.close()
    answer(made, start(LENGTH), piece(b"whole..."))
    assert (transport.writes, len(told)) == ([], 1)


def test_a_head_that_was_asked_for_comes_at_once_and_the_connection_goes_on():
    stand = Stand()
    try:
        with stand.connect() as connection:
            connection.sendall(get("/").replace(b"GET", b"HEAD"))
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(1)
            assert head.startswith(b"HTTP/1.1 200 ")
            connection.sendall(get("/next"))
            assert read_answer(connection)[0] == 200
    finally:
        stand.stop()
