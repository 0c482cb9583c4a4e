"""Every word of ours to СМЭВ is signed by the system; what cannot be signed is known."""

import datetime as dt
from functools import lru_cache

import pytest
from lxml import etree

from adapters.smev.messages import names, read, write
from adapters.smev.messages import types as t
from gateway import contracts, ns, xml, xmldsig
from tests.gost_kit import NOW as AT
from tests.gost_kit import needs_gost, opened, pki

NOW = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
MID = "5f1b6a10-1c2d-11f1-8a3c-a1b2c3d4e5f6"
CONTENT = b'<Appeal xmlns="urn:x" Id="CONTENT"><Text>text</Text></Appeal>'
XSD = "{http://www.w3.org/2001/XMLSchema}"
SELECTOR = t.Selector(now=NOW)


def response(**said):
    data = t.ResponseData(message_id=MID, to="opaque==", **said)
    return lambda version, sign: write.send_response(version, data, sign)


WORDS = {
    "request": lambda version, sign: write.send_request(
        version, t.RequestData(message_id=MID, content=CONTENT), sign
    ),
    "answer": response(content=CONTENT),
    "rejection": response(rejected=(t.RequestRejected(code="NO_DATA", description="нет"),)),
    "state": response(status=t.RequestStatus(code=2, description="Принято")),
    "asking for requests": lambda version, sign: write.get_request(version, SELECTOR, sign),
    "asking for answers": lambda version, sign: write.get_response(version, SELECTOR, sign),
    "asking for states": lambda version, sign: write.get_status(version, NOW, sign),
    "believed": lambda version, sign: write.ack(version, MID, sign),
    "not believed": lambda version, sign: write.ack(version, MID, sign, accepted=False),
}


@lru_cache(1)
def signing():
    return opened()


def sign(element):
    key = signing().keys.current(pki().ours.name, AT)
    return xmldsig.sign(element, key, signing().backend)


@needs_gost
@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("version", t.VERSIONS)
def test_whatever_we_say_is_under_the_signature_of_our_system(version, word):
    """A refusal too: our no to a request is RequestRejected in a signed answer, no SOAP fault."""
    envelope = xml.parse(WORDS[word](version, sign)).root
    assert envelope.find(f".//{{{ns.SOAP11}}}Fault") is None
    call = read.body_child(envelope)
    [holder] = [one for one in call if names.local(one.tag) == "CallerInformationSystemSignature"]
    [signature] = holder
    said = [one for one in call if one is not holder and one.get("Id")]
    assert [one.get("Id") for one in said] == [
        signature.find(f".//{{{ns.DS}}}Reference").get("URI").removeprefix("#")
    ]
    assert xmldsig.verify(signature, said[0], signing().backend).info.sha256


@pytest.mark.parametrize("version", t.VERSIONS)
def test_the_schemas_have_no_place_for_a_signature_in_a_fault(version):
    """Those of the operator say the same: test_schemas holds ours against them."""
    faults = etree.parse(contracts.folder("xsd", f"smev/{version}") / "faults.xsd").getroot()
    types = {one.get("type", "").partition(":")[2] for one in faults.iter(f"{XSD}element")}
    assert "XMLDSigSignatureType" not in types
    assert faults.find(f".//{XSD}any") is None
