"""SOAP 1.1 and 1.2 on one address: what is taken, what is refused, and how a peer is told."""

from contextlib import suppress

import pytest
from lxml import etree

from gateway import limits, ns
from gateway.errors import InputError
from gateway.wires import binding, contract
from tests.unit.soap.kit import (
    ACTION,
    BODY,
    MEDIA,
    RECEIPT,
    SPACE,
    VERSIONS,
    Fault,
    exchange,
    open_,
    soap,
)

OTHER = {"1.1": "1.2", "1.2": "1.1"}
SENDER = {"1.1": "Client", "1.2": "Sender"}
both = pytest.mark.parametrize("version", VERSIONS)


@both
def test_a_call_is_opened_and_answered_in_its_own_version(version):
    call = open_(version, soap(version))
    assert call.operation == "GetAppeal"
    assert call.action == ACTION
    assert binding.read(contract.GetAppeal, call.body).key.external_id == "проба"
    sealed = exchange(version, soap(version))
    assert sealed.status == 200
    assert sealed.content_type == MEDIA[version]
    root = etree.fromstring(sealed.body)
    assert root.tag == ns.tag(SPACE[version], "Envelope")
    assert [etree.QName(node).localname for node in root] == ["Body"]
    assert etree.tostring(root[0][0], encoding="unicode").startswith("<Тело")


@both
@pytest.mark.parametrize("prefix", ["soap", "s", "SOAP-ENV"])
def test_any_prefix_and_white_space_will_do(version, prefix):
    text = soap(version, f"\n  {BODY}\r\n ", prefix=prefix).replace("><", ">\n<")
    assert open_(version, text).operation == "GetAppeal"


@both
def test_comments_and_instructions_change_nothing(version):
    body = BODY.replace("проба", "А-<!-- -->1<?pi x?>").replace("<Key>", "<!-- x --><Key>")
    text = "<!-- before -->" + soap(version, body + "<!-- after -->")
    call = open_(version, text)
    assert binding.read(contract.GetAppeal, call.body).key.external_id == "А-1"


@both
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "windows-1251", "utf-8-sig"])
def test_an_answer_comes_in_the_encoding_of_the_request(version, encoding):
    label = {"utf-16-be": "utf-16", "utf-8-sig": "utf-8"}.get(encoding, encoding)
    media = f"{MEDIA[version].partition(';')[0]}; charset={label}"
    data = soap(version).encode(encoding)
    if encoding == "utf-16-be":
        data = b"\xfe\xff" + data
    call = open_(version, data, media=media)
    assert binding.read(contract.GetAppeal, call.body).key.external_id == "проба"
    sealed = exchange(version, data, media=media)
    assert sealed.content_type == media
    assert etree.fromstring(sealed.body)[0][0].text == "ответ"
    assert "ответ" in sealed.body.decode(label)
    fault = exchange(version, soap(version, "<x/>").encode(encoding), media=media)
    assert fault.content_type == media
    assert "no such operation" in fault.body.decode(label)


@both
def test_the_declared_encoding_counts_when_http_says_nothing(version):
    media = MEDIA[version].partition(";")[0]
    text = '<?xml version="1.0" encoding="windows-1251"?>' + soap(version)
    sealed = exchange(version, text.encode("cp1251"), media=media)
    assert sealed.content_type == f"{media}; charset=windows-1251"
    assert b'encoding="windows-1251"' in sealed.body
    assert "ответ".encode("cp1251") in sealed.body


@both
def test_http_wins_over_the_declaration(version):
    media = f"{MEDIA[version].partition(';')[0]}; charset=windows-1251"
    text = '<?xml version="1.0" encoding="utf-8"?>' + soap(version)
    call = open_(version, text.encode("cp1251"), media=media)
    assert binding.read(contract.GetAppeal, call.body).key.external_id == "проба"


@both
def test_characters_that_windows_1251_lacks_become_references(version):
    media = f"{MEDIA[version].partition(';')[0]}; charset=windows-1251"
    body = f'<FindAppeals xmlns="{ns.APPEALS}"><State>\U0001f3e0</State></FindAppeals>'
    text = soap(version, body)
    sealed = exchange(version, text.encode("cp1251", "xmlcharrefreplace"), media=media)
    assert "\U0001f3e0" in Fault(sealed).field("Errors/FieldError/Found")


@both
@pytest.mark.parametrize("charset", ["koi8-r", "utf-32", "no-such", "x" * 300])
def test_an_encoding_not_offered_is_refused_in_utf8(version, charset):
    media = f"{MEDIA[version].partition(';')[0]}; charset={charset}"
    fault = Fault(exchange(version, soap(version), media=media))
    assert fault.field("Code") == "unsupported"
    assert fault.field("Errors/FieldError/Expected") == "utf-8, utf-16 or windows-1251"
    assert fault.content_type.endswith("charset=utf-8")


@both
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"<a>",
        b"{}",
        soap("1.1").encode()[:-5],
        soap("1.1").encode("cp1251"),
        soap("1.1", BODY.replace("проба", "\x00")).encode(),
        soap("1.1", BODY.replace("проба", "&#xD800;")).encode(),
        soap("1.1", BODY.replace("проба", "\ud800")).encode("utf-8", "surrogatepass"),
        soap("1.1", BODY.replace("проба", "&e;")).encode(),
        b"<Envelope",
        b"\xff\xfe<\x00",
    ],
)
def test_bytes_that_are_not_xml_are_malformed(version, data):
    fault = Fault(exchange(version, data))
    assert (fault.code, fault.field("Code")) == (SENDER[version], "malformed")


def bare_in_soap_11(fault, code):
    """SOAP 1.1 allows a detail for faults about the Body only (4.4), SOAP 1.2 for all (5.4.5)."""
    if fault.version == "1.1":
        assert fault.detail is None
    else:
        assert fault.field("Code") == code
        assert fault.field("CorrelationId")


@both
def test_a_syntax_error_says_where(version):
    fault = Fault(exchange(version, soap(version).replace("</Key>", "\n</Kee>")))
    assert fault.field("Errors/FieldError/Path") == "/"
    assert fault.field("Errors/FieldError/Line") == "2"
    assert "(column " in fault.field("Errors/FieldError/Message")
    assert "mismatch" in fault.field("Message")


@both
def test_letters_of_windows_1251_in_what_is_said_to_be_utf8_are_recognised(version):
    call = soap(version, BODY.replace("проба", "Течёт кровля")).encode("windows-1251")
    fault = Fault(exchange(version, call))
    assert fault.field("Code") == "malformed"
    assert "charset=windows-1251" in fault.field("Message")
    cut = Fault(exchange(version, soap(version, BODY).encode().replace("п".encode(), b"\xd0")))
    assert "windows-1251" not in cut.field("Message")


@both
@pytest.mark.parametrize(
    "prologue",
    [
        "<!DOCTYPE e>",
        '<!DOCTYPE e SYSTEM "http://127.0.0.1:9/x.dtd">',
        '<!DOCTYPE e [<!ENTITY x "y">]>',
        '<!DOCTYPE e [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE e [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p"> %p;]>',
        "<!DOCTYPE e [<!ENTITY a0 'ha'>"
        + "".join(f"<!ENTITY a{i} '{f'&a{i - 1};' * 10}'>" for i in range(1, 12))
        + "]>",
    ],
)
@pytest.mark.parametrize("entity", ["проба", "&x;", "&a11;"])
def test_a_document_type_is_refused_and_nothing_is_expanded(version, prologue, entity):
    text = prologue + soap(version, BODY.replace("проба", entity))
    for encoding in ("utf-8", "utf-16"):
        media = f"{MEDIA[version].partition(';')[0]}; charset={encoding}"
        fault = Fault(exchange(version, text.encode(encoding), media=media))
        assert fault.field("Code") == "malformed"
        assert "document type" in fault.field("Message")


@both
@pytest.mark.parametrize(
    "header",
    [
        "<a>" * 101 + "</a>" * 101,
        "<a>" * 300 + "</a>" * 300,
        "<b/>" * (limits.SOAP_ROOT_NODES + 1),
        "<b " + " ".join(f'a{i}="1"' for i in range(limits.SOAP_ROOT_NODES + 1)) + "/>",
        "<b " + " ".join(f"a{i} = '>'" for i in range(limits.SOAP_ROOT_NODES + 1)) + "/>",
    ],
    ids=["depth", "more depth", "elements", "attributes", "quoted attributes"],
)
def test_depth_and_number_of_nodes_are_bounded(version, header):
    fault = Fault(exchange(version, soap(version, header=header)))
    assert fault.field("Code") == "too_large"


@both
def test_many_signs_that_are_not_nodes_are_no_reason_to_refuse(version):
    body = BODY.replace("</Key>", "</Key><!--" + "<=" * limits.SOAP_ROOT_NODES + "-->")
    assert open_(version, soap(version, body)).operation == "GetAppeal"


@both
def test_a_document_past_the_limit_is_not_parsed(version):
    fault = Fault(exchange(version, b"<" * (limits.SOAP_ROOT_BYTES + 1)))
    assert fault.field("Code") == "too_large"


@both
def test_the_media_type_must_announce_the_version_of_the_envelope(version):
    fault = Fault(exchange(OTHER[version], soap(version)))
    assert fault.version == OTHER[version]
    assert fault.code == "VersionMismatch"
    bare_in_soap_11(fault, "version_mismatch")


@both
@pytest.mark.parametrize("space", ["urn:unknown", "http://www.w3.org/2001/12/soap-envelope"])
def test_an_unknown_envelope_is_a_version_mismatch(version, space):
    fault = Fault(exchange(version, soap(version).replace(SPACE[version], space)))
    assert fault.code == "VersionMismatch"
    if version == "1.2":
        (upgrade,) = fault.blocks
        assert upgrade.tag == ns.tag(ns.SOAP12, "Upgrade")
        spoken = [node.nsmap[node.get("qname").split(":")[0]] for node in upgrade]
        assert spoken == [ns.SOAP12, ns.SOAP11]


@both
@pytest.mark.parametrize("text", ["<Envelope/>", f'<GetAppeal xmlns="{ns.APPEALS}"/>'])
def test_what_is_no_envelope_is_refused(version, text):
    fault = Fault(exchange(version, text))
    assert fault.code in (SENDER[version], "VersionMismatch")


def one_call(version, inside):
    return f'<e:Envelope xmlns:e="{SPACE[version]}">{inside}</e:Envelope>'


@both
@pytest.mark.parametrize(
    ("inside", "path", "code"),
    [
        ("", "/Envelope", "unexpected"),
        ("<e:Header/>", "/Envelope", "unexpected"),
        (f"<e:Body>{BODY}</e:Body><e:Body>{BODY}</e:Body>", "/Envelope", "unexpected"),
        (f"<e:Body>{BODY}</e:Body><e:Header/>", "/Envelope", "unexpected"),
        (f"<e:Header/><e:Header/><e:Body>{BODY}</e:Body>", "/Envelope", "unexpected"),
        (f"<e:Body>{BODY}</e:Body><x/>", "/Envelope", "unexpected"),
        (f"<Body>{BODY}</Body>", "/Envelope", "unexpected"),
        ("<e:Body/>", "/Envelope/Body", "required"),
        ("<e:Body> <!-- --> </e:Body>", "/Envelope/Body", "required"),
        (f"<e:Body>{BODY}{BODY}</e:Body>", "/Envelope/Body", "unexpected"),
        (f"<e:Body>text{BODY}</e:Body>", "/Envelope/Body", "text"),
        (f"<e:Body>{BODY}text</e:Body>", "/Envelope/Body", "text"),
    ],
)
def test_an_envelope_has_one_body_and_a_body_one_child(version, inside, path, code):
    fault = Fault(exchange(version, one_call(version, inside)))
    assert (fault.code, fault.field("Code")) == (SENDER[version], "validation")
    assert fault.field("Errors/FieldError/Path") == path
    assert fault.field("Errors/FieldError/Code") == code


@pytest.mark.parametrize("place", ["e:Envelope", "e:Body"])
def test_soap_12_has_no_encoding_style_on_envelope_and_body(place):
    text = soap("1.2").replace(f"<{place}", f'<{place} e:encodingStyle="urn:x"', 1)
    assert Fault(exchange("1.2", text)).field("Errors/FieldError/Code") == "attribute"


@both
@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("<Nope/>", "Nope"),
        (f'<Nope xmlns="{ns.APPEALS}"/>', f"{{{ns.APPEALS}}}Nope"),
        ("<GetAppeal/>", "GetAppeal"),
        (f'<GetAppealResponse xmlns="{ns.APPEALS}"/>', f"{{{ns.APPEALS}}}GetAppealResponse"),
    ],
)
def test_dispatch_is_by_the_full_name_of_the_body_element(version, inner, expected):
    fault = Fault(exchange(version, soap(version, inner)))
    assert fault.field("Code") == "unknown_operation"
    assert fault.field("Errors/FieldError/Found") == expected
    assert "SubmitAppeal" in fault.field("Errors/FieldError/Expected")


@pytest.mark.parametrize("given", [f'"{ACTION}"', ACTION, '""', "", f' "{ACTION}" '])
def test_soap_action_agrees_with_the_body_or_is_left_out(given):
    assert open_("1.1", soap("1.1"), soapaction=given).operation == "GetAppeal"


@pytest.mark.parametrize("given", ["", f'; action="{ACTION}"', f"; action={ACTION}", "; action="])
def test_the_action_parameter_agrees_with_the_body_or_is_left_out(given):
    assert open_("1.2", soap("1.2"), media=MEDIA["1.2"] + given).operation == "GetAppeal"


def test_an_action_of_another_operation_is_refused():
    other = f"{ns.APPEALS}/SubmitAppeal"
    first = Fault(exchange("1.1", soap("1.1"), soapaction=f'"{other}"'))
    second = Fault(exchange("1.2", soap("1.2"), media=f'{MEDIA["1.2"]}; action="{other}"'))
    for fault in (first, second):
        assert fault.field("Code") == "unknown_operation"
        assert fault.field("Errors/FieldError/Found") == other
        assert fault.field("Errors/FieldError/Expected") == ACTION


def test_a_soap_action_header_says_nothing_in_soap_12():
    assert open_("1.2", soap("1.2"), soapaction='"urn:other"').operation == "GetAppeal"


UNKNOWN = '<h:Transaction xmlns:h="urn:h" {}>5</h:Transaction>'
NEXT = {"1.1": "http://schemas.xmlsoap.org/soap/actor/next", "1.2": f"{ns.SOAP12}/role/next"}
ROLE = {"1.1": "actor", "1.2": "role"}


@both
@pytest.mark.parametrize("value", ["1", "true", " 1 "])
@pytest.mark.parametrize("role", ["", "next", "ultimate"])
def test_a_mandatory_header_for_us_that_we_do_not_know_stops_the_call(version, value, role):
    target = {"next": NEXT[version], "ultimate": f"{ns.SOAP12}/role/ultimateReceiver"}.get(role, "")
    attributes = f'e:mustUnderstand="{value}" e:{ROLE[version]}="{target}"'
    fault = Fault(exchange(version, soap(version, header=UNKNOWN.format(attributes))))
    assert fault.code == "MustUnderstand"
    bare_in_soap_11(fault, "must_understand")
    assert "{urn:h}Transaction" in fault.reasons["en"]
    if version == "1.2":
        (block,) = fault.blocks
        assert block.tag == ns.tag(ns.SOAP12, "NotUnderstood")
        prefix, local = block.get("qname").split(":")
        assert (block.nsmap[prefix], local) == ("urn:h", "Transaction")


@both
@pytest.mark.parametrize("attributes", ["", 'e:mustUnderstand="0"', 'e:mustUnderstand="false"'])
def test_a_header_that_is_not_mandatory_is_left_alone(version, attributes):
    assert open_(version, soap(version, header=UNKNOWN.format(attributes))).body is not None


@both
def test_a_mandatory_header_for_somebody_else_is_left_alone(version):
    attributes = f'e:mustUnderstand="1" e:{ROLE[version]}="urn:a-router"'
    call = open_(version, soap(version, header=UNKNOWN.format(attributes)))
    assert call.blocks == ()


def test_the_role_none_of_soap_12_is_nobody():
    attributes = f'e:mustUnderstand="1" e:role="{ns.SOAP12}/role/none"'
    assert open_("1.2", soap("1.2", header=UNKNOWN.format(attributes))).blocks == ()


@both
def test_a_mandatory_security_header_is_refused_until_it_is_checked(version):
    header = f'<w:Security xmlns:w="{ns.WSSE}" e:mustUnderstand="1"/>'
    assert Fault(exchange(version, soap(version, header=header))).code == "MustUnderstand"
    assert open_(version, soap(version, header=header.replace('"1"', '"0"'))).body is not None


@both
def test_every_header_not_understood_is_named(version):
    header = "".join(
        UNKNOWN.replace("urn:h", f"urn:{i}").format('e:mustUnderstand="1"') for i in "ab"
    )
    fault = Fault(exchange(version, soap(version, header=header)))
    assert "{urn:a}Transaction, {urn:b}Transaction" in fault.reasons["en"]
    assert len(fault.blocks) == (2 if version == "1.2" else 0)


@both
def test_a_body_against_the_schema_says_path_line_and_reason(version):
    text = soap(version, BODY.replace("<Key>", "\n<Key>\n").replace("проба", " two  spaces"))
    fault = Fault(exchange(version, text))
    assert fault.field("Code") == "validation"
    assert fault.field("Errors/FieldError/Path") == "/GetAppeal/Key/ExternalId"
    assert fault.field("Errors/FieldError/Line") == "3"
    assert fault.field("Errors/FieldError/Code") == "pattern"
    assert fault.field("Errors/FieldError/Found") == "two  spaces"


@both
def test_at_most_twenty_violations_are_told(version):
    links = "<Link><Kind>z</Kind><Number>1</Number></Link>" * 30
    body = (
        f'<SubmitAppeal xmlns="{ns.APPEALS}"><Appeal><ExternalId>a</ExternalId>'
        f"<Links>{links}</Links></Appeal></SubmitAppeal>"
    )
    fault = Fault(exchange(version, soap(version, body)))
    paths = [node.text for node in fault.detail.iter(ns.tag(ns.APPEALS, "Path"))]
    assert paths == [f"/SubmitAppeal/Appeal/Links/Link[{i}]/Kind" for i in range(1, 21)]


@both
@pytest.mark.parametrize("scope", ["envelope", "body"])
def test_a_type_named_by_a_prefix_of_the_envelope_is_understood(version, scope):
    declared = f' xmlns:t="{ns.APPEALS}" xmlns:i="{ns.XSI}"'
    place = "e:Envelope" if scope == "envelope" else "GetAppeal"
    body = BODY.replace("<Key>", '<Key i:type="t:AppealKey">')
    text = soap(version, body).replace(f"<{place}", f"<{place}{declared}", 1)
    assert open_(version, text).operation == "GetAppeal"


def test_an_error_in_opening_is_always_the_peers():
    for text in ("", "<a/>", soap("1.1", "<x/>"), soap("1.1", header=UNKNOWN.format(""))):
        with suppress(InputError):
            open_("1.1", text)


def test_the_answer_is_the_body_as_it_was_given():
    assert RECEIPT in exchange("1.1", soap("1.1")).body
