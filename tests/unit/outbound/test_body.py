"""A body that is read while it is sent, and the answer that stands behind a refusal."""

import socket
import threading

import pytest

from gateway.errors import InternalError, NotFoundError, PeerDoubtful, PeerRefused
from gateway.outbound import Answered, ClientCertificate, check
from tests.unit.outbound.peers import OK, always, answers


class Pieces:
    """A body of so many announced bytes, in the pieces given; counts how often it was begun."""

    def __init__(self, size, *pieces):
        self.size = size
        self.begun = 0
        self._pieces = pieces

    def pieces(self):
        self.begun += 1
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece


def test_the_pieces_arrive_as_one_body_of_the_announced_length(peer, client):
    there = peer(always)
    body = Pieces(200_003, b"abc", b"x" * 200_000)
    assert client().request("POST", there.url, body=body).body == b"ok"
    head, _, got = there.requests[0].partition(b"\r\n\r\n")
    assert b"Content-Length: 200003" in head
    assert got == b"abc" + b"x" * 200_000


@pytest.mark.parametrize("size", [2, 4], ids=["too much", "too little"])
def test_a_body_of_another_length_is_not_passed_off_as_whole(peer, client, size):
    received = []

    def behave(peer, sock, number):
        while chunk := sock.recv(65_536):
            received.append(chunk)

    with pytest.raises(InternalError) as caught:
        client().request("POST", peer(behave).url, body=Pieces(size, b"a", b"bc"))
    assert (caught.value.found, caught.value.expected) == ("3", str(size))


def test_what_the_source_of_a_body_raises_comes_through(peer, client):
    body = Pieces(10, b"a", NotFoundError("the file is gone"))
    with pytest.raises(NotFoundError):
        client().request("POST", peer(always).url, body=body)


def test_a_body_is_begun_again_when_a_used_connection_ends_under_a_request_that_may_be(
    peer, client
):
    def behave(peer, sock, number):
        peer.read(sock)
        sock.sendall(OK)
        if number == 1:
            peer.read(sock)
        else:
            always(peer, sock, number)

    there, out = peer(behave), client()
    out.request("POST", there.url, body=b"first")
    body = Pieces(2, b"a", b"b")
    assert out.request("POST", there.url, body=body, safe=True).status == 200
    assert body.begun == 2
    assert there.requests[-1].endswith(b"\r\n\r\nab")


def test_a_peer_that_answers_before_it_has_read_everything_is_heard(peer, client):
    def behave(peer, sock, number):
        sock.recv(1024)
        sock.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65_536):
            pass

    body = Pieces(4_000_000, *[b"x" * 100_000] * 40)
    assert client().request("POST", peer(behave).url, body=body).status == 413


def test_a_peer_that_stops_reading_is_left_at_the_total_deadline(peer, client):
    ended = threading.Event()
    body = Pieces(64_000_000, *[b"x" * 1_000_000] * 64)
    there = peer(lambda peer, sock, number: ended.wait(20))
    with pytest.raises(PeerDoubtful):
        client(timeout=0.4).request("POST", there.url, body=body)
    ended.set()


def test_the_answer_stands_behind_a_refusal_and_its_words_tell_nothing_of_it(peer, client):
    reply = b"HTTP/1.1 404 No\r\nContent-Length: 10\r\n\r\n" + "иванов"[:5].encode()
    response = client().request("POST", peer(answers(reply)).url, body=b"x")
    with pytest.raises(PeerRefused) as caught:
        check(response, "p")
    behind = caught.value.__cause__
    assert isinstance(behind, Answered)
    assert behind.response == response
    assert str(behind) == "HTTP 404, 10 bytes"


def test_the_password_of_a_client_certificate_is_not_shown():
    shown = repr(ClientCertificate("a.pem", "a.key", "s3cret"))
    assert "a.pem" in shown
    assert "s3cret" not in shown
