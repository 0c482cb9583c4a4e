"""The little DER (X.690) that is read by hand: where a value begins and ends.

`cryptography` reads whole certificates and lists; it does not give the bytes of a public key of a
kind that it does not know, and GOST R 34.10-2012 is one.
"""

from __future__ import annotations

from typing import Final, NamedTuple

SEQUENCE: Final = 0x30
SET: Final = 0x31
INTEGER: Final = 0x02
OCTETS: Final = 0x04
OID: Final = 0x06
_VERSION: Final = 0xA0
_LONGEST: Final = 4
"""Bytes of a length: nothing here is past 4 GB."""
_MOST: Final = 1_000
"""Values in one: a message of millions of tiny ones must not fill the memory."""


class Value(NamedTuple):
    """One value: its tag, where its content is, and where the next one begins."""

    tag: int
    start: int
    end: int


def value(data: bytes, at: int = 0) -> Value:
    """Return the value at an offset; raise ValueError for what is no DER or is cut off."""
    if at + 2 > len(data):
        raise ValueError("the value is cut off")
    tag, length, start = data[at], data[at + 1], at + 2
    if tag & 0x1F == 0x1F:
        raise ValueError("tags of several bytes are used by nothing here")
    if length & 0x80:
        size = length & 0x7F
        if not 0 < size <= _LONGEST:
            raise ValueError("the length is none of DER")
        length = int.from_bytes(data[start : start + size])
        start += size
    if start + length > len(data):
        raise ValueError("the value is cut off")
    return Value(tag, start, start + length)


def inside(data: bytes, outer: Value) -> list[Value]:
    """Return the values inside a constructed one; raise ValueError."""
    found: list[Value] = []
    at = outer.start
    while at < outer.end:
        if len(found) == _MOST:
            raise ValueError("there are too many values")
        found.append(value(data, at))
        at = found[-1].end
    if at != outer.end:
        raise ValueError("a value goes past the one that holds it")
    return found


def expect(one: Value, tag: int) -> Value:
    """Return the value when it has the tag; raise ValueError otherwise."""
    if one.tag != tag:
        raise ValueError(f"tag {one.tag:#04x} where {tag:#04x} was expected")
    return one


def first(data: bytes, outer: Value) -> Value:
    """Return the first value inside a constructed one; raise ValueError for none."""
    if outer.start == outer.end:
        raise ValueError("there is nothing in it")
    found = value(data, outer.start)
    if found.end > outer.end:
        raise ValueError("a value goes past the one that holds it")
    return found


def public_key(tbs: bytes) -> bytes:
    """Return SubjectPublicKeyInfo of a TBSCertificate (RFC 5280, 4.1); raise ValueError."""
    parts = inside(tbs, expect(value(tbs), SEQUENCE))
    place = 6 if parts and parts[0].tag == _VERSION else 5
    if len(parts) <= place:
        raise ValueError("there is no public key")
    key = expect(parts[place], SEQUENCE)
    return tbs[parts[place - 1].end : key.end]


def algorithm(key: bytes) -> bytes:
    """Return the OID of a SubjectPublicKeyInfo's algorithm, its content; raise ValueError."""
    whole = expect(value(key), SEQUENCE)
    if whole.end != len(key):
        raise ValueError("bytes follow the key")
    oid = expect(first(key, expect(first(key, whole), SEQUENCE)), OID)
    return key[oid.start : oid.end]
