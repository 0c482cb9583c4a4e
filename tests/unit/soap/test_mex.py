"""WS-MetadataExchange: what svcutil asks before it asks for ?wsdl."""

from datetime import UTC, datetime

import pytest
from lxml import etree

from gateway import contracts, ns
from gateway.soap import mex
from tests.unit.soap.kit import MEDIA, VERSIONS, Fault, soap

NOW = datetime(2026, 11, 22, tzinfo=UTC)
both = pytest.mark.parametrize("version", VERSIONS)


def ask(version, action, body=""):
    contract = contracts.appeals()
    sections = {
        "wsdl": {ns.APPEALS: contract.bare_wsdl("http://localhost")},
        "xsd": {ns.APPEALS: contract.xsd("appeals-v1")},
    }
    header = (
        f"<a:Action xmlns:a='{ns.WSA}'>{action}</a:Action>"
        f"<a:MessageID xmlns:a='{ns.WSA}'>urn:uuid:1</a:MessageID>"
    )
    text = soap(version, body, header)
    return mex.answer(text.encode(), {"content-type": MEDIA[version]}, NOW, sections, "c-1")


def sections_of(sealed):
    root = etree.fromstring(sealed.body)
    return {e.get("Dialect"): e[0] for e in root.iter(ns.tag(ns.MEX, "MetadataSection"))}


@both
def test_get_is_answered_with_the_description_and_its_schema(version):
    answer = ask(version, mex.GET)
    assert answer.status == 200
    found = sections_of(answer)
    assert list(found) == [ns.WSDL, ns.XSD]
    assert not list(found[ns.WSDL].iter(ns.tag(ns.XSD, "import")))
    assert len(list(found[ns.WSDL].iter(ns.tag(ns.WSDL, "port")))) == 4
    assert etree.XMLSchema(found[ns.XSD])
    root = etree.fromstring(answer.body)
    assert root.findtext(f".//{{{ns.WSA}}}Action") == f"{ns.TRANSFER}/GetResponse"
    assert root.findtext(f".//{{{ns.WSA}}}RelatesTo") == "urn:uuid:1"


@both
def test_one_dialect_may_be_asked_for(version):
    body = f"<m:GetMetadata xmlns:m='{ns.MEX}'><m:Dialect>{ns.XSD}</m:Dialect></m:GetMetadata>"
    answer = ask(version, mex.GET_METADATA, body)
    assert list(sections_of(answer)) == [ns.XSD]
    refused = Fault(ask(version, mex.GET_METADATA, body.replace(ns.XSD, "urn:policy")))
    assert refused.field("Code") == "unsupported"


@both
@pytest.mark.parametrize("action", ["urn:gov:appeals:v1/Ping", "", f"{ns.TRANSFER}/Put"])
def test_nothing_else_is_asked_there(version, action):
    assert Fault(ask(version, action)).code in (
        "Client",
        "Sender",
        "MessageAddressingHeaderRequired",
    )
    body = f"<Ping xmlns='{ns.APPEALS}'/>"
    assert ask(version, f"{ns.APPEALS}/Ping", body).status == 500


@both
def test_a_defect_of_ours_is_a_fault_too(version, monkeypatch):
    monkeypatch.setattr(mex.envelope, "open", lambda *_: 1 / 0)
    fault = Fault(ask(version, mex.GET))
    assert fault.field("Code") == "internal"
