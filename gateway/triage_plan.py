"""What one accepted message becomes; pure: the room `triage` reads before and writes after."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from gateway import triage_told
from gateway.adapter import RemoteState
from gateway.errors import InternalError
from gateway.lifecycle import (
    AppealState,
    Claim,
    Kind,
    claim_of_report,
    content_of_report,
)
from gateway.model import facts as f
from gateway.model.appeal import Appeal
from gateway.model.events import Actor, EventType, PeerReport, State
from gateway.model.fold import number_key
from gateway.model.registration import ReferralIn
from gateway.store.history import Content
from gateway.store.organisations import named_in, named_in_report
from gateway.store.registers import RegisterKey
from gateway.store.work import LetterKey, Reference
from gateway.triage_build import Build, Facts, Plan, Rules, rule

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.store.history import Head
    from gateway.store.work import Item

_APPEAL = msgspec.json.Decoder(Appeal)
_REPORT = msgspec.json.Decoder(PeerReport)
_REMOTE = msgspec.json.Decoder(RemoteState)


class _Letters(msgspec.Struct):
    """The only part of a content that finding its covering letter needs."""

    referrals: tuple[ReferralIn, ...] = ()


_LETTERS = msgspec.json.Decoder(_Letters)


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
        return Plan(item, "applied", {"applied": "applied"})
    return _reported(item, facts, rules)


def letter_in(content: bytes | None) -> LetterKey | None:
    """Return the covering letter of an appeal that came through another body, if it has one.

    Raises nothing: a content that cannot be read is found out, and put off, by `plan`.
    """
    if content is None:
        return None
    try:
        letters = _LETTERS.decode(content).referrals
    except msgspec.DecodeError:
        return None
    for letter in letters:
        folded = letter.number_key or number_key(letter.number)
        if letter.date is not None and len(folded) >= 6:
            return LetterKey(folded, letter.date)
    return None


def _submitted(item: Item, facts: Facts, rules: Rules) -> Plan:
    """A new appeal: the same letter by another channel, or routed, registered, with terms."""
    head, state = _of(item, facts)
    content = facts.contents.get(head.id)
    appeal = _APPEAL.decode(content) if content else Appeal()
    references = _references(item, appeal)
    holder = facts.letters.get(item.message_id, head.id)
    build = Build(item, state, facts, rules)
    if holder != head.id:
        build.add(
            EventType.MERGED_AS_DUPLICATE,
            f.LinkFacts(kind="same_document_other_channel", appeal=str(holder)),
            rule("same-letter"),
        )
        return build.plan(
            "applied",
            references=references,
            merge_into=holder,
            story=facts.histories.get(holder, ()),
        )
    routed = None if head.historical else rules.route(appeal, item.peer)
    if routed is not None:
        build.add(EventType.ROUTED, routed, rule(routed.rule))
    if state.state is State.RECEIVED:
        build.terms_of_received()
    for told in triage_told.claims(appeal, item.peer, item.message_id, item.recorded_at):
        build.told(told)
    register = None if head.historical else _register(item, appeal, rules, facts.now)
    if register is not None and not build.register(register, routed):
        register = None
    return build.plan(
        "applied",
        references=references,
        register=register,
        received=True,
        unmapped=named_in(appeal, item.peer),
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
    current = (content.id, item.content_sha256 or b"") if kind is Kind.APPLIED else None
    return build.plan(
        "late" if kind is Kind.LATE else "applied",
        references=_references(item, appeal),
        new_content=current,
        unmapped=named_in(appeal, item.peer),
        applied=kind.value,
    )


def _reported(item: Item, facts: Facts, rules: Rules) -> Plan:
    """A peer's word; what is said of a merged appeal is said of the one that holds its letter."""
    head, state = _of(item, facts)
    ordinals = facts.question_ids.get(head.id, {})
    if head.merged_into is not None:
        item = item._replace(appeal_id=head.merged_into)
        head, state = _of(item, facts)
        ordinals = {**ordinals, **facts.question_ids.get(head.id, {})}
    report = _REPORT.decode(item.decoded or b"{}")
    personal = content_of_report(report)
    content = Content.of(head.id, personal) if personal else None
    peer = facts.peers.get(item.peer)
    granted = peer.options.get("grant") if peer else None
    build = Build(item, state, facts, rules)
    outcome = build.claim(
        claim_of_report(
            report,
            actor=Actor(kind="peer", id=item.peer),
            ordinals=ordinals,
            reported_at=item.recorded_at,
            cause=item.message_id,
            content=content.digest.hex() if content else None,
        ),
        granted=frozenset(map(EventType, granted)) if granted else None,
    )
    if content is not None and build.events:
        build.contents.append(content)
    conflict = build.reason if outcome is Kind.CONFLICT else ""
    return build.plan(
        {Kind.CONFLICT: "conflict", Kind.LATE: "late"}.get(outcome, "applied"),
        applied=outcome.value,
        conflict=conflict,
        unmapped=named_in_report(report, item.peer),
    )


def _of(item: Item, facts: Facts) -> tuple[Head, AppealState]:
    if item.appeal_id is None or item.appeal_id not in facts.heads:
        raise InternalError("the appeal of this message is not there", found=str(item.appeal_id))
    return facts.heads[item.appeal_id], facts.states[item.appeal_id]


def _register(item: Item, appeal: Appeal, rules: Rules, now: datetime) -> RegisterKey | None:
    """By policy we register at once, unless the appeal comes with a number of our own body."""
    if not rules.organisation or not rules.registers & {"*", item.wire, item.peer}:
        return None
    if triage_told.tells_states(appeal):
        return None
    if any(
        r.organisation and r.organisation.full_name == rules.organisation
        for r in appeal.registrations
    ):
        return None
    return RegisterKey(rules.organisation, rules.register, now.astimezone(rules.zone).year)


def _references(item: Item, appeal: Appeal) -> tuple[Reference, ...]:
    found = [(ref.peer or item.peer, ref.kind, ref.value) for ref in appeal.refs]
    found += [(item.peer, "letter", letter.number) for letter in appeal.referrals if letter.number]
    found += [(item.peer, "registration", r.number) for r in appeal.registrations if r.number]
    return tuple(
        Reference(peer, kind, value, number_key(value))
        for peer, kind, value in dict.fromkeys(found)
    )
