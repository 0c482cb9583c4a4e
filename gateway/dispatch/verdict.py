"""What an answer, or the lack of one, means for a delivery. Pure.

The class of the error decides (gateway.errors): never → refused, later → retry, ask → unknown. The
one rule above it: a doubt is ended only by the peer's word. A repeat of a doubtful send that cannot
have arrived leaves the doubt of the send before it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from gateway import notes
from gateway.errors import (
    ConfigurationError,
    GatewayError,
    InternalError,
    PeerDoubtful,
    PeerRefused,
    PeerUnavailable,
    UnsupportedError,
)
from gateway.limits import BODY_IN_ROW_BYTES
from gateway.outbound import Answered
from gateway.retry import pause
from gateway.store.lanes import Claimed, Settled

if TYPE_CHECKING:
    from uuid import UUID

    from gateway.adapter import Receipt
    from gateway.dispatch.ports import Policy

ERROR_CHARS: Final = 2_000
TOLD: Final = 10
"""Places of an error that are told; the rest is counted."""
ASK_CAP_SECONDS: Final = 3_600.0
Health = Literal["up", "down", "none"]


class Tried(NamedTuple):
    """One attempt as it went.

    result: the receipt, None for "not there" (asking only), or what was raised. asked: nothing was
    sent. doubted_at: of a doubtful delivery, when the send in doubt began. on_wire: bytes may have
    left; an unexpected exception before that is a plain retry.
    """

    claimed: Claimed
    attempt: UUID | None
    result: Receipt | BaseException | None
    started_at: datetime
    asked: bool = False
    on_wire: bool = True
    doubted_at: datetime | None = None
    seconds: float = 0.0


class Verdict(NamedTuple):
    """What to write, and what it says of the destination's health."""

    settled: Settled
    health: Health
    trouble: str = ""


def judge(tried: Tried, policy: Policy, now: datetime, *, chance: float, outage: bool) -> Verdict:
    """Return what became of the delivery.

    chance: 0 ≤ chance < 1, for the jitter. outage: the breaker is not closed, so failing to reach
    the peer says nothing about this delivery and never makes it dead.
    """
    delivery = tried.claimed.delivery
    attempts = delivery.attempts if tried.asked else delivery.attempts + 1
    result = tried.result
    if result is not None and not isinstance(result, BaseException):
        settled = _received(tried, result, attempts, policy, now)
        return Verdict(_no_in_the_end(settled, result) if result.refused else settled, "up")
    base = Settled(
        claimed=tried.claimed,
        state=delivery.state,
        attempts=attempts,
        attempt=tried.attempt,
        whole=tried.asked or not tried.on_wire,
        started_at=tried.started_at,
    )
    if result is None:
        absent = base._replace(outcome="absent", error="the peer has not got it")
        if _exhausted(absent, policy, now, outage=False):
            return Verdict(absent._replace(state="dead", closes=True), "up")
        due = now + pause(policy.backoff, attempts, chance)
        return Verdict(absent._replace(state="retry", due=due), "up")
    return _failed(base, tried, result, policy, now, chance=chance, outage=outage)


def skipped(claimed: Claimed, reason: str) -> Settled:
    """Return the end of a delivery that must not leave."""
    return Settled(
        claimed=claimed,
        state="skipped",
        attempts=claimed.delivery.attempts,
        gone=True,
        code="skipped",
        error=reason,
    )


def left_to_person(claimed: Claimed) -> Settled:
    """Return a doubt that only a person may end: the peer can be neither asked nor repeated to."""
    return Settled(
        claimed=claimed,
        state="unknown",
        attempts=claimed.delivery.attempts,
        code="peer_doubtful",
        error="it may have arrived; confirm, replay or skip it",
    )


def released(tried: Tried, now: datetime) -> Settled:
    """Return a delivery to its lane whose turn came too late within its lease: no byte left."""
    delivery = tried.claimed.delivery
    return Settled(
        claimed=tried.claimed,
        state="unknown" if tried.doubted_at else "retry",
        attempts=delivery.attempts,
        due=now,
        attempt=tried.attempt,
        outcome="released",
        started_at=tried.started_at,
    )


def clean(text: str, limit: int = ERROR_CHARS) -> str:
    """Return text that PostgreSQL takes: without NUL and lone surrogates, cut to `limit`."""
    return text[:limit].replace("\0", "").encode("utf-8", "replace").decode()


def _received(
    tried: Tried, receipt: Receipt, attempts: int, policy: Policy, now: datetime
) -> Settled:
    state = "acknowledged" if receipt.final else "sent"
    return Settled(
        claimed=tried.claimed,
        state=state,
        attempts=attempts,
        ack_due=None if receipt.final else now + timedelta(seconds=policy.ack_within),
        reference=clean(receipt.reference, 500) if receipt.reference else "",
        gone=True,
        attempt=tried.attempt,
        whole=tried.asked or not tried.on_wire,
        started_at=tried.started_at,
        outcome="found" if tried.asked else state,
        status=receipt.status,
        response=receipt.body[:BODY_IN_ROW_BYTES],
    )


def _no_in_the_end(settled: Settled, receipt: Receipt) -> Settled:
    """A peer that had taken the delivery has refused it since; its words are the detail."""
    return settled._replace(
        state="refused",
        outcome="refused",
        gone=False,
        closes=True,
        ack_due=None,
        code=PeerRefused.code,
        error="система приняла, потом отказала · the peer took it and refused it afterwards",
        detail=clean(receipt.refused),
    )


def _failed(
    base: Settled,
    tried: Tried,
    error: BaseException,
    policy: Policy,
    now: datetime,
    *,
    chance: float,
    outage: bool,
) -> Verdict:
    known = error if isinstance(error, GatewayError) else _unexpected(error, tried)
    base = base._replace(
        code=known.code,
        error=clean(_public(known)),
        detail=clean(f"{known} {_cause(error)}".strip()),
    )
    if isinstance(error.__cause__, Answered):  # the evidence of a refusal is what was answered
        answer = error.__cause__.response
        base = base._replace(status=answer.status, response=answer.body[:BODY_IN_ROW_BYTES])
    health: Health = (
        "down" if isinstance(known, PeerUnavailable | PeerDoubtful | ConfigurationError) else
        "up" if isinstance(known, PeerRefused) else "none"
    )  # fmt: skip
    trouble = base.error if health == "down" else ""
    if tried.asked:
        return Verdict(_still_doubtful(base, tried, known, policy, now, chance), health, trouble)
    exhausted = _exhausted(base, policy, now, outage=outage and health == "down")
    if isinstance(known, PeerDoubtful) or (known.code == "internal" and tried.on_wire):
        doubt = _doubtful(base, policy, now, chance, exhausted=exhausted)
        return Verdict(doubt, health, trouble)
    if known.retry == "never" and not isinstance(known, ConfigurationError):
        refused = base._replace(state="refused", outcome="refused", closes=True)
        return Verdict(refused, health, trouble)
    if tried.doubted_at:
        doubt = _doubtful(base, policy, now, chance, exhausted=exhausted)
        return Verdict(doubt._replace(outcome="retry"), health, trouble)
    if exhausted and not isinstance(known, ConfigurationError):
        return Verdict(base._replace(state="dead", outcome="dead", closes=True), health, trouble)
    due = now + pause(policy.backoff, base.attempts, chance)
    return Verdict(base._replace(state="retry", due=due, outcome="retry"), health, trouble)


def _exhausted(base: Settled, policy: Policy, now: datetime, *, outage: bool) -> bool:
    """Tried often enough; through an outage of the whole destination patience is longer."""
    age = (now - base.claimed.delivery.created_at).total_seconds()
    return base.attempts >= policy.max_attempts and not (outage and age < policy.give_up_after)


def _doubtful(
    base: Settled, policy: Policy, now: datetime, chance: float, *, exhausted: bool
) -> Settled:
    """In doubt: asked about later, or sent again if that is harmless, or a person's to settle."""
    base = base._replace(state="unknown", outcome="unknown")
    if policy.can_ask:
        return base._replace(due=now + timedelta(seconds=policy.settle_after))
    if not policy.idempotent:
        return base._replace(due=None)
    if exhausted:
        return base._replace(state="dead", closes=True)
    wait = timedelta(seconds=policy.settle_after) + pause(policy.backoff, base.attempts, chance)
    return base._replace(due=now + wait)


def _still_doubtful(
    base: Settled,
    tried: Tried,
    error: GatewayError,
    policy: Policy,
    now: datetime,
    chance: float,
) -> Settled:
    """The peer could not tell: ask again after about as long as the doubt is old already."""
    if isinstance(error, UnsupportedError | PeerRefused):  # nobody but a person can tell
        return base._replace(state="unknown", due=None, outcome="doubtful")
    age = (now - (tried.doubted_at or tried.started_at)).total_seconds()
    wait = max(min(age, ASK_CAP_SECONDS), policy.settle_after) * (0.5 + chance / 2)
    return base._replace(state="unknown", due=now + timedelta(seconds=wait), outcome="doubtful")


def _unexpected(error: BaseException, tried: Tried) -> InternalError:
    stage = "sending" if tried.on_wire else "preparing"
    return InternalError(f"{stage} failed", where=type(error).__name__)


def _public(error: GatewayError) -> str:
    """The error without what was found: a peer's words may repeat personal data.

    What a codec of ours refused is told place by place, so that a person can mend it.
    """
    wrong = notes.of(error)["violations"]
    places = [
        f"{v['path']}: {v['message']}" + (f" ({v['expected']})" if v["expected"] else "")
        for v in wrong[:TOLD]
    ]
    where = "" if places else error.where and f"where: {error.where}"
    more = f"… {len(wrong) - TOLD}" if len(wrong) > TOLD else ""
    return "; ".join(part for part in (error.message, where, *places, more, error.todo) if part)


def _cause(error: BaseException) -> str:
    return "" if isinstance(error, GatewayError) else f"{type(error).__name__}: {error}"
