"""Who is to be told of an event, and how; pure.

Reasons to tell a peer: it sent the appeal, the route named it, it raised the event and wants to
know what became of it, or a letter of its own was merged into the appeal. How is the peer's own
choice (`options.tell`); which events is its `options.events`, and where an adapter speaks with it,
those of them that its manifest sends on.

A peer that is disabled is owed what happens for `options.keep_days`: it lies in its lanes, is not
sent, and goes out when the peer is enabled again.
"""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.lifecycle.table import ROWS
from gateway.lifecycle.ties import told_of_own
from gateway.model.events import EventType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from gateway.model.events import Event
    from gateway.model.peer import Peer

INTERNAL: Final = frozenset(
    {
        EventType.ADDRESS_RESOLVED,
        EventType.ROUTED,
        EventType.DEADLINE_OPENED,
        EventType.DEADLINE_MOVED,
        EventType.DEADLINE_CLOSED,
        EventType.CONFLICT_RECORDED,
        EventType.CONFLICT_RESOLVED,
        EventType.REPORT_REFUSED,
    }
)
"""Facts of our own that nobody outside is told as such."""

TROUBLE: Final = frozenset({EventType.CONFLICT_RECORDED, EventType.REPORT_REFUSED})
"""What has become of a report that was not applied; its sender is told, and nobody else."""

CITIZEN: Final = frozenset(
    {
        EventType.ANSWERED,
        EventType.LETTER_SENT,
        EventType.DECLINED,
        EventType.CLARIFICATION_ASKED,
    }
)
"""Events whose delivery may end in a letter to the applicant, where no manifest says so: of peers
that pull, and of the channels of this house."""

STANDING: Final = frozenset(
    {row.event for row in ROWS if row.to is not None and row.event is not EventType.RECEIVED}
    | {
        EventType.REGISTRATION_ANNULLED,
        EventType.RECEIVER_REGISTERED,
        EventType.RECEIVER_ANSWERED,
        EventType.EXTENDED,
        EventType.LETTER_SENT,
        EventType.DELIVERED,
        EventType.DELIVERY_FAILED,
    }
)
"""Where an appeal stands, its numbers and its answers: what whoever sent the same letter is told of
it. What its sender adds to it, and what ties it to others, is not theirs to know."""

KEEP_DAYS: Final = 90
"""How long a disabled peer is owed what happens, where its row does not say; a peer that has gone
for good must not gather deliveries for ever."""
_KEEP_DAYS_MAX: Final = 36_500


class Manner(NamedTuple):
    """How an adapter tells, as its manifest says.

    sends_on: types of events that it has something to send for. may_reach_citizen: what it sends
    may end in a letter, a message or a page for a citizen, and is never replayed by filter.
    ordering: `appeal` or `destination`.
    """

    sends_on: frozenset[str]
    may_reach_citizen: bool
    ordering: str


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
    through: UUID | None = None


_NOBODY: Final[Mapping[str, UUID]] = MappingProxyType({})


def owed(
    events: Sequence[Event],
    *,
    source: str,
    routed: Iterable[str],
    merged: Mapping[str, UUID] = _NOBODY,
    peers: Mapping[str, Peer],
    manners: Mapping[str, Manner],
    test: bool,
) -> list[Owed]:
    """Return what the new events of one appeal oblige us to deliver, in the order of the events.

    merged: peer → its own appeal, of those whose letter was merged into this one: unless they are
    told in their own right, they are told of `STANDING` only, and through that appeal.
    manners: by name of the adapter; channels of this house have none. test: of a test message,
    which a production system is not given to pull; what is sent is stopped by dispatch, visibly.
    A destination that is told a state, not a story (`options.tell_last`, as ССТУ, which takes the
    whole appeal anew each time), gets one delivery for the last of them.
    """
    result: list[Owed] = []
    destinations = dict.fromkeys((*routed, source))
    through = {code: own for code, own in sorted(merged.items()) if code not in destinations}
    last_only = {
        code
        for code in (*destinations, *through)
        if code in peers and peers[code].options.get("tell_last")
    }
    last: dict[str, Owed] = {}
    for event in events:
        told = [*destinations, *(through if event.type in STANDING else ())]
        if event.actor.kind == "peer" and event.actor.id not in {*destinations, *through}:
            told.append(event.actor.id)
        for code in told:
            peer = peers.get(code)
            if peer is None:
                continue
            manner = manners.get(peer.adapter)
            item = _one(event, peer, manner, source, test=test, through=through.get(code))
            if item is None:
                continue
            if code in last_only:
                last[code] = item
            else:
                result.append(item)
    return result + list(last.values())


def _one(
    event: Event,
    peer: Peer,
    manner: Manner | None,
    source: str,
    *,
    test: bool,
    through: UUID | None,
) -> Owed | None:
    own_trouble = event.type in TROUBLE and event.actor.id == peer.code
    if (event.type in INTERNAL and not own_trouble) or told_of_own(event):
        return None
    tell = peer.options.get("tell") or ("pull" if peer.adapter in ("", "pull") else "push")
    if tell == "none" or (event.type is EventType.RECEIVED and peer.code == source):
        return None
    if tell != "push":  # it reads what it is shown; no codec has to have a word for it
        manner = None
    if not _wants(event, peer, manner) or not _is_kept_for(peer, event.recorded_at):
        return None
    if test and tell == "pull" and not peer.test and peer.code != source:
        return None
    ordering = peer.options.get("ordering") or (manner.ordering if manner else "appeal")
    return Owed(
        destination=peer.code,
        lane_key=str(through or event.appeal_id) if ordering == "appeal" else "",
        appeal_id=event.appeal_id,
        event_seq=event.seq,
        event_type=event.type.value,
        kind=tell,
        may_reach_citizen=_may_reach_citizen(event, peer, manner),
        test=test,
        through=through,
    )


def _wants(event: Event, peer: Peer, manner: Manner | None) -> bool:
    wanted = peer.options.get("events")
    if wanted and event.type.value not in wanted:
        return False
    return manner is None or event.type.value in manner.sends_on


def _is_kept_for(peer: Peer, at: datetime) -> bool:
    """Whether a delivery is owed: to a peer that is enabled, or was not long ago."""
    if peer.enabled or peer.disabled_at is None:
        return peer.enabled
    days = peer.options.get("keep_days")
    if not isinstance(days, int | float) or not 0 <= days <= _KEEP_DAYS_MAX:
        days = KEEP_DAYS
    return at - peer.disabled_at < timedelta(days=days)


def _may_reach_citizen(event: Event, peer: Peer, manner: Manner | None) -> bool:
    """What the row says, as a system may pass on what its format does not; else the manifest."""
    said = peer.options.get("may_reach_citizen")
    if isinstance(said, bool):
        return said
    return manner.may_reach_citizen if manner else event.type in CITIZEN
