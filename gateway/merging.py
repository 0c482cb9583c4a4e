"""What a person decides about appeals that are one, or are not: merging, and taking apart.

Both are events with the person and the ground, written as `gateway.acts` writes them. An appeal
that was merged when it came, and is taken apart, begins the life it would have had; what was told
of it meanwhile stands in the other's history and is told of it again, as its sender meant it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from gateway import acts, policies, triage
from gateway.errors import ConflictError, GatewayError, NotFoundError, StateError
from gateway.lifecycle import Claim, fold, ties
from gateway.model import facts as f
from gateway.model.appeal import Appeal
from gateway.model.events import EventType
from gateway.store import letters, organisations
from gateway.store import work as queue
from gateway.triage import plan as planning
from gateway.triage.build import Build, rule

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from psycopg import Connection

    from gateway.model.events import Actor, Event
    from gateway.store.work import Item
    from gateway.triage.build import Facts, Plan, Rules

_APPEAL = msgspec.json.Decoder(Appeal)


class Decision(NamedTuple):
    """Who decides, why, when. ground: one line without personal data."""

    by: Actor
    ground: str
    now: datetime


class Retold(NamedTuple):
    """A message that was told of the other appeal, and what it has become of its own one."""

    message_id: UUID
    operation: str
    key: str
    applied: str
    reason: str


class Parted(NamedTuple):
    """Two appeals that are apart. merged: they were, and not only suspected to be one."""

    appeal_id: UUID
    other: UUID
    merged: bool
    number: str
    retold: tuple[Retold, ...]


def merge(
    connection: Connection[Any], appeal_id: UUID, into: UUID, decision: Decision, rules: Rules
) -> None:
    """Let another appeal go on for this one, in the caller's transaction.

    What is told of this one is told of the other from now on; its running terms are closed. Raises
    StateError when either is merged already, is a test or imported history, or has work waiting.
    """
    facts = _facts(connection, (appeal_id, into), decision.now)
    _check(connection, appeal_id, into, facts)
    link = ties.tie(facts.states[appeal_id].links, into) or ties.tie(
        facts.states[into].links, appeal_id
    )
    kind = ties.SAME_DOCUMENT if link is not None else ties.DUPLICATE
    told = msgspec.structs.replace(link or f.LinkFacts(), kind=kind, ground=decision.ground)
    build = acts.begin(appeal_id, facts, rules)
    build.claim(_claim(EventType.MERGED_AS_DUPLICATE, told, into, decision))
    for spec in list(policies.running(build.state)):
        closed = msgspec.structs.replace(spec.facts, ground=EventType.MERGED_AS_DUPLICATE.value)
        build.add(EventType.DEADLINE_CLOSED, closed, rule("merged"), spec.question)
    goes_on = acts.Act(into, _claim(EventType.LINK_ADDED, told, appeal_id, decision))
    plans = [
        acts.plan(goes_on, facts, rules),
        build.plan("applied", merge_into=into, story=facts.histories[into]),
    ]
    triage.write(connection, plans, facts, rules)


def unmerge(
    connection: Connection[Any],
    appeal_id: UUID,
    other: UUID | None,
    decision: Decision,
    rules: Rules,
) -> Parted:
    """Take two appeals apart for good, in the caller's transaction; no rule will join them again.

    other: needed when more than one may be the twin. Raises StateError when nothing ties the two.
    """
    other = other or _only(letters.tied_to(connection, appeal_id))
    facts = _facts(connection, (appeal_id, other), decision.now)
    state = facts.states[appeal_id]
    suspected = {twin for twin, _ in ties.twins(state.links, state.merged_into)}
    link = ties.tie(state.links, other)
    if link is None or (state.merged_into != other and other not in suspected):
        raise StateError(
            "these appeals are neither merged nor possible twins", current_state=state.state
        )
    told = msgspec.structs.replace(link, ground=decision.ground)
    if state.merged_into != other:
        act = acts.Act(appeal_id, _claim(EventType.UNMERGED, told, other, decision))
        triage.write(connection, [acts.plan(act, facts, rules)], facts, rules)
        return Parted(appeal_id, other, merged=False, number=link.number, retold=())
    facts.merged.clear()
    facts.merged.update(queue.merged_sources(connection, facts.heads, without=appeal_id))
    back = acts.Act(other, _claim(EventType.UNMERGED, told, appeal_id, decision))
    plans = [acts.plan(back, facts, rules)]
    claim = _claim(EventType.UNMERGED, told, other, decision)
    own, retold = _own_life(connection, appeal_id, other, claim, facts, rules)
    plans += own
    triage.write(connection, plans, facts, rules)
    named = [(body, made.item.message_id) for made in own for body in made.unmapped]
    organisations.queue_unknown(connection, named, decision.now)
    return Parted(appeal_id, other, merged=True, number=link.number, retold=retold)


def _own_life(
    connection: Connection[Any],
    appeal_id: UUID,
    other: UUID,
    claim: Claim,
    facts: Facts,
    rules: Rules,
) -> tuple[list[Plan], tuple[Retold, ...]]:
    """Plan how an appeal goes on alone: its beginning or its terms, then what was told of it."""
    mine, theirs = facts.histories[appeal_id], facts.histories[other]
    at, merger = next(
        (n, e) for n, e in reversed([*enumerate(mine)]) if e.type is EventType.MERGED_AS_DUPLICATE
    )
    came = mine[0].cause
    causes = {e.cause for e in theirs if e.cause} - {e.cause for e in mine}
    causes |= {e.cause for e in mine[at:] if e.cause and ties.is_aside(e)}
    messages = queue.named(connection, appeal_id, {*causes, *([came] if came else [])})
    founding = next((item for item in messages if item.message_id == came), None)
    if merger.actor == rule(planning.SAME_LETTER):
        first = _begun(appeal_id, founding, claim, facts, rules)
    else:
        first = _resumed(appeal_id, mine[:at], claim, facts, rules)
    facts.take(first)
    plans, retold = [first], list[Retold]()
    for item in messages:
        if item.message_id == came:
            continue
        try:
            made = planning.plan(item, facts, rules)
        except GatewayError as error:
            retold.append(Retold(item.message_id, item.operation, item.key, "", error.message))
            continue
        facts.take(made)
        plans.append(made)
        note = made.note
        retold.append(
            Retold(
                item.message_id, item.operation, item.key, note["applied"], note.get("reason", "")
            )
        )
    return plans, tuple(retold)


def _begun(
    appeal_id: UUID, founding: Item | None, claim: Claim, facts: Facts, rules: Rules
) -> Plan:
    """Begin the life that an appeal would have had if it had not been merged when it came."""
    if founding is None:
        build = acts.begin(appeal_id, facts, rules)
        build.claim(claim)
    else:
        build = Build(founding, facts.states[appeal_id], facts, rules)
        build.cause = None
        build.claim(claim)
        build.cause = founding.message_id
    content = facts.contents.get(appeal_id)
    return planning.begun(build, _APPEAL.decode(content) if content else Appeal())


def _resumed(
    appeal_id: UUID, before: list[Event], claim: Claim, facts: Facts, rules: Rules
) -> Plan:
    """Go on where an appeal stood when a person merged it: its terms run again from their start."""
    build = acts.begin(appeal_id, facts, rules)
    build.claim(claim)
    for spec in policies.running(fold(before)):
        build.add(EventType.DEADLINE_OPENED, spec.facts, rule("unmerged"), spec.question)
    return build.plan("applied")


def _claim(type_: EventType, link: f.LinkFacts, other: UUID, decision: Decision) -> Claim:
    return Claim(
        type=type_,
        occurred_at=decision.now,
        actor=decision.by,
        roles=frozenset({"registrar"}),
        payload=msgspec.structs.replace(link, appeal=str(other)),
    )


def _facts(connection: Connection[Any], ids: tuple[UUID, UUID], now: datetime) -> Facts:
    """Lock the letters, then the heads, of two appeals and read what deciding on them needs."""
    letters.lock_of(connection, ids)
    facts = acts.read_facts(connection, ids, now)
    contents = queue.contents(connection, facts.heads.values())
    return facts._replace(
        contents=contents,
        questions=triage.named(queue.question_ids(connection, facts.heads), contents),
    )


def _check(connection: Connection[Any], appeal_id: UUID, into: UUID, facts: Facts) -> None:
    wrong = ""
    if appeal_id == into:
        wrong = "an appeal cannot be merged into itself"
    elif any(facts.states[each].merged_into for each in (appeal_id, into)):
        wrong = "one of them is merged already"
    elif queue.merged_sources(connection, [appeal_id]):
        wrong = "others are merged into it: merge the other way, or take them apart first"
    elif any(head.test or head.historical for head in facts.heads.values()):
        wrong = "a test message or imported history is merged with nothing"
    elif queue.waits(connection, appeal_id):
        wrong = "a message about it is still to be applied"
    if wrong:
        raise StateError(wrong, current_state=facts.states[appeal_id].state)


def _only(found: list[UUID]) -> UUID:
    if not found:
        raise NotFoundError("this appeal is neither merged nor a possible twin")
    if len(found) > 1:
        raise ConflictError(
            f"it may be the twin of {len(found)} appeals", todo="say of which, with --from"
        )
    return found[0]
