"""A list is cut into its rows wherever its pieces end, and what is no list is refused in time."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.sstu import array
from adapters.sstu.array import ELEMENT_CHARS, elements
from gateway.errors import MalformedError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def cut(body, size):
    return [body[at : at + size] for at in range(0, len(body), size)]


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """Every piece is looked at when it comes."""
    monkeypatch.setattr(array, "AT_ONCE", 1)


@given(st.lists(VALUES, max_size=5), st.integers(1, 40), st.sampled_from([None, 1]), st.booleans())
@settings(deadline=None)
def test_the_rows_are_those_of_the_whole_wherever_it_is_cut(rows, size, indent, ascii_only):
    body = json.dumps(rows, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "replace")
    rows = json.loads(body)
    found = list(elements(cut(body, size)))
    assert [json.loads(row) for row in found] == rows
    assert all(row in body for row in found), "each as it stood"


@pytest.mark.parametrize("body", [b"[]", b" [ ] ", b"\xef\xbb\xbf[]\n"])
def test_an_empty_list_has_no_rows(body):
    assert list(elements([body])) == []
    assert list(elements(cut(body, 1))) == []


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"{}", b"null", b"[", b"[1", b"[1,", b"[1,]", b"[,1]", b"[1 2]", b"[1]]",
        b"[1],", b"[e]", b"[]]", b"[1][", b'["a]', b'[{"a":1]', b"[\xff]", b"[1]\xff", b"]",
        b"\xef\xbb", b"[" * 200_000, b"<html>",
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [1_000_000, 1])
def test_what_is_no_array_is_refused(body, size):
    if size == 1 and len(body) > 1000:
        size = 1000
    with pytest.raises(MalformedError):
        list(elements(cut(body, size)))


def test_what_came_before_a_fault_is_given():
    rows = elements([b'[{"a":1},{"a":2},oops'])
    assert [next(rows), next(rows)] == [b'{"a":1}', b'{"a":2}']
    with pytest.raises(MalformedError):
        next(rows)


@pytest.mark.parametrize(
    ("begin", "more"),
    [(b'["', b"a"), (b"[", b"1"), (b"[1.", b"x"), (b'[{"a":1}', b"x"), (b"[[", b"1,")],
)
def test_a_row_that_never_ends_is_refused_before_it_fills_the_memory(monkeypatch, begin, more):
    monkeypatch.setattr(array, "AT_ONCE", 64 * 1024)
    taken = 0

    def endless():
        nonlocal taken
        yield begin
        while True:
            taken += 65_536
            yield more * 65_536

    with pytest.raises(MalformedError, match="too large"):
        list(elements(endless()))
    assert taken < 2 * ELEMENT_CHARS
