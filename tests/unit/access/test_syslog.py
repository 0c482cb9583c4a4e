"""Security events reach a syslog whole, cannot forge each other, and hold nobody up."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from datetime import UTC, datetime

import pytest

from gateway.errors import ConfigurationError
from gateway.syslog import WAITING, SecurityEvent, Syslog, cef, message
from tests.unit.access.pki import Authority

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LINE = re.compile(rb"<8[46]>1 2026-11-23T09:00:00\.000\+00:00 node gateway - (\w+) - (CEF:0\|.*)")


def event(**told):
    return SecurityEvent(**{"kind": "login_refused", "at": AT, "who": "ivan", **told})


def test_an_event_is_one_line_of_rfc_5424_with_cef_in_it():
    found = LINE.fullmatch(message(event(address="192.0.2.7", reason="login_refused"), "node"))

    assert found[1] == b"login_refused"
    assert found[2].endswith(b"|5|rt=1795424400000 suser=ivan src=192.0.2.7 reason=login_refused")


@pytest.mark.parametrize("field", ["who", "what", "reason", "path", "correlation", "address"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x00", "\x85", "\u2028", "\x0b"])
def test_what_a_stranger_sends_begins_no_line_and_no_field(field, end):
    forged = f"x{end}<84>1 - CEF:0|a|b|c|d|e|9|suser=root\\"
    line = cef(event(**{field: forged}))

    assert len(line.splitlines()) == 1
    assert len(re.split(r"(?<!\\)\|", line.partition("rt=")[0])) == 8
    assert not re.search(r"(?<!\\)suser=root", line.replace("suser=x", ""))
    assert line.isprintable()


def test_a_lone_surrogate_and_a_very_long_word_are_sent_all_the_same():
    assert len(message(event(who="\ud800" + "я" * 100_000), "имя узла")) < 5_000


def receiver(kind=socket.SOCK_DGRAM):
    made = socket.socket(socket.AF_INET, kind)
    made.bind(("127.0.0.1", 0))
    made.settimeout(10)
    return made


def sent(target, *events, **more):
    counted = []
    syslog = Syslog(target, "node", counted.append, **more)
    syslog.start()
    for told in events:
        syslog.tell(told)
    syslog.stop()
    return counted


def test_udp_carries_one_event_a_datagram():
    with receiver() as there:
        counted = sent(f"udp://127.0.0.1:{there.getsockname()[1]}", event(), event(who="anna"))
        assert LINE.fullmatch(there.recv(9000))
        assert b"suser=anna" in there.recv(9000)
    assert counted == [True, True]


def test_the_local_socket_of_the_machine_is_one_more_way(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
        there.bind(str(tmp_path / "log"))
        there.settimeout(10)
        sent(f"unix:{tmp_path / 'log'}", event())
        assert LINE.fullmatch(there.recv(9000))


def frames(stream):
    """Messages with octet counting."""
    data = b""
    while piece := stream.recv(9000):
        data += piece
    found = []
    while data:
        length, _, data = data.partition(b" ")
        found.append(data[: int(length)])
        data = data[int(length) :]
    return found


def served(listening, wrap=lambda taken: taken):
    found = []

    def serve():
        taken, _ = listening.accept()
        with wrap(taken) as stream:
            stream.settimeout(10)
            found.extend(frames(stream))

    thread = threading.Thread(target=serve)
    thread.start()
    return thread, found


def test_tcp_says_how_long_each_message_is():
    with receiver(socket.SOCK_STREAM) as there:
        there.listen()
        thread, found = served(there)
        sent(f"tcp://127.0.0.1:{there.getsockname()[1]}", event(), event(who="а\nб"))
        thread.join(10)
    assert len(found) == 2
    assert all(LINE.fullmatch(line) for line in found)


def test_a_connection_that_the_receiver_closed_is_made_again():
    with receiver(socket.SOCK_STREAM) as there:
        there.listen()
        syslog = Syslog(f"tcp://127.0.0.1:{there.getsockname()[1]}", "node")
        syslog.start()
        syslog.tell(event())
        first, _ = there.accept()
        first.settimeout(10)
        assert first.recv(9000)
        first.close()
        thread, found = served(there)
        syslog.tell(event(who="anna"))
        syslog.stop()
        thread.join(10)
    assert b"suser=anna" in found[0]


def test_tls_checks_the_certificate_of_the_receiver(tmp_path):
    authority = Authority()
    certificate, key = authority.issue("log", host="127.0.0.1").write(tmp_path, "log")
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(certificate, key)
    ours = ssl.create_default_context(cadata=authority.own.pem.decode())
    with receiver(socket.SOCK_STREAM) as there:
        there.listen()
        thread, found = served(there, lambda taken: theirs.wrap_socket(taken, server_side=True))
        target = f"tls://127.0.0.1:{there.getsockname()[1]}"
        assert sent(target, event(), tls=ours) == [True]
        thread.join(10)
    assert LINE.fullmatch(found[0])


def test_nothing_is_told_to_a_receiver_of_another_authority(tmp_path):
    certificate, key = Authority().issue("log", host="127.0.0.1").write(tmp_path, "log")
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(certificate, key)
    ours = ssl.create_default_context(cadata=Authority().own.pem.decode())

    def serve():
        taken, _ = there.accept()
        with taken, pytest.raises((ssl.SSLError, ConnectionError)):
            theirs.wrap_socket(taken, server_side=True)

    with receiver(socket.SOCK_STREAM) as there:
        there.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        target = f"tls://127.0.0.1:{there.getsockname()[1]}"
        assert sent(target, event(), tls=ours) == [False]
        thread.join(10)


def test_a_receiver_that_is_away_costs_events_and_nothing_else():
    with receiver(socket.SOCK_STREAM) as there:
        port = there.getsockname()[1]
    assert sent(f"tcp://127.0.0.1:{port}", event(), event()) == [False, False]


def test_past_the_bound_events_are_dropped_and_counted():
    counted = []
    syslog = Syslog("udp://127.0.0.1:9", "node", counted.append)
    for _ in range(WAITING + 7):
        syslog.tell(event())
    assert counted == [False] * 7
    assert syslog.dropped == 7


@pytest.mark.parametrize(
    "target", ["http://x", "udp://", "tcp://host:0", "tcp://host:x", "unix:log", "tls://h/p", "x"]
)
def test_a_target_that_is_none_is_refused_at_start(target):
    with pytest.raises(ConfigurationError):
        Syslog(target)
