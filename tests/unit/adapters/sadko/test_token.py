"""Answers to the question for a token that no honest site gives."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from adapters.regional.sadko.client import TOKEN_CHARS, Credential, Site
from gateway.errors import PeerUnavailable
from gateway.outbound import Outbound, Response

SECRET = "very-secret"


@pytest.fixture
def asked():
    """Ask for the inbox of a site that gives this token; return how often the token was asked."""
    closing = []

    def of(body, times):
        told = []

        class Answers(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers["content-length"]))
                told.append(self.path)
                self.answer(body)

            def do_GET(self):
                self.answer(b"[]")

            def answer(self, what):
                self.send_response(200)
                self.send_header("Content-Length", str(len(what)))
                self.end_headers()
                self.wfile.write(what)

            def log_message(self, *_):
                pass

        server = HTTPServer(("127.0.0.1", 0), Answers)
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        out = Outbound(allowed_hosts=["127.0.0.1"], allow_private=["127.0.0.1"], timeout=5.0)
        closing.append((server, thread, out))
        base = f"http://127.0.0.1:{server.server_address[1]}"
        site = Site(out, base, Credential("me", SECRET.encode))
        for _ in range(times):
            site.inbox(site.deadline())
        return len(told)

    yield of
    for server, thread, out in closing:
        out.close()
        server.shutdown()
        thread.join()
        server.server_close()


def granted(token="t", lasts="60"):
    return b'{"access_token": %b, "expires_in": %b}' % (json.dumps(token).encode(), lasts.encode())


@pytest.mark.parametrize("lasts", ["1" + "0" * 400, "null", "[]", '"soon"'])
def test_a_token_that_lasts_no_time_that_can_be_told_is_none(asked, lasts):
    with pytest.raises(PeerUnavailable, match="something else than a token") as caught:
        asked(granted(lasts=lasts), 1)
    assert SECRET not in repr(caught.value.__dict__)


@pytest.mark.parametrize("token", ["a\r\nX-Other: 1", "т", "t" * (TOKEN_CHARS + 1), 7, None])
def test_a_token_that_no_header_can_carry_is_none(asked, token):
    with pytest.raises(PeerUnavailable, match="something else than a token"):
        asked(granted(token), 1)


@pytest.mark.parametrize("lasts", ["-5", "0", "1e308", "3600"])
def test_a_token_is_shown_again_for_a_moment_however_short_it_lasts(asked, lasts):
    assert asked(granted(lasts=lasts), 2) == 1


class Refuses:
    """An `Outbound` to a site that shows in its error what it was asked."""

    timeout = 1.0

    def __init__(self, status):
        self._status = status

    def request(self, _method, _url, *, body=b"", **_more):
        return Response(self._status, {}, b'{"error": "invalid_client"} You sent: ' + body)


@pytest.mark.parametrize("status", [400, 401, 500, 503])
def test_a_site_that_shows_the_call_which_it_refuses_puts_no_secret_into_the_error(status):
    site = Site(Refuses(status), "http://site", Credential("me", SECRET.encode))

    with pytest.raises(PeerUnavailable) as caught:
        site.inbox(site.deadline())

    assert SECRET not in str(caught.value)
    assert caught.value.found == f"{status} invalid_client"
