"""What came back is read as a client would read it."""

from __future__ import annotations

import pytest

from tests.attack.rows import NAMED, ROWS
from tests.attack.wire import outcome, request

HEAD = b"HTTP/1.1 500 X\r\n\r\n"
FAULT = HEAD + b"<s:Envelope><s:Body><s:Fault>%s</s:Fault></s:Body></s:Envelope>"


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        (b"", "closed"),
        (b"HTTP/1.1 431 Refused\r\n\r\ntoo many", "431"),
        (b"HTTP/1.1 200 OK\r\n\r\n<s:Envelope/>", "result"),
        (b"HTTP/1.1 200 OK\r\n\r\n<definitions/>", "200"),
        (FAULT % b"<faultcode>w:FailedCheck</faultcode>", "FailedCheck"),
        (
            FAULT % b"<faultcode>s:Client</faultcode><Code>validation</Code><Code>required</Code>",
            "validation",
        ),
        (
            FAULT % b"<s:Value>s:Sender</s:Value><s:Value>w:InvalidSecurity</s:Value>",
            "InvalidSecurity",
        ),
        (FAULT % b"<faultcode>s:Server</faultcode><Code>internal</Code>", "internal"),
    ],
)
def test_an_answer_has_a_name(answer, named):
    assert outcome(answer) == named


def test_a_defect_is_never_what_an_attack_expects():
    assert "internal" not in NAMED
    for row in ROWS:
        for shot in row.shots:
            assert "internal" not in shot.expect | (shot.stranger or frozenset())


def test_a_header_given_takes_the_place_of_ours():
    sent = request(b"<a/>", "Host: evil.example", "transfer-encoding: chunked").lower()
    assert sent.count(b"host:") == 1
    assert b"content-length" not in sent
    assert sent.endswith(b"\r\n\r\n<a/>")
