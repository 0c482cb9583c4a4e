"""What our own people do to appeals: the same road as triage, without a message.

An act is a claim of a person. It is judged by the life cycle, its events, terms, deliveries and
projections are written in one short transaction with the heads locked, and counters of registers
are taken last (design §2.10).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.duplicates import NO_LETTERS
from gateway.lifecycle import Claim, fold
from gateway.model import facts as f
from gateway.model.base import NIL
from gateway.model.events import Actor, EventType
from gateway.store import history, peers, registers
from gateway.store import work as queue
from gateway.store.work import Item
from gateway.triage import write
from gateway.triage.build import PENDING_NUMBER, Build, Facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime
    from uuid import UUID

    from psycopg import Connection

    from gateway.triage.build import Plan, Rules


class Act(NamedTuple):
    """One act on one appeal. register: where the number of a registration is taken from."""

    appeal_id: UUID
    claim: Claim
    register: registers.RegisterKey | None = None


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
