"""The simulated city's bus as a process: what it takes, what it sees twice, what it puts aside."""

import contextlib
import json

import pytest

from adapters.amqp.adapter import Amqp
from gateway.adapter import EncodeContext
from gateway.errors import PeerDoubtful, PeerUnavailable
from gateway.model.appeal import Appeal
from gateway.outbound import Outbound
from simulators.amqp.broker import MissingError, program
from simulators.process import running
from tests.integration.amqp.conftest import MANIFEST, NOW, until


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    return tmp_path_factory.mktemp("bus") / "journal.jsonl"


@pytest.fixture(scope="module")
def bus(journal):
    try:
        program()
    except MissingError as error:
        pytest.skip(str(error))
    with running("amqp", "--journal", str(journal)) as simulator:
        yield simulator


@pytest.fixture
def channel(bus):
    options = {**MANIFEST.options, **bus.facts["options"]}
    made = Amqp(options, outbound=Outbound(allowed_hosts=(), timeout=5.0))
    yield made
    made.close()


def send(channel, key, number):
    context = EncodeContext(now=NOW, key=key, options=MANIFEST.options)
    channel.deliver(channel.encode(Appeal(receipt_number=number), None, context), key)


def held(bus, number):
    return [item["message_ids"] for item in bus.holds() if item["key"] == number]


def test_a_consumer_that_died_before_its_acknowledgement_sees_the_event_again_and_keeps_it_once(
    bus, channel
):
    before = bus.control(repeats=True)["count"]
    bus.plan("reset_after", key="2026-1")

    send(channel, "k-1", "2026-1")

    until(lambda: bus.holds() and bus.control(repeats=True)["count"] > before)
    assert held(bus, "2026-1") == [["k-1"]]


def test_an_event_that_the_consumer_refuses_lies_in_the_dead_letters(bus, channel):
    bus.plan("refuse", key="2026-2")

    send(channel, "k-2", "2026-2")

    until(lambda: bus.holds() and bus.control(dead=True)["count"] == 1)
    assert held(bus, "2026-2") == []


def test_while_the_broker_is_away_nothing_is_sent_and_it_goes_on_afterwards(bus, channel, journal):
    bus.control(broker="halt")
    with pytest.raises(PeerUnavailable):
        send(channel, "k-3", "2026-3")
    bus.control(broker="start")

    def sent():
        with contextlib.suppress(PeerDoubtful, PeerUnavailable):
            send(channel, "k-3", "2026-3")
            return True

    until(sent)

    until(lambda: held(bus, "2026-3"))
    assert held(bus, "2026-3") == [["k-3"]]
    lines = [json.loads(line) for line in journal.read_text("utf-8").splitlines()]
    assert [line["stored"] for line in lines if line.get("message_id") == "k-3"] == [
        {"message_id": "k-3"}
    ]
