"""WS-Addressing, the simple case: the answer relates to the request on the same connection."""

import pytest
from lxml import etree

from gateway import ns
from tests.unit.soap.kit import ACTION, BODY, VERSIONS, Fault, exchange, soap

both = pytest.mark.parametrize("version", VERSIONS)
ANONYMOUS = f"<a:Address>{ns.WSA_ANONYMOUS}</a:Address>"


def headers(action=ACTION, message_id="urn:uuid:1&2", extra=""):
    blocks = extra
    if action is not None:
        blocks += f"<a:Action e:mustUnderstand='1'>{action}</a:Action>"
    if message_id is not None:
        blocks += f"<a:MessageID>{message_id.replace('&', '&amp;')}</a:MessageID>"
    return blocks


def call(version, blocks, body=BODY):
    return soap(version, body, header=blocks).replace(
        "<e:Envelope", f'<e:Envelope xmlns:a="{ns.WSA}"', 1
    )


def blocks_of(sealed):
    root = etree.fromstring(sealed.body)
    return {etree.QName(node).localname: node.text for node in root[0]}


@both
def test_the_answer_relates_to_the_message(version):
    reply = f"<a:ReplyTo>{ANONYMOUS}</a:ReplyTo><a:To e:mustUnderstand='1'>http://x/</a:To>"
    found = blocks_of(exchange(version, call(version, headers(extra=reply))))
    assert found["Action"] == f"{ACTION}Response"
    assert found["RelatesTo"] == "urn:uuid:1&2"
    assert found["MessageID"].startswith("urn:uuid:")


@both
def test_the_same_message_gets_the_same_bytes(version):
    text = call(version, headers())
    assert exchange(version, text) == exchange(version, text)


@both
def test_without_a_message_id_the_answer_relates_to_nothing(version):
    found = blocks_of(exchange(version, call(version, headers(message_id=None))))
    assert set(found) == {"Action", "MessageID"}


@both
def test_a_request_without_addressing_gets_an_answer_without(version):
    root = etree.fromstring(exchange(version, soap(version)).body)
    assert len(root) == 1


@both
def test_a_fault_has_the_action_of_its_type_and_relates_to_the_message(version):
    bad = BODY.replace("проба", "")
    found = blocks_of(exchange(version, call(version, headers(), bad)))
    assert found["Action"] == f"{ns.APPEALS}/ValidationFault"
    assert found["RelatesTo"] == "urn:uuid:1&2"


@both
def test_a_fault_about_headers_has_the_action_of_the_standard(version):
    blocks = headers(extra="<h:T xmlns:h='urn:h' e:mustUnderstand='1'/>")
    found = blocks_of(exchange(version, call(version, blocks)))
    assert found["Action"] == f"{ns.WSA}/soap/fault"
    assert found["RelatesTo"] == "urn:uuid:1&2"


@both
def test_an_action_of_another_operation_is_refused(version):
    fault = Fault(exchange(version, call(version, headers("urn:gov:appeals:v1/Ping"))))
    assert fault.field("Code") == "unknown_operation"
    assert fault.field("Errors/FieldError/Path") == "wsa:Action"


@both
@pytest.mark.parametrize("action", [None, "", " "])
def test_other_addressing_headers_need_an_action(version, action):
    fault = Fault(exchange(version, call(version, headers(action))))
    assert fault.field("Errors/FieldError/Path") == "/Envelope/Header/Action"


def test_the_action_of_http_will_do_for_addressing_as_wcf_sends_it():
    found = blocks_of(exchange("1.1", call("1.1", headers(None)), soapaction=f'"{ACTION}"'))
    assert found["Action"] == f"{ACTION}Response"
    assert found["RelatesTo"] == "urn:uuid:1&2"


@both
@pytest.mark.parametrize("name", ["Action", "MessageID", "To", "ReplyTo"])
def test_a_header_given_twice_is_refused(version, name):
    inside = ANONYMOUS if name == "ReplyTo" else ACTION
    twice = f"<a:{name}>{inside}</a:{name}>" * 2
    fault = Fault(exchange(version, call(version, headers(extra=twice))))
    assert fault.field("Errors/FieldError/Code") == "duplicate"


@both
@pytest.mark.parametrize("name", ["ReplyTo", "FaultTo"])
@pytest.mark.parametrize("address", ["http://192.0.2.1/", ns.WSA_NONE, ""])
def test_an_answer_elsewhere_is_not_offered(version, name, address):
    extra = f"<a:{name}><a:Address>{address}</a:Address></a:{name}>"
    fault = Fault(exchange(version, call(version, headers(extra=extra))))
    assert fault.field("Code") == "unsupported"


@both
def test_the_older_addressing_is_not_understood_when_mandatory(version):
    blocks = f"<o:Action xmlns:o='{ns.WSA_2004}' e:mustUnderstand='1'>{ACTION}</o:Action>"
    assert Fault(exchange(version, call(version, blocks))).code == "MustUnderstand"


@both
def test_an_addressing_header_that_does_not_exist_is_not_understood(version):
    blocks = headers(extra="<a:Surprise e:mustUnderstand='1'/>")
    assert Fault(exchange(version, call(version, blocks))).code == "MustUnderstand"
