"""Tests of SOAP encoding (Part 2, 3) and of RPC in it: not offered, and each is told so.

The collection expects the value back; we expect of ourselves the fault that Part 1, 5.4.6 and Part
2, 4.4 name for an encoding that the node does not support.
"""

from __future__ import annotations

from typing import Final

from tests.w3c.case import (
    ENCODED,
    Answer,
    Case,
    Request,
    block,
    encoded,
    fault,
    result,
    soap,
)

_STRUCT: Final = (
    '<varInt xsi:type="xsd:int">7</varInt><varFloat xsi:type="xsd:float">0.25</varFloat>'
    '<varString xsi:type="xsd:string">one</varString>'
)
_STRINGS: Final = '<item xsi:type="xsd:string">one</item><item xsi:type="xsd:string">two</item>'
_HOLDER: Final = '<t:Data enc:id="data" xsi:type="xsd:string">one</t:Data>'
_NESTED: Final = f"{_STRUCT}<varStruct>{_STRUCT}</varStruct>"
_ARRAY: Final = (
    f'{_STRUCT}<varArray enc:itemType="xsd:string" enc:arraySize="2">{_STRINGS}</varArray>'
)


def _simple(kind: str, value: str) -> str:
    return f'<input xsi:type="xsd:{kind}">{value}</input>'


def _array(items: str, more: str) -> str:
    return f"<input {more}>{items}</input>"


def _items(kind: str, *values: str) -> str:
    inside = "".join(f'<item xsi:type="xsd:{kind}">{value}</item>' for value in values)
    return _array(inside, f'enc:itemType="xsd:{kind}" enc:arraySize="{len(values)}"')


def _made(id_: str, sends: str, texts: tuple[str, ...], expected: tuple[Answer, ...]) -> Case:
    return Case(
        id=id_,
        sends=f"{sends}, SOAP encoding",
        requests=tuple(Request(data=text.encode()) for text in texts),
        expected=expected,
        differs="not offered",
        why=ENCODED,
        ours=fault("DataEncodingUnknown"),
    )


def _echo(id_: str, name: str, inside: str, back: str, sends: str = "") -> Case:
    """Return a test that wants a value back."""
    prefix, _, local = name.rpartition(":")
    shown = f"{prefix or 'test'}:{local}Response"
    return _made(
        id_,
        f"{local}{sends}",
        (soap(body=encoded(name, inside)),),
        (result(body=f'{shown} "{back}"' if back else shown),),
    )


def _bad(id_: str, sends: str, body: str, subcode: str | None, header: str = "") -> Case:
    """Return a test that wants env:Sender for what breaks the rules of the encoding."""
    return _made(
        id_, sends, (soap(header, body),), (Answer(fault="env:Sender", subcode=subcode, body=None),)
    )


_IN: Final = f"<input>{_STRUCT}</input>"
_BOTH: Final = f"<input><item>{_STRUCT}</item><item>{_STRUCT}</item></input>"
_VALUES: Final = {
    "echoStruct": (_IN, "return 7 0.25 one"),
    "echoStructArray": (_BOTH, "return 7 0.25 one 7 0.25 one"),
    "echoStructAsSimpleTypes": (_IN, "7 0.25 one"),
    "echoSimpleTypesAsStruct": (_STRUCT, "return 7 0.25 one"),
    "echoNestedStruct": (f"<input>{_NESTED}</input>", "return 7 0.25 one 7 0.25 one"),
    "echoNestedArray": (f"<input>{_ARRAY}</input>", "return 7 0.25 one one two"),
    "echoFloatArray": (_items("float", "0.25", "7.5"), "return 0.25 7.5"),
    "echoStringArray": (_items("string", "one", "two"), "return one two"),
    "echoIntegerArray": (_items("int", "7", "8"), "return 7 8"),
    "echoBase64": (_simple("base64Binary", "b25l"), "return b25l"),
    "echoBoolean": (_simple("boolean", "1"), "return 1"),
    "echoDate": (_simple("date", "2026-01-31"), "return 2026-01-31"),
    "echoDecimal": (_simple("decimal", "7.125"), "return 7.125"),
    "echoFloat": (_simple("float", "0.25"), "return 0.25"),
    "echoString": (_simple("string", "one"), "return one"),
    "echoInteger": (_simple("int", "7"), "return 7"),
    "echoVoid": ("", ""),
    "echoHexBinary": (_simple("hexBinary", "6F6E65"), "return 6F6E65"),
    "echo2DStringArray": (
        _array(_STRINGS, 'enc:itemType="xsd:string" enc:arraySize="1 2"'),
        "return one two",
    ),
}
"""What the echo operations are given and give back."""


_ECHOES: Final = tuple(
    _echo(f"T{number}", name, *_VALUES[name])
    for number, name in (
        (41, "echoStruct"),
        (42, "echoStructArray"),
        (43, "echoStructAsSimpleTypes"),
        (44, "echoSimpleTypesAsStruct"),
        (45, "echoNestedStruct"),
        (46, "echoNestedArray"),
        (47, "echoFloatArray"),
        (48, "echoStringArray"),
        (50, "echoIntegerArray"),
        (51, "echoBase64"),
        (52, "echoBoolean"),
        (53, "echoDate"),
        (54, "echoDecimal"),
        (55, "echoFloat"),
    )
)
_ROUNDS: Final = {
    1: (
        ("String", "StringArray", "Integer", "IntegerArray", "Float", "FloatArray"),
        ("Struct", "StructArray", "Void", "Base64", "Date"),
    ),
    2: (
        ("HexBinary", "Decimal", "Boolean", "StructAsSimpleTypes", "SimpleTypesAsStruct"),
        ("2DStringArray", "NestedStruct", "NestedArray"),
    ),
}
_BUILDERS: Final = tuple(
    _echo(f"SBR{number}-echo{name}", f"sb:echo{name}", *_VALUES[f"echo{name}"])
    for number, lines in _ROUNDS.items()
    for name in (name for line in lines for name in line)
)
_COMPLEX: Final = "<a><b>7</b></a>"
_RULES: Final = (
    _bad(
        "T27",
        "echoStringArray whose item is complex",
        encoded("echoStringArray", _array(_COMPLEX, 'enc:itemType="xsd:string"')),
        "rpc:BadArguments",
    ),
    _echo(
        "T49",
        "echoStringArray",
        _array(_STRINGS, 'enc:arraySize="2"'),
        "return one two",
        " without itemType",
    ),
    _bad(
        "T56",
        "echoString with a ref to an id that is not there",
        encoded("echoString", '<input enc:ref="elsewhere" xsi:type="xsd:string"/>'),
        "enc:MissingID",
        encoded("DataHolder", _HOLDER),
    ),
    _made(
        "T57",
        "echoString with a ref into a header block",
        (
            soap(
                encoded("DataHolder", _HOLDER),
                encoded("echoString", '<input enc:ref="data" xsi:type="xsd:string"/>'),
            ),
        ),
        (result(body='test:echoStringResponse "return one"'),),
    ),
    _bad(
        "T58",
        "echoIntegerArray whose item is complex",
        encoded("echoIntegerArray", _array(_COMPLEX, 'enc:itemType="xsd:int"')),
        "rpc:BadArguments",
    ),
    _bad(
        "T59",
        "echoStringArray with id and ref on one item",
        encoded("echoStringArray", _array('<item enc:id="d" enc:ref="d">one</item>', "")),
        "enc:MissingID",
    ),
    _echo("T60", "countItems", _array(_STRINGS, 'enc:arraySize="*"'), "return 2", " of *"),
    _bad(
        "T61",
        "countItems with arraySize 2 *",
        encoded("countItems", _array(_STRINGS, 'enc:arraySize="2 *"')),
        None,
    ),
    _made(
        "T76",
        "echoString in two serialisations, by value and by ref",
        (
            soap(body=encoded("echoString", _simple("string", "one"))),
            soap(encoded("DataHolder", _HOLDER), encoded("echoString", '<input enc:ref="data"/>')),
        ),
        (result(body='test:echoStringResponse "return one"'),) * 2,
    ),
    _made(
        "T77",
        "isNil with xsi:nil, without a parameter, with one",
        tuple(
            soap(body=encoded("isNil", inside))
            for inside in ('<input xsi:nil="1"/>', "", _simple("string", "one"))
        ),
        tuple(result(body=f'test:isNilResponse "return {value}"') for value in (1, 1, 0)),
    ),
)
_CHANGED: Final = (
    _bad(
        "XMLP-1",
        "echoString without its parameter",
        encoded("sb:echoString", ""),
        "rpc:BadArguments",
    ),
    _echo(
        "XMLP-4",
        "sb:echoSimpleTypesAsStruct",
        _simple("float", "0.25") + _simple("int", "7") + _simple("string", "one"),
        "return one 7 0.25",
        " with its parameters in another order",
    ),
    _echo(
        "XMLP-10",
        "echoSimpleTypesAsStructOfSchemaTypes",
        _simple("int", "7") + "<input>two</input>",
        "return xsd:int xsd:anyType",
    ),
    _bad(
        "XMLP-11",
        "echoInteger with letters",
        encoded("sb:echoInteger", _simple("int", "one")),
        "rpc:BadArguments",
    ),
)
UNKNOWN_STYLE: Final = Case(
    id="XMLP-9",
    sends="echoString, its parameter in an encoding that nobody knows",
    requests=(
        Request(
            data=soap(
                body=encoded("sb:echoString", '<input e:encodingStyle="unknown">one</input>')
            ).encode()
        ),
    ),
    expected=(fault("DataEncodingUnknown"),),
)


def _relay(id_: str, sends: str, header: str = "", back: str = "one") -> Case:
    """Return a test in which the node is a relay that sends the message back."""
    blocks = (sends.rpartition(": keeps ")[2],) if ": keeps " in sends else ()
    return Case(
        id=id_,
        sends=f"echoString to a relay{sends}",
        requests=(
            Request(data=soap(header, encoded("sb:echoString", _simple("string", "one"))).encode()),
        ),
        expected=(result(*blocks, body=f'sb:echoString "{back}"'),),
        differs="not offered",
        why="the gateway is an ultimate receiver; and rpc/encoded",
        ours=fault("DataEncodingUnknown"),
    )


RELAYS: Final = (
    _relay("XMLP-13", " that forwards"),
    _relay("XMLP-14", " that turns it into capitals", back="ONE"),
    _relay("XMLP-15", " with Unknown for next", block("sb:Unknown", "", role="next")),
    _relay(
        "XMLP-16", " with Unknown for none: keeps sb:Unknown", block("sb:Unknown", "", role="none")
    ),
    _relay(
        "XMLP-17",
        " with Unknown for ultimateReceiver: keeps sb:Unknown",
        block("sb:Unknown", "", role="ultimateReceiver"),
    ),
    _relay(
        "XMLP-18",
        " with Unknown for next, relay true: keeps sb:Unknown",
        block("sb:Unknown", "", role="next", more='e:relay="true"'),
    ),
)
CASES: Final = (*_ECHOES, *_RULES, *_BUILDERS, *_CHANGED, UNKNOWN_STYLE, *RELAYS)
