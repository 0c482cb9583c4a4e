"""Somebody stands on the way to СМЭВ and hands over what СМЭВ said before, or what nobody reads."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from adapters.smev import forgetting, handed, inbox
from adapters.smev.messages import types as t
from gateway.errors import PeerDoubtful, PeerUnavailable, ValidationError
from gateway.outbound import Outbound
from gateway.testing.memory import FakeMemory
from tests.gost_kit import needs_gost
from tests.integration.smev.talk import given, one, patient, state

pytestmark = needs_gost


class Way(Outbound):
    """What passes here may be kept, and said again. asked: the operations, in their order."""

    asked: list[str]
    again = None

    def request(self, *given, **more):
        operation = more["headers"]["soapaction"].strip('"').removeprefix("urn:")
        self.__dict__.setdefault("asked", []).append(operation)
        response = super().request(*given, **more)
        return self.heard(operation, response)

    def heard(self, operation, response):
        return response


class GivesItForEver(Way):
    """The first message of the queue of requests is handed over again and again."""

    def heard(self, operation, response):
        if operation != "GetRequest":
            return response
        if self.again is None and b":RequestMessage" in response.body:
            self.again = response
        return self.again or response


def ways(kind):
    """Return the maker of a way, and the ways that it made."""
    made = []

    def make(**options):
        made.append(kind(**options))
        return made[-1]

    return make, made


def test_a_stored_message_that_is_given_for_ever_ends_an_asking_and_hides_no_other_queue(
    stand, connect, clock, stored
):
    memory, (way, made) = FakeMemory(clock), ways(GivesItForEver)
    channel = connect(stand, memory=memory, way=way, batch=5)
    stand.control(emit=1, seed=3)
    channel.acknowledge(stored(channel.receive("")))
    made[0].asked.clear()

    batches = [channel.receive("") for _ in range(2)]

    assert [(batch.messages, batch.more) for batch in batches] == [((), False)] * 2
    assert made[0].asked.count("GetRequest") <= 10
    assert {"GetResponse", "GetStatus"} <= set(made[0].asked), "the next asking begins behind it"


class Crowds(Way):
    """The payload gets more prefixes than a parser of ours takes."""

    times = 0

    def heard(self, operation, response):
        if operation != "GetRequest" or b":RequestMessage" not in response.body or not self.times:
            return response
        self.times -= 1
        many = "".join(f' xmlns:p{n}="urn:p{n}"' for n in range(400)).encode()
        body = re.sub(
            rb"<(\w+:)?SubmitAppeal ", rb"\g<0>" + many[1:] + b" ", response.body, count=1
        )
        assert len(body) > len(response.body)
        return response._replace(body=body)


def test_what_cannot_be_read_is_kept_and_stops_no_other_message(stand, connect, clock, stored):
    memory, (way, made) = FakeMemory(clock), ways(Crowds)
    channel = connect(stand, memory=memory, way=way)
    channel.probe()
    made[0].times = 1
    number, behind = stand.control(emit=2, seed=3)["ids"]

    batch = channel.receive("")

    first, second = batch.messages
    assert second.wire.headers[t.MESSAGE_ID] == behind
    assert first.wire.headers[t.MESSAGE_ID] == number
    assert b"SMEVSignature" in first.wire.body, "kept as it came"
    with pytest.raises(ValidationError) as refused:
        channel.decode(first.wire)
    assert refused.value.violations[0].code == "too_large"
    channel.acknowledge(stored(batch, error=refused.value))
    assert state(stand, number) == "given", "it may have been broken on the way: it comes again"
    patient(channel)


def test_what_cannot_be_read_twice_is_not_accepted(stand, connect, clock, stored):
    way, made = ways(Crowds)
    channel = connect(stand, memory=FakeMemory(clock), way=way)
    channel.probe()
    made[0].times = inbox.BELIEVED_NEVER
    (number,) = stand.control(emit=1, seed=3)["ids"]

    channel.acknowledge(stored(channel.receive("")))
    channel.acknowledge(stored(patient(channel)))

    assert state(stand, number) == "ignored"


class SaysItAgain(Way):
    """What СМЭВ said of the first message is what every later sender hears."""

    silent = False

    def heard(self, operation, response):
        if operation != "SendRequest" or self.silent:
            return response
        self.again = self.again or response
        return self.again


def test_the_word_of_smev_for_one_message_is_none_for_another(stand, connect, clock):
    memory, (way, made) = FakeMemory(clock), ways(SaysItAgain)
    channel = connect(stand, memory=memory, way=way)
    stand.control(emit=1, seed=3)
    appeal = one(channel)[1].appeal
    wire = given(channel, appeal)
    channel.deliver(wire, "d-1")

    with pytest.raises(PeerDoubtful) as doubt:
        channel.deliver(wire, "d-2")

    assert doubt.value.found == "replayed"
    assert channel.settle(wire, "d-2") is None, "it is not known to be there, so it is sent again"
    made[0].silent = True
    assert channel.deliver(wire, "d-2").reference == memory.get("sent", "d-2")["id"]


class MixesUp(Way):
    """The queue of requests is answered with СМЭВ's word on something that was sent."""

    def heard(self, operation, response):
        if operation == "SendRequest":
            self.again = response
        return self.again if operation == "GetRequest" and self.again else response


def test_a_true_answer_to_another_question_is_none(stand, connect, clock):
    way, _ = ways(MixesUp)
    channel = connect(stand, memory=FakeMemory(clock), way=way)
    stand.control(emit=1, seed=3)
    appeal = one(channel)[1].appeal
    channel.deliver(given(channel, appeal), "d-1")

    with pytest.raises(PeerUnavailable, match="not asked for"):
        channel.receive("")


def test_what_was_forgotten_is_not_taken_once_more(stand, connect, clock, stored):
    """СМЭВ signed it once, and whoever kept it hands it over when its number is forgotten."""
    memory, (way, made) = FakeMemory(clock), ways(GivesItForEver)
    channel = connect(stand, memory=memory, way=way, batch=1)
    stand.control(emit=1, seed=3)
    channel.acknowledge(stored(channel.receive("")))
    clock.ahead = timedelta(days=forgetting.DAYS["received"] + 1)

    (again,) = connect(stand, memory=memory, way=lambda **_: made[0]).receive("").messages

    assert again.wire.headers[handed.REFUSED] == "trust:replayed"
