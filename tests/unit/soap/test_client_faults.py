"""Faults as the stacks of our peers spell them, and what each says about our delivery."""

from __future__ import annotations

import contextlib
import random

import pytest

from gateway import errors, limits, ns
from gateway.errors import GatewayError, PeerDoubtful, PeerRefused, PeerUnavailable
from gateway.outbound import Answered, Response
from gateway.soap import answers, faults
from gateway.soap.frame import Frame

A = ns.APPEALS
WCF = "http://schemas.microsoft.com/net/2005/12/windowscommunicationfoundation/dispatcher"


def envelope11(fault, *, prefix="s", header=""):
    return (
        f'<{prefix}:Envelope xmlns:{prefix}="{ns.SOAP11}">{header}<{prefix}:Body>{fault}'
        f"</{prefix}:Body></{prefix}:Envelope>"
    )


def envelope12(fault, *, prefix="s", header=""):
    return envelope11(fault, prefix=prefix, header=header).replace(ns.SOAP11, ns.SOAP12)


def answer(text, status=500, media="text/xml; charset=utf-8", **headers):
    data = text if isinstance(text, bytes) else text.encode()
    return Response(status, {"content-type": media, **headers}, data)


def told(response, message_id=""):
    with pytest.raises((PeerRefused, PeerUnavailable, PeerDoubtful)) as caught:
        answers.receipt(response, "partner", message_id)
    assert isinstance(caught.value.__cause__, Answered), "the bytes stand behind the error"
    assert caught.value.__cause__.response is response
    return caught.value


MONO_NONE = "http://schemas.microsoft.com/ws/2005/05/addressing/none"
MONO_HEADER = (
    f'<s:Header><Action s:mustUnderstand="1" xmlns="{MONO_NONE}">{A}IBack/SubmitStatusFault'
    "</Action></s:Header>"
)
MONO_TYPED = '<?xml version="1.0" encoding="utf-8"?>' + envelope11(
    '<s:Fault><faultcode>Sender</faultcode><faultstring xml:lang="">нет</faultstring><detail>'
    f'<StateFault xmlns:i="{ns.XSI}" xmlns="{A}"><Code>state</Code></StateFault></detail>'
    "</s:Fault>",
    header=MONO_HEADER,
)
MONO_BUSY_12 = '\ufeff<?xml version="1.0" encoding="utf-8"?>' + envelope12(
    "<s:Fault><s:Code><s:Value>Receiver</s:Value><s:Subcode><s:Value xmlns:a='urn:x'>a:x</s:Value>"
    '</s:Subcode></s:Code><s:Reason><s:Text xml:lang="">позже</s:Text></s:Reason><s:Detail>'
    f'<BusyFault xmlns:i="{ns.XSI}" xmlns="{A}"><Code>busy</Code></BusyFault></s:Detail></s:Fault>',
    header=MONO_HEADER,
)
MONO_DEFECT_12 = '\ufeff<?xml version="1.0" encoding="utf-8"?>' + envelope12(
    f'<s:Fault><s:Code><s:Value xmlns:a="{MONO_NONE}">a:InternalServiceFault</s:Value></s:Code>'
    '<s:Reason><s:Text xml:lang="">The server was unable to process the request</s:Text>'
    "</s:Reason></s:Fault>"
)
WCF_TYPED = envelope11(
    '<s:Fault><faultcode>s:Client</faultcode><faultstring xml:lang="ru-RU">Ошибка</faultstring>'
    f'<detail><StateFault xmlns="{A}" xmlns:i="{ns.XSI}"><Code>state</Code></StateFault></detail>'
    "</s:Fault>"
)
WCF_TYPED_12 = envelope12(
    '<s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code><s:Reason><s:Text xml:lang="en-US">no'
    f'</s:Text></s:Reason><s:Detail><ConflictFault xmlns="{A}"><Code>conflict</Code>'
    "</ConflictFault></s:Detail></s:Fault>"
)
WCF_UNKNOWN = envelope11(
    f'<s:Fault><faultcode xmlns:a="{WCF}">a:InternalServiceFault</faultcode>'
    '<faultstring xml:lang="en-US">The server was unable to process the request.</faultstring>'
    "</s:Fault>"
)
WCF_UNREADABLE = envelope11(
    f'<s:Fault><faultcode xmlns:a="{WCF}">a:DeserializationFailed</faultcode>'
    '<faultstring xml:lang="en-US">The formatter threw an exception</faultstring></s:Fault>'
)
WCF_SECURITY = envelope11(
    f'<s:Fault><faultcode xmlns:o="{ns.WSSE}">o:InvalidSecurity</faultcode>'
    '<faultstring xml:lang="en-US">An error occurred when verifying security for the message.'
    "</faultstring></s:Fault>"
)
WCF_SECURITY_12 = envelope12(
    "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode>"
    f'<s:Value xmlns:a="{ns.WSSE}">a:FailedAuthentication</s:Value></s:Subcode></s:Code>'
    '<s:Reason><s:Text xml:lang="en-US">denied</s:Text></s:Reason></s:Fault>'
)
WCF_BUSY = envelope12(
    "<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode>"
    f'<s:Value xmlns:a="{WCF}">a:ServerTooBusy</s:Value></s:Subcode></s:Code>'
    '<s:Reason><s:Text xml:lang="en-US">busy</s:Text></s:Reason></s:Fault>'
)
WCF_ACTION = envelope11(
    f'<s:Fault><faultcode xmlns:a="{ns.WSA}">a:ActionNotSupported</faultcode>'
    '<faultstring xml:lang="en-US">cannot be processed at the receiver</faultstring></s:Fault>'
)
JAX_WS_TYPED = envelope11(
    f'<S:Fault xmlns:ns4="{ns.SOAP12}"><faultcode>S:Server</faultcode>'
    "<faultstring>validation</faultstring><detail>"
    f'<ns2:ValidationFault xmlns:ns2="{A}"><ns2:Code>validation</ns2:Code></ns2:ValidationFault>'
    "</detail></S:Fault>",
    prefix="S",
)
JAX_WS_DEFECT = envelope11(
    f'<S:Fault xmlns:ns4="{ns.SOAP12}"><faultcode>S:Server</faultcode>'
    "<faultstring>null</faultstring><detail>"
    '<ns2:exception xmlns:ns2="http://jax-ws.dev.java.net/" class="java.lang.NullPointerException">'
    "<message>BusyFault</message><ns2:stackTrace/></ns2:exception></detail></S:Fault>",
    prefix="S",
)
JAX_WS_TYPED_12 = envelope12(
    f'<ns3:Fault xmlns:ns3="{ns.SOAP12}" xmlns:ns4="{ns.SOAP11}"><ns3:Code><ns3:Value>ns3:Receiver'
    "</ns3:Value></ns3:Code><ns3:Reason><ns3:Text xml:lang='en'>busy</ns3:Text></ns3:Reason>"
    f'<ns3:Detail><ns2:BusyFault xmlns:ns2="{A}"/></ns3:Detail></ns3:Fault>',
    prefix="S",
)
JAX_WS_UNADDRESSED = envelope11(
    f'<E:Fault xmlns:E="{ns.SOAP11}"><faultcode xmlns:E="{ns.SOAP11}" xmlns:wsa="{ns.WSA}">'
    "wsa:MessageAddressingHeaderRequired</faultcode><faultstring>A required header representing a"
    " Message Addressing Property is not present</faultstring></E:Fault>",
    prefix="S",
    header=f'<S:Header><FaultDetail xmlns="{ns.WSA}"><ProblemHeaderQName>{{{ns.WSA}}}Action'
    "</ProblemHeaderQName></FaultDetail></S:Header>",
)
JAX_WS_UNADDRESSED_12 = envelope12(
    f'<env:Fault xmlns:env="{ns.SOAP12}"><env:Code><env:Value>env:Sender</env:Value><env:Subcode>'
    f'<env:Value xmlns:wsa="{ns.WSA}">wsa:MessageAddressingHeaderRequired</env:Value><env:Subcode>'
    f'<env:Value xmlns:wsa="{ns.WSA}">wsa:MessageAddressingHeaderRequired</env:Value></env:Subcode>'
    '</env:Subcode></env:Code><env:Reason><env:Text xml:lang="en">not present</env:Text>'
    f'</env:Reason><env:Detail><ns2:ProblemHeaderQName xmlns:ns2="{ns.WSA}">ns2:Action'
    "</ns2:ProblemHeaderQName></env:Detail></env:Fault>",
    prefix="S",
)
JAX_WS_MUST_12 = envelope12(
    f'<S:Fault xmlns:ns4="{ns.SOAP11}"><S:Code><S:Value>S:MustUnderstand</S:Value></S:Code>'
    '<S:Reason><S:Text xml:lang="en">One or more mandatory SOAP header blocks not understood'
    "</S:Text></S:Reason></S:Fault>",
    prefix="S",
    header=f'<S:Header><NotUnderstood xmlns:abc="{ns.WSSE}" xmlns="{ns.SOAP12}" '
    'qname="abc:Security"/></S:Header>',
)
METRO_VERSION = envelope11(
    "<S:Fault><faultcode>S:VersionMismatch</faultcode><faultstring>Couldn't create SOAP message."
    " Expecting Envelope in another namespace</faultstring></S:Fault>",
    prefix="S",
)
PHP_UNTYPED = envelope11(
    "<SOAP-ENV:Fault><faultcode>SOAP-ENV:Server</faultcode><faultstring>later</faultstring>"
    "<detail><BusyFault><Code>busy</Code></BusyFault></detail></SOAP-ENV:Fault>",
    prefix="SOAP-ENV",
)
PHP_NESTED = envelope11(
    "<SOAP-ENV:Fault><faultcode>SOAP-ENV:Server</faultcode><faultstring>нет</faultstring><detail>"
    "<item><key>NotFoundFault</key><value><item><key>Code</key><value>not_found</value></item>"
    "</value></item></detail></SOAP-ENV:Fault>",
    prefix="SOAP-ENV",
)
PHP_12 = envelope12(
    "<env:Fault><env:Code><env:Value>env:Sender</env:Value></env:Code><env:Reason><env:Text>"
    "Procedure 'X' not present</env:Text></env:Reason></env:Fault>",
    prefix="env",
)
PHP_OWN_CODE = envelope11(
    "<SOAP-ENV:Fault><faultcode>42</faultcode><faultstring>?</faultstring></SOAP-ENV:Fault>",
    prefix="SOAP-ENV",
)
GSOAP = envelope11(
    "<SOAP-ENV:Fault><faultcode>SOAP-ENV:Client</faultcode><faultstring>Validation constraint"
    f' violation</faultstring><detail><ns1:ValidationFault xmlns:ns1="{A}"/></detail>'
    "</SOAP-ENV:Fault>",
    prefix="SOAP-ENV",
)
GSOAP_12 = envelope12(
    "<SOAP-ENV:Fault><SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:Receiver</SOAP-ENV:Value>"
    "</SOAP-ENV:Code><SOAP-ENV:Reason><SOAP-ENV:Text>end of file</SOAP-ENV:Text></SOAP-ENV:Reason>"
    "</SOAP-ENV:Fault>",
    prefix="SOAP-ENV",
)
GSOAP_MUST = envelope12(
    "<SOAP-ENV:Fault><SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:MustUnderstand</SOAP-ENV:Value>"
    "</SOAP-ENV:Code><SOAP-ENV:Reason><SOAP-ENV:Text>no</SOAP-ENV:Text></SOAP-ENV:Reason>"
    "</SOAP-ENV:Fault>",
    prefix="SOAP-ENV",
)
AXIS = envelope11(
    "<soapenv:Fault><faultcode>soapenv:Server.userException</faultcode><faultstring>SQL"
    "</faultstring><detail/></soapenv:Fault>",
    prefix="soapenv",
)
AXIS_CLIENT = envelope11(
    "<soapenv:Fault><faultcode>soapenv:Client.Authentication</faultcode><faultstring>who?"
    "</faultstring></soapenv:Fault>",
    prefix="soapenv",
)
CXF_SECURITY = envelope11(
    '<soap:Fault><faultcode xmlns:ns1="http://ws.apache.org/wss4j">ns1:SecurityError</faultcode>'
    "<faultstring>A security error was encountered when verifying the message</faultstring>"
    "</soap:Fault>",
    prefix="soap",
)
LOST_PREFIX = envelope11(
    "<soap:Fault><faultcode>wsse:FailedAuthentication</faultcode><faultstring>no</faultstring>"
    "</soap:Fault>",
    prefix="soap",
)
QUALIFIED_11 = envelope11(
    "<s:Fault><s:faultcode>s:Client</s:faultcode><s:faultstring>no</s:faultstring></s:Fault>"
)
ACCESS = envelope11(
    f"<s:Fault><faultcode>s:Client</faultcode><faultstring>no</faultstring><detail><AccessFault "
    f'xmlns="{A}"/></detail></s:Fault>'
)
UNREACHABLE = envelope12(
    "<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode>"
    f'<s:Value xmlns:w="{ns.WSA}">w:EndpointUnavailable</s:Value></s:Subcode></s:Code><s:Reason>'
    f'<s:Text xml:lang="en">down</s:Text></s:Reason><s:Detail><w:RetryAfter xmlns:w="{ns.WSA}">'
    "5000</w:RetryAfter></s:Detail></s:Fault>"
)
WITHOUT_CODE = envelope11("<s:Fault><faultstring>нечто</faultstring></s:Fault>")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (MONO_TYPED, PeerRefused),
        (MONO_BUSY_12, PeerUnavailable),
        (MONO_DEFECT_12, PeerDoubtful),
        (WCF_TYPED, PeerRefused),
        (WCF_TYPED_12, PeerRefused),
        (WCF_UNKNOWN, PeerDoubtful),
        (WCF_UNREADABLE, PeerRefused),
        (WCF_SECURITY, PeerRefused),
        (WCF_SECURITY_12, PeerRefused),
        (WCF_BUSY, PeerUnavailable),
        (WCF_ACTION, PeerRefused),
        (JAX_WS_TYPED, PeerRefused),
        (JAX_WS_DEFECT, PeerDoubtful),
        (JAX_WS_TYPED_12, PeerUnavailable),
        (JAX_WS_UNADDRESSED, PeerRefused),
        (JAX_WS_UNADDRESSED_12, PeerRefused),
        (JAX_WS_MUST_12, PeerRefused),
        (METRO_VERSION, PeerRefused),
        (PHP_UNTYPED, PeerUnavailable),
        (PHP_NESTED, PeerRefused),
        (PHP_12, PeerRefused),
        (PHP_OWN_CODE, PeerDoubtful),
        (GSOAP, PeerRefused),
        (GSOAP_12, PeerDoubtful),
        (GSOAP_MUST, PeerRefused),
        (AXIS, PeerDoubtful),
        (AXIS_CLIENT, PeerRefused),
        (CXF_SECURITY, PeerRefused),
        (LOST_PREFIX, PeerRefused),
        (QUALIFIED_11, PeerRefused),
        (ACCESS, PeerRefused),
        (UNREACHABLE, PeerUnavailable),
        (WITHOUT_CODE, PeerDoubtful),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
@pytest.mark.parametrize("status", [500, 400, 200])
def test_a_fault_means_the_same_whatever_the_stack_and_the_status(text, kind, status):
    assert type(told(answer(text, status))) is kind


@pytest.mark.parametrize(
    "text", [WCF_SECURITY, WCF_SECURITY_12, CXF_SECURITY, LOST_PREFIX, ACCESS], ids=range(5)
)
def test_a_refusal_of_our_credentials_says_where_to_look(text):
    error = told(answer(text))
    assert "password_file" in error.todo
    assert "credentials" in error.message


@pytest.mark.parametrize(
    "text",
    [
        METRO_VERSION,
        GSOAP_MUST,
        WCF_ACTION,
        JAX_WS_UNADDRESSED,
        JAX_WS_UNADDRESSED_12,
        JAX_WS_MUST_12,
    ],
    ids=range(6),
)
def test_a_refusal_of_our_headers_says_which_options_choose_them(text):
    assert "addressing" in told(answer(text)).todo


def test_the_peers_words_are_evidence_and_no_part_of_what_is_shown_to_everybody():
    error = told(answer(WCF_TYPED_12))
    assert error.found == "Sender: no"
    assert "no" not in error.message.split()
    assert error.message == "partner refused: ConflictFault"


@pytest.mark.parametrize(
    ("status", "headers", "kind"),
    [
        (500, {"retry-after": "30"}, PeerUnavailable),
        (503, {}, PeerUnavailable),
        (429, {}, PeerUnavailable),
        (401, {}, PeerRefused),
        (403, {}, PeerRefused),
    ],
)
def test_a_servers_fault_is_read_together_with_what_http_says(status, headers, kind):
    assert type(told(answer(GSOAP_12, status, **headers))) is kind


@pytest.mark.parametrize(
    ("status", "hint"),
    [(401, "password_file"), (403, "password_file"), (407, "proxy"), (415, "soap12"), (404, "")],
)
def test_a_refusal_without_soap_says_where_to_look_too(status, hint):
    error = told(Response(status, {}, b"<html>no</html>"))
    assert isinstance(error, PeerRefused)
    assert hint in error.todo
    assert bool(error.todo) == bool(hint)


OURS, OTHER = "urn:uuid:1", "urn:uuid:2"
OK = (
    f'<SubmitStatusResponse xmlns="{A}"><R><ReceiptNumber>77</ReceiptNumber></R>'
    "</SubmitStatusResponse>"
)


def related(*ids, kind="", space=ns.WSA):
    attribute = f' RelationshipType="{kind}"' if kind else ""
    blocks = "".join(
        f'<w:RelatesTo xmlns:w="{space}"{attribute}>{id_}</w:RelatesTo>' for id_ in ids
    )
    return f"<s:Header>{blocks}</s:Header>"


@pytest.mark.parametrize("space", [ns.WSA, ns.WSA_2004])
@pytest.mark.parametrize("body", [OK, WCF_TYPED.split("Body>")[1][:-4]], ids=["answer", "fault"])
def test_an_answer_to_another_message_settles_nothing(space, body):
    error = told(answer(envelope11(body, header=related(OTHER, space=space))), OURS)
    assert isinstance(error, PeerDoubtful)
    assert (error.found, error.expected) == (OTHER, OURS)


@pytest.mark.parametrize(
    "header",
    [
        "",
        related(OURS),
        related(OURS, kind=f"{ns.WSA}/reply"),
        related(OTHER, kind="urn:follows"),
        related(f"{ns.WSA}/unspecified"),
        related(OTHER, OURS),
    ],
    ids=["none", "ours", "named reply", "another relation", "unspecified", "both"],
)
def test_an_answer_to_our_message_or_to_none_is_taken(header):
    receipt = answers.receipt(answer(envelope11(OK, header=header), 200), "partner", OURS)
    assert (receipt.final, receipt.status, receipt.reference) == (True, 200, "77")


def package(*parts, start="", boundary="b"):
    begin = f'; start="{start}"' if start else ""
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    media = f'multipart/related; type="application/xop+xml"; boundary="{boundary}"{begin}'
    return answer(body + b"--" + boundary.encode() + b"--", 200, media)


def part(content, name="", media="application/xop+xml; charset=utf-8"):
    named = f"Content-ID: <{name}>\r\n" if name else ""
    return f"{named}Content-Type: {media}\r\n\r\n".encode() + content


def test_the_envelope_of_a_package_is_found_first_or_by_its_name():
    good, noise = part(envelope11(OK).encode(), "r"), part(b"\x00--x", "f", "image/png")
    nameless = part(b"<a/>")
    for given in (
        package(good),
        package(good, noise),
        package(good, nameless),
        package(good, noise, start="<other>"),
        package(noise, good, start="<r>"),
        package(nameless, good, noise, start="r"),
    ):
        receipt = answers.receipt(given, "partner")
        assert receipt.reference == "77"
        assert receipt.body == given.body, "the evidence is the whole package"


def test_an_answer_in_another_encoding_is_read_by_what_http_says():
    text = envelope11(OK.replace("77", "ОГ-77")).encode("cp1251")
    receipt = answers.receipt(answer(text, 200, "text/xml; charset=windows-1251"), "partner")
    assert receipt.reference == "ОГ-77"
    inside = package(part(text, media="application/xop+xml;\r\n charset=windows-1251"))
    assert answers.receipt(inside, "partner").reference == "ОГ-77"


@pytest.mark.parametrize(
    "given",
    [
        answer(b"", 202),
        answer(b"", 200),
        answer("<html>welcome</html>", 200),
        answer(f"<!DOCTYPE a [<!ENTITY b 'c'>]>{envelope11(OK)}", 200),
        answer(f'<s:Envelope xmlns:s="{ns.SOAP11}"/>', 200),
        answer(f'<e:Envelope xmlns:e="urn:other"><e:Body>{OK}</e:Body></e:Envelope>', 200),
        answer(b"\xff\xfe\x00", 200, "text/xml; charset=klingon"),
        answer(b"--b\r\n\r\n", 200, "multipart/related; boundary=b"),
        answer(b"x", 200, "multipart/related"),
        package(b"no head"),
        package(part(b"no xml")),
    ],
    ids=range(11),
)
def test_what_is_no_answer_leaves_the_doubt(given):
    assert isinstance(told(given), PeerDoubtful)


OURS_ALL = (
    errors.MalformedError("m"),
    errors.TooLargeError("m"),
    errors.ValidationError("m", (errors.Violation("/a", "required", "m"),)),
    errors.UnknownOperationError("m"),
    errors.UnsupportedError("m"),
    errors.VersionMismatchError("m"),
    errors.MustUnderstandError("m", ("{urn:x}H",)),
    errors.ConflictError("m", receipt_number="1"),
    errors.StateError("m"),
    errors.NotFoundError("m"),
    errors.AccessError("m"),
    errors.SecurityError("m", "FailedAuthentication"),
    errors.AddressingError(
        "m", names=(ns.tag(ns.WSA, "InvalidAddressingHeader"),), header=ns.tag(ns.WSA, "To")
    ),
    errors.BusyError("m"),
)
"""What a gateway like ours may answer with."""


@pytest.mark.parametrize("error", OURS_ALL, ids=lambda error: error.code)
@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_partner_that_is_a_gateway_like_ours_is_understood(version, error):
    sealed = faults.seal_fault(error, Frame(version=version), "c-1")
    kind = PeerUnavailable if error.retry == "later" else PeerRefused
    caught = told(answer(sealed.body, sealed.status, sealed.content_type))
    assert type(caught) is kind
    assert ("credentials" in caught.message) == (error.code in {"access", "security"})


def test_an_answer_past_the_size_of_an_envelope_is_not_read():
    text = envelope11(OK + "<!---->" + " " * limits.SOAP_ROOT_BYTES)
    assert isinstance(told(answer(text, 200)), PeerDoubtful)


def test_hostile_answers_raise_nothing_but_errors_of_the_house():
    chance = random.Random(7)
    samples = [UNREACHABLE, JAX_WS_TYPED_12, PHP_NESTED, envelope11(OK, header=related(OTHER))]
    for _ in range(2_000):
        data = bytearray(chance.choice(samples).encode())
        for _ in range(chance.randint(1, 6)):
            begin = chance.randrange(len(data))
            match chance.randrange(3):
                case 0:
                    data[begin] = chance.randrange(256)
                case 1:
                    del data[begin : begin + chance.randint(1, 40)]
                case _:
                    data[begin:begin] = data[chance.randrange(len(data)) :][:60]
        with contextlib.suppress(GatewayError):
            answers.receipt(answer(bytes(data), chance.choice([200, 500])), "partner", OURS)
