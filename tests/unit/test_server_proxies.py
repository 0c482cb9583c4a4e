"""Who calls and how: by the connection alone, unless the operator named a proxy."""

from __future__ import annotations

import json

from tests.unit.server_kit import Stand, ask, get, post, read_answer


def caller(stand, *headers):
    """Who called, and how, as the application sees it."""
    status, _, body = ask(stand, get("/", *headers))
    seen = json.loads(body)
    assert status == 200
    return seen["client"], seen["scheme"]


NAMED = ("X-Forwarded-For: 203.0.113.9, 192.0.2.7", "X-Forwarded-Proto: https")


def test_nobody_may_name_the_caller_unless_the_operator_named_him():
    stand = Stand()
    try:
        assert caller(stand) == ("127.0.0.1", "http")
        for headers in (
            NAMED,
            ("Forwarded: for=192.0.2.7;proto=https",),
            ("X-Real-IP: 192.0.2.7",),
        ):
            assert caller(stand, *headers) == ("unknown", "http"), "and it is this machine no more"
    finally:
        stand.stop()


def test_a_proxy_elsewhere_is_not_believed_because_another_one_is():
    stand = Stand(proxies=[["192.0.2.1"]])
    try:
        assert caller(stand) == ("127.0.0.1", "http")
        assert caller(stand, *NAMED) == ("unknown", "http")
    finally:
        stand.stop()


def test_the_proxy_that_was_named_says_who_calls_and_how_for_each_call():
    stand = Stand(proxies=[["127.0.0.0/8"]])
    try:
        assert caller(stand, *NAMED) == ("192.0.2.7", "https")
        assert caller(stand, "X-Forwarded-For: 192.0.2.7") == ("192.0.2.7", "http")
        assert caller(stand, "X-Forwarded-Proto: https") == ("unknown", "https")
        assert caller(stand, "Forwarded: for=192.0.2.7;proto=https")[0] == "unknown"
        assert caller(stand) == ("127.0.0.1", "http")
        with stand.connect() as connection:
            for address in ("192.0.2.7", "192.0.2.8"):
                connection.sendall(get("/", f"X-Forwarded-For: {address}"))
                assert json.loads(read_answer(connection)[2])["client"] == address
    finally:
        stand.stop()


def test_the_standard_header_is_believed_where_the_proxy_writes_it():
    stand = Stand(proxies=[["127.0.0.1"], "forwarded"])
    try:
        assert caller(stand, 'Forwarded: for="[2001:db8::7]:9";proto=https', *NAMED) == (
            "2001:db8::7",
            "https",
        )
    finally:
        stand.stop()


def test_calls_through_a_proxy_are_counted_by_their_caller_and_not_by_its_connections():
    stand = Stand(proxies=[["127.0.0.1"]], protocol={"per_address": 2})
    try:
        held = [stand.connect() for _ in range(5)]
        for number, connection in enumerate(held):
            connection.sendall(get("/slow", f"X-Forwarded-For: 192.0.2.{number % 2}"))
        with stand.connect() as connection:
            connection.sendall(post(5, "/", "X-Forwarded-For: 192.0.2.0") + b"hello")
            assert read_answer(connection)[0] == 503
            statuses = [read_answer(one)[0] for one in held]
            assert sorted(statuses) == [200, 200, 200, 200, 503], "of three calls one is too many"
            connection.sendall(get("/", "X-Forwarded-For: 192.0.2.0"))
            assert read_answer(connection)[0] == 200, "room comes back, on the same connection"
        for connection in held:
            connection.close()
    finally:
        stand.stop()
