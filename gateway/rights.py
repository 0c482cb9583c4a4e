"""What a peer may report of an appeal, by what it is to it, and whose letters may be joined; pure.

| a peer that | may report, unless its `grant` names the events |
|---|---|
| sent it | whatever the life cycle takes from a peer |
| was given it, and sees it whole (`full`) | the same but for the withdrawal |
| was given it, and sees less | `BELOW_FULL` |

A `grant` widens or narrows what a peer may report; the withdrawal stays the sender's with any.

A letter of a peer's own that was merged into another's appeal gives it no right to that appeal
(docs/adr/0019): what it tells is kept for a person, who may take the two apart or act himself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from gateway.disclosure import Level
from gateway.model.events import EventType
from gateway.model.facts import RoutedFacts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.lifecycle import Claim
    from gateway.model.events import Event
    from gateway.model.peer import Peer

BELOW_FULL: Final = frozenset(
    {EventType.TAKEN_TO_WORK, EventType.ANSWER_PREPARED, EventType.PEER_STATE_REPORTED}
)
"""What an executor has to say of work on a question whose text it is not shown (model.md §3, rows
11, 21, 30). Nothing here ends an appeal, registers it or hands it over: whoever does that answers
for what the citizen wrote, and has to have read it."""


def granted(peer: Peer | None, *, source: bool) -> frozenset[EventType] | None:
    """Return the events that a peer may report, None when the life cycle alone decides.

    source: it sent the appeal. peer: None when it has no row any more.
    """
    named = peer.options.get("grant") if peer is not None else None
    if named:
        return frozenset(map(EventType, named))
    if source or (peer is not None and peer.disclosure == Level.FULL):
        return None
    return BELOW_FULL


def was_given(peer: str, history: Iterable[Event]) -> bool:
    """Whether a route has ever named a peer for an appeal, by the events of that appeal."""
    return any(
        isinstance(event.payload, RoutedFacts) and peer in event.payload.destinations
        for event in history
    )


def same_letters(one: Peer | None, other: Peer | None) -> bool:
    """Whether the operator has declared that two peers bring the same letters (`same_letters`).

    A peer brings the same letters as itself.
    """
    if one is None or other is None:
        return False
    return one.code == other.code or not _groups(one).isdisjoint(_groups(other))


def _groups(peer: Peer) -> frozenset[str]:
    named = peer.options.get("same_letters")
    if isinstance(named, str):
        named = [named]
    if not isinstance(named, list):
        return frozenset()
    return frozenset(name for name in named if isinstance(name, str) and name)


def within(claim: Claim, granted: frozenset[EventType] | None) -> tuple[Claim, tuple[str, ...]]:
    """Return a claim without the facts beside its event that are not its peer's to tell.

    A number and an executor told beside another event are events in their own right. Returns also,
    for people, what was left out.
    """
    if granted is None:
        return claim, ()
    warnings: list[str] = []
    if (
        claim.registration is not None
        and claim.type is not EventType.REGISTERED
        and EventType.REGISTERED not in granted
    ):
        claim = replace(claim, registration=None)
        warnings.append("номер регистрации не принят: системе не дано сообщать его")
    if (
        claim.executor is not None
        and claim.type not in {EventType.ASSIGNED, EventType.REASSIGNED}
        and EventType.ASSIGNED not in granted
    ):
        claim = replace(claim, executor=None)
        warnings.append("исполнитель не принят: системе не дано его назначать")
    return claim, tuple(warnings)
