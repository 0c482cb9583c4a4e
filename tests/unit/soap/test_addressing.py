"""WS-Addressing, the simple case: the answer relates to the request on the same connection."""

from uuid import NAMESPACE_URL, uuid5

import pytest
from lxml import etree

from gateway import ns
from tests.unit.soap.kit import ACTION, BODY, VERSIONS, Fault, exchange, open_, soap

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


def names(fault, *locals_, space=ns.WSA):
    """SOAP 1.1 has room for the general name only (SOAP Binding 1.0, 6.2)."""
    expected = [ns.tag(space, local) for local in locals_]
    return fault.names == (expected[:1] if fault.version == "1.1" else expected)


@both
def test_an_action_of_another_operation_is_not_supported(version):
    answer = exchange(version, call(version, headers("urn:gov:appeals:v1/Ping")))
    fault = Fault(answer)
    assert names(fault, "ActionNotSupported")
    assert fault.field("Code") == "addressing"
    assert fault.field("Errors/FieldError/Path") == "wsa:Action"
    told = fault.root.find(f".//{{{ns.WSA}}}ProblemAction/{{{ns.WSA}}}Action")
    assert told.text == "urn:gov:appeals:v1/Ping"
    assert blocks_of(answer)["Action"] == f"{ns.WSA}/fault"


def test_two_places_that_name_the_action_must_agree():
    text = call("1.1", headers("urn:gov:appeals:v1/Ping"))
    fault = Fault(exchange("1.1", text, soapaction=f'"{ACTION}"'))
    assert names(fault, "InvalidAddressingHeader", "ActionMismatch")
    media = f'application/soap+xml; action="{ACTION}"'
    fault = Fault(exchange("1.2", call("1.2", headers("urn:x")), media=media))
    assert names(fault, "InvalidAddressingHeader", "ActionMismatch")


@both
@pytest.mark.parametrize("action", [None, "", " "])
def test_other_addressing_headers_need_an_action(version, action):
    fault = Fault(exchange(version, call(version, headers(action))))
    assert names(fault, "MessageAddressingHeaderRequired")
    assert fault.field("Errors/FieldError/Path") == "/Envelope/Header/Action"
    assert problem(fault) == "a:Action"


def problem(fault):
    return fault.root.findtext(f".//{{{ns.WSA}}}ProblemHeaderQName")


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
    assert names(fault, "InvalidAddressingHeader", "InvalidCardinality")
    assert fault.field("Errors/FieldError/Code") == "duplicate"
    assert problem(fault) == f"a:{name}"


WRONG = {
    "": "MissingAddressInEPR",
    "<a:Address/>": "InvalidAddress",
    "<a:Address>http://x/ http://y/</a:Address>": "InvalidAddress",
    f"<a:Address>{'a' * 2_001}</a:Address>": "InvalidAddress",
    "<a:Address>http://x/</a:Address><a:Address>http://y/</a:Address>": "InvalidEPR",
    "<a:Address>http://x/</a:Address><a:ReferenceParameters><a:To>u</a:To>"
    "</a:ReferenceParameters>": "InvalidEPR",
    "<a:Address>http://x/</a:Address><a:ReferenceParameters><nowhere xmlns=''/>"
    "</a:ReferenceParameters>": "InvalidEPR",
    "<a:Address>http://x/</a:Address><a:ReferenceParameters>"
    f"<k xmlns='urn:k'>{'v' * 9_000}</k></a:ReferenceParameters>": "InvalidEPR",
}


@both
@pytest.mark.parametrize("name", ["ReplyTo", "FaultTo"])
@pytest.mark.parametrize("inside", WRONG)
def test_an_endpoint_reference_that_is_none_is_refused(version, name, inside):
    extra = f"<a:{name}>{inside}</a:{name}>"
    fault = Fault(exchange(version, call(version, headers(extra=extra))))
    assert names(fault, "InvalidAddressingHeader", WRONG[inside])
    assert problem(fault) == f"a:{name}"


@both
def test_an_answer_elsewhere_needs_a_message_to_relate_to(version):
    extra = "<a:ReplyTo><a:Address>http://192.0.2.1/</a:Address></a:ReplyTo>"
    fault = Fault(exchange(version, call(version, headers(message_id=None, extra=extra))))
    assert names(fault, "MessageAddressingHeaderRequired")
    assert problem(fault) == "a:MessageID"


@both
def test_an_answer_elsewhere_is_addressed_and_carries_the_reference_parameters(version):
    extra = (
        "<a:ReplyTo><a:Address>http://192.0.2.1/?a&amp;b</a:Address><a:ReferenceParameters>"
        "<k:Box xmlns:k='urn:k' kind='z'>7&amp;8</k:Box></a:ReferenceParameters></a:ReplyTo>"
    )
    root = etree.fromstring(exchange(version, call(version, headers(extra=extra))).body)
    assert root[0].findtext(f"{{{ns.WSA}}}To") == "http://192.0.2.1/?a&b"
    box = root[0].find("{urn:k}Box")
    assert box.text == "7&8"
    assert box.get(f"{{{ns.WSA}}}IsReferenceParameter") == "true"


@both
def test_a_fault_goes_where_faults_are_wanted(version):
    extra = (
        "<a:ReplyTo><a:Address>http://192.0.2.1/</a:Address></a:ReplyTo>"
        "<a:FaultTo><a:Address>http://192.0.2.2/</a:Address></a:FaultTo>"
    )
    opened = open_(version, call(version, headers(extra=extra)))
    assert opened.frame.addressing.target().address == "http://192.0.2.1/"
    assert opened.frame.addressing.target(fault=True).address == "http://192.0.2.2/"


@both
def test_the_older_addressing_is_spoken_too(version):
    old = ns.WSA_2004
    blocks = (
        f"<o:Action xmlns:o='{old}' e:mustUnderstand='1'>{ACTION}</o:Action>"
        f"<o:MessageID xmlns:o='{old}'>uuid:7</o:MessageID>"
        f"<o:ReplyTo xmlns:o='{old}'><o:Address>{old}/role/anonymous</o:Address></o:ReplyTo>"
    )
    root = etree.fromstring(exchange(version, call(version, blocks)).body)
    assert {block.tag: block.text for block in root[0]}[f"{{{old}}}RelatesTo"] == "uuid:7"
    fault = Fault(exchange(version, call(version, blocks.replace(ACTION, "urn:x"))))
    assert names(fault, "ActionNotSupported", space=old)


@both
def test_an_addressing_header_that_does_not_exist_is_not_understood(version):
    blocks = headers(extra="<a:Surprise e:mustUnderstand='1'/>")
    assert Fault(exchange(version, call(version, blocks))).code == "MustUnderstand"


def test_the_message_id_of_an_answer_is_a_uuid_of_the_message_and_its_action():
    found = blocks_of(exchange("1.2", call("1.2", headers())))
    expected = uuid5(NAMESPACE_URL, f"urn:uuid:1&2{ACTION}Response")
    assert found["MessageID"] == f"urn:uuid:{expected}"
