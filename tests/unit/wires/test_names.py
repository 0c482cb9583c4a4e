"""Names that accepted documents leave behind in the thread that reads them are counted."""

import random
import time

import pytest

from gateway import limits
from gateway.wires import parsing
from gateway.wires.names import Names

PLAIN = (
    b'<e:Envelope xmlns:e=\'urn:e\'><e:Body><a xmlns="urn:a">text x="1"</a></e:Body></e:Envelope>'
)


def test_a_document_like_the_one_before_brings_nothing():
    names = Names()
    assert names.new(PLAIN) == sum(
        map(len, (b"e:Envelope", b"xmlns:e", b"urn:e", b"e:Body", b"a", b"xmlns", b"urn:a"))
    )
    assert names.new(PLAIN) == 0
    assert names.new(PLAIN.replace(b"text", b"other words = 'in' <!-- <b> -->")) in (0, 1)


@pytest.mark.parametrize(
    "changed",
    [
        PLAIN.replace(b"<e:Body>", b"<e:Body NEW='1'>"),
        PLAIN.replace(b"<e:Body>", b"<e:Body a='>' NEW='1'>"),
        PLAIN.replace(b"<e:Body>", b'<e:Body\n\tNEW = "\'">'),
        PLAIN.replace(b"urn:a", b"NEW"),
        PLAIN.replace(b"<a ", b"<a xmlns:NEW='urn:a' "),
        PLAIN.replace(b"<a ", b"<NEW/><a "),
    ],
)
def test_each_kind_of_new_name_counts(changed):
    names = Names()
    names.new(PLAIN.replace(b"<e:Body>", b"<e:Body a='2'>"))
    assert 3 <= names.new(changed) <= 9


def test_the_same_again_costs_nothing_however_many_there_were():
    names, many = Names(), [b"<n%d/>" % n for n in range(5_000)]
    for each in many:
        names.new(each)
    assert names.new(many[0]) == 0
    assert names.new(b"<new/>") == 4


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_document_in_another_encoding_is_looked_at_as_it_stands(encoding):
    names, wide = Names(), PLAIN.decode().encode(encoding)
    assert names.new(wide) > 0
    assert names.new(wide) == 0
    assert names.new(PLAIN.decode().replace("Body", "Buddy").encode(encoding)) > 0


@pytest.mark.parametrize("piece", [b'<"', b"<a b='", b"<", b'<![CDATA[<"', b"<a =", b"xmlns"])
def test_it_is_looked_through_in_linear_time(piece):
    begun = time.process_time()
    Names().new(b"<a>" + piece * (limits.INLINE_DECODE_BYTES // len(piece)) + b"</a>")
    assert time.process_time() - begun < 0.5


class TestTrust:
    def test_who_brings_new_names_again_and_again_is_read_elsewhere(self, monkeypatch):
        monkeypatch.setattr(parsing, "getrandbits", random.Random(1).getrandbits)
        found = parsing.Parsing(refused=100_000)
        for n in range(2_000):
            found.took("portal", PLAIN)
            found.took("stranger", b"<n%d%s/>" % (n, b"x" * 1_000))
        assert found.trusts("portal")
        assert not found.trusts("stranger")

    def test_what_was_taken_does_not_make_up_for_it(self, monkeypatch):
        monkeypatch.setattr(parsing, "getrandbits", lambda _: 0)
        found = parsing.Parsing(refused=1_000)
        found.took("peer", b"<" + b"n" * 200 + b"/>")
        found.judged("peer", 1_000_000, taken=True)
        assert not found.trusts("peer")
