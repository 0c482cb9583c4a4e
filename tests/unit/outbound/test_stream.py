"""A large answer comes in pieces, under the same rules as a small one."""

import pytest

from gateway.errors import ConfigurationError, PeerRefused, PeerUnavailable
from tests.unit.outbound.peers import always, answers, reset

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n1\r\n!\r\n0\r\n\r\n"


def stream(out, there, **options):
    return out.stream(f"{there.url}/list", "the peer", **options)


def test_the_whole_body_comes_and_the_connection_is_used_again(peer, client):
    size = 3_000_000
    large = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size
    there = peer(answers(large, CHUNKED, large))
    out = client(max_response_bytes=1_000)
    pieces = list(stream(out, there, headers={"Accept": "text/plain"}))
    assert sum(map(len, pieces)) == size
    assert len(pieces) > 10
    assert b"".join(stream(out, there)) == b"ok!"
    assert sum(map(len, stream(out, there))) == size
    assert b"Accept: text/plain" in there.requests[0]


def test_a_caller_that_has_seen_enough_leaves_no_connection_behind(peer, client):
    size = 3_000_000
    large = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size
    numbers = []

    def behave(peer, sock, number):
        numbers.append(number)
        answers(large)(peer, sock, number)

    there = peer(behave)
    out = client()
    pieces = stream(out, there)
    next(pieces)
    pieces.close()
    assert sum(map(len, stream(out, there))) == size
    assert numbers == [1, 2]


@pytest.mark.parametrize(
    ("status", "error"), [(404, PeerRefused), (301, PeerRefused), (500, PeerUnavailable)]
)
def test_another_answer_is_no_part_of_the_body_and_says_why(peer, client, status, error):
    refusal = b"HTTP/1.1 %d No\r\nContent-Length: 3\r\n\r\nwhy" % status
    with pytest.raises(error) as caught:
        list(stream(client(), peer(answers(refusal))))
    assert caught.value.found == f"{status} why"


def test_a_refusal_without_end_is_not_read_for_ever(peer, client):
    endless = b"HTTP/1.1 500 No\r\n\r\n" + b"x" * 100_000
    with pytest.raises(PeerUnavailable, match="larger"):
        list(stream(client(max_response_bytes=1_000), peer(answers(endless))))


def test_an_answer_that_breaks_off_is_told_after_what_came(peer, client):
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"
    pieces = stream(client(), peer(answers(half)))
    assert next(pieces) == b"half"
    with pytest.raises(PeerUnavailable):
        next(pieces)


def test_the_time_is_a_total(peer, client):
    def hang(peer, sock, number):
        peer.read(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        peer.read(sock)

    pieces = stream(client(), peer(hang), timeout=0.3)
    assert next(pieces) == b"half"
    with pytest.raises(PeerUnavailable, match=r"timed out|deadline"):
        next(pieces)


def test_an_idle_connection_that_died_is_replaced(peer, client):
    def behave(peer, sock, number):
        if number == 1:
            peer.read(sock)
            sock.sendall(CHUNKED)
            peer.read(sock)
            reset(sock)
        else:
            always(peer, sock, number)

    out, there = client(), peer(behave)
    assert b"".join(stream(out, there)) == b"ok!"
    assert b"".join(stream(out, there)) == b"ok"


def test_only_allowed_hosts_are_asked(peer, client):
    with pytest.raises(ConfigurationError):
        list(client(allowed_hosts=["other"]).stream(peer(always).url, "the peer"))


def test_status_and_headers_are_told_once_before_the_first_piece(peer, client):
    partial = b"HTTP/1.1 206 Partial\r\nContent-Range: bytes 2-3/4\r\nContent-Length: 2\r\n\r\nok"
    there = peer(answers(b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + partial))
    told = []
    pieces = stream(client(), there, headed=lambda *head: told.append(head))
    assert told == []
    assert list(pieces) == [b"ok"]
    assert told == [(206, {"content-range": "bytes 2-3/4", "content-length": "2"})]


def test_a_head_that_the_caller_does_not_want_ends_the_answer(peer, client):
    there = peer(answers(CHUNKED, CHUNKED))
    out = client()

    def headed(status, headers):
        raise ConfigurationError("not this one", found=str(status))

    with pytest.raises(ConfigurationError, match="not this one"):
        list(stream(out, there, headed=headed))
    assert b"".join(stream(out, there)) == b"ok!"


def test_a_refusal_has_no_head_for_the_caller(peer, client):
    told = []
    refusal = b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"
    with pytest.raises(PeerRefused):
        list(stream(client(), peer(answers(refusal)), headed=lambda *head: told.append(head)))
    assert told == []
