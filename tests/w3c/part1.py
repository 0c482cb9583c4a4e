"""Tests T1 to T40 of the collection, and those after that need no encoding: the messaging model."""

from __future__ import annotations

from typing import Final

from gateway import ns
from tests.w3c.case import (
    EMPTY_ANSWER,
    ENCODED,
    ENCODING,
    NO_CLAIM,
    RELAYED,
    SENDER,
    UNKNOWN,
    Answer,
    Case,
    Request,
    block,
    case,
    encoded,
    fault,
    result,
    soap,
)

OK: Final = result('test:responseOk "one"')
BODY_OK: Final = result(body='test:responseOk "one"')
_OLD: Final = "http://schemas.xmlsoap.org/soap/envelope"
_LONG: Final = f"http://example.org/ts-tests/C{'z' * 2_020}"


def _two(id_: str, sends: str, first: tuple[str, Answer], second: tuple[str, Answer]) -> Case:
    texts, answers = zip(first, second, strict=True)
    requests = tuple(Request(data=text.encode()) for text in texts)
    return Case(id=id_, sends=sends, requests=requests, expected=answers)


TARGETS: Final = (
    case("T1", "echoOk for next", soap(block("echoOk", role="next")), OK),
    case("T2", "echoOk for C", soap(block("echoOk", role="C")), OK),
    case("T3", "echoOk, no role", soap(block("echoOk")), OK),
    case("T4", "echoOk for ultimateReceiver", soap(block("echoOk", role="ultimateReceiver")), OK),
    case("T5", "echoOk for B", soap(block("echoOk", role="B")), EMPTY_ANSWER),
    case("T6", "echoOk for C, by B", soap(block("echoOk", role="C")), OK, note=RELAYED),
    case("T7", "no header: B took Ignore out", soap(), EMPTY_ANSWER, note=RELAYED),
    case(
        "T8",
        "echoOk, no role, and echoOk for none: B took Ignore out",
        soap(block("echoOk") + block("echoOk", "two", role="none")),
        OK,
        note=RELAYED,
    ),
    case(
        "T9",
        "echoOk for ultimateReceiver, by B",
        soap(block("echoOk", role="ultimateReceiver")),
        OK,
        note=RELAYED,
    ),
    case(
        "T10",
        "Unknown for ultimateReceiver",
        soap(block("Unknown", role="ultimateReceiver")),
        EMPTY_ANSWER,
    ),
    case(
        "T11",
        "Unknown for ultimateReceiver, mustUnderstand false",
        soap(block("Unknown", role="ultimateReceiver", must="false")),
        EMPTY_ANSWER,
    ),
    case(
        "T12",
        "Unknown for ultimateReceiver, mustUnderstand 1",
        soap(block("Unknown", role="ultimateReceiver", must="1")),
        UNKNOWN,
    ),
    case(
        "T13",
        "Unknown for ultimateReceiver, mustUnderstand true",
        soap(block("Unknown", role="ultimateReceiver", must="true")),
        UNKNOWN,
    ),
    case(
        "T14",
        "echoOk for ultimateReceiver, mustUnderstand wrong",
        soap(block("echoOk", role="ultimateReceiver", must="wrong")),
        SENDER,
    ),
    case(
        "T15",
        "Unknown for B, mustUnderstand 1",
        soap(block("Unknown", role="B", must="1")),
        EMPTY_ANSWER,
    ),
    case(
        "T16",
        "Unknown for C, mustUnderstand 1, by B",
        soap(block("Unknown", role="C", must="1")),
        UNKNOWN,
        note=RELAYED,
    ),
    case(
        "T17",
        "Unknown for next, mustUnderstand 1",
        soap(block("Unknown", role="next", must="1")),
        UNKNOWN,
        note="the fault that Node B sends comes from the node itself",
    ),
    case(
        "T18",
        "echoOk for none, by B",
        soap(block("echoOk", role="none")),
        EMPTY_ANSWER,
        note=RELAYED,
    ),
    case(
        "T19",
        "echoOk for none, mustUnderstand true",
        soap(block("echoOk", role="none", must="true")),
        EMPTY_ANSWER,
    ),
    Case(
        id="T21",
        sends="Unknown for B and echoOk for C, both mustUnderstand 1, to a node in role B",
        requests=(
            Request(
                data=soap(
                    block("Unknown", role="B", must="1") + block("echoOk", role="C", must="1")
                ).encode(),
                path="/B",
            ),
        ),
        expected=(UNKNOWN,),
        note="env:Node and env:Role are for relays to say; the gateway is an ultimate receiver",
    ),
    case(
        "T22",
        "echoOk, mustUnderstand 1, and echoOk in the Body",
        soap(block("echoOk", must="1"), block("echoOk")),
        result('test:responseOk "one"', body='test:responseOk "one"'),
    ),
    case(
        "T23",
        "Unknown, mustUnderstand 1, and echoOk, mustUnderstand wrong",
        soap(block("Unknown", must="1") + block("echoOk", must="wrong")),
        SENDER,
    ),
)

FORMS: Final = (
    case(
        "T24",
        "an Envelope of an unknown namespace",
        soap(body=block("echoOk"), space="http://example.org/wrong-version/"),
        Answer(fault="env:VersionMismatch", blocks=None, body=None),
    ),
    case(
        "T25",
        "a reference to an external DTD",
        soap(
            body=block("echoOk"),
            prologue='<?xml version="1.0"?><!DOCTYPE e:Envelope SYSTEM "env.dtd" []>',
        ),
        SENDER,
    ),
    case(
        "T26",
        "a processing instruction before the Body",
        soap(body=block("echoOk")).replace("<e:Body", '<?xml-stylesheet href="a.xsl"?><e:Body'),
        BODY_OK,
    ),
    case(
        "T28",
        "encodingStyle on Body",
        soap(body=block("echoOk"), inner=f'e:encodingStyle="{ENCODING}"'),
        SENDER,
    ),
    case(
        "T29",
        "echoOk for a role of 2,049 characters",
        soap(block("echoOk", role=_LONG)),
        EMPTY_ANSWER,
    ),
    Case(
        id="T30",
        sends="a SOAP 1.1 message whose namespace lacks its last slash, as the collection has it",
        requests=(Request(data=soap(body=block("echoOk"), space=_OLD).encode(), media="text/xml"),),
        expected=(fault("VersionMismatch", "env:Upgrade env:Envelope…", version="1.1"),),
        note="with the right namespace SOAP 1.1 is answered (G4), as the test allows",
    ),
    case(
        "T31",
        "returnVoid",
        soap(body=block("returnVoid", "")),
        result(body="test:returnVoidResponse"),
    ),
    case(
        "T32",
        "requiredHeader, mustUnderstand true, and echoHeader in the Body",
        soap(block("requiredHeader", must="true"), block("echoHeader", "")),
        result(body='test:echoHeaderResponse "one"'),
    ),
    case(
        "T33",
        "DoesNotExist",
        soap(body=block("DoesNotExist", "")),
        SENDER,
        note="the test leaves rpc:ProcedureNotPresent open; the subcode is ours",
    ),
    case(
        "T34",
        "Unknown, mustUnderstand true of SOAP 1.1",
        soap(block("Unknown", more=f'xmlns:old="{ns.SOAP11}" old:mustUnderstand="true"')),
        EMPTY_ANSWER,
    ),
    case("T35", "Unknown, no role, mustUnderstand 1", soap(block("Unknown", must="1")), UNKNOWN),
    case(
        "T36",
        "Unknown, mustUnderstand 1, for ultimateReceiver",
        soap(block("Unknown", must="1", role="ultimateReceiver")),
        UNKNOWN,
    ),
    case(
        "T37",
        "Unknown for ultimateReceiver, no mustUnderstand",
        soap(block("Unknown", role="ultimateReceiver")),
        EMPTY_ANSWER,
    ),
    _two(
        "T38",
        "mustUnderstand false and 0 on Unknown and echoOk; then true and 1 on two echoOk",
        (
            soap(block("Unknown", must="false", role="C") + block("echoOk", must="0", role="C")),
            OK,
        ),
        (
            soap(
                block("echoOk", must="true", role="C") + block("echoOk", "two", must="1", role="C")
            ),
            result('test:responseOk "one"', 'test:responseOk "two"'),
        ),
    ),
    case("T39", "Unknown, mustUnderstand 9", soap(block("Unknown", must="9")), SENDER),
    case(
        "T40",
        "Unknown of a namespace with an IPv6 address, mustUnderstand false",
        soap(
            block("six:Unknown", role="ultimateReceiver", must="false"),
            root='xmlns:six="http://[FEDC:BA98:7654:3210:FEDC:BA98:7654:3210]/ts-tests"',
        ),
        EMPTY_ANSWER,
    ),
)

MORE: Final = (
    case(
        "T62",
        "echoOk for C, mustUnderstand 1: what B put together of two strings",
        soap(block("echoOk", "onetwo", role="C", must="1")),
        result('test:responseOk "onetwo"'),
        note=RELAYED,
    ),
    case(
        "T63",
        "validateCountryCode ABCD for C, mustUnderstand 1",
        soap(block("validateCountryCode", "ABCD", role="C", must="1")),
        fault("Sender", "test:validateCountryCodeFault…"),
    ),
    case(
        "T64",
        "a document type with a notation",
        soap(
            body=block("echoOk"), prologue='<!DOCTYPE foo [<!NOTATION n SYSTEM "urn:example:n">]>'
        ),
        SENDER,
    ),
    case(
        "T65",
        "a document type with element declarations",
        soap(body=block("echoOk"), prologue="<!DOCTYPE foo [<!ELEMENT Envelope (Body)>]>"),
        SENDER,
    ),
    case(
        "T66",
        "echoOk for next, encoding UTF-8 declared",
        soap(block("echoOk", role="next"), prologue='<?xml version="1.0" encoding="UTF-8"?>'),
        OK,
    ),
    case(
        "T67",
        "echoOk for next, standalone",
        soap(block("echoOk", role="next"), prologue='<?xml version="1.0" standalone="yes"?>'),
        OK,
    ),
    case(
        "T68",
        "echoOk for next with white space wherever it may stand",
        soap("\n\n\t" + block("echoOk", "\n one\n", role="next") + "\n \n", "\n  \n").replace(
            "<e:Body", "\n\n <e:Body"
        ),
        OK,
    ),
    case("T69", "no Body", soap(block("echoOk")).replace("<e:Body ></e:Body>", ""), SENDER),
    case(
        "T70",
        "a Trailer after the Body",
        soap(block("echoOk")).replace("</e:Body>", "</e:Body><Trailer/>"),
        SENDER,
    ),
    case(
        "T71",
        "an attribute without namespace on Envelope",
        soap(block("echoOk"), root='attr1="a-value"'),
        SENDER,
    ),
    case(
        "T72",
        "encodingStyle on Envelope",
        soap(body=block("echoOk"), root=f'e:encodingStyle="{ENCODING}"'),
        SENDER,
    ),
    case(
        "T73",
        "echoString, encodingStyle none, its parameter in SOAP encoding",
        soap(
            body=encoded(
                "echoString",
                f'<t:inputString xsi:type="xsd:string" e:encodingStyle="{ENCODING}">one'
                "</t:inputString>",
                NO_CLAIM,
            )
        ),
        result(body='test:echoStringResponse "return one"'),
        differs="not offered",
        why=ENCODED,
        ours=fault("DataEncodingUnknown"),
    ),
    case(
        "T74",
        "echoOk for next; Unknown with a mandatory child for next",
        soap(
            block("echoOk", role="next")
            + block("Unknown", block("raiseFault", "", must="1", role="next"))
        ),
        OK,
    ),
    case(
        "T75",
        "echoResolvedRef for next, mustUnderstand 1: xml:base and xlink:href",
        soap(
            block(
                "echoResolvedRef",
                '<t:RelativeReference xml:base="http://example.org/today/" xlink:href="new.xml"'
                ' xmlns:xlink="http://www.w3.org/1999/xlink"/>',
                role="next",
                must="1",
            )
        ),
        result('test:responseResolvedRef "http://example.org/today/new.xml"'),
    ),
    case("T78", "echoOk for ultimateReceiver", soap(block("echoOk", role="ultimateReceiver")), OK),
    case(
        "T79",
        "echoOk for ultimateReceiver, by B",
        soap(block("echoOk", role="ultimateReceiver")),
        OK,
        note=RELAYED,
    ),
    case(
        "T80",
        "echoOk in an encoding that nobody knows",
        soap(body=encoded("echoOk", "one", "http://example.org/PoisonEncoding")),
        fault("DataEncodingUnknown"),
    ),
)
CASES: Final = (*TARGETS, *FORMS, *MORE)
