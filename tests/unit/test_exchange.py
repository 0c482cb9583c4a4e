"""The head of an answer goes out with the first bytes of its body, and never stays behind."""

from __future__ import annotations

import pytest

from gateway.exchange import Joined
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


def joined():
    transport, told = Recorded(), []
    return transport, Joined(transport, lambda: told.append(list(transport.writes))), told


def test_head_and_body_are_one_write_and_what_follows_goes_at_once():
    transport, answer, told = joined()
    answer.write(b"head ")
    assert transport.writes == []
    answer.write(b"body")
    answer.write(b"more")
    assert transport.writes == [b"head body", b"more"]
    answer.complete()
    assert told == [[b"head body", b"more"]]


def test_a_head_without_a_body_is_written_before_the_answer_is_told_complete():
    transport, answer, told = joined()
    answer.write(b"head")
    answer.complete()
    assert told == [[b"head"]]
    assert transport.writes == [b"head"]


def test_a_head_is_written_before_the_connection_is_closed():
    transport, answer, _ = joined()
    answer.write(b"head")
    answer.close()
    assert (transport.writes, answer.is_closing()) == ([b"head"], True)


@pytest.mark.parametrize("end", ["complete", "close"])
def test_nothing_is_written_to_a_caller_who_has_left(end):
    transport, answer, _ = joined()
    answer.write(b"head")
    transport.close()
    answer.write(b"body")
    getattr(answer, end)()
    assert transport.writes == []


def test_a_body_that_looks_like_the_word_to_go_on_stays_behind_its_head():
    transport, answer, _ = joined()
    answer.write(b"head ")
    answer.write(b"HTTP/1.1 100 Continue")
    assert transport.writes == [b"head HTTP/1.1 100 Continue"]


def test_the_word_to_go_on_is_not_held():
    transport, answer, _ = joined()
    answer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    answer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    answer.write(b"body")
    assert transport.writes == [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\nbody"]


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
