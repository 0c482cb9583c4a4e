"""Bodies that are never finished: their sender is told to come again, and others are answered."""

from __future__ import annotations

import contextlib
import socket

import pytest

from gateway import limits

SIZE = 11 * limits.MB


@pytest.mark.parametrize("path", ["/soap/appeals.svc", "/api/v1/appeals"])
def test_unfinished_bodies_of_one_peer_leave_room_for_the_others(house, path):
    kind = "text/xml" if path.startswith("/soap") else "application/json"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: gateway\r\nX-API-Key: {house.keys['other']}\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {SIZE + 1}\r\n\r\n"
    ).encode()
    with contextlib.ExitStack() as stack:
        begun = []
        for _ in range(limits.BODIES_BYTES_OF_PEER // SIZE + 1):
            made = socket.create_connection((house.host, house.port), timeout=30)
            begun.append(stack.enter_context(made))
            made.sendall(head)
            with contextlib.suppress(ConnectionError):
                made.sendall(b" " * SIZE)
        refused = begun[-1].recv(4096)
        assert refused.split(b" ", 2)[1] == (b"500" if kind == "text/xml" else b"503")
        assert b"retry-after:" in refused.lower()
        assert house.submit("soap11", path).status == 200
