"""The desks call back: a served gateway takes their word and answers in their form."""

import json
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest
from lxml import etree

from gateway.adapter import EncodeContext
from gateway.model.events import Actor, Event, EventType
from tests.integration.edds.test_desks import SEEN

NOW = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
def city(make_house):
    """A gateway with an appeal that both desks were given; `sed` is REST, `other` SOAP."""
    house = make_house(GATEWAY_ADAPTERS="edds")
    with house.database() as db:
        for code, template in (("sed", "card-rest"), ("other", "card-soap")):
            db.execute(
                "UPDATE peer SET adapter = 'edds', options = options || $2::jsonb WHERE code = $1",
                (code, json.dumps({"template": template})),
            )
    return house


def given(city, connect, vendor, peer, number):
    """Submit an appeal, give it to the desk, and put its card there."""
    answer = city.post("/appeals", {"externalId": number, "text": "Прорыв трубы"})
    receipt = answer.json["receiptNumber"]
    city.give(number, peer)
    desk = connect(vendor)
    event = Event(
        appeal_id=UUID(int=1), seq=2, type=EventType.REGISTERED, occurred_at=NOW, recorded_at=NOW,
        actor=Actor(kind="system"),
    )  # fmt: skip
    appeal = msgspec.structs.replace(SEEN, receipt_number=receipt)
    wire = desk.encode(appeal, event, EncodeContext(now=NOW, key=number))
    desk.deliver(wire, number)
    return receipt


def push(desks, city, vendor, peer, receipt, **more):
    told = {"vendor": vendor, "number": receipt, **more}
    address = f"{city.address}/api/v1/inbox"
    return desks.control(push={"address": address, "user": peer, "key": city.keys[peer], **told})


def test_a_rest_desk_is_told_the_receipt_and_its_word_is_kept(city, desks, connect):
    receipt = given(city, connect, "rest", "sed", "Е-1")

    told = push(desks, city, "rest", "sed", receipt, state="WORKING")

    assert told["statuses"] == [200], told
    assert json.loads(told["answers"][0])["result"] == "accepted"
    ((wire, operation),) = city.messages(told["keys"][0], "wire", "operation")
    assert (wire, operation) == ("edds", "status")


def test_a_soap_desk_is_answered_in_soap(city, desks, connect):
    receipt = given(city, connect, "soap", "other", "Е-2")

    told = push(desks, city, "soap", "other", receipt, state="в работе")

    assert told["statuses"] == [200], told
    answer = etree.fromstring(told["answers"][0].encode())
    assert answer.find(".//{*}StateAccepted") is not None


def test_a_word_about_nobodys_card_is_refused_in_the_desks_own_form(city, desks, connect):
    given(city, connect, "soap", "sed", "Е-3")  # the SOAP desk was never given this appeal

    told = push(desks, city, "soap", "other", "", state="в работе")

    assert told["statuses"] == [500], told
    assert etree.fromstring(told["answers"][0].encode()).findtext(".//faultcode") == "s:Client"
