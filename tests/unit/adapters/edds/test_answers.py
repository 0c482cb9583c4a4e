"""What stands in the way of a dispatcher answers too: nothing of it makes a second card."""

import pytest

from adapters.edds.adapter import Edds
from adapters.edds.codes import METHOD, NUMBER, PATH, SECTION
from gateway import registry
from gateway.adapter import Wire
from gateway.errors import PeerDoubtful, PeerRefused
from gateway.outbound import Response

MANIFEST = registry.read_manifest("adapters.edds")
ENVELOPE = '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{}</s:Body></s:Envelope>'
FOUND = '<d:DeliveryFound xmlns:d="urn:example:dispatch:1">{}</d:DeliveryFound>'
FAULT = "<s:Fault><faultcode>s:{}</faultcode><faultstring>нет</faultstring></s:Fault>"
PAGE = "<!DOCTYPE html><html><body>Вход</body></html>"
XHTML = '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body/></html>'


class Says:
    """An `Outbound` of which every question has the same answer."""

    timeout = 1.0

    def __init__(self, status, body):
        self._response = Response(status, {}, body.encode())

    def request(self, *_args, **_more):
        return self._response


def desk(template, status, body):
    options = {**MANIFEST.options, "template": template}
    return Edds(options, base="http://desk", outbound=Says(status, body))


def wire(path="/cards"):
    headers = {SECTION: "card", METHOD: "POST", PATH: path, NUMBER: "2026-1"}
    return Wire(media_type="text/xml", body=b"", headers=headers)


@pytest.mark.parametrize(
    ("template", "status", "body"),
    [
        ("card-soap", 200, ENVELOPE.format(FOUND.format(""))),
        ("card-rest", 404, '{"error": {"text": "Такого сообщения не было"}}'),
        ("card-rest", 200, '{"cardId": null}'),
    ],
)
def test_a_card_that_never_came_is_sent_again(template, status, body):
    assert desk(template, status, body).settle(wire(), "k-1") is None


@pytest.mark.parametrize(
    ("template", "status", "body"),
    [
        ("card-soap", 200, PAGE),
        ("card-soap", 200, XHTML),
        ("card-soap", 404, PAGE),
        ("card-soap", 200, ENVELOPE.format("")),
        ("card-soap", 200, ENVELOPE.format(FAULT.format("Server"))),
        ("card-soap", 200, ENVELOPE.format(FAULT.format("Client"))),
        ("card-rest", 404, PAGE),
        ("card-rest", 404, f"\ufeff\n {XHTML}"),
        ("card-rest", 200, '{"error": {"text": "перегружено"}}'),
        ("card-rest", 200, '{"cardId": {}}'),
        ("card-rest", 200, '{"cardId": true}'),
    ],
)
def test_what_says_nothing_of_the_card_leaves_the_doubt(template, status, body):
    with pytest.raises(PeerDoubtful):
        desk(template, status, body).settle(wire(), "k-1")


@pytest.mark.parametrize(("side", "error"), [("Client", PeerRefused), ("Server", PeerDoubtful)])
def test_a_fault_of_the_dispatcher_is_no_refusal_of_the_card_whatever_its_status(side, error):
    for status in (200, 500):
        with pytest.raises(error):
            desk("card-soap", status, ENVELOPE.format(FAULT.format(side))).deliver(wire(), "k-1")
