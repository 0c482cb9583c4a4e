"""Where an answer goes: to the newest request that brought the appeal, found in the memory."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from gateway.errors import PeerDoubtful, PeerRefused, PeerUnavailable
from gateway.model.digest import content_sha256
from gateway.testing.memory import FakeMemory
from tests.gost_kit import needs_gost
from tests.integration.smev.talk import one, registered, state

pytestmark = needs_gost


def test_an_appeal_sent_again_under_another_number_is_answered_to_the_newest(
    stand, connect, stored, clock
):
    memory = FakeMemory(clock)
    channel = connect(stand, memory=memory)
    (first,) = stand.control(emit=1, seed=3)["ids"]
    batch, item = one(channel)
    channel.acknowledge(stored(batch))
    (second,) = stand.control(emit=1, seed=3)["ids"]
    batch, again = one(channel)
    channel.acknowledge(stored(batch))

    assert (item.external_id, content_sha256(item.appeal)) == (
        again.external_id, content_sha256(again.appeal),
    )  # fmt: skip
    assert [state(stand, number) for number in (first, second)] == ["accepted", "accepted"]
    appeal = replace(item.appeal, receipt_number="26-1", source_peer="smev")
    channel.deliver(registered(channel, appeal), "d-1")
    stand.control(answer=True)
    heard = stand.control(heard=True)["heard"]
    assert (heard[first], heard[second]) == ([], ["RequestStatus"])


def test_which_request_brought_an_appeal_is_remembered_before_it_is_acknowledged(
    stand, connect, stored, clock
):
    memory = FakeMemory(clock)
    channel = connect(stand, memory=memory, timeout=3.0)
    (number,) = stand.control(emit=1, seed=3)["ids"]
    batch, _ = one(channel)
    stand.plan("reset", key="Ack", times=3)
    with pytest.raises((PeerUnavailable, PeerDoubtful)):
        channel.acknowledge(stored(batch))
    assert memory.get("appeal", "26-1") == {"message": number}


def test_an_answer_that_is_faster_than_the_acknowledgement_waits_for_it(
    stand, connect, stored, clock
):
    channel = connect(stand, memory=FakeMemory(clock))
    (number,) = stand.control(emit=1, seed=3)["ids"]
    batch, item = one(channel)
    appeal = replace(item.appeal, receipt_number="26-1", source_peer="smev")
    wire = registered(channel, appeal)
    with pytest.raises(PeerUnavailable):
        channel.deliver(wire, "d-1")
    channel.acknowledge(stored(batch))
    channel.deliver(wire, "d-1")
    stand.control(answer=True)
    assert stand.control(heard=True)["heard"][number] == ["RequestStatus"]


def test_an_answer_to_an_appeal_that_was_forgotten_is_shown_to_a_person(
    stand, connect, stored, clock
):
    channel = connect(stand, memory=FakeMemory(clock))
    stand.control(emit=1, seed=3)
    batch, item = one(channel)
    channel.acknowledge(stored(batch))
    appeal = replace(item.appeal, receipt_number="26-1", source_peer="smev")
    wire = registered(channel, appeal)
    clock.ahead = timedelta(days=401)
    channel._open[1]._forgetting.forget(clock())
    clock.ahead = timedelta()
    with pytest.raises(PeerUnavailable):
        channel.deliver(wire, "d-1")
    clock.ahead = timedelta(days=2)
    with pytest.raises(PeerRefused) as refused:
        channel.deliver(wire, "d-1")
    assert "куда отвечать" in str(refused.value)
