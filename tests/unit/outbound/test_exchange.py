"""What comes back, and what a failure says about what the peer may have stored."""

import socket
import threading
import time

import pytest

from gateway.errors import PeerDoubtful, PeerRefused, PeerUnavailable
from gateway.outbound import Response, check
from tests.unit.outbound.peers import OK, always, answers, reset


def test_a_whole_answer_comes_back_and_the_connection_is_used_again(peer, client):
    connections = []

    def behave(peer, sock, number):
        connections.append(number)
        always(peer, sock, number)

    there = peer(behave)
    out = client()
    for _ in range(3):
        answer = out.request(
            "POST", f"{there.url}/in?a=1", headers={"X-Key": "7"}, body="тело".encode()
        )
        assert (answer.status, answer.body) == (200, b"ok")
        assert answer.headers["content-length"] == "2"
    assert connections == [1]
    head, _, body = there.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /in?a=1 HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{there.port}".encode() in head
    assert b"X-Key: 7" in head
    assert body == "тело".encode()


def test_chunked_and_unmeasured_answers_are_read_whole(peer, client):
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n1\r\n!\r\n0\r\n\r\n"
    unmeasured = b"HTTP/1.0 200 OK\r\n\r\nuntil the end"
    there = peer(answers(chunked, unmeasured))
    out = client()
    assert out.request("GET", there.url).body == b"ok!"
    assert out.request("GET", there.url).body == b"until the end"


def test_many_threads_share_one_client(peer, client):
    there = peer(always)
    out = client()
    got = []

    def run():
        got.extend(out.request("POST", there.url, body=b"x").status for _ in range(20))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [200] * 160
    assert len(there.requests) == 160


def test_a_peer_that_does_not_listen_has_stored_nothing(client):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(PeerUnavailable):
        client().request("POST", f"http://127.0.0.1:{port}/", body=b"x")


def test_a_name_that_does_not_resolve_has_stored_nothing(client):
    out = client(allowed_hosts=["nobody.invalid"])
    with pytest.raises(PeerUnavailable):
        out.request("POST", "http://nobody.invalid/", body=b"x")


HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"


@pytest.mark.parametrize(
    "reply",
    [
        b"", b"HTTP/1.1 2", HALF, b"\x00\xffgarbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhal",
    ],
    ids=["nothing", "cut status", "cut body", "garbage", "endless header", "cut chunk", "no chunk"],
)  # fmt: skip
def test_anything_but_a_whole_answer_is_a_doubt_for_what_stores(peer, client, reply):
    there = peer(answers(reply))
    with pytest.raises(PeerDoubtful):
        client().request("POST", there.url, body=b"x")
    assert len(there.requests) == 1
    with pytest.raises(PeerUnavailable):
        client().request("GET", there.url)
    with pytest.raises(PeerUnavailable):
        client().request("POST", there.url, body=b"<GetStatus/>", safe=True)


def test_a_reset_after_the_request_is_a_doubt(peer, client):
    def behave(peer, sock, number):
        peer.read(sock)
        reset(sock)

    with pytest.raises(PeerDoubtful):
        client().request("POST", peer(behave).url, body=b"x")


def test_a_peer_that_drips_is_cut_at_the_total_deadline(peer, client):
    def behave(peer, sock, number):
        peer.read(sock)
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" * 100:
            sock.sendall(bytes((byte,)))
            time.sleep(0.05)

    with pytest.raises(PeerDoubtful, match=r"deadline|timed out"):
        client().request("POST", peer(behave).url, body=b"x", timeout=0.4)


def test_a_peer_that_drips_its_body_or_stays_silent_is_cut_too(peer, client):
    def behave(peer, sock, number):
        peer.read(sock)
        if number == 1:
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            for _ in range(1000):
                sock.sendall(b".")
                time.sleep(0.05)
        time.sleep(5)

    there = peer(behave)
    for _ in range(2):
        with pytest.raises(PeerDoubtful):
            client().request("POST", there.url, body=b"x", timeout=0.4)


def test_a_peer_that_does_not_read_is_cut_too(peer, client):
    release = threading.Event()

    def behave(peer, sock, number):
        release.wait(5)

    with pytest.raises(PeerDoubtful):
        client().request("POST", peer(behave).url, body=b"x" * 50_000_000, timeout=0.4)
    release.set()


def test_an_answer_past_the_limit_is_not_read_to_its_end(peer, client):
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000
    there = peer(answers(reply))
    assert len(client(max_response_bytes=5000).request("POST", there.url, body=b"x").body) == 5000
    with pytest.raises(PeerDoubtful, match="larger"):
        client(max_response_bytes=4999).request("POST", there.url, body=b"x")


def test_redirects_are_not_followed(peer, client):
    reply = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    there = peer(answers(reply))
    answer = client().request("GET", there.url)
    assert answer.status == 302
    with pytest.raises(PeerRefused):
        check(answer, "there")


def test_an_early_refusal_of_a_large_body_is_still_read(peer, client):
    def behave(peer, sock, number):
        sock.recv(1000)
        sock.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        sock.shutdown(socket.SHUT_WR)
        time.sleep(0.5)

    there = peer(behave)
    try:
        answer = client().request("POST", there.url, body=b"x" * 20_000_000, timeout=3)
    except PeerDoubtful:
        return  # the reset may overtake the answer: a doubt is right, too
    assert answer.status == 413


def test_a_stale_connection_is_noticed_before_anything_is_sent(peer, client):
    there = peer(answers(OK))  # hangs up after each answer without having said so
    out = client()
    for _ in range(3):
        assert out.request("POST", there.url, body=b"x").status == 200
        time.sleep(0.05)
    assert len(there.requests) == 3


def test_a_connection_that_closes_under_a_request_is_a_doubt_and_is_not_repeated(peer, client):
    def behave(peer, sock, number):
        peer.read(sock)
        sock.sendall(OK)
        peer.read(sock)  # takes the second request, and dies without a word

    there = peer(behave)
    out = client()
    out.request("POST", there.url, body=b"1")
    with pytest.raises(PeerDoubtful):
        out.request("POST", there.url, body=b"2")
    assert len(there.requests) == 2


def test_a_reading_request_is_repeated_once_on_a_fresh_connection(peer, client):
    def behave(peer, sock, number):
        peer.read(sock)
        sock.sendall(OK)
        if number == 1:
            peer.read(sock)
            return
        always(peer, sock, number)

    there = peer(behave)
    out = client()
    out.request("GET", there.url)
    assert out.request("GET", there.url).status == 200
    assert len(there.requests) == 3


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, PeerRefused), (400, PeerRefused), (401, PeerRefused), (404, PeerRefused),
        (408, PeerDoubtful), (409, PeerRefused), (429, PeerUnavailable), (500, PeerDoubtful),
        (502, PeerDoubtful), (503, PeerUnavailable), (504, PeerDoubtful),
    ],
)  # fmt: skip
def test_a_status_says_what_became_of_the_request(status, kind):
    with pytest.raises(kind) as caught:
        check(Response(status, {}, "нет".encode()), "узел")
    assert caught.value.found == f"{status} нет"


def test_a_reading_request_never_leaves_a_doubt():
    with pytest.raises(PeerUnavailable):
        check(Response(500, {}, b""), "there", safe=True)
    assert check(Response(204, {}, b""), "there").status == 204
