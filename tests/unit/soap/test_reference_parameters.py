"""Reference parameters of a ReplyTo come back in the answer, and cost a stranger's call little."""

import pytest
from lxml import etree

from gateway import limits, ns
from gateway.soap import addressing
from tests.unit.soap.kit import Fault, exchange, open_
from tests.unit.soap.test_addressing import ANONYMOUS, call, headers, names

ECHO = "a:IsReferenceParameter"
ECHOED = ns.tag(ns.WSA, "IsReferenceParameter")


def asking(parameters, around=""):
    reply = (
        f"<a:ReplyTo>{ANONYMOUS}<a:ReferenceParameters{around}>{parameters}"
        "</a:ReferenceParameters></a:ReplyTo>"
    )
    return call("1.1", headers(extra=reply))


def refused(text):
    fault = Fault(exchange("1.1", text))
    assert names(fault, "InvalidAddressingHeader", "InvalidEPR")
    return fault.field("Errors/FieldError/Code")


@pytest.fixture
def canonical(monkeypatch):
    """Count what is made canonical."""
    made = []
    real = addressing.c14n
    monkeypatch.setattr(addressing, "c14n", lambda each: made.append(each.tag) or real(each))
    return made


def test_they_come_back_as_they_were_sent_with_the_prefixes_they_use():
    around = " xmlns:k='urn:k' xmlns:unused='urn:unused'"
    sealed = exchange("1.1", asking("<k:Box kind='z'>7&amp;8<k:In/></k:Box><k:Key/>", around))
    box, key = etree.fromstring(sealed.body)[0][-2:]
    assert (box.text, box.get("kind"), box[0].tag) == ("7&8", "z", "{urn:k}In")
    assert {each.get(ECHOED) for each in (box, key)} == {"true"}
    assert b"urn:unused" not in sealed.body


def test_the_message_stays_as_it_was_signed():
    opened = open_("1.1", asking("<k:Box xmlns:k='urn:k'/>"))
    (reply,) = [block for block in opened.blocks if block.tag.endswith("ReplyTo")]
    assert reply[1][0].attrib == {}


def test_only_so_many_are_taken():
    sealed = exchange("1.1", asking("<k xmlns='urn:k'/>" * limits.REFERENCE_PARAMETERS))
    assert sealed.body.count(b"IsReferenceParameter") == limits.REFERENCE_PARAMETERS
    assert refused(asking("<k xmlns='urn:k'/>" * (limits.REFERENCE_PARAMETERS + 1))) == "too_large"


@pytest.mark.parametrize(
    "parameters",
    [
        "<k xmlns='urn:k'/>" * 20_000,
        f"<k xmlns='urn:k'>{'<k/>' * 40_000}</k>",
        f"<k xmlns='urn:k'>{'v' * 9_000}</k>",
        f"<k xmlns='urn:k' v='{'v' * 9_000}'/>",
        f"<k xmlns='urn:k'><k/>{'v' * 9_000}</k>",
    ],
    ids=["many", "deep", "text", "attribute", "tail"],
)
def test_too_much_is_refused_before_anything_is_made_canonical(canonical, parameters):
    assert refused(asking(parameters)) == "too_large"
    assert canonical == []


def test_the_prefixes_around_are_walked_once_however_many_parameters_there_are(canonical):
    around = "".join(f" xmlns:p{n}='urn:{n}'" for n in range(200))
    exchange("1.1", asking("<p1:b/>" * limits.REFERENCE_PARAMETERS, around))
    assert canonical.count(ns.tag(ns.WSA, "ReferenceParameters")) == 1
    assert len(canonical) == 1 + limits.REFERENCE_PARAMETERS


def test_a_canonical_parameter_has_no_prefix_of_the_message_in_scope(monkeypatch):
    scopes = []
    real = addressing.c14n
    monkeypatch.setattr(addressing, "c14n", lambda e: scopes.append(len(e.nsmap)) or real(e))
    around = "".join(f" xmlns:p{n}='urn:{n}'" for n in range(200))
    exchange("1.1", asking("<p1:b/><p2:b/>", around))
    assert scopes[0] > 200
    assert max(scopes[1:]) < 5


@pytest.mark.parametrize(
    "parameter",
    [
        "<k:b wsu:Id='Body-1'/>",
        "<k:b><k:in wsu:Id='Body-1'/></k:b>",
        "<k:b xml:id='Body-1'/>",
        "<k:b e:actor='urn:other'/>",
        "<k:b e:mustUnderstand='1'/>",
        f"<k:b xmlns:z='{ns.SOAP12}' z:role='urn:other'/>",
        f"<k:b><w:Security xmlns:w='{ns.WSSE}'/></k:b>",
        f"<k:b><k:in><d:Object xmlns:d='{ns.DS}' Id='Body-1'/></k:in></k:b>",
        f"<x:Data xmlns:x='{ns.XENC}' Id='Body-1'/>",
        "<e:Body/>",
    ],
)
def test_nothing_in_them_may_be_taken_for_ours(parameter):
    around = f" xmlns:k='urn:k' xmlns:wsu='{ns.WSU}'"
    assert refused(asking(parameter, around)) == "unexpected"


def test_an_endpoint_within_a_parameter_is_the_applications_own():
    inner = f"<k:b xmlns:k='urn:k' {ECHO}='true'><a:Address>urn:x</a:Address></k:b>"
    sealed = exchange("1.1", asking(inner))
    assert b"Address>urn:x<" in sealed.body


@pytest.mark.parametrize("parameter", ["<b xmlns='AAAA'/>", "<k:b xmlns:k='urn:k' xmlns:r='r'/>"])
def test_a_namespace_that_is_no_absolute_address_is_the_senders_fault(parameter):
    assert refused(asking(parameter)) == "namespace"
