"""What must be understood: SOAP 1.1, 4.2.3; SOAP 1.2, Part 1, 2.6, 5.2.3 and 5.4.8."""

import msgspec
import pytest

from gateway import ns
from gateway.soap import envelope
from tests.unit.soap.kit import (
    BODY,
    CONTEXT,
    MEDIA,
    SPACE,
    VERSIONS,
    Fault,
    exchange,
    open_,
    soap,
)

both = pytest.mark.parametrize("version", VERSIONS)
SENDER = {"1.1": "Client", "1.2": "Sender"}
ELSEWHERE = {"1.1": 'e:actor="urn:example:router"', "1.2": 'e:role="urn:example:router"'}


def block(value=None, more="", name="h:Unknown"):
    said = "" if value is None else f'e:mustUnderstand="{value}"'
    return f'<{name} xmlns:h="urn:h" xmlns:k="urn:k" {said} {more}/>'


def fault_of(version, header, body=BODY):
    return Fault(exchange(version, soap(version, body, header=header)))


@both
@pytest.mark.parametrize("value", ["1", "true", " 1", "true\n", "&#9;1&#13;"])
def test_every_form_of_true_is_true(version, value):
    assert fault_of(version, block(value)).code == "MustUnderstand"


@both
@pytest.mark.parametrize("value", [None, "0", "false", " 0 ", "\nfalse"])
def test_every_form_of_false_and_nothing_at_all_are_false(version, value):
    assert open_(version, soap(version, header=block(value))).operation == "GetAppeal"


@both
@pytest.mark.parametrize("value", ["", "wrong", "9", "TRUE", "yes", "1 1", "&#xA0;1", "-1", "01"])
def test_anything_else_is_a_mistake_of_the_sender(version, value):
    fault = fault_of(version, block(value))
    assert fault.code == SENDER[version]
    assert "mustUnderstand of Unknown" in fault.reasons["en"]
    if version == "1.1":
        assert fault.detail is None  # 4.4: it MUST NOT speak of header entries
    else:
        assert fault.field("Code") == "validation"
        assert fault.field("Errors/FieldError/Path") == "/Envelope/Header/Unknown"
        assert fault.field("Errors/FieldError/Code") == "attribute"


@both
def test_a_mistake_in_a_block_for_somebody_else_is_not_ours_to_find(version):
    text = soap(version, header=block("wrong", ELSEWHERE[version]))
    assert open_(version, text).operation == "GetAppeal"


@both
@pytest.mark.parametrize("turned", [False, True])
def test_a_mistake_and_an_unknown_block_are_one_fault(version, turned):
    blocks = [block("1"), block("wrong", name="k:Other")]
    fault = fault_of(version, "".join(reversed(blocks) if turned else blocks))
    assert fault.code == SENDER[version]
    assert fault.blocks == []


@both
@pytest.mark.parametrize("body", ["<Nope/>", BODY + BODY, "", BODY.replace("<Key>", "<Kee/><Key>")])
def test_headers_are_judged_before_the_body(version, body):
    assert fault_of(version, block("1"), body).code == "MustUnderstand"


def test_each_block_not_understood_is_named_once_by_a_name_that_resolves():
    names = ["h:Unknown", "k:Unknown", "h:Unknown"]
    fault = fault_of("1.2", "".join(block("1", name=name) for name in names))
    found = [
        (notice.tag, notice.nsmap[prefix], local)
        for notice in fault.blocks
        for prefix, _, local in [notice.get("qname").partition(":")]
    ]
    tag = ns.tag(ns.SOAP12, "NotUnderstood")
    assert found == [(tag, f"urn:{name[0]}", "Unknown") for name in names]
    assert not any(ns.tag(ns.SOAP12, "encodingStyle") in notice.attrib for notice in fault.blocks)


@both
def test_a_block_that_the_service_processes_is_understood(version):
    service = msgspec.structs.replace(
        CONTEXT.service, understood=frozenset((ns.tag("urn:h", "Unknown"),))
    )
    context = msgspec.structs.replace(CONTEXT, service=service)
    text = soap(version, header=block("1"))
    call = envelope.open(text.encode(), {"content-type": MEDIA[version]}, {}, context)
    assert [found.tag for found in call.blocks] == [ns.tag("urn:h", "Unknown")]


@both
def test_the_attribute_of_the_other_version_or_of_no_namespace_says_nothing(version):
    other = {"1.1": SPACE["1.2"], "1.2": SPACE["1.1"]}[version]
    for more in (f'xmlns:o="{other}" o:mustUnderstand="1"', 'mustUnderstand="1"'):
        assert open_(version, soap(version, header=block(more=more))).operation == "GetAppeal"


@both
def test_blocks_that_need_not_be_understood_reach_the_service_in_their_order(version):
    text = soap(version, header=block() + block("0", name="k:Other"))
    assert [found.tag for found in open_(version, text).blocks] == [
        ns.tag("urn:h", "Unknown"),
        ns.tag("urn:k", "Other"),
    ]


def test_a_block_of_soap_12_has_a_namespace():
    fault = fault_of("1.2", "<Unknown/>")
    assert (fault.code, fault.field("Errors/FieldError/Code")) == ("Sender", "namespace")
    assert open_("1.1", soap("1.1", header="<Unknown/>")).operation == "GetAppeal"


@pytest.mark.parametrize("value", ["1", "true", "0", "false"])
def test_relay_is_nothing_to_an_ultimate_receiver(value):
    text = soap("1.2", header=block(more=f'e:relay="{value}"'))
    assert len(open_("1.2", text).blocks) == 1
