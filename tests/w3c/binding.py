"""Tests TH1 to TH5 and XMLP-2 to XMLP-19 of the HTTP binding (Part 2, 7), and header echoes."""

from __future__ import annotations

from typing import Final

import msgspec

from gateway import ns
from tests.w3c.case import (
    BUILDERS,
    EVERY_FAULT_500,
    GATEWAY,
    MEDIA,
    Answer,
    Case,
    Request,
    block,
    encoded,
    fault,
    result,
    soap,
)

XML12: Final = f"{MEDIA}; charset=utf-8"
XML11: Final = "text/xml; charset=utf-8"
_STRING: Final = '<inputString xsi:type="xsd:string">one</inputString>'
_AUDIO: Final = "audio/mpeg"
_VOID: Final = block(
    "sb:echoVoid", "", more='e:encodingstyle="http://www.w3.org/2003/05/soap-encoding"'
)
"""The collection spells the attribute in small letters, so it is not the one of SOAP."""
_MUST: Final = fault("MustUnderstand", "env:NotUnderstood test:Unknown", status=500, media=XML12)
_GET_IS_DESCRIPTION: Final = (
    "the SOAP Response pattern: GET serves descriptions (WSDL, XSD), no operation answers it"
)


def _sent(
    id_: str, sends: str, request: Request, expected: Answer, status: int = 0, why: str = ""
) -> Case:
    """Return a test of the binding; status: the one of ours, when it is another."""
    ours = msgspec.structs.replace(expected, status=status) if status else None
    return Case(
        id=id_,
        sends=sends,
        requests=(request,),
        expected=(expected,),
        differs="deviation" if status else "",
        why=why,
        ours=ours,
    )


def _posted(text: str, media: str = XML12, **headers: str) -> Request:
    return Request(data=text.encode(), media=media, headers=headers)


def _time(id_: str, sends: str, answer: Answer) -> Case:
    return Case(
        id=id_,
        sends=sends,
        requests=(Request(data=b"", media="", method="GET", path=GATEWAY),),
        expected=(answer,),
        differs="not offered",
        why=_GET_IS_DESCRIPTION,
        ours=Answer(status=200, media=XML11, version="", fault="", blocks=None, body=None),
    )


TRANSPORT: Final = (
    _sent(
        "TH1",
        "echoString by POST",
        _posted(soap(body=block("echoString", _STRING))),
        result(status=200, media=XML12, body='test:echoStringResponse "return one"'),
    ),
    _sent(
        "TH2",
        "no Body, by POST",
        _posted(soap(block("echoOk")).replace("<e:Body ></e:Body>", "")),
        fault("Sender", status=400, media=XML12),
        500,
        EVERY_FAULT_500,
    ),
    _sent(
        "TH3",
        "a SOAP 1.1 envelope as application/soap+xml",
        _posted(soap(body=block("echoOk"), space=ns.SOAP11)),
        fault("VersionMismatch", "env:Upgrade env:Envelope…", status=500, media=XML12),
    ),
    _sent(
        "TH4",
        "Unknown for next, mustUnderstand 1, by POST",
        _posted(soap(block("Unknown", role="next", must="1"))),
        _MUST,
    ),
    Case(
        id="TH5",
        sends="echoString as audio/mpeg",
        requests=(
            Request(
                data=soap(body=block("echoString", _STRING)).encode(), media=_AUDIO, path=GATEWAY
            ),
        ),
        expected=(Answer(status=415, version=None, fault=None, blocks=None, body=None),),
        differs="deviation",
        why=EVERY_FAULT_500,
        ours=Answer(status=500, version="1.1", fault="env:Client", body=None),
    ),
)
CHANGED: Final = (
    _time("XMLP-2", "GET of a resource that is the time", result(status=200, body="sb:time…")),
    _time(
        "XMLP-3",
        "GET of the time as an RPC response",
        result(status=200, body="sb:getTimeResponse…"),
    ),
    Case(
        id="XMLP-5",
        sends="echoVoid in SOAP 1.1, as text/xml with an empty SOAPAction",
        requests=(_posted(soap(body="<sb:echoVoid/>", space=ns.SOAP11), XML11, SOAPAction='""'),),
        expected=(fault("VersionMismatch", "env:Upgrade env:Envelope…", status=500, media=XML12),),
        differs="deviation",
        why="SOAP 1.1 is spoken on the same address, which Part 1, appendix A, rule 2 allows",
        ours=result(status=200, media=XML11, version="1.1", body="sb:echoVoidResponse"),
    ),
    _sent(
        "XMLP-6",
        "Unknown of example.org for next, mustUnderstand 1, beside echoVoid",
        _posted(
            soap(
                block("x:Unknown", role="next", must="1", more='xmlns:x="http://example.org/"'),
                _VOID,
            )
        ),
        fault(
            "MustUnderstand",
            "env:NotUnderstood {http://example.org/}Unknown",
            status=500,
            media=XML12,
        ),
    ),
    _sent(
        "XMLP-7",
        "echoSenderFault with an empty action parameter",
        _posted(soap(body="<sb:echoSenderFault>one</sb:echoSenderFault>"), f'{XML12}; action=""'),
        fault("Sender", status=400, media=XML12),
        500,
        EVERY_FAULT_500,
    ),
    _sent(
        "XMLP-8",
        "echoReceiverFault with an empty action parameter",
        _posted(
            soap(body="<sb:echoReceiverFault>one</sb:echoReceiverFault>"), f'{XML12}; action=""'
        ),
        fault("Receiver", status=500, media=XML12),
    ),
    Case(
        id="XMLP-12",
        sends="unknownMethodThatShouldNotBeThere",
        requests=(
            _posted(
                soap(body=f'<unknownMethodThatShouldNotBeThere xmlns="{BUILDERS}"/>'),
            ),
        ),
        expected=(fault("Sender"),),
        note="rpc:ProcedureNotPresent MAY be said (Part 2, 4.4); the subcode is ours",
    ),
    Case(
        id="XMLP-19",
        sends="echoString in SOAP encoding and Unknown for next, mustUnderstand true",
        requests=(
            _posted(
                soap(
                    block("sb:Unknown", "", role="next", must="true"),
                    encoded("sb:echoString", _STRING),
                )
            ),
        ),
        expected=(fault("MustUnderstand", "env:NotUnderstood sb:Unknown"),),
    ),
)
_SAID: Final = "<varInt>7</varInt><varFloat>0.25</varFloat><varString>one</varString>"
_DONE: Final = result(body="sb:echoVoidResponse")
_ECHO: Final = {
    "String": ("one", None, "one"),
    "Struct": (_SAID, "1", "7 0.25 one"),
}


def _echo(name: str) -> Case:
    inside, must, back = _ECHO[name]
    blocks = [
        block(f"h:echoMe{name}Request", inside, role=role, must=must) for role in ("next", "other")
    ]
    return Case(
        id=f"SBR2-echoMe{name}Request",
        sends=f"echoMe{name}Request for next, then for another role",
        requests=tuple(_posted(soap(each, _VOID)) for each in blocks),
        expected=(
            result(f'h:echoMe{name}Response "{back}"', body="sb:echoVoidResponse"),
            _DONE,
        ),
    )


ECHOES: Final = (
    _echo("String"),
    _echo("Struct"),
    Case(
        id="SBR2-echoMeUnknown",
        sends="echoMeUnknown for next and for another role, each optional, then mandatory",
        requests=tuple(
            _posted(soap(block("u:echoMeUnknown", role=role, must=must), _VOID))
            for role in ("next", "other")
            for must in (None, "1")
        ),
        expected=(
            _DONE,
            fault("MustUnderstand", "env:NotUnderstood u:echoMeUnknown"),
            _DONE,
            _DONE,
        ),
    ),
)
CASES: Final = (*TRANSPORT, *ECHOES, *CHANGED)
