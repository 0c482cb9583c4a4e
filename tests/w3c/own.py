"""Tests of ours (G…) for what the collection leaves untested; SOAP 1.2 says what must come."""

from __future__ import annotations

from typing import Final

from gateway import ns
from tests.w3c.case import (
    ENCODING,
    EVERY_FAULT_500,
    GATEWAY,
    MEDIA,
    NO_CLAIM,
    SENDER,
    TESTS,
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

_BODY_OK: Final = result(body='test:responseOk "one"')
_BASE: Final = f'xml:base="{ns.SOAP12}/role/"'
_DEEP: Final = 'e:mustUnderstand="1" e:relay="true" e:role="urn:example:elsewhere"'

CASES: Final = (
    case(
        "G1",
        "Unknown, mustUnderstand true between white space",
        soap(block("Unknown", must="\n true ")),
        UNKNOWN,
    ),
    case(
        "G2",
        "two unknown blocks, mustUnderstand 1",
        soap(block("Unknown", must="1") + block("sb:Unknown", must="1")),
        fault("MustUnderstand", "env:NotUnderstood test:Unknown", "env:NotUnderstood sb:Unknown"),
    ),
    case(
        "G3",
        "Unknown, mustUnderstand 1, and DoesNotExist in the Body",
        soap(block("Unknown", must="1"), block("DoesNotExist")),
        UNKNOWN,
    ),
    Case(
        id="G4",
        sends="echoOk in SOAP 1.1",
        requests=(
            Request(
                data=soap(body=block("echoOk"), space=ns.SOAP11).encode(),
                media="text/xml; charset=utf-8",
            ),
        ),
        expected=(
            result(
                version="1.1",
                status=200,
                media="text/xml; charset=utf-8",
                body='test:responseOk "one"',
            ),
        ),
    ),
    case(
        "G5",
        "a Message in place of the Envelope",
        soap(body=block("echoOk")).replace("e:Envelope", "e:Message"),
        SENDER,
    ),
    case(
        "G6",
        "text between Envelope and Body",
        soap(body=block("echoOk")).replace("<e:Body", "text<e:Body"),
        SENDER,
    ),
    Case(
        id="G7",
        sends="echoOk in UTF-16",
        requests=(
            Request(
                data=soap(body=block("echoOk", "один")).encode("utf-16"),
                media=f"{MEDIA}; charset=utf-16",
            ),
        ),
        expected=(
            result(status=200, media=f"{MEDIA}; charset=utf-16", body='test:responseOk "один"'),
        ),
    ),
    case(
        "G8",
        "encodingStyle on Header",
        soap(block("echoOk"), head=f'e:encodingStyle="{ENCODING}"'),
        SENDER,
    ),
    case(
        "G9",
        "echoOk in Header and Body, encodingStyle none",
        soap(encoded("echoOk", "one", NO_CLAIM), encoded("echoOk", "one", NO_CLAIM)),
        result('test:responseOk "one"', body='test:responseOk "one"'),
    ),
    case("G10", "a header block without namespace", soap("<Unknown>one</Unknown>"), SENDER),
    case(
        "G11",
        "an attribute without namespace on Header",
        soap(block("echoOk"), head='attr1="a-value"'),
        SENDER,
    ),
    case(
        "G12",
        "mustUnderstand, relay and role below a block, on the Body's child and below",
        soap(
            block("Ignore", f"<t:a {_DEEP}/>"),
            f"<t:echoOk {_DEEP}>one<t:a {_DEEP}/></t:echoOk>",
        ),
        _BODY_OK,
    ),
    case(
        "G13",
        "four echoOk with relay 1, true, 0, false",
        soap(
            "".join(
                block("echoOk", text, more=f'e:relay="{value}"')
                for text, value in zip("abcd", ("1", "true", "0", "false"), strict=True)
            )
        ),
        result(*(f'test:responseOk "{text}"' for text in "abcd")),
    ),
    case(
        "G14",
        "an attribute without namespace on Body",
        soap(body=block("echoOk"), inner='attr1="a-value"'),
        SENDER,
    ),
    case(
        "G15",
        "Unknown, mustUnderstand 1, for the relative role next, its base by xml:base",
        soap(
            block("Unknown", role="next").replace(
                f'"{ns.SOAP12}/role/next"', f'"next" {_BASE} e:mustUnderstand="1"'
            )
        ),
        UNKNOWN,
    ),
    Case(
        id="G16",
        sends="echoOk with the action parameter of echoOk",
        requests=(
            Request(
                data=soap(body=block("echoOk")).encode(),
                media=f'{MEDIA}; charset=utf-8; action="{TESTS}/echoOk"',
            ),
        ),
        expected=(_BODY_OK,),
    ),
    Case(
        id="G17",
        sends="echoOk without charset, UTF-8 declared",
        requests=(
            Request(
                data=soap(
                    body=block("echoOk"), prologue='<?xml version="1.0" encoding="UTF-8"?>'
                ).encode(),
                media=MEDIA,
            ),
        ),
        expected=(_BODY_OK,),
    ),
    Case(
        id="G18",
        sends="echoOk by PUT",
        requests=(Request(data=soap(body=block("echoOk")).encode(), method="PUT", path=GATEWAY),),
        expected=(Answer(status=405, version=None, fault=None, blocks=None, body=None),),
    ),
    Case(
        id="G19",
        sends="what is not well-formed",
        requests=(Request(data=soap(body=block("echoOk")).encode()[:-3]),),
        expected=(fault("Sender", status=400),),
        differs="deviation",
        why=EVERY_FAULT_500,
        ours=fault("Sender", status=500),
    ),
)
