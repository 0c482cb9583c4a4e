"""A broker that wishes us ill: each call ends in its time, with an error that says what may be."""

import struct
from itertools import repeat

import pytest

from adapters.amqp.adapter import Amqp
from gateway.adapter import EncodeContext
from gateway.errors import PeerDoubtful, PeerRefused, PeerUnavailable
from gateway.model.appeal import Appeal
from gateway.outbound import Outbound
from tests.integration.amqp import hostile
from tests.integration.amqp.conftest import MANIFEST, NOW

GET, PUBLISH = (60, 70), (60, 40)
SECRET = "a-password-that-nobody-may-read"


@pytest.fixture
def meet(tmp_path):
    """Make a channel to a broker that is described; both are closed afterwards."""
    made = []
    password = tmp_path / "password"
    password.write_text(SECRET)

    def channel(on=None, *, mute=False, timeout=10.0):
        broker = hostile.Hostile(on, mute=mute)
        options = {
            **MANIFEST.options,
            "broker": broker.address,
            "allow_private": ["127.0.0.1"],
            "inbox": "in",
            "user": "gateway",
            "password_file": str(password),
        }
        found = Amqp(options, outbound=Outbound(allowed_hosts=(), timeout=timeout))
        made.extend((found, broker))
        return found

    yield channel
    for one in made:
        one.close()


def send(channel):
    context = EncodeContext(now=NOW, key="k-1", options=MANIFEST.options)
    channel.deliver(channel.encode(Appeal(receipt_number="2026-1"), None, context), "k-1")


def test_one_that_accepts_and_never_speaks_has_stored_nothing(meet):
    channel = meet(mute=True, timeout=1.0)

    with pytest.raises(PeerUnavailable) as receiving:
        channel.receive("")
    with pytest.raises(PeerUnavailable) as sending:
        send(channel)

    assert not channel.probe().ok
    assert SECRET not in f"{receiving.value}{sending.value}"


@pytest.mark.parametrize("class_method", [GET, (50, 10), (20, 10), (85, 10)])
def test_one_that_falls_silent_is_waited_for_no_longer_than_the_call(meet, class_method):
    channel = meet({class_method: None}, timeout=1.0)

    with pytest.raises(PeerUnavailable):
        channel.receive("")


def test_one_that_never_confirms_leaves_a_doubt(meet):
    channel = meet({PUBLISH: None}, timeout=1.0)

    with pytest.raises(PeerDoubtful):
        send(channel)


def test_a_message_of_a_gigabyte_is_not_taken(meet):
    body = hostile.frame(hostile.BODY, 1, bytes(131_000))
    channel = meet({GET: lambda number: (hostile.given(number, 1 << 30), *repeat(body, 200))})

    with pytest.raises(PeerUnavailable, match="a message of 1073741824 bytes"):
        channel.receive("")


def test_a_frame_of_four_gigabytes_is_not_waited_for(meet):
    head = struct.pack(">BHL", hostile.METHOD, 1, 0xFFFF_FFF0)
    channel = meet({GET: lambda _: (head, bytes(65_536))})

    with pytest.raises(PeerUnavailable, match="a frame of 4294967288 bytes"):
        channel.receive("")


def test_frames_without_end_are_not_heard_without_end(meet, monkeypatch):
    monkeypatch.setattr("adapters.amqp.stream.CALL_BYTES", 1_000_000)
    beat = hostile.frame(8, 0, b"") * 10_000
    channel = meet({PUBLISH: lambda _: repeat(beat)})

    with pytest.raises(PeerDoubtful, match="more than 1000000 bytes"):
        send(channel)


def test_what_a_broker_says_for_a_reason_is_cut_and_holds_no_nul(meet):
    closed = struct.pack(">H", 404) + hostile.short(b"no\0pe" * 50) + bytes(4)
    channel = meet({GET: lambda number: (hostile.method(number, 20, 40, closed),)})

    with pytest.raises(PeerUnavailable) as raised:
        channel.receive("")

    assert "\0" not in raised.value.found


@pytest.mark.parametrize("number", [10, 20], ids=["connection", "channel"])
def test_a_broker_that_says_the_password_for_a_reason_puts_it_into_no_error(meet, number):
    closed = struct.pack(">H", 403) + hostile.short(f"no: {SECRET}!".encode()) + bytes(4)
    method = hostile.method(number // 20, number, 40 if number == 20 else 50, closed)
    channel = meet({GET: lambda _: (method,), PUBLISH: lambda _: (method,)})

    with pytest.raises(PeerUnavailable, match=r"no: \*\*\*!") as receiving:
        channel.receive("")
    with pytest.raises((PeerDoubtful, PeerRefused), match=r"no: \*\*\*!") as sending:
        send(channel)

    assert SECRET not in f"{receiving.value}{sending.value}"
