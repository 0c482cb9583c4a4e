"""What a peer may report goes by what it is to the appeal, and by what the operator granted it."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import pytest

from gateway.lifecycle import Claim
from gateway.lifecycle.table import BY_EVENT
from gateway.model.events import Actor, Event, EventType
from gateway.model.facts import ExecutorFacts, RegistrationFacts, RoutedFacts
from gateway.model.peer import Peer
from gateway.rights import BELOW_FULL, granted, same_letters, was_given, within

SED = Peer(code="sed", name="СЭД", disclosure="full", disclosure_ground="исполнитель")
NUMBER = RegistrationFacts(organisation="gzhi", number="17-ж")


def peer(disclosure: str = "reference_only", **options) -> Peer:
    return Peer(code="hook", name="УК", disclosure=disclosure, options=options)


def claim(type_: EventType = EventType.TAKEN_TO_WORK) -> Claim:
    return Claim(
        type=type_, occurred_at=dt.date(2026, 3, 2), actor=Actor(kind="peer", id="hook"),
        registration=NUMBER, executor=ExecutorFacts(organisation="gzhi"),
    )  # fmt: skip


def test_the_sender_and_whoever_sees_it_whole_report_what_the_life_cycle_takes():
    assert granted(peer(), source=True) is None
    assert granted(SED, source=False) is None


@pytest.mark.parametrize("level", ["reference_only", "problem_only"])
def test_whoever_sees_less_ends_nothing_registers_nothing_and_hands_nothing_over(level):
    allowed = granted(peer(level), source=False)
    assert allowed == BELOW_FULL
    for event in BELOW_FULL:
        to = BY_EVENT[event].to
        assert to is None or to.is_open
    assert not BELOW_FULL & {
        EventType.REGISTERED, EventType.ASSIGNED, EventType.REASSIGNED, EventType.LETTER_SENT,
    }  # fmt: skip
    assert granted(None, source=False) == BELOW_FULL


@pytest.mark.parametrize("source", [True, False])
def test_a_grant_says_it_for_any_level(source):
    allowed = peer("problem_only", grant=["Answered", "Registered"])
    assert granted(allowed, source=source) == {EventType.ANSWERED, EventType.REGISTERED}


def test_facts_told_beside_an_event_need_their_own_grant():
    kept, left_out = within(claim(), BELOW_FULL)
    assert (kept.registration, kept.executor, len(left_out)) == (None, None, 2)
    assert within(claim(), None) == (claim(), ())
    own = claim(EventType.REGISTERED)
    kept, left_out = within(own, frozenset({EventType.REGISTERED}))
    assert (kept.registration, kept.executor, len(left_out)) == (NUMBER, None, 1)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("urog", "urog", True),
        ("urog", ["minstroy", "urog"], True),
        ("urog", "minstroy", False),
        ("urog", None, False),
        (None, None, False),
        ("", "", False),
        (["a", 7], 7, False),
    ],
)
def test_only_what_the_operator_declared_makes_letters_the_same(one, other, same):
    def bringing(code: str, group: object) -> Peer:
        return Peer(code=code, name=code, options={"same_letters": group} if group else {})

    assert same_letters(bringing("a", one), bringing("b", other)) is same
    assert same_letters(bringing("b", other), bringing("a", one)) is same
    assert same_letters(bringing("a", one), bringing("a", other))
    assert not same_letters(bringing("a", one), None)


def test_a_peer_was_given_an_appeal_by_any_route_it_ever_had():
    now = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    history = [
        Event(
            appeal_id=UUID(int=1), seq=seq, type=EventType.ROUTED, occurred_at=now,
            recorded_at=now, actor=Actor(kind="rule", id="r"),
            payload=RoutedFacts(rule="r", destinations=destinations),
        )
        for seq, destinations in enumerate((("sed",), ("press",)), 2)
    ]  # fmt: skip
    assert was_given("sed", history)
    assert was_given("press", history)
    assert not was_given("portal", history)
