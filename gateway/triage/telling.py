"""Who is to be told of what one message became; the plain reasons are `subscriptions`'. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.model.events import Actor, Event, EventType
from gateway.subscriptions import Owed, owed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from gateway.store.history import Head
    from gateway.store.work import Item
    from gateway.triage.build import Build

ADDED: Final = frozenset({EventType.AMENDED, EventType.FILE_ATTACHED})
"""What its sender adds to an appeal. Of a merged one it stays its own, and whoever works on the
letter is told, because nobody else would look there."""


def owed_by(build: Build, head: Head, *, received: bool) -> tuple[Owed, ...]:
    """Return the deliveries of a plan. received: it begins an appeal, which itself is news."""
    routed = build.state.routed
    told = owed(
        [*([stub(build.item, head)] if received else []), *build.events],
        source=head.peer,
        routed=routed.destinations if routed else (),
        merged=build.facts.merged.get(head.id, {}),
        **_given(build, head),
    )
    return (*_missed(build, head, told, received=received), *told, *_added(build, head))


def _missed(build: Build, head: Head, told: Sequence[Owed], *, received: bool) -> list[Owed]:
    """Tell those that an appeal is routed to later what has happened to it before."""
    before, now = build.facts.states[head.id].routed, build.state.routed
    if received or now is None or now == before:
        return []
    known = {head.peer, *(before.destinations if before else ())}
    new = [code for code in now.destinations if code not in known]
    last_only = {o.destination for o in told} & _last_only(build)
    story = build.facts.histories.get(head.id, ())
    missed = owed(story, source="", routed=new, **_given(build, head)) if new else []
    return [o for o in missed if o.destination in new and o.destination not in last_only]


def of_merger(build: Build, head: Head, story: Sequence[Event]) -> tuple[Owed, ...]:
    """Tell the sender of a merged appeal so, and what it has missed of the letter's holder.

    story: what happened to the holder before. A register that takes whole documents is told of the
    holder only: its own document comes with where that one stands. A holder that has just come
    tells by itself.
    """
    last_only = _last_only(build)
    told = [o for o in owed_by(build, head, received=False) if o.destination not in last_only]
    if len(story) > 1 and not _hears(build, head.peer, story[0].appeal_id):
        missed = owed(
            story, source="", routed=(), merged={head.peer: head.id}, **_given(build, head)
        )
        told += [o for o in missed if o.destination == head.peer]
    return tuple(told)


def stub(item: Item, head: Head) -> Event:
    """Return the first event, as far as telling of it needs it; accept has stored the real one."""
    return Event(
        appeal_id=head.id, seq=1, type=EventType.RECEIVED, occurred_at=item.recorded_at,
        recorded_at=item.recorded_at, actor=Actor(kind="peer", id=item.peer),
    )  # fmt: skip


def _added(build: Build, head: Head) -> list[Owed]:
    """Tell those who work on the letter what was added to an appeal that was merged into it."""
    into = build.state.merged_into
    stands = build.facts.states.get(into) if into is not None else None
    if stands is None or stands.routed is None:
        return []
    added = [event for event in build.events if event.type in ADDED]
    executors = set(stands.routed.destinations) - {head.peer} - _last_only(build)
    told = owed(added, source="", routed=sorted(executors), **_given(build, head))
    return [o for o in told if o.destination in executors]


def _hears(build: Build, peer: str, appeal_id: UUID) -> bool:
    """Whether a peer is told of an appeal already: it sent it, is routed to, or sent the letter."""
    facts = build.facts
    routed = facts.states[appeal_id].routed
    return (
        facts.heads[appeal_id].peer == peer
        or (routed is not None and peer in routed.destinations)
        or peer in facts.merged.get(appeal_id, {})
    )


def _last_only(build: Build) -> set[str]:
    peers = build.facts.peers
    return {code for code, peer in peers.items() if peer.options.get("tell_last")}


def _given(build: Build, head: Head) -> dict[str, Any]:
    return {"peers": build.facts.peers, "manners": build.rules.manners, "test": head.test}
