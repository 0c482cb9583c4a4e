"""A façade's stored message is named as one: neither explained by our schema nor replayed."""

import pytest

from gateway import ns
from gateway.commands import foreign
from gateway.errors import UnsupportedError
from gateway.settings import Settings
from gateway.wires.facades import requests

BODY = (
    '<s:Envelope xmlns:s="{}"><s:Body>'
    f'<SendReport xmlns="{requests.NAMESPACE}"/></s:Body></s:Envelope>'
)
SERVED = Settings(facades=("broken", "dispatcher", "requests"))


@pytest.mark.parametrize("space", [ns.SOAP11, ns.SOAP12])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_it_is_told_which_one_and_that_the_partner_sends_it_again(space, encoding):
    message = BODY.format(space).encode(encoding)
    with pytest.raises(UnsupportedError) as caught:
        foreign.check(message, f"text/xml; charset={encoding}", SERVED)
    assert "the façade requests" in caught.value.message
    assert "SendReport" in caught.value.found
    assert "partner sends it again" in caught.value.todo


def test_of_one_that_is_not_served_now_the_namespace_is_told():
    with pytest.raises(UnsupportedError, match="another contract") as caught:
        foreign.check(BODY.format(ns.SOAP11).encode(), "text/xml", Settings())
    assert requests.NAMESPACE in caught.value.found


@pytest.mark.parametrize(
    "message",
    [
        b'{"text": 1}',
        f'<Ping xmlns="{ns.APPEALS}"/>'.encode(),
        BODY.format(ns.SOAP11).replace(requests.NAMESPACE, ns.APPEALS).encode(),
        f'<s:Envelope xmlns:s="{ns.SOAP11}"><s:Body/></s:Envelope>'.encode(),
        f'<s:Envelope xmlns:s="{ns.SOAP11}"><s:Body><!-- --></s:Body></s:Envelope>'.encode(),
        b"<cut",
        b"\xff\xfe",
    ],
)
def test_what_is_none_of_a_facades_goes_its_own_road(message):
    foreign.check(message, "text/xml", SERVED)
