"""Requests and answers as bytes: what is taken, what is refused, where an answer ends."""

from http.client import HTTPException

import pytest

from gateway.http1 import Answer, head

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def read(*pieces, method="POST", limit=1000):
    answer = Answer(method, limit)
    for piece in pieces:
        assert not answer.whole
        answer.feed(piece)
    return answer


def test_a_request_says_where_it_goes_and_how_long_it_is():
    assert head("POST", "/in?a=1", "there:81", {"X-Key": "7"}, 5).split(b"\r\n") == [
        b"POST /in?a=1 HTTP/1.1", b"Host: there:81", b"Accept-Encoding: identity",
        b"User-Agent: appeals-gateway", b"Content-Length: 5", b"X-Key: 7", b"", b"",
    ]  # fmt: skip
    assert b"Content-Length: 0" in head("POST", "/", "there", {}, 0)
    assert b"Content-Length" not in head("GET", "/", "there", {}, 0)
    assert head("GET", "/", "there", {"user-agent": "x"}, 0).lower().count(b"user-agent") == 1


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "/", {"A": "1\r\nB: 2"}),
        ("POST", "/", {"A": "1\nB: 2"}),
        ("POST", "/", {"A\r\nB": "2"}),
        ("POST", "/", {"A b": "2"}),
        ("POST", "/", {"": "2"}),
        ("POST", "/", {"A": "\0"}),
        ("POST", "/", {"A": "нет"}),
        ("POST", "/a b", {}),
        ("POST", "/\r\nA: 1", {}),
        ("PO ST", "/", {}),
        ("POST", "/", {"content-length": "7"}),
        ("POST", "/", {"Transfer-Encoding": "chunked"}),
    ],
)
def test_nothing_splits_a_request_or_tells_another_length(method, path, headers):
    with pytest.raises(ValueError, match=r"character|length"):
        head(method, path, "there", headers, 0)


@pytest.mark.parametrize(
    ("pieces", "body", "lasts"),
    [
        ((OK,), b"ok", True),
        (tuple(OK[n : n + 1] for n in range(len(OK))), b"ok", True),
        ((b"HTTP/1.1 100 Continue\r\n\r\n" + OK,), b"ok", True),
        ((b"HTTP/1.1 100 Continue\r\n\r\n", OK), b"ok", True),
        ((CHUNKED + b"2\r\nok\r\n0\r\nA: 1\r\n\r\n",), b"ok", True),
        ((OK.replace(b"Content", b"Connection: close\r\nContent"),), b"ok", False),
        ((OK.replace(b"/1.1", b"/1.0"),), b"ok", False),
        ((b"HTTP/1.0 200 OK\r\n\r\nun", b"til the end", b""), b"until the end", False),
        ((b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok", b""), b"ok", False),
        ((b"HTTP/1.1 204 No Content\r\n\r\n",), b"", True),
        ((b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",), b"", True),
        ((OK.replace(b"\r\n", b"\n"),), b"ok", True),
        ((CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Length: 9\r\n\r\n0\r\n\r\n"),), b"", False),
        ((OK + b"what nobody asked for",), b"ok", False),
        ((OK + OK,), b"ok", False),
    ],
)
def test_an_answer_ends_where_it_says(pieces, body, lasts):
    answer = read(*pieces)
    assert answer.whole
    assert (answer.response().body, answer.lasts) == (body, lasts)


def test_an_answer_to_head_has_no_body():
    assert read(OK[:-2], method="HEAD").response().body == b""


def test_headers_are_lower_case_and_one_that_comes_twice_is_joined():
    twice = OK.replace(b"Content-", b"Set-Cookie: a\r\nSET-COOKIE: b\r\nEmpty:\r\nContent-")
    assert read(twice).response().headers == {
        "set-cookie": "a, b", "empty": "", "content-length": "2",
    }  # fmt: skip


@pytest.mark.parametrize(
    "pieces",
    [
        (b"",),
        (OK[:-1], b""),
        (OK[:9], b""),
        (CHUNKED + b"5\r\nhal", b""),
        (CHUNKED + b"zz\r\nhal",),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b""),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",),
        (b"\x00\xffgarbage\r\n\r\n",),
        (OK.replace(b"Length:", b"Length :"),),
        (OK.replace(b": 2", b": -2"),),
        (OK.replace(b"Content", b"Content-Length: 3\r\nContent"),),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + b"x" * 1001,),
        (b"HTTP/1.1 200 OK\r\nA: " + b"x" * 60_000, b"x" * 60_000),
        (b"HTTP/1.1 200 OK\r\n" + b"".join(b"A%d: x\r\n" % n for n in range(101)) + b"\r\n",),
        (CHUNKED + b"1;" + b"x" * 70_000,),
        (CHUNKED + b"1\r\nx\r\n0\r\nA: " + b"x" * 70_000,),
    ],
)
def test_anything_else_is_no_answer(pieces):
    with pytest.raises(HTTPException):
        read(*pieces)
