"""What a month looks like from both sides: every appeal has a reason."""

from datetime import UTC, date, datetime

import pytest

from adapters.sstu.codes import UNNUMBERED
from adapters.sstu.month import ELSEWHERE, REASONS, Known, bounds, complete, index
from gateway.adapter import RemoteState

OCTOBER = bounds(2026, 10)
DAY = date(2026, 10, 5)


def known(number="ОГ-1", **fields):
    return Known(receipt=f"R{number}", number=number, keys=(number,), on=DAY, **fields)


def row(number="ОГ-1", **fields):
    return RemoteState(key=number, key_folded=number, **fields)


def why(*appeals, listed=None):
    there = None if listed is None else index(listed)
    return [(r.number, r.reported, r.why) for r in complete(appeals, there, OCTOBER)]


def test_a_month_ends_where_the_next_begins():
    assert (date(2026, 10, 1), date(2026, 11, 1)) == OCTOBER
    assert bounds(2026, 12) == (date(2026, 12, 1), date(2027, 1, 1))


@pytest.mark.parametrize(
    ("fields", "reported", "reason"),
    [
        ({"state": "acknowledged", "taken": True}, True, "acknowledged"),
        ({"state": "refused", "taken": True}, True, "changed_since"),
        ({"state": "ready"}, False, "waiting"), ({"state": "sending"}, False, "waiting"),
        ({"state": "unknown"}, False, "in_doubt"), ({"state": "sent"}, False, "handed_over"),
        ({"state": "refused"}, False, "refused"), ({"state": "dead"}, False, "dead"),
        ({"state": "skipped"}, False, "skipped"), ({}, False, "not_told"),
        ({"aside": "test"}, False, "test"), ({"aside": "merged"}, False, "merged"),
        ({"aside": "not_an_appeal", "state": "refused"}, False, "not_an_appeal"),
        ({"state": "skipped", "error": UNNUMBERED}, False, "unnumbered"),
    ],
)  # fmt: skip
def test_without_the_nodes_list_its_word_counts(fields, reported, reason):
    assert why(known(**fields)) == [("ОГ-1", reported, reason)]


def test_the_nodes_list_is_believed_before_its_word():
    acknowledged = known(state="acknowledged", taken=True)
    assert why(acknowledged, listed=[]) == [("ОГ-1", False, "lost_there")]
    assert why(acknowledged, listed=[row()]) == [("ОГ-1", True, "listed")]
    assert why(known(state="dead"), listed=[row()]) == [("ОГ-1", True, "changed_since")]
    assert why(known(), listed=[row()]) == [("ОГ-1", True, "listed")]


def test_an_exception_of_the_node_counts_until_it_is_uploaded():
    failed = row(exception_message="Нет связи")
    (told,) = complete([known(state="acknowledged", taken=True)], index([failed]), OCTOBER)
    assert (told.reported, told.why, told.detail) == (False, "exception", "Нет связи")
    later = {"uploaded": datetime(2026, 10, 9, tzinfo=UTC)}
    there = row(exception_message="Нет связи", stages=later)
    assert why(known(state="acknowledged"), listed=[there]) == [("ОГ-1", True, "listed")]


def test_the_stage_that_the_node_reached_stands_beside():
    now = datetime(2026, 10, 9, tzinfo=UTC)
    stages = [("received",), ("received", "forwarded"), ("received", "forwarded", "uploaded")]
    listed = [
        row(str(n), stages={"uploaded": None, **dict.fromkeys(reached, now)})
        for n, reached in enumerate(stages)
    ]
    known_ = [known(str(n)) for n in range(3)]
    told = [(r.why, r.stage) for r in complete(known_, index(listed), OCTOBER)]
    assert told == [("listed", "received"), ("listed", "forwarded"), ("listed", "uploaded")]


def test_what_only_the_node_has_is_told_in_its_month():
    listed = [
        row("1", reported_on="2026-10-31"),
        row("2", reported_on="2026-11-01"),
        row("3", stages={"received": datetime(2026, 10, 1, tzinfo=UTC)}),
        row("4"),
        RemoteState(key="/7", key_folded="", exception_message="cannot be read"),
    ]
    assert why(listed=listed) == [("1", True, "never_came"), ("3", True, "never_came")]


def test_any_number_of_an_appeal_is_enough():
    one = known()._replace(keys=("ОГ-1", "A26-1"))
    assert why(one, listed=[row("A26-1", reported_on="2026-10-02")]) == [("ОГ-1", True, "listed")]


def test_a_message_has_no_row_unless_the_node_has_it():
    message = known(aside=ELSEWHERE, state="refused")
    assert why(message) == []
    assert why(message, listed=[]) == []
    assert why(message, listed=[row()]) == [("ОГ-1", True, "changed_since")]
    taken = known(aside=ELSEWHERE, state="acknowledged", taken=True)
    assert why(taken) == [("ОГ-1", True, "acknowledged")]


def test_every_reason_is_told_in_both_languages():
    assert all(russian and english for russian, english in REASONS.values())
