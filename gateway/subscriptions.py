"""Who is to be told of an event, and how; pure.

Three reasons to tell a peer: it sent the appeal, the route named it, or it raised the event and
wants to know what became of it. How is the peer's own choice (`options.tell`); which events is its
`options.events`, or everything that a peer may see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.lifecycle.ties import told_of_own
from gateway.model.events import EventType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from gateway.model.events import Event
    from gateway.model.peer import Peer

INTERNAL: Final = frozenset(
    {
        EventType.ROUTED,
        EventType.DEADLINE_OPENED,
        EventType.DEADLINE_MOVED,
        EventType.DEADLINE_CLOSED,
        EventType.CONFLICT_RECORDED,
        EventType.CONFLICT_RESOLVED,
    }
)
"""Facts of our own that nobody outside is told as such."""

CITIZEN: Final = frozenset({EventType.ANSWERED, EventType.LETTER_SENT, EventType.DECLINED})
"""Events whose delivery may end in a letter to the applicant; never replayed by filter."""


class Owed(NamedTuple):
    """One delivery to be enqueued."""

    destination: str
    lane_key: str
    appeal_id: UUID
    event_seq: int
    event_type: str
    kind: str
    may_reach_citizen: bool
    test: bool


def owed(
    events: Sequence[Event],
    *,
    source: str,
    routed: Iterable[str],
    peers: Mapping[str, Peer],
    test: bool,
) -> list[Owed]:
    """Return what the new events of one appeal oblige us to deliver, in the order of the events.

    A destination that is told a state, not a story (`options.tell_last`, as ССТУ, which takes the
    whole appeal anew each time), gets one delivery for the last of them.
    """
    result: list[Owed] = []
    destinations = dict.fromkeys((*routed, source))
    last_only = {
        code for code in destinations if code in peers and peers[code].options.get("tell_last")
    }
    last: dict[str, Owed] = {}
    for event in events:
        told = list(destinations)
        if event.actor.kind == "peer" and event.actor.id not in destinations:
            told.append(event.actor.id)
        for code in told:
            item = _one(event, code, peers.get(code), source, test=test)
            if item is None:
                continue
            if code in last_only:
                last[code] = item
            else:
                result.append(item)
    return result + list(last.values())


def _one(event: Event, code: str, peer: Peer | None, source: str, *, test: bool) -> Owed | None:
    if peer is None or not peer.enabled:
        return None
    own_conflict = event.type is EventType.CONFLICT_RECORDED and event.actor.id == code
    if (event.type in INTERNAL and not own_conflict) or told_of_own(event):
        return None
    wanted = peer.options.get("events")
    if wanted and event.type.value not in wanted:
        return None
    tell = peer.options.get("tell") or ("pull" if peer.adapter in ("", "pull") else "push")
    if tell == "none" or (event.type is EventType.RECEIVED and code == source):
        return None
    by_appeal = peer.options.get("ordering", "appeal") == "appeal"
    return Owed(
        destination=code,
        lane_key=str(event.appeal_id) if by_appeal else "",
        appeal_id=event.appeal_id,
        event_seq=event.seq,
        event_type=event.type.value,
        kind=tell,
        may_reach_citizen=event.type in CITIZEN,
        test=test,
    )
