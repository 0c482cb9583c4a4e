"""What a connection may send and how long it may take, tried with real sockets on a real server."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import subprocess
import time

import pytest

from gateway import limits
from tests.unit.server_kit import Stand, ask, get, post, read_all, read_answer


@pytest.fixture(scope="module")
def stand():
    made = Stand(protocol={"header_seconds": 0.6, "body_seconds": 0.8, "body_floor": 1000})
    yield made
    made.stop()


def test_a_request_is_answered_and_the_next_one_on_the_same_connection(stand):
    with stand.connect() as connection:
        for path in ("/a", "/b"):
            connection.sendall(get(path))
            status, _, body = read_answer(connection)
            assert (status, json.loads(body)["path"]) == (200, path)


def test_headers_over_64_kb_are_refused_in_one_piece_and_in_many(stand):
    long = get("/", "X-Long: " + "a" * (limits.HEADER_BYTES + 10))
    many = get("/", *(f"X-{n}: " + "a" * 900 for n in range(90)))
    for data in (long, many):
        assert ask(stand, data)[0] == 431
        with stand.connect() as connection:
            for start in range(0, len(data), 1000):
                try:
                    connection.sendall(data[start : start + 1000])
                except OSError:
                    break
            assert read_all(connection).startswith(b"HTTP/1.1 431 ")


def test_a_header_that_never_ends_is_refused_while_it_comes(stand):
    with stand.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX-Long: ")
        with contextlib.suppress(OSError):
            for _ in range(100):
                connection.sendall(b"a" * 1024)
        assert read_all(connection).startswith(b"HTTP/1.1 431 ")


def test_headers_just_under_the_bound_pass(stand):
    data = get("/", "X-Long: " + "a" * (limits.HEADER_BYTES - 200))
    assert ask(stand, data)[0] == 200


def test_a_hundred_headers_pass_and_one_more_does_not(stand):
    assert ask(stand, get("/", *(f"X-{n}: 1" for n in range(99))))[0] == 200
    assert ask(stand, get("/", *(f"X-{n}: 1" for n in range(100))))[0] == 431


def test_a_second_request_with_too_many_headers_gets_its_answer_too(stand):
    with stand.connect() as connection:
        connection.sendall(get())
        assert read_answer(connection)[0] == 200
        connection.sendall(get("/", *(f"X-{n}: 1" for n in range(200))))
        assert read_answer(connection)[0] == 431


def test_a_large_body_does_not_count_as_headers(stand):
    size = 5 * limits.MB
    with stand.connect() as connection:
        for _ in range(2):
            connection.sendall(post(size) + b"x" * size)
            status, _, body = read_answer(connection)
            assert (status, json.loads(body)["size"]) == (200, size)


def test_a_request_behind_a_large_body_in_the_same_piece_is_answered(stand):
    size = 200_000
    with stand.connect() as connection:
        connection.sendall(post(size) + b"x" * size + get("/next")[:20])
        assert read_answer(connection)[0] == 200
        connection.sendall(get("/next")[20:])
        assert json.loads(read_answer(connection)[2])["path"] == "/next"


def test_slow_headers_are_ended(stand):
    with stand.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: gate")
        assert read_all(connection).startswith(b"HTTP/1.1 408 ")


def test_slow_headers_of_a_second_request_are_ended_with_an_answer(stand):
    with stand.connect() as connection:
        connection.sendall(get())
        read_answer(connection)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: gate")
        assert read_all(connection).startswith(b"HTTP/1.1 408 ")


def test_a_header_that_drips_is_not_waited_for_longer(stand):
    with stand.connect() as connection, contextlib.suppress(OSError):
        connection.settimeout(0.1)
        for byte in b"GET / HTTP/1.1\r\nX-Slow: " + b"a" * 100:
            connection.sendall(bytes([byte]))
            with contextlib.suppress(TimeoutError):
                assert connection.recv(100).startswith(b"HTTP/1.1 408 ")
                return
        pytest.fail("a drip was waited for")


def test_a_connection_that_says_nothing_is_closed_without_a_word(stand):
    with stand.connect() as connection:
        assert read_all(connection) == b""


@pytest.mark.parametrize("before", [b"", get()])
def test_blank_lines_do_not_hold_a_connection(stand, before):
    with stand.connect() as connection:
        if before:
            connection.sendall(before)
            read_answer(connection)
        connection.sendall(b"\r\n")
        assert read_all(connection) == b""


def test_a_body_that_stands_still_is_ended(stand):
    with stand.connect() as connection:
        connection.sendall(post(100) + b"x" * 10)
        assert read_all(connection).startswith(b"HTTP/1.1 408 ")
    assert stand.said() == "gone"


def test_a_large_body_on_a_slow_line_is_waited_for_while_it_moves(stand):
    with stand.connect() as connection:
        connection.sendall(post(8000))
        for _ in range(8):
            time.sleep(0.25)
            connection.sendall(b"x" * 1000)
        status, _, body = read_answer(connection)
    assert (status, json.loads(body)["size"]) == (200, 8000)


def test_an_answer_that_takes_longer_than_the_clocks_is_given(stand):
    with stand.connect() as connection:
        connection.sendall(get("/slow"))
        assert read_answer(connection)[0] == 200


def test_a_client_that_goes_away_within_its_body_is_noticed(stand):
    with stand.connect() as connection:
        connection.sendall(post(100) + b"x" * 10)
    assert stand.said() == "gone"


def test_a_whole_request_is_carried_out_though_its_client_left(stand):
    with stand.connect() as connection:
        connection.sendall(post(5, "/late") + b"hello")
    assert stand.said() == "late 5"


def test_chunked_bodies_are_read_and_their_trailers_dropped(stand):
    head = b"POST / HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
    with stand.connect() as connection:
        connection.sendall(head + b"5\r\nhello\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n" + get("/next"))
        first = json.loads(read_answer(connection)[2])
        assert first["size"] == 8
        assert "x-sum" not in first["names"]
        assert json.loads(read_answer(connection)[2])["path"] == "/next"


def test_trailers_and_chunk_extensions_without_end_are_refused(stand):
    head = b"POST / HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n"
    for flood in (b"0\r\nX-T: " + b"a" * 200_000, b"5;" + b"e" * 200_000):
        with stand.connect() as connection:
            with contextlib.suppress(OSError):
                connection.sendall(head)
                for start in range(0, len(flood), 4096):
                    connection.sendall(flood[start : start + 4096])
            assert read_all(connection).startswith(b"HTTP/1.1 4")
        assert stand.said() == "gone"


def test_expect_100_continue_is_answered_before_the_body(stand):
    with stand.connect() as connection:
        connection.sendall(post(5, "/", "Expect: 100-continue"))
        assert read_answer(connection)[0] == 100
        connection.sendall(b"hello")
        assert json.loads(read_answer(connection)[2])["size"] == 5
        connection.sendall(get("/next"))
        assert read_answer(connection)[0] == 200


def test_a_refusal_of_expect_100_continue_closes_so_that_no_request_is_read_as_a_body(stand):
    with stand.connect() as connection:
        connection.sendall(post(5, "/refuse", "Expect: 100-continue"))
        status, headers, _ = read_answer(connection)
        assert (status, headers["connection"]) == (401, "close")
        assert read_all(connection) == b""


def test_pipelined_requests_are_answered_in_order(stand):
    with stand.connect() as connection:
        connection.sendall(get("/slow") + get("/2") + post(3, "/3") + b"abc")
        paths = [json.loads(read_answer(connection)[2])["path"] for _ in range(3)]
    assert paths == ["/slow", "/2", "/3"]


def test_thousands_of_requests_sent_ahead_are_not_kept(stand):
    with stand.connect() as connection, contextlib.suppress(ConnectionError):
        connection.sendall(get("/slow") + get("/") * 20_000)
        assert read_all(connection).count(b"HTTP/1.1 200") <= limits.REQUESTS_AHEAD + 1
    assert ask(stand, get("/after"))[0] == 200


def test_a_refusal_is_read_whole_though_another_request_stands_behind_it(stand):
    long = get("/", "X-Long: " + "a" * (limits.HEADER_BYTES + 10))
    with stand.connect() as connection:
        connection.sendall(long + get("/next") * 50)
        status, named, _ = read_answer(connection)
        assert (status, named["connection"]) == (431, "close")
        assert read_all(connection) == b""


def test_sixteen_requests_sent_ahead_are_answered(stand):
    with stand.connect() as connection:
        connection.sendall(get("/slow") + get("/") * limits.REQUESTS_AHEAD)
        answers = [read_answer(connection)[0] for _ in range(limits.REQUESTS_AHEAD + 1)]
    assert answers == [200] * (limits.REQUESTS_AHEAD + 1)


def test_a_transfer_coding_that_is_not_read_is_refused(stand):
    head = post(0).replace(b"Content-Length: 0", b"Transfer-Encoding: gzip, chunked")
    assert ask(stand, head + b"0\r\n\r\n")[0] == 501


def test_a_refusal_is_not_written_into_another_answer(stand):
    with stand.connect() as connection:
        connection.sendall(get("/slow") + get("/", *(f"X-{n}: 1" for n in range(200))))
        assert read_all(connection).count(b"HTTP/1.1") <= 1


def test_what_is_not_http_is_answered_with_400(stand):
    assert ask(stand, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n")[0] == 400
    assert ask(stand, b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")[0] == 400


def test_a_second_host_is_refused_whether_it_says_the_same_or_not(stand):
    for second in (b"host: gateway", b"HOST: elsewhere", b"Host:"):
        request = b"GET / HTTP/1.1\r\nHost: gateway\r\n" + second + b"\r\n\r\n"
        status, _, body = ask(stand, request)
        assert (status, b"Host" in body) == (400, True)
    with stand.connect() as connection:
        for path in ("/a", "/b"):
            connection.sendall(get(path))
            assert read_answer(connection)[0] == 200


def test_an_offer_of_http2_is_passed_over(stand):
    offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
    with stand.connect() as connection:
        connection.sendall(post(5, "/", *offer) + b"hello")
        assert json.loads(read_answer(connection)[2])["size"] == 5
        connection.sendall(get("/next"))
        assert json.loads(read_answer(connection)[2])["path"] == "/next"


def test_a_call_to_pass_on_is_refused_with_an_answer(stand):
    status, named, body = ask(stand, b"CONNECT other:443 HTTP/1.1\r\nHost: other:443\r\n\r\n")
    assert (status, named["connection"], body) == (405, "close", b"this is not a proxy")


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "tls"])
def test_a_client_that_never_reads_its_answer_is_let_go(tmp_path, encrypted):
    """Its connection was held for ever, with the whole answer in memory."""
    options, context = {}, None
    if encrypted:
        made, key = certificate(tmp_path, "server", "localhost")
        options["tls"] = [str(made), str(key), ""]
        context = ssl.create_default_context(cafile=made)
    stand = Stand(protocol={"per_address": 1, "write_seconds": 0.5}, **options)

    def connected(buffer=65_536):
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        plain.settimeout(20)
        plain.connect(("127.0.0.1", stand.port))
        return context.wrap_socket(plain, server_hostname="localhost") if context else plain

    try:
        with connected(buffer=4096) as idle:
            idle.sendall(get("/large"))
            status = 503
            for _ in range(100):
                with connected() as other:
                    other.sendall(get())
                    status = read_answer(other)[0]
                if status == 200:
                    break
                time.sleep(0.1)
            assert status == 200
    finally:
        stand.stop()


def test_a_client_that_reads_slowly_gets_the_whole_answer():
    stand = Stand(protocol={"write_seconds": 0.4, "body_floor": 1000})
    try:
        with stand.connect() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
            connection.sendall(get("/large", "Connection: close"))
            size = 0
            while piece := connection.recv(500_000):
                size += len(piece)
                time.sleep(0.01)
        assert size > 16_000_000
    finally:
        stand.stop()


def test_too_many_connections_of_one_address_are_refused_and_room_comes_back():
    stand = Stand(protocol={"per_address": 3, "header_seconds": 30})
    try:
        held = [stand.connect() for _ in range(3)]
        for connection in held:
            connection.sendall(get())
            assert read_answer(connection)[0] == 200
        assert ask(stand, get())[0] == 503
        for connection in held:
            connection.close()
        status = 503
        for _ in range(50):
            status = ask(stand, get())[0]
            if status == 200:
                break
            time.sleep(0.1)
        assert status == 200
    finally:
        stand.stop()


def certificate(folder, name, subject):
    key, made = folder / f"{name}.key", folder / f"{name}.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", key, "-out", made, "-days", "2", "-subj", f"/CN={subject}",
         "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    return made, key


def test_a_client_certificate_reaches_the_scope_and_is_not_forced(tmp_path):
    server_cert, server_key = certificate(tmp_path, "server", "localhost")
    client_cert, client_key = certificate(tmp_path, "client", "region-portal")
    stand = Stand(tls=[str(server_cert), str(server_key), str(client_cert)])
    try:
        for shown in (True, False):
            context = ssl.create_default_context(cafile=server_cert)
            if shown:
                context.load_cert_chain(client_cert, client_key)
            plain = stand.connect()
            with context.wrap_socket(plain, server_hostname="localhost") as connection:
                connection.sendall(get())
                status, _, body = read_answer(connection)
            assert (status, json.loads(body)["tls"]) == (200, shown)
    finally:
        stand.stop()
