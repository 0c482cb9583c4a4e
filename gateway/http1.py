"""HTTP/1.1 as bytes, for the client's side: a request to be sent, an answer to be read. Pure.

The answer is parsed by llhttp (httptools), strictly but for what RFC 9112 lets a client forgive.
What is added are the bounds it does not have, and where an answer ends: its parser knows neither
HEAD nor the end of a connection.
"""

from __future__ import annotations

import re
from http.client import HTTPException
from typing import TYPE_CHECKING, Final, NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from gateway import limits

if TYPE_CHECKING:
    from collections.abc import Mapping

AGENT: Final = "appeals-gateway"
_START: Final = re.compile(r"[A-Z]+ [\x21-\x7e]+ HTTP/1\.1").fullmatch
_LINE: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+: [\t\x20-\x7e\x80-\xff]*").fullmatch
"""A header that means the same to everybody: a line end in it would begin another one."""
_BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_FRAMING: Final = 8
"""Bytes of framing allowed for a byte of body: a chunk of one byte costs six."""


class Response(NamedTuple):
    """A complete answer: status, headers with lower-cased names, and the body as it stood."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def head(method: str, path: str, authority: str, headers: Mapping[str, str], length: int) -> bytes:
    """Return a request's head; ValueError when a part of it cannot stand in one.

    path: as in the request line. authority: the Host. length: of the body, bytes. Headers that are
    given take the place of our own.
    """
    lines = [f"{method} {path} HTTP/1.1"]
    given = {name.lower() for name in headers}
    if "host" not in given:
        lines.append(f"Host: {authority}")
    if "accept-encoding" not in given:
        lines.append("Accept-Encoding: identity")
    if "user-agent" not in given:
        lines.append(f"User-Agent: {AGENT}")
    if length or method not in _BODILESS:
        lines.append(f"Content-Length: {length}")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if not _START(lines[0]) or not all(map(_LINE, lines[1:])):
        raise ValueError("a character that a request's head must not hold")
    if not given.isdisjoint({"content-length", "transfer-encoding"}):
        raise ValueError("the length is not the caller's to say")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Answer:
    """Takes an answer as it comes; `whole` when all of it is here.

    method: of the request. limit: bytes of body at most. lasts: whether the connection may be used
    again afterwards.
    """

    def __init__(self, method: str, limit: int) -> None:
        self._parser = HttpResponseParser(self)
        # a line that ends without CR (§2.2); a length beside chunks (§6.3: not kept open then)
        self._parser.set_dangerous_leniencies(
            lenient_optional_cr_before_lf=True, lenient_chunked_length=True
        )
        self._method = method
        self.limit = limit
        self._headers: dict[str, str] = {}
        self._parts: list[bytes] = []
        self._size = 0
        self._got = 0
        self._headed = False
        self.status = 0
        self.whole = False
        self.lasts = False

    def feed(self, data: bytes) -> None:
        """Take what came, b"" at the end of the connection; HTTPException for no sound answer."""
        if not data:
            self._end()
            return
        self._got += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as error:
            raise HTTPException("the answer changes the protocol") from error
        except HttpParserError as error:
            if not self.whole:
                raise HTTPException(f"not an answer: {error.__context__ or error}") from error
            self.lasts = False  # something follows that nobody asked for
        if not self.whole and self._got - self._size > limits.HEADER_BYTES + _FRAMING * self._size:
            raise HTTPException("the answer has endless headers")

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers with lower-cased names, once `status` is there."""
        return self._headers

    def pieces(self) -> list[bytes]:
        """Return the body that came since the last call, and keep it no longer."""
        parts, self._parts = self._parts, []
        return parts

    def response(self) -> Response:
        """Return the answer that is whole."""
        return Response(self.status, self._headers, b"".join(self._parts))

    def on_message_begin(self) -> None:
        """Begin an answer; one that follows a whole one belongs to no request of ours."""
        if self.whole:
            self.lasts = False
            raise HTTPException("two answers")
        self._headers, self._headed = {}, False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; one that comes twice is joined by a comma, as RFC 9110 §5.3 has it."""
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        if self._headed:  # a trailer
            return
        known = self._headers
        known[key] = f"{known[key]}, {text}" if key in known else text
        if len(known) > limits.HEADER_COUNT:
            raise HTTPException("too many headers")

    def on_headers_complete(self) -> None:
        """Take the status; an answer to HEAD ends here."""
        self._headed = True
        self.status = self._parser.get_status_code()
        if self._method == "HEAD" and self.status >= 200:
            self._done()

    def on_body(self, data: bytes) -> None:
        """Take a piece of the body."""
        self._size += len(data)
        if self._size > self.limit:
            raise HTTPException(f"the answer is larger than {self.limit} bytes")
        self._parts.append(data)

    def on_message_complete(self) -> None:
        """End the answer; one below 200 only announces it."""
        if self.status >= 200 and not self.whole:
            self._done()

    def _done(self) -> None:
        self.whole = True
        two = "content-length" in self._headers and "transfer-encoding" in self._headers
        self.lasts = not two and self._parser.should_keep_alive()

    def _end(self) -> None:
        """Only an answer that says nothing of its length ends with the connection."""
        coding = self._headers.get("transfer-encoding", "")
        measured = "content-length" in self._headers or "chunked" in coding.lower()
        if not self._headed or self.status < 200 or measured:
            raise HTTPException("the connection ended before the answer did")
        self.whole = True
