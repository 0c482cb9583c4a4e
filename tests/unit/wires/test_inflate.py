"""A packed body brings what it says, neither out of nothing nor for ever."""

from __future__ import annotations

import gzip
import random
import zlib

import pytest

from gateway import limits
from gateway.errors import MalformedError, TooLargeError
from gateway.wires import inflate
from gateway.wires.inflate import in_pieces

STEP = 16 * limits.KB


def taken(packed, coding="gzip", limit=limits.PACKAGE_BYTES):
    """Feed it piece by piece; return the packed bytes that were taken and those that came out."""
    pieces, close = in_pieces(coding, limit)
    came = 0
    for start in range(0, len(packed), STEP):
        came += sum(map(len, pieces(packed[start : start + STEP])))
    close()
    return came


def test_a_package_cannot_come_of_nearly_nothing():
    packed = gzip.compress(random.Random(7).randbytes(1_000) + bytes(30 * limits.MB))
    pieces, _ = in_pieces("gzip", limits.PACKAGE_BYTES)
    came = 0
    with pytest.raises(TooLargeError) as caught:  # noqa: PT012 - where it stops is the point
        for start in range(0, len(packed), STEP):
            for piece in pieces(packed[start : start + STEP]):
                came += len(piece)
    assert came <= inflate.FREE_BYTES
    assert "200 times" in caught.value.expected


def test_what_packs_well_and_is_small_or_packs_as_text_does_comes_through():
    assert taken(gzip.compress(bytes(9 * limits.MB))) == 9 * limits.MB
    chance = random.Random(7)
    line = b"%06d;Ivanov;Lenina 1;no water\n"
    table = b"".join(line % chance.randrange(10**6) for _ in range(500_000))
    assert taken(gzip.compress(table)) == len(table)
    assert taken(zlib.compress(table), "deflate") == len(table)


@pytest.mark.parametrize(
    "endless",
    [
        b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * limits.MB,
        b"\x1f\x8b\x08\x00" + bytes(6) + b"\x00\x00\x00\xff\xff" * 100_000,
    ],
    ids=["a name without an end", "blocks without data"],
)
def test_a_packed_body_that_brings_nothing_is_not_taken_for_ever(endless):
    with pytest.raises(MalformedError) as caught:
        taken(endless)
    assert "nothing comes out" in caught.value.message


def test_a_long_name_in_the_header_is_read():
    named = b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * 30_000 + b"\0"
    assert taken(named + gzip.compress(b"text")[10:]) == 4


def test_a_body_that_drips_between_empty_blocks_ends_too():
    drip = b"\x00\x00\x00\xff\xff" * 10_000 + b"\x00\x01\x00\xfe\xffx"
    with pytest.raises(TooLargeError):
        taken(b"\x1f\x8b\x08\x00" + bytes(6) + drip * 60, limit=limits.MB)
