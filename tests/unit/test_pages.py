"""Pages that no honest system gives: what is not kept, and what is not told of them."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import msgspec
import pytest

from adapters.incident.adapter import Incident
from adapters.pos.adapter import Pos
from gateway.adapter import RemoteState, Wire
from gateway.errors import PeerDoubtful, PeerUnavailable
from gateway.outbound import Outbound
from gateway.pages import CURSOR_CHARS, LIST_SECONDS, ROWS, States, listed

PEERS = {"pos": Pos, "incident": Incident}
SENT = Wire(media_type="application/json", body=b"{}")


@pytest.fixture(params=PEERS)
def peer(request):
    """Return an adapter whose system answers each call so: status, body."""
    closing = []

    def of(body, status=200):
        class Answers(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
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
        return PEERS[request.param]({}, base=base, outbound=out)

    yield of
    for server, thread, out in closing:
        out.close()
        thread.join()
        server.server_close()


def page(items=({},), cursor="next"):
    return json.dumps({"items": list(items), "cursor": cursor, "more": True}).encode()


def test_a_page_is_taken_as_far_as_it_can_be_stored(peer):
    assert len(peer(page([{}] * ROWS)).receive("before").messages) == ROWS


def test_a_page_of_more_items_than_can_be_stored_at_once_is_not_taken(peer):
    with pytest.raises(PeerUnavailable, match="too large"):
        peer(page([{}] * (ROWS + 1))).receive("before")


@pytest.mark.parametrize("cursor", ["\0", "a\nb", "c" * (CURSOR_CHARS + 1), "\u2028"])
def test_a_cursor_that_cannot_be_kept_is_told_and_not_kept(peer, cursor):
    with pytest.raises(PeerUnavailable, match="cursor"):
        peer(page(cursor=cursor)).receive("before")


def test_what_stood_in_a_page_that_cannot_be_read_is_not_told(peer):
    with pytest.raises(PeerUnavailable) as caught:
        peer(b'{"items": [{"author": "Testov Test"}').receive("before")
    assert "Testov" not in str(caught.value)


def test_a_cursor_that_does_not_move_asks_for_no_more(peer):
    assert peer(page(cursor="before")).receive("before").more is False
    assert peer(page(cursor="next")).receive("before").more is True


def test_what_is_not_there_was_not_taken(peer):
    assert peer(b"", 404).settle(SENT, "key") is None


@pytest.mark.parametrize("status", [302, 400, 401, 403, 429, 500, 503])
def test_a_question_that_is_refused_says_nothing_of_what_was_sent(peer, status):
    with pytest.raises(PeerDoubtful, match="cannot be asked"):
        peer(b"no", status).settle(SENT, "key")


def test_an_answer_that_cannot_be_read_says_nothing_of_what_was_sent(peer):
    with pytest.raises(PeerDoubtful, match="cannot be read"):
        peer(b"<html>").settle(SENT, "key")


def states(*rows, cursor="", more=False):
    return States(states=[msgspec.Raw(row) for row in rows], cursor=cursor, more=more)


def made(raw):
    return RemoteState(key=raw.decode(), key_folded=msgspec.json.decode(raw, type=str))


def test_states_are_read_page_by_page():
    pages = {"": states(b'"a"', cursor="1", more=True), "1": states(b'"b"', cursor="2")}
    assert [row.key_folded for row in listed(pages.__getitem__, made)] == ["a", "b"]


def test_a_row_that_cannot_be_read_stands_in_nobodys_way_and_says_why():
    wrong, right = listed(lambda _: states(b"[" * 100_000, b'"a"'), made)
    assert (wrong.key_folded, right.key_folded) == ("", "a")
    assert "не читается" in wrong.exception_message
    assert len(wrong.exception_message) <= 500


def test_pages_that_never_end_are_read_for_a_time_and_no_longer():
    now = iter([0.0, 1.0, LIST_SECONDS, LIST_SECONDS + 1])
    cursors = iter("abcd")
    rows = listed(lambda _: states(b'"a"', cursor=next(cursors), more=True), made, now.__next__)
    assert [next(rows).key_folded, next(rows).key_folded] == ["a", "a"]
    with pytest.raises(PeerUnavailable, match="do not end"):
        next(rows)


def test_a_cursor_that_stands_still_ends_the_list():
    rows = listed(lambda _: states(b'"a"', cursor="same", more=True), made)
    assert len(list(rows)) == 2
