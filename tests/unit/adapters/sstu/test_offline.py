"""What a closed network gives back settles exactly what it speaks of."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.sstu.adapter import Options, Sstu
from adapters.sstu.analytics import Row
from adapters.sstu.offline import Result, Waiting, by_list, by_results, is_list, read
from gateway.adapter import RemoteState, Window, Wire
from gateway.errors import GatewayError, MalformedError, UnsupportedError, Violation

KEY = ("body", "ОГ-1")
NOW = datetime(2026, 10, 5, tzinfo=UTC)


def delivery(n, **fields):
    fields = {"sha256": f"{n:064x}", "key": KEY, "digest": f"d{n}", **fields}
    return Waiting(UUID(int=n), UUID(int=99), **fields)


def answers(**statuses):
    return {
        f"{int(n[1:]):064x}": Result(sha256=f"{int(n[1:]):064x}", status=status, text="почему")
        for n, status in statuses.items()
    }


def settled(found):
    return {one.id.int: one.state for one in found}


GROUP = [delivery(1), delivery(2), delivery(3)]


def test_a_document_that_was_taken_settles_what_was_owed_before_it():
    assert settled(by_results([GROUP], answers(n2=200), uploaded=False)) == {
        1: "acknowledged",
        2: "acknowledged",
    }


def test_a_document_that_was_refused_settles_itself_in_the_nodes_words():
    (one,) = by_results([GROUP], answers(n3=400), uploaded=True)
    assert (one.id.int, one.state, one.reason) == (3, "refused", "почему")


@pytest.mark.parametrize("status", [0, 302, 408, 429, 500, 503])
def test_an_answer_that_says_nothing_of_the_document_settles_nothing(status):
    assert settled(by_results([GROUP], answers(n3=status), uploaded=False)) == {}


def test_a_document_that_changed_since_it_was_packed_waits_on():
    assert settled(by_results([GROUP], answers(n7=200), uploaded=False)) == {}


def test_where_the_upload_settles_a_node_that_only_took_it_does_not():
    assert settled(by_results([GROUP], answers(n2=200), uploaded=True)) == {}


def row(digest="d2", **fields):
    return Row(RemoteState(key="ОГ-1", key_folded="ОГ-1", digest=digest, **fields), "r", ())


def test_the_list_settles_what_it_shows_under_ack():
    taken = {1: "acknowledged", 2: "acknowledged"}
    at = {"uploaded": datetime(2026, 10, 9, tzinfo=UTC)}
    assert settled(by_list([GROUP], {KEY: [row()]}, uploaded=False)) == taken
    assert settled(by_list([GROUP], {KEY: [row()]}, uploaded=True)) == {}
    assert settled(by_list([GROUP], {KEY: [row(stages=at)]}, uploaded=True)) == taken
    failed = row(exception_message="Нет связи")
    (one,) = by_list([GROUP], {KEY: [failed]}, uploaded=True)
    assert (one.id.int, one.state, one.reason) == (2, "refused", "Нет связи")


def test_a_list_that_shows_something_else_or_it_twice_settles_nothing():
    assert settled(by_list([GROUP], {KEY: [row("other")]}, uploaded=False)) == {}
    assert settled(by_list([GROUP], {KEY: [row(), row()]}, uploaded=False)) == {}
    unknown = [delivery(1, key=("", ""), digest="")]
    assert settled(by_list([unknown], {("", ""): [row("")]}, uploaded=False)) == {}


@pytest.mark.parametrize(
    ("changed", "handed", "taken"),
    [(1, True, True), (-1, True, False), (None, True, True),
     (1, False, True), (-1, False, False), (None, False, False)],
)  # fmt: skip
def test_a_row_that_was_not_changed_since_shows_an_older_state_that_looks_alike(
    changed, handed, taken
):
    """A corrected name or address is nothing that the list shows."""
    at = NOW + timedelta(hours=changed) if changed else None
    group = [delivery(1, since=NOW, handed=handed)]
    told = settled(by_list([group], {KEY: [row("d1", modified_at=at)]}, uploaded=False))
    assert told == ({1: "acknowledged"} if taken else {})


def test_a_refusal_in_the_same_words_is_no_news():
    known = [delivery(1, error="Неверный орган")]
    assert settled(by_results([known], answers(n1=400), uploaded=False)) == {1: "refused"}
    known = [delivery(1, error="почему")]
    assert settled(by_results([known], answers(n1=400), uploaded=False)) == {}


def test_a_bad_line_of_a_result_is_named_and_the_others_are_read():
    good = json.dumps({"name": "1.json", "sha256": "a" * 64, "status": 200}).encode()
    found = list(read([b"\xef\xbb\xbf" + good, b"\n", b"{", b'{"sha256": "b", "status": 1}', good]))
    assert [type(one) for one in found] == [Result, Violation, Violation, Result]
    assert [one.line for one in found if isinstance(one, Violation)] == [3, 4]
    with pytest.raises(MalformedError):
        list(read([b"x" * 70_000]))


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_whatever_a_result_holds_only_lines_are_refused(lines):
    found = []
    try:
        found = list(read(lines))
    except GatewayError:
        return
    assert all(isinstance(one, Result | Violation) for one in found)


def test_a_list_is_told_from_a_result():
    assert is_list(b'\xef\xbb\xbf \n[{"requestId": 1}]')
    assert not is_list(b'{"sha256": ""}')
    assert not is_list(b"")


def test_an_offline_node_is_never_spoken_to():
    channel = Sstu({"mode": "offline", "department_id": "1f6b0a52-9d3e-4c7a-8f21-0a5b6c7d8e91"})
    wire = Wire(media_type="application/json", body=b"{}", name="1.json")
    assert not channel.deliver(wire, "").final
    receipt = channel.settle(wire, "")
    assert receipt
    assert (receipt.final, receipt.reference) == (False, "1.json")
    assert channel.probe().ok
    now = datetime(2026, 10, 9, tzinfo=UTC)
    with pytest.raises(UnsupportedError):
        list(channel.reconcile(Window(start=now, end=now)))
    with pytest.raises(GatewayError):
        Options.of({"mode": "by post"})
