"""What a person decides about the place of a problem that the register left in doubt.

The choice is an event with the person; what was chosen lies in a content apart, as that of the
register does. Then the rules of routing are asked again, and what they and the policy of
registration would have done, had the house been known, is done now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from gateway import acts, learning, places, triage
from gateway.addresses.found import Resolved
from gateway.errors import NotFoundError, StateError, ValidationError
from gateway.lifecycle import Claim
from gateway.model import facts as f
from gateway.model.appeal import Appeal
from gateway.model.events import EventType, State
from gateway.store import addresses, synonyms
from gateway.store import places as store
from gateway.store import work as queue
from gateway.store.history import Content
from gateway.triage import places as planning
from gateway.triage.plan import register_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from psycopg import Connection

    from gateway.addresses.found import Place
    from gateway.merging import Decision
    from gateway.model.address import Address
    from gateway.store.registers import RegisterKey
    from gateway.store.synonyms import New
    from gateway.triage.build import Build, Facts, Plan, Rules

_APPEAL: Final = msgspec.json.Decoder(Appeal)


class Doubt(NamedTuple):
    """What a person decides on. address: of the appeal, None when it names none.

    facts, found: of the last look-up; None when there was none, or when it was erased.
    """

    address: Address | None
    facts: f.AddressFacts | None
    found: places.Found | None

    @property
    def choices(self) -> tuple[Place, ...]:
        """What may be meant, in the order in which people number it."""
        if self.found is None:
            return ()
        best = (self.found.best,) if self.found.best else ()
        return (*best, *(p for p in self.found.candidates if p not in best))


class Chosen(NamedTuple):
    """What a choice has led to. learned: with the numbers of what was kept; 0 when nothing is."""

    place: Place | None
    routed: f.RoutedFacts | None
    state: State
    learned: tuple[tuple[int, New], ...]


def doubt(connection: Connection[Any], appeal_id: UUID, now: datetime) -> Doubt:
    """Return what is known of the place of an appeal."""
    return _doubt(connection, appeal_id, _facts(connection, [appeal_id], now))


def choose(
    connection: Connection[Any],
    appeal_id: UUID,
    wanted: str,
    decision: Decision,
    rules: Rules,
    *,
    remember: bool = False,
) -> Chosen:
    """Say which object is meant, in the caller's transaction.

    wanted: a GUID, the number of a choice from 1, or empty: none of the register. remember: keep
    what the choice teaches. Raises StateError for an appeal that names no place or whose content
    was erased, NotFoundError for an object that the register does not have.
    """
    facts = _facts(connection, [appeal_id], decision.now)
    before = _doubt(connection, appeal_id, facts)
    data = facts.contents.get(appeal_id)
    if before.address is None or data is None:
        raise StateError(
            "в обращении нет адреса, или содержание стёрто · it names no place, or was erased",
            current_state=facts.states[appeal_id].state,
        )
    place = _place(connection, before, wanted) if wanted else None
    build = acts.begin(appeal_id, facts, rules)
    told = _note(build, before, place, decision)
    appeal = places.resolved(_APPEAL.decode(data), *told, facts.now)
    outcome: Any = told[0].outcome
    served = rules.lookup.served(connection, Resolved(outcome=outcome, best=place), decision.now)
    head = facts.heads[appeal_id]
    routed, register = None, None
    if not head.historical and build.state.merged_into is None:
        routed = rules.route(appeal, head.peer, served)
        planning.reroute(build, routed)
        register = _register(connection, build, appeal, rules)
        if register is not None and not build.register(register, routed):
            register = None
    taught = _teach(connection, before, place, decision) if remember else ()
    plan = build.plan("applied", register=register)
    triage.write(connection, [plan], facts, rules)
    return Chosen(place, build.state.routed, build.state.state, taught)


def again(
    connection: Connection[Any], ids: Sequence[UUID], now: datetime, rules: Rules
) -> dict[UUID, str]:
    """Ask the register again about appeals, in the caller's transaction; return new outcomes.

    For what came before a register was loaded, or was in doubt before people said what names mean.
    Whoever a rule would have given an appeal to gets it now, as when a person chooses.
    """
    facts = _facts(connection, ids, now)
    rules.lookup.warm(connection)
    builds = {appeal_id: acts.begin(appeal_id, facts, rules) for appeal_id in facts.heads}
    for appeal_id, build in builds.items():
        build.item = build.item._replace(message_id=appeal_id, operation="submit")
    items = [build.item for build in builds.values()]
    facts = facts._replace(places=rules.lookup.read(connection, items, facts))
    plans: list[Plan] = []
    outcomes: dict[UUID, str] = {}
    for appeal_id, build in builds.items():
        answer, data = facts.places.answers.get(appeal_id), facts.contents.get(appeal_id)
        before = places.last(facts.histories[appeal_id])
        told = before.payload if before is not None else None
        was = told.outcome if isinstance(told, f.AddressFacts) else ""
        if answer is None or data is None or answer.resolved.outcome == was:
            continue
        build.facts = facts
        settled = planning.settle(build, _APPEAL.decode(data), facts.heads[appeal_id].peer)
        planning.reroute(build, settled.routed)
        plans.append(build.plan("applied", synonyms=settled.synonyms))
        outcomes[appeal_id] = answer.resolved.outcome
    triage.write(connection, plans, facts, rules)
    synonyms.used(connection, [number for plan in plans for number in plan.synonyms])
    return outcomes


def choice(before: Doubt, wanted: str) -> Place | None:
    """Return the choice of a number from 1, or of a GUID; None when it is not among them.

    Raises ValidationError for a number that nothing has.
    """
    if wanted.isdecimal():
        number = int(wanted)
        if not 1 <= number <= len(before.choices):
            raise ValidationError(f"выбор · choices: 1 … {len(before.choices)}, не {wanted}")
        return before.choices[number - 1]
    return next((p for p in before.choices if p.guid == wanted.lower()), None)


def _place(connection: Connection[Any], before: Doubt, wanted: str) -> Place:
    place = choice(before, wanted)
    if place is not None:
        return place
    region = synonyms.region_of(connection, wanted) if store.is_guid(wanted) else None
    if region is None:
        raise NotFoundError(
            "в справочнике нет такого объекта · the register has no such object", found=wanted
        )
    kept = addresses.Kept(regions=(region,)).read(connection)
    found = store.by_guid(connection, kept, [wanted])
    if wanted.lower() not in found:
        raise NotFoundError("объект не на месте · the object lies nowhere", found=wanted)
    return found[wanted.lower()]


def _note(
    build: Build, before: Doubt, place: Place | None, decision: Decision
) -> tuple[f.AddressFacts, places.Found]:
    """Add the event of the choice, with what was chosen apart."""
    outcome = "not_found" if place is None else "exact" if place.house_guid else "street_only"
    told = f.AddressFacts(
        role=places.ROLE.value,
        outcome=outcome,
        confidence=1.0 if place else 0.0,
        level=place.level if place else None,
        by="person",
        gar_version=before.facts.gar_version if before.facts else "",
    )
    found = places.Found(
        best=place,
        candidates=tuple(p for p in before.choices if p != place),
        notes=(decision.ground,) if decision.ground else (),
        parts=before.found.parts if before.found else (),
    )
    content = Content.of(build.item.appeal_id, places.encoded(found))  # type: ignore[arg-type]
    build.claim(
        Claim(
            type=EventType.ADDRESS_RESOLVED,
            occurred_at=decision.now,
            actor=decision.by,
            roles=frozenset({"coordinator"}),
            payload=told,
            content=content.digest.hex(),
        )
    )
    build.contents.append(content)
    return told, found


def _register(
    connection: Connection[Any], build: Build, appeal: Appeal, rules: Rules
) -> RegisterKey | None:
    """Return the register that policy puts an appeal in which stands in none yet."""
    state, first = build.state, build.facts.histories[build.item.appeal_id][0]  # type: ignore[index]
    if state.state is not State.RECEIVED or first.cause is None:
        return None
    if any(q.state is not State.RECEIVED or q.registrations for q in state.questions):
        return None
    came = queue.named(connection, first.appeal_id, [first.cause])
    return register_of(came[0], appeal, rules, build.facts.now) if came else None


def _teach(
    connection: Connection[Any], before: Doubt, place: Place | None, decision: Decision
) -> tuple[tuple[int, New], ...]:
    if place is None or before.found is None:
        return ()
    taught = learning.learned(connection, before.found.parts, place)
    return tuple(
        (synonyms.add(connection, new, decision.by.id, decision.now), new) for new in taught
    )


def _facts(connection: Connection[Any], ids: Sequence[UUID], now: datetime) -> Facts:
    facts = acts.read_facts(connection, ids, now)
    return facts._replace(contents=queue.contents(connection, facts.heads.values()))


def _doubt(connection: Connection[Any], appeal_id: UUID, facts: Facts) -> Doubt:
    data = facts.contents.get(appeal_id)
    address = places.bare(places.problem(_APPEAL.decode(data))) if data is not None else None
    event = places.last(facts.histories[appeal_id])
    if event is None or not isinstance(event.payload, f.AddressFacts):
        return Doubt(address, None, None)
    return Doubt(address, event.payload, store.found(connection, event))
