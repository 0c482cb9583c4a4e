"""Packages that are refused: by name, before their files are taken, and nothing of them is left."""

from __future__ import annotations

import contextlib
import http.client
import socket

import pytest

from gateway import limits
from tests.integration.house import PEER, eventually
from tests.integration.http.mtom_kit import (
    INCLUDE,
    LARGE,
    SMALL,
    attach,
    blobs,
    envelope,
    package,
    places,
    send,
    text,
)


@pytest.fixture(scope="module")
def owner(house):
    house.submit("soap11", "mtom-owner")
    return "mtom-owner"


CONTENT = "/AttachFile/Content"
QUOTED = ["Content-ID: a", "Content-Transfer-Encoding: quoted-printable"]


@pytest.mark.parametrize(
    ("content", "parts", "place"),
    [
        (INCLUDE.format("gone"), [], (CONTENT, "cid")),
        (INCLUDE.format("gone"), [("a", b"x")], ("part 2", "cid")),
        ("QQ==", [("a", b"x")], ("part 2", "cid")),
        (INCLUDE.format("a"), [("a", b"x"), ("a", b"y")], ("part 3", "cid")),
        (INCLUDE.format("a"), [(["X: y"], b"x")], ("part 2", "cid")),
        (INCLUDE.format("a").replace("cid:a", "http://a/b"), [], (CONTENT, "cid")),
        (INCLUDE.format("a").replace("cid:a", "file:///etc/passwd"), [], (CONTENT, "cid")),
        ("QQ==" + INCLUDE.format("a"), [("a", b"x")], (CONTENT, "include")),
        (INCLUDE.format("a") + INCLUDE.format("b"), [], (CONTENT, "include")),
        (INCLUDE.format("a"), [(QUOTED, b"")], ("part 2", "unsupported")),
    ],
)  # fmt: skip
def test_parts_and_pointers_belong_to_each_other_one_to_one(house, owner, content, parts, place):
    before = blobs(house)
    answer = send(house, package(envelope(attach(owner, "never", content)), *parts))
    assert place in places(answer)
    assert answer.headers["content-type"].startswith("multipart/related")
    assert blobs(house) == before
    assert house.messages("never", "id") == []


def test_a_pointer_where_the_contract_has_no_file_is_refused(house):
    inner = f"<GetAppeal><Key><ExternalId>{INCLUDE.format('a')}</ExternalId></Key></GetAppeal>"
    answer = send(house, package(envelope(inner), ("a", b"owner")))
    assert places(answer) == [("/GetAppeal/Key/ExternalId", "include")]


def test_a_package_without_its_end_or_with_more_than_that_is_refused(house, owner):
    content_type, body = package(envelope(attach(owner, "cut", INCLUDE.format("a"))), ("a", LARGE))
    for made in (body[:-9], body + b"more", body + body):
        assert "malformed" in places(send(house, (content_type, made)))[0][1]
    assert house.messages("cut", "id") == []


def test_the_body_is_checked_before_the_first_file_is_taken(house):
    root = envelope("<AttachFile><Surprise/></AttachFile>")
    before = blobs(house)
    content_type, body = package(root, ("a", LARGE))
    assert places(send(house, (content_type, body)))
    assert blobs(house) == before


def test_a_stranger_is_turned_away_before_the_first_file_is_taken(house, owner):
    content_type, body = package(envelope(attach(owner, "who", INCLUDE.format("a"))), ("a", LARGE))
    before = blobs(house)
    answer = send(house, (content_type, body), peer="")
    assert answer.status == 401
    assert blobs(house) == before


def test_what_a_package_may_have_in_all_is_a_setting(make_house):
    house = make_house(GATEWAY_PACKAGE_BYTES="100000")
    house.submit("soap11", "setting")
    for size, status in ((90_000, 200), (100_000, 500)):
        inner = attach("setting", f"k-{size}", INCLUDE.format("a"))
        answer = send(house, package(envelope(inner), ("a", bytes(size))))
        assert answer.status == status
    assert b"too_large" in answer.body


def test_a_refusal_reaches_a_client_that_sends_all_before_it_reads(house, owner):
    """Java and .NET do; what they go on sending is passed over."""
    content_type, body = package(envelope(attach(owner, "deaf", "QQ==")), ("a", b"\0HERE\0"))
    before, after = body.split(b"\0HERE\0")
    block = bytes(limits.MB)
    connection = http.client.HTTPConnection(house.host, house.port, timeout=60)
    with contextlib.closing(connection):
        headers = {
            "Content-Type": content_type,
            "X-API-Key": house.keys[PEER],
            "Content-Length": str(len(before) + 60 * len(block) + len(after)),
        }
        connection.request(
            "POST", "/soap/appeals.svc", iter([before, *[block] * 60, after]), headers
        )
        answer = connection.getresponse()
        assert answer.status == 500
        assert b"no element of the message points to a part" in answer.read()
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200


def test_what_a_client_left_behind_that_went_away_is_nothing(house, owner):
    content_type, body = package(
        envelope(attach(owner, "left", INCLUDE.format("a"))), ("a", LARGE * 4)
    )
    before = sorted(blobs(house))
    head = (
        f"POST /soap/appeals.svc HTTP/1.1\r\nHost: x\r\nX-API-Key: {house.keys[PEER]}\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    with socket.create_connection((house.host, house.port)) as connection:
        connection.sendall(head + body[: len(body) // 2])
    eventually(lambda: house.soap("<Ping/>").status == 200 and sorted(blobs(house)) == before)
    assert house.messages("left", "id") == []


def test_one_peer_can_not_take_every_place_for_packages(house, owner):
    content_type, body = package(envelope(attach(owner, "slow", INCLUDE.format("a"))), ("a", LARGE))
    head = (
        f"POST /soap/appeals.svc HTTP/1.1\r\nHost: x\r\nX-API-Key: {house.keys['other']}\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    with contextlib.ExitStack() as stack:
        for _ in range(limits.PACKAGES_OF_PEER):
            made = stack.enter_context(socket.create_connection((house.host, house.port)))
            made.sendall(head + body[:-100])
        busy = eventually(
            lambda: next(
                (
                    answer
                    for answer in [send(house, (content_type, body), peer="other")]
                    if text(answer, "RetryAfterSeconds")
                ),
                None,
            )
        )
        assert busy.headers["retry-after"]
        mine = package(envelope(attach(owner, "quick", INCLUDE.format("a"))), ("a", SMALL))
        assert send(house, mine).status == 200
