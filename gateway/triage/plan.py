"""What one accepted message becomes; pure: `runner` reads before and writes after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from gateway import duplicates, limits, rights
from gateway.adapter import RemoteState
from gateway.disclosure import Level
from gateway.errors import InternalError, NotFoundError
from gateway.lifecycle import (
    AppealState,
    Claim,
    Kind,
    claim_of_report,
    content_of_file,
    content_of_report,
    ties,
)
from gateway.model import facts as f
from gateway.model.appeal import Appeal
from gateway.model.attachment import AttachedFile, AttachmentRole
from gateway.model.events import Actor, EventType, PeerReport, State
from gateway.store.files import Moved
from gateway.store.history import Content
from gateway.store.organisations import named_in, named_in_report
from gateway.store.registers import RegisterKey
from gateway.triage import places, questions, topics
from gateway.triage.build import NEVER, Build, Facts, Plan, Rules, rule
from gateway.triage.told import claims, tells_states

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

    from gateway.store.history import Head
    from gateway.store.work import Item
    from gateway.topics.tables import Seen

SAME_LETTER = "same-letter"
"""The rule that joins what came twice, before it begins a life of its own."""

_APPEAL = msgspec.json.Decoder(Appeal)
_REPORT = msgspec.json.Decoder(PeerReport)
_FILE = msgspec.json.Decoder(AttachedFile)
_REMOTE = msgspec.json.Decoder(RemoteState)


def plan(item: Item, facts: Facts, rules: Rules) -> Plan:
    """Return what a message becomes; raise GatewayError when it cannot be applied."""
    if item.operation == "submit":
        return _submitted(item, facts, rules)
    if item.operation == "amend":
        return _amended(item, facts, rules)
    if item.operation == "expect":
        return Plan(
            item, "applied", {"applied": "applied"}, remote=_REMOTE.decode(item.decoded or b"")
        )
    if item.operation == "attach":
        return _attached(item, facts, rules)
    return _reported(item, facts, rules)


def _submitted(item: Item, facts: Facts, rules: Rules) -> Plan:
    """A new appeal: the same letter by another channel, or routed, registered, with terms."""
    head, state = _of(item, facts)
    content = facts.contents.get(head.id)
    appeal = _APPEAL.decode(content) if content else Appeal()
    build = Build(item, state, facts, rules)
    judged = facts.letters.judge(head.id, lambda holder: _joins(head, holder, facts), state.apart)
    letter = facts.letters.of.get(head.id)
    if letter is not None and judged.into is not None:
        build.add(
            EventType.MERGED_AS_DUPLICATE,
            _tie(ties.SAME_DOCUMENT, judged.into, letter, judged.sender),
            rule(SAME_LETTER),
        )
        return build.plan(
            "applied",
            references=duplicates.references(appeal, item.peer),
            letter=letter,
            merge_into=judged.into,
            story=facts.histories[judged.into],
        )
    if letter is not None:
        for twin in judged.twins:
            tie = _tie(ties.POSSIBLE_TWIN, twin, letter)
            build.add(EventType.LINK_ADDED, tie, rule(SAME_LETTER))
    return begun(build, appeal, letter=letter)


def _joins(head: Head, holder: UUID, facts: Facts) -> bool:
    """Whether a rule may join a new appeal to the holder of its letter (docs/adr/0019).

    All of a letter can be guessed: the operator says which peers bring the same ones. What has
    ended is no place for a new appeal, whoever ended it.
    """
    other, state = facts.heads.get(holder), facts.states.get(holder)
    if other is None or state is None or not state.state.is_open:
        return False
    peers = facts.peers
    return rights.same_letters(peers.get(head.peer), peers.get(other.peer))


def _tie(kind: str, other: UUID, letter: duplicates.Letter, sender: str = "") -> f.LinkFacts:
    """Return a tie to another appeal with the key by which it was found."""
    return f.LinkFacts(
        kind=kind,
        appeal=str(other),
        number=letter.number,
        number_key=letter.key.number_key,
        date=letter.key.date,
        sender=sender,
    )


def begun(build: Build, appeal: Appeal, **rest: Any) -> Plan:
    """Let an appeal begin its own life: route it, open its terms, register it by policy."""
    item, rules = build.item, build.rules
    head = build.facts.heads[item.appeal_id]  # type: ignore[index]
    appeal, unknown = topics.placed(build, appeal)
    placed = places.settle(build, appeal, item.peer)
    routed = placed.routed
    if routed is not None:
        build.add(EventType.ROUTED, routed, rule(routed.rule))
    if build.state.state is State.RECEIVED:
        build.terms_of_received()
    for claim in claims(appeal, item.peer, item.message_id, item.recorded_at):
        build.told(claim)
    register = None if head.historical else register_of(item, appeal, rules, build.facts.now)
    if register is not None and not build.register(register, routed):
        register = None
    return build.plan(
        "applied",
        references=duplicates.references(appeal, item.peer),
        register=register,
        received=True,
        unmapped=named_in(appeal, item.peer),
        unknown=unknown,
        synonyms=placed.synonyms,
        **rest,
    )


def _amended(item: Item, facts: Facts, rules: Rules) -> Plan:
    head, state = _of(item, facts)
    content = Content.of(head.id, item.decoded or b"")
    appeal = _APPEAL.decode(item.decoded or b"{}")
    build = Build(item, state, facts, rules)
    kind = build.claim(
        Claim(
            type=EventType.AMENDED,
            occurred_at=item.recorded_at,
            actor=Actor(kind="peer", id=item.peer),
            cause=item.message_id,
            payload=f.AmendmentFacts(
                revision=item.revision,
                questions=len(appeal.questions),
                digest=item.content_sha256.hex() if item.content_sha256 else "",
            ),
            content=content.digest.hex(),
        )
    )
    build.contents.append(content)
    build.join_registration(state)
    unknown: tuple[Seen, ...] = ()
    synonyms: tuple[int, ...] = ()
    if kind is Kind.APPLIED:
        whole, unknown = topics.placed(build, appeal)
        synonyms = places.amended(build, whole, item.peer).synonyms
    current = (content.id, item.content_sha256 or b"") if kind is Kind.APPLIED else None
    return build.plan(
        "late" if kind is Kind.LATE else "applied",
        references=duplicates.references(appeal, item.peer),
        new_content=current,
        unmapped=named_in(appeal, item.peer),
        unknown=unknown,
        synonyms=synonyms,
        applied=kind.value,
    )


def _reported(item: Item, facts: Facts, rules: Rules) -> Plan:
    """A peer's word, judged, or kept for a person where it would act on what is not the peer's."""
    came_to, _ = _of(item, facts)
    item = _followed(item, facts)
    head, state = _of(item, facts)
    report = _REPORT.decode(item.decoded or b"{}")
    personal = content_of_report(report)
    content = Content.of(head.id, personal) if personal else None
    build = Build(item, state, facts, rules)
    try:
        claim = claim_of_report(
            report,
            actor=Actor(kind="peer", id=item.peer),
            ordinals=_ordinals(report.questions, item.peer, (came_to, head), facts),
            reported_at=item.recorded_at,
            cause=item.message_id,
            content=content.digest.hex() if content else None,
        )
        granted = rights.granted(facts.peers.get(item.peer), source=head.peer == item.peer)
        aside = _aside(claim, item, facts)
        outcome = build.set_aside(claim, *aside) if aside else build.claim(claim, granted=granted)
    except NEVER as error:
        return build.refuse(report.event, report.message_key, error)
    except NotFoundError as error:
        # A question may come with an amendment that another worker has in hand.
        if item.attempts + 1 < limits.TRIAGE_ATTEMPTS:
            raise
        return build.refuse(report.event, report.message_key, error)
    if outcome not in {Kind.CONFLICT, Kind.REPEAT}:
        build.settle(item.message_id)
    unknown = topics.beside(build, claim) if outcome in {Kind.APPLIED, Kind.INFERRED} else ()
    if content is not None and build.events:
        build.contents.append(content)
    return build.plan(
        {Kind.CONFLICT: "conflict", Kind.LATE: "late"}.get(outcome, "applied"),
        applied=outcome.value,
        unmapped=named_in_report(report, item.peer),
        unknown=unknown,
        files=_moved(came_to.id, head.id, *(report.answer.attachments if report.answer else ())),
    )


def _followed(item: Item, facts: Facts) -> Item:
    """Return an item about a merged appeal as one about the appeal that goes on.

    Only for a peer that is something to that one by itself: that it sent the same letter gives it
    no right to what another sent.
    """
    into = _of(item, facts)[1].merged_into
    other = facts.heads.get(into) if into is not None else None
    if other is not None and (
        other.peer == item.peer or rights.was_given(item.peer, facts.histories[other.id])
    ):
        return item._replace(appeal_id=other.id)
    return item


def _aside(claim: Claim, item: Item, facts: Facts) -> tuple[str, str] | None:
    """Return code and reason for keeping a claim for a person, None when it may be judged."""
    head, state = _of(item, facts)
    if state.merged_into is not None:
        return ties.MERGED, "письмо рассматривается по обращению другого отправителя"
    others = facts.merged.get(head.id, {}).keys() - {item.peer}
    if others and claim.type is EventType.WITHDRAWN:
        return ties.SHARED, "то же письмо направил и другой отправитель"
    return None


def _ordinals(
    asked: Iterable[str], caller: str, named: tuple[Head, Head], facts: Facts
) -> dict[str, int]:
    """Return the questions a call means. named: the appeal it names, and the one it is about."""
    own, stands = (facts.questions.get(head.id, questions.NONE) for head in named)
    peer = facts.peers.get(caller)
    shown = named[0].peer == caller or (peer is not None and peer.disclosure == Level.FULL)
    given = own.given if shown else questions.NOTHING
    return questions.ordinals(asked, {**own.ids, **stands.ids}, given)


def _attached(item: Item, facts: Facts, rules: Rules) -> Plan:
    """A file that came by itself, for the appeal it names or the one that goes on for that."""
    came_to = _of(item, facts)[0].id
    item = _followed(item, facts)
    head, state = _of(item, facts)
    told = _FILE.decode(item.decoded or b"{}")
    content = Content.of(head.id, content_of_file(told.name, told.media_type))
    role = AttachmentRole(told.role) if told.role else AttachmentRole.APPEAL
    build = Build(item, state, facts, rules)
    kind = build.claim(
        Claim(
            type=EventType.FILE_ATTACHED,
            occurred_at=item.recorded_at,
            actor=Actor(kind="peer", id=item.peer),
            reported_at=item.recorded_at,
            cause=item.message_id,
            key=item.key,
            payload=f.FileFacts(sha256=told.sha256, role=role.value),
            content=content.digest.hex(),
        )
    )
    if build.events:
        build.contents.append(content)
    return build.plan("applied", applied=kind.value, files=_moved(came_to, head.id, told.sha256))


def _moved(source: UUID, target: UUID, *digests: str) -> Moved | None:
    """Files of a call that named one appeal and was applied to another."""
    if source == target or not digests:
        return None
    return Moved(source, target, tuple(bytes.fromhex(digest) for digest in digests))


def _of(item: Item, facts: Facts) -> tuple[Head, AppealState]:
    if item.appeal_id is None or item.appeal_id not in facts.heads:
        raise InternalError("the appeal of this message is not there", found=str(item.appeal_id))
    return facts.heads[item.appeal_id], facts.states[item.appeal_id]


def register_of(item: Item, appeal: Appeal, rules: Rules, now: datetime) -> RegisterKey | None:
    """By policy we register at once, unless the appeal comes with a number of our own body."""
    if not rules.organisation or not rules.registers & {"*", item.wire, item.peer}:
        return None
    if tells_states(appeal):
        return None
    if any(
        r.organisation and r.organisation.full_name == rules.organisation
        for r in appeal.registrations
    ):
        return None
    return RegisterKey(rules.organisation, rules.register, now.astimezone(rules.zone).year)
