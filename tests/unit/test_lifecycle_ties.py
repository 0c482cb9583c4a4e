"""What ties an appeal to others follows from its events, and a person's word is the last."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from gateway.lifecycle import AppealState, evolve, ties
from gateway.model import facts as f
from gateway.model.events import Actor, Event, EventType
from tests.unit.lifecycle_kit import APPEAL, NOW, received

FIRST, SECOND = UUID(int=1), UUID(int=2)
DAY = dt.date(2026, 6, 1)
PERSON = Actor(kind="person", id="ivanova")


def after(state: AppealState, *told: tuple[EventType, f.Facts]) -> AppealState:
    for type_, payload in told:
        event = Event(
            appeal_id=APPEAL,
            seq=state.seq + 1,
            type=type_,
            occurred_at=NOW,
            recorded_at=NOW + dt.timedelta(minutes=state.seq),
            actor=PERSON,
            cause=FIRST,
            payload=payload,
        )
        state = evolve(state, event)
    return state


def link(other: UUID, kind: str = ties.SAME_DOCUMENT) -> f.LinkFacts:
    return f.LinkFacts(kind=kind, appeal=str(other), number="1-2/345", date=DAY)


MERGED, UNMERGED, LINKED = (
    EventType.MERGED_AS_DUPLICATE, EventType.UNMERGED, EventType.LINK_ADDED,
)  # fmt: skip


def twins(state: AppealState) -> list[UUID]:
    return [other for other, _ in ties.twins(state.links, state.merged_into)]


def test_a_merger_names_the_one_that_goes_on_until_it_is_undone():
    merged = after(received(), (MERGED, link(FIRST)))
    apart = after(merged, (UNMERGED, link(FIRST)))

    assert (merged.merged_into, merged.apart) == (FIRST, frozenset())
    assert (apart.merged_into, apart.apart, apart.links) == (None, {FIRST}, ())
    again = after(apart, (MERGED, link(FIRST)))
    assert (again.merged_into, again.apart) == (FIRST, frozenset())


def test_the_other_side_of_a_merger_is_not_merged_itself():
    holder = after(received(), (LINKED, link(FIRST)), (UNMERGED, link(FIRST)))

    assert holder.merged_into is None
    assert holder.apart == {FIRST}


def test_a_suspicion_lasts_until_somebody_says():
    suspected = after(
        received(), (LINKED, link(FIRST, ties.POSSIBLE_TWIN)),
        (LINKED, link(SECOND, ties.POSSIBLE_TWIN)),
    )  # fmt: skip

    assert twins(suspected) == [FIRST, SECOND]
    assert twins(after(suspected, (UNMERGED, link(FIRST, ties.POSSIBLE_TWIN)))) == [SECOND]
    assert twins(after(suspected, (LINKED, link(FIRST)))) == [SECOND], "merged the other way"
    assert twins(after(suspected, (MERGED, link(FIRST)))) == []


def test_a_dispute_is_settled_by_its_number_with_who_and_when():
    conflict = f.ConflictFacts(claimed="Answered", reason="два исхода")
    state = after(
        received(), (EventType.CONFLICT_RECORDED, conflict), (EventType.CONFLICT_RECORDED, conflict)
    )
    assert state.conflicts == (2, 3)

    settled = after(state, (EventType.CONFLICT_RESOLVED, f.ReasonFacts(code="3")))

    assert settled.conflicts == (2,)
    [_, dispute] = settled.disputes
    assert (dispute.settled_by, dispute.message) == ("ivanova", FIRST)
    assert dispute.settled_at == NOW + dt.timedelta(minutes=3)


def test_only_a_suspicion_is_kept_to_ourselves():
    for kind, own in ((ties.POSSIBLE_TWIN, True), (ties.SAME_DOCUMENT, False)):
        event = Event(
            appeal_id=APPEAL, seq=2, type=LINKED, occurred_at=NOW, recorded_at=NOW, actor=PERSON,
            payload=link(FIRST, kind),
        )  # fmt: skip
        assert ties.told_of_own(event) is own
