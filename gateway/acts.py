"""What our own people do to appeals: the same road as triage, without a message.

An act is a claim of a person. It is judged by the life cycle, its events, terms, deliveries and
projections are written in one short transaction with the heads locked, and counters of registers
are taken last (design §2.10).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from gateway.duplicates import NO_LETTERS
from gateway.lifecycle import Claim, fold
from gateway.model import facts as f
from gateway.model.base import NIL
from gateway.model.events import Actor, EventType
from gateway.store import history, peers, registers, topics
from gateway.store import work as queue
from gateway.store.history import Content
from gateway.store.work import Item
from gateway.triage import write
from gateway.triage.build import PENDING_NUMBER, Build, Facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime
    from uuid import UUID

    from psycopg import Connection

    from gateway.triage.build import Plan, Rules


OWN: Final = "gateway"
"""The system of the reasons that our own people name."""


class Act(NamedTuple):
    """One act on one appeal.

    register: where the number of a registration is taken from. content: the words of the act, which
    lie apart from its event.
    """

    appeal_id: UUID
    claim: Claim
    register: registers.RegisterKey | None = None
    content: Content | None = None


class Numbered(NamedTuple):
    """A number that was given to an appeal."""

    appeal_id: UUID
    number: str


def person(name: str) -> Actor:
    """Return the actor of a person; name: a login or a staff number, never a full name."""
    return Actor(kind="person", id=name)


def registration(appeal_id: UUID, key: registers.RegisterKey, day: date, by: Actor) -> Act:
    """Return the act of registering an appeal under the next number of a register."""
    claim = Claim(
        type=EventType.REGISTERED,
        occurred_at=day,
        actor=by,
        roles=frozenset({"registrar"}),
        payload=f.RegistrationFacts(
            organisation=key.organisation, number=PENDING_NUMBER, date=day, register=key.code
        ),
    )
    return Act(appeal_id, claim, key)


def annulment(
    appeal_id: UUID, registered: f.RegistrationFacts, ground: str, by: Actor, now: datetime
) -> Act:
    """Return the act of annulling a registration; its number is never given again."""
    claim = Claim(
        type=EventType.REGISTRATION_ANNULLED,
        occurred_at=now,
        actor=by,
        roles=frozenset({"registrar"}),
        payload=f.AnnulmentFacts(
            organisation=registered.organisation,
            number=registered.number,
            number_key=registered.number_key,
            ground=ground,
        ),
    )
    return Act(appeal_id, claim)


def dismissal(
    appeal_id: UUID, reason: str, regime: str, text: str, by: Actor, now: datetime
) -> Act:
    """Return the act of saying that something is no appeal, with what its author is told.

    reason: a code (`spam`, `abusive`, `other_law`). regime: the order that it belongs to instead.
    """
    return _spoken(
        appeal_id,
        Claim(
            type=EventType.NOT_AN_APPEAL,
            occurred_at=now,
            actor=by,
            roles=frozenset({"registrar"}),
            payload=f.ReasonFacts(code=reason, system=OWN, regime=regime),
        ),
        text,
    )


def moderation(appeal_id: UUID, by: Actor, now: datetime, *, passed: bool, text: str = "") -> Act:
    """Return the act of giving a message to the body's moderator, or of letting it through."""
    return _spoken(
        appeal_id,
        Claim(
            type=EventType.MODERATION_PASSED if passed else EventType.SENT_TO_MODERATION,
            occurred_at=now,
            actor=by,
            roles=frozenset({"moderator"}),
            payload=f.ModerationFacts(stage="body", verdict="accepted" if passed else ""),
        ),
        text,
    )


def clarification(appeal_id: UUID, text: str, due: date | None, by: Actor, now: datetime) -> Act:
    """Return the act of asking the author of a message to say more, until a day."""
    return _spoken(
        appeal_id,
        Claim(
            type=EventType.CLARIFICATION_ASKED,
            occurred_at=now,
            actor=by,
            roles=frozenset({"moderator"}),
            payload=f.ClarificationFacts(due=due),
        ),
        text,
    )


def _spoken(appeal_id: UUID, claim: Claim, text: str) -> Act:
    """Return an act with its words apart, as those of a peer's report are kept."""
    if not text:
        return Act(appeal_id, claim)
    data = msgspec.json.encode({"comment": text}, order="sorted")
    content = Content.of(appeal_id, data)
    claim = msgspec.structs.replace(claim, text=True, content=content.digest.hex())
    return Act(appeal_id, claim, content=content)


def read_facts(connection: Connection[Any], ids: Iterable[UUID], now: datetime) -> Facts:
    """Lock the heads of appeals and read what judging acts on them needs."""
    wanted = set(ids)
    heads = history.lock(connection, wanted)
    histories = history.load(connection, list(heads))
    return Facts(
        heads=heads,
        states={appeal_id: fold(events) for appeal_id, events in histories.items()},
        contents={},
        peers=peers.read_all(connection),
        letters=NO_LETTERS,
        merged=queue.merged_sources(connection, wanted),
        questions={},
        now=now,
        histories=histories,
        topics=topics.tables(connection),
    )


def perform(
    connection: Connection[Any], acts: Sequence[Act], facts: Facts, rules: Rules
) -> list[Numbered]:
    """Write acts in the caller's transaction; return the numbers given, in the order of the acts.

    Raises StateError, AccessError, ValidationError for the first act that the life cycle refuses;
    then nothing may be committed.
    """
    plans = []
    for act in acts:
        made = plan(act, facts, rules)
        plans.append(made)
        facts.take(made)
    return [
        Numbered(act.appeal_id, _number(made))
        for act, made in zip(acts, write(connection, plans, facts, rules), strict=True)
        if act.register is not None
    ]


def _number(made: Plan) -> str:
    payloads = (event.payload for event in made.events)
    return next(p.number for p in payloads if isinstance(p, f.RegistrationFacts))


def plan(act: Act, facts: Facts, rules: Rules) -> Plan:
    """Return what an act becomes; pure. Raises what `lifecycle.apply` does."""
    build = begin(act.appeal_id, facts, rules)
    build.claim(act.claim)
    if act.content is not None and build.events:
        build.contents.append(act.content)
    return build.plan("applied", register=act.register)


def begin(appeal_id: UUID, facts: Facts, rules: Rules) -> Build:
    """Return a plan that no message has caused, with nothing in it yet."""
    item = Item(
        message_id=NIL,
        appeal_id=appeal_id,
        attempts=0,
        peer=facts.heads[appeal_id].peer,
        wire="",
        operation="act",
        key="",
        revision=0,
        recorded_at=facts.now,
        content_sha256=None,
        decoded=None,
        correlation="",
    )
    build = Build(item, facts.states[appeal_id], facts, rules)
    build.cause = None
    return build
