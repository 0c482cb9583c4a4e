"""What the address of a new appeal becomes: a fact of the appeal, and what it is routed by; pure.

An address was looked up before the batch was planned (`gateway.triage.lookup`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec.structs import replace

from gateway import places
from gateway.lifecycle import Claim
from gateway.model import facts as f
from gateway.model.base import NIL
from gateway.model.events import EventType, State
from gateway.served import NOBODY
from gateway.store.history import Content
from gateway.triage.build import rule

if TYPE_CHECKING:
    from gateway.lifecycle import QuestionState
    from gateway.model.appeal import Appeal
    from gateway.triage.build import Build
    from gateway.triage.looked import Answer

REGISTER: Final = "address-register"
"""The rule that finds an address in the register."""


class Settled(NamedTuple):
    """An appeal as routing looks at it, and where it goes. answer: None when nothing is new."""

    appeal: Appeal
    routed: f.RoutedFacts | None
    answer: Answer | None = None

    @property
    def synonyms(self) -> tuple[int, ...]:
        """Names of people that the address was found by."""
        return self.answer.synonyms if self.answer else ()


def settle(build: Build, appeal: Appeal, peer: str) -> Settled:
    """Route an appeal, and note where its problem is; the event stands before that of the route."""
    facts, rules = build.facts, build.rules
    head = facts.heads[build.item.appeal_id]  # type: ignore[index]
    looked = facts.places
    answer = looked.answers.get(build.item.message_id)
    if answer is None:
        return Settled(appeal, None if head.historical else rules.route(appeal, peer, NOBODY))
    served = looked.served(answer.resolved)
    told = places.facts_of(answer.resolved, by="rule" if answer.synonyms else "register")
    found = places.found_of(answer.resolved)
    placed = places.resolved(appeal, told, found, facts.now)
    lives = build.state.merged_into is None and build.state.state.is_open
    doubt = (
        lives
        and not head.historical
        and (told.outcome == "ambiguous" or bool(rules.doubts(placed, peer, served)))
    )
    note(build, replace(told, doubt=doubt), found)
    looked.known[head.id] = answer.address
    routed = None if head.historical else rules.route(placed, peer, served)
    return Settled(placed, routed, answer)


def note(build: Build, told: f.AddressFacts, found: places.Found) -> None:
    """Add the event of an address, with what was found apart."""
    content = Content.of(build.item.appeal_id, places.encoded(found))  # type: ignore[arg-type]
    build.add(EventType.ADDRESS_RESOLVED, told, rule(REGISTER), content=content.digest.hex())
    build.contents.append(content)


def amended(build: Build, appeal: Appeal, peer: str) -> Settled:
    """Note where the problem of an amended appeal is, when it is elsewhere than before.

    One that no rule has taken yet is routed by the new place; what was given to somebody stays.
    """
    looked = build.facts.places
    appeal_id: Any = build.item.appeal_id
    address = places.bare(places.problem(appeal))
    nothing = Settled(appeal, None)
    if not looked.there or looked.known.get(appeal_id, NIL) == address:
        return nothing
    if address is None:
        if looked.known.get(appeal_id) is not None:
            told = f.AddressFacts(role=places.ROLE.value, outcome=places.NONE, by="register")
            build.add(EventType.ADDRESS_RESOLVED, told, rule(REGISTER))
            looked.known[appeal_id] = None
        return nothing
    settled = settle(build, appeal, peer)
    if build.state.routed is None:
        reroute(build, settled.routed)
    return settled


def reroute(build: Build, routed: f.RoutedFacts | None) -> None:
    """Route an appeal anew, and give its questions to the new executor.

    Whatever somebody has taken to work, or a person has given to somebody, stays where it is.
    """
    before = build.state.routed
    ended = build.state.merged_into is not None or not build.state.state.is_open
    if routed is None or ended or (before and _way(before) == _way(routed)):
        return
    build.add(EventType.ROUTED, routed, rule(routed.rule))
    given = before.organisation if before else ""
    for type_, free in (
        (EventType.ASSIGNED, [q for q in build.state.questions if q.state is State.REGISTERED]),
        (EventType.REASSIGNED, [q for q in build.state.questions if _ours(q, given, routed)]),
    ):
        if free and routed.organisation:
            build.claim(
                Claim(
                    type=type_,
                    occurred_at=build.facts.now,
                    actor=rule(routed.rule),
                    questions=tuple(q.ordinal for q in free),
                    payload=f.ExecutorFacts(organisation=routed.organisation),
                )
            )


def _way(routed: f.RoutedFacts) -> tuple[object, ...]:
    return routed.rule, routed.organisation, routed.destinations


def _ours(question: QuestionState, given: str, routed: f.RoutedFacts) -> bool:
    """Whether a question waits where a rule has put it, and not with the new executor."""
    holder = question.executor.facts.organisation if question.executor else ""
    waits = question.state is State.ASSIGNED and holder == given
    return waits and given not in {"", routed.organisation}
