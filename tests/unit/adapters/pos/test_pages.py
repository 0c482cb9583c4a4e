"""Pages that no honest platform gives: what is not kept, and what is not told of them."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from adapters.pos.adapter import Pos
from adapters.pos.client import CURSOR_CHARS, PAGE_ITEMS
from gateway.errors import PeerUnavailable
from gateway.outbound import Outbound


@pytest.fixture
def asked():
    """Return what is made of one page."""
    closing = []

    def of(body):
        class Answers(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = HTTPServer(("127.0.0.1", 0), Answers)
        thread = Thread(target=server.handle_request)
        thread.start()
        out = Outbound(allowed_hosts=["127.0.0.1"], allow_private=["127.0.0.1"], timeout=5.0)
        closing.append((server, thread, out))
        base = f"http://127.0.0.1:{server.server_address[1]}"
        return Pos({}, base=base, outbound=out).receive("before")

    yield of
    for server, thread, out in closing:
        out.close()
        thread.join()
        server.server_close()


def page(items=({},), cursor="next"):
    return json.dumps({"items": list(items), "cursor": cursor, "more": True}).encode()


def test_a_page_is_taken_as_far_as_it_can_be_stored(asked):
    assert len(asked(page([{}] * PAGE_ITEMS)).messages) == PAGE_ITEMS


def test_a_page_of_more_items_than_can_be_stored_at_once_is_not_taken(asked):
    with pytest.raises(PeerUnavailable, match="too large"):
        asked(page([{}] * (PAGE_ITEMS + 1)))


@pytest.mark.parametrize("cursor", ["\0", "a\nb", "c" * (CURSOR_CHARS + 1), "\u2028"])
def test_a_cursor_that_cannot_be_kept_is_told_and_not_kept(asked, cursor):
    with pytest.raises(PeerUnavailable, match="cursor"):
        asked(page(cursor=cursor))


def test_what_stood_in_a_page_that_cannot_be_read_is_not_told(asked):
    with pytest.raises(PeerUnavailable) as caught:
        asked(b'{"items": [{"author": "Testov Test"}')
    assert "Testov" not in str(caught.value)


def test_a_cursor_that_does_not_move_asks_for_no_more(asked):
    assert asked(page(cursor="before")).more is False
