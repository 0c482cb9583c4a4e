"""What a broker hands on that pika alone cannot read, and how much of it is taken."""

import struct

import pytest

from adapters.amqp.stream import MESSAGE_BYTES, TooMuchError, header, strings

HEADERS = 1 << 13


def short(text):
    return bytes([len(text)]) + text


def long(data):
    return struct.pack(">I", len(data)) + data


def field(name, kind, data):
    return short(name) + kind + data


def nested(levels):
    table = b""
    for _ in range(levels):
        table = field(b"t", b"F", long(table))
    return table


def framed(size=0, flags=0, properties=b""):
    return struct.pack(">HHQH", 60, 0, size, flags) + properties


@pytest.mark.parametrize(
    "odd",
    [
        field(b"at", b"T", struct.pack(">Q", 1 << 60)),
        field(b"nan", b"d", struct.pack(">d", float("nan"))),
        field(b"inf", b"f", struct.pack(">f", float("inf"))),
        field(b"list", b"A", long(b"S" + long(b"x") * 3)),
        field(b"void", b"V", b""),
        field(b"bytes", b"S", long(b"\xff")),
        nested(20_000),
    ],
    ids=["timestamp", "NaN", "infinity", "array", "void", "not UTF-8", "tables in tables"],
)
def test_what_pika_cannot_make_an_object_of_is_passed_over(odd):
    around = field(b"before", b"S", long("а".encode())), field(b"after", b"S", long(b"b"))

    assert strings(around[0] + odd + around[1]) == {"before": "а", "after": "b"}


@pytest.mark.parametrize(
    "broken",
    [b"\xff", b"\x03ab", field(b"k", b"?", b"xx"), field(b"k", b"S", b"\xff\xff\xff\xf0a")],
    ids=["key", "kind", "unknown", "length"],
)
def test_a_table_that_lies_ends_where_it_does(broken):
    assert strings(field(b"a", b"S", long(b"b")) + broken) == {"a": "b"}


def test_the_properties_around_the_table_are_read():
    flags = HEADERS | 1 << 15 | 1 << 14 | 1 << 7 | 1 << 5
    table = long(field(b"at", b"T", struct.pack(">Q", 1 << 60)) + field(b"a", b"S", long(b"b")))
    told = short(b"application/json") + short(b"utf-8") + table + short(b"m-1") + short(b"T")

    found = header(1, framed(7, flags, told))

    assert found.body_size == 7
    properties = found.properties
    assert (properties.content_type, properties.content_encoding) == ("application/json", "utf-8")
    assert (properties.message_id, properties.type) == ("m-1", "T")
    assert properties.headers == {"a": "b"}


def test_a_message_without_a_table_has_no_headers():
    assert header(1, framed(flags=1 << 7, properties=short(b"m-1"))).properties.headers is None


def test_flags_beyond_those_that_are_known_are_passed_over():
    told = b"\x00\x01\x00\x00" + short(b"m-1")

    assert header(1, framed(flags=1 << 7 | 1, properties=told)).properties.message_id == "m-1"


def test_a_message_of_a_gigabyte_is_refused_before_it_comes():
    with pytest.raises(TooMuchError, match="1073741824"):
        header(1, framed(1 << 30))
    assert header(1, framed(MESSAGE_BYTES)).body_size == MESSAGE_BYTES
