"""What may stand where in a message: SOAP 1.2, Part 1, 5, 5.4.6, 5.4.7 and appendix A."""

import pytest

from gateway import ns
from tests.unit.soap.kit import BODY, SPACE, VERSIONS, Fault, exchange, open_, soap

both = pytest.mark.parametrize("version", VERSIONS)
BLOCK = '<h:Note xmlns:h="urn:h">one</h:Note>'
ENCODING = "http://www.w3.org/2003/05/soap-encoding"
NO_CLAIM = f"{ns.SOAP12}/encoding/none"
PLACES = {"Envelope": "/Envelope", "Header": "/Envelope/Header", "Body": "/Envelope/Body"}


def marked(place, attribute, version="1.2"):
    text = soap(version, header=BLOCK)
    return text.replace(f"<e:{place}", f"<e:{place} {attribute}", 1)


def styled(style, body=BODY, header=""):
    return soap("1.2", body.replace("<GetAppeal", f'<GetAppeal e:encodingStyle="{style}"'), header)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("attribute", ['id="a"', f'e:encodingStyle="{NO_CLAIM}"'])
def test_attributes_of_the_envelope_have_a_namespace_and_none_is_a_style(place, attribute):
    fault = Fault(exchange("1.2", marked(place, attribute)))
    assert (fault.code, fault.field("Errors/FieldError/Code")) == ("Sender", "attribute")
    assert fault.field("Errors/FieldError/Path") == PLACES[place]


@both
@pytest.mark.parametrize("place", PLACES)
def test_attributes_with_a_namespace_may_stand_there(version, place):
    for attribute in (f'xmlns:u="{ns.WSU}" u:Id="a"', 'xml:lang="ru"', 'xml:base="urn:x"'):
        assert open_(version, marked(place, attribute, version)).operation == "GetAppeal"


@pytest.mark.parametrize("place", PLACES)
def test_soap_11_leaves_what_its_clients_put_there(place):
    for attribute in ('id="a"', 'e:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"'):
        assert open_("1.1", marked(place, attribute, "1.1")).operation == "GetAppeal"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<e:Header>", "text<e:Header>"),
        ("<e:Header>", "<e:Header>text"),
        ("</e:Header>", "text</e:Header>"),
        ("<e:Body>", "text<e:Body>"),
        ("</e:Body>", "</e:Body>text"),
    ],
)
def test_only_white_space_stands_between_the_elements(before, after):
    text = soap("1.2", header=BLOCK)
    fault = Fault(exchange("1.2", text.replace(before, after)))
    assert (fault.code, fault.field("Errors/FieldError/Code")) == ("Sender", "text")
    assert open_("1.2", text.replace(before, after.replace("text", "\n\t "))).body is not None


@pytest.mark.parametrize("style", [ENCODING, "http://example.org/PoisonEncoding", "unknown"])
def test_a_body_in_an_encoding_is_told_that_none_is_known(style):
    deep = BODY.replace("<ExternalId", f'<ExternalId e:encodingStyle="{style}"')
    for text in (styled(style), soap("1.2", deep), styled(style).encode("utf-16")):
        media = "application/soap+xml" + ("" if isinstance(text, str) else "; charset=utf-16")
        fault = Fault(exchange("1.2", text, media=media))
        assert (fault.code, fault.field("Code")) == ("DataEncodingUnknown", "encoding_style")
        assert fault.field("Errors/FieldError/Found") == style
        assert "document/literal" in fault.field("Message")


@pytest.mark.parametrize("style", [NO_CLAIM, f" {NO_CLAIM}\n", ""])
def test_a_body_that_claims_no_encoding_is_read(style):
    assert open_("1.2", styled(style)).operation == "GetAppeal"


def test_an_encoding_in_a_block_that_nobody_reads_is_nothing():
    header = BLOCK.replace("<h:Note", f'<h:Note e:encodingStyle="{ENCODING}"')
    assert open_("1.2", soap("1.2", header=header)).operation == "GetAppeal"


def test_an_encoding_in_a_block_that_is_read_is_told():
    header = f'<a:Action xmlns:a="{ns.WSA}" e:encodingStyle="{ENCODING}">x</a:Action>'
    assert Fault(exchange("1.2", soap("1.2", header=header))).code == "DataEncodingUnknown"


def test_a_mandatory_block_is_judged_before_an_encoding():
    header = BLOCK.replace("<h:Note", '<h:Note e:mustUnderstand="1"')
    assert Fault(exchange("1.2", styled(ENCODING, header=header))).code == "MustUnderstand"


def test_an_encoding_of_soap_11_is_passed_over():
    style = 'e:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"'
    text = soap("1.1", BODY.replace("<GetAppeal", f"<GetAppeal {style}"))
    assert open_("1.1", text).operation == "GetAppeal"


@both
def test_marks_of_soap_in_the_body_do_not_hide_what_is_wrong_there(version):
    body = BODY.replace("<GetAppeal", '<GetAppeal e:mustUnderstand="1"').replace("Key>", "Kee>")
    fault = Fault(exchange(version, soap(version, body)))
    assert fault.field("Code") == "validation"
    assert fault.field("Errors/FieldError/Path") == "/GetAppeal/Kee"


@both
@pytest.mark.parametrize("space", ["urn:unknown", "http://schemas.xmlsoap.org/soap/envelope"])
def test_an_unknown_version_is_told_which_ones_are_known(version, space):
    fault = Fault(exchange(version, soap(version).replace(SPACE[version], space)))
    assert fault.code == "VersionMismatch"
    (upgrade,) = fault.blocks
    assert upgrade.tag == ns.tag(ns.SOAP12, "Upgrade")
    assert {each.tag for each in upgrade} == {ns.tag(ns.SOAP12, "SupportedEnvelope")}
    known = [each.nsmap[each.get("qname").partition(":")[0]] for each in upgrade]
    assert known == [ns.SOAP12, ns.SOAP11]
    assert "mustUnderstand" not in str(dict(upgrade.attrib))
