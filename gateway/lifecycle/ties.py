"""What ties an appeal to others: links, mergers, suspicions; and what of it is disputed.

A merger is a fact of the appeal that is merged: it names the one that goes on. `Unmerged` undoes a
merger, or settles a suspicion, and says for good that the two are not one: no rule brings them
together again (docs/adr/0019).
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final
from uuid import UUID

import msgspec

from gateway.model import facts as f
from gateway.model.events import Event, EventType

SAME_DOCUMENT: Final = "same_document_other_channel"
"""Kind of a merger: one letter came twice."""
DUPLICATE: Final = "duplicate_of"
"""Kind of a merger: a person says that two letters are one appeal."""
POSSIBLE_TWIN: Final = "possible_twin"
"""Kind of a link of our own: perhaps one letter, which a person must say."""


MERGED: Final = "merged"
"""Code of a conflict: told of a merged appeal by one who has no say in the one that goes on."""
SHARED: Final = "shared"
"""Code of a conflict: one sender withdraws what another sent, too."""
SET_ASIDE: Final = frozenset({MERGED, SHARED})
"""Codes of what was not judged at all: when its message is worked on again, it is judged then."""


def is_aside(event: Event) -> bool:
    """Whether an event only keeps a claim that was not judged."""
    told = event.payload
    return isinstance(told, f.ConflictFacts) and told.code in SET_ASIDE


class Dispute(msgspec.Struct, frozen=True, kw_only=True):
    """A contradiction that was recorded, and who settled it when; message: what told it."""

    seq: int
    message: UUID | None
    peer: str
    reason: str
    at: dt.datetime
    settled_at: dt.datetime | None = None
    settled_by: str = ""


def tie(links: tuple[f.LinkFacts, ...], other: UUID) -> f.LinkFacts | None:
    """Return the newest link to another appeal, None when nothing ties the two."""
    return next((k for k in reversed(links) if k.appeal == str(other)), None)


def told_of_own(event: Event) -> bool:
    """Whether a link is a fact of our own, which nobody outside is told: a mere suspicion."""
    return isinstance(event.payload, f.LinkFacts) and event.payload.kind == POSSIBLE_TWIN


def linked(
    links: tuple[f.LinkFacts, ...],
    merged_into: UUID | None,
    apart: frozenset[UUID],
    event: Event,
) -> dict[str, Any]:
    """Return what an event of the kinds that tie changes in an appeal's state."""
    told = event.payload
    if not isinstance(told, f.LinkFacts):
        return {}
    other = _appeal(told.appeal)
    if event.type is EventType.UNMERGED:
        return {
            "links": tuple(k for k in links if k.appeal != told.appeal),
            "merged_into": None if merged_into == other else merged_into,
            "apart": apart | {other} if other else apart,
        }
    changes: dict[str, Any] = {"links": (*(k for k in links if k != told), told)}
    if event.type is EventType.MERGED_AS_DUPLICATE and other is not None:
        changes |= {"merged_into": other, "apart": apart - {other}}
    return changes


def twins(
    links: tuple[f.LinkFacts, ...], merged_into: UUID | None
) -> tuple[tuple[UUID, f.LinkFacts], ...]:
    """Return the appeals that may be the same letter, as long as nobody has said."""
    if merged_into is not None:
        return ()
    said = {k.appeal for k in links if k.kind in {SAME_DOCUMENT, DUPLICATE}}
    found = (
        (_appeal(k.appeal), k) for k in links if k.kind == POSSIBLE_TWIN and k.appeal not in said
    )
    return tuple((other, k) for other, k in found if other is not None)


def disputed(disputes: tuple[Dispute, ...], event: Event) -> tuple[Dispute, ...]:
    """Return the disputes after a contradiction was recorded, or one was settled."""
    told = event.payload
    if isinstance(told, f.ConflictFacts):
        made = Dispute(
            seq=event.seq,
            message=event.cause,
            peer=event.actor.id,
            reason=told.reason,
            at=event.recorded_at,
        )
        return (*disputes, made)
    if isinstance(told, f.ReasonFacts):
        return tuple(
            msgspec.structs.replace(d, settled_at=event.recorded_at, settled_by=event.actor.id)
            if str(d.seq) == told.code and d.settled_at is None
            else d
            for d in disputes
        )
    return disputes


def _appeal(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
