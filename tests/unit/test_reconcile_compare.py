"""What two sides of one number amount to, without a store and without a peer."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import msgspec
import pytest

from gateway.adapter import RemoteState
from gateway.reconcile.compare import (
    CAUSES,
    Context,
    Finding,
    Ours,
    Pair,
    judge,
    unreadable,
    unsendable,
)

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
CONTEXT = Context(asked_at=NOON, tolerance=5 * MINUTE)
APPEAL = UUID(int=7)
BLOCKED = {"blocked": UUID(int=9), "blocked_state": "refused", "blocked_at": NOON - 10 * MINUTE}


def remote(digest="same", **fields) -> RemoteState:
    given = {
        "key": "ОГ-1/26", "key_folded": "ОГ-1/26", "organisation": "b", "digest": digest,
        "states": {"0001": "InWork"}, "modified_at": NOON - 30 * MINUTE,
    }  # fmt: skip
    return RemoteState(**given | fields)


def ours(digest="same", **fields) -> Ours:
    given = {
        "appeal": APPEAL, "receipt": "R", "expected": remote(digest, modified_at=None),
        "acked_digest": digest, "since": NOON - 31 * MINUTE, "acked_at": NOON - 30 * MINUTE,
        "whole": True,
    }  # fmt: skip
    return Ours(**given | fields)


def one(*pair, context=CONTEXT, **more):
    mine, theirs = pair
    [verdict] = judge(Pair(ours=mine, theirs=theirs, **more), context)
    if isinstance(verdict, Finding):
        return verdict.class_, verdict.cause, verdict.repair
    return verdict


def test_equal_sides_are_the_same():
    assert one([ours()], [remote()]) == "same"


def test_the_digest_decides_before_the_words():
    assert one([ours()], [remote(states={"0001": "Inwork"})]) == "same"


def test_without_a_digest_the_words_decide():
    assert one([ours()], [remote("")]) == "same"
    assert one([ours()], [remote("", states={"0001": "Answered"})])[0] == "state_differs"


@pytest.mark.parametrize(
    ("states", "class_"),
    [
        ({"0001": "Answered"}, "state_differs"),
        ({"0001": "InWork"}, "content_differs"),
        ({"0002": "InWork"}, "content_differs"),
        ({"0001": "InWork", "0002": "InWork"}, "content_differs"),
    ],
)
def test_other_words_are_a_state_and_anything_else_is_content(states, class_):
    found = one([ours()], [remote("other", states=states)])
    assert found == (class_, "changed_there", "resend")


def test_who_moved_is_told_by_what_was_acknowledged():
    assert one([ours("new", acked_digest="old")], [remote("old")])[1] == "not_told"
    assert one([ours("new", acked_digest="old")], [remote("third")])[1] == "changed_there"
    assert one([ours("new", acked_digest="old", skipped=True)], [remote("old")])[1:] == (
        "skipped", "ask_operator"
    )  # fmt: skip


@pytest.mark.parametrize("theirs", [[], [remote("other")]])
def test_what_moves_is_no_difference(theirs):
    assert one([ours(moving=1)], theirs) == "in_flight"
    assert one([ours(acked_at=NOON + MINUTE)], theirs) == "in_flight"


def test_a_refusal_stops_what_waits_behind_it():
    assert one([ours(moving=1, **BLOCKED)], []) == ("missing_there", "refused", "resend")
    found = one([ours("new", moving=1, **BLOCKED)], [remote("old", states={"0001": "x"})])
    assert found == ("state_differs", "refused", "resend")


@pytest.mark.parametrize(
    ("fields", "modified", "found"),
    [
        ({"whole": True}, -30, ("unknown_settled", "there_after_all", "mark_acknowledged")),
        ({"acked_at": None}, -30, ("unknown_settled", "there_after_all", "mark_acknowledged")),
        ({}, -4, ("unknown_settled", "there_after_all", "mark_acknowledged")),
        ({}, -6, ("content_differs", "older_there", "resend")),
        ({}, -30, ("content_differs", "older_there", "resend")),
        ({"problem": "no name"}, -30, ("content_differs", "older_there", "ask_operator")),
    ],
)
def test_a_failed_delivery_that_shows_there_arrived_only_if_no_older_version_can_be_meant(
    fields, modified, found
):
    mine = ours(**{"whole": False} | BLOCKED | fields)
    assert one([mine], [remote(modified_at=NOON + modified * MINUTE)]) == found


def test_a_lost_one_is_sent_again_unless_that_may_be_wrong():
    assert one([ours()], []) == ("missing_there", "lost_there", "resend")
    torn = CONTEXT._replace(gaps=1)
    assert one([ours()], [], context=torn) == ("missing_there", "list_unreadable", "ask_operator")
    assert one([ours(citizen=True)], []) == ("missing_there", "lost_there", "ask_operator")
    assert one([ours(problem="no name")], []) == ("missing_there", "not_sendable", "ask_operator")


def test_an_appeal_looked_at_for_its_number_alone_is_not_missing_in_a_part_of_the_list():
    assert one([ours(by_number=True)], []) == "outside"


def test_what_is_only_theirs_is_expected_known_or_outside():
    assert one([], [remote()]) == ("missing_here", "never_came", "expect")
    assert one([], [remote()], awaited=True) == "awaited"
    assert one([], [remote()], linked=APPEAL) == "linked"
    assert one([], [remote()], inside=False) == "outside"


def test_several_rows_there_are_one_finding_for_a_person():
    assert one([ours()], [remote(), remote()]) == (
        "twice_there", "duplicate_there", "ask_operator"
    )  # fmt: skip
    assert one([], [remote(), remote()])[0] == "twice_there"
    assert one([], [remote(), remote()], inside=False) == "outside"


def test_two_of_our_appeals_under_one_number_are_never_sent_in_turns():
    first, second = ours("a"), ours("b")
    verdicts = judge(Pair(ours=[first, second], theirs=[remote("a")]), CONTEXT)
    assert verdicts[0] == "same"
    assert (verdicts[1].cause, verdicts[1].repair) == ("same_number_here", "ask_operator")


def test_what_the_peer_could_not_process_is_sent_again():
    found = one([ours()], [remote(exception_message="Портал недоступен")])
    assert found == ("state_differs", "failed_there", "resend")


@pytest.mark.parametrize(
    ("modified", "received", "cause"),
    [
        (-37, -37, "clock_behind"),
        (-35, -35, None),
        (-24, -24, "clock_ahead"),
        (-26, -26, None),
        (-1, -30, None),
        (6, None, "clock_ahead"),
        (4, None, None),
    ],
)
def test_a_clock_is_off_when_the_order_of_things_says_so(modified, received, cause):
    stages = {} if received is None else {"received": NOON + received * MINUTE}
    row = remote(modified_at=NOON + modified * MINUTE, stages=stages)
    expected = ("clock_skew", cause, "ask_operator") if cause else "same"
    assert one([ours()], [row]) == expected


def test_a_finding_keeps_no_row_as_it_came():
    row = remote("other", raw=b'{"name": "a person"}')
    [found] = judge(Pair(ours=[ours()], theirs=[row]), CONTEXT)
    assert "raw" not in found.theirs
    assert b"a person" not in msgspec.json.encode(found)
    assert found.ours["states"] == {"0001": "InWork"}
    assert found.ours["acknowledged_at"] == "2026-03-02T11:30:00+00:00"


def test_what_cannot_be_compared_is_said_by_the_number_there_is():
    torn = unreadable(RemoteState(key="/3", key_folded="", exception_message="/number: missing"))
    assert (torn.class_, torn.key, torn.repair) == ("missing_here", "/3", "ask_operator")
    nameless = unsendable(ours(problem="/name: required"))
    assert (nameless.class_, nameless.key, nameless.cause) == (
        "missing_there", "R", "not_sendable"
    )  # fmt: skip
    assert nameless.ours["problem"] == "/name: required"


def test_every_cause_has_words_in_both_languages():
    said = {
        "lost_there", "refused", "dead", "not_sendable", "list_unreadable", "changed_there",
        "not_told", "skipped", "older_there", "failed_there", "same_number_here",
        "duplicate_there", "never_came", "row_unreadable", "arrived", "never_arrived",
        "cannot_tell", "there_after_all", "clock_behind", "clock_ahead",
    }  # fmt: skip
    assert set(CAUSES) == said
    assert all(russian and english for russian, english in CAUSES.values())
