"""Every channel against its simulated peer: each way of failing, repeats, doubts, a probe."""

import contextlib

import pytest

from gateway import registry
from gateway.adapter import Receipt
from gateway.errors import DeliveryError
from gateway.testing import peers
from tests.conformance import stand as stands
from tests.conformance.kit import adapters, has_simulator

CHANNELS = [
    name
    for name in adapters()
    if has_simulator(name) and "channel" in registry.load([name])[name].manifest.kinds
]
HTTP = [name for name in CHANNELS if name not in {"amqp", "sed"}]
"""A queue and a folder fail in ways of their own, which their own tests try."""
ASKED = [
    name for name in HTTP if name != "smev" and registry.load([name])[name].manifest.stage == 3
]
"""СМЭВ can be asked in one way only, by sending the same number again; tests/integration/smev."""


@pytest.fixture(scope="module")
def stand():
    """The stand of a name; each is started once."""
    with contextlib.ExitStack() as stack:
        made = {}

        def of(name):
            if name not in made:
                made[name] = stack.enter_context(stands.stand(name))
            return made[name]

        yield of


@pytest.mark.parametrize("kind", sorted(peers.WAYS))
@pytest.mark.parametrize("name", HTTP)
def test_a_failure_is_taken_for_what_it_is(stand, name, kind):
    stand = stand(name)
    key = stand.key()
    wire = stand.wire(key)
    stand.made.probe()  # whatever comes first, a token, a connection, is there
    stand.simulator.plan(kind, seconds=peers.HANG)

    told = peers.deliver(stand.made, wire, key)

    assert isinstance(told, peers.WAYS[kind].raises), told


@pytest.mark.parametrize("kind", sorted(peers.WAYS))
@pytest.mark.parametrize("name", ASKED)
def test_a_doubt_is_settled_by_asking_where_the_peer_can_be_asked(stand, name, kind):
    stand, way = stand(name), peers.WAYS[kind]
    key = stand.key()
    wire = stand.wire(key)
    stand.made.probe()
    stand.simulator.plan(kind, seconds=peers.HANG)
    peers.deliver(stand.made, wire, key)

    told = peers.settle(stand.patient, wire, key)

    assert isinstance(told, Receipt) if way.stored else told is None, told


@pytest.mark.parametrize("name", CHANNELS)
def test_a_repeat_of_a_delivery_has_no_second_effect(stand, name):
    stand = stand(name)
    key = stand.key()
    wire = stand.wire(key)
    first = peers.deliver(stand.patient, wire, key)
    before = stand.simulator.holds()

    again = peers.deliver(stand.patient, wire, key)

    assert isinstance(first, Receipt), first
    if stand.adapter.manifest.idempotent_delivery:
        assert isinstance(again, Receipt), again
        assert stand.simulator.holds() == before
    else:
        assert isinstance(again, Receipt | DeliveryError)


@pytest.mark.parametrize("name", CHANNELS)
def test_a_peer_that_is_there_answers_a_probe(stand, name):
    stand = stand(name)

    health = stand.patient.probe()

    assert health.ok, health
    assert health.seconds >= 0


@pytest.mark.parametrize("name", HTTP)
def test_a_peer_that_is_not_there_is_said_to_be_away(stand, name):
    stand = stand(name)
    gone = stand.channel(peers.TIMEOUT, url="http://127.0.0.1:9/")

    health = gone.probe()

    assert not health.ok
    assert health.detail
